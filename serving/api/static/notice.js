// Why there is nothing (more) to see, in words and with what can be done about it.

import { byId, element } from "./elements.js";

export const WORDS = {
  offline: ["You are offline", "The search continues when you are back online."],
  unreachable: ["The server cannot be reached", "Trying again may help."],
  slow: ["The search timed out", "The server took too long to answer."],
  busy: ["Too many searches", "Try again in a moment."],
  refused: ["This query cannot be searched", "Try other words."],
  server: ["Something went wrong", "The search failed on the server. Try again in a moment."],
  missing: ["Something went wrong", "This server has no search by name."],
  nothing: ["No results", "Try fewer or different words."],
  mood: ["Mood search is not available right now", "Results by name are complete."],
  moodAlone: ["Mood search is not available right now", "There are no results by name."],
};

// Shows a notice under the results; `retry`: what a button does, if there is to be one; `hint`: in
// other words than the usual. Returns what a screen reader should hear.
export function showNotice(kind, { retry, about, hint = WORDS[kind][1] } = {}) {
  const [title] = WORDS[kind];
  const heading = about ? `${title} for “${about}”` : title;
  const notice = element("div", { className: `notice ${kind}` });
  const words = element("div", {}, element("p", { className: "title", text: heading }));
  words.append(element("p", { className: "hint", text: hint }));
  notice.append(words);
  if (retry) {
    const button = element("button", { type: "button", text: "Try again" });
    button.addEventListener("click", retry);
    notice.append(button);
  }
  byId("notice").replaceChildren(notice);
  return `${heading}. ${hint}`;
}

// Says when it goes on by itself, and counts down to that. Returns what `showNotice` does.
export function showWait(seconds) {
  const until = performance.now() + 1_000 * seconds;
  const said = showNotice("busy", { hint: `Trying again in ${inWords(seconds)}.` });
  const hint = byId("notice").querySelector(".hint");
  const timer = setInterval(() => {
    const left = Math.ceil((until - performance.now()) / 1_000);
    if (!hint.isConnected || left < 1) clearInterval(timer);
    else hint.textContent = `Trying again in ${inWords(left)}.`;
  }, 250);
  return said;
}

export function inWords(seconds) {
  return seconds === 1 ? "1 second" : `${seconds} seconds`;
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
