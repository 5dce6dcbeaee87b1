"""Our own timbres for every instrument: each call draws a new one of the family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.synthesis import tones
from training.synthesis.dsp import Wave
from training.synthesis.tones import Tone, low_passed, pulse, slope, spread, struck

Rng = np.random.Generator
Voice = Callable[[float, float], Wave]


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def bowed(rng: Rng) -> Voice:
    spectrum = tones.formants(tuple(rng.uniform([250, 700, 2_000], [600, 1_600, 4_000])), 0.5, 0.9)
    return Tone(
        spectrum, slope(rng.uniform(0.8, 1.2)), rng.uniform(0.04, 0.25), 1.0, 0.9, 0.2, 0.15,
        vibrato_hz=rng.uniform(4.5, 6.5), vibrato_cents=rng.uniform(4, 28),
        detune_cents=spread(rng, int(rng.integers(1, 3)), 4), breath=rng.uniform(0, 0.04),
        seed=_seed(rng),
    )  # fmt: skip


def ensemble(rng: Rng) -> Voice:
    return Tone(
        low_passed(1.0, rng.uniform(1_200, 4_000)), slope(1.1), rng.uniform(0.08, 0.6), 1.0, 0.95,
        0.4, 0.3, vibrato_cents=10, detune_cents=spread(rng, 5, rng.uniform(5, 14)),
        seed=_seed(rng),
    )  # fmt: skip


def pizzicato(rng: Rng) -> Voice:
    return Tone(slope(2.2), slope(1.2), 0.003, 0.12, 0.0, 0.1, 0.05, click=0.1, seed=_seed(rng))


def brass(rng: Rng) -> Voice:
    return Tone(
        low_passed(1.0, rng.uniform(900, 1_800)), low_passed(0.7, rng.uniform(2_500, 6_000)),
        rng.uniform(0.02, 0.09), 0.6, 0.85, 0.1, 0.08,
        rising=True, vibrato_cents=rng.uniform(0, 10),
        detune_cents=spread(rng, int(rng.integers(1, 4)), 6), seed=_seed(rng),
    )  # fmt: skip


def flute(rng: Rng) -> Voice:
    return Tone(
        slope(rng.uniform(2.2, 3.5)), slope(2), rng.uniform(0.03, 0.1), 0.5, 0.9, 0.1, 0.1,
        vibrato_cents=rng.uniform(5, 30), breath=rng.uniform(0.03, 0.2), seed=_seed(rng),
    )  # fmt: skip


def reed(rng: Rng) -> Voice:
    step = int(rng.integers(1, 3))
    return Tone(
        low_passed(0.9, rng.uniform(1_500, 3_500), step=step), slope(1.0, step),
        rng.uniform(0.02, 0.07), 0.5, 0.9, 0.08, 0.1, vibrato_cents=rng.uniform(0, 25),
        breath=rng.uniform(0, 0.08), seed=_seed(rng),
    )  # fmt: skip


def organ(rng: Rng) -> Voice:
    bars = tones.drawbars(rng.uniform(0.1, 1.0, 6))
    return Tone(bars, bars, 0.01, 1, 1, 0.05, vibrato_hz=6.5, vibrato_cents=rng.uniform(0, 15),
                click=rng.uniform(0, 0.1), seed=_seed(rng))  # fmt: skip


def lead(rng: Rng) -> Voice:
    voices = int(rng.integers(1, 6))
    bright = pulse(rng.uniform(0.1, 0.5)) if rng.random() < 0.4 else slope(1.0)
    cutoff = rng.uniform(1_000, 6_000)
    return Tone(
        low_passed(1.0, cutoff, rng.uniform(0, 0.8)), bright, rng.uniform(0.003, 0.03), 0.4,
        rng.uniform(0.4, 0.9), rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.5),
        vibrato_cents=rng.uniform(0, 15), detune_cents=spread(rng, voices, rng.uniform(5, 20)),
        seed=_seed(rng),
    )  # fmt: skip


def pluck_synth(rng: Rng) -> Voice:
    return Tone(
        low_passed(1.2, rng.uniform(300, 1_200)), low_passed(1.0, rng.uniform(2_000, 8_000), 0.3),
        0.003, rng.uniform(0.08, 0.3), rng.uniform(0, 0.2), 0.15, rng.uniform(0.03, 0.15),
        detune_cents=spread(rng, int(rng.integers(1, 4)), 9), seed=_seed(rng),
    )  # fmt: skip


def pad(rng: Rng) -> Voice:
    return Tone(
        low_passed(1.1, rng.uniform(500, 3_500)), low_passed(1.0, rng.uniform(800, 5_000)),
        rng.uniform(0.3, 1.2), 2, 0.9, rng.uniform(0.5, 1.5), rng.uniform(0.5, 2.0),
        rising=bool(rng.random() < 0.5), vibrato_hz=rng.uniform(0.3, 4),
        vibrato_cents=rng.uniform(0, 12), detune_cents=spread(rng, 5, rng.uniform(5, 16)),
        breath=rng.uniform(0, 0.03), seed=_seed(rng),
    )  # fmt: skip


def synth_bass(rng: Rng) -> Voice:
    resonance = rng.uniform(0, 1.2)
    return Tone(
        low_passed(1.0, rng.uniform(120, 500), resonance),
        low_passed(0.9, rng.uniform(600, 3_000), resonance), 0.004, 0.3, rng.uniform(0.3, 0.9),
        0.05, rng.uniform(0.04, 0.3), detune_cents=spread(rng, int(rng.integers(1, 4)), 8),
        seed=_seed(rng),
    )  # fmt: skip


def sub_bass(rng: Rng) -> Voice:
    return Tone(slope(4), slope(3), 0.01, 0.8, rng.uniform(0.4, 1.0), 0.1, 0.1, seed=_seed(rng))


def chip(rng: Rng) -> Voice:
    width = rng.choice([0.125, 0.25, 0.5])
    shape = pulse(width) if rng.random() < 0.75 else slope(2.0, 2)
    return Tone(shape, shape, 0.001, 0.2, rng.choice([0.2, 0.6, 1.0]), 0.01,
                vibrato_hz=7, vibrato_cents=rng.choice([0, 0, 30]), seed=_seed(rng))  # fmt: skip


def choir(rng: Rng) -> Voice:
    vowels = ((700, 1_150, 2_600), (350, 2_000, 2_800), (450, 850, 2_600), (320, 700, 2_500))
    peaks = tuple(np.array(vowels[rng.integers(4)]) * rng.uniform(0.9, 1.25))
    shape = tones.formants(peaks, 0.12, 0.6)
    return Tone(
        shape, shape, rng.uniform(0.08, 0.4), 2, 0.95, 0.35, vibrato_hz=rng.uniform(4.5, 6),
        vibrato_cents=rng.uniform(15, 45), detune_cents=spread(rng, int(rng.integers(3, 7)), 12),
        breath=rng.uniform(0.01, 0.06), seed=_seed(rng),
    )  # fmt: skip


def singer(rng: Rng) -> Voice:
    peaks = tuple(np.array((650, 1_150, 2_700)) * rng.uniform(0.75, 1.3))
    shape = tones.formants(peaks, 0.11, 0.5)
    return Tone(shape, shape, 0.07, 2, 0.95, 0.15, vibrato_hz=rng.uniform(5, 6.5),
                vibrato_cents=rng.uniform(20, 60), breath=0.03, seed=_seed(rng))  # fmt: skip


def piano(rng: Rng) -> Voice:
    return Tone(
        slope(rng.uniform(1.8, 2.8)), slope(rng.uniform(1.1, 1.7)), 0.002, rng.uniform(0.4, 1.4),
        0.0, 0.2, rng.uniform(0.05, 0.3), detune_cents=spread(rng, 3, 1.2),
        click=rng.uniform(0.01, 0.08), seed=_seed(rng),
    )  # fmt: skip


def harpsichord(rng: Rng) -> Voice:
    return Tone(slope(0.9), slope(0.5), 0.001, 0.5, 0.0, 0.08, 0.2, click=0.15, seed=_seed(rng))


def accordion(rng: Rng) -> Voice:
    shape = low_passed(0.7, rng.uniform(1_500, 4_000))
    return Tone(shape, shape, 0.05, 1, 1, 0.06, detune_cents=(0.0, rng.uniform(8, 18)),
                seed=_seed(rng))  # fmt: skip


def electric_piano(rng: Rng) -> Voice:
    ratio = float(rng.choice([1, 1, 14, 4]))
    return tones.modulated(rng, ratio, rng.uniform(0.3, 1.8), rng.uniform(0.5, 1.5))


def mallet(rng: Rng) -> Voice:
    return struck(rng, np.array([1, 4.0, 9.2]), rng.uniform(0.08, 0.3), rng.uniform(0.6, 1.5))


def vibraphone(rng: Rng) -> Voice:
    return struck(rng, np.array([1, 4.0, 10.0]), rng.uniform(0.7, 1.6), 1.2, 0.05)


def music_box(rng: Rng) -> Voice:
    return struck(rng, np.array([1, 2.76, 5.4, 8.9]), rng.uniform(0.3, 0.9), 0.9, 0.15)


def bell(rng: Rng) -> Voice:
    if rng.random() < 0.3:
        return tones.modulated(rng, rng.choice([1.41, 3.5, 2.76]), rng.uniform(1.5, 6), 1.5)
    base = np.array([0.5, 1, 1.19, 1.5, 2, 2.6, 3.0, 4.1, 5.4])
    return struck(rng, base * rng.uniform(0.99, 1.01, 9), rng.uniform(0.8, 2.5), 0.5)


def bowl(rng: Rng) -> Voice:
    return struck(rng, np.array([1, 2.7, 5.1, 8.0]), rng.uniform(2, 5), rng.uniform(0.6, 1.4), 0.03)


def gong(rng: Rng) -> Voice:
    return struck(rng, np.sort(rng.uniform(1, 9, 14)), rng.uniform(1.5, 3.5), 0.4, 0.1)


def steel_drum(rng: Rng) -> Voice:
    return struck(rng, np.array([1, 2, 3.0, 4.1]), rng.uniform(0.25, 0.5), 0.5, 0.1)
