// One track at a time, through the browser's own audio element.

import { api } from "./api.js";
import { byId, element } from "./elements.js";
import { artistOf } from "./results.js";

const WHY = {
  format: "This browser cannot play this file.",
  missing: "This track's audio is missing.",
  offline: "This track cannot be reached right now.",
};

export class Player {
  #audio = byId("audio");
  #button = byId("play");
  #seek = byId("seek");
  #problem = byId("player-problem");
  #track = null;
  #changed;

  // `changed(track, isPlaying)`: something else plays, or nothing.
  constructor(changed) {
    this.#changed = changed;
    this.#button.addEventListener("click", () => this.toggle());
    this.#seek.addEventListener("input", () => {
      this.#audio.currentTime = Number(this.#seek.value);
      this.#showTime();
    });
    for (const event of ["play", "pause", "ended"]) {
      this.#audio.addEventListener(event, () => this.#showState());
    }
    for (const event of ["timeupdate", "durationchange", "emptied"]) {
      this.#audio.addEventListener(event, () => this.#showTime());
    }
    this.#audio.addEventListener("error", () => this.#fail());
    this.#takeMediaKeys();
  }

  play(track) {
    if (this.#track?.id !== track.id) {
      this.#track = track;
      this.#problem.replaceChildren();
      this.#audio.src = api.audio(track.id);
    }
    this.#start();
  }

  toggle() {
    if (this.#audio.paused) this.#start();
    else this.#audio.pause();
  }

  #start() {
    // Browsers refuse to play before the page was touched; the button is there for that.
    this.#audio.play().catch(() => this.#showState());
  }

  #showState() {
    const isPlaying = !this.#audio.paused && !this.#audio.ended;
    this.#button.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    this.#button.classList.toggle("playing", isPlaying);
    if ("mediaSession" in navigator && this.#track) {
      navigator.mediaSession.metadata = new MediaMetadata({
        title: this.#track.title,
        artist: artistOf(this.#track),
      });
    }
    this.#changed(this.#track, isPlaying);
  }

  #showTime() {
    const { currentTime, duration } = this.#audio;
    const length = Number.isFinite(duration) ? duration : 0;
    this.#seek.max = length;
    this.#seek.value = currentTime;
    this.#seek.style.setProperty("--played", `${length ? (100 * currentTime) / length : 0}%`);
    this.#seek.setAttribute("aria-valuetext", `${clock(currentTime)} of ${clock(length)}`);
    byId("elapsed").textContent = clock(currentTime);
    byId("duration").textContent = clock(length);
  }

  async #fail() {
    const track = this.#track;
    this.#showState();
    const why = await api.whyNoAudio(track.id);
    if (track !== this.#track) return;
    const isFirst = this.#audio.getAttribute("src") === api.audio(track.id);
    if (why === "format" && isFirst) {
      this.#audio.src = api.playable(track.id);
      this.#start();
    } else {
      this.#explain(why);
    }
  }

  #explain(why) {
    this.#problem.replaceChildren(WHY[why]);
    if (why !== "format") return;
    const file = { href: api.audio(this.#track.id), download: "", text: "Download it" };
    this.#problem.append(" ", element("a", file));
  }

  #takeMediaKeys() {
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.setActionHandler("play", () => this.#start());
    navigator.mediaSession.setActionHandler("pause", () => this.#audio.pause());
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
