"""Electronic and designed sounds: beeps, lasers, risers, glitches, scratches, static."""

from __future__ import annotations

import numpy as np

from training.synthesis import dsp, nature
from training.synthesis.dsp import (
    CLIP_SAMPLES,
    RATE,
    Wave,
    add_at,
    biquad,
    coloured_noise,
    decay_curve,
    noise,
    normalise,
    samples,
    sweep,
    timeline,
)

Rng = np.random.Generator


def _tone(hz: float, length: int, square: bool = False) -> Wave:
    wave = sweep(np.full(length, hz, np.float32))
    return np.sign(wave) if square else wave


def beep(rng: Rng) -> Wave:
    """One or more steady electronic tones."""
    length = samples(rng.uniform(0.05, 0.5))
    fade = dsp.envelope(length, 0.003, 1, 1, 0.01)
    wave = _tone(rng.uniform(400, 4_000), length, rng.random() < 0.3) * fade
    out = np.zeros(samples(rng.uniform(0.3, 2)), np.float32)
    for k in range(int(rng.integers(1, 5))):
        add_at(out, wave, k * rng.uniform(0.15, 0.5))
    return normalise(out)


def blip(rng: Rng) -> Wave:
    """A very short tone, often bending (pops, blips, drops)."""
    length = samples(rng.uniform(0.03, 0.2))
    bend = np.linspace(1, rng.choice([0.3, 0.6, 1, 1.6, 3]), length, dtype=np.float32)
    wave = sweep(rng.uniform(200, 3_000) * bend)
    if rng.random() < 0.3:
        wave = dsp.drive(wave, rng.uniform(2, 10))
    return normalise(wave * decay_curve(length, rng.uniform(0.01, 0.08)))


def laser(rng: Rng) -> Wave:
    """Science-fiction zap: a fast falling sweep."""
    length = samples(rng.uniform(0.15, 0.7))
    fall = np.exp(-np.linspace(0, rng.uniform(2, 5), length, dtype=np.float32))
    wave = sweep(rng.uniform(1_500, 7_000) * fall + rng.uniform(50, 300))
    if rng.random() < 0.4:
        wave = np.sign(wave)
    return normalise(wave * np.linspace(1, 0, length, dtype=np.float32))


def riser(rng: Rng) -> Wave:
    """Rising sweep of noise or tone (build-up)."""
    length = samples(rng.uniform(1.5, 8))
    rise = np.linspace(0, 1, length, dtype=np.float32)
    tone = sweep(80 * 40**rise)
    top = rng.uniform(3_000, 9_000)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        centre = 150 * (top / 150) ** (t * RATE / length)
        return np.exp(-(np.log((hz + 20) / centre) ** 2) / 0.2)

    air = normalise(dsp.spectral_gain(noise(rng, length), gain))
    mix = rng.uniform(0, 1)
    return normalise((mix * air + (1 - mix) * 0.6 * tone) * (0.1 + rise))


def falling(rng: Rng) -> Wave:
    """Falling sweep (drop, downlifter)."""
    return riser(rng)[::-1].copy()


def whoosh(rng: Rng) -> Wave:
    """Air rushing past: noise that swells and fades, its colour rising and falling."""
    length = samples(rng.uniform(0.3, 4))
    centre, width = rng.uniform(200, 3_000), rng.uniform(0.3, 0.9)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        moving = centre * 2 ** (1.5 * np.sin(np.pi * t * RATE / length))
        return np.exp(-(np.log((hz + 20) / moving) ** 2) / (2 * width**2))

    wave = dsp.spectral_gain(coloured_noise(rng, length, rng.uniform(0, 1.5)), gain)
    peak = int(length * rng.uniform(0.2, 0.8))
    swell = np.concatenate([np.linspace(0, 1, peak), np.linspace(1, 0, length - peak)])
    wave = normalise(wave * swell.astype(np.float32) ** rng.uniform(0.7, 3))
    if rng.random() < 0.4:
        tail = np.concatenate([wave, dsp.silence(rng.uniform(0.5, 2))])
        wave = dsp.reverb(tail, rng, rng.uniform(1, 3), rng.uniform(0.2, 0.6))
    return normalise(wave)


def static(rng: Rng) -> Wave:
    """Radio static, hiss, white or pink noise."""
    wave = coloured_noise(rng, CLIP_SAMPLES, rng.uniform(0, 1.2))
    if rng.random() < 0.5:
        wave = biquad(wave, "bandpass", (rng.uniform(100, 1_500), rng.uniform(3_000, 10_000)))
    if rng.random() < 0.3:
        wave = wave * (nature.wander(rng, 8) > 0.3)
    return normalise(wave)


def harsh_noise(rng: Rng) -> Wave:
    """Harsh noise music: saturated, modulated, screaming."""
    time = timeline(10)
    wave = noise(rng, CLIP_SAMPLES) * rng.uniform(0.2, 1)
    for _ in range(int(rng.integers(0, 5))):
        path = rng.uniform(60, 3_000) * (1 + nature.wander(rng, rng.uniform(0.5, 15)))
        wave = wave + np.sign(sweep(path)) * rng.uniform(0.2, 1)
    if rng.random() < 0.5:
        wave = wave * (0.3 + (np.sin(2 * np.pi * rng.uniform(3, 40) * time) > 0))
    if rng.random() < 0.5:
        low, high = rng.uniform(50, 600), rng.uniform(2_500, 10_000)
        wave = biquad(wave, "bandpass", (low, high))
    if rng.random() < 0.4:
        wave = dsp.crush(normalise(wave), int(rng.integers(2, 5)), int(rng.integers(1, 12)))
    wave = dsp.drive(wave * (0.4 + nature.wander(rng, rng.uniform(0.5, 6))), rng.uniform(3, 30))
    return normalise(dsp.random_equaliser(wave, rng, 12))


def hum(rng: Rng) -> Wave:
    """Mains hum or buzz: many harmonics of a low tone."""
    time, base = timeline(10), rng.choice([50, 60, 100, 120]) * rng.uniform(0.95, 1.05)
    tilt = rng.uniform(0.2, 1.5)
    out = sum(
        rng.uniform(0.2, 1) * k**-tilt * np.sin(2 * np.pi * base * k * time) for k in range(1, 25)
    )
    return normalise((out * (0.7 + 0.3 * nature.wander(rng, 1))).astype(np.float32))


def glitch(rng: Rng) -> Wave:
    """Glitch: cuts, stutters, clicks and crushed bits."""
    out = np.zeros(samples(rng.uniform(0.4, 4)), np.float32)
    sources = (beep, blip, laser, static, harsh_noise)
    seconds = len(out) / RATE
    for _ in range(int(rng.integers(3, 14) * max(1, seconds / 2))):
        piece = sources[rng.integers(5)](rng)[: samples(rng.uniform(0.005, 0.08))]
        start, gap = rng.uniform(0, seconds), rng.uniform(0.01, 0.08)
        for k in range(int(rng.integers(1, 9))):
            add_at(out, piece, start + k * gap, rng.uniform(0.3, 1))
    return normalise(dsp.crush(normalise(out), int(rng.integers(3, 9)), int(rng.integers(1, 8))))


def scratch(rng: Rng) -> Wave:
    """Turntable scratch: a sound dragged back and forth."""
    length = samples(rng.uniform(0.4, 2.5))
    source = coloured_noise(rng, samples(1), 0.8) + 0.7 * normalise(
        sweep(rng.uniform(200, 500) * (1 + nature.wander(rng, 6, samples(1))))
    )
    speed = np.zeros(length, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        rate, phase = rng.uniform(1.5, 8), rng.uniform(0, 6)
        speed += np.sin(2 * np.pi * rate * np.arange(length) / RATE + phase)
    position = np.cumsum(speed) * rng.uniform(0.5, 2.0)
    wave = np.interp(position % (len(source) - 1), np.arange(len(source)), source)
    loud = np.minimum(1, np.abs(speed) * 1.5)
    return normalise(biquad((wave * loud).astype(np.float32), "bandpass", (250, 7_000)))


def rewind(rng: Rng) -> Wave:
    """A record or tape rewound or stopped: fast garble sweeping up or down."""
    length = samples(rng.uniform(0.5, 2))
    source = coloured_noise(rng, samples(2), 0.6)
    for _ in range(12):
        add_at(source, blip(rng), rng.uniform(0, 2))
    ramp = np.linspace(*rng.permutation([0.2, rng.uniform(3, 7)]), length)
    position = np.cumsum(ramp) % (len(source) - 1)
    wave = np.interp(position, np.arange(len(source)), source).astype(np.float32)
    return normalise(biquad(wave, "bandpass", (300, 8_000)))


def telephone(rng: Rng) -> Wave:
    """Phone: dialled tone pairs or a ring."""
    out = np.zeros(samples(rng.uniform(0.5, 4)), np.float32)
    low, high = (697, 770, 852, 941), (1_209, 1_336, 1_477)
    if rng.random() < 0.6:
        step = rng.uniform(0.12, 0.4)
        for k in range(int(len(out) / RATE / step) + 1):
            length = samples(step * 0.7)
            tone = _tone(float(rng.choice(low)), length) + _tone(float(rng.choice(high)), length)
            add_at(out, tone, k * step)
    else:
        time = np.arange(len(out)) / RATE
        ring = np.sin(2 * np.pi * rng.uniform(400, 1_400) * time) * (
            np.sin(2 * np.pi * 22 * time) > 0
        )
        out = (ring * (time % 2 < 1.2)).astype(np.float32)
    return normalise(out)


def alarm(rng: Rng) -> Wave:
    """Alarm or siren: a tone alternating or sweeping."""
    time = timeline(10)
    shape = np.sin(2 * np.pi * rng.uniform(0.2, 4) * time)
    if rng.random() < 0.5:
        shape = np.sign(shape)
    wave = sweep(
        (rng.uniform(500, 1_500) * 2 ** (rng.uniform(0.2, 0.6) * shape)).astype(np.float32)
    )
    return normalise(np.sign(wave) if rng.random() < 0.4 else wave)


def robot(rng: Rng) -> Wave:
    """Robot chatter: ring-modulated, stepped tones."""
    out, time = np.zeros(samples(rng.uniform(0.6, 3)), np.float32), 0.0
    while time < len(out) / RATE:
        length = samples(rng.uniform(0.04, 0.25))
        path = rng.uniform(150, 2_500) * np.linspace(1, rng.uniform(0.5, 2), length)
        add_at(out, np.sign(sweep(path.astype(np.float32))) * rng.uniform(0.3, 1), time)
        time += length / RATE * rng.uniform(1, 1.5)
    ring = sweep(np.full(len(out), rng.uniform(30, 400), np.float32))
    return normalise(biquad(out * ring, "bandpass", (150, rng.uniform(3_000, 9_000))))


def bass_drop(rng: Rng) -> Wave:
    """A deep sine falling into the sub-bass."""
    length = samples(rng.uniform(1, 4))
    fall = np.exp(-np.linspace(0, 2, length, dtype=np.float32))
    wave = sweep(28 + rng.uniform(60, 180) * fall)
    if rng.random() < 0.4:
        wave = dsp.drive(wave, rng.uniform(1, 5))
    return normalise(wave * np.linspace(1, 0, length, dtype=np.float32) ** 0.5)


def reversed_swell(rng: Rng) -> Wave:
    """A reversed cymbal or bell: silence growing to a cut."""
    length = samples(rng.uniform(0.8, 3))
    wave = biquad(noise(rng, length), "highpass", rng.uniform(500, 4_000))
    return normalise((wave * decay_curve(length, length / RATE / 4))[::-1].copy())
