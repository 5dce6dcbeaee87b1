"""Air that is moved: things flying past, swung sticks, cloth, brushes, sounds played backwards."""

from __future__ import annotations

import numpy as np

from training.synthesis import dsp
from training.synthesis.dsp import RATE, Wave, biquad, coloured_noise, noise, normalise, samples

Rng = np.random.Generator
_SPEED_OF_SOUND = 343.0
_SKIN = (1.0, 1.59, 2.14, 2.3, 2.65)  # modes of a membrane


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """A random number whose logarithm is evenly spread."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def swell(rng: Rng, length: int) -> Wave:
    """A level that rises once and falls: sharp or soft on either side, often with a long tail."""
    top = max(1, int(length * log_uniform(rng, 0.08, 0.8)))
    rise = np.linspace(0, 1, top) ** rng.uniform(0.6, 4)
    position = np.linspace(0, 1, length - top)
    fall = (1 - position) ** rng.uniform(0.6, 3)
    if rng.random() < 0.6:
        fall = fall * np.exp(-position * log_uniform(rng, 1, 25))
        fall += log_uniform(rng, 0.01, 0.25) * (1 - position) ** rng.uniform(1, 3)
    return np.concatenate([rise, fall]).astype(np.float32)


def _flutter(rng: Rng, length: int, speed: float) -> Wave:
    """A random level between 0 and 1 that changes `speed` times a second."""
    points = rng.uniform(0, 1, int(length / RATE * speed) + 4)
    place = np.linspace(0, len(points) - 2, length)
    return np.interp(place, np.arange(len(points)), points).astype(np.float32)


def fly_by(rng: Rng) -> Wave:
    """Something passing close: noise or an engine, nearer and farther, its pitch falling."""
    length = samples(log_uniform(rng, 0.35, 6))
    time = np.arange(length) / RATE
    speed, miss = log_uniform(rng, 8, 130), log_uniform(rng, 1, 25)
    moment = rng.uniform(0.25, 0.75) * length / RATE
    distance = np.sqrt(miss**2 + (speed * (time - moment)) ** 2)
    source = coloured_noise(rng, length, rng.uniform(0.3, 1.8))
    if rng.random() < 0.5:
        hz = log_uniform(rng, 50, 500)
        for part in range(1, int(rng.integers(2, 8))):
            phase = hz * part * rng.uniform(0.99, 1.01) * time
            source += rng.uniform(0.05, 0.4) / part * (2 * (phase % 1) - 1).astype(np.float32)
    heard = (time - distance / _SPEED_OF_SOUND) * RATE
    wave = np.interp(heard % (length - 1), np.arange(length), source)
    dull = log_uniform(rng, 8_000, 80_000)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        return 1 / (1 + (hz * np.interp(t, time, distance) / dull) ** 2)

    wave = dsp.spectral_gain((wave * miss / distance).astype(np.float32), gain, 512)
    fade = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / samples(0.05))
    return normalise((wave * fade).astype(np.float32))


def dark_swish(rng: Rng) -> Wave:
    """A dull stroke of air: a few low resonances of noise that sink or rise, over a faint hiss."""
    length = samples(log_uniform(rng, 0.12, 5))
    time, out = length / RATE, np.zeros(length, np.float32)
    base, sink = log_uniform(rng, 120, 1_400), rng.uniform(-1.5, 1)
    centres = base * 2 ** rng.uniform(-0.8, 0.8, int(rng.integers(1, 5)))
    width = log_uniform(rng, 0.05, 0.5)
    floor = 10 ** rng.uniform(-2.6, -0.9)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        moved = 2 ** (sink * t / time)
        near = sum(np.exp(-(np.log((hz + 5) / (c * moved)) ** 2) / (2 * width**2)) for c in centres)
        return near + floor

    frame = 512 if length < 12_000 else 1_024
    out = dsp.spectral_gain(coloured_noise(rng, length, rng.uniform(0, 1)), gain, frame)
    out = normalise(out) * swell(rng, length)
    rumble = biquad(noise(rng, length), "lowpass", rng.uniform(60, 200), 1)
    return normalise(out + rng.uniform(0, 0.1) * normalise(rumble))


def swing(rng: Rng) -> Wave:
    """A stick, rope or blade through the air: its hum follows its speed (Strouhal's number)."""
    strokes = []
    thick, fastest = log_uniform(rng, 0.003, 0.05), rng.uniform(8, 60)
    for _ in range(int(rng.choice([1, 1, 1, 2, 3, 5]))):
        length = samples(log_uniform(rng, 0.12, 0.8))
        course = np.sin(np.linspace(0, np.pi, length) ** rng.uniform(0.7, 1.4)).clip(0)
        speed = fastest * rng.uniform(0.6, 1) * course**2
        hz = np.maximum(40, 0.2 * speed / thick)
        place, width = np.arange(length) / RATE, rng.uniform(0.1, 0.5)

        def gain(f: np.ndarray, t: np.ndarray, hz=hz, place=place, width=width) -> np.ndarray:
            return np.exp(-(np.log((f + 20) / np.interp(t, place, hz)) ** 2) / (2 * width**2))

        wave = dsp.spectral_gain(noise(rng, length), gain, 512)
        wave = wave * (speed / fastest).astype(np.float32) ** rng.uniform(0.8, 2)
        strokes += [wave, dsp.silence(rng.uniform(0.005, 0.2))]
    return normalise(np.concatenate(strokes))


def cloth(rng: Rng) -> Wave:
    """Cloth, paper or leaves drawn over something: strokes of rough noise."""
    strokes = []
    low = log_uniform(rng, 150, 3_000)
    band = (low, low * rng.uniform(2, 12))
    for _ in range(int(rng.choice([1, 1, 2, 2, 3, 4]))):
        length = samples(log_uniform(rng, 0.1, 1.2))
        wave = biquad(coloured_noise(rng, length, rng.uniform(0, 1)), "bandpass", band, 1)
        rough = _flutter(rng, length, log_uniform(rng, 20, 600)) ** rng.uniform(0.5, 4)
        strokes += [normalise(wave * rough) * swell(rng, length) * rng.uniform(0.4, 1)]
        strokes += [dsp.silence(rng.uniform(0.002, 0.25))]
    return normalise(np.concatenate(strokes))


def brush(rng: Rng) -> Wave:
    """A wire brush or a hand over a drum: many fine hits on skin and snares, the skin humming."""
    length = samples(log_uniform(rng, 0.12, 1.2))
    hits = noise(rng, length) * (rng.random(length) < log_uniform(rng, 0.02, 1)).astype(np.float32)
    skin, sharp, body = log_uniform(rng, 100, 500), rng.uniform(1.05, 1.5), np.zeros(length)
    for ratio in _SKIN[: int(rng.integers(1, 6))]:
        band = (skin * ratio / sharp, skin * ratio * sharp)
        body += rng.uniform(0.2, 1) * normalise(biquad(hits, "bandpass", band, 1))
    wires = biquad(hits, "bandpass", (log_uniform(rng, 500, 4_000), rng.uniform(5_000, 11_000)), 1)
    curve = swell(rng, length)
    wave = normalise(body.astype(np.float32)) * curve
    later = np.roll(curve, samples(rng.uniform(-0.03, 0.03)))
    wave += normalise(wires) * later * 10 ** rng.uniform(-2.2, 0.2)
    rumble = normalise(biquad(noise(rng, length), "lowpass", rng.uniform(40, 200), 1))
    return normalise(wave + rng.uniform(0, 0.15) * rumble * np.sqrt(curve))


def backwards(rng: Rng) -> Wave:
    """A cymbal, a hit's room or a chord played backwards: growing, then cut or passing over."""
    length = samples(log_uniform(rng, 0.25, 4))
    time = np.arange(length) / RATE
    wave = biquad(noise(rng, length), "highpass", log_uniform(rng, 60, 4_000), 1)
    wave = normalise(biquad(wave, "lowpass", log_uniform(rng, 900, 10_000), 1))
    if rng.random() < 0.5:
        hz = log_uniform(rng, 80, 900)
        for ratio in rng.uniform(1, 9, int(rng.integers(2, 12))):
            wave += rng.uniform(0.05, 0.4) * np.sin(2 * np.pi * hz * ratio * time, dtype=np.float32)
    wave = wave * dsp.decay_curve(length, length / RATE / rng.uniform(1.5, 7))
    wave = wave[::-1]
    if rng.random() < 0.5:
        tail = wave[::-1][: int(length * rng.uniform(0.1, 1))]
        tail = tail * dsp.decay_curve(len(tail), rng.uniform(0.02, 0.5))
        wave = np.concatenate([wave, tail])
    return normalise(wave.astype(np.float32))


def deep_rush(rng: Rng) -> Wave:
    """A long dark rush as before a change of scene: layers of low noise and dragged tones."""
    seconds = log_uniform(rng, 0.8, 8)
    length, out = samples(seconds), dsp.silence(seconds)
    for _ in range(int(rng.integers(1, 4))):
        cutoff = log_uniform(rng, 120, 4_000)
        layer = coloured_noise(rng, length, rng.uniform(0.5, 2))
        layer = biquad(layer, "bandpass", (cutoff * rng.uniform(0.1, 0.6), cutoff), 1)
        out += normalise(layer) * swell(rng, length) * rng.uniform(0.3, 1)
    for _ in range(int(rng.integers(0, 4))):
        hz = log_uniform(rng, 40, 500) * 2 ** np.linspace(0, rng.uniform(-1, 1), length)
        wave = dsp.sweep(hz * (1 + rng.uniform(0, 0.05) * _flutter(rng, length, 6)))
        wave = np.tanh(wave * log_uniform(rng, 0.5, 6))
        out += rng.uniform(0.05, 0.6) * wave * swell(rng, length)
    return normalise(dsp.reverb(out, rng, rng.uniform(0.5, 3), rng.uniform(0.1, 0.6)))


MOVEMENTS = {fly_by: 2.0, dark_swish: 3.0, swing: 1.5, cloth: 1.0, brush: 2.5, backwards: 1.0,
             deep_rush: 1.5}  # fmt: skip


def movement(rng: Rng) -> Wave:
    """Any of them, as it is or in a room."""
    weights = np.array(list(MOVEMENTS.values()))
    wave = list(MOVEMENTS)[rng.choice(len(weights), p=weights / weights.sum())](rng)
    if rng.random() < 0.35:
        tail = np.concatenate([wave, dsp.silence(rng.uniform(0.1, 2))])
        wave = dsp.reverb(tail, rng, rng.uniform(0.2, 3), rng.uniform(0.1, 0.6))
    return normalise(wave)
