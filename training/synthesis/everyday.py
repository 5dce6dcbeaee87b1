"""Everyday and mechanical sounds: steps, clocks, doors, glass, machines, engines."""

from __future__ import annotations

import numpy as np

from training.synthesis import air, dsp, machines, metal, resonant
from training.synthesis.air import log_uniform
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
from training.synthesis.nature import scatter, wander

Rng = np.random.Generator


def crackle(rng: Rng) -> Wave:
    """Vinyl crackle: sparse clicks over soft hiss."""
    out = np.zeros(CLIP_SAMPLES, np.float32)
    count = int(rng.integers(30, 400))
    out[rng.integers(0, CLIP_SAMPLES, count)] = rng.standard_normal(count) ** 3
    out = biquad(out, "bandpass", (rng.uniform(300, 900), rng.uniform(3_000, 9_000)))
    return normalise(out) + rng.uniform(0.005, 0.1) * coloured_noise(rng, CLIP_SAMPLES, 0.5)


def footsteps(rng: Rng) -> Wave:
    """Steps at a walking pace."""
    out = np.zeros(CLIP_SAMPLES, np.float32)
    gap, low = rng.uniform(0.35, 0.8), rng.uniform(100, 500)
    for k in range(int(10 / gap)):
        length = samples(0.15)
        thud = biquad(noise(rng, length), "bandpass", (low, low * rng.uniform(4, 12)))
        add_at(out, normalise(thud * decay_curve(length, 0.025)), k * gap + rng.normal(0, 0.02))
    return normalise(out)


def clock(rng: Rng) -> Wave:
    """A ticking clock."""
    out = np.zeros(CLIP_SAMPLES, np.float32)
    length, gap = samples(0.04), rng.choice([0.25, 0.5, 1.0])
    for k in range(int(10 / gap)):
        hz = rng.uniform(1_800, 2_000) if k % 2 else rng.uniform(2_300, 2_600)
        tick = sweep(np.full(length, hz, np.float32)) + 0.6 * noise(rng, length)
        add_at(out, tick * decay_curve(length, 0.006), k * gap)
    return normalise(out)


def machine(rng: Rng) -> Wave:
    """A machine at work: mostly motors, cycles, presses; at times hum and clatter alone."""
    return machines.machine(rng) if rng.random() < 0.75 else _clatter(rng)


def _clatter(rng: Rng) -> Wave:
    """Hum with harmonics, rhythmic clatter."""
    time, out = timeline(10), np.zeros(CLIP_SAMPLES, np.float32)
    base = rng.uniform(30, 160)
    for k in range(1, 12):
        out += rng.uniform(0, 1) / k**0.5 * np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6))
    rate = rng.uniform(2, 14)
    gate = np.clip(np.sin(2 * np.pi * rate * time), 0, 1) ** 4
    clatter = biquad(noise(rng, CLIP_SAMPLES), "bandpass", (400, rng.uniform(2_000, 8_000)))
    return normalise(out * rng.uniform(0.1, 0.5) + clatter * gate * rng.uniform(0.3, 1.2))


def engine(rng: Rng) -> Wave:
    """A motor: pulses whose rate rises and falls."""
    rate = rng.uniform(25, 90) * (1 + 0.8 * wander(rng, 0.4))
    phase = np.cumsum(rate) / RATE
    pulses = np.exp(-6 * (phase % 1)) * (1 + 0.3 * noise(rng, CLIP_SAMPLES))
    return normalise(biquad(pulses.astype(np.float32), "lowpass", rng.uniform(500, 3_000)))


def helicopter(rng: Rng) -> Wave:
    """Rotor: low chopped noise."""
    phase = timeline(10) * rng.uniform(8, 18) % 1
    return normalise(biquad(noise(rng, CLIP_SAMPLES) * np.exp(-5 * phase), "lowpass", 900))


def train(rng: Rng) -> Wave:
    """A train: rumble and pairs of clacks."""
    out = biquad(coloured_noise(rng, CLIP_SAMPLES, 1.6), "lowpass", 900) * 0.6
    gap = rng.uniform(0.5, 1.2)
    for k in range(int(10 / gap)):
        for offset in (0, 0.14):
            length = samples(0.1)
            clack = biquad(noise(rng, length), "bandpass", (300, 2_500)) * decay_curve(length, 0.02)
            add_at(out, normalise(clack), k * gap + offset)
    return normalise(out)


def explosion(rng: Rng) -> Wave:
    """An explosion or cinematic boom with a long tail."""
    length = samples(rng.uniform(2, 6))
    boom = coloured_noise(rng, length, rng.uniform(1.2, 2.2)) * decay_curve(
        length, rng.uniform(0.4, 1.4)
    )
    low = sweep(rng.uniform(35, 60) * (1 + decay_curve(length, 0.15)))
    return normalise(boom + rng.uniform(0.2, 1) * low * decay_curve(length, 0.9))


def cinematic_boom(rng: Rng) -> Wave:
    """A trailer's hit: perhaps a swell before, a deep drum, a sub that sinks, a huge dark room."""
    before = rng.uniform(0.2, 2.2) if rng.random() < 0.55 else 0.0
    out = dsp.silence(before + rng.uniform(1, 4))
    if before:
        swell = coloured_noise(rng, samples(before), rng.uniform(0.3, 2))
        if rng.random() < 0.4:
            swell = air.movement(rng)[: samples(before)]
        else:
            swell = biquad(swell, "lowpass", log_uniform(rng, 300, 6_000), 1)
            swell *= np.linspace(0, 1, len(swell), dtype=np.float32) ** rng.uniform(1, 4)
        add_at(out, normalise(swell), 0, log_uniform(rng, 0.05, 0.9))
    left = len(out) - samples(before)
    path = rng.uniform(22, 60) * (1 + rng.uniform(0, 3) * decay_curve(left, rng.uniform(0.02, 0.4)))
    sub = dsp.drive(sweep(path.astype(np.float32)), log_uniform(rng, 0.3, 6))
    sub = sub * decay_curve(left, log_uniform(rng, 0.2, 2))
    add_at(out, sub, before, rng.uniform(0.3, 1))
    for _ in range(int(rng.integers(1, 5))):  # drums, doors and steel, slowed
        hit = dsp.pitch_shift(resonant.impact(rng), log_uniform(rng, 0.3, 1))
        add_at(out, hit, before + rng.uniform(0, 0.03), rng.uniform(0.1, 0.9))
    if rng.random() < 0.3:  # a low brass chord or a growl
        tone = sum(np.sign(sweep(np.full(left, 55 * 2 ** (n / 12), np.float32))) for n in
                   rng.integers(-7, 8, 3))  # fmt: skip
        tone = biquad(tone.astype(np.float32), "lowpass", log_uniform(rng, 150, 1_500))
        add_at(out, normalise(tone) * decay_curve(left, rng.uniform(0.3, 2)), before, 0.5)
    rumble = coloured_noise(rng, left, rng.uniform(1.3, 2.5)) * (0.4 + wander(rng, 6, left))
    rumble = normalise(rumble.astype(np.float32)) * decay_curve(left, log_uniform(rng, 0.3, 2.5))
    add_at(out, rumble, before, rng.uniform(0, 0.9))
    out = normalise(out)
    if rng.random() < 0.8:
        out = metal.room(rng, out, log_uniform(rng, 1.5, 7), rng.uniform(0.2, 0.85))
    if rng.random() < 0.5:
        out = biquad(out, "lowpass", log_uniform(rng, 250, 6_000), 1)
    out = out[:CLIP_SAMPLES].copy()
    out[-samples(0.3) :] *= np.linspace(1, 0, samples(0.3), dtype=np.float32)
    return normalise(out)


def door(rng: Rng) -> Wave:
    """A door: creak or latch, then a slam."""
    if rng.random() < 0.65:
        return resonant.slam(rng)
    out = dsp.silence(rng.uniform(0.8, 1.8))
    for start in (0.0, rng.uniform(0.08, 0.6)):
        length = samples(0.3)
        slam = biquad(noise(rng, length), "lowpass", rng.uniform(400, 2_500))
        add_at(out, normalise(slam * decay_curve(length, 0.04)), start, rng.uniform(0.3, 1))
    if rng.random() < 0.5:
        add_at(out, creak(rng)[: samples(0.5)], 0, 0.4)
    return normalise(out)


def creak(rng: Rng) -> Wave:
    """Creaking wood: irregular resonant pulses."""
    length = samples(rng.uniform(0.6, 1.5))
    rate = rng.uniform(30, 120) * (1 + 0.8 * wander(rng, 3, length))
    phase = np.cumsum(rate) / RATE
    clicks = (np.diff(np.floor(phase), prepend=0) > 0) * rng.uniform(0.3, 1, length)
    centre = rng.uniform(400, 1_800)
    return normalise(biquad(clicks.astype(np.float32), "bandpass", (centre * 0.8, centre * 1.3)))


def glass(rng: Rng) -> Wave:
    """Glass: clinks, a bottle, or a shatter of high partials."""
    if rng.random() < 0.3:
        return _plain_glass(rng)
    clinks = rng.random() < 0.65
    out = dsp.silence(rng.uniform(0.6, 2))
    for _ in range(int(rng.integers(1, 5)) if clinks else int(rng.integers(12, 50))):
        start = rng.uniform(0, 0.5) if clinks else log_uniform(rng, 0.003, 1.5)
        piece = _clink(rng, log_uniform(rng, 0.04, 0.8) if clinks else log_uniform(rng, 0.01, 0.15))
        add_at(out, piece, start, rng.uniform(0.2, 1) * (1 if clinks else np.exp(-start)))
    if not clinks:
        burst = biquad(noise(rng, len(out)), "highpass", log_uniform(rng, 800, 5_000))
        add_at(out, normalise(burst * decay_curve(len(out), rng.uniform(0.01, 0.2))), 0, 0.6)
    return metal.recorded(rng, normalise(out))


def _clink(rng: Rng, seconds: float) -> Wave:
    """One struck glass, bottle or shard: the modes of a cup, (n^2 - 1) apart."""
    n = np.arange(2, 9)
    base = log_uniform(rng, 350, 5_500)
    hertz = base * (n**2 - 1) / 3 * np.exp(rng.normal(0, 0.06, len(n)))
    levels, decays = rng.uniform(0.1, 1, len(n)), seconds * (hertz / base) ** -rng.uniform(0, 0.8)
    wave = metal.modes(rng, *metal.doubled(rng, hertz, levels, decays), samples(4 * seconds + 0.02))
    hit = metal.strike(rng, min(len(wave), samples(0.03)))
    wave = normalise(wave)
    add_at(wave, hit, 0, rng.uniform(0, 0.5))
    return wave


def _plain_glass(rng: Rng) -> Wave:
    """Clinks of four partials, one, two or twenty."""
    out = dsp.silence(1.2)
    for _ in range(int(rng.choice([1, 2, 20]))):
        length = samples(rng.uniform(0.1, 0.8))
        time = np.arange(length, dtype=np.float32) / RATE
        ring = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(2_000, 9_000, 4))
        add_at(
            out,
            ring * decay_curve(length, length / RATE / 5),
            rng.uniform(0, 0.3),
            rng.uniform(0.2, 1),
        )
    return normalise(out)


def glass_rub(rng: Rng) -> Wave:
    """Rubbed or bowed glasses, a glass harmonica, a bottle blown: pure tones that waver."""
    if rng.random() < 0.2:
        return _plain_rub(rng)
    seconds = log_uniform(rng, 1, 10)
    out, low = dsp.silence(seconds), log_uniform(rng, 170, 1_500)
    count = int(rng.choice([1, 1, 1, 2, 2, 3, 4]))
    chord = (1, 1.5, 2, 1.25, 1.2, 1.333, 1.006, 0.5, rng.uniform(1, 2))
    make = _blown_bottle if rng.random() < 0.12 else _rim
    for k in range(count):
        start = rng.uniform(0, 0.4) * seconds if k else 0.0
        wave = make(rng, low * (chord[rng.integers(9)] if k else 1), seconds - start)
        add_at(out, wave, start, rng.uniform(0.3, 1))
    if rng.random() < 0.5:
        out = metal.room(rng, normalise(out), log_uniform(rng, 0.4, 5), rng.uniform(0.1, 0.7))
    return normalise(out[:CLIP_SAMPLES])


def _rim(rng: Rng, hz: float, seconds: float) -> Wave:
    """A wet finger round a rim: the tone swells twice a turn, slips, squeaks and rustles."""
    time = timeline(seconds)
    turn = log_uniform(rng, 0.4, 3.5) * (1 + 0.15 * wander(rng, 1, len(time)))
    phase = 2 * np.pi * (np.cumsum(turn) / RATE + rng.random())
    depth = rng.uniform(0, 1) ** 0.7
    level = 1 - depth * (0.5 + 0.5 * np.sin(phase)) ** rng.uniform(0.5, 2)
    if rng.random() < 0.4:
        level = level * (0.3 + wander(rng, log_uniform(rng, 1, 8), len(time)))
    drift = 1 + rng.uniform(0, 0.004) * np.sin(phase + rng.uniform(0, 6))
    drift += rng.uniform(-0.02, 0.02) * np.exp(-time / rng.uniform(0.05, 0.5))
    path = 2 * np.pi * np.cumsum(hz * drift) / RATE
    wave, tilt = np.zeros(len(time)), rng.uniform(1.2, 4)
    for part, ratio in enumerate((1, 2, 3, 2.31, 4.2), 1):
        share = part**-tilt * rng.uniform(0.2, 1) if part > 1 else 1
        wave += share * level ** (1 + 0.3 * part) * np.sin(ratio * path)
    skin = biquad(noise(rng, len(time)), "bandpass", (hz, min(10_000, hz * rng.uniform(2, 10))), 1)
    wave += log_uniform(rng, 0.001, 0.08) * normalise(skin) * level
    return _faded(rng, wave, log_uniform(rng, 0.01, 0.8))


def _blown_bottle(rng: Rng, hz: float, seconds: float) -> Wave:
    """Breath over a bottle's neck: a soft tone and as much air."""
    time = timeline(seconds)
    breath_ = 0.6 + 0.4 * wander(rng, 3, len(time))
    tone = np.sin(2 * np.pi * hz / 2 * np.cumsum(1 + 0.01 * breath_) / RATE)
    hiss = biquad(noise(rng, len(time)), "bandpass", (hz / 3, hz * rng.uniform(2, 8)), 1)
    wave = tone * breath_ + log_uniform(rng, 0.03, 0.6) * normalise(hiss) * breath_
    return _faded(rng, wave, log_uniform(rng, 0.03, 0.4))


def _faded(rng: Rng, wave: np.ndarray, seconds: float) -> Wave:
    """In and out."""
    rise = min(samples(seconds), len(wave) // 2)
    fall = min(samples(log_uniform(rng, 0.02, 2)), len(wave) // 2)
    shape = np.ones(len(wave))
    shape[:rise] = np.linspace(0, 1, rise)
    shape[len(wave) - fall :] = np.linspace(1, 0, fall)
    return normalise((wave * shape).astype(np.float32))


def _plain_rub(rng: Rng) -> Wave:
    """Three tones that waver."""
    time, out = timeline(10), np.zeros(CLIP_SAMPLES, np.float32)
    base = rng.uniform(350, 1_300)
    for k in (1, 2.01, 3.2):
        out += (
            rng.uniform(0.1, 1) / k * np.sin(2 * np.pi * base * k * time) * (0.3 + wander(rng, 2))
        )
    return normalise(out + 0.03 * biquad(noise(rng, CLIP_SAMPLES), "highpass", 2_000))


def typing(rng: Rng) -> Wave:
    """Keyboard or mouse clicks."""

    def key() -> Wave:
        length = samples(0.03)
        return normalise(biquad(noise(rng, length), "highpass", 1_500) * decay_curve(length, 0.004))

    return scatter(rng, key, rng.uniform(3, 9), 0.4)


def heartbeat(rng: Rng) -> Wave:
    """A heart: pairs of low thuds."""
    out, gap = np.zeros(CLIP_SAMPLES, np.float32), rng.uniform(0.7, 1.2)
    length = samples(0.2)
    for k in range(int(10 / gap)):
        for offset, level in ((0, 1.0), (0.28 * gap, 0.7)):
            thud = sweep(np.full(length, rng.uniform(40, 70), np.float32)) * decay_curve(
                length, 0.05
            )
            add_at(out, thud, k * gap + offset, level)
    return normalise(out)


def applause(rng: Rng) -> Wave:
    """Many hands clapping."""

    def hand() -> Wave:
        length, centre = samples(0.03), rng.uniform(700, 2_500)
        burst = biquad(noise(rng, length), "bandpass", (centre * 0.7, centre * 1.6))
        return normalise(burst * decay_curve(length, 0.006))

    return normalise(scatter(rng, hand, rng.uniform(40, 200)))


def breath(rng: Rng) -> Wave:
    """Breathing, sighs, steam: soft swelling noise."""
    out, gap = np.zeros(CLIP_SAMPLES, np.float32), rng.uniform(1.2, 3)
    for k in range(int(10 / gap)):
        length = samples(gap * rng.uniform(0.4, 0.8))
        centre = rng.uniform(600, 2_500)
        puff = biquad(noise(rng, length), "bandpass", (centre * 0.5, centre * 2))
        add_at(out, normalise(puff * np.hanning(length).astype(np.float32)), k * gap)
    return normalise(out)


def burp(rng: Rng) -> Wave:
    """A burp or croak: low irregular pulses through a throat."""
    length = samples(rng.uniform(0.3, 1.0))
    tone = rng.uniform(45, 110) * (1 + 0.25 * wander(rng, 12, length))
    pulses = np.exp(-5 * (np.cumsum(tone) / RATE % 1)).astype(np.float32)
    pulses = pulses - pulses.mean() + 0.1 * noise(rng, length)
    wave = biquad(pulses, "bandpass", (200, 900)) + 0.4 * biquad(pulses, "bandpass", (900, 2_000))
    return normalise(wave * np.hanning(length).astype(np.float32) ** 0.4)


def coins(rng: Rng) -> Wave:
    """Coins or a cash register: bright jingles, perhaps a bell and a drawer."""
    out = dsp.silence(rng.uniform(0.6, 2))
    for _ in range(int(rng.integers(2, 10))):
        length = samples(0.25)
        time = np.arange(length, dtype=np.float32) / RATE
        ring = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(3_500, 10_000, 5))
        add_at(out, ring * decay_curve(length, 0.05), rng.uniform(0, 1.2), rng.uniform(0.2, 1))
    if rng.random() < 0.5:
        length = samples(0.6)
        bell = sweep(np.full(length, rng.uniform(1_800, 3_000), np.float32))
        add_at(out, bell * decay_curve(length, 0.2), rng.uniform(0, 0.4), 3)
    return normalise(out)
