// Who searches. A token comes in the address after #token=, which no server ever sees, and is moved
// at once to this tab's session storage; an app of the same origin may put it there itself.

import { api } from "./api.js";

const KEY = "moodsearch.token";

export class Session {
  #token = null;
  #flags = null; // A promise of a set; null until somebody asks.

  constructor() {
    this.#read();
    window.addEventListener("hashchange", () => this.#read());
  }

  // Whether the user has the flag. Nobody in particular has none; what could not be asked now is
  // asked again the next time.
  async has(flag) {
    if (this.#token === null) return false;
    this.#flags ??= this.#ask();
    try {
      return (await this.#flags).has(flag);
    } catch (problem) {
      this.#flags = null;
      if (problem.kind === "refused") this.#keep(null);
      return false;
    }
  }

  async #ask() {
    return new Set((await api.me()).flags);
  }

  #read() {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (token) {
      this.#keep(token);
      history.replaceState(history.state, "", location.pathname + location.search);
      this.#flags = null;
    } else {
      this.#token ??= stored(() => sessionStorage.getItem(KEY));
      api.signIn(this.#token);
    }
  }

  #keep(token) {
    this.#token = token;
    api.signIn(token);
    stored(() => (token ? sessionStorage.setItem(KEY, token) : sessionStorage.removeItem(KEY)));
  }
}

// Browsers may forbid storage; then the token lives as long as the page.
function stored(access) {
  try {
    return access() ?? null;
  } catch {
    return null;
  }
}
