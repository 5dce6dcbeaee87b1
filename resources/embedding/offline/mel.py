"""Log-mel spectrogram of a 10 s window at 48 kHz: what the offline audio tower hears.

The mel bands end at 10.8 kHz, so the window is first halved to 24 kHz by a short half-band
filter; a 2,048-point transform every 512 samples at 24 kHz is then the same analysis as
4,096 every 1,024 at 48 kHz at a third of the cost.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

PREPROCESSING_VERSION = 1

HALF_RATE = 24_000
FRAME_LENGTH = 2_048
HOP_LENGTH = 512
MEL_BANDS = 80
LOWEST_HERTZ = 25.0
HIGHEST_HERTZ = 10_800.0
FLOOR_DECIBEL = 80.0
HALF_WINDOW_SAMPLES = 240_000
FRAMES = (HALF_WINDOW_SAMPLES - FRAME_LENGTH) // HOP_LENGTH + 1
_BLOCK_FRAMES = 93  # frames per transform call: keeps the working set in the cache

# Half-band interpolation filter (Lagrange, maximally flat), taps at odd offsets 1, 3 and 5.
_CENTRE_TAP = 256 / 512
_ODD_TAPS = (150 / 512, -25 / 512, 3 / 512)
_TINY = np.float32(1e-12)


def halve_rate(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """Low-pass and keep every second sample: (480000,) at 48 kHz -> (240000,) at 24 kHz."""
    even, odd = window[0::2], np.pad(window[1::2], (3, 2))
    halved = np.float32(_CENTRE_TAP) * even
    for distance, tap in enumerate(_ODD_TAPS):
        before = odd[2 - distance : 2 - distance + len(even)]
        after = odd[3 + distance : 3 + distance + len(even)]
        halved += np.float32(tap) * (before + after)
    return halved


def log_mel(half_rate: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectrogram of (240000,) samples at 24 kHz -> (80, 465) in [0, 1].

    1 is the loudest band of the window, 0 is 80 dB below it (gain does not matter); digital
    silence is 0 throughout.
    """
    frames = sliding_window_view(half_rate, FRAME_LENGTH)[::HOP_LENGTH]
    taper, filters = _taper(), _filterbank()
    power = np.empty((FRAMES, MEL_BANDS), np.float32)
    for first in range(0, FRAMES, _BLOCK_FRAMES):
        block = slice(first, first + _BLOCK_FRAMES)
        spectrum = np.fft.rfft(frames[block] * taper)[:, : len(filters)]
        power[block] = (spectrum.real**2 + spectrum.imag**2) @ filters
    loudest = power.max()
    if loudest <= _TINY:
        return np.zeros((MEL_BANDS, FRAMES), np.float32)
    decibel = 10 * np.log10(np.maximum(power / loudest, _TINY))
    return np.ascontiguousarray(np.maximum(1 + decibel / FLOOR_DECIBEL, 0).T)


@lru_cache(maxsize=1)
def _taper() -> NDArray[np.float32]:
    """Periodic Hann window."""
    phase = 2 * np.pi * np.arange(FRAME_LENGTH) / FRAME_LENGTH
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@lru_cache(maxsize=1)
def _filterbank() -> NDArray[np.float32]:
    """Triangular filters, equally spaced on O'Shaughnessy's mel scale: (bins, 80).

    Each is divided by its width in Hz, so that white noise is level over the bands. Bins above
    the highest band are left out.
    """
    lowest, highest = (2_595 * np.log10(1 + h / 700) for h in (LOWEST_HERTZ, HIGHEST_HERTZ))
    corners = 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2_595) - 1)
    hertz = np.fft.rfftfreq(FRAME_LENGTH, 1 / HALF_RATE)
    hertz = hertz[hertz <= HIGHEST_HERTZ]
    rising = (hertz[:, None] - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - hertz[:, None]) / (corners[2:] - corners[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (corners[2:] - corners[:-2])
    return triangles.astype(np.float32)
