// Why there is nothing (more) to see, in words and with what can be done about it.

import { byId, element } from "./elements.js";

export const WORDS = {
  offline: ["You are offline", "Searching goes on when the connection is back."],
  unreachable: ["The server cannot be reached", "It may be back in a moment."],
  slow: ["This takes too long", "The server did not answer in time."],
  busy: ["Too many searches at once", "Try again in a moment."],
  refused: ["This cannot be searched for", "Try other words."],
  server: ["Something went wrong", "The server could not search. Try again in a moment."],
  missing: ["Something went wrong", "This server cannot search by name."],
  nothing: ["Nothing found", "Try fewer or other words."],
  mood: ["Results by sound are not available right now", "Results by name are complete."],
};

// Shows a notice under the results; `retry`: what a button does, if there is to be one. Returns
// what a screen reader should hear.
export function showNotice(kind, { retry, about } = {}) {
  const [title, hint] = WORDS[kind];
  const heading = about ? `${title} for “${about}”` : title;
  const notice = element("div", { className: `notice ${kind}` });
  notice.append(element("p", { className: "title", text: heading }), element("p", { text: hint }));
  if (retry) {
    const button = element("button", { type: "button", text: "Try again" });
    button.addEventListener("click", retry);
    notice.append(button);
  }
  byId("notice").replaceChildren(notice);
  return `${heading}. ${hint}`;
}

export function clearNotice() {
  byId("notice").replaceChildren();
}

export function kindOf(problem) {
  if (problem.kind !== "offline") return problem.kind in WORDS ? problem.kind : "server";
  return navigator.onLine ? "unreachable" : "offline";
}

// Said once by screen readers, shown to nobody else.
export function announce(text) {
  byId("status").textContent = text;
}
