// What the page asks the server, and the ways in which that can fail.

const TIMEOUT_MILLISECONDS = 15_000; // Longer than the server's own deadlines.
const KEYWORD_TIMEOUT_MILLISECONDS = 8_000; // Results by mood wait for these.
const UNDECODABLE = 415;

// `kind`: offline (no answer at all), slow, busy (too many requests), missing, refused or server.
export class Problem extends Error {
  constructor(kind, retryAfter = null) {
    super(kind);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

// Sent with every question: the server counts what a user asks, not what their address does.
let headers = {};

export const api = {
  signIn(token) {
    headers = token ? { Authorization: `Bearer ${token}` } : {};
  },
  keyword: (query, limit, signal) =>
    get("search/", { q: query, limit }, { signal, milliseconds: KEYWORD_TIMEOUT_MILLISECONDS }),
  semantic: (query, limit, signal) => get("search/semantic", { q: query, limit }, { signal }),
  similar: (id, limit, signal) => get(`tracks/${id}/similar`, { limit }, { signal }),
  recommendedTags: (id, signal) => get(`tracks/${id}/recommended-tags`, {}, { signal }),
  me: () => get("me"),
  // What answers a search by mood gets ready while it is typed; the search itself will say
  // whether that worked.
  warm: () => fetch("search/warm", { method: "POST", headers }).catch(() => {}),
  audio: (id) => `tracks/${id}/audio`,
  // The same as WAV, which every browser plays.
  playable: (id) => `tracks/${id}/audio.wav`,
  audioProblem,
};

// After a player gave up on one of the two addresses: an audio element does not say what was
// answered. Null where the file is there; a redirect leads to another host, which does not say.
async function audioProblem(path) {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
    const response = await fetch(path, { method: "HEAD", redirect: "manual", headers, signal });
    const { ok, type, status } = response;
    return ok || type === "opaqueredirect" || status === UNDECODABLE ? null : failed(response);
  } catch (error) {
    return new Problem(error.name === "TimeoutError" ? "server" : "offline");
  }
}

// An aborted request rejects with an AbortError; everything else that goes wrong is a Problem.
async function get(path, parameters = {}, options = {}) {
  const { signal, milliseconds = TIMEOUT_MILLISECONDS } = options;
  const timeout = AbortSignal.timeout(milliseconds);
  const search = new URLSearchParams(parameters).toString();
  try {
    const response = await fetch(search ? `${path}?${search}` : path, {
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      headers,
    });
    if (!response.ok) throw failed(response);
    return await response.json();
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    if (error.name === "TimeoutError") throw new Problem("slow");
    // Not JSON: something between us and the server answered.
    throw new Problem(error instanceof SyntaxError ? "server" : "offline");
  }
}

function failed(response) {
  if (response.status === 404) return new Problem("missing");
  const retryAfter = Number.parseInt(response.headers.get("Retry-After"), 10) || null;
  if (response.status === 429) return new Problem("busy", retryAfter);
  return response.status < 500 ? new Problem("refused") : new Problem("server", retryAfter);
}
