"""Drum patterns by style, and their rendering on soundfont kits or our own."""

from __future__ import annotations

import numpy as np

from training.compose.harmony import Song
from training.synthesis import dsp
from training.synthesis.drums import HITS
from training.synthesis.sampled import kit_files, kit_hit
from training.synthesis.soundfont import FONTS, Note, render

# A sixteenth per character: x hit, o softer, . maybe a ghost, - silence.
PATTERNS: dict[str, tuple[dict[str, str], ...]] = {
    "four_floor": (
        {"kick": "x---x---x---x---", "hihat": "--x---x---x---x-", "clap": "----x-------x---"},
        {"kick": "x---x---x---x---", "open_hihat": "--x---x---x---x-", "hihat": "o-o-o-o-o-o-o-o-",
         "snare": "----x-------x---"},
        {"kick": "x---x---x---x---", "hihat": "xoxoxoxoxoxoxoxo", "clap": "----x-------x--.",
         "rimshot": "---x--x----x--x-"},
        {"kick": "x---x---x---x---", "hihat": "--x---x---x---x-", "shaker": "oooooooooooooooo"},
        {"kick": "x---x---x---x--.", "ride": "--x---x---x---x-", "tom": "---x------x--x--"},
    ),
    "rock": (
        {"kick": "x-------x-x-----", "snare": "----x-------x---", "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x--x--x-x-------", "snare": "----x-------x---", "ride": "x-x-x-x-x-x-x-x-"},
        {"kick": "x-x-----x-x---x-", "snare": "----x-------x---", "open_hihat": "x---x---x---x---"},
        {"kick": "x-----x-x-------", "snare": "----x--.----x---", "tambourine": "--x---x---x---x-",
         "hihat": "x-x-x-x-x-x-x-x-"},
    ),
    "metal": (
        {"kick": "xxxxxxxxxxxxxxxx", "snare": "----x-------x---", "cymbal": "x-------x-------"},
        {"kick": "x-x-x-x-x-x-x-x-", "snare": "--x---x---x---x-", "ride": "x---x---x---x---"},
        {"kick": "x--xx-x-x--xx-x-", "snare": "----x-------x---", "cymbal": "x---x---x---x---"},
    ),
    "punk": ({"kick": "x---x---x---x---",
        "snare": "--x---x---x---x-", "hihat": "x-x-x-x-x-x-x-x-"},),
    "breakbeat": (
        {"kick": "x-x-------xx----", "snare": "----x--.-o--x--.", "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x--x------x-----", "snare": "----x--o-o--x--o", "ride": "x-x-x-x-x-x-x-x-"},
        {"kick": "x-----x---x--x--", "snare": "----x-.-.---x-o-", "hihat": "xoxoxoxoxoxoxoxo"},
    ),
    "drum_and_bass": (
        {"kick": "x---------x-----", "snare": "----x-------x---", "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x-x-------x-----", "snare": "----x--.-.--x---", "hihat": "xoxoxoxoxoxoxoxo",
         "ride": "x---x---x---x---"},
        {"kick": "x--------xx-----", "snare": "----x--o-o--x--o", "shaker": "oooooooooooooooo"},
    ),
    "half_time": (
        {"kick": "x-----x---------", "snare": "--------x-------", "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x--x-----x------", "snare": "--------x-------", "hihat": "x-xxx-x-x-xxxxx-"},
        {"kick": "x---------x--x--", "clap": "--------x-------", "hihat": "x-x-x-xxx-x-xxxx"},
    ),
    "hip_hop": (
        {"kick": "x------x--x-----", "snare": "----x-------x---", "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x-.----x-xx-----", "snare": "----x--.----x---", "hihat": "x-xox-x-x-xox-x-"},
        {"kick": "x-----x---x-----", "rimshot": "----x-------x---", "hihat": "x-x-x-x-x-x-x-x-",
         "shaker": "--o---o---o---o-"},
        {"kick": "xx------x--x----", "snap": "----x-------x---", "hihat": "x---x---x---x---"},
    ),
    "trap": (
        {"kick": "x-----x---x-----", "clap": "--------x-------", "hihat": "xxxxxxx-xxxxxxxx"},
        {"kick": "x------x--x--x--", "snare": "--------x-------", "hihat": "x-x-xxxxx-x-xxxx",
         "open_hihat": "--------------x-"},
    ),
    "funk": (
        {"kick": "x-x---x---x--x--", "snare": "----x--o-o--x--.", "hihat": "xoxoxoxoxoxoxoxo"},
        {"kick": "x--x--x-------x-", "snare": "----x-.-.-.-x---", "hihat": "x-x-x-x-x-x-x-x-",
         "cowbell": "x---x---x---x---"},
    ),
    "swing": (
        {"ride": "x---x-x-x---x-x-", "hihat": "----x-------x---", "kick": "o-------o-------"},
        {"ride": "x---x-x-x---x-x-", "hihat": "----x-------x---", "snare": "--.---.-.---.-o-"},
        {"ride": "x---x-x-x---x-x-", "rimshot": "------------x---", "kick": ".-------o-----.-"},
    ),
    "bossa": (
        {"rimshot": "x--x--x---x--x--", "kick": "o--oo--oo--oo--o", "shaker": "x-x-x-x-x-x-x-x-"},
        {"rimshot": "--x--x--x--x--x-", "kick": "o--oo--oo--oo--o", "hihat": "x-x-x-x-x-x-x-x-"},
    ),
    "latin": (
        {"conga": "--x---xx--x---xx", "cowbell": "x-x-x-x-x-x-x-x-",
         "woodblock": "x--x--x---x-x---"},
        {"conga": "x--x--xxx--x--xx", "shaker": "xoxoxoxoxoxoxoxo", "tom": "------------x-x-"},
    ),
    "reggae": (
        {"kick": "--------x-------", "rimshot": "--------x-------", "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x---x---x---x---", "snare": "--------x-------", "hihat": "--x---x---x---x-"},
    ),
    "march": (
        {"snare": "x--ox-x-x--ox-xx", "kick": "x-------x-------", "cymbal": "--------x-------"},
        {"snare": "x-ooxoooxoooxooo", "kick": "x---x---x---x---"},
    ),
    "country": ({"kick": "x-------x-------",
        "snare": "----x-------x---", "hihat": "--x---x---x---x-"},
                {"kick": "x---x---x---x---", "snare": "o-x-o-x-o-x-o-x-"}),
    "tabla": (
        {"tabla_low": "x-----x-x-------", "tabla_high": "--x-x---o-x-xoxo"},
        {"tabla_low": "x--x----x---x---", "tabla_high": "-x--xoxo-xx--xoo"},
        {"tabla_low": "x-------x--x----", "tabla_high": "x-xox-xox-xoxoxo"},
    ),
    "african": (
        {"conga": "x--xx-x-x--xx-x-", "shaker": "x-ox-ox-ox-ox-ox", "tom": "x-----x---x-----"},
        {"conga": "xoxxoxxoxxoxxoxx", "tom": "x---x-----x-x---", "cowbell": "x-x-xx-x-x-x-xx-"},
        {"tom": "x--x--x-x--x--x-", "woodblock": "x--x--x---x-x---", "shaker": "oooooooooooooooo"},
    ),
    "soft": ({"shaker": "o-o-o-o-o-o-o-o-", "rimshot": "----o-------o---"},
             {"kick": "o-------o-------", "tambourine": "----o-------o---"}),
    "electro": (
        {"kick": "x-----x---x-----", "clap": "----x-------x---", "cowbell": "--x--x--x--x-x--",
         "hihat": "x-x-x-x-x-x-x-x-"},
        {"kick": "x---x-----x-x---", "snare": "----x-------x---", "hihat": "xxxxxxxxxxxxxxxx"},
    ),
    "glitch": (
        {"kick": "x--.--x-..--x---", "snap": "-.x--.---x.-x-.x", "hihat": ".x..x.x.xx..x.x."},
        {"woodblock": "x.-x.-.xx.-.x-x.", "kick": "x----x--.---x---",
         "rimshot": "..x..x.x..x...xx"},
    ),
    "industrial": (
        {"kick": "x-x-x---x-x-x---", "tom": "----x-------x-xx", "cymbal": "x---------------",
         "snare": "----x-------x---"},
        {"kick": "x---x---x---x---", "cowbell": "--x-xx--x-x-x-xx", "snare": "----x-x-----x---"},
    ),
    "cinematic": (
        {"timpani": "x-----x-x-------", "tom": "x---x---x-x-x-xx", "cymbal": "x---------------"},
        {"tom": "x--x--x-x--x--x-", "timpani": "x-------x-------"},
    ),
}  # fmt: skip
STRENGTH = {"x": (95, 120), "o": (55, 80), ".": (35, 60)}
KITS = (0, 0, 8, 16, 24, 25, 32, 40)


def drum_track(song: Song, style: str) -> tuple[dsp.Wave, set[str]]:
    """A clip of drums in that style, and the names of the drums heard in it."""
    rng = song.rng
    pattern = PATTERNS[style][rng.integers(len(PATTERNS[style]))]
    pattern = {
        d: _vary(steps, rng) for d, steps in pattern.items() if d == "kick" or rng.random() < 0.9
    }
    out = np.zeros(dsp.CLIP_SAMPLES, np.float32)
    electronic = style in {"four_floor", "trap", "electro", "glitch", "half_time"}
    on_soundfont = rng.random() < (0.35 if electronic else 0.5)
    on_kit = not on_soundfont and rng.random() < (0.25 if electronic else 0.7)
    midi: list[Note] = []
    for drum, steps in pattern.items():
        own, keys = HITS[drum]
        hits = _hits(song, steps)
        if on_soundfont and keys:
            key = int(rng.choice(keys))
            midi += [Note(t, 0.2, key, v) for t, v in hits]
            continue
        if on_kit and kit_files().get(drum):
            variants = [kit_hit(drum, rng)]
        else:
            variants = [own(rng) for _ in range(1 if electronic else 3)]
        for time, velocity in hits:
            wave = variants[rng.integers(len(variants))]
            dsp.add_at(out, wave, time, 0.6 * (velocity / 127) ** 1.5)
    if midi:
        out += 1.5 * render(midi, str(rng.choice(FONTS)), int(rng.choice(KITS)), drums=True)
    return out, set(pattern)


def _vary(steps: str, rng: np.random.Generator) -> str:
    """A pattern with, at times, a few weak steps added or taken away."""
    if rng.random() < 0.6:
        return steps
    out = list(steps)
    for at in rng.integers(0, 16, int(rng.integers(1, 4))):
        if at % 4:
            out[at] = "-" if out[at] != "-" else str(rng.choice(["o", "."]))
    return "".join(out)


def _hits(song: Song, steps: str) -> list[tuple[float, int]]:
    out = []
    limit = song.beats * 4
    for bar in range(song.bars):
        for index, mark in enumerate(steps[:limit]):
            if mark == "-" or (mark == "." and song.rng.random() < 0.5):
                continue
            if song.rng.random() < 0.03:
                continue
            out.append((song.step(bar, index), int(song.rng.integers(*STRENGTH[mark]))))
    return out
