"""Noise sources: coloured hiss, vinyl crackle, held random levels."""

import numpy as np

from .filters import fast_length
from .signals import Signal, sample_count


def white(rng: np.random.Generator, length: int) -> Signal:
    """Gaussian white noise of unit variance."""
    return rng.standard_normal(length, dtype=np.float32)


def coloured(rng: np.random.Generator, length: int, sample_rate: int, slope: float) -> Signal:
    """Noise whose amplitude falls as ``1 / f**slope`` above 20 Hz: 0.5 is pink, 1 is brown."""
    size = fast_length(length)
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / sample_rate), 20.0).astype(np.float32)
    spectrum = np.fft.rfft(white(rng, size)) * hertz ** np.float32(-slope)
    noise = np.fft.irfft(spectrum, size)[:length].astype(np.float32)
    return noise / np.float32(np.std(noise))


def crackle(rng: np.random.Generator, length: int, sample_rate: int, per_second: float) -> Signal:
    """Vinyl clicks and pops: short random-sized impulses, a few of them large."""
    clicks = np.zeros(length, np.float32)
    count = rng.poisson(per_second * length / sample_rate)
    sizes = rng.lognormal(-1.6, 0.8, count) * rng.choice([-1.0, 1.0], count)
    width = sample_count(0.0004, sample_rate)
    shape = np.exp(-np.arange(3 * width) / width) * np.cos(np.arange(3 * width) * 0.5)
    for place, size in zip(rng.integers(0, length - 3 * width, count), sizes, strict=True):
        clicks[place : place + shape.size] += (size * shape).astype(np.float32)
    return clicks


def held(rng: np.random.Generator, length: int, sample_rate: int, hertz: float) -> Signal:
    """Random levels of one bit, each held for ``1 / hertz`` seconds: a shift-register noise."""
    count = int(length / sample_rate * hertz) + 2
    levels = rng.choice(np.array([-1.0, 1.0], np.float32), count)
    return levels[(np.arange(length) * (hertz / sample_rate)).astype(np.int64)]
