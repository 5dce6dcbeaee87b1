"""Machines at work: stepping motors, presses, pumps, conveyors, fans, printers, servo drives.

A machine repeats itself: a cycle of a few events, each from its own part (motor, valve, catch,
sheet), over a bed of fans and hum, in a hall or near at hand.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.synthesis import dsp, metal, resonant
from training.synthesis.air import log_uniform
from training.synthesis.dsp import (
    CLIP_SECONDS,
    RATE,
    Wave,
    add_at,
    biquad,
    coloured_noise,
    decay_curve,
    noise,
    normalise,
    samples,
)

Rng = np.random.Generator


def _buzz(rng: Rng, path: np.ndarray) -> Wave:
    """A motor's tone along a path of hertz: steps, brushes or teeth, through its housing."""
    phase = np.cumsum(path) / RATE
    kind = rng.integers(4)
    if kind == 0:  # steps
        wave = np.sign(np.sin(2 * np.pi * phase)) * rng.uniform(0.3, 1) + np.sin(4 * np.pi * phase)
    elif kind == 1:
        wave = phase % 1 - 0.5
    elif kind == 2:
        wave = np.exp(-rng.uniform(2, 12) * (phase % 1))
    else:
        wave = np.sin(2 * np.pi * phase + rng.uniform(0.5, 4) * np.sin(
            2 * np.pi * phase * rng.choice([0.5, 2, 3, 1.51])))  # fmt: skip
    wave = wave - wave.mean() + rng.uniform(0, 0.3) * noise(rng, len(path))
    low = log_uniform(rng, 60, 900)
    return normalise(
        biquad(wave.astype(np.float32), "bandpass", (low, low * rng.uniform(3, 20)), 1)
    )


def _move(rng: Rng, hz: float, seconds: float) -> np.ndarray:
    """A motor's speed: up, held, down; at times stepped or wavering."""
    length = samples(seconds)
    ramp = max(1, int(length * rng.uniform(0.02, 0.4)))
    path = np.full(length, hz)
    path[:ramp] = np.linspace(0.3 * hz, hz, ramp)
    path[length - ramp :] = np.linspace(hz, 0.3 * hz, ramp)
    return path


def stepper(rng: Rng) -> Wave:
    """A 3D printer, plotter or scanner: two or three motors in short moves of different pitch."""
    seconds, pieces = log_uniform(rng, 1.5, 10), []
    low, fast = log_uniform(rng, 60, 400), log_uniform(rng, 0.04, 0.5)
    speeds = low * 2 ** rng.uniform(0, 3, int(rng.integers(2, 6)))
    same = rng.random() < 0.5  # to and fro, as when filling a surface
    total = 0.0
    while total < seconds:
        move = fast if same else fast * log_uniform(rng, 0.4, 3)
        hz = speeds[len(pieces) % 2] if same else speeds[rng.integers(len(speeds))]
        path = _move(rng, hz, move)
        if rng.random() < 0.2:  # an arc: one axis slows as the other hurries
            path = path * np.linspace(1, rng.uniform(0.4, 2), len(path))
        pieces.append(path)
        total += move
    paths = np.concatenate(pieces)[: samples(seconds)]
    wave = _buzz(rng, paths)
    if rng.random() < 0.6:
        other = np.roll(paths, int(rng.integers(len(paths)))) * log_uniform(rng, 0.4, 2)
        wave = wave + rng.uniform(0.2, 1) * _buzz(rng, other)
    if rng.random() < 0.5:  # the fan
        wave = wave + log_uniform(rng, 0.02, 0.5) * _bed(rng, len(wave))
    return normalise(wave)


def _bed(rng: Rng, length: int) -> Wave:
    """What goes on all the time: fans, hum, air."""
    wave = coloured_noise(rng, length, rng.uniform(0.3, 2))
    time, hz = np.arange(length, dtype=np.float32) / RATE, log_uniform(rng, 35, 400)
    for part in range(1, int(rng.integers(1, 9))):
        wave += rng.uniform(0.02, 0.4) / part**0.7 * np.sin(2 * np.pi * hz * part * time)
    if rng.random() < 0.4:
        wave *= 1 + rng.uniform(0.2, 1) * np.sin(2 * np.pi * log_uniform(rng, 2, 30) * time)
    return normalise(wave.astype(np.float32))


def _hiss(rng: Rng) -> Wave:
    """A valve lets out air or steam."""
    length = samples(log_uniform(rng, 0.04, 0.7))
    low = log_uniform(rng, 400, 5_000)
    puff = biquad(noise(rng, length), "bandpass", (low, low * rng.uniform(1.8, 8)), 1)
    attack = log_uniform(rng, 0.001, 0.08)
    return normalise(puff * dsp.envelope(length, attack, rng.uniform(0.03, 0.4), 0.1, 0.02))


def _whirr(rng: Rng) -> Wave:
    """A short move of a motor."""
    return _buzz(rng, _move(rng, log_uniform(rng, 50, 1_500), log_uniform(rng, 0.06, 0.8)))


def _clank(rng: Rng) -> Wave:
    """Steel or wood on steel."""
    make = (resonant.metal_hit, resonant.metal_hit, resonant.wood_hit, resonant.thud)
    return make[rng.integers(4)](rng)[: samples(log_uniform(rng, 0.05, 0.8))]


def _ratchet(rng: Rng) -> Wave:
    """A catch over teeth, quicker or slower."""
    out, gap = dsp.silence(rng.uniform(0.15, 0.8)), log_uniform(rng, 0.012, 0.09)
    click = resonant.wood_hit(rng)[: samples(0.04)]
    click = dsp.pitch_shift(click, log_uniform(rng, 1, 4))
    drift, start = rng.uniform(0.93, 1.08), 0.0
    while start < len(out) / RATE and gap > 0.005:
        add_at(out, click, start, rng.uniform(0.5, 1))
        start, gap = start + gap, gap * drift
    return normalise(out)


_PARTS: tuple[Callable[[Rng], Wave], ...] = (_hiss, _whirr, _clank, _clank, _ratchet)


def cycle(rng: Rng) -> Wave:
    """A press, a loom, a conveyor, an assembly line: the same events in every turn."""
    turn = log_uniform(rng, 0.25, 3)
    out = dsp.silence(turn)
    for _ in range(int(rng.integers(2, 8))):
        part = normalise(_PARTS[rng.integers(len(_PARTS))](rng))
        times = int(rng.choice([1, 1, 2, 3, 4, 8]))
        start = rng.choice([rng.uniform(0, 1), rng.integers(0, 16) / 16])
        level = rng.uniform(0.2, 1)
        for k in range(times):  # what sounds past the end of the turn is in the next
            place = (start + k / times) % 1 * turn
            add_at(out, part, place, level)
            add_at(out, part, place - turn, level)
    count = int(np.ceil(min(CLIP_SECONDS, log_uniform(rng, 1, 10)) / turn))
    turns = [out * rng.uniform(0.85, 1) for _ in range(count)]
    wave = np.concatenate(turns)[: samples(CLIP_SECONDS)]
    return normalise(wave + log_uniform(rng, 0.01, 0.6) * _bed(rng, len(wave)))


def running(rng: Rng) -> Wave:
    """A motor, pump or compressor that runs: a pulse with knocks, teeth and breath in it."""
    seconds = log_uniform(rng, 1.5, 10)
    rate = log_uniform(rng, 1.2, 25)
    out = dsp.silence(seconds)
    kinds = [_clank(rng)[: samples(min(0.4, 2 / rate))] for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.6:
        kinds.append(_hiss(rng)[: samples(1 / rate)])
    offsets = rng.uniform(0, 1, len(kinds))
    for k in range(int(seconds * rate)):
        for part, offset in zip(kinds, offsets, strict=True):
            place = (k + offset + rng.normal(0, 0.01)) / rate
            add_at(out, part, max(0.0, place), rng.uniform(0.6, 1))
    load = np.sin(2 * np.pi * rate * np.arange(len(out)) / RATE)
    whine = _buzz(rng, log_uniform(rng, 40, 700) * (1 + rng.uniform(0, 0.05) * load))
    wave = normalise(out) * rng.uniform(0.2, 1) + rng.uniform(0, 0.7) * whine
    return normalise(wave + log_uniform(rng, 0.02, 0.6) * _bed(rng, len(out)))


def servo(rng: Rng) -> Wave:
    """A robot's arm, a lens, a lift: moves of one motor with clicks at their ends."""
    out, hz = dsp.silence(log_uniform(rng, 0.6, 6)), log_uniform(rng, 80, 1_500)
    start = 0.0
    while start < len(out) / RATE:
        whirr = _buzz(rng, _move(rng, hz * log_uniform(rng, 0.7, 1.5), log_uniform(rng, 0.06, 1)))
        add_at(out, whirr, start, rng.uniform(0.4, 1))
        click = noise(rng, 400) * decay_curve(400, 0.002)
        add_at(out, click, start + len(whirr) / RATE, log_uniform(rng, 0.03, 0.8))
        start += len(whirr) / RATE + log_uniform(rng, 0.01, 0.5)
    return normalise(out)


def matrix_printer(rng: Rng) -> Wave:
    """Needles in bursts, line by line, the paper moved between; a sewing machine, a typewriter."""
    out, line = dsp.silence(log_uniform(rng, 1.5, 8)), log_uniform(rng, 0.2, 1.2)
    needles, start = log_uniform(rng, 15, 500), 0.0
    while start < len(out) / RATE:
        path = np.full(samples(line * rng.uniform(0.3, 1)), needles * rng.uniform(0.95, 1.05))
        burst = np.exp(-rng.uniform(4, 20) * (np.cumsum(path) / RATE % 1)) * noise(rng, len(path))
        burst = biquad(burst.astype(np.float32), "bandpass", (500, log_uniform(rng, 1_500, 9_000)))
        add_at(out, normalise(burst), start, rng.uniform(0.6, 1))
        add_at(out, _whirr(rng), start + len(path) / RATE, rng.uniform(0.05, 0.6))
        start += line * 1.15
    return normalise(out)


def machine(rng: Rng) -> Wave:
    """Any of them, in a hall or near."""
    makers = (stepper, cycle, running, servo, matrix_printer)
    wave = makers[rng.choice(5, p=[0.27, 0.33, 0.2, 0.1, 0.1])](rng)
    if rng.random() < 0.25:
        wave = dsp.drive(wave, log_uniform(rng, 0.5, 10))
    if rng.random() < 0.3:
        wave = biquad(wave, "lowpass", log_uniform(rng, 600, 8_000), 1)
    if rng.random() < 0.4:
        wave = metal.room(rng, wave, log_uniform(rng, 0.2, 2.5), rng.uniform(0.05, 0.5), 0.01)
    return normalise(wave)
