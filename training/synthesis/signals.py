"""Machines that talk and ring: telephones handled and dialled, ringtones, servos, droids, data."""

from __future__ import annotations

import numpy as np

from training.synthesis import dsp, resonant, speech
from training.synthesis.air import log_uniform
from training.synthesis.dsp import (
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
)

Rng = np.random.Generator
_TUNES = (
    (0, 4, 7, 12),
    (12, 0, 12, 0),
    (0, 3, 0, 7),
    (7, 5, 4, 2, 0),
    (0, 0, 7, 7),
    (12, 11, 7, 4),
)


def clack(rng: Rng, low: float = 300, high: float = 9_000) -> Wave:
    """Two bits of plastic or metal meeting: a burst of noise and a few short modes."""
    length = samples(rng.uniform(0.01, 0.09))
    wave = noise(rng, length) * decay_curve(length, log_uniform(rng, 0.0008, 0.01))
    wave = normalise(biquad(wave, "bandpass", (low, high), 1))
    time = np.arange(length) / RATE
    for _ in range(int(rng.integers(0, 5))):
        ring = np.sin(2 * np.pi * log_uniform(rng, 300, 7_000) * time)
        wave += rng.uniform(0.1, 0.6) * ring * decay_curve(length, rng.uniform(0.002, 0.03))
    return normalise(wave.astype(np.float32))


def thump(rng: Rng) -> Wave:
    """A dull knock of a case or a foot."""
    length = samples(rng.uniform(0.08, 0.35))
    fall = log_uniform(rng, 50, 180) * (1 + rng.uniform(0, 1.5) * decay_curve(length, 0.02))
    wave = sweep(fall) + 0.4 * biquad(noise(rng, length), "lowpass", rng.uniform(200, 900))
    return normalise(wave * decay_curve(length, rng.uniform(0.015, 0.09)))


def room(rng: Rng, wave: Wave, chance: float = 0.4) -> Wave:
    """In a room, with its tail, more or less often."""
    if rng.random() > chance:
        return normalise(wave)
    tail = np.concatenate([wave, dsp.silence(rng.uniform(0.1, 1.2))])
    return normalise(dsp.reverb(tail, rng, rng.uniform(0.15, 1.8), rng.uniform(0.1, 0.5)))


def _background(rng: Rng, length: int) -> Wave:
    """What a microphone hears besides: a faint coloured noise."""
    return 10 ** rng.uniform(-3, -1.2) * coloured_noise(rng, length, rng.uniform(0.3, 2))


# Telephones


def rotary_dial(rng: Rng, seconds: float) -> Wave:
    """A dial wound up and running back: a ratchet, pulses, the stop."""
    out, time = dsp.silence(seconds), 0.0
    click, tooth = clack(rng), clack(rng, 800, 10_500)
    rate, grit = rng.uniform(8, 26), rng.uniform(0.1, 1)
    while time < seconds:
        for turn, sound in ((rate * rng.uniform(1, 2.5), tooth), (rate, click)):
            count = int(rng.integers(2, 14))
            length = samples(count / turn)
            rub = coloured_noise(rng, length, rng.uniform(0, 0.8)) * grit * rng.uniform(0.1, 0.6)
            add_at(out, biquad(rub, "highpass", rng.uniform(200, 2_000), 1), time)
            for k in range(count):
                add_at(out, sound, time + k / turn + rng.normal(0, 0.003), rng.uniform(0.5, 1))
            time += count / turn
            if rng.random() < 0.6:
                add_at(out, thump(rng), time, rng.uniform(0.3, 1))
        time += rng.uniform(0.05, 0.8)
    return out


def handset(rng: Rng, seconds: float) -> Wave:
    """A receiver or keypad handled: clatter, knocks, keys pressed."""
    out = dsp.silence(seconds)
    keys = [clack(rng) for _ in range(3)]
    for _ in range(int(rng.integers(2, 4 + 6 * seconds))):
        start = rng.uniform(0, seconds)
        for k in range(int(rng.integers(1, 5))):
            add_at(
                out, keys[rng.integers(3)], start + k * rng.uniform(0.02, 0.1), rng.uniform(0.2, 1)
            )
        if rng.random() < 0.3:
            add_at(out, thump(rng), start, rng.uniform(0.3, 1))
    return out


def vibration(rng: Rng, seconds: float) -> Wave:
    """A telephone buzzing on a table: a motor's pulses, the table's ring, rattles."""
    time = np.arange(samples(seconds)) / RATE
    hz = rng.uniform(90, 260) * (1 + 0.03 * np.sin(2 * np.pi * rng.uniform(0.5, 4) * time))
    phase = np.cumsum(hz) / RATE % 1
    pulses = np.exp(-phase * rng.uniform(4, 30)) - 0.1
    pulses = pulses * (1 + rng.uniform(0, 0.8) * noise(rng, len(time)))
    low = log_uniform(rng, 80, 900)
    wave = biquad(pulses.astype(np.float32), "bandpass", (low, low * rng.uniform(3, 12)), 1)
    on, pause = rng.uniform(0.15, 1.2), rng.uniform(0.1, 1)
    level = np.convolve(time % (on + pause) < on, np.ones(600) / 600, "same")
    return (wave * level).astype(np.float32)


def ringtone(rng: Rng, seconds: float) -> Wave:
    """A little tune of one voice: squares, pulses, two operators, or small bells."""
    out, tune = dsp.silence(seconds), _TUNES[rng.integers(len(_TUNES))]
    if rng.random() < 0.5:
        tune = tuple(rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16], int(rng.integers(2, 9))))
    base, step, kind = log_uniform(rng, 300, 1_500), log_uniform(rng, 0.04, 0.3), rng.integers(4)
    pause = rng.integers(0, 8)
    for k in range(int(seconds / step)):
        place = k % (len(tune) * 2 + pause)
        if place >= len(tune) * 2:
            continue
        length = samples(step * 0.95)
        hz, time = base * 2 ** (tune[place % len(tune)] / 12), np.arange(length) / RATE
        if kind <= 1:
            wave = np.where(hz * time % 1 < (0.5, 0.2)[kind], 1.0, -1.0)
        else:
            depth = rng.uniform(0.5, 4) * decay_curve(length, 0.1)
            wave = np.sin(2 * np.pi * hz * time + depth * np.sin(2 * np.pi * hz * 3.5 * time))
        fall = decay_curve(length, step * (2, 2, 0.4, 1)[kind])
        add_at(out, (wave * fall).astype(np.float32), k * step)
    return out


def gong_ringer(rng: Rng, seconds: float) -> Wave:
    """An old ringer in its case: quick strokes on one or two gongs, the case knocking along."""
    out, rate = dsp.silence(seconds), rng.uniform(12, 32)
    ratios = resonant.mode_ratios(rng)
    base = log_uniform(rng, 600, 3_000)
    rings = [resonant.ring(rng, base * r, ratios, rng.uniform(0.05, 0.8), 0.8) for r in
             (1, rng.uniform(1, 1.35))]  # fmt: skip
    knock, share = clack(rng), rng.uniform(0, 1.2)
    stop = rng.uniform(0.4, 1) * seconds
    for k in range(int(stop * rate)):
        add_at(out, rings[k % 2], k / rate, rng.uniform(0.7, 1))
        add_at(out, knock, k / rate + rng.normal(0, 0.001), share * rng.uniform(0.5, 1))
    return out


def fax(rng: Rng, seconds: float) -> Wave:
    """Answer tones, warbles and scrambled noise of a modem or a fax, one after another."""
    out, time = dsp.silence(seconds), 0.0
    while time < seconds:
        length = samples(rng.uniform(0.08, 1.2))
        grid, kind = np.arange(length) / RATE, rng.integers(4)
        if kind == 0:
            wave = sweep(np.full(length, rng.choice([1_100, 1_300, 2_100, 2_225]), np.float32))
        elif kind == 1:
            wave = biquad(noise(rng, length), "bandpass", (rng.uniform(300, 900), 3_300))
        elif kind == 2:
            bits = rng.integers(0, 2, 400)[(grid * rng.choice([50, 110, 300])).astype(int) % 400]
            wave = sweep((rng.choice([980, 1_650]) + 200 * bits).astype(np.float32))
        else:
            wave = sum(sweep(np.full(length, hz, np.float32)) for hz in rng.uniform(350, 3_000, 3))
        add_at(out, normalise(np.asarray(wave, np.float32)), time, rng.uniform(0.4, 1))
        time += length / RATE + rng.choice([0, rng.uniform(0.02, 0.3)])
    return out


def caller(rng: Rng, seconds: float) -> Wave:
    """A voice on the line: the telephone's band, its carbon's crackle, gaps."""
    voice = speech.speak(rng)[: samples(seconds + 1)]
    voice = biquad(voice, "bandpass", (rng.uniform(280, 600), rng.uniform(2_200, 3_600)), 4)
    voice = dsp.drive(voice, log_uniform(rng, 0.5, 8))
    if rng.random() < 0.4:
        voice = dsp.crush(voice, int(rng.integers(4, 9)), int(rng.integers(1, 4)))
    if rng.random() < 0.3:
        voice = voice * (rng.random(len(voice) // 480 + 1) < 0.85).repeat(480)[: len(voice)]
    hiss = biquad(noise(rng, len(voice)), "bandpass", (300, 3_400))
    return normalise(voice + rng.uniform(0, 0.08) * hiss)


TELEPHONES = {rotary_dial: 2.0, handset: 1.0, vibration: 1.2, ringtone: 2.0, gong_ringer: 1.5,
              fax: 1.0, caller: 0.7}  # fmt: skip


def further_telephone(rng: Rng, seconds: float) -> Wave:
    """One of the telephones above, sometimes picked up or hung up at an end; often in a room."""
    weights = np.array(list(TELEPHONES.values()))
    make = list(TELEPHONES)[rng.choice(len(weights), p=weights / weights.sum())]
    wave = normalise(make(rng, seconds))
    if rng.random() < 0.3:
        add_at(wave, thump(rng), seconds * rng.uniform(0.7, 0.95), rng.uniform(0.5, 1.5))
        add_at(wave, clack(rng), seconds * rng.uniform(0, 0.95), rng.uniform(0.3, 1))
    wave = room(rng, wave)
    return normalise(wave + _background(rng, len(wave)))


# Robots


def _motor(rng: Rng, length: int) -> Wave:
    """A geared motor running up, at speed and down: many harmonics and grinding noise."""
    place = np.linspace(0, 1, length)
    course = np.minimum(1, place * rng.uniform(1.5, 12)) * np.minimum(
        1, (1 - place) * rng.uniform(1, 12))  # fmt: skip
    slide = np.linspace(1, rng.uniform(0.4, 1.8), length)
    hz = log_uniform(rng, 60, 1_600) * (rng.uniform(0.3, 0.95) + course * 0.5) * slide
    hz = hz * (1 + rng.uniform(0, 0.03) * np.sin(2 * np.pi * rng.uniform(5, 60) * place))
    phase, wave = np.cumsum(hz) / RATE, np.zeros(length)
    for part in range(1, int(rng.integers(3, 14))):
        wave += rng.uniform(0.1, 1) / part**0.4 * np.sin(2 * np.pi * part * phase)
    low = log_uniform(rng, 300, 2_500)
    grind = biquad(noise(rng, length), "bandpass", (low, low * rng.uniform(2, 5)), 1)
    grind = grind * (0.5 + 0.5 * np.sin(2 * np.pi * phase * rng.choice([0.25, 0.5, 1])))
    wave = normalise(wave.astype(np.float32)) + rng.uniform(0, 1.2) * normalise(grind)
    return normalise((wave * course ** rng.uniform(0.3, 1.5)).astype(np.float32))


def _hiss(rng: Rng, length: int) -> Wave:
    """Compressed air let out."""
    wave = biquad(noise(rng, length), "bandpass", (log_uniform(rng, 400, 3_000), 10_500), 1)
    return normalise(wave * decay_curve(length, length / RATE / rng.uniform(1.5, 6)))


def machine_moves(rng: Rng) -> Wave:
    """A robot moving: motors, stops, clanks, air, heavy feet, in a hall or close by."""
    seconds = rng.uniform(0.4, 4)
    out, time = dsp.silence(seconds), rng.choice([0, rng.uniform(0, 0.2)])
    heavy = rng.random()
    while time < seconds:
        length = samples(log_uniform(rng, 0.1, 0.9))
        add_at(out, _motor(rng, length), time, rng.uniform(0.3, 1))
        if rng.random() < 0.35:
            add_at(out, _hiss(rng, length), time, rng.uniform(0.2, 1))
        for _ in range(int(rng.integers(0, 6))):
            add_at(out, clack(rng), time + rng.uniform(0, 0.5), rng.uniform(0.1, 0.8))
        if rng.random() < heavy:
            add_at(out, thump(rng), time + rng.uniform(0, length / RATE), rng.uniform(0.4, 1.6))
        time += length / RATE * rng.uniform(0.6, 1.8)
    out = room(rng, out, 0.5)
    return normalise(out + _background(rng, len(out)))


def power_down(rng: Rng) -> Wave:
    """One short move or a machine stopping: a whine that slides, a knock, grit dying away."""
    length = samples(log_uniform(rng, 0.2, 1.4))
    place, seconds = np.linspace(0, 1, length), length / RATE
    hz = log_uniform(rng, 300, 3_000) * 2 ** (rng.uniform(-2, 0.7) * place ** rng.uniform(0.4, 1.5))
    phase, wave = np.cumsum(hz) / RATE, np.zeros(length)
    for ratio in rng.choice([0.5, 1, 1.5, 2, 2.76, 3, 4.1], int(rng.integers(1, 6))):
        wave += rng.uniform(0.1, 1) * np.sin(2 * np.pi * phase * ratio)
    grit = biquad(noise(rng, length), "bandpass", (log_uniform(rng, 300, 2_500), 9_000), 1)
    wave = normalise(wave.astype(np.float32)) + rng.uniform(0.1, 1.5) * normalise(grit)
    wave = wave * decay_curve(length, seconds / rng.uniform(2, 8))
    add_at(wave, thump(rng), rng.uniform(0, 0.1), rng.uniform(0.2, 1.5))
    for _ in range(int(rng.integers(0, 5))):
        add_at(wave, clack(rng), rng.uniform(0, seconds), rng.uniform(0.1, 0.7))
    return room(rng, wave, 0.3)


def droid(rng: Rng) -> Wave:
    """A small robot talking: whistles, trills, warbles, chirps and grumbles in quick turn."""
    out, time = dsp.silence(rng.uniform(0.3, 3)), 0.0
    centre = log_uniform(rng, 300, 2_500)
    while time < len(out) / RATE:
        length = samples(log_uniform(rng, 0.03, 0.5))
        place = np.arange(length) / RATE
        bend = 2 ** (rng.uniform(-1.5, 1.5) * np.linspace(0, 1, length) ** rng.uniform(0.4, 2))
        shake = rng.choice([0, 0, rng.uniform(0.02, 0.5)])
        rate = log_uniform(rng, 6, 90)
        hz = (
            centre * 2 ** rng.uniform(-1, 1) * bend * (1 + shake * np.sin(2 * np.pi * rate * place))
        )
        phase = np.cumsum(hz) / RATE
        depth = rng.choice([0, rng.uniform(0.3, 5)])
        wave = np.sin(
            2 * np.pi * phase + depth * np.sin(2 * np.pi * phase * rng.choice([0.5, 1, 1.4]))
        )
        wave = wave * dsp.envelope(length, 0.004, 1, 1, 0.01)
        add_at(out, wave.astype(np.float32), time, rng.uniform(0.4, 1))
        time += length / RATE + rng.choice([0, rng.uniform(0.01, 0.15)])
    return room(rng, out, 0.25)


def babble(rng: Rng) -> Wave:
    """Syllables through a vocoder: one buzzing pitch or chord, vowels moving over it."""
    length = samples(rng.uniform(0.4, 3))
    time, seconds = np.arange(length) / RATE, length / RATE
    base = log_uniform(rng, 50, 260)
    buzz = sum(2 * (base * r * time % 1) - 1 for r in rng.choice(
        [0.5, 1, 1.01, 1.25, 1.5, 2], int(rng.integers(1, 4))))  # fmt: skip
    buzz = (buzz + rng.uniform(0, 0.7) * noise(rng, length)).astype(np.float32)
    count = max(2, int(seconds * rng.uniform(3, 12)))
    bounds = (250, 900), (800, 2_400), (2_200, 3_500)
    tracks = [np.repeat(rng.uniform(*b, count), 2) for b in bounds]
    loud = np.repeat(rng.choice([0.02, 0.6, 1, 1], count), 2)
    knots = np.sort(
        np.concatenate([np.linspace(0, seconds, count), np.linspace(0.08, seconds, count)])
    )

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        peaks = sum(0.6**k / (1 + ((hz - np.interp(t, knots, track)) / (90 + 60 * k)) ** 2)
                    for k, track in enumerate(tracks))  # fmt: skip
        return peaks * np.interp(t, knots, loud)

    wave = normalise(dsp.spectral_gain(buzz, gain, 512))
    if rng.random() < 0.5:
        wave = dsp.crush(wave, int(rng.integers(3, 8)), int(rng.integers(1, 7)))
    if rng.random() < 0.4:
        wave = (wave * np.sin(2 * np.pi * rng.uniform(30, 500) * time)).astype(np.float32)
    return room(rng, wave, 0.25)


# Broken machines


def data_burst(rng: Rng) -> Wave:
    """Bits heard as sound: keyed tones, buzzes, crushed noise and gaps, each a few milliseconds."""
    out, time = dsp.silence(rng.uniform(0.08, 2)), 0.0
    step = log_uniform(rng, 0.002, 0.09)
    while time < len(out) / RATE:
        length, kind = samples(step * rng.integers(1, 5)), rng.integers(5)
        grid = np.arange(length) / RATE
        hz = log_uniform(rng, 40, 8_000)
        if kind == 0:
            wave = np.sign(np.sin(2 * np.pi * hz * grid))
        elif kind == 1:
            wave = np.repeat(rng.uniform(-1, 1, length // 3 + 1), int(rng.integers(3, 30)))[:length]
        elif kind == 2:
            wave = np.sin(
                2 * np.pi * hz * grid + 9 * np.sin(2 * np.pi * hz * rng.uniform(0.1, 3) * grid)
            )
        elif kind == 3:
            wave = (hz * grid % 1) * rng.choice([-1, 1], length)
        else:
            wave = np.zeros(length)
        add_at(out, wave.astype(np.float32), time, rng.uniform(0.2, 1))
        time += length / RATE
    return normalise(out)


def noise_shot(rng: Rng) -> Wave:
    """A burst of broken noise with a tone or two in it, cut off or dying in a bright room."""
    length = samples(log_uniform(rng, 0.1, 1.4))
    hold, time = int(rng.choice([1, 1, 2, 4, 9])), np.arange(length) / RATE
    wave = np.repeat(noise(rng, length // hold + 1), hold)[:length]
    wave = biquad(wave, "bandpass", (log_uniform(rng, 40, 900), rng.uniform(3_000, 11_000)), 1)
    wave = (
        normalise(wave)
        * (rng.random(length // 300 + 1) < rng.uniform(0.6, 1.1)).repeat(300)[:length]
    )
    for _ in range(int(rng.integers(0, 4))):
        ring = np.sin(2 * np.pi * log_uniform(rng, 200, 4_000) * time)
        wave = wave + rng.uniform(0.05, 0.5) * ring * decay_curve(length, rng.uniform(0.05, 0.5))
    flat = np.minimum(1, rng.uniform(0.02, 0.4) / np.maximum(np.linspace(0, 1, length), 1e-3))
    wave = wave * flat * decay_curve(length, rng.uniform(0.03, 0.4))
    if rng.random() < 0.4:
        wave = dsp.reverb(
            wave.astype(np.float32), rng, rng.uniform(0.2, 1.5), rng.uniform(0.2, 0.7)
        )
    return normalise(wave.astype(np.float32))


def broken(rng: Rng) -> Wave:
    """Data or noise that a machine spits out, stuttering or not."""
    wave = (data_burst if rng.random() < 0.4 else noise_shot)(rng)
    if rng.random() < 0.3:
        grain = wave[: samples(log_uniform(rng, 0.004, 0.08))]
        wave = np.concatenate([np.tile(grain, int(rng.integers(2, 16))), wave])
    if rng.random() < 0.4:
        wave = dsp.crush(normalise(wave), int(rng.integers(2, 8)), int(rng.integers(1, 10)))
    return normalise(wave)
