"""The array types of this package and the arithmetic every sound needs."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
Curve = NDArray[np.float64]

SIXTY_DECIBELS: Final = float(np.log(1000.0))
"""Natural logarithm of the amplitude ratio that a decay time spans."""


def sample_count(seconds: float, sample_rate: int) -> int:
    """Number of samples in ``seconds``, at least one."""
    return max(1, round(seconds * sample_rate))


def time_axis(length: int, sample_rate: int) -> Curve:
    """Seconds of each sample, shape ``(length,)``."""
    return np.arange(length) / sample_rate


def saturate(signal: Signal, drive: float) -> Signal:
    """Soft clipping that keeps full scale at full scale; ``drive`` 0.5 is warm, 8 is a fuzz box."""
    shaped: Signal = np.tanh(signal * np.float32(drive)) / np.float32(np.tanh(drive))
    return shaped


def normalise(signal: Signal, peak: float = 1.0) -> Signal:
    """Scale to a peak magnitude of ``peak``; silence stays silence."""
    largest = float(np.max(np.abs(signal), initial=0.0))
    return signal if largest == 0.0 else (signal * np.float32(peak / largest)).astype(np.float32)


def fade_edges(signal: Signal, sample_rate: int, fade_in: float, fade_out: float) -> Signal:
    """Raised-cosine fades over the first and last seconds of the last axis."""
    faded = signal.copy()
    length = signal.shape[-1]
    rise = min(length, sample_count(fade_in, sample_rate))
    fall = min(length, sample_count(fade_out, sample_rate))
    faded[..., :rise] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)).astype(np.float32)
    faded[..., length - fall :] *= (
        0.5 + 0.5 * np.cos(np.pi * np.arange(1, fall + 1) / fall)
    ).astype(np.float32)
    return faded
