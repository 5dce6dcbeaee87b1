"""Recorded sounds of free collections: noises of the soundfonts, hits of Hydrogen's drum kits.

A General Standard bank keeps noises beside the instruments: (bank, program) pairs 120 to 127.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

from training.synthesis import dsp
from training.synthesis.dsp import RATE, Wave, normalise, samples
from training.synthesis.soundfont import FONTS, Note, render

Rng = np.random.Generator
KITS = Path("/usr/share/hydrogen/data/drumkits")
_UNNAMED = ("Audiophob", "rumpf_kit_z01_h2")  # file names that do not tell what they are
_NOISE_FONTS = ("FluidR3_GS.sf2", "sf_GMbank.sf2")

NOISES: dict[str, tuple[tuple[tuple[int, int], ...], tuple[str, ...]]] = {
    # name: (bank, program) pairs, tags
    "sampled_telephone": (((0, 124), (1, 124)), ("telephone", "electronic_sound")),
    "sampled_scratch": (((4, 124),), ("scratch", "sound_effect")),
    "sampled_creak": (((2, 124),), ("creak", "everyday")),
    "sampled_door": (((3, 124),), ("door", "impact", "everyday")),
    "wind_chimes": (((5, 124), (0, 112)), ("bells", "high_pitched", "sample")),
    "church_bell": (((8, 14), (0, 14)), ("struck_bell", "sample")),
    "sampled_dog": (((1, 123),), ("dog", "nature")),
    "sampled_birds": (((0, 123), (3, 123)), ("birds", "nature")),
    "sampled_rain": (((1, 122),), ("rain", "nature")),
    "sampled_thunder": (((2, 122),), ("thunder", "nature")),
    "sampled_wind": (((3, 122),), ("wind", "nature")),
    "sampled_stream": (((4, 122),), ("stream", "nature")),
    "sampled_ocean": (((0, 122),), ("ocean", "nature")),
    "sampled_bubble": (((5, 122),), ("dripping", "nature")),
    "sampled_engine": (((1, 125),), ("engine", "mechanical")),
    "car_passing": (((3, 125),), ("engine", "whoosh", "mechanical")),
    "jet": (((7, 125),), ("engine", "whoosh", "mechanical", "loud")),
    "car_crash": (((4, 125),), ("impact", "glass", "everyday", "loud")),
    "siren": (((5, 125),), ("alarm", "electronic_sound")),
    "sampled_train": (((6, 125),), ("train", "mechanical")),
    "sampled_helicopter": (((0, 125),), ("helicopter", "mechanical")),
    "star_ship": (((8, 125),), ("sound_effect", "space_scene", "futuristic", "falling")),
    "laughter": (((1, 126),), ("laughter", "voice", "sample")),
    "scream": (((2, 126),), ("scream", "voice", "sample", "horror_film")),
    "punch": (((3, 126),), ("impact", "short", "sample")),
    "sampled_heartbeat": (((4, 126),), ("heartbeat", "everyday")),
    "sampled_footsteps": (((5, 126),), ("footsteps", "everyday")),
    "sampled_applause": (((0, 126),), ("applause", "everyday")),
    "gunshot": (((0, 127), (1, 127)), ("gunshot", "explosion", "impact", "short")),
    "sampled_laser": (((2, 127),), ("laser", "electronic_sound")),
    "sampled_explosion": (((3, 127),), ("explosion", "impact")),
    "fret_noise": (((0, 120), (1, 120), (2, 120)), ("guitar", "short", "sample")),
    "sampled_breath": (((0, 121),), ("breath", "everyday")),
    "sampled_reverse": (((0, 119),), ("reversed_swell", "sound_effect")),
    "taiko": (((0, 116), (8, 116)), ("taiko", "percussion", "one_shot", "deep")),
    "melodic_tom": (((0, 117), (8, 117)), ("tom", "percussion", "one_shot")),
    "synth_drum": (((0, 118), (8, 118)), ("tom", "drum_machine", "one_shot", "electronic")),
}
_GUITAR = ("electric_guitar", "guitar")
SAMPLED_NOTES: dict[str, tuple[tuple[tuple[int, int], ...], int, int, tuple[str, ...]]] = {
    # name: (bank, program) pairs, lowest and highest note, tags; all in any of the FONTS
    "guitar_harmonics": (((0, 31), (0, 27)), 52, 88, _GUITAR),
    "muted_guitar": (((0, 28),), 40, 76, _GUITAR),
    "overdriven_guitar": (((0, 29),), 40, 76, (*_GUITAR, "distorted_guitar")),
    "agogo": (((0, 113),), 60, 84, ("cowbell", "percussion")),
    "tinkle": (((0, 112),), 60, 96, ("bells", "high_pitched")),
    "crystal": (((0, 98),), 48, 90, ("bells", "synthesizer", "synth_pluck")),
    "orchestra_hit": (((0, 55),), 40, 72, ("orchestra_hit", "orchestral", "short", "loud")),
    "bottle": (((0, 76),), 48, 80, ("flute", "woodwind", "breath")),
    "sea_synth": (((0, 96), (0, 99), (0, 101), (0, 102), (0, 103)), 40, 84,
                  ("synthesizer", "synth_pad", "sustained", "space_scene")),
    "ukulele": (((0, 24), (0, 105)), 55, 84, ("banjo", "strings_plucked")),
}  # fmt: skip
DRUM_KEYS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    # further General Standard percussion: keys, tags
    "scratch_key": ((29, 30), ("scratch", "sound_effect", "short")),
    "high_q": ((27,), ("laser", "blip", "electronic_sound", "short")),
    "stick": ((31, 32, 33), ("woodblock", "one_shot", "percussion", "short")),
    "metronome_bell": ((34,), ("struck_bell", "short", "high_pitched")),
    "vibraslap": ((58,), ("percussion", "one_shot")),
    "whistle_key": ((71, 72), ("whistling", "short")),
    "guiro": ((73, 74), ("guiro", "percussion", "one_shot")),
    "cuica": ((78, 79), ("cuica", "percussion", "one_shot")),
    "triangle": ((80, 81), ("triangle", "bells", "percussion", "one_shot", "high_pitched")),
    "jingle": ((83, 84), ("bells", "tambourine", "high_pitched")),
    "castanets": ((85,), ("woodblock", "percussion", "one_shot")),
    "surdo": ((86, 87), ("tom", "hand_drums", "percussion", "one_shot")),
}

_FILE_NAMES: dict[str, str] = {
    # a hit's name: pattern of its files, the kit's name in front
    "kick": r"(bassdrum|kick|/bd|powr_bd|hse_k)",
    "rimshot": r"(rim(click|shot)?[-_\d]|rimshot|sidestick|stick[-_]|/rs_|ee_click|vp click)",
    "snare": r"(snare(?!.*rim)|/sn\d*_|/sd_|/sr_|powr_sn)",
    "clap": r"(clap)",
    "snap": r"(fingersnap)",
    "open_hihat": r"(hat.?open|openhat|hihatopen|semiopen|ohh|hat_op|hat.*op\.|hhopen|/ho_)",
    "hihat": r"(hat.?cl|closehihat|hatclosed|chh|hhclosed|/hh_|hat.?foot|hhpedal|pedalhihat"
    r"|powr_hh|hat_(low|ring)|hat.*(cl|pd)\.|/hh[23]?_|hatchoke)",
    "cymbal": r"(crash|china|splash|/cra_|/cc_)",
    "ride": r"(ride(?!.*bell)|/rc_|/rd2?_)",
    "ride_bell": r"(ride.*(bell|cup)|paistebell)",
    "tom": r"(tom|/t[12]_|/ft_|/tm2?_|head hit)",
    "cowbell": r"(cowbell|agogo|/cb2?_|mc_cb|bell hit)",
    "woodblock": r"(woodblock|clave)",
    "shaker": r"(maraca)",
    "tambourine": r"(tambourine)",
    "conga": r"(bongo|conga|djembe|cajon)",
    "water_glass": r"(waterglass)",
}
HIT_TAGS: dict[str, tuple[str, ...]] = {
    "ride_bell": ("ride", "cymbal", "bells", "one_shot", "percussion"),
    "water_glass": ("glass", "bells", "high_pitched", "short"),
    "conga": ("conga", "hand_drums", "one_shot", "percussion", "short"),
}


def noise_sound(name: str, rng: Rng) -> Wave:
    """A recorded noise at a random speed, its length random too; empty if none was found."""
    pairs, _ = NOISES[name]
    wave = np.zeros(0, np.float32)
    for _ in range(6):
        bank, program = pairs[rng.integers(len(pairs))]
        fonts = _NOISE_FONTS if bank else FONTS
        seconds = rng.uniform(0.4, 6)
        notes = [Note(0.0, seconds, int(rng.integers(48, 76)), int(rng.integers(70, 127)))]
        font = str(rng.choice(fonts))
        wave = _sounding(render(notes, font, program, bank=bank)[: samples(seconds + 0.6)])
        if len(wave):
            break
    return normalise(wave)


def sampled_note(name: str, rng: Rng) -> tuple[Wave, float]:
    """A note of an instrument that the pieces do not use, and its length in seconds."""
    pairs, low, high, _ = SAMPLED_NOTES[name]
    bank, program = pairs[rng.integers(len(pairs))]
    seconds = rng.uniform(0.2, 4)
    notes = [Note(0.0, seconds, int(rng.integers(low, high)), int(rng.integers(60, 127)))]
    wave = render(notes, str(rng.choice(FONTS)), program, bank=bank)
    return normalise(_sounding(wave[: samples(seconds + 0.5)])), seconds


def key_hit(name: str, rng: Rng) -> Wave:
    """One of the further percussion keys, at times several times in a row."""
    key = int(rng.choice(DRUM_KEYS[name][0]))
    count = 1 if rng.random() < 0.6 else int(rng.integers(2, 6))
    gap = rng.uniform(0.1, 0.4)
    notes = [Note(k * gap, 0.6, key, int(rng.integers(70, 125))) for k in range(count)]
    wave = render(notes, str(rng.choice(FONTS)), 0, drums=True)
    return normalise(_sounding(wave[: samples(count * gap + 2)]))


@lru_cache(maxsize=1)
def kit_files() -> dict[str, list[Path]]:
    """Files of every kind of hit."""
    found: dict[str, list[Path]] = {name: [] for name in _FILE_NAMES}
    for path in sorted(KITS.glob("*/*")):
        if path.suffix not in {".wav", ".flac", ".aiff"} or path.parent.name in _UNNAMED:
            continue
        for name, pattern in _FILE_NAMES.items():
            if re.search(pattern, f"/{path.name}".lower()):
                found[name].append(path)
                break
    return found


@lru_cache(maxsize=512)
def _read(path: Path) -> Wave:
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=400_000)
    mono = signal.resample_poly(wave.mean(1), RATE, rate).astype(np.float32)
    return normalise(_sounding(mono[: samples(3)]))


def kit_hit(name: str, rng: Rng) -> Wave:
    """A recorded hit at a random speed."""
    files = kit_files()[name]
    wave = _read(files[rng.integers(len(files))])
    return dsp.pitch_shift(wave, rng.uniform(0.8, 1.25))


def _sounding(wave: Wave) -> Wave:
    """Without the silence before and after; empty when all is silent."""
    loud = np.flatnonzero(np.abs(wave) > 0.003)
    return wave[loud[0] : loud[-1] + 1].copy() if len(loud) > 200 else np.zeros(0, np.float32)
