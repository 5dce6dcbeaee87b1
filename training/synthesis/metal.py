"""Metal that rings: many decaying modes at once, bells small and large, electronic ones, rooms.

High modes die sooner than low ones, each mode of a body that is not quite round is a pair that
beats, and what is heard besides is the clapper, the room, the distance, and where an editor cut.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from training.synthesis import dsp
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
_BLOCK = 512
_CHURCH = (0.5, 1, 1.2, 1.5, 2, 2.5, 2.67, 3, 4, 5.33, 6.67, 8.2, 9.9)
_HAND = (1, 2.76, 3, 5.4, 8.93, 9.2, 13.3)
_BAR = (1, 2.76, 5.4, 8.93, 13.34, 18.64)
_ROOM_BANDS = ((40, 180), (180, 700), (700, 2_500), (2_500, 9_000))


def modes(rng: Rng, hertz: np.ndarray, levels: np.ndarray, decays: np.ndarray, length: int) -> Wave:
    """The sum of decaying sines, as one product of matrices (so that a hundred cost little)."""
    heard = (hertz > 15) & (hertz < 0.46 * RATE)
    hertz, levels, decays = hertz[heard], levels[heard], np.maximum(decays[heard], 1e-3)
    if not len(hertz):
        return noise(rng, length) * decay_curve(length, 0.002)
    step = (2j * np.pi * hertz - 1 / decays) / RATE
    starts = levels * np.exp(1j * rng.uniform(0, 2 * np.pi, len(hertz)))
    blocks = np.arange(-(-length // _BLOCK)) * _BLOCK
    coarse = (starts * np.exp(np.outer(blocks, step))).astype(np.complex64)
    fine = np.exp(np.outer(step, np.arange(_BLOCK))).astype(np.complex64)
    return (coarse @ fine).imag.ravel()[:length].astype(np.float32)


def doubled(
    rng: Rng, hertz: np.ndarray, levels: np.ndarray, decays: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each mode with a twin some tenths of a hertz to a percent away."""
    apart = 1 + log_uniform(rng, 1e-4, 0.02) * rng.uniform(0.3, 1, len(hertz))
    return (
        np.concatenate([hertz, hertz * apart]),
        np.concatenate([levels, levels * rng.uniform(0, 1, len(hertz))]),
        np.concatenate([decays, decays * rng.uniform(0.6, 1.3, len(hertz))]),
    )


def room(rng: Rng, wave: Wave, seconds: float, wet: float, tail: float | None = None) -> Wave:
    """A room whose bands die at different speeds, the low ones last; the tail is kept."""
    length = samples(seconds)
    impulse, lower = np.zeros(length, np.float32), rng.uniform(0.25, 1.1)
    for low, high in _ROOM_BANDS:
        band = biquad(noise(rng, length), "bandpass", (low, high), 1)
        fall = seconds / 5 * (low / 40) ** (-0.35 * lower)
        impulse += band * decay_curve(length, fall) * rng.uniform(0.3, 1) * (low / 40) ** -0.1
    for _ in range(int(rng.integers(0, 8))):  # early reflections
        impulse[int(rng.uniform(0.002, 0.06) * RATE) % length] += rng.uniform(-3, 3)
    longer = samples(seconds * rng.uniform(0.5, 1) if tail is None else tail)
    wave = np.concatenate([wave, np.zeros(longer, np.float32)])
    heard = signal.fftconvolve(wave, impulse)[: len(wave)].astype(np.float32)
    return (1 - wet) * normalise(wave) + wet * normalise(heard)


def recorded(rng: Rng, wave: Wave, largest: float = 3.0) -> Wave:
    """Often in a room, then edited."""
    if rng.random() < 0.5:
        wave = room(rng, wave, log_uniform(rng, 0.3, largest), rng.uniform(0.1, 0.7))
    return edited(rng, wave)


def edited(rng: Rng, wave: Wave) -> Wave:
    """What happens to a recording: dulled, thin, crushed, driven, slowed, cut short, faded."""
    if rng.random() < 0.35:
        wave = biquad(wave, "lowpass", log_uniform(rng, 500, 9_000), int(rng.integers(1, 3)))
    if rng.random() < 0.15:
        wave = biquad(wave, "highpass", log_uniform(rng, 60, 1_000), 1)
    if rng.random() < 0.15:
        wave = dsp.crush(normalise(wave), int(rng.integers(5, 11)), int(rng.integers(1, 4)))
    if rng.random() < 0.2:
        wave = dsp.drive(wave, log_uniform(rng, 0.5, 8))
    loudest = int(np.argmax(np.abs(wave)))
    if rng.random() < 0.35:
        wave = wave[: loudest + samples(log_uniform(rng, 0.12, 2.5))]
    elif rng.random() < 0.2:  # as short as a drum machine's
        wave = wave[: loudest + samples(log_uniform(rng, 0.15, 0.6))]
    fade = min(len(wave), samples(log_uniform(rng, 0.003, 0.3)))
    wave = wave.copy()
    wave[len(wave) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return normalise(wave)


def strike(rng: Rng, length: int) -> Wave:
    """What hits: felt, wood, metal, a fist; a short dull or bright noise."""
    hit = noise(rng, length) * decay_curve(length, log_uniform(rng, 0.0008, 0.03))
    centre = log_uniform(rng, 150, 6_000)
    return normalise(biquad(hit, "bandpass", (centre / 2.5, centre * 2.5), 1))


def _falling(rng: Rng, hertz: np.ndarray, longest: float) -> np.ndarray:
    """Decay times: higher modes die sooner, each a little as it likes."""
    steepness = rng.uniform(0, 1.3)
    spread = np.exp(rng.normal(0, rng.uniform(0, 0.6), len(hertz)))
    return longest * (hertz / hertz.min()) ** -steepness * spread


def _body(rng: Rng, hertz: np.ndarray, longest: float, tilt: float) -> Wave:
    """A struck body of these modes."""
    levels = rng.uniform(0.1, 1, len(hertz)) * (hertz / hertz.min()) ** -tilt
    decays = _falling(rng, hertz, longest)
    if rng.random() < 0.7:
        hertz, levels, decays = doubled(rng, hertz, levels, decays)
    wave = modes(rng, hertz, levels, decays, samples(min(5.5 * longest + 0.05, 8)))
    return normalise(wave)


def small_bell(rng: Rng) -> Wave:
    """A hand, bicycle, desk or door bell, a bar of a chime: few modes and a clapper."""
    ratios = np.array((_HAND, _BAR, _CHURCH)[rng.integers(3)])
    ratios = ratios * np.exp(rng.normal(0, rng.uniform(0, 0.06), len(ratios)))
    base = log_uniform(rng, 250, 4_500)
    return _body(rng, base * ratios, log_uniform(rng, 0.06, 1.6), rng.uniform(-0.3, 1.6))


def large_bell(rng: Rng) -> Wave:
    """A church bell, a gong or a pan: a deep hum under many high modes."""
    base = log_uniform(rng, 70, 420)
    ratios = np.concatenate([_CHURCH, rng.uniform(1, 45, int(rng.integers(4, 40)))])
    ratios = ratios * np.exp(rng.normal(0, rng.uniform(0, 0.08), len(ratios)))
    return _body(rng, base * ratios, log_uniform(rng, 0.3, 2.5), rng.uniform(-0.2, 1.1))


def cluster(rng: Rng) -> Wave:
    """A triangle, a small gong, keys, a sheet: a crowd of modes about a bright middle."""
    count = int(rng.integers(6, 90))
    centre, width = log_uniform(rng, 900, 7_500), log_uniform(rng, 0.12, 1)
    hertz = centre * np.exp(rng.normal(0, width, count))
    hertz = np.clip(hertz, 150, 10_900)
    levels = np.exp(-0.5 * (np.log(hertz / centre) / (width * rng.uniform(0.4, 2))) ** 2)
    levels *= np.exp(rng.normal(0, 0.7, count))
    longest = log_uniform(rng, 0.1, 1.6)
    decays = _falling(rng, hertz, longest)
    if rng.random() < 0.5:
        hertz, levels, decays = doubled(rng, hertz, levels, decays)
    return normalise(modes(rng, hertz, levels, decays, samples(min(5 * longest, 6))))


def electronic_bell(rng: Rng) -> Wave:
    """Frequency or ring modulation that dies away, or a low tone with some odd partials."""
    seconds, base = log_uniform(rng, 0.03, 1.2), log_uniform(rng, 110, 2_800)
    length = samples(min(5.5 * seconds + 0.05, 6))
    time = np.arange(length, dtype=np.float32) / RATE
    kind = rng.integers(5)
    if kind == 0:  # frequency modulation
        depth = log_uniform(rng, 0.3, 9) * np.exp(-time / (seconds * rng.uniform(0.15, 1.2)))
        ratio = rng.choice([rng.uniform(0.3, 7), 1.41, 2.76, 3.5, 1.4])
        wave = np.sin(2 * np.pi * base * time + depth * np.sin(2 * np.pi * base * ratio * time))
    elif kind == 1:  # ring modulation, squares as in a drum machine
        other = np.sin(2 * np.pi * base * rng.uniform(0.1, 4) * time)
        wave = np.sin(2 * np.pi * base * time)
        if rng.random() < 0.5:
            wave, other = np.sign(wave), np.sign(other)
        wave = rng.uniform(0, 0.6) * wave + wave * other
    elif kind == 2:  # a tone that slides to its pitch, as of a struck membrane or a bent spring
        slide = 1 + rng.uniform(-0.25, 0.6) * np.exp(-time / log_uniform(rng, 0.004, 0.08))
        phase = 2 * np.pi * np.cumsum(base * slide) / RATE
        wave = np.sin(phase)
        for ratio in rng.uniform(1.3, 9, int(rng.integers(1, 8))):
            wave += log_uniform(rng, 0.03, 0.5) * np.sin(ratio * phase)
    else:  # a tone and a few partials that are no overtones of it
        ratios = np.concatenate([[1], rng.uniform(1.05, 12, int(rng.integers(2, 14)))])
        levels = log_uniform(rng, 0.05, 0.8) * rng.uniform(0.1, 1, len(ratios)) / ratios**0.3
        levels[0] = 1
        hertz, decays = base * ratios, seconds * rng.uniform(0.5, 2, len(ratios))
        return normalise(modes(rng, *doubled(rng, hertz, levels, decays), length))
    rise = np.minimum(1, time / log_uniform(rng, 0.0005, 0.02))
    return normalise((wave * rise * np.exp(-time / seconds)).astype(np.float32))


def _again(rng: Rng, one: Wave) -> Wave:
    """The same struck several times: rung, trilled, two notes of a door."""
    count, gap = int(rng.integers(2, 9)), log_uniform(rng, 0.05, 0.9)
    out = dsp.silence(min(9.0, len(one) / RATE + gap * (count - 1)))
    second = dsp.pitch_shift(one, rng.choice([1, 1, 0.8, 0.75, 1.2, 1.06]))
    for k in range(count):
        add_at(out, second if k % 2 else one, k * gap + rng.normal(0, 0.01), rng.uniform(0.5, 1))
    return out


def bell(rng: Rng) -> Wave:
    """Any bell, with its clapper, once or again, near or in a room, as it was cut."""
    kind = rng.choice(4, p=[0.3, 0.2, 0.25, 0.25])
    wave = (small_bell, large_bell, cluster, electronic_bell)[kind](rng)
    if rng.random() < 0.7:
        add_at(wave, strike(rng, min(len(wave), samples(0.2))), 0, log_uniform(rng, 0.03, 1))
    if rng.random() < 0.2:  # a handle, a table, a hand that knocks with it
        thud = _body(rng, log_uniform(rng, 60, 400) * np.array([1, 1.7, 2.6, 4.1]), 0.05, 0.5)
        add_at(wave, thud, 0, rng.uniform(0.1, 0.8))
    if rng.random() < 0.2:
        wave = _again(rng, wave)
    return recorded(rng, wave)
