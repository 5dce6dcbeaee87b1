"""Curves over time: loudness envelopes, vibrato, slow random drift."""

from collections.abc import Sequence

import numpy as np

from .signals import SIXTY_DECIBELS, Curve, Signal, sample_count, time_axis


def breakpoints(points: Sequence[tuple[float, float]], length: int, sample_rate: int) -> Signal:
    """Straight lines through ``(seconds, value)`` points, shape ``(length,)``."""
    times = [seconds * sample_rate for seconds, _ in points]
    values = [value for _, value in points]
    return np.interp(np.arange(length), times, values).astype(np.float32)


def swell(
    length: int, sample_rate: int, attack: float, release: float, sustain: float = 1.0
) -> Signal:
    """Attack, gentle slope to ``sustain`` and release; the release ends on the last sample."""
    total = length / sample_rate
    attack = min(attack, 0.5 * total)
    release = min(release, total - attack)
    points = [(0.0, 0.0), (attack, 1.0), (total - release, sustain), (total, 0.0)]
    envelope = breakpoints(points, length, sample_rate)
    rounded: Signal = np.square(np.sin(envelope * np.float32(np.pi / 2)))
    return rounded


def pluck_envelope(
    length: int, sample_rate: int, decay: float, attack: float = 0.002, release: float = 0.03
) -> Signal:
    """Immediate attack, exponential decay (seconds to -60 dB) and a click-free end."""
    times = time_axis(length, sample_rate)
    envelope = np.exp(times * (-SIXTY_DECIBELS / decay)) * np.minimum(1.0, times / attack)
    tail = min(length, sample_count(release, sample_rate))
    envelope[length - tail :] *= np.linspace(1.0, 0.0, tail)
    return envelope.astype(np.float32)


def drift(
    rng: np.random.Generator,
    length: int,
    sample_rate: int,
    hertz: float,
    bounds: tuple[float, float],
) -> Signal:
    """A slow random walk within ``bounds``: ``hertz`` new targets per second."""
    knots = max(4, int(length / sample_rate * hertz) + 3)
    values = rng.uniform(*bounds, knots)
    # Targets joined by raised cosines, evaluated at a control rate: the curve is slow by design.
    control = np.linspace(0.0, knots - 2.0, max(2, length // 128 + 1))
    index = control.astype(np.int64)
    blend = 0.5 - 0.5 * np.cos(np.pi * (control - index))
    coarse = values[index] * (1.0 - blend) + values[index + 1] * blend
    axis = np.linspace(0.0, length - 1.0, control.size)
    return np.interp(np.arange(length), axis, coarse).astype(np.float32)


def vibrato(
    rng: np.random.Generator,
    length: int,
    sample_rate: int,
    *,
    hertz: float,
    cents: float,
    onset: float = 0.0,
    wander_cents: float = 3.0,
) -> Curve:
    """Pitch ratio of a player: vibrato that grows in after ``onset`` seconds, plus slow wander."""
    step = 64
    control = max(2, length // step + 2)
    times = np.arange(control) * step / sample_rate
    depth = cents * np.clip((times - onset) / 0.35, 0.0, 1.0) if onset else np.full(control, cents)
    speed = hertz * rng.uniform(0.93, 1.07)
    wave = np.sin(2 * np.pi * (speed * times + rng.uniform()) + 0.4 * np.sin(3.1 * times))
    wander = np.cumsum(rng.normal(0.0, 1.0, control))
    wander *= wander_cents / (1.0 + np.max(np.abs(wander)))
    ratio = np.exp2((depth * wave + wander) / 1200.0)
    return np.interp(np.arange(length), np.arange(control) * step, ratio)
