"""Changes to spectrogram segments that leave what they are unchanged: rooms, microphones, codecs.

All on batches (n, 80, t) float32 in [0, 1], where 1 is the loudest band and 0 is 80 dB below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resources.embedding.offline.mel import FLOOR_DECIBEL, MEL_BANDS

Batch = NDArray[np.float32]
Rng = np.random.Generator
_CONTROL_POINTS = 7


def augment(batch: Batch, rng: Rng) -> Batch:
    """Apply a random subset to every segment and scale its loudest band to 1 again."""
    batch = batch.copy()
    rows = np.arange(len(batch))
    _background(batch, rng)
    _decay(batch, rows[rng.random(len(batch)) < 0.1], rng)
    for row in rows:
        batch[row] = _one(batch[row], rng)
    np.clip(batch, 0, 1, out=batch)
    return batch / np.maximum(batch.max((1, 2), keepdims=True), 0.2)


def _background(batch: Batch, rng: Rng) -> None:
    """Another segment of the batch far behind a tenth of them, as in a room with other sounds."""
    rows = np.flatnonzero(rng.random(len(batch)) < 0.1)
    others = rng.integers(0, len(batch), len(rows))
    levels = rng.uniform(12, 35, len(rows)).astype(np.float32)[:, None, None] / FLOOR_DECIBEL
    quiet = batch[others] - levels
    power = 10 ** (batch[rows] * FLOOR_DECIBEL / 10) + 10 ** (quiet * FLOOR_DECIBEL / 10)
    batch[rows] = np.maximum(10 * np.log10(power) / FLOOR_DECIBEL, 0)


def _decay(batch: Batch, rows: NDArray[np.int64], rng: Rng) -> None:
    """A room's tail: no band falls faster than 60 dB in 0.4 to 4 s, 5 to 20 dB below the sound."""
    if not len(rows):
        return
    seconds = rng.uniform(0.4, 4, len(rows))
    fall = (60 / FLOOR_DECIBEL * 512 / 24_000 / seconds).astype(np.float32)[:, None]
    damping = np.linspace(1, rng.uniform(1, 3), MEL_BANDS, dtype=np.float32)
    below = (rng.uniform(5, 20, len(rows)) / FLOOR_DECIBEL).astype(np.float32)[:, None]
    tail = np.zeros((len(rows), MEL_BANDS), np.float32)
    for frame in range(batch.shape[2]):
        now = batch[rows, :, frame]
        tail = np.maximum(tail - fall * damping, now - below)
        batch[rows, :, frame] = np.maximum(now, tail)


def _one(mel: Batch, rng: Rng) -> Batch:
    bands, frames = mel.shape
    if rng.random() < 0.7:  # equaliser
        points = rng.normal(0, rng.uniform(0.01, 0.08), _CONTROL_POINTS)
        curve = np.interp(
            np.linspace(0, _CONTROL_POINTS - 1, bands), np.arange(_CONTROL_POINTS), points
        )
        mel = np.where(mel > 0, mel + curve[:, None].astype(np.float32), 0)
    if rng.random() < 0.25:  # compressor or expander
        mel = 1 - (1 - mel) * np.float32(rng.uniform(0.85, 1.2))
    if rng.random() < 0.2:  # tempo
        speed = rng.uniform(0.9, 1.1)
        mel = mel[:, (np.arange(frames) * speed).astype(int) % frames]
    if rng.random() < 0.5:  # pitch
        mel = _shifted(mel, int(rng.integers(-2, 3)))
    if rng.random() < 0.4:  # noise floor, or a gate
        floor = np.float32(rng.uniform(0, 0.45))
        mel = np.maximum(mel, floor) if rng.random() < 0.3 else (mel - floor) / (1 - floor)
    if rng.random() < 0.25:  # a small loudspeaker or a codec: no treble
        cut = int(rng.integers(30, 78))
        mel = mel.copy()
        mel[cut:] -= np.linspace(0, rng.uniform(0.2, 1.5), bands - cut, dtype=np.float32)[:, None]
    if rng.random() < 0.08:  # no bass
        cut = int(rng.integers(3, 16))
        mel = mel.copy()
        mel[:cut] -= np.linspace(rng.uniform(0.2, 1), 0, cut, dtype=np.float32)[:, None]
    mel = mel.copy()
    if rng.random() < 0.35:
        band = int(rng.integers(0, 74))
        mel[band : band + int(rng.integers(1, 10))] = 0
    if rng.random() < 0.35:
        at = int(rng.integers(0, frames - 30))
        mel[:, at : at + int(rng.integers(2, 30))] = 0
    return mel


def _shifted(mel: Batch, bands: int) -> Batch:
    out = np.zeros_like(mel)
    if bands > 0:
        out[bands:] = mel[:-bands]
    elif bands < 0:
        out[:bands] = mel[-bands:]
    else:
        out = mel
    return out
