"""Log-mel spectrogram of a 10 s window at 48 kHz: what CLAP's audio tower hears.

The same numbers as transformers' `ClapFeatureExtractor` gives with `truncation="rand_trunc"`, for
a window of exactly 10 s: centred frames, periodic Hann window, power, Slaney's mel filters,
decibels relative to 1, no scaling. The transform runs in float64, because a band may lie 100 dB
below its neighbour; the power is then summed up in float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FRAMES: Final = 1001
MEL_BANDS: Final = 64
PREPROCESSING_VERSION: Final = "clap-mel-1"

# The checkpoint's preprocessor_config.json.
_SAMPLE_RATE: Final = 48_000
_WINDOW_SAMPLES: Final = 480_000
_FRAME_LENGTH: Final = 1024
_HOP_LENGTH: Final = 480
_LOWEST_HERTZ: Final = 50
_HIGHEST_HERTZ: Final = 14_000
_FLOOR_DECIBEL: Final = np.float32(-100)

# Louder samples are clipped: their power would overflow float32.
_LOUDEST: Final = np.float32(1e15)

# Frames in one transform, a divisor of 1001: its buffers stay in the second-level cache.
_BLOCK_FRAMES: Final = 77
# Bands in one matrix product: neighbouring bands share a short range of frequencies.
_GROUP_BANDS: Final = 16


class _Filters(NamedTuple):
    """Some neighbouring mel bands."""

    frequencies: slice
    bands: slice
    weights: NDArray[np.float32]
    """(frequencies, bands)."""


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectrogram of (480000,) mono samples at 48 kHz, full scale 1 -> (1001, 64) in dB.

    The lowest value is -100, that of digital silence. Samples that are not finite count as
    silence. Safe to call from many threads. Raises `ValueError` for any other shape.
    """
    if samples.shape != (_WINDOW_SAMPLES,):
        raise ValueError(f"samples must be ({_WINDOW_SAMPLES},), not {samples.shape}")
    if not (samples.min() >= -_LOUDEST and samples.max() <= _LOUDEST):  # false for NaN
        finite = np.where(np.isfinite(samples), samples, 0)
        samples = np.clip(finite, -_LOUDEST, _LOUDEST)
    power = _power(samples)
    mel = np.empty((FRAMES, MEL_BANDS), np.float32)
    for frequencies, bands, weights in _filterbank():
        np.matmul(power[:, frequencies], weights, out=mel[:, bands])
    with np.errstate(divide="ignore"):
        np.log10(mel, out=mel)
    mel *= np.float32(10)
    return np.maximum(mel, _FLOOR_DECIBEL, out=mel)


def _power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power spectra of frames centred on every 480th sample: (1001, 299), up to 14 kHz.

    The ends are reflected. Buffers are allocated once for all blocks: memory fresh from the
    system for each of them costs more than the transform does.
    """
    half = _FRAME_LENGTH // 2
    padded = np.concatenate((samples[half:0:-1], samples, samples[-2 : -2 - half : -1]))
    frames = sliding_window_view(padded, _FRAME_LENGTH)[::_HOP_LENGTH]
    frequencies = _count_frequencies()
    taper = _taper()
    tapered = np.empty((_BLOCK_FRAMES, _FRAME_LENGTH))
    spectrum = np.empty((_BLOCK_FRAMES, half + 1), np.complex128)
    parts = np.empty((_BLOCK_FRAMES, 2 * frequencies), np.float32)
    power = np.empty((FRAMES, frequencies), np.float32)
    with np.errstate():  # restores the buffer size
        # Frames are converted to float64 one by one, in the first-level cache.
        np.setbufsize(_FRAME_LENGTH)
        for first in range(0, FRAMES, _BLOCK_FRAMES):
            block = slice(first, first + _BLOCK_FRAMES)
            np.multiply(frames[block], taper, out=tapered)
            np.fft.rfft(tapered, out=spectrum)
            parts[:] = spectrum.view(np.float64)[:, : 2 * frequencies]
            np.square(parts, out=parts)
            np.add(parts[:, ::2], parts[:, 1::2], out=power[block])
    return power


def _count_frequencies() -> int:
    """Those of the transform that a mel band may hear."""
    return _HIGHEST_HERTZ * _FRAME_LENGTH // _SAMPLE_RATE + 1


@lru_cache(maxsize=1)
def _taper() -> NDArray[np.float64]:
    """Periodic Hann window."""
    phase = 2 * np.pi * np.arange(_FRAME_LENGTH) / _FRAME_LENGTH
    return 0.5 - 0.5 * np.cos(phase)


@lru_cache(maxsize=1)
def _filterbank() -> tuple[_Filters, ...]:
    """Triangular filters on Slaney's mel scale, each of area 1 over Hz, in groups."""
    lowest, highest = _mel(_LOWEST_HERTZ), _mel(_HIGHEST_HERTZ)
    corners = _hertz(np.linspace(lowest, highest, MEL_BANDS + 2))
    hertz = np.arange(_count_frequencies())[:, None] * (_SAMPLE_RATE / _FRAME_LENGTH)
    rising = (hertz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - hertz) / (corners[2:] - corners[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (corners[2:] - corners[:-2])
    groups = []
    for first in range(0, MEL_BANDS, _GROUP_BANDS):
        bands = slice(first, first + _GROUP_BANDS)
        heard = np.flatnonzero(triangles[:, bands].any(axis=1))
        frequencies = slice(int(heard[0]), int(heard[-1]) + 1)
        weights = triangles[frequencies, bands].astype(np.float32)
        groups.append(_Filters(frequencies, bands, weights))
    return tuple(groups)


# Slaney, Auditory Toolbox (1998): linear up to 1 kHz, 15 mel; then 27 mel for a factor of 6.4.
def _mel(hertz: float) -> float:
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, 200 * mel / 3, 1000 * 6.4 ** ((mel - 15) / 27))
