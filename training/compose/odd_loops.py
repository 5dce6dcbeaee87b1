"""Drum loops that are treated until they are half something else."""

from __future__ import annotations

import numpy as np

from training.compose.cutting import Clip, Rng
from training.compose.found import found_loop
from training.compose.harmony import SCALES, Song
from training.compose.rhythms import PATTERNS, drum_track
from training.synthesis import dsp
from training.synthesis.dsp import Wave, biquad, normalise, samples
from training.synthesis.tones import hertz


def odd_loop(rng: Rng) -> Clip:
    """A loop slowed, turned round, rung, gated or blurred, at times over a held chord or a boom."""
    song = Song(rng, rng.uniform(70, 165), 60, SCALES["minor"], (0,))
    tags = {"drum_loop", "beat", "drums", "percussion"}
    if rng.random() < 0.7:
        wave, _ = drum_track(song, str(rng.choice(list(PATTERNS))))
        wave = wave[: samples(song.bar * int(rng.integers(1, 5)))]
    else:
        wave, tags = found_loop(rng)
    wave = normalise(wave)
    if rng.random() < 0.45:
        wave = dsp.pitch_shift(wave, float(np.exp(rng.uniform(np.log(0.4), np.log(1.7)))))
    if rng.random() < 0.2:
        wave = wave[::-1].copy()
    for treat in (_rung, _resonant, _gated, _swelling):
        if rng.random() < 0.25:
            wave = treat(wave, rng)
    if rng.random() < 0.35:
        wave = wave * 0.8 + rng.uniform(0.1, 0.7) * _chord(len(wave), rng)
    if rng.random() < 0.3:
        wave = dsp.drive(wave, rng.uniform(1, 10))
    if rng.random() < 0.3:
        cutoff = float(np.exp(rng.uniform(np.log(500), np.log(6_000))))
        wave = biquad(wave, "lowpass", cutoff, 1)
    if rng.random() < 0.35:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.3, 3), rng.uniform(0.1, 0.6))
    return normalise(wave.astype(np.float32)), tags


def _rung(wave: Wave, rng: Rng) -> Wave:
    """Multiplied with a tone: metallic."""
    ring = np.sin(2 * np.pi * rng.uniform(30, 900) * np.arange(len(wave)) / dsp.RATE)
    return (wave * (1 - rng.uniform(0.3, 1) * (1 - ring))).astype(np.float32)


def _resonant(wave: Wave, rng: Rng) -> Wave:
    """A few tuned resonators that every hit sets ringing."""
    for _ in range(int(rng.integers(1, 4))):
        hz = float(np.exp(rng.uniform(np.log(45), np.log(2_000))))
        wave = dsp.peak_filter(wave, hz, rng.uniform(10, 24), rng.uniform(4, 30))
    return normalise(wave)


def _gated(wave: Wave, rng: Rng) -> Wave:
    """Opened and shut in a rhythm of its own."""
    step = samples(rng.uniform(0.05, 0.25))
    doors = (rng.random(len(wave) // step + 1) < 0.65) * rng.uniform(0.5, 1, len(wave) // step + 1)
    return (wave * doors.repeat(step)[: len(wave)]).astype(np.float32)


def _swelling(wave: Wave, rng: Rng) -> Wave:
    """Up and away again over its length."""
    at = np.linspace(0, 1, len(wave), dtype=np.float32)
    return wave * np.sin(np.pi * at ** rng.uniform(0.5, 2)).clip(0) ** rng.uniform(0.3, 2)


def _chord(length: int, rng: Rng) -> Wave:
    """Plain tones held under a loop."""
    time = np.arange(length, dtype=np.float32) / dsp.RATE
    root, out = hertz(rng.uniform(28, 62)), np.zeros(length, np.float32)
    for step in rng.choice([0, 7, 12, 15, 16, 19, 24, 26], int(rng.integers(1, 5)), replace=False):
        for cents in rng.normal(0, 9, 2):
            hz = root * 2 ** ((step + cents / 100) / 12)
            out += rng.uniform(0.3, 1) * np.sin(2 * np.pi * hz * time)
    out = dsp.drive(out, rng.uniform(0.5, 4)) if rng.random() < 0.5 else out
    return normalise(out)
