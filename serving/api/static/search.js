const form = document.getElementById("search");
const input = document.getElementById("query");
const message = document.getElementById("status");
const results = document.getElementById("results");

let current = null; // The request whose answer is waited for.

form.addEventListener("submit", (event) => {
  event.preventDefault();
  history.replaceState(null, "", `?${new URLSearchParams({ q: input.value })}`);
  search(input.value);
});

// What will answer gets ready while the query is typed. The server does so once in four minutes.
input.addEventListener("focus", warm);
if (document.activeElement === input) warm(); // Focused before this script ran.

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  if (event.key.toLowerCase() !== "k") return;
  event.preventDefault(); // Browsers open their own search with it.
  input.focus();
  input.select();
});

function warm() {
  fetch("search/warm", { method: "POST" }).catch(() => {}); // The search itself will say.
}

// A link to the page with ?q= shows its answer.
input.value = new URLSearchParams(location.search).get("q") ?? "";
if (input.value && input.checkValidity()) search(input.value);

async function search(query) {
  // A late answer to an older query is never shown.
  current?.abort();
  const mine = (current = new AbortController());
  results.setAttribute("aria-busy", "true");
  message.textContent = "Searching …";
  try {
    const parameters = new URLSearchParams({ q: query, limit: "20" });
    const response = await fetch(`search/semantic?${parameters}`, { signal: mine.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const answer = await response.json();
    if (mine === current) show(answer);
  } catch (error) {
    if (mine !== current) return;
    results.replaceChildren();
    message.textContent = "The search failed. Try again in a moment.";
    console.error(error);
  } finally {
    if (mine === current) results.removeAttribute("aria-busy");
  }
}

function show(answer) {
  results.replaceChildren(...answer.results.map(row));
  const count = answer.results.length;
  if (!answer.available) message.textContent = "Mood search is not available at the moment.";
  else if (count === 0) message.textContent = "Nothing sounds like that yet.";
  else message.textContent = `${count} ${count === 1 ? "track" : "tracks"}, the closest first`;
}

// Titles and names are text, never markup.
function row(track) {
  const percent = Math.round(track.similarity * 100);
  const similarity = element("span", "similarity", `${percent} %`);
  similarity.title = "Similarity to the description";
  const item = document.createElement("li");
  item.append(
    element("span", "title", track.title),
    element("span", "artist", track.artist_display_name),
    similarity,
  );
  return item;
}

function element(name, className, text) {
  const created = document.createElement(name);
  created.className = className;
  created.textContent = text;
  return created;
}
