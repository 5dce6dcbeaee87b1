"""Music made of noise alone."""

import numpy as np

from training.demo.score.take import Take
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.envelopes import drift
from training.demo.synthesis.filters import band_pass, filtered, high_pass, high_shelf, swept
from training.demo.synthesis.noises import coloured, held, white
from training.demo.synthesis.signals import Signal, fade_edges, normalise, sample_count, saturate
from training.demo.synthesis.wavetables import phase_of


def harsh_noise(take: Take) -> Signal:
    """A wall of distortion: blasts, torn feedback, ring-modulated debris, hard clipping."""
    rng, rate = take.rng, take.sample_rate
    length = sample_count(take.pick((18.0, 20.0, 17.0, 21.0)), rate)
    canvas = Canvas(length / rate, rate)
    for pan in (-0.8, 0.8):
        canvas.add(_wall(take, length), 0.0, take.pick((1.0, 0.6, 0.8, 1.0)), pan)
    canvas.add(
        _feedback(take, length), 0.0, take.pick((0.35, 0.6, 0.4, 0.2)), rng.uniform(-0.4, 0.4)
    )
    canvas.add(_debris(take, length), 0.0, take.pick((0.5, 0.7, 0.9, 0.3)))
    if take.variant % 2:
        _cuts(take, canvas)
    clipped = np.clip(saturate(normalise(canvas.samples), 6.0) * np.float32(1.4), -1.0, 1.0)
    bright = filtered(clipped, rate, high_shelf(3000.0, 1.6), high_pass(60.0))
    return master(bright, rate, drive=2.0, level=0.9, fade_out=0.1)


def _wall(take: Take, length: int) -> Signal:
    """Pink noise through a moving band, driven until it tears."""
    rng, rate = take.rng, take.sample_rate
    bands = [band_pass(centre, 0.9) for centre in (350.0, 1400.0, 4200.0)]
    noise = coloured(rng, length, rate, 0.35)
    moving = swept(noise, rate, bands, drift(rng, length, rate, 2.5, (0.0, 1.0)))
    return saturate(moving + noise * np.float32(0.3), 5.0)


def _feedback(take: Take, length: int) -> Signal:
    """A squeal whose pitch jumps and slides, modulated by noise."""
    rng, rate = take.rng, take.sample_rate
    pitch = np.exp2(drift(rng, length, rate, 3.0, (9.0, 12.2))).astype(np.float64)
    pitch *= 1.0 + 0.25 * held(rng, length, rate, rng.uniform(20, 60))
    squeal = np.sin(2 * np.pi * phase_of(pitch, length, rate)).astype(np.float32)
    torn = squeal * (1 + filtered(white(rng, length), rate, band_pass(90.0, 0.7)))
    return saturate(torn, 8.0) * drift(rng, length, rate, 4.0, (0.0, 1.0))


def _debris(take: Take, length: int) -> Signal:
    """One-bit noise at a wandering clock, ring-modulated."""
    rng, rate = take.rng, take.sample_rate
    clock = np.cumsum(np.exp2(drift(rng, length, rate, 5.0, (8.0, 13.0)))) / rate
    levels = rng.uniform(-1, 1, int(clock[-1]) + 2).astype(np.float32)
    ring = np.sin(2 * np.pi * phase_of(rng.uniform(60, 400), length, rate)).astype(np.float32)
    return levels[clock.astype(np.int64)] * ring


def _cuts(take: Take, canvas: Canvas) -> None:
    """Sudden silences and stutters."""
    rng, rate = take.rng, take.sample_rate
    for _ in range(take.pick((0, 9, 0, 14))):
        width = sample_count(rng.uniform(0.04, 0.22), rate)
        start = int(rng.integers(rate, canvas.length - 6 * width))
        if rng.random() < 0.5:
            canvas.samples[:, start : start + width] *= np.float32(0.03)
        else:
            grain = fade_edges(canvas.samples[:, start : start + width], rate, 0.002, 0.002)
            canvas.samples[:, start : start + 5 * width] = np.tile(grain, 5)
