"""Pitches, scales, chords and voice leading, in MIDI note numbers (69 is the A of 440 Hz)."""

from collections.abc import Sequence
from typing import Final

MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
MINOR: Final = (0, 2, 3, 5, 7, 8, 10)
HARMONIC_MINOR: Final = (0, 2, 3, 5, 7, 8, 11)
DORIAN: Final = (0, 2, 3, 5, 7, 9, 10)
PENTATONIC: Final = (0, 2, 4, 7, 9)
MINOR_PENTATONIC: Final = (0, 3, 5, 7, 10)

QUALITIES: Final[dict[str, tuple[int, ...]]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "add9": (0, 4, 7, 14),
    "5": (0, 7, 12),
}

Chord = tuple[int, str]
"""Semitones above the tonic and the name of a quality, as in ``(9, "m7")``."""


def hertz(note: float) -> float:
    """Frequency of a MIDI note number in twelve-tone equal temperament."""
    return float(440.0 * 2.0 ** ((note - 69.0) / 12.0))


def progression(text: str) -> tuple[Chord, ...]:
    """Chords written as ``"0:m 5:m 7:7 0:m"``: semitones above the tonic, then a quality."""
    return tuple(
        (int(root), quality) for root, _, quality in (word.partition(":") for word in text.split())
    )


def pitch_classes(tonic: int, chord: Chord) -> list[int]:
    """The chord's notes modulo the octave, root first."""
    root, quality = chord
    return [(tonic + root + interval) % 12 for interval in QUALITIES[quality]]


def notes_between(classes: Sequence[int], low: int, high: int) -> list[int]:
    """Every note in ``low..high`` (inclusive) that belongs to the pitch classes, ascending."""
    wanted = {c % 12 for c in classes}
    return [note for note in range(low, high + 1) if note % 12 in wanted]


def root_between(tonic: int, chord: Chord, low: int) -> int:
    """The chord's root in the octave that starts at ``low``."""
    return low + (tonic + chord[0] - low) % 12


def scale_note(tonic: int, scale: Sequence[int], degree: int) -> int:
    """The note ``degree`` scale steps above ``tonic`` (negative is below)."""
    octave, step = divmod(degree, len(scale))
    return tonic + 12 * octave + scale[step]


def nearest(notes: Sequence[int], target: float) -> int:
    """The note closest to ``target``; the lower one when two are equally close."""
    return min(notes, key=lambda note: (abs(note - target), note))


def voicings(
    tonic: int, chords: Sequence[Chord], low: int, high: int, voices: int
) -> list[list[int]]:
    """Close voicings (ascending notes), every one as near its predecessor as can be."""
    result: list[list[int]] = []
    centre = (low + high) / 2 - 2.0 * (voices - 1)
    previous = [centre + 4.0 * voice for voice in range(voices)]
    for chord in chords:
        classes = pitch_classes(tonic, chord)
        options = _close_positions(classes, low, high, voices)
        best = min(options, key=lambda o: (_movement(previous, o), o))
        result.append(best)
        previous = [float(note) for note in best]
    return result


def _close_positions(classes: Sequence[int], low: int, high: int, voices: int) -> list[list[int]]:
    essential = list(classes)
    if len(essential) > voices:
        # The fifth says least about a chord, then the root, which the bass has anyway.
        essential = [essential[i] for i in (1, 3, 4, 0, 2) if i < len(essential)][:voices]
    pool = notes_between(essential, low, high)
    runs = [pool[i : i + voices] for i in range(len(pool) - voices + 1)]
    return runs or [pool[:voices]]


def _movement(before: Sequence[float], after: Sequence[int]) -> float:
    return sum(abs(a - b) for a, b in zip(before, after, strict=False))
