"""Plucked strings as the modes of a Karplus-Strong loop.

The loop (a delay line with a loss filter) rings at the harmonics of its pitch, each decaying by the
filter's gain once per period. Summing those modes directly gives the same string, exactly in tune,
without running the loop sample by sample.
"""

from dataclasses import dataclass

import numpy as np

from .envelopes import pluck_envelope
from .filters import band_pass, filtered
from .noises import white
from .partials import damped_partials
from .signals import Signal, fade_edges, sample_count


@dataclass(frozen=True)
class String:
    """What a string is made of and where it is plucked.

    ``sustain``: decay time in seconds of the fundamental at 110 Hz. ``damping``: how much faster
    treble dies. ``position``: plucking point as a fraction of the length. ``softness``: frequency
    in hertz where the plectrum or fingertip stops exciting. ``stiffness``: inharmonicity.
    ``noise``: level of the finger or pick.
    """

    sustain: float
    damping: float
    position: float
    softness: float
    stiffness: float = 5e-5
    noise: float = 0.05


STEEL_GUITAR = String(7.0, 0.5, 0.17, 3600.0, 6e-5, 0.07)
NYLON_GUITAR = String(4.5, 1.1, 0.24, 1500.0, 2e-5, 0.05)
MUTED_ELECTRIC = String(0.5, 0.5, 0.13, 3000.0, 4e-5, 0.12)
ELECTRIC_GUITAR = String(6.0, 0.7, 0.1, 3500.0, 4e-5, 0.04)
DOUBLE_BASS = String(2.6, 2.2, 0.3, 520.0, 3e-5, 0.1)
ELECTRIC_BASS = String(3.2, 2.4, 0.35, 330.0, 2e-5, 0.03)
PIZZICATO = String(0.75, 1.0, 0.3, 1500.0, 3e-5, 0.08)


def pluck(
    rng: np.random.Generator,
    sample_rate: int,
    string: String,
    *,
    frequency: float,
    seconds: float,
    velocity: float,
) -> Signal:
    """One plucked note; the finger stops it after ``seconds``."""
    length = sample_count(seconds + 0.08, sample_rate)
    numbers = np.arange(1, int(np.clip(8000 / frequency, 2, 48)) + 1)
    modes = numbers * frequency * np.sqrt(1 + string.stiffness * numbers**2)
    softness = string.softness * (0.55 + 0.75 * velocity) + 0.5 * frequency
    levels = np.abs(np.sin(np.pi * numbers * string.position * rng.uniform(0.92, 1.08))) + 0.02
    levels *= np.exp(-modes / softness) / np.sqrt(numbers) * rng.uniform(0.75, 1.25, numbers.size)
    decays = string.sustain * (110 / frequency) ** 0.5
    per_mode = decays / (1 + string.damping * modes / 1000)
    # Two polarisations of the string: one couples to the bridge and dies sooner.
    split = modes * (1 + 3e-4 * rng.standard_normal(numbers.size))
    note = damped_partials(
        np.concatenate([modes, split]),
        np.concatenate([levels, 0.4 * levels]),
        np.concatenate([per_mode * 0.6, per_mode * 1.2]),
        length,
        sample_rate,
        phases=rng.uniform(0, 2 * np.pi, 2 * numbers.size),
    )
    note *= np.float32(0.4 / np.sqrt(np.sum(levels**2)))
    click_length = min(length, sample_count(0.03, sample_rate))
    click = white(rng, click_length) * pluck_envelope(click_length, sample_rate, 0.02, 0.001)
    note[:click_length] += filtered(click, sample_rate, band_pass(1800, 0.6)) * np.float32(
        string.noise
    )
    return fade_edges(note * np.float32(velocity), sample_rate, 0.0015, 0.07)


def slide_noise(rng: np.random.Generator, sample_rate: int, seconds: float) -> Signal:
    """Fingertips moving along wound strings between chords."""
    length = sample_count(seconds, sample_rate)
    hiss = filtered(white(rng, length), sample_rate, band_pass(rng.uniform(1400, 2400), 3.0))
    return fade_edges(hiss * np.float32(0.1), sample_rate, seconds * 0.4, seconds * 0.5)
