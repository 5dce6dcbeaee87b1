"""Which parts of a track are heard, and how their vectors become the track's one vector.

CLAP hears 10 s at once. A track is heard in evenly spaced windows that depend on nothing but its
duration, so that the same track always gives the same vector.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 48_000
"""Hz; what CLAP was trained on."""

WINDOW_SECONDS: Final = 10
"""What CLAP hears at once."""

WINDOW_SAMPLES: Final = SAMPLE_RATE * WINDOW_SECONDS

WINDOWING_VERSION: Final = "windows-1"
"""Part of every stored vector's fingerprint; changes whenever a track's samples could."""

DEFAULT_WINDOW_COUNT: Final = 3
"""Windows of a long track."""

_SMALLEST_MEAN_LENGTH: Final = 1e-3
"""Below this length a mean of unit vectors has no direction worth keeping."""


def window_starts(duration_seconds: float, count: int = DEFAULT_WINDOW_COUNT) -> tuple[float, ...]:
    """Where the windows of a track begin, in seconds, ascending.

    Up to 10 s: one window at 0. Up to `count` windows' worth: as few windows as cover the whole
    track, evenly spaced from its start to its end. Longer: `count` windows, each in the middle of
    an equal share of the track.

    Raises `ValueError` for a duration or a count that is not positive and finite.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    if not (math.isfinite(duration_seconds) and duration_seconds > 0):
        raise ValueError(f"duration must be positive and finite, not {duration_seconds}")
    last_start = duration_seconds - WINDOW_SECONDS
    if last_start <= 0:
        return (0.0,)
    if duration_seconds <= WINDOW_SECONDS * count:
        covering = math.ceil(duration_seconds / WINDOW_SECONDS)
        return tuple(last_start * index / (covering - 1) for index in range(covering))
    share = duration_seconds / count
    return tuple(share * (index + 0.5) - WINDOW_SECONDS / 2 for index in range(count))


def repeat_pad(samples: NDArray[np.float32], length: int = WINDOW_SAMPLES) -> NDArray[np.float32]:
    """Fill `length` samples with whole copies of `samples` (n,), then zeros: what CLAP was trained
    on (`padding="repeatpad"` of its feature extractor).

    Longer input is cut. Returns (length,) float32. Raises `ValueError` for no samples.
    """
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"expected samples of shape (n,) with n > 0, not {samples.shape}")
    padded = np.zeros(length, dtype=np.float32)
    copies = max(1, length // samples.size)
    tiled = np.tile(samples[:length], copies)
    padded[: tiled.size] = tiled
    return padded


def pool(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """One vector for a track: the mean of its windows' unit vectors (n, d), scaled to length 1.

    Windows that cancel each other out (mean of about 0) have no common direction: the first window
    then stands for the track. Returns (d,) float32. Raises `ValueError` for no vectors or
    non-finite ones.
    """
    if vectors.ndim != 2 or len(vectors) == 0:
        raise ValueError(f"expected vectors of shape (n, d) with n > 0, not {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite")
    exact = vectors.astype(np.float64)
    mean = exact.mean(axis=0)
    if np.linalg.norm(mean) < _SMALLEST_MEAN_LENGTH * np.linalg.norm(exact, axis=1).max():
        mean = exact[0]
    length = np.linalg.norm(mean)
    if length == 0.0:
        raise ValueError("vectors must not be zero")
    pooled: NDArray[np.float32] = (mean / length).astype(np.float32)
    return pooled
