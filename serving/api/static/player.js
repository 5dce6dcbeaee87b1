// One track at a time, through the browser's own audio element.

import { api } from "./api.js";
import { byId, element } from "./elements.js";
import { inWords } from "./notice.js";
import { artistOf } from "./results.js";

const WHY = {
  format: "This browser cannot play this file.",
  missing: "This track's audio is missing.",
  offline: "This track cannot be reached right now.",
  server: "The server could not send this track. Try again in a moment.",
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
      this.#load(api.audio(track.id));
    }
    this.#start();
  }

  toggle() {
    if (this.#isPlaying) this.#audio.pause();
    else this.#start();
  }

  // An audio element that failed is not paused.
  get #isPlaying() {
    return !this.#audio.paused && !this.#audio.ended && !this.#audio.error;
  }

  #load(address, seconds = 0) {
    this.#problem.replaceChildren();
    this.#audio.src = address;
    if (seconds) this.#audio.currentTime = seconds;
  }

  #start() {
    // What failed is asked for again, from where it was.
    if (this.#audio.error) this.#load(api.audio(this.#track.id), this.#audio.currentTime);
    // Browsers refuse to play before the page was touched; the button is there for that.
    this.#audio.play().catch(() => this.#showState());
  }

  #showState() {
    const isPlaying = this.#isPlaying;
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
    const { error, currentTime } = this.#audio;
    const address = this.#audio.getAttribute("src");
    const { id } = this.#track;
    this.#showState();
    const problem = await api.audioProblem(address);
    // Another track was picked meanwhile, or this one is asked for again.
    if (error !== this.#audio.error) return;
    const isBroken = error.code === MediaError.MEDIA_ERR_NETWORK; // It has played before.
    if (problem || isBroken) {
      this.#explain(problem?.kind ?? "offline", problem?.retryAfter);
    } else if (address === api.audio(id)) {
      this.#load(api.playable(id), currentTime);
      this.#start();
    } else {
      this.#explain("format");
    }
  }

  #explain(why, retryAfter) {
    const wait = retryAfter ? `in ${inWords(retryAfter)}` : "in a moment";
    this.#problem.replaceChildren(
      why === "busy" ? `Too much was asked for. Try again ${wait}.` : (WHY[why] ?? WHY.server),
    );
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
