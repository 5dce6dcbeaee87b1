"""Bowed and blown instruments and voices: sources whose player shapes every moment of a note."""

from dataclasses import dataclass

import numpy as np

from .envelopes import breakpoints, drift, swell, vibrato
from .filters import Response, band_pass, filtered, high_shelf, low_pass, peak
from .noises import white
from .signals import Signal, fade_edges, sample_count
from .wavetables import formant_cycle, harmonic_numbers, morph, phase_of, resonant_saws, table


def bowed(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    velocity: float,
    *,
    attack: float = 0.09,
    vibrato_cents: float = 22.0,
) -> Signal:
    """A bowed string before its body: a saw that brightens with the bow, vibrato, rosin hiss."""
    release = min(0.16, 0.4 * seconds)
    length = sample_count(seconds + release, sample_rate)
    bow = swell(length, sample_rate, min(attack, 0.5 * seconds), release, 0.86)
    ratio = vibrato(
        rng, length, sample_rate, hertz=5.6, cents=vibrato_cents, onset=0.18, wander_cents=4.0
    )
    phase = phase_of(frequency * ratio, length, sample_rate, rng.uniform())
    cutoffs = frequency * 2 + np.array([300.0, 1500.0, 3800.0]) * (0.5 + velocity)
    cycles = resonant_saws(frequency, sample_rate, cutoffs)
    pressure = bow * (0.75 + 0.25 * drift(rng, length, sample_rate, 5.0, (-1.0, 1.0)))
    tone = morph(cycles, phase, pressure * (0.45 + 0.5 * velocity))
    hiss = filtered(white(rng, length), sample_rate, band_pass(2600.0, 0.8))
    return (tone + hiss * np.float32(0.035)) * bow * np.float32(0.4 * (0.3 + 0.7 * velocity))


VIOLIN_BODY: tuple[Response, ...] = (
    peak(285.0, 7.0, 2.2),
    peak(460.0, 6.0, 2.6),
    peak(560.0, 6.0, 2.0),
    peak(1150.0, 2.5, 1.5),
    peak(2500.0, 1.6, 2.0),
    low_pass(7000.0),
)
CELLO_BODY: tuple[Response, ...] = (
    peak(102.0, 6.0, 2.2),
    peak(185.0, 6.0, 2.4),
    peak(380.0, 4.0, 1.6),
    peak(1100.0, 2.0, 1.6),
    low_pass(3400.0),
)
GUITAR_BODY: tuple[Response, ...] = (
    peak(104.0, 7.0, 2.6),
    peak(205.0, 7.0, 2.4),
    peak(400.0, 5.0, 1.5),
    peak(2400.0, 1.2, 1.3),
    low_pass(7500.0),
)
BRASS_BELL: tuple[Response, ...] = (peak(1250.0, 1.5, 1.7), high_shelf(2500.0, 1.5))
HORN_BELL: tuple[Response, ...] = (peak(480.0, 2.0, 1.9), low_pass(2600.0))


def brass(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    velocity: float,
    *,
    brightness: float = 1.0,
) -> Signal:
    """A lip-driven note whose upper harmonics follow its loudness; the pitch scoops into place."""
    release = min(0.12, 0.5 * seconds)
    length = sample_count(seconds + release, sample_rate)
    points = [
        (0.0, 0.0),
        (0.035, 0.85),
        (0.07, 1.0),
        (0.2, 0.8),
        (max(0.21, seconds), 0.78),
        (max(0.21, seconds) + release, 0.0),
    ]
    loudness = breakpoints(points, length, sample_rate)
    ratio = vibrato(rng, length, sample_rate, hertz=5.2, cents=7.0, onset=0.45, wander_cents=3.0)
    ratio = ratio * np.exp2(breakpoints([(0.0, -70.0), (0.06, 0.0)], length, sample_rate) / 1200)
    phase = phase_of(frequency * ratio, length, sample_rate, rng.uniform())
    numbers = harmonic_numbers(frequency, sample_rate, 11_000.0)
    hertz = numbers * frequency
    corners = (350 + frequency) * np.array([0.6, 1.2, 2.4, 4.6]) * (0.45 + 0.55 * brightness)
    # Flat up to a corner, then steep: the measured spectrum of a lip reed as it gets louder.
    shapes = [table(1.0 / (1.0 + (hertz / c) ** 3) / np.sqrt(numbers) * 0.5) for c in corners]
    tone = morph(np.stack(shapes), phase, loudness * (0.15 + 0.85 * velocity))
    flutter = drift(rng, length, sample_rate, 14.0, (0.9, 1.0))
    return fade_edges(tone * loudness * flutter * np.float32(0.4 * velocity), sample_rate, 0, 0.01)


@dataclass(frozen=True)
class Vowel:
    """Formant peaks ``(hertz, bandwidth, gain)`` of a sung vowel (male values)."""

    formants: tuple[tuple[float, float, float], ...]


AH = Vowel(
    ((660, 110, 1.0), (1080, 120, 0.6), (2450, 180, 0.22), (3000, 220, 0.2), (3500, 260, 0.1))
)
OH = Vowel(
    ((430, 100, 1.0), (780, 110, 0.45), (2450, 180, 0.1), (2950, 220, 0.1), (3400, 260, 0.05))
)
OO = Vowel(
    ((330, 90, 1.0), (640, 110, 0.3), (2400, 180, 0.05), (2900, 220, 0.05), (3400, 260, 0.02))
)
EH = Vowel(
    ((520, 100, 1.0), (1620, 140, 0.45), (2500, 180, 0.22), (3100, 220, 0.2), (3600, 260, 0.1))
)


def sung(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    vowels: tuple[Vowel, Vowel],
    *,
    female: bool,
    attack: float = 0.2,
) -> Signal:
    """One singer gliding from the first vowel to the second, with their own vibrato and drift."""
    release = 0.3
    length = sample_count(seconds + release, sample_rate)
    breath = swell(length, sample_rate, attack, release, 0.9)
    ratio = vibrato(
        rng, length, sample_rate, hertz=5.1, cents=rng.uniform(14, 30), onset=0.3, wander_cents=14
    )
    ratio = ratio * np.exp2(breakpoints([(0.0, -60.0), (0.14, 0.0)], length, sample_rate) / 1200)
    scale = 1.17 if female else 1.0
    scale *= rng.uniform(0.96, 1.04)
    cycles = np.stack(
        [
            formant_cycle(
                frequency, sample_rate, np.array(v.formants) * [scale, 1.0, 1.0], tilt=0.6
            )
            for v in vowels
        ]
    )
    cycles /= np.float32(np.std(cycles, axis=1, keepdims=True))
    glide = drift(rng, length, sample_rate, 0.8, (0.0, 0.3)) + breakpoints(
        [(0.2 * seconds, 0.0), (0.8 * seconds, 0.7)], length, sample_rate
    )
    tone = morph(cycles, phase_of(frequency * ratio, length, sample_rate, rng.uniform()), glide)
    shimmer = drift(rng, length, sample_rate, 9.0, (0.8, 1.0))
    air = filtered(white(rng, length), sample_rate, band_pass(1900.0 * scale, 0.9))
    return (tone * shimmer + air * np.float32(0.05)) * breath * np.float32(0.1)
