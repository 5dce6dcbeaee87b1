// A picture for whatever is shown: its own, or one drawn from its name.

import { element, svg } from "./elements.js";

const SIZE = 100;
const HUES = [258, 276, 300, 326, 348, 8, 172, 192, 208, 224, 240]; // White is legible on each.

// `kind`: track, artist, album, playlist or tag; `by`: what tells equal names apart. The same names
// always get the same picture.
export function artwork({ kind, name, by = "", url }) {
  const frame = element("span", { className: `art ${kind}`, "aria-hidden": "true" });
  const source = sourceOf(url);
  if (source === null) {
    frame.append(drawn(kind, name, by));
    return frame;
  }
  const image = element("img", { alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(drawn(kind, name, by)), { once: true });
  image.src = source;
  frame.append(image);
  return frame;
}

// Elsewhere on the web, or below the server's own address, wherever that is.
function sourceOf(url) {
  if (/^https?:\/\//i.test(url ?? "")) return url;
  return /^\/tracks\/\d+\/artwork\/[\w.]+$/.test(url ?? "") ? url.slice(1) : null;
}

function drawn(kind, name, by) {
  const next = numbers(`${kind} ${name} ${by}`);
  const hue = HUES[Math.floor(next() * HUES.length)];
  const canvas = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}` });
  canvas.append(svg("rect", { width: SIZE, height: SIZE, fill: `hsl(${hue} 46% 40%)` }));
  if (kind === "track" || kind === "album") canvas.append(...circles(hue, next));
  canvas.append(svg("g", { class: "sign" }, ...SIGNS[kind](name, next)));
  return canvas;
}

function circles(hue, next) {
  return [38, 18, -26].map((shift, index) =>
    svg("circle", {
      cx: next() * SIZE,
      cy: next() * SIZE,
      r: 52 - 12 * index + next() * 14,
      fill: `hsl(${(hue + shift + 360) % 360} 56% ${58 - 12 * index}%)`,
      opacity: 0.62,
    }),
  );
}

const RING = { fill: "none", stroke: "#fff", "stroke-width": 2.5, opacity: 0.85 };

const SIGNS = {
  track: (_name, next) => {
    const bars = 9;
    return Array.from({ length: bars }, (_, index) => {
      const height = 8 + next() * 34 * Math.sin((Math.PI * (index + 1)) / (bars + 1));
      return svg("rect", {
        x: 25.5 + index * 5.6,
        y: 50 - height / 2,
        width: 2.6,
        height,
        rx: 1.3,
        fill: "#fff",
        opacity: 0.88,
      });
    });
  },
  album: () => [24, 15, 4].map((r) => svg("circle", { cx: 50, cy: 50, r, ...RING })),
  artist: (name) => [letters(initials(name), 36)],
  tag: () => [letters("#", 46)],
  playlist: () =>
    [44, 44, 26].map((width, index) =>
      svg("rect", { x: 28, y: 34 + 14 * index, width, height: 5, rx: 2.5, fill: "#fff" }),
    ),
};

function letters(text, size) {
  const written = svg("text", {
    x: 50,
    y: 50,
    "font-size": size,
    "font-weight": 600,
    "text-anchor": "middle",
    "dominant-baseline": "central",
    fill: "#fff",
  });
  written.textContent = text;
  return written;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  return chosen.map((word) => [...word][0].toUpperCase()).join("");
}

// Numbers in [0, 1) that depend on `seed` alone (FNV-1a, then a linear congruential generator).
function numbers(seed) {
  let state = 0x811c9dc5;
  for (const character of seed) {
    state = Math.imul(state ^ character.codePointAt(0), 0x01000193) >>> 0;
  }
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
