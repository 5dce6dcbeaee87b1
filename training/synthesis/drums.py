"""Drum and percussion hits from our own synthesis, each drawn anew for every kit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.synthesis.dsp import (
    Wave,
    biquad,
    crush,
    decay_curve,
    drive,
    noise,
    normalise,
    peak_filter,
    samples,
    spectral_gain,
    sweep,
)

Rng = np.random.Generator


def kick(rng: Rng) -> Wave:
    """Bass drum: a sine falling in pitch, with a click; from a dry thud to a long 808."""
    length = samples(rng.choice([0.25, 0.4, 0.9]))
    time = np.arange(length, dtype=np.float32)
    low, high = rng.uniform(38, 70), rng.uniform(100, 500)
    wave = sweep(low + high * np.exp(-time / (24_000 * rng.uniform(0.008, 0.05))))
    wave *= decay_curve(length, length / 24_000 / rng.uniform(3, 6))
    wave += (
        rng.uniform(0, 0.4) * noise(rng, length) * decay_curve(length, rng.uniform(0.001, 0.008))
    )
    if rng.random() < 0.4:
        wave = drive(wave, rng.uniform(1, 6))
    return normalise(biquad(wave, "lowpass", rng.uniform(800, 9_000)))


def snare(rng: Rng) -> Wave:
    """Snare: tuned body and rattling noise; or an electronic one, filtered, crushed or driven."""
    length = samples(rng.uniform(0.12, 0.45))
    machine = rng.random() < 0.35
    hz = rng.uniform(90, 420) if machine else rng.uniform(150, 260)
    body = sweep(hz * (1 + rng.uniform(0.2, 1.2) * decay_curve(length, rng.uniform(0.01, 0.04))))
    body *= decay_curve(length, rng.uniform(0.03, 0.1))
    rattle = biquad(noise(rng, length), "highpass", rng.uniform(700, 3_000))
    if machine:
        low = rng.uniform(200, 2_500)
        rattle = biquad(noise(rng, length), "bandpass", (low, low * rng.uniform(2, 10)))
    rattle = normalise(rattle) * decay_curve(length, rng.uniform(0.04, 0.15))
    wave = body * rng.uniform(0.3, 1.0) + rattle * rng.uniform(0.4, 1.2)
    if machine and rng.random() < 0.4:
        wave = crush(normalise(wave), int(rng.integers(4, 9)), int(rng.integers(1, 7)))
    if machine and rng.random() < 0.4:
        wave = drive(wave, rng.uniform(1, 8))
    return normalise(wave)


def machine_snare(rng: Rng) -> Wave:
    """A machine's snare: a burst of noise through any filter, over a body that may be very low."""
    length = samples(float(np.exp(rng.uniform(np.log(0.08), np.log(1.8)))))
    kind = rng.random()
    if kind < 0.65:
        return _layered_snare(rng, length) if kind < 0.4 else _whistling_snare(rng, length)
    low = float(np.exp(rng.uniform(np.log(60), np.log(5_000))))
    band = (low, low * float(np.exp(rng.uniform(0.3, 4.5))))
    rattle = biquad(noise(rng, length), "bandpass", band, int(rng.integers(1, 4)))
    if rng.random() < 0.4:  # a resonant filter whistles on it
        centre, quality = rng.uniform(300, 6_000), rng.uniform(2, 10)
        rattle = peak_filter(rattle, centre, rng.uniform(6, 18), quality)
    fade = length / 24_000 * rng.uniform(0.12, 1.2)
    rattle = normalise(rattle) * decay_curve(length, fade)
    if rng.random() < 0.3:
        rattle = spectral_gain(rattle, _closing(rng), 256) if length > 2_048 else rattle
    hz = float(np.exp(rng.uniform(np.log(38), np.log(400))))
    fall = decay_curve(length, rng.uniform(0.005, 0.06))
    body = sweep(hz * (1 + rng.uniform(0, 3) * fall)) * decay_curve(length, rng.uniform(0.03, 0.4))
    wave = normalise(rattle) + rng.choice([0, rng.uniform(0.1, 0.6), rng.uniform(0.6, 2)]) * body
    if rng.random() < 0.35:
        wave = crush(normalise(wave), int(rng.integers(3, 9)), int(rng.integers(1, 9)))
    if rng.random() < 0.35:
        wave = drive(wave, rng.uniform(1, 10))
    if rng.random() < 0.3:  # gated: cut off while it still sounds
        wave = wave[: int(length * rng.uniform(0.3, 0.9))]
        wave[-120:] *= np.linspace(1, 0, 120, dtype=np.float32)
    return normalise(wave.astype(np.float32))


def _layered_snare(rng: Rng, length: int) -> Wave:
    """Bands of noise that die away each at its own rate, over a boom, a knock or nothing."""
    length = max(length, samples(0.2))
    whole = length / 24_000
    wave = np.zeros(length, np.float32)
    for _ in range(int(rng.integers(1, 5))):
        low = float(np.exp(rng.uniform(np.log(150), np.log(6_000))))
        band = (low, low * float(np.exp(rng.uniform(0.3, 2.5))))
        part = normalise(biquad(noise(rng, length), "bandpass", band, int(rng.integers(1, 4))))
        wave += (
            10 ** rng.uniform(-1, 0) * part * decay_curve(length, whole * rng.uniform(0.06, 0.5))
        )
    if rng.random() < 0.7:
        hz = float(np.exp(rng.uniform(np.log(36), np.log(350))))
        body = sweep(hz * (1 + rng.uniform(0, 2) * decay_curve(length, rng.uniform(0.005, 0.05))))
        body *= decay_curve(length, whole * rng.uniform(0.08, 0.6))
        wave = normalise(wave) + 10 ** rng.uniform(-1, 0.5) * body
    if rng.random() < 0.4:
        wave = drive(wave, rng.uniform(0.5, 6))
    if rng.random() < 0.3:
        wave = crush(normalise(wave), int(rng.integers(4, 9)), int(rng.integers(1, 7)))
    wave[-240:] *= np.linspace(1, 0, 240, dtype=np.float32)
    return normalise(wave)


def _whistling_snare(rng: Rng, length: int) -> Wave:
    """Noise through a narrow filter that glides, usually down, while it dies away."""
    start, octaves = rng.uniform(800, 8_000), rng.normal(-0.7, 0.8)
    span, width = rng.uniform(0.03, 0.5), rng.uniform(0.1, 0.7)

    def gain(f: np.ndarray, t: np.ndarray) -> np.ndarray:
        centre = start * 2 ** (octaves * (1 - np.exp(-t / span)))
        return np.exp(-((np.log2((f + 1) / centre) / width) ** 2)) + 0.01

    length = max(length, samples(0.15))
    wave = spectral_gain(noise(rng, length), gain, 256)
    wave = normalise(wave) * decay_curve(length, length / 24_000 * rng.uniform(0.12, 0.5))
    snap_ = biquad(noise(rng, length), "highpass", rng.uniform(200, 3_000))
    wave += rng.uniform(0, 0.8) * normalise(snap_ * decay_curve(length, rng.uniform(0.005, 0.06)))
    return normalise(drive(wave, rng.uniform(0.5, 5)) if rng.random() < 0.3 else wave)


def _closing(rng: Rng) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A low-pass that closes."""
    top, span = rng.uniform(3_000, 10_000), rng.uniform(0.04, 0.4)
    return lambda f, t: 1 / (1 + (f / (200 + top * np.exp(-t / span))) ** 3)


def rimshot(rng: Rng) -> Wave:
    """Rim or side stick: a short dry knock."""
    length = samples(0.08)
    knock = sum(
        np.sin(2 * np.pi * hz * np.arange(length, dtype=np.float32) / 24_000)
        for hz in rng.uniform(400, 2_400, 3)
    )
    return normalise((knock + noise(rng, length)) * decay_curve(length, rng.uniform(0.006, 0.02)))


def clap(rng: Rng) -> Wave:
    """Hand clap: a few noise bursts in quick succession."""
    length = samples(rng.uniform(0.2, 0.4))
    curve = np.zeros(length, np.float32)
    for burst in range(int(rng.integers(2, 5))):
        start = samples(burst * rng.uniform(0.008, 0.014))
        curve[start:] = np.maximum(curve[start:], decay_curve(length - start, 0.006))
    curve += 0.5 * decay_curve(length, rng.uniform(0.03, 0.1))
    centre = rng.uniform(900, 2_000)
    return normalise(biquad(noise(rng, length), "bandpass", (centre * 0.6, centre * 2)) * curve)


def snap(rng: Rng) -> Wave:
    """Finger snap: a very short resonant click."""
    length = samples(0.12)
    centre = rng.uniform(1_500, 3_500)
    burst = biquad(noise(rng, length), "bandpass", (centre * 0.8, centre * 1.3))
    return normalise(burst * decay_curve(length, rng.uniform(0.008, 0.025)))


def _metal(rng: Rng, length: int) -> Wave:
    time = np.arange(length, dtype=np.float32) / 24_000
    base = rng.uniform(250, 600)
    ratios = np.array([1, 1.34, 1.79, 2.09, 2.56, 3.14]) * rng.uniform(0.95, 1.05, 6)
    metal = sum(np.sign(np.sin(2 * np.pi * base * ratio * time)) for ratio in ratios)
    mix = rng.uniform(0.1, 0.9)
    return (mix * metal / 3 + (1 - mix) * noise(rng, length)).astype(np.float32)


def hihat(rng: Rng) -> Wave:
    """Closed hi-hat."""
    length = samples(rng.uniform(0.05, 0.15))
    wave = biquad(_metal(rng, length), "highpass", rng.uniform(4_000, 8_500), 3)
    return normalise(wave * decay_curve(length, rng.uniform(0.008, 0.035)))


def open_hihat(rng: Rng) -> Wave:
    """Open hi-hat."""
    length = samples(rng.uniform(0.3, 0.7))
    wave = biquad(_metal(rng, length), "highpass", rng.uniform(4_000, 8_000), 3)
    return normalise(wave * decay_curve(length, rng.uniform(0.1, 0.25)))


def cymbal(rng: Rng) -> Wave:
    """Crash or splash cymbal."""
    length = samples(rng.uniform(0.8, 2.5))
    wave = biquad(_metal(rng, length), "highpass", rng.uniform(1_200, 4_000))
    return normalise(wave * decay_curve(length, rng.uniform(0.25, 0.8)))


def ride(rng: Rng) -> Wave:
    """Ride cymbal: a ping over a long shimmer."""
    length = samples(rng.uniform(0.8, 1.8))
    time = np.arange(length, dtype=np.float32) / 24_000
    ping = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(2_500, 7_000, 4))
    wash = biquad(_metal(rng, length), "highpass", 3_500) * decay_curve(length, 0.4)
    return normalise(ping * decay_curve(length, 0.12) * 0.5 + wash * rng.uniform(0.2, 0.7))


def tom(rng: Rng) -> Wave:
    """Tom-tom: a round, falling tone."""
    length = samples(rng.uniform(0.3, 0.8))
    wave = sweep(rng.uniform(70, 220) * (1 + 0.5 * decay_curve(length, rng.uniform(0.02, 0.08))))
    wave *= decay_curve(length, rng.uniform(0.08, 0.25))
    wave += 0.15 * noise(rng, length) * decay_curve(length, 0.02)
    if rng.random() < 0.3:  # a machine's: overdriven or crushed, a breath of noise on it
        wave = drive(wave, rng.uniform(1, 12))
        wave += (
            rng.uniform(0, 0.25) * noise(rng, length) * decay_curve(length, rng.uniform(0.05, 0.4))
        )
        if rng.random() < 0.4:
            wave = crush(normalise(wave), int(rng.integers(3, 8)), int(rng.integers(1, 7)))
    return normalise(wave)


def cowbell(rng: Rng) -> Wave:
    """Cowbell: two square tones a rough fifth apart."""
    length = samples(0.4)
    time = np.arange(length, dtype=np.float32) / 24_000
    base = rng.uniform(450, 650)
    wave = sum(np.sign(np.sin(2 * np.pi * base * ratio * time)) for ratio in (1, 1.48))
    wave = biquad(wave.astype(np.float32), "bandpass", (base * 0.8, base * 5))
    return normalise(wave * decay_curve(length, rng.uniform(0.05, 0.15)))


def woodblock(rng: Rng) -> Wave:
    """Wood block or claves: a short high tone."""
    length = samples(0.15)
    wave = sweep(np.full(length, rng.uniform(600, 2_600), np.float32))
    wave += 0.4 * sweep(np.full(length, rng.uniform(1_500, 4_500), np.float32))
    return normalise(wave * decay_curve(length, rng.uniform(0.008, 0.03)))


def shaker(rng: Rng) -> Wave:
    """Shaker or maracas: a soft burst of high noise."""
    length = samples(rng.uniform(0.06, 0.15))
    wave = biquad(noise(rng, length), "highpass", rng.uniform(3_500, 7_000))
    return normalise(wave * np.hanning(length).astype(np.float32) ** rng.uniform(0.7, 3), 0.7)


def tambourine(rng: Rng) -> Wave:
    """Tambourine: jingles."""
    length = samples(rng.uniform(0.15, 0.35))
    time = np.arange(length, dtype=np.float32) / 24_000
    jingle = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(4_000, 10_000, 8))
    wave = jingle + 2 * biquad(noise(rng, length), "highpass", 5_000)
    return normalise(wave.astype(np.float32) * decay_curve(length, rng.uniform(0.04, 0.12)))


def conga(rng: Rng) -> Wave:
    """Conga or bongo: a hand on a tuned skin."""
    length = samples(0.35)
    base = rng.uniform(160, 480)
    wave = sweep(base * (1 + 0.15 * decay_curve(length, 0.015)))
    wave += 0.4 * sweep(np.full(length, base * 1.6, np.float32)) * decay_curve(length, 0.03)
    wave *= decay_curve(length, rng.uniform(0.04, 0.14))
    slap = biquad(noise(rng, length), "bandpass", (800, 4_000)) * decay_curve(length, 0.006)
    return normalise(wave + rng.uniform(0.1, 0.9) * slap)


def tabla_high(rng: Rng) -> Wave:
    """Tabla, right drum: ringing near-harmonic partials (na, tin, tun) or a flat tap (te, re)."""
    kind = rng.random()
    if kind < 0.6:
        return _tabla_tap(rng) if kind < 0.3 else _tabla_open(rng)
    length = samples(rng.uniform(0.2, 0.9))
    time = np.arange(length, dtype=np.float32) / 24_000
    base, ring = rng.uniform(230, 420), rng.choice([0.02, 0.06, 0.18, 0.3])
    wave = np.zeros(length, np.float32)
    for k, level in enumerate(rng.uniform(0.2, 1.0, 5), 1):
        hz = base * k * rng.uniform(0.99, 1.01)
        wave += level / k**0.7 * np.sin(2 * np.pi * hz * time) * np.exp(-time * k**0.5 / ring)
    tap = biquad(noise(rng, length), "bandpass", (500, 5_000)) * decay_curve(length, 0.005)
    return normalise(wave + rng.uniform(0.2, 1.2) * tap)


def tabla_low(rng: Rng) -> Wave:
    """Tabla, left drum: a bending low tone (ghe) or a dull slap (ke)."""
    if rng.random() < 0.45:
        return _tabla_bend(rng)
    length = samples(rng.uniform(0.25, 1.0))
    base, bend = rng.uniform(75, 140), rng.uniform(-0.3, 0.6)
    time = np.linspace(0, 1, length, dtype=np.float32)
    wave = sweep(base * (1 + bend * np.minimum(1, time * rng.uniform(1, 4))))
    wave += 0.3 * sweep(2 * base * (1 + bend * time)) * decay_curve(length, 0.08)
    wave *= decay_curve(length, rng.choice([0.03, 0.15, 0.35]))
    slap = biquad(noise(rng, length), "bandpass", (200, 2_500)) * decay_curve(length, 0.01)
    return normalise(wave + rng.uniform(0.1, 0.7) * slap)


def _tabla_open(rng: Rng) -> Wave:
    """The right skin let ring: tun, nearly a sine; or na and ta, the rim's higher partials."""
    length = samples(rng.uniform(0.25, 2.2))
    time = np.arange(length, dtype=np.float32) / 24_000
    base, ring = rng.uniform(200, 480), length / 24_000 * rng.uniform(0.1, 0.45)
    pure = rng.random() < 0.5
    levels = np.array([1, 0.05, 0.03, 0.02, 0.01]) if pure else np.array([0.15, 1, 0.9, 0.5, 0.3])
    wave = np.zeros(length, np.float32)
    for k, level in enumerate(levels * np.exp(rng.normal(0, 0.6, 5)), 1):
        hz = base * k * rng.normal(1, 0.012)
        drop = 1 + rng.uniform(0, 0.02) * np.exp(-time / 0.03)
        partial = sweep((hz * drop).astype(np.float32))
        wave += level * partial * np.exp(-time * k ** rng.uniform(0.2, 1) / ring)
    high = rng.uniform(1_500, 7_000)
    tap = biquad(noise(rng, length), "bandpass", (rng.uniform(200, 900), high))
    tap = normalise(tap * decay_curve(length, rng.uniform(0.001, 0.008)))
    return normalise(normalise(wave) + rng.uniform(0.02, 0.9) * tap)


def _tabla_tap(rng: Rng) -> Wave:
    """Flat fingers on a damped skin: te, ti, re, ke; a knock, a slap of skin, the shell's thump."""
    length = samples(rng.uniform(0.08, 0.45))
    time = np.arange(length, dtype=np.float32) / 24_000
    wave = np.zeros(length, np.float32)
    base = rng.uniform(110, 420)
    for ratio in np.sort(rng.uniform(0.8, 4, int(rng.integers(3, 8)))):
        fade = float(np.exp(rng.uniform(np.log(0.003), np.log(0.04)))) / ratio**0.5
        wave += (
            rng.uniform(0.2, 1)
            / ratio
            * np.sin(2 * np.pi * base * ratio * time + rng.uniform(0, 6.28))
            * np.exp(-time / fade)
        )
    centre = float(np.exp(rng.uniform(np.log(500), np.log(5_000))))
    slap = biquad(noise(rng, length), "bandpass", (centre * 0.6, centre * rng.uniform(1.3, 3)), 1)
    slap = normalise(slap * decay_curve(length, rng.uniform(0.002, 0.02)))
    if rng.random() < 0.35:  # two fingers, one after the other
        late = samples(rng.uniform(0.008, 0.04))
        slap[late:] += rng.uniform(0.4, 1) * slap[:-late].copy()
    wave = normalise(wave) + rng.uniform(0.1, 1.5) * slap
    if rng.random() < 0.4:
        thump = sweep(np.full(length, rng.uniform(16, 75), np.float32))
        wave = wave + rng.uniform(0.1, 0.8) * thump * decay_curve(length, rng.uniform(0.02, 0.15))
    return normalise(wave.astype(np.float32))


def _tabla_bend(rng: Rng) -> Wave:
    """Ghe: the heel of the hand presses the left skin, and its tone rises, falls or both."""
    length = samples(rng.uniform(0.3, 2.5))
    time = np.arange(length, dtype=np.float32) / 24_000
    at, width = rng.uniform(0.03, 0.5), rng.uniform(0.02, 0.25)
    press = 1 / (1 + np.exp(-(time - at) / width)) - rng.uniform(0, 1) * (time > 0) * np.clip(
        (time - at - 3 * width) / (4 * width), 0, 1
    )
    hz = rng.uniform(65, 135) * (1 + rng.uniform(-0.3, 0.8) * press)
    hz *= 1 + rng.uniform(0, 0.4) * decay_curve(length, 0.015)
    wave = sweep(hz.astype(np.float32))
    for k in (2, 3):
        wave = wave + rng.uniform(0, 0.3) / k * sweep((k * hz).astype(np.float32))
    wave = wave * decay_curve(length, length / 24_000 * rng.uniform(0.12, 0.5))
    slap = biquad(noise(rng, length), "bandpass", (150, rng.uniform(800, 4_000)))
    slap = normalise(slap * decay_curve(length, rng.uniform(0.002, 0.015)))
    return normalise((normalise(wave) + rng.uniform(0.02, 0.6) * slap).astype(np.float32))


def timpani(rng: Rng) -> Wave:
    """Kettledrum: a deep tuned boom."""
    length = samples(1.5)
    base = rng.uniform(65, 150)
    parts = zip((1, 1.5, 1.98, 2.44), (1.0, 0.6, 0.4, 0.2), strict=True)
    wave = sum(lv * sweep(np.full(length, base * ratio, np.float32)) for ratio, lv in parts)
    wave = wave * decay_curve(length, rng.uniform(0.25, 0.6))
    return normalise(wave + 0.2 * noise(rng, length) * decay_curve(length, 0.01))


HITS: dict[str, tuple[Callable[[Rng], Wave], tuple[int, ...]]] = {
    # name: our synthesis, General MIDI percussion keys
    "kick": (kick, (35, 36)),
    "snare": (snare, (38, 40)),
    "machine_snare": (machine_snare, ()),
    "rimshot": (rimshot, (37,)),
    "clap": (clap, (39,)),
    "snap": (snap, ()),
    "hihat": (hihat, (42, 44)),
    "open_hihat": (open_hihat, (46,)),
    "cymbal": (cymbal, (49, 55, 57)),
    "ride": (ride, (51, 59)),
    "tom": (tom, (41, 43, 45, 47, 48, 50)),
    "cowbell": (cowbell, (56,)),
    "woodblock": (woodblock, (75, 76, 77)),
    "shaker": (shaker, (70, 82)),
    "tambourine": (tambourine, (54,)),
    "conga": (conga, (60, 61, 62, 63, 64)),
    "tabla_high": (tabla_high, ()),
    "tabla_low": (tabla_low, ()),
    "timpani": (timpani, ()),
}
