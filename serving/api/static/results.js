// The list of results: what each looks like, and which one the arrow keys are on.

import { artwork } from "./artwork.js";
import { byId, element, svg } from "./elements.js";
import { matchPercent } from "./similarity.js";

const TITLES = {
  track: "Tracks",
  artist: "Artists",
  album: "Albums",
  playlist: "Playlists",
  tag: "Tags",
};

// What each kind of result says of itself.
const LINES = {
  track: (found) => [found.title, artistOf(found), found.image_url],
  artist: (found) => [found.display_name || found.handle, `@${found.handle}`, found.avatar_url],
  album: (found) => [found.title, artistOf(found), found.image_url],
  playlist: (found) => [found.name, playlistLine(found), found.image_url],
  tag: (found) => [found.name, "Tag", null],
};

export function artistOf(found) {
  return found.artist_display_name || `@${found.artist_handle}`;
}

export function nameOf(found) {
  return LINES[found.type](found)[0];
}

export class Results {
  #list = byId("results");
  #waiting = byId("waiting");
  #options = [];
  #active = -1;

  // `choose(result, event)`: a result was clicked.
  constructor(choose) {
    this.#list.addEventListener("mousedown", (event) => event.preventDefault()); // Keeps the focus.
    this.#list.addEventListener("click", (event) => {
      const found = this.#options.find(({ row }) => row.contains(event.target));
      if (found) choose(found.result, event);
    });
  }

  get active() {
    return this.#options[this.#active] ?? null;
  }

  get count() {
    return this.#options.length;
  }

  // Until there is an answer, what was found before stays, but as what it is.
  markOld() {
    this.#list.setAttribute("aria-busy", "true");
  }

  clear() {
    this.#list.replaceChildren();
    this.#list.removeAttribute("aria-busy");
    this.#options = [];
    this.#activate(-1);
  }

  // The best results come first, and with them the kind that they are of.
  showByName(results) {
    this.clear();
    for (const type of new Set(results.map((result) => result.type))) {
      this.#append(type, TITLES[type], results.filter((result) => result.type === type));
    }
  }

  // Below what is there, which stays where it is. Returns how many were new.
  appendBySound(results) {
    const shown = new Set(this.#options.filter(isTrack).map(({ result }) => result.id));
    const unseen = results.filter((result) => !shown.has(result.id));
    this.#append("mood", "Sounds like this", unseen);
    return unseen.length;
  }

  // `what`: what is waited for, or null.
  waiting(what) {
    this.#waiting.hidden = what === null;
    this.#waiting.replaceChildren();
    if (what === null) return;
    this.#waiting.append(
      element("div", { className: "group-title", text: what }),
      ...Array.from({ length: 3 }, () => element("div", { className: "skeleton" })),
    );
  }

  move(step) {
    const { length } = this.#options;
    if (length === 0) return;
    const from = this.#active === -1 && step < 0 ? length : this.#active;
    this.#activate((from + step + length) % length);
  }

  rest() {
    this.#activate(-1);
  }

  // Marks the rows of the track that is playing.
  markPlaying(id, isPlaying) {
    for (const option of this.#options.filter(isTrack)) {
      const here = option.result.id === id;
      option.row.classList.toggle("current", here);
      option.row.classList.toggle("playing", here && isPlaying);
    }
  }

  #append(kind, title, results) {
    if (results.length === 0) return;
    const id = `group-${kind}`;
    const heading = element("div", { className: "group-title", id, text: title });
    heading.setAttribute("role", "presentation");
    const group = element("div", {
      className: `group ${kind}`,
      role: "group",
      "aria-labelledby": id,
    });
    group.append(heading);
    for (const result of results) {
      const row = option(result, `result-${this.#options.length}`);
      this.#options.push({ result, row });
      group.append(row);
    }
    this.#list.append(group);
  }

  #activate(index) {
    this.active?.row.setAttribute("aria-selected", "false");
    this.#active = index;
    const input = byId("query");
    if (this.active === null) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    const { row } = this.active;
    row.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }
}

const isTrack = ({ result }) => result.type === "track";

function option(result, id) {
  const [name, line, url] = LINES[result.type](result);
  const row = element("div", { className: "row", id, role: "option", "aria-selected": "false" });
  row.append(
    artwork({ kind: result.type, name, by: line, url }),
    element(
      "span",
      { className: "names" },
      element("span", { className: "title", text: name }),
      element("span", { className: "by", text: line }),
    ),
  );
  if (result.similarity !== undefined) row.append(badge(matchPercent(result.similarity)));
  const bars = [1, 2, 3].map(() => element("i"));
  row.firstChild.append(element("span", { className: "bars" }, ...bars));
  return row;
}

// That a track was found by its sound, and how near that is in percent. `word`: what it was
// compared with.
export function badge(percent, word = "mood") {
  const wave = svg(
    "svg",
    { viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: "M2 8h2l2-4 3 9 2.5-7L13 8h1.5" }),
  );
  return element(
    "span",
    { className: "badge", title: "How much it sounds like this" },
    wave,
    element("span", { className: "word", text: word }),
    ` ${percent} %`,
  );
}

function playlistLine(found) {
  const count = found.track_count ?? 0;
  const tracks = `${count} ${count === 1 ? "track" : "tracks"}`;
  return `${found.owner_display_name || `@${found.owner_handle}`} · ${tracks}`;
}
