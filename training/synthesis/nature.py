"""Weather, water, fire and animals, mostly shaped noise: a clip or a short sound each."""

from __future__ import annotations

import numpy as np

from training.synthesis import dsp
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


def wander(rng: Rng, speed: float, length: int = CLIP_SAMPLES) -> Wave:
    """A slow random curve between 0 and 1."""
    points = rng.uniform(0, 1, max(4, int(length / RATE * speed) + 4))
    x = np.linspace(0, len(points) - 1, length)
    index = np.minimum(x.astype(int), len(points) - 2)
    part = (1 - np.cos(np.pi * (x - index))) / 2
    return (points[index] * (1 - part) + points[index + 1] * part).astype(np.float32)


def scatter(rng: Rng, make, rate: float, low: float = 0.2) -> Wave:
    """Random events, `rate` per second, from a few variants."""
    out = np.zeros(CLIP_SAMPLES, np.float32)
    variants = [make() for _ in range(6)]
    for _ in range(max(1, rng.poisson(rate * 10))):
        add_at(out, variants[rng.integers(6)], rng.uniform(0, 10), rng.uniform(low, 1))
    return out


def rain(rng: Rng) -> Wave:
    """Rain: steady noise with drops."""
    base = biquad(coloured_noise(rng, CLIP_SAMPLES, rng.uniform(0.2, 1)), "highpass", 500)

    def drop() -> Wave:
        length = samples(0.02)
        centre = rng.uniform(1_000, 7_000)
        burst = biquad(noise(rng, length), "bandpass", (centre * 0.7, centre * 1.4))
        return normalise(burst * decay_curve(length, 0.004))

    return normalise(base * rng.uniform(0.2, 1) + 0.6 * scatter(rng, drop, rng.uniform(20, 90)))


def thunder(rng: Rng) -> Wave:
    """A clap of thunder and its rumble."""
    out = coloured_noise(rng, CLIP_SAMPLES, 2.2)
    curve = np.zeros(CLIP_SAMPLES, np.float32)
    for _ in range(int(rng.integers(1, 5))):
        start = samples(rng.uniform(0, 6))
        tail = decay_curve(CLIP_SAMPLES - start, rng.uniform(0.5, 2.5))
        curve[start:] += tail * rng.uniform(0.4, 1)
    return normalise(biquad(out, "lowpass", rng.uniform(150, 700)) * curve)


def wind(rng: Rng) -> Wave:
    """Wind: noise through a wandering resonance."""
    path = 250 * 5 ** wander(rng, 0.7)
    width = rng.uniform(0.15, 0.5)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        centre = np.interp(t[0], timeline(10), path)[None]
        return np.exp(-(np.log((hz + 30) / centre) ** 2) / (2 * width**2)) + 0.05

    wave = dsp.spectral_gain(coloured_noise(rng, CLIP_SAMPLES, 1), gain)
    return normalise(wave * (0.25 + wander(rng, 0.8)))


def ocean(rng: Rng) -> Wave:
    """Waves on a beach: swelling noise."""
    period = rng.uniform(4, 9)
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * (timeline(10) / period + rng.uniform()))
    hiss = biquad(noise(rng, CLIP_SAMPLES), "highpass", 1_200) * swell**3 * 0.3
    body = biquad(coloured_noise(rng, CLIP_SAMPLES, 1.2), "lowpass", 2_500)
    return normalise(body * (0.2 + swell**2) + hiss)


def bubble(rng: Rng) -> Wave:
    """One bubble or drop: a short rising sine."""
    length = samples(rng.uniform(0.02, 0.09))
    start = rng.uniform(350, 1_800)
    wave = sweep(start * np.linspace(1, rng.uniform(1.2, 2.2), length, dtype=np.float32))
    return wave * np.hanning(length).astype(np.float32)


def stream(rng: Rng) -> Wave:
    """A brook: many bubbles over soft noise."""
    out = scatter(rng, lambda: bubble(rng), rng.uniform(25, 80))
    soft = biquad(coloured_noise(rng, CLIP_SAMPLES, 0.7), "bandpass", (300, 4_500))
    return normalise(out + rng.uniform(0.2, 0.8) * soft)


def dripping(rng: Rng) -> Wave:
    """Water drops in a cave."""
    out = scatter(rng, lambda: bubble(rng), rng.uniform(0.8, 4))
    return dsp.reverb(out, rng, rng.uniform(0.8, 3), 0.4)


def fire(rng: Rng) -> Wave:
    """Fire: crackles over a low rumble."""

    def pop() -> Wave:
        length = samples(rng.uniform(0.003, 0.02))
        return normalise(noise(rng, length) * decay_curve(length, 0.003))

    rumble = biquad(coloured_noise(rng, CLIP_SAMPLES, 1.5), "lowpass", 600)
    pops = biquad(scatter(rng, pop, rng.uniform(8, 35), 0.05), "highpass", 700)
    return normalise(pops + rng.uniform(0.1, 0.6) * rumble)


def birds(rng: Rng) -> Wave:
    """Birdsong: chirps and trills."""

    def song() -> Wave:
        base, out = rng.uniform(1_800, 5_500), dsp.silence(rng.uniform(0.3, 1.2))
        chirp = samples(rng.uniform(0.03, 0.15))
        bend = rng.uniform(-0.4, 0.5)
        for _ in range(int(rng.integers(1, 9))):
            curve = 1 + bend * np.sin(np.linspace(0, np.pi * rng.uniform(0.5, 2), chirp))
            wave = sweep((base * rng.uniform(0.9, 1.1) * curve).astype(np.float32))
            add_at(out, wave * np.hanning(chirp).astype(np.float32), rng.uniform(0, 1))
        return out

    return normalise(scatter(rng, song, rng.uniform(0.8, 3)) + 0.01 * noise(rng, CLIP_SAMPLES))


def _caw(rng: Rng, hz: float, throat: tuple[float, ...], rough: float) -> Wave:
    """One caw: pulses of an unsteady voice and hissing breath through a short throat."""
    length = samples(float(np.exp(rng.uniform(np.log(0.12), np.log(0.7)))))
    place = np.linspace(0, 1, length)
    arch = 1 + rng.uniform(-0.05, 0.35) * np.sin(np.pi * place ** rng.uniform(0.5, 1.5))
    shake = np.interp(place, np.linspace(0, 1, 80), rng.standard_normal(80))
    phase = np.cumsum(
        hz * arch * (1 - rng.uniform(-0.05, 0.25) * place) * (1 + rough * 0.05 * shake)
    )
    phase = phase / RATE
    pulses = np.exp(-rng.uniform(3, 20) * (phase % 1)) * (
        1 - rng.uniform(0, rough) * (np.floor(phase) % 2))  # fmt: skip
    voice = pulses + rng.uniform(0.05, 0.7) * rough * noise(rng, length) * (0.3 + pulses)
    voice = biquad(voice.astype(np.float32), "highpass", rng.uniform(300, 1_100), 3)
    caw = 0.25 * normalise(voice)
    for centre in throat:
        near = biquad(voice, "bandpass", (centre * 0.85, centre * rng.uniform(1.1, 1.35)), 1)
        caw = caw + rng.uniform(0.3, 1) * normalise(near)
    attack, release = rng.uniform(0.01, 0.1), rng.uniform(0.03, 0.15)
    return normalise(caw * dsp.envelope(length, attack, rng.uniform(0.1, 1), 0.4, release))


def _crows(rng: Rng) -> Wave:
    """A crow, a raven or a few of them calling, near or far."""
    out, raven = dsp.silence(rng.uniform(0.3, 5)), rng.random() < 0.3
    seconds = len(out) / RATE
    for _ in range(1 if rng.random() < 0.7 else int(rng.integers(2, 5))):
        hz = rng.uniform(90, 300) if raven else rng.uniform(220, 750)
        throat = tuple(rng.uniform(low, low * 1.7) for low in (950, 1_700, 3_000))
        rough, gap = rng.uniform(0.3, 1.6), rng.uniform(0.25, 1)
        time, loud = rng.choice([0, rng.uniform(0, seconds * 0.5)]), rng.uniform(0.3, 1)
        for _ in range(int(rng.integers(1, 6))):
            add_at(out, _caw(rng, hz, throat, rough), time, loud * rng.uniform(0.7, 1))
            time += gap * rng.uniform(0.9, 1.2)
    if rng.random() < 0.5:  # over a field, or a poor recording
        out = biquad(out, "lowpass", float(np.exp(rng.uniform(np.log(2_000), np.log(9_000)))), 3)
    if rng.random() < 0.4:
        out = dsp.reverb(normalise(out), rng, rng.uniform(0.3, 2.5), rng.uniform(0.1, 0.5))
    return normalise(out + rng.uniform(0, 0.02) * coloured_noise(rng, len(out), 1))


def crow(rng: Rng) -> Wave:
    """A crow: harsh falling caws."""
    if rng.random() < 0.8:
        return _crows(rng)
    out = np.zeros(samples(rng.uniform(1, 3)), np.float32)
    for k in range(int(rng.integers(1, 5))):
        length = samples(rng.uniform(0.2, 0.4))
        tone = rng.uniform(350, 650) * np.linspace(1.1, 0.85, length)
        tone = tone * (1 + 0.06 * noise(rng, length))
        saw = 2 * (np.cumsum(tone) / RATE % 1) - 1
        caw = biquad(saw.astype(np.float32), "bandpass", (900, 2_600))
        add_at(out, caw * np.hanning(length).astype(np.float32), k * 0.55)
    return normalise(out)


def crickets(rng: Rng) -> Wave:
    """Crickets at night: pulsed high tones."""
    out = np.zeros(CLIP_SAMPLES, np.float32)
    time = timeline(10)
    for _ in range(int(rng.integers(1, 5))):
        pulse = np.clip(np.sin(2 * np.pi * rng.uniform(15, 45) * time), 0, 1)
        gate = np.sin(2 * np.pi * rng.uniform(0.8, 3) * time + rng.uniform(0, 6)) > rng.uniform(
            -1, 0.3
        )
        out += (
            np.sin(2 * np.pi * rng.uniform(2_500, 6_000) * time)
            * pulse
            * gate
            * rng.uniform(0.2, 1)
        )
    return normalise(out + 0.02 * noise(rng, CLIP_SAMPLES))


def insects(rng: Rng) -> Wave:
    """A bee or fly: a wavering buzz."""
    tone = rng.uniform(110, 260) * (1 + 0.15 * wander(rng, 2))
    saw = (2 * (np.cumsum(tone) / RATE % 1) - 1).astype(np.float32)
    return normalise(biquad(saw, "bandpass", (200, 3_500)) * (0.2 + wander(rng, 1.5)))


def dog(rng: Rng) -> Wave:
    """Barks."""
    out = np.zeros(samples(rng.uniform(1, 3)), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        length = samples(rng.uniform(0.1, 0.22))
        tone = rng.uniform(250, 600) * (1 + 0.6 * np.hanning(length))
        saw = (2 * (np.cumsum(tone) / RATE % 1) - 1).astype(np.float32) + 0.4 * noise(rng, length)
        bark = biquad(saw, "bandpass", (400, 2_200)) * decay_curve(length, 0.07)
        add_at(out, bark, rng.uniform(0, 2))
    return normalise(out)
