"""Pieces of music: a genre's recipe rendered to ten seconds with the tags that hold for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.compose.further_genres import FURTHER_GENRES
from training.compose.genres import GENRES, Genre
from training.compose.harmony import PROGRESSIONS, SCALES, Song
from training.compose.instruments import INSTRUMENTS, play
from training.compose.rhythms import drum_track
from training.compose.roles import ROLES
from training.synthesis import dsp, everyday, nature, speech
from training.synthesis.dsp import Wave, normalise

Rng = np.random.Generator
ALL_GENRES = {**GENRES, **FURTHER_GENRES}
_HAPPY_SCALES, _SAD_SCALES = {"major", "lydian", "mixolydian"}, {"minor", "phrygian", "harmonic"}


def piece(name: str, rng: Rng) -> tuple[Wave, set[str]]:
    """A clip of the genre `name` and its tags."""
    genre = ALL_GENRES[name]
    song, scale = _song(genre, rng)
    tags = {*genre.tags, "music", *_tempo_tags(genre, song), *_mode_tags(genre, scale, song)}
    mix = np.zeros(dsp.CLIP_SAMPLES, np.float32)
    heard: set[str] = set()
    for index, part in enumerate(genre.parts):
        if index and rng.random() > part.chance:
            continue
        instrument = str(rng.choice(part.instruments))
        octave = part.octave + int(rng.choice([0, 0, 0, -1, 1]) if part.role != "held" else 0)
        notes = ROLES[part.role](song, octave)
        wave = normalise(play(instrument, notes, rng))
        if rng.random() < 0.3:
            wave = dsp.random_equaliser(wave, rng)
        if index and rng.random() < 0.2:
            wave = _come_and_go(wave, rng)
        mix += part.gain * wave * rng.uniform(0.6, 1.3)
        if part.gain >= 0.4:
            heard.update(INSTRUMENTS[instrument].tags)
    if genre.drums and rng.random() < genre.drum_chance:
        drums, hits = drum_track(song, str(rng.choice(genre.drums)))
        mix += genre.drum_gain * normalise(drums) * rng.uniform(0.7, 1.3)
        if genre.drum_gain > 0.4:
            tags |= {"drums", "beat"} if "tabla_low" not in hits else {"tabla", "beat"}
            tags |= {"hand_drums"} if "conga" in hits else set()
    else:
        tags.add("beatless_music")
    for effect in genre.effects:
        mix, extra = EFFECTS[effect](normalise(mix), rng)
        tags |= extra
    wet = rng.uniform(*genre.reverb)
    if wet > 0.05:
        mix = dsp.reverb(normalise(mix), rng, rng.uniform(0.6, 4.0), wet)
    if wet > 0.45:
        tags.add("reverberant")
    return normalise(_roll(mix, song, rng)), tags | heard


def _song(genre: Genre, rng: Rng) -> tuple[Song, str]:
    scale = str(rng.choice(genre.scales))
    options = PROGRESSIONS[genre.progression]
    song = Song(
        rng,
        bpm=float(rng.uniform(*genre.bpm)),
        root=int(rng.integers(53, 65)),
        scale=SCALES[scale],
        chords=options[rng.integers(len(options))],
        beats=int(rng.choice(genre.beats)),
        swing=genre.swing * rng.uniform(0.6, 1.1),
        sevenths=genre.sevenths and rng.random() < 0.8,
    )
    return song, scale


def _roll(wave: Wave, song: Song, rng: Rng) -> Wave:
    """Start the clip on a random beat, as a window of a track would."""
    shift = dsp.samples(song.beat * int(rng.integers(0, song.beats)) + rng.uniform(0, song.beat))
    return np.roll(wave, -shift) if rng.random() < 0.5 else wave


def _come_and_go(wave: Wave, rng: Rng) -> Wave:
    """Fade a part in or out on the way, as arrangements do."""
    points = rng.permutation([0.0, 0.0, 1.0, 1.0, 1.0])
    return wave * np.interp(np.linspace(0, 4, len(wave)), np.arange(5), points).astype(np.float32)


def _tempo_tags(genre: Genre, song: Song) -> set[str]:
    if not genre.drums:
        return {"slow"} if song.bpm < 72 else {"fast"} if song.bpm > 140 else set()
    return {"slow"} if song.bpm < 84 else {"fast"} if song.bpm > 138 else {"mid_tempo"}


_OPEN = {"solo_piano", "folk", "acoustic", "classical", "pop", "celtic", "country", "synth_pop",
         "chiptune", "circus", "happy_melody"}  # fmt: skip


def _mode_tags(genre: Genre, scale: str, song: Song) -> set[str]:
    """Sad minor and cheerful major, where the genre leaves it open; calm where it is slow."""
    tags = {"major_key"} if scale in _HAPPY_SCALES else set()
    if scale in _HAPPY_SCALES and song.bpm > 108 and _OPEN & set(genre.tags):
        return tags | {"happy"}
    if song.bpm < 76 and "solo_piano" in genre.tags:
        tags |= {"calm"}
    if scale in _SAD_SCALES:
        tags = {"minor_key"}
    calm = {"solo_piano", "folk", "acoustic", "string_quartet", "classical", "ambient", "strings"}
    if calm & set(genre.tags):
        tags |= {"sad"} if scale in _SAD_SCALES else {"warm"} if scale in _HAPPY_SCALES else set()
    return tags


def _vinyl(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    if rng.random() < 0.3:
        return wave, set()
    return wave + rng.uniform(0.03, 0.15) * everyday.crackle(rng), {"vinyl_noise"}


def _tape(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    time = dsp.timeline(10)
    wow = rng.uniform(0, 60) * np.sin(2 * np.pi * rng.uniform(0.3, 1.2) * time)
    position = np.arange(len(wave)) + wow
    return np.interp(position, np.arange(len(wave)), wave).astype(np.float32), set()


def _muffle(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    return dsp.biquad(wave, "lowpass", rng.uniform(1_800, 6_000), 1), set()


def _darken(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    return dsp.biquad(wave, "lowpass", rng.uniform(400, 3_000), 1), set()


def _soften(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    return dsp.biquad(wave, "lowpass", rng.uniform(1_500, 8_000), 1), {"soft"}


def _rumble(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    low = dsp.biquad(dsp.coloured_noise(rng, len(wave), 2), "lowpass", rng.uniform(100, 600))
    return wave + rng.uniform(0, 0.8) * low, set()


def _slow_filter(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    low, high, rate = rng.uniform(200, 800), rng.uniform(2_000, 9_000), rng.uniform(0.05, 0.4)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        cutoff = low * (high / low) ** (0.5 + 0.5 * np.sin(2 * np.pi * rate * t))
        return 1 / np.sqrt(1 + (hz / cutoff) ** 4)

    return (dsp.spectral_gain(wave, gain), set()) if rng.random() < 0.6 else (wave, set())


def _wobble(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    rate = rng.choice([2.33, 4.67, 3.5, 7.0])

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        cutoff = 200 * 25 ** (0.5 + 0.5 * np.sin(2 * np.pi * rate * t))
        return 1 / np.sqrt(1 + (hz / cutoff) ** 6)

    return 0.8 * dsp.spectral_gain(dsp.drive(wave, 4), gain) + 0.4 * wave, {"wobble_bass"}


def _wobble_mild(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    wet, _ = _wobble(wave, rng)
    return 0.5 * wave + 0.5 * wet, set()


def _drive(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    amount = rng.uniform(1.5, 8)
    return dsp.drive(wave, amount), {"distorted"} if amount > 3.5 else set()


def _pump(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    return dsp.compress(wave, rng.uniform(0.4, 0.7)), set()


def _chop(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    """Repeat short slices (stutter edits)."""
    out = wave.copy()
    for _ in range(int(rng.integers(3, 12))):
        size = dsp.samples(rng.choice([0.03, 0.06, 0.11, 0.17]))
        at, repeats = int(rng.integers(0, len(wave) - 8 * size)), int(rng.integers(2, 7))
        out[at : at + repeats * size] = np.tile(wave[at : at + size], repeats)
    return out, set()


def _crush(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    if rng.random() < 0.6:
        return wave, set()
    return dsp.crush(wave, int(rng.integers(4, 9)), int(rng.integers(1, 4))), set()


def _echo(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    return dsp.echo(wave, rng.uniform(0.25, 0.6), rng.uniform(0.4, 0.65), 6), {"echo"}


def _machine(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    machine = np.resize(everyday.machine(rng), len(wave))
    return wave + np.float32(rng.uniform(0, 0.5)) * machine, set()


def _rap(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    """Speech over the beat, in phrases."""
    if rng.random() < 0.55:
        return wave, set()
    out, time = wave.copy(), rng.uniform(0, 0.6)
    while time < 9:
        line = speech.speak(rng)
        dsp.add_at(out, dsp.compress(line, 0.6), time, rng.uniform(0.4, 1.1))
        time += len(line) / dsp.RATE + rng.uniform(0, 0.5)
    return out, {"speech", "voice", "rap"}


def _water(wave: Wave, rng: Rng) -> tuple[Wave, set[str]]:
    if rng.random() > 0.15:
        return wave, set()
    return wave + 0.25 * nature.stream(rng), {"stream"}


EFFECTS: dict[str, Callable[[Wave, Rng], tuple[Wave, set[str]]]] = {
    "vinyl": _vinyl, "tape": _tape, "muffle": _muffle, "darken": _darken, "soften": _soften,
    "rumble": _rumble, "slow_filter": _slow_filter, "wobble": _wobble, "drive": _drive,
    "pump": _pump, "chop": _chop, "crush": _crush, "echo": _echo, "machine": _machine,
    "water": _water, "rap": _rap, "wobble_mild": _wobble_mild,
}  # fmt: skip
