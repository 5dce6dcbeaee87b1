// When to ask what, and which answers still count. Knows nothing of how they are shown.

import { api } from "./api.js";

const KEYWORD = { debounce: 150, shortest: 2, longest: 100, limit: 6 };
const MOOD = { debounce: 500, shortest: 3, longest: 200, limit: 12 };
const LONGEST_WAIT_SECONDS = 60; // Who is told to wait longer decides for themselves.

export const SHORTEST = KEYWORD.shortest;

// `view` is told of a search in this order:
//   started(query), then keyword(answer) or keywordFailed(problem), and, where the user may search
//   by mood, moodStarted() and, after the keyword answer, mood(answer) or moodFailed(problem);
//   finished() at last. In between, moodWaits(seconds) and moodStarted() again, after a 429 or
//   503 with Retry-After, once. Nothing more is told of a query once there is another.
export class Search {
  #mayFeel;
  #view;
  #query = null;
  #turn = 0;
  #abort = new AbortController();
  #timers = [];

  // `mayFeel`: a function that promises whether the user may search by mood.
  constructor(mayFeel, view) {
    this.#mayFeel = mayFeel;
    this.#view = view;
  }

  // The query changed: ask once it has been left alone for a while.
  typed(query) {
    this.#ask(query, KEYWORD.debounce, MOOD.debounce);
  }

  // Ask now.
  now(query) {
    this.#ask(query, 0, 0);
  }

  again() {
    if (this.#query !== null) this.now(this.#query);
  }

  stop() {
    this.#turn += 1;
    this.#query = null;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers = [];
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  #ask(query, keywordDelay, moodDelay) {
    this.stop();
    this.#query = query;
    const { signal } = this.#abort;
    const turn = { number: this.#turn, query, signal, since: performance.now() };
    const forKeyword = fits(query, KEYWORD);
    if (!forKeyword && !fits(query, MOOD)) return;
    const keyword = this.#after(turn, keywordDelay).then(() => {
      this.#view.started(query);
      return forKeyword ? this.#keyword(turn) : this.#view.keyword({ results: [] });
    });
    const mood = fits(query, MOOD) ? this.#mood(turn, moodDelay, keyword) : null;
    Promise.all([keyword, mood]).then(() => this.#tell(turn, () => this.#view.finished()));
  }

  async #keyword(turn) {
    try {
      const answer = await api.keyword(turn.query, KEYWORD.limit, turn.signal);
      this.#tell(turn, () => this.#view.keyword(answer));
    } catch (problem) {
      this.#tell(turn, () => this.#view.keywordFailed(problem));
    }
  }

  async #mood(turn, delay, keyword) {
    if (!(await this.#mayFeel()) || !this.#isCurrent(turn)) return;
    await this.#after(turn, delay);
    let found = await this.#moodOnce(turn, keyword);
    const { seconds } = found;
    if (seconds && this.#isCurrent(turn)) {
      this.#view.moodWaits(seconds);
      await this.#after({ since: performance.now() }, 1_000 * seconds);
      found = await this.#moodOnce(turn, keyword);
    }
    this.#tell(turn, found.tell);
  }

  // `tell`: what the view is to be told; `seconds`: how soon it is worth asking again, if it is.
  async #moodOnce(turn, keyword) {
    this.#view.moodStarted();
    let found;
    try {
      const answer = await api.semantic(turn.query, MOOD.limit, turn.signal);
      found = { tell: () => this.#view.mood(answer) };
    } catch (problem) {
      const { retryAfter } = problem;
      found = {
        tell: () => this.#view.moodFailed(problem),
        seconds: retryAfter <= LONGEST_WAIT_SECONDS ? retryAfter : null,
      };
    }
    await keyword; // What is appended must have something to be appended to.
    return found;
  }

  // Some time after the query changed. Never, once there is another.
  #after(turn, delay) {
    return new Promise((resolve) => {
      const left = turn.since + delay - performance.now();
      this.#timers.push(setTimeout(resolve, Math.max(0, left)));
    });
  }

  #isCurrent(turn) {
    return turn.number === this.#turn;
  }

  #tell(turn, tell) {
    if (this.#isCurrent(turn)) tell();
  }
}

// The server counts characters as code points.
function fits(query, { shortest, longest }) {
  const length = [...query].length;
  return length >= shortest && length <= longest;
}
