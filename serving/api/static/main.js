// Puts the page together: the box asks, the list shows, the panel plays.

import { api } from "./api.js";
import { byId, element } from "./elements.js";
import { announce, clearNotice, inWords, kindOf, showNotice, showWait } from "./notice.js";
import { Player } from "./player.js";
import { nameOf, Results } from "./results.js";
import { SHORTEST, Search } from "./search.js";
import { SearchBox } from "./search_box.js";
import { Session } from "./session.js";
import { TrackPanel } from "./track.js";

const FLAG = "vibe-search";
const WAITING_AFTER_MILLISECONDS = 300; // Faster answers show no "Searching …".
const IDEAS = ["dark ambient drone", "calm solo piano", "retro video game", "slow acoustic guitar"];

const session = new Session();
const mayFeel = () => session.has(FLAG);

const player = new Player((track, isPlaying) => results.markPlaying(track?.id, isPlaying));
const panel = new TrackPanel({ play, searchTag: searchFor });
const results = new Results(choose);
const search = new Search(mayFeel, {
  started() {
    // The status is said when there is something to say; until then the list is busy.
    results.markOld();
    stopWaiting();
    clearNotice();
    failure = null;
    found = { byName: 0, bySound: 0 };
    box.setOpen(true);
    if (results.count === 0) {
      waitingTimer = setTimeout(() => results.waiting("Searching …"), WAITING_AFTER_MILLISECONDS);
    }
  },
  keyword(answer) {
    if (!isListening) stopWaiting();
    results.showByName(answer.results);
    found.byName = results.count;
    markPlaying();
    if (found.byName) announce(spoken(found.byName, "result"));
  },
  keywordFailed(problem) {
    if (!isListening) stopWaiting();
    results.clear();
    failure = kindOf(problem);
  },
  moodStarted() {
    stopWaiting();
    clearNotice();
    isListening = true;
    results.waiting("Listening …");
  },
  moodWaits(seconds) {
    stopWaiting();
    announce(failure ? showNotice(failure, { retry: again }) : showWait(seconds));
  },
  mood(answer) {
    stopWaiting();
    found.bySound = results.appendBySound(answer.results);
    markPlaying();
    if (!answer.available) failure ??= "mood";
  },
  moodFailed(problem) {
    stopWaiting();
    failure ??= kindOf(problem) === "server" ? "mood" : kindOf(problem);
    retryAfter = problem.retryAfter;
  },
  finished() {
    isSettled = true;
    const { byName, bySound } = found;
    if (byName + bySound === 0 && results.count > 0) results.clear();
    const about = box.query;
    if (failure) {
      announce(showFailure(byName));
    } else if (byName + bySound === 0) {
      announce(showNotice("nothing", { about }));
    } else if (bySound) {
      announce(`${spoken(byName, "result")}, ${spoken(bySound, "track")} by sound`);
    }
  },
});

let failure = null;
let retryAfter = null; // Seconds, from the Retry-After header.
let waitingTimer = null; // Until "Searching …" is shown.
let isListening = false;
let found = { byName: 0, bySound: 0 };
let current = null; // The track in the panel.
let searched = null; // The query that the list shows, or is about to.
let isSettled = true; // Whether it shows all of that.

const box = new SearchBox(results, {
  opened() {
    mayFeel().then((may) => may && api.warm());
    if (box.query.length >= SHORTEST && !isOpen()) {
      if (box.query === searched) box.setOpen(true);
      else submit(box.query);
    }
  },
  closed() {
    search.stop();
    stopWaiting();
    if (!isSettled) searched = null;
    box.setOpen(false);
  },
  typed(query) {
    if (query === searched) return; // Spaces around it, or what was typed and taken back.
    remember(query);
    search.typed(query);
    if ([...query].length < SHORTEST) empty();
  },
  submitted: submit,
  chosen: choose,
  likeThis(track) {
    play(track);
    panel.showSimilar();
  },
});

function submit(query) {
  if ([...query].length < SHORTEST) return;
  remember(query);
  search.now(query);
}

function searchFor(query) {
  box.query = query;
  submit(query);
  byId("query").focus();
}

function choose(result) {
  if (result.type === "track") play(result);
  else searchFor(nameOf(result));
}

function play(track) {
  current = track;
  panel.show(track);
  player.play(track);
}

function markPlaying() {
  results.markPlaying(current?.id, !byId("audio").paused);
}

function stopWaiting() {
  clearTimeout(waitingTimer);
  isListening = false;
  results.waiting(null);
}

function again() {
  search.again();
}

// Returns what a screen reader should hear.
function showFailure(byName) {
  if (failure === "busy" && retryAfter) {
    const hint = `Try again in ${inWords(retryAfter)}.`;
    return showNotice("busy", { retry: again, hint });
  }
  const isAlone = failure === "mood" && byName === 0;
  return showNotice(isAlone ? "moodAlone" : failure, { retry: again });
}

function empty() {
  results.clear();
  stopWaiting();
  clearNotice();
  announce("");
  box.setOpen(false);
}

// The address leads back here.
function remember(query) {
  searched = query;
  isSettled = false;
  const parameters = query ? `?${new URLSearchParams({ q: query })}` : "";
  history.replaceState(history.state, "", location.pathname + parameters);
}

function isOpen() {
  return byId("page").dataset.open === "true";
}

function spoken(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

window.addEventListener("online", again);
window.addEventListener("offline", () => {
  if (isOpen()) announce(showNotice("offline"));
});

async function introduce() {
  if (!(await mayFeel())) return;
  box.describe("A mood, a sound or a name");
  byId("lead").textContent = "Describe a mood, a place or an instrument, or type a name.";
  const ideas = IDEAS.map((idea) => {
    const chip = element("button", { type: "button", className: "chip", text: idea });
    chip.addEventListener("click", () => searchFor(idea));
    return chip;
  });
  byId("ideas").replaceChildren(...ideas);
  byId("ideas").hidden = false;
}

window.addEventListener("hashchange", introduce);
introduce();

// A link to the page with ?q= shows its answer.
const asked = new URLSearchParams(location.search).get("q")?.trim() ?? "";
if (asked) {
  box.query = asked;
  submit(asked);
}
