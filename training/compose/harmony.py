"""Scales, chord progressions and the frame that all parts of a piece share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthesis.dsp import CLIP_SECONDS

Rng = np.random.Generator

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "harmonic": (0, 2, 3, 5, 7, 8, 11),
    "hijaz": (0, 1, 4, 5, 7, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor_pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole_tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
PROGRESSIONS = {
    "pop": ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 4, 3)),
    "dark": ((0, 0, 5, 5), (0, 1, 0, 6), (0, 5, 3, 4), (0, 6, 5, 6)),
    "jazz": ((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4)),
    "blues": ((0, 0, 3, 0), (0, 3, 0, 4), (3, 3, 0, 0)),
    "static": ((0, 0, 0, 0),),
    "two": ((0, 6, 0, 6), (0, 3, 0, 3), (0, 4, 0, 4)),
    "classical": ((0, 3, 4, 0), (0, 4, 5, 3), (0, 1, 4, 0)),
}


@dataclass(frozen=True)
class Song:
    """The frame that all parts share: tempo, key, scale, a chord per bar, swing."""

    rng: Rng
    bpm: float
    root: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    beats: int = 4
    swing: float = 0.0
    sevenths: bool = False

    @property
    def beat(self) -> float:
        """Seconds per beat."""
        return 60 / self.bpm

    @property
    def bar(self) -> float:
        """Seconds per bar."""
        return self.beat * self.beats

    @property
    def bars(self) -> int:
        """Bars needed to fill a clip."""
        return int(np.ceil(CLIP_SECONDS / self.bar)) + 1

    def pitch(self, degree: int, octave: int = 0) -> int:
        """MIDI pitch of a scale degree over the root."""
        size = len(self.scale)
        return self.root + self.scale[degree % size] + 12 * (degree // size + octave)

    def chord(self, bar: int, octave: int = 0) -> list[int]:
        """Pitches of a bar's chord."""
        first = self.chords[bar % len(self.chords)]
        steps = (0, 2, 4, 6) if self.sevenths else (0, 2, 4)
        if len(self.scale) < 7:
            steps = (0, 1, 3) if len(self.scale) == 5 else (0, 2, 4)
        return [self.pitch(first + step, octave) for step in steps]

    def step(self, bar: int, sixteenth: float) -> float:
        """Start in seconds of a sixteenth in a bar, swung and slightly human."""
        swung = self.swing * 0.33 if int(sixteenth) % 4 == 2 else 0.0
        late = self.swing * 0.15 if int(sixteenth) % 2 == 1 else 0.0
        human = self.rng.normal(0, 0.003)
        return bar * self.bar + (sixteenth / 4 + (swung + late) / 2) * self.beat + human

    def velocity(self, low: int = 80, high: int = 110) -> int:
        """Random MIDI velocity."""
        return int(self.rng.integers(low, high))
