// The track that was picked: what it is, which tags suit it, and what sounds like it.

import { api } from "./api.js";
import { artwork } from "./artwork.js";
import { byId, element } from "./elements.js";
import { announce, inWords } from "./notice.js";
import { artistOf, badge } from "./results.js";
import { percent } from "./similarity.js";

const SIMILAR_LIMIT = 10;
const LEAST_SHARE = 0.25; // Of the best tag's score; what is further behind is a guess.

export class TrackPanel {
  #panel = byId("track");
  #more = byId("more");
  #similar = byId("similar");
  #expand = byId("expand");
  #track = null;
  #abort = new AbortController();
  #play;
  #searchTag;

  // `play(track)`: one of the similar tracks was picked; `searchTag(name)`: a tag was.
  constructor({ play, searchTag }) {
    this.#play = play;
    this.#searchTag = searchTag;
    this.#more.addEventListener("click", () => this.showSimilar());
    this.#expand.addEventListener("click", () => this.#setExpanded(!this.#isExpanded));
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#isExpanded) return;
      this.#setExpanded(false);
      this.#expand.focus();
      event.stopPropagation();
    });
  }

  show(track) {
    if (this.#track?.id === track.id) return;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#track = track;
    this.#panel.dataset.track = track.id;
    byId("track-title").textContent = track.title;
    byId("track-artist").textContent = artistOf(track);
    byId("track-artwork").replaceChildren(
      artwork({
        kind: "track",
        name: track.title,
        by: artistOf(track),
        url: track.image_url,
      }),
    );
    this.#similar.hidden = true;
    this.#similar.replaceChildren();
    this.#more.hidden = false;
    this.#suggestTags(track, this.#abort.signal);
  }

  async showSimilar() {
    const track = this.#track;
    this.#setExpanded(true);
    this.#more.hidden = true;
    this.#similar.hidden = false;
    this.#similar.replaceChildren(
      element("h3", { text: "More like this" }),
      ...Array.from({ length: 4 }, () => element("div", { className: "skeleton" })),
    );
    const [rows, said, mayBeRetried] = await this.#findSimilar(track, this.#abort.signal);
    if (track !== this.#track) return;
    this.#more.hidden = !mayBeRetried;
    const heading = element("h3", { text: "More like this", tabindex: "-1" });
    this.#similar.replaceChildren(heading, ...rows);
    announce(said);
    if (document.activeElement === document.body) heading.focus(); // The button is gone.
  }

  async #findSimilar(track, signal) {
    try {
      const { results, available } = await api.similar(track.id, SIMILAR_LIMIT, signal);
      if (!available) return said("This is not available right now.", true);
      if (results.length === 0) return said("Nothing else sounds like it yet.");
      const rows = results.map((result) => this.#similarRow(result));
      return [rows, `${rows.length} tracks that sound like ${track.title}`];
    } catch (problem) {
      return problem.kind === "missing"
        ? said("This track is gone.")
        : said(whyNot(problem), true);
    }
  }

  #similarRow(result) {
    const row = element("button", { type: "button", className: "row" });
    row.append(
      artwork({
        kind: "track",
        name: result.title,
        by: artistOf(result),
        url: result.image_url,
      }),
      element(
        "span",
        { className: "names" },
        element("span", { className: "title", text: result.title }),
        element("span", { className: "by", text: artistOf(result) }),
      ),
      badge(percent(result.similarity), "similar"),
    );
    row.addEventListener("click", () => {
      this.#play(result);
      this.#more.focus(); // The row is gone; from here it goes on.
    });
    return row;
  }

  // Suggestions are an extra: without them there is nothing to say.
  async #suggestTags(track, signal) {
    const section = byId("tags");
    section.hidden = true;
    try {
      const { tags } = await api.recommendedTags(track.id, signal);
      if (track !== this.#track || tags.length === 0) return;
      const likely = tags.filter((tag) => tag.score >= LEAST_SHARE * tags[0].score);
      byId("tag-list").replaceChildren(...likely.map((tag) => this.#tag(tag.name)));
      section.hidden = false;
    } catch {
      // Not offered here, or not now.
    }
  }

  #tag(name) {
    const tag = element("button", { type: "button", className: "chip", text: name });
    tag.addEventListener("click", () => this.#searchTag(name));
    return tag;
  }

  // Where the screen is narrow, the details unfold above the player.
  get #isExpanded() {
    return this.#panel.classList.contains("expanded");
  }

  #setExpanded(yes) {
    this.#panel.classList.toggle("expanded", yes);
    this.#expand.setAttribute("aria-expanded", String(yes));
  }
}

function whyNot({ kind, retryAfter }) {
  if (kind !== "busy") return "This could not be looked up.";
  const when = retryAfter ? `in ${inWords(retryAfter)}` : "in a moment";
  return `Too many searches. Try again ${when}.`;
}

function said(text, mayBeRetried = false) {
  return [[element("p", { className: "quiet", text })], text, mayBeRetried];
}
