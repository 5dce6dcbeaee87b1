"""A stereo stretch of time on which notes are placed, and the last step of a mix."""

import numpy as np

from .signals import Signal, fade_edges, normalise, sample_count, saturate


class Canvas:
    """An empty ``(2, n)`` recording; sounds that run past its end are cut off."""

    def __init__(self, seconds: float, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.samples: Signal = np.zeros((2, sample_count(seconds, sample_rate)), np.float32)

    @property
    def length(self) -> int:
        """Number of samples per channel."""
        return int(self.samples.shape[1])

    def add(self, sound: Signal, at: float, gain: float = 1.0, pan: float = 0.0) -> None:
        """Mix in a mono ``(m,)`` or stereo ``(2, m)`` sound at ``at`` seconds.

        ``pan`` runs from -1 (left) to 1 (right) with constant power.
        """
        start = max(0, round(at * self.sample_rate))
        room = min(sound.shape[-1], self.length - start)
        if room <= 0:
            return
        angle = (pan + 1.0) * np.pi / 4.0
        for side, weight in enumerate((np.cos(angle), np.sin(angle))):
            source = sound if sound.ndim == 1 else sound[side]
            scale = np.float32(gain * weight * np.sqrt(2.0))
            self.samples[side, start : start + room] += source[:room] * scale

    def mono(self) -> Signal:
        """The mean of both sides, ``(n,)``."""
        mixed: Signal = self.samples.mean(axis=0, dtype=np.float32)
        return mixed


def master(
    mix: Signal,
    sample_rate: int,
    *,
    drive: float = 1.0,
    level: float = 0.9,
    fade_in: float = 0.005,
    fade_out: float = 1.2,
) -> Signal:
    """Remove the offset, glue with soft clipping, fade the edges, set the peak."""
    clean = normalise(mix - mix.mean(axis=1, keepdims=True))
    return normalise(fade_edges(saturate(clean, drive), sample_rate, fade_in, fade_out), level)
