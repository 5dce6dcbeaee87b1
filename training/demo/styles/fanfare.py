"""Ceremony: trumpets, horns, trombones and kettledrums."""

import numpy as np

from training.demo.score.rhythm import humanised
from training.demo.score.take import Take
from training.demo.score.theory import (
    Chord,
    hertz,
    nearest,
    notes_between,
    pitch_classes,
    progression,
    root_between,
    voicings,
)
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.drums import crash, snare
from training.demo.synthesis.filters import filtered
from training.demo.synthesis.signals import Signal
from training.demo.synthesis.space import impulse_response, reverberate
from training.demo.synthesis.struck import timpani
from training.demo.synthesis.sustained import BRASS_BELL, HORN_BELL, brass

_CALLS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0, 0.66), (0.75, 0.22), (1, 1), (2, 0.3), (2.333, 0.3), (2.667, 0.3), (3, 1)),
    ((0, 0.3), (0.333, 0.3), (0.667, 0.3), (1, 0.9), (2, 0.66), (2.75, 0.22), (3, 0.9)),
    ((0, 1.4), (1.5, 0.45), (2, 0.45), (2.5, 0.45), (3, 0.9)),
    ((0, 0.45), (0.5, 0.2), (0.75, 0.2), (1, 0.9), (2, 0.4), (2.5, 0.2), (2.75, 0.2), (3, 0.9)),
)  # fmt: skip
"""Trumpet calls of one bar as ``(beat, beats held)``: dotted, triplets, broad, galloping."""

_FORMS: tuple[tuple[int, float, tuple[Chord, ...]], ...] = (
    (10, 104.0, progression("0 0 5 7 0 8 10 0")),
    (3, 112.0, progression("0 5 0 7 9:m 5 7:sus4 0")),
    (5, 92.0, progression("0 7 5 0 10 5 0")),
    (8, 100.0, progression("0 10 5 0 8 10 7:sus4 0")),
)
"""Tonic pitch class, tempo, one chord per bar."""


def brass_fanfare(take: Take) -> Signal:
    """Trumpet calls answered by the full brass, with timpani and cymbals in a great hall."""
    rng, rate = take.rng, take.sample_rate
    tonic, tempo, chords = take.pick(_FORMS)
    beat = 60.0 / tempo
    seconds = len(chords) * 4 * beat + 2.0
    trumpets, low, percussion = (Canvas(seconds, rate) for _ in range(3))
    voiced = voicings(tonic, chords, 60, 77, 3)
    for bar, (chord, voicing) in enumerate(zip(chords, voiced, strict=True)):
        start, last = bar * 4 * beat, bar == len(chords) - 1
        call = ((0.0, 3.6),) if last else take.pick(_CALLS[bar % 2 :] + _CALLS[: bar % 2])
        _trumpets(take, trumpets, tonic, chord, voicing=voicing, call=call, start=start, beat=beat)
        if bar >= 1:
            _low_brass(take, low, tonic, chord, start=start, beat=beat)
        _percussion(take, percussion, tonic, start=start, beat=beat, bar=bar, last=last)
    hall = impulse_response(rng, rate, 2.4, 0.55)
    dry = filtered(trumpets.samples, rate, *BRASS_BELL) + filtered(low.samples, rate, *HORN_BELL)
    dry += percussion.samples * np.float32(0.55)
    mix = dry + reverberate(dry, hall, rate, 0.025) * np.float32(0.3)
    return master(mix, rate, drive=0.9, level=0.9, fade_out=1.4)


def _trumpets(
    take: Take,
    canvas: Canvas,
    tonic: int,
    chord: Chord,
    *,
    voicing: list[int],
    call: tuple[tuple[float, float], ...],
    start: float,
    beat: float,
) -> None:
    """Three trumpets in the rhythm of the call; the first leaps through the chord."""
    rng, rate = take.rng, take.sample_rate
    pool = notes_between(pitch_classes(tonic, chord), 67, 84)
    top = nearest(pool, voicing[-1] + 3)
    for offset, lasts in call:
        top = nearest(pool, top + int(rng.choice((-4, 0, 3, 5))) + (76 - top) * 0.3)
        for part, note in enumerate((top, *[n for n in voicing[::-1] if n < top][:2])):
            sound = brass(
                rng, rate, hertz(note), lasts * beat, 0.95 if part == 0 else 0.75, brightness=1.0
            )
            canvas.add(sound, humanised(rng, start + offset * beat, 7.0), 0.8, 0.4 * part - 0.4)


def _low_brass(
    take: Take, canvas: Canvas, tonic: int, chord: Chord, *, start: float, beat: float
) -> None:
    rng, rate = take.rng, take.sample_rate
    bass = root_between(tonic, chord, 34)
    horns = notes_between(pitch_classes(tonic, chord), 50, 63)[:3]
    rhythm = take.pick(
        (((0, 1.8), (2, 1.8)), ((0, 2.8), (3, 0.9)), ((0, 3.8),), ((0, 0.9), (1, 2.8)))
    )
    for offset, lasts in rhythm:
        for note, pan in zip((bass, bass + 12, *horns), (0.5, 0.4, -0.6, -0.4, -0.2), strict=False):
            sound = brass(rng, rate, hertz(note), lasts * beat, 0.8, brightness=0.75)
            canvas.add(sound, humanised(rng, start + offset * beat, 10.0), 0.6, pan)


def _percussion(
    take: Take, canvas: Canvas, tonic: int, *, start: float, beat: float, bar: int, last: bool
) -> None:
    rng, rate = take.rng, take.sample_rate
    low = 41 + (tonic - 41) % 12
    drum, dominant = hertz(low), hertz(low - 5)
    strokes = ((0.0, drum, 1.0), (2.0, dominant, 0.7), (3.0, dominant, 0.7), (3.5, drum, 0.6))
    for offset, pitch, force in strokes:
        if not last or offset == 0.0:
            canvas.add(timpani(rng, rate, pitch, force), start + offset * beat, 0.8, 0.3)
    if bar % 4 == 0 or last:
        canvas.add(crash(rng, rate, 2.8), start, 0.45, -0.2)
    if bar % 2 == 1 and not last:
        hit = snare(rng, rate, pitch=210.0, decay=0.13)
        for stroke in range(8):
            at = start + (2.0 + stroke / 4.0) * beat
            canvas.add(hit, humanised(rng, at, 4.0), 0.12 + 0.03 * stroke, 0.5)
