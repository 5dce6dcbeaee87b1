"""Electronic basses, one note each: subs, detuned saws, growls, wobbles, all drawn anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.synthesis import dsp
from training.synthesis.dsp import RATE, Wave, biquad, normalise, samples
from training.synthesis.tones import hertz

Rng = np.random.Generator


def _phase(rng: Rng, hz: np.ndarray, cents: float = 0.0) -> np.ndarray:
    """Turns of an oscillator whose frequency is given at every sample."""
    return (np.cumsum(hz) * (2 ** (cents / 1_200) / RATE) + rng.uniform()) % 1


def _saws(rng: Rng, hz: np.ndarray) -> np.ndarray:
    """Saws or pulses a few cents apart, at times with an octave, a fifth or a sub below."""
    count, cents = int(rng.integers(2, 6)), rng.choice([3, 10, 25, 40]) * rng.uniform(0.5, 1.5)
    width = rng.uniform(0.15, 0.5) if rng.random() < 0.35 else 0.0
    steps = rng.choice([0, 0, 0, 7, 12, -12], count)
    out = np.zeros(len(hz))
    for step in steps:
        turns = _phase(rng, hz, 100 * float(step) + rng.normal(0, cents))
        out += np.sign(turns - width) if width else 2 * turns - 1
    return out


def _sub(rng: Rng, hz: np.ndarray) -> np.ndarray:
    """A sine and a few weak harmonics."""
    levels = rng.uniform(0, 0.6, 4) / np.arange(2, 6)
    out = np.sin(2 * np.pi * _phase(rng, hz))
    for k, level in enumerate(levels, 2):
        out += level * np.sin(2 * np.pi * _phase(rng, k * hz, rng.normal(0, 4)))
    return out


def _modulated(rng: Rng, hz: np.ndarray) -> np.ndarray:
    """A sine bent by another, deeply and with a depth that moves: metal, growl, bark."""
    time = np.arange(len(hz)) / RATE
    ratio = float(rng.choice([0.5, 1, 1, 2, 3, 1.5, rng.uniform(0.5, 5)]))
    depth = rng.uniform(0.5, 6) * (0.3 + np.exp(-time / rng.uniform(0.1, 2)))
    if rng.random() < 0.5:
        depth = depth * (0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.3, 10) * time))
    inner = np.sin(2 * np.pi * _phase(rng, hz * ratio))
    return np.sin(2 * np.pi * _phase(rng, hz) + depth * inner)


def _course(rng: Rng) -> tuple[Callable[[np.ndarray], np.ndarray], bool]:
    """How far a filter is open, 0 to 1, as the note goes on; and whether it wobbles."""
    kind, rate, phase = rng.integers(5), rng.uniform(0.2, 9), rng.uniform(0, 6.28)
    span = rng.uniform(0.1, 3)
    courses = (
        lambda t: np.full_like(t, 0.5),
        lambda t: np.exp(-t / span),
        lambda t: 1 - np.exp(-t / span),
        lambda t: 0.5 + 0.5 * np.sin(2 * np.pi * rate * t + phase),
        lambda t: 1 - (rate * t) % 1,
    )
    return courses[kind], bool(kind >= 3 and rate > 1)


def _filtered(wave: Wave, rng: Rng) -> tuple[Wave, bool]:
    """A low-pass whose edge moves, at times with a resonance or a vowel on top."""
    course, wobbles = _course(rng)
    low = float(np.exp(rng.uniform(np.log(70), np.log(600))))
    octaves, peak = 5 * rng.beta(1.2, 1.8), rng.uniform(0, 3) * (rng.random() < 0.5)
    steep = rng.uniform(1, 4)
    vowels = rng.uniform([250, 700], [900, 3_600]) if rng.random() < 0.35 else ()

    def gain(f: np.ndarray, t: np.ndarray) -> np.ndarray:
        edge = low * 2 ** (octaves * course(t))
        out = (1 + (f / edge) ** 2) ** (-steep / 2)
        out = out + peak * np.exp(-((np.log2((f + 1) / edge) / 0.25) ** 2))
        for k, vowel in enumerate(vowels):
            centre = vowel * 2 ** (0.8 * (course(t) - 0.5) * (1 - 2 * k))
            out = out + 1.2 * np.exp(-((np.log2((f + 1) / centre) / 0.2) ** 2))
        return out

    return dsp.spectral_gain(wave, gain), wobbles


def synth_bass(rng: Rng) -> tuple[Wave, set[str]]:
    """One bass note of 0.15 to 9 seconds, and what it is besides a synthesizer's bass."""
    held = rng.random() < 0.4
    length = samples(float(np.exp(rng.uniform(np.log(0.3 if held else 0.15), np.log(9)))))
    time = np.arange(length) / RATE
    hz = np.full(length, hertz(rng.uniform(23, 48)))
    if rng.random() < 0.2:
        hz *= 2 ** (rng.uniform(-1, 1) * np.exp(-time / rng.uniform(0.02, 0.6)))
    kind = rng.choice(3, p=(0.5, 0.2, 0.3))
    raw = (_saws, _sub, _modulated)[kind](rng, hz)
    if rng.random() < 0.5:
        raw = normalise(raw) + rng.uniform(0.3, 1.2) * _sub(rng, hz * rng.choice([0.5, 1, 1]))
    wave, tags = normalise(raw.astype(np.float32)), set()
    driven = rng.random() < 0.4
    if driven and rng.random() < 0.6:
        wave = dsp.drive(wave, rng.uniform(1, 12))
    wave, wobbles = _filtered(wave, rng) if length > 2_048 else (wave, False)
    if driven:
        wave, tags = dsp.drive(wave, rng.uniform(1, 8)), {"distorted"}
    if rng.random() < 0.3:
        air = biquad(dsp.noise(rng, length), "highpass", rng.uniform(300, 4_000), 1)
        wave = normalise(wave) + 10 ** rng.uniform(-2.5, -1) * normalise(air)
    wave = wave * _loudness(time, rng, held)
    if rng.random() < 0.25:
        wave = _doubled(wave, rng)
    if rng.random() < 0.25:
        wave = np.concatenate([wave, dsp.silence(1.0)])
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.3, 3), rng.uniform(0.05, 0.4))
    if kind == 1 and not driven:
        tags.add("sub_bass")
    return normalise(wave.astype(np.float32)), tags | ({"wobble_bass"} if wobbles else set())


def _loudness(time: np.ndarray, rng: Rng, held: bool) -> np.ndarray:
    """Held, fading, plucked or swelling; the end without a click."""
    span, end = time[-1] + 1e-3, rng.uniform(0.002, 0.02 if held else 0.3)
    kind = rng.random() + 0.4 * held
    curve = np.ones_like(time)
    if kind < 0.4:
        curve = np.exp(-time / (span * rng.uniform(0.15, 1)))
    elif kind < 0.55:
        curve = (time / span) ** rng.uniform(0.2, 2)
    curve = curve * np.minimum(1, time / rng.uniform(0.001, 0.05))
    return curve * np.clip((span - time) / min(end, span), 0, 1)


def _doubled(wave: Wave, rng: Rng) -> Wave:
    """A copy beside it that drifts in time: chorus or flanger."""
    at = np.arange(len(wave), dtype=np.float64)
    swing = np.sin(2 * np.pi * rng.uniform(0.1, 3) * at / RATE)
    late = samples(rng.uniform(0.001, 0.02)) * (1 + rng.uniform(0.1, 0.9) * swing)
    return normalise(wave) + np.interp(at - late, at, normalise(wave)).astype(np.float32)
