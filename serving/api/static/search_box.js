// The box: how it is opened and closed, and what its keys do.

import { byId } from "./elements.js";

export class SearchBox {
  #input = byId("query");
  #clear = byId("clear");
  #page = byId("page");
  #results;
  #on;

  // `on`: opened(), closed(), typed(query), submitted(query), chosen(result), likeThis(result).
  constructor(results, on) {
    this.#results = results;
    this.#on = on;
    this.#input.addEventListener("focus", () => on.opened());
    this.#input.addEventListener("input", (event) => {
      if (event.isComposing) return; // Half of a character that takes several keys.
      this.#typed();
    });
    this.#input.addEventListener("compositionend", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#clear.addEventListener("click", () => {
      this.query = "";
      this.#input.focus();
      on.typed("");
    });
    byId("search").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => this.#shortcut(event));
  }

  get query() {
    return this.#input.value.trim();
  }

  set query(text) {
    this.#input.value = text;
    this.#clear.hidden = text === "";
  }

  describe(placeholder) {
    this.#input.placeholder = placeholder;
  }

  setOpen(yes) {
    this.#page.dataset.open = String(yes);
    this.#input.setAttribute("aria-expanded", String(yes));
    if (!yes) this.#results.rest();
  }

  #typed() {
    this.#clear.hidden = this.#input.value === "";
    this.#on.typed(this.query);
  }

  #shortcut(event) {
    if (event.altKey || event.isComposing) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const opens = isCommand
      ? event.key.toLowerCase() === "k" && !event.shiftKey
      : event.key === "/" && !isEditable(event.target);
    if (!opens) return;
    event.preventDefault(); // Browsers open searches of their own with these.
    this.#input.focus();
    this.#input.select();
  }

  #key(event) {
    if (event.isComposing) return;
    const handled = {
      ArrowDown: () => this.#results.move(1),
      ArrowUp: () => this.#results.move(-1),
      Enter: () => this.#enter(event.shiftKey),
      Escape: () => this.#close(),
    }[event.key];
    if (!handled || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    handled();
  }

  #enter(isShifted) {
    const active = this.#results.active?.result;
    if (!active) this.#on.submitted(this.query);
    else if (isShifted && active.type === "track") this.#on.likeThis(active);
    else this.#on.chosen(active);
  }

  #close() {
    this.#input.blur();
    this.#on.closed();
  }
}

function isEditable(target) {
  const boxes = "input:not([type=range]), textarea, select";
  return target.isContentEditable || (target.matches?.(boxes) ?? false);
}
