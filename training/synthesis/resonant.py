"""Struck and rubbed bodies by their modes: bells, bars, plates, boxes, things that hit things.

Ratios of modes: free bar (2k+1)^2 and clamped bar from beam theory, plate m^2 + n^2 a^2, and for
church bells A. Lehr's measurements (hum 0.5, prime 1, tierce 1.2, quint 1.5, nominal 2 ...).
"""

from __future__ import annotations

import numpy as np

from training.synthesis import dsp
from training.synthesis.dsp import (
    RATE,
    Wave,
    add_at,
    biquad,
    decay_curve,
    noise,
    normalise,
    samples,
)

Rng = np.random.Generator
_CHURCH = np.array([0.5, 1, 1.2, 1.5, 2, 2.5, 2.67, 3, 4, 5.33, 6.67])
_CLAMPED = np.array([1, 6.27, 17.55, 34.4])


def mode_ratios(rng: Rng) -> np.ndarray:
    """Frequencies of a random body's modes, the lowest 1."""
    law = rng.integers(6)
    if law == 0:
        ratios = _CHURCH * rng.uniform(0.98, 1.02, len(_CHURCH))
    elif law == 1:
        ratios = (2 * np.arange(1, 9) + 1.0) ** 2 / 9
    elif law == 2:
        ratios = _CLAMPED * rng.uniform(0.9, 1.1, len(_CLAMPED))
    elif law == 3:
        m, n = np.meshgrid(np.arange(1, 6), np.arange(1, 6))
        ratios = np.sort((m**2 + n**2 * rng.uniform(0.5, 3)).ravel())[:16]
    elif law == 4:
        ratios = np.sort(np.concatenate([[1.0], rng.uniform(1.1, 9, int(rng.integers(3, 20)))]))
    else:
        stretch = rng.uniform(0.8, 1.8)
        ratios = np.arange(1, 10) ** stretch
    return ratios / ratios[0]


def ring(rng: Rng, base: float, ratios: np.ndarray, seconds: float, tilt: float) -> Wave:
    """Modes that decay, the longest after `seconds`; weak beats between split modes."""
    length = samples(min(4 * seconds + 0.05, 9))
    time = np.arange(length, dtype=np.float32) / RATE
    out = np.zeros(length, np.float32)
    damping = rng.uniform(0.1, 1.2)
    split = rng.uniform(0, 0.004) * (rng.random() < 0.6)
    for ratio in ratios:
        hertz = base * ratio
        if hertz > 0.46 * RATE:
            break
        level = rng.uniform(0.15, 1) * ratio**-tilt
        tone = np.sin(2 * np.pi * hertz * time + rng.uniform(0, 6.28))
        if split:
            tone = tone + rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * hertz * (1 + split) * time)
        out += level * tone * np.exp(-time * ratio**damping / (seconds * rng.uniform(0.5, 1)))
    return out


def _strike(rng: Rng, length: int, hardness: float) -> Wave:
    hit = noise(rng, length) * decay_curve(length, rng.uniform(0.001, 0.012))
    return normalise(biquad(hit, "lowpass", 600 + 9_000 * hardness, 1))


def bell(rng: Rng) -> Wave:
    """A bell, chime, triangle or bowl, struck once or a few times, perhaps in a room."""
    base = float(np.exp(rng.uniform(np.log(180), np.log(4_000))))
    ratios, seconds = mode_ratios(rng), float(np.exp(rng.uniform(np.log(0.06), np.log(2.5))))
    one = ring(rng, base, ratios, seconds, rng.uniform(0, 1.2))
    one = normalise(one) + rng.uniform(0, 0.5) * _strike(rng, len(one), rng.random())
    if rng.random() < 0.2:  # frequency modulation: an electronic bell
        time = np.arange(len(one), dtype=np.float32) / RATE
        depth = rng.uniform(1, 7) * np.exp(-time / (seconds * 0.7))
        ratio = rng.choice([1.41, 1.73, 2.76, 3.5, 5.04])
        one = np.sin(2 * np.pi * base * time + depth * np.sin(2 * np.pi * base * ratio * time))
        one = one * np.exp(-time / seconds)
    return _finish(rng, normalise(one.astype(np.float32)), 0.3)


def struck_object(rng: Rng) -> Wave:
    """Something hit: wood, metal, stone, a box or a door; dull or clanging, debris at times."""
    kind = rng.integers(3)
    base = (rng.uniform(50, 250), rng.uniform(150, 1_200), rng.uniform(60, 500))[kind]
    seconds = (rng.uniform(0.02, 0.15), rng.uniform(0.1, 0.9), rng.uniform(0.01, 0.06))[kind]
    body = normalise(ring(rng, base, mode_ratios(rng), seconds, rng.uniform(0.1, 1.5)))
    wave = np.zeros(max(len(body), samples(0.4)), np.float32)
    add_at(wave, body, 0, rng.uniform(0.3, 1))
    thump = np.sin(np.cumsum(2 * np.pi * rng.uniform(45, 140) / RATE * (1 + decay_curve(
        len(wave), 0.02))))  # fmt: skip
    wave += rng.uniform(0, 1) * thump * decay_curve(len(wave), rng.uniform(0.03, 0.2))
    wave += rng.uniform(0.3, 1.2) * _strike(rng, len(wave), rng.random())
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(2, 12))):
            small = ring(rng, base * rng.uniform(2, 8), mode_ratios(rng), 0.03, 0.5)
            add_at(wave, small, rng.uniform(0.02, 0.35), rng.uniform(0.05, 0.3))
    if rng.random() < 0.3:
        wave = dsp.drive(wave, rng.uniform(1, 5))
    return _finish(rng, normalise(wave), 0.5)


def chimes(rng: Rng) -> Wave:
    """Many small bells or bars in a row: wind chimes, a bell tree, keys, a spinning coin."""
    out = dsp.silence(rng.uniform(1, 6))
    ratios, seconds = mode_ratios(rng), rng.uniform(0.1, 1.2)
    low, high = np.sort(rng.uniform(600, 6_000, 2))
    count = int(rng.integers(4, 22))
    for k in range(count):
        base = rng.uniform(low, high) if rng.random() < 0.6 else low + (high - low) * k / count
        wave = normalise(ring(rng, base, ratios, seconds, 0.6))
        add_at(out, wave, rng.uniform(0, len(out) / RATE * 0.8), rng.uniform(0.2, 1))
    return normalise(out)


def _finish(rng: Rng, one: Wave, room: float) -> Wave:
    """Repeat it at times, at times in a room."""
    count = 1 if rng.random() < 0.75 else int(rng.integers(2, 6))
    gap = rng.uniform(0.12, 1.2)
    out = dsp.silence(min(9.0, len(one) / RATE + gap * (count - 1)))
    for k in range(count):
        add_at(out, one, k * gap, rng.uniform(0.6, 1))
    if rng.random() < room:
        out = np.concatenate([out, dsp.silence(rng.uniform(0.2, 1.5))])
        out = dsp.reverb(out, rng, rng.uniform(0.2, 2.5), rng.uniform(0.1, 0.5))
    return normalise(out)
