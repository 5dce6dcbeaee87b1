"""Drums and cymbals, electronic and acoustic; each function returns one hit at full velocity."""

import numpy as np

from .envelopes import breakpoints, pluck_envelope
from .filters import band_pass, filtered, high_pass, low_pass, peak
from .noises import white
from .partials import damped_partials
from .signals import Signal, fade_edges, normalise, sample_count, saturate, time_axis


def swept_kick(
    sample_rate: int,
    *,
    low: float = 48.0,
    high: float = 220.0,
    sweep: float = 0.035,
    decay: float = 0.35,
    drive: float = 2.0,
    click: float = 0.3,
) -> Signal:
    """An analogue kick: a sine falling from ``high`` to ``low`` hertz, driven, with a click."""
    length = sample_count(decay * 1.3, sample_rate)
    times = time_axis(length, sample_rate)
    pitch = low + (high - low) * np.exp(-times / sweep)
    phase = np.cumsum(pitch) / sample_rate
    body = np.sin(2 * np.pi * phase) * pluck_envelope(length, sample_rate, decay * 1.6, 0.001)
    snap = np.sin(2 * np.pi * 2600 * times) * np.exp(-times * 420) * click
    return fade_edges(saturate((body + snap).astype(np.float32), drive), sample_rate, 0, 0.03)


def acoustic_kick(rng: np.random.Generator, sample_rate: int) -> Signal:
    """A damped bass drum with a beater."""
    body = swept_kick(sample_rate, low=54, high=120, sweep=0.02, decay=0.22, drive=1.2, click=0.0)
    length = sample_count(0.02, sample_rate)
    beater = white(rng, length) * pluck_envelope(length, sample_rate, 0.018, 0.001)
    body[:length] += filtered(beater, sample_rate, low_pass(3500)) * np.float32(0.5)
    return normalise(body)


def snare(
    rng: np.random.Generator,
    sample_rate: int,
    *,
    pitch: float = 190.0,
    wires: float = 0.8,
    decay: float = 0.25,
    tone: float = 5000.0,
) -> Signal:
    """A snare drum: two shell modes, and wires as band-limited noise around ``tone`` hertz."""
    length = sample_count(decay * 1.4, sample_rate)
    shell = damped_partials(
        [pitch, pitch * 1.62, pitch * 2.2], [1.0, 0.6, 0.3], [0.22, 0.16, 0.1], length, sample_rate
    )
    noise = white(rng, length) * pluck_envelope(length, sample_rate, decay, 0.001)
    noise = filtered(noise, sample_rate, high_pass(900), peak(tone, 0.7, 2.0), low_pass(11_000))
    crack = white(rng, length) * pluck_envelope(length, sample_rate, 0.025, 0.0005)
    hit = shell * np.float32(0.6) + noise * np.float32(0.3 * wires) + crack * np.float32(0.15)
    return fade_edges(normalise(hit), sample_rate, 0, 0.02)


def clap(rng: np.random.Generator, sample_rate: int) -> Signal:
    """Three quick bursts and a tail around 1.2 kHz."""
    length = sample_count(0.3, sample_rate)
    times = time_axis(length, sample_rate)
    bursts = sum(np.exp(-np.maximum(times - t, 0) * 260) * (times >= t) for t in (0, 0.011, 0.022))
    tail = np.exp(-np.maximum(times - 0.03, 0) * 20) * (times >= 0.03)
    noise = filtered(white(rng, length), sample_rate, band_pass(1250, 1.1), high_pass(500))
    return fade_edges(normalise(noise * (bursts + tail).astype(np.float32)), sample_rate, 0, 0.03)


_METAL_HERTZ = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])
"""The six square oscillators of a classic drum machine's cymbals."""


def hat(
    rng: np.random.Generator, sample_rate: int, decay: float, brightness: float = 1.0
) -> Signal:
    """A hi-hat: odd harmonics of six inharmonic squares and noise, high-passed at 7 kHz."""
    length = sample_count(decay * 1.2, sample_rate)
    times = time_axis(length, sample_rate)[:, None]
    squares = np.sign(np.sin(2 * np.pi * times * _METAL_HERTZ * 4.1 + rng.uniform(0, 6, 6)))
    mixture = squares.sum(axis=1).astype(np.float32) * np.float32(0.35) + white(rng, length)
    metal = filtered(mixture, sample_rate, high_pass(7000 * brightness), low_pass(14_000))
    shaped = metal * pluck_envelope(length, sample_rate, decay, 0.0008, 0.01)
    return normalise(shaped, 0.6)


def ride(rng: np.random.Generator, sample_rate: int, seconds: float = 1.3) -> Signal:
    """A ride cymbal: a stick ping over a dense wash of modes."""
    length = sample_count(seconds, sample_rate)
    modes = np.sort(rng.uniform(420, 11_000, 90))
    levels = rng.uniform(0.3, 1.0, 90) * (0.4 + np.minimum(1.0, modes / 4000))
    wash = damped_partials(
        modes,
        levels,
        rng.uniform(0.5, 2.0, 90) * seconds,
        length,
        sample_rate,
        phases=rng.uniform(0, 6.28, 90),
    )
    ping = damped_partials([2950, 3710, 4460, 5230], [1, 0.8, 0.7, 0.6], 0.25, length, sample_rate)
    hiss = filtered(white(rng, length), sample_rate, high_pass(6500))
    hiss *= pluck_envelope(length, sample_rate, seconds * 0.9, 0.001)
    hit = wash * np.float32(0.035) + ping * np.float32(0.16) + hiss * np.float32(0.06)
    return fade_edges(normalise(hit, 0.6), sample_rate, 0, 0.1)


def crash(rng: np.random.Generator, sample_rate: int, seconds: float = 2.2) -> Signal:
    """A crash cymbal: broadband noise whose treble dies first."""
    length = sample_count(seconds, sample_rate)
    noise = filtered(white(rng, length), sample_rate, high_pass(2800), peak(6500, 0.8, 1.6))
    body = filtered(white(rng, length), sample_rate, band_pass(1400, 0.6))
    bright = noise * pluck_envelope(length, sample_rate, seconds * 0.8, 0.002)
    dark = body * pluck_envelope(length, sample_rate, seconds * 1.4, 0.01)
    return fade_edges(normalise(bright + dark * np.float32(0.5), 0.7), sample_rate, 0, 0.3)


def brush_sweep(rng: np.random.Generator, sample_rate: int, seconds: float) -> Signal:
    """A wire brush dragged around a coated snare head."""
    length = sample_count(seconds, sample_rate)
    noise = filtered(white(rng, length), sample_rate, band_pass(3200, 0.5), low_pass(8000))
    points = [(0.0, 0.0), (0.35 * seconds, 0.8), (0.6 * seconds, 1.0), (seconds, 0.0)]
    return noise * np.square(breakpoints(points, length, sample_rate)) * np.float32(0.2)


def brush_tap(rng: np.random.Generator, sample_rate: int) -> Signal:
    """A wire brush tapped on the snare: a soft spread attack."""
    length = sample_count(0.2, sample_rate)
    noise = filtered(white(rng, length), sample_rate, band_pass(3800, 0.5))
    shaped = noise * pluck_envelope(length, sample_rate, 0.14, 0.004)
    shell = damped_partials([210.0, 330.0], [0.5, 0.3], 0.12, length, sample_rate)
    return normalise(shaped + shell * np.float32(0.25))


def rim(sample_rate: int) -> Signal:
    """A cross-stick on the rim."""
    length = sample_count(0.12, sample_rate)
    hit = damped_partials(
        [470, 820, 1730, 2480, 3900],
        [0.6, 1.0, 0.9, 0.5, 0.3],
        [0.08, 0.07, 0.05, 0.04, 0.03],
        length,
        sample_rate,
    )
    return fade_edges(normalise(hit), sample_rate, 0.0003, 0.02)


def tom(sample_rate: int, pitch: float, decay: float = 0.5) -> Signal:
    """A tom: a membrane mode falling slightly in pitch, with a stick."""
    return swept_kick(
        sample_rate, low=pitch, high=pitch * 1.6, sweep=0.05, decay=decay, drive=1.0, click=0.15
    )
