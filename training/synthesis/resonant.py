"""Struck and rubbed bodies by their modes: bells, bars, plates, boxes, things that hit things.

Ratios of modes: free bar (2k+1)^2 and clamped bar from beam theory, plate m^2 + n^2 a^2, and for
church bells A. Lehr's measurements (hum 0.5, prime 1, tierce 1.2, quint 1.5, nominal 2 ...).
"""

from __future__ import annotations

import numpy as np

from training.synthesis import dsp, metal
from training.synthesis.air import log_uniform
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
    return metal.bell(rng) if rng.random() < 0.7 else _plain_bell(rng)


def _plain_bell(rng: Rng) -> Wave:
    """A body's modes and a hit, or frequency modulation."""
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
    return impact(rng) if rng.random() < 0.6 else _plain_object(rng)


def _plate(rng: Rng, low: float, octaves: float, count: int, longest: float) -> Wave:
    """A panel, sheet or hollow body: modes crowded as those of a plate, evenly over hertz."""
    hertz = low * (1 + (2**octaves - 1) * np.sort(rng.uniform(0, 1, count)) ** rng.uniform(1, 2))
    levels = rng.uniform(0.1, 1, count) * (hertz / low) ** -rng.uniform(-0.2, 1.6)
    decays = longest * (hertz / low) ** -rng.uniform(0.2, 1.1)
    decays *= np.exp(rng.normal(0, 0.4, count))
    return normalise(metal.modes(rng, hertz, levels, decays, samples(min(5 * longest + 0.03, 6))))


def _air_thump(rng: Rng) -> Wave:
    """The push of air and floor: a low tone that sinks, and dull noise."""
    length = samples(0.5)
    path = log_uniform(rng, 32, 130) * (1 + rng.uniform(0, 1.5) * decay_curve(length, 0.015))
    tone = dsp.sweep(path.astype(np.float32)) * decay_curve(length, log_uniform(rng, 0.03, 0.2))
    dull = biquad(noise(rng, length), "lowpass", log_uniform(rng, 90, 600), 1)
    dull = normalise(dull * decay_curve(length, log_uniform(rng, 0.01, 0.12)))
    return normalise(tone + rng.uniform(0, 1) * dull)


def wood_hit(rng: Rng) -> Wave:
    """Hollow or massive wood: a box, a desk, a barrel, a log."""
    body = _plate(rng, log_uniform(rng, 80, 900), rng.uniform(1, 4), int(rng.integers(4, 30)),
                  log_uniform(rng, 0.012, 0.12))  # fmt: skip
    add_at(body, metal.strike(rng, min(len(body), samples(0.1))), 0, rng.uniform(0.05, 0.8))
    return body


def metal_hit(rng: Rng) -> Wave:
    """Sheet, pipe, drum, anvil, gate: many modes, a clang, often long."""
    body = _plate(rng, log_uniform(rng, 60, 900), rng.uniform(2, 6), int(rng.integers(12, 130)),
                  log_uniform(rng, 0.06, 1.1))  # fmt: skip
    add_at(body, metal.strike(rng, min(len(body), samples(0.15))), 0, rng.uniform(0.1, 1))
    if rng.random() < 0.4:
        add_at(body, _air_thump(rng), 0, rng.uniform(0.1, 0.8))
    return body


def thud(rng: Rng) -> Wave:
    """Something heavy falls: a body in two or three parts, a bag, a box on a floor."""
    out = dsp.silence(rng.uniform(0.6, 1.4))
    for part in range(int(rng.choice([1, 1, 2, 3]))):
        start = part * rng.uniform(0.04, 0.3)
        add_at(out, _air_thump(rng), start, rng.uniform(0.3, 1))
        floor = _plate(rng, log_uniform(rng, 50, 220), rng.uniform(1, 4), 20,
                       log_uniform(rng, 0.02, 0.12))  # fmt: skip
        add_at(out, floor, start + rng.uniform(0, 0.01), rng.uniform(0.05, 0.8))
        add_at(out, metal.strike(rng, samples(0.12)), start, rng.uniform(0, 0.5))
    if rng.random() < 0.4:  # cloth, gravel, what lies about
        rustle = biquad(noise(rng, samples(0.4)), "bandpass", (700, log_uniform(rng, 1_500, 9_000)))
        rustle *= decay_curve(len(rustle), rng.uniform(0.03, 0.15))
        add_at(out, normalise(rustle), rng.uniform(0, 0.15), rng.uniform(0.02, 0.3))
    return normalise(out)


def door_slam(rng: Rng) -> Wave:
    """A door falls shut: perhaps hinges or a handle before, panel and air, latch, rattle."""
    before = rng.uniform(0.05, 0.5) if rng.random() < 0.5 else 0.0
    out = dsp.silence(before + rng.uniform(0.5, 1.3))
    longest = log_uniform(rng, 0.1, 0.5) if rng.random() < 0.3 else log_uniform(rng, 0.02, 0.15)
    low, count = log_uniform(rng, 45, 200), int(rng.integers(15, 80))
    panel = _plate(rng, low, rng.uniform(2, 5), count, longest)
    add_at(out, panel, before, rng.uniform(0.3, 1))
    add_at(out, _air_thump(rng), before + rng.uniform(0, 0.01), rng.uniform(0.2, 1.5))
    add_at(out, metal.strike(rng, samples(0.2)), before, rng.uniform(0.05, 0.8))
    latch = _plate(rng, log_uniform(rng, 400, 2_500), rng.uniform(1, 3), 12, 0.02)
    for _ in range(int(rng.integers(0, 6))):
        start = before + rng.choice([-1, 1, 1]) * log_uniform(rng, 0.01, 0.3)
        add_at(out, latch, max(0.0, start), log_uniform(rng, 0.03, 0.7))
    bounce, gap = before, rng.uniform(0.05, 0.2)
    while rng.random() < 0.5 and gap > 0.01:
        bounce, gap = bounce + gap, gap * rng.uniform(0.5, 0.9)
        add_at(out, panel, bounce, rng.uniform(0.05, 0.4))
    if before and rng.random() < 0.6:  # it moves towards the frame
        move = biquad(noise(rng, samples(before)), "bandpass", (60, log_uniform(rng, 300, 3_000)))
        move = normalise(move) * np.linspace(0, 1, len(move), dtype=np.float32) ** 2
        add_at(out, move, 0, log_uniform(rng, 0.01, 0.3))
    return normalise(out)


def knocks(rng: Rng) -> Wave:
    """Knuckles or a fist on a door or a wall, two to six times."""
    count, gap = int(rng.integers(2, 7)), rng.uniform(0.1, 0.35)
    out = dsp.silence(count * gap + 0.4)
    one = _plate(rng, log_uniform(rng, 70, 400), rng.uniform(1, 4), int(rng.integers(6, 40)),
                 log_uniform(rng, 0.015, 0.08))  # fmt: skip
    add_at(one, metal.strike(rng, min(len(one), samples(0.06))), 0, rng.uniform(0.1, 0.6))
    for k in range(count):
        add_at(out, one, k * gap + rng.normal(0, 0.015), rng.uniform(0.5, 1))
    return normalise(out)


def crash(rng: Rng) -> Wave:
    """A collision: a big hit, then parts that fall, roll and ring."""
    out = dsp.silence(rng.uniform(0.8, 3))
    makers = (wood_hit, metal_hit, thud)
    main = makers[rng.integers(3)]
    add_at(out, main(rng), 0, 1)
    add_at(out, _air_thump(rng), 0, rng.uniform(0, 1))
    part = makers[rng.integers(2)](rng)
    for _ in range(int(rng.integers(3, 22))):
        start = log_uniform(rng, 0.02, len(out) / RATE)
        small = dsp.pitch_shift(part, log_uniform(rng, 0.6, 3))
        add_at(out, small, start, 0.6 * rng.uniform(0.1, 1) * np.exp(-start))
    return normalise(out)


def impact(rng: Rng) -> Wave:
    """A hit, slam, thud, knock or crash, dry or in a room of any size, as it was cut."""
    makers = (wood_hit, metal_hit, thud, door_slam, knocks, crash)
    return _placed(rng, makers[rng.choice(6, p=[0.17, 0.25, 0.18, 0.2, 0.08, 0.12])](rng))


def slam(rng: Rng) -> Wave:
    """A door that falls shut or is knocked on, in its room."""
    return _placed(rng, knocks(rng) if rng.random() < 0.2 else door_slam(rng))


def _placed(rng: Rng, wave: Wave) -> Wave:
    if rng.random() < 0.65:
        wave = metal.room(rng, wave, log_uniform(rng, 0.25, 4), rng.uniform(0.1, 0.8))
    return metal.edited(rng, wave)


def _plain_object(rng: Rng) -> Wave:
    """A body, a thump and a noise, debris at times."""
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
