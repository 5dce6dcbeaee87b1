"""Placing hits and notes in time like players do: patterns, swing, humanised timing and force."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.demo.synthesis.canvas import Canvas
from training.demo.synthesis.signals import Signal


def humanised(rng: np.random.Generator, at: float, milliseconds: float) -> float:
    """``at`` seconds, early or late by a normal error of that many milliseconds."""
    return max(0.0, at + rng.normal(0.0, milliseconds / 1000.0))


def swung(step: int, step_seconds: float, swing: float) -> float:
    """Start of a step when every second one is late by ``swing`` (0 straight, 1/3 triplets)."""
    return step * step_seconds + (swing * step_seconds if step % 2 else 0.0)


def hits(pattern: str) -> list[tuple[int, float]]:
    """``(step, velocity)`` of a pattern: digits are ninths of full velocity, dots are rests."""
    return [(i, int(mark) / 9.0) for i, mark in enumerate(pattern) if mark in "123456789"]


@dataclass(frozen=True)
class DrumLine:
    """One instrument of a groove: its pattern, alternative takes of its hit, and its place."""

    pattern: str
    sounds: Sequence[Signal]
    gain: float = 1.0
    pan: float = 0.0


def play_lines(
    canvas: Canvas,
    rng: np.random.Generator,
    lines: Sequence[DrumLine],
    *,
    start: float,
    step_seconds: float,
    swing: float = 0.0,
    milliseconds: float = 3.0,
) -> None:
    """Place one pass of every line from ``start`` seconds on, with human force and timing."""
    for line in lines:
        for step, velocity in hits(line.pattern):
            sound = line.sounds[int(rng.integers(len(line.sounds)))]
            at = start + swung(step, step_seconds, swing)
            force = line.gain * velocity * rng.uniform(0.9, 1.06)
            canvas.add(sound, humanised(rng, at, milliseconds), force, line.pan)


def ducking(
    length: int, sample_rate: int, beats: Sequence[float], depth: float, recovery: float
) -> Signal:
    """Side-chain gain ``(length,)``: down to ``1 - depth`` at each beat, up in ``recovery`` s."""
    gain = np.ones(length, np.float32)
    span = max(1, round(recovery * sample_rate))
    shape = 1.0 - depth * (1.0 - np.linspace(0.0, 1.0, span)) ** 1.5
    for beat in beats:
        start = round(beat * sample_rate)
        window = gain[start : start + span]
        np.minimum(window, shape[: window.size].astype(np.float32), out=window)
    return gain
