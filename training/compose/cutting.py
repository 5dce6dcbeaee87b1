"""What every maker of clips uses: random choice by weight, cutting and trimming."""

from __future__ import annotations

import numpy as np

from training.synthesis.dsp import Wave, samples

Rng = np.random.Generator
Clip = tuple[Wave, set[str]]


def weighted(rng: Rng, weights: dict[str, float]) -> str:
    shares = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def cut(wave: Wave, seconds: float) -> Wave:
    wave = wave[: samples(seconds)].copy()
    fade = min(samples(0.03), len(wave))
    wave[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wave


def trim(wave: Wave) -> Wave:
    loud = np.flatnonzero(np.abs(wave) > 0.004 * np.abs(wave).max())
    return wave[: max(samples(0.05), loud[-1] + 1)] if len(loud) else wave
