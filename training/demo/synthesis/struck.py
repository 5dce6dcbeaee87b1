"""Struck strings, tines, bars and bowls: piano, electric piano, bells, singing bowls, timpani."""

from collections.abc import Sequence

import numpy as np

from .envelopes import breakpoints, pluck_envelope
from .filters import filtered, low_pass
from .noises import white
from .partials import damped_partials
from .signals import Signal, fade_edges, sample_count, time_axis
from .wavetables import phase_of


def piano(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    *,
    velocity: float,
    release: float = 0.25,
) -> Signal:
    """A struck steel string: stretched partials, fast then slow decay, hammer noise.

    ``velocity`` 0..1 sets loudness and the hammer's brightness; the damper falls after
    ``seconds``. Inharmonicity follows the usual fit over the keyboard (Rigaud, David, Daudet 2013).
    """
    length = sample_count(seconds + release, sample_rate)
    key = 69 + 12 * np.log2(frequency / 440.0)
    stiffness = np.exp(0.0926 * key - 13.64) + np.exp(-0.0847 * key - 5.82)
    numbers = np.arange(1, int(np.clip(9000 / frequency, 3, 36)) + 1)
    partials = numbers * frequency * np.sqrt((1 + stiffness * numbers**2) / (1 + stiffness))
    hammer = 500.0 + 2600.0 * velocity**1.5
    amplitudes = np.abs(np.sin(numbers * np.pi * 0.12)) + 0.08
    amplitudes *= np.exp(-partials / (hammer + 0.9 * frequency)) / numbers**0.4
    amplitudes *= rng.uniform(0.7, 1.3, numbers.size)
    longest = 11.0 * (130.0 / frequency) ** 0.45
    decays = longest / (1.0 + (partials / 2500.0) ** 1.3 + 0.12 * numbers)
    detune = 1.0 + rng.normal(0.0, 2.2e-4, numbers.size)
    note = damped_partials(
        np.concatenate([partials, partials * detune]),
        np.concatenate([amplitudes, 0.35 * amplitudes]),
        np.concatenate([decays * 0.42, decays * 1.1]),
        length,
        sample_rate,
        phases=rng.uniform(0, 2 * np.pi, 2 * numbers.size),
    )
    note *= breakpoints([(0, 0), (0.002 + 0.004 * (1 - velocity), 1)], length, sample_rate)
    knock = damped_partials([92, 171, 260, 410], [1, 0.8, 0.6, 0.4], 0.09, length, sample_rate)
    loudness = np.float32(0.35 * velocity**1.2 / np.sqrt(np.sum(amplitudes**2)))
    note = (note + knock * np.float32(0.14)) * loudness
    return fade_edges(note, sample_rate, 0.001, release)


def electric_piano(
    rng: np.random.Generator, sample_rate: int, frequency: float, seconds: float, velocity: float
) -> Signal:
    """A tine piano by frequency modulation: bell-like attack that mellows into a sine."""
    length = sample_count(seconds + 0.3, sample_rate)
    times = time_axis(length, sample_rate)
    carrier = phase_of(frequency * rng.uniform(0.9995, 1.0005), length, sample_rate)
    growl = 0.25 + 0.9 * velocity * np.exp(-times * 4.0)
    tine = 0.28 * velocity * np.exp(-times * 14.0) * np.sin(2 * np.pi * carrier * 14.0)
    tone = np.sin(2 * np.pi * carrier + growl * np.sin(2 * np.pi * carrier) + tine)
    envelope = pluck_envelope(length, sample_rate, 5.5 * (220 / frequency) ** 0.3, 0.004, 0.25)
    return (tone * envelope * (0.3 * velocity)).astype(np.float32)


def bell(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    *,
    ratios: Sequence[float],
    brightness: float = 0.6,
    beating: float = 1.2,
) -> Signal:
    """Inharmonic modes in slowly beating pairs; ``beating`` is their mean difference in hertz."""
    length = sample_count(seconds, sample_rate)
    modes = frequency * np.asarray(ratios, np.float64)
    levels = brightness ** np.arange(modes.size) * rng.uniform(0.75, 1.25, modes.size)
    decays = seconds * 1.15 / (1.0 + 0.55 * np.arange(modes.size))
    split = rng.uniform(0.3, 1.0, modes.size) * beating
    tone = damped_partials(
        np.concatenate([modes, modes + split]),
        np.concatenate([levels, 0.7 * levels]),
        np.concatenate([decays, decays]),
        length,
        sample_rate,
        phases=rng.uniform(0, 2 * np.pi, 2 * modes.size),
    )
    tone *= np.float32(0.5 / np.sum(levels))
    return fade_edges(tone, sample_rate, 0.004, 0.3)


BOWL_RATIOS = (1.0, 2.71, 5.15, 8.26, 11.9)
"""Rim modes of a Himalayan singing bowl, relative to its hum."""

TUBULAR_RATIOS = (0.5, 1.0, 1.19, 1.5, 2.0, 2.5, 2.67, 3.01, 4.1, 5.43, 6.8, 8.2, 9.7)
"""Hum, prime, tierce, quint, nominal and above of a cast bell."""

CHIME_RATIOS = (1.0, 2.756, 5.404, 8.933)
"""Bending modes of a free bar."""

GONG_RATIOS = (1.0, 1.31, 1.62, 1.98, 2.43, 2.74, 3.2, 3.71, 4.33, 5.1, 5.9, 6.8)
"""Dense modes of a large gong, measured loosely."""


def mallet(rng: np.random.Generator, sample_rate: int, seconds: float, cutoff: float) -> Signal:
    """The dull thud of a felt mallet: a short low-passed burst."""
    length = sample_count(seconds, sample_rate)
    burst = white(rng, length) * pluck_envelope(length, sample_rate, seconds, 0.002)
    return filtered(burst, sample_rate, low_pass(cutoff)) * np.float32(0.5)


def timpani(
    rng: np.random.Generator, sample_rate: int, frequency: float, velocity: float
) -> Signal:
    """A kettledrum: near-harmonic preferred modes over a stick thump."""
    length = sample_count(1.6, sample_rate)
    ratios = np.array([1.0, 1.5, 1.98, 2.44, 2.9, 0.85])
    levels = np.array([1.0, 0.7, 0.4, 0.25, 0.18, 0.5])
    decays = np.array([1.7, 1.4, 1.1, 0.8, 0.6, 0.35])
    head = damped_partials(frequency * ratios, levels, decays, length, sample_rate)
    stick = mallet(rng, sample_rate, 0.08, 900.0)
    head *= np.float32(0.35)
    head[: stick.size] += stick
    return fade_edges(head * np.float32(velocity), sample_rate, 0.001, 0.1)
