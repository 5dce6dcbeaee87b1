"""Music for an 8-bit console: two pulse channels, a stepped triangle and one-bit noise."""

import numpy as np

from training.demo.score.rhythm import DrumLine, play_lines
from training.demo.score.take import Take
from training.demo.score.theory import (
    HARMONIC_MINOR,
    MAJOR,
    Chord,
    hertz,
    nearest,
    notes_between,
    pitch_classes,
    progression,
    root_between,
    scale_note,
)
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.electronic import chip_noise, chip_pulse, chip_triangle
from training.demo.synthesis.signals import Signal

_FORMS: tuple[tuple[int, float, tuple[int, ...], tuple[Chord, ...]], ...] = (
    (0, 150.0, MAJOR, progression("0 9:m 5 7")),
    (9, 168.0, HARMONIC_MINOR, progression("0:m 8 10 7")),
    (5, 138.0, MAJOR, progression("0 4:m 5 7:7")),
    (2, 180.0, HARMONIC_MINOR, progression("0:m 10 8 7")),
)
"""Tonic pitch class, quarter notes per minute, scale, one chord per bar."""

_RHYTHMS = (
    ((0, 2), (2, 1), (3, 1), (4, 2), (6, 2), (8, 3), (11, 1), (12, 2), (14, 2)),
    ((0, 3), (3, 3), (6, 2), (8, 3), (11, 3), (14, 2)),
    ((0, 1), (1, 1), (2, 2), (4, 1), (5, 1), (6, 2), (8, 4), (12, 2), (14, 1), (15, 1)),
    ((0, 4), (4, 2), (6, 2), (8, 6), (14, 2)),
)


def chiptune(take: Take) -> Signal:
    """A hero's melody over arpeggiated chords, a bouncing bass and noise drums, all of it dry."""
    rate = take.sample_rate
    tonic, tempo, scale, chords = take.pick(_FORMS)
    step = 15.0 / tempo
    bars = take.bars(16 * step, multiple=4)
    canvas = Canvas(bars * 16 * step + 0.3, rate)
    phrase = _phrase(take, tonic, scale, chords)
    for bar in range(bars):
        start, chord = bar * 16 * step, chords[bar % 4]
        for place, lasts, note in phrase[bar % 4]:
            lift = 12 if bar >= bars - 4 and take.variant % 2 else 0
            tone = chip_pulse(
                rate, hertz(note + lift), lasts * step * 0.92, take.pick((0.25, 0.5, 0.125, 0.25))
            )
            canvas.add(tone, start + place * step, 0.62)
            canvas.add(tone, start + (place + 3) * step, 0.16, 0.3)
        _backing(take, canvas, tonic, chord, start=start, step=step)
    _drums(take, canvas, bars, step)
    closing = chip_pulse(rate, hertz(tonic + 72), 0.3, 0.5)
    canvas.add(closing, bars * 16 * step, 0.5)
    narrow = 0.75 * canvas.samples + 0.25 * canvas.samples[::-1]
    crushed = np.round(narrow.astype(np.float32) * 64.0) / 64.0
    return master(crushed.astype(np.float32), rate, drive=0.8, fade_out=0.1)


def _phrase(
    take: Take, tonic: int, scale: tuple[int, ...], chords: tuple[Chord, ...]
) -> list[list[tuple[int, int, int]]]:
    """Four bars of ``(step, length, note)``: chord tones on beats, scale steps between."""
    rng = take.rng
    ladder = [scale_note(tonic + 60, scale, degree) for degree in range(-3, 17)]
    note, bars = tonic + 72, []
    motif = _RHYTHMS[take.variant % 4]
    for index, chord in enumerate(chords):
        rhythm = _RHYTHMS[(take.variant + 3) % 4] if index == 3 else motif
        bar = []
        for place, lasts in rhythm:
            target = note + rng.integers(-5, 6) + (tonic + 74 - note) * 0.3
            pool = notes_between(pitch_classes(tonic, chord), 64, 90) if place % 4 == 0 else ladder
            note = nearest(pool, target)
            bar.append((place, lasts, note))
        bars.append(bar)
    return bars


def _backing(
    take: Take, canvas: Canvas, tonic: int, chord: Chord, *, start: float, step: float
) -> None:
    rate = take.sample_rate
    bass = root_between(tonic, chord, 36)
    line = take.pick((
        (0, 12, 0, 12, 0, 12, 0, 12), (0, 0, 12, 0, 0, 7, 12, 7),
        (0, 7, 12, 7, 0, 7, 12, 7), (0, 0, 0, 12, 0, 0, 12, 0),
    ))  # fmt: skip
    for index, interval in enumerate(line):
        tone = chip_triangle(rate, hertz(bass + interval), step * 1.7)
        canvas.add(tone, start + index * 2 * step, 0.8)
    triad = [hertz(n) for n in notes_between(pitch_classes(tonic, chord), 55, 71)[:3]]
    for index in range(8):
        arpeggio = chip_pulse(rate, triad, step * 1.6, 0.125, decay=0.3, step=1 / 50)
        canvas.add(arpeggio, start + index * 2 * step, 0.42, -0.25)


def _drums(take: Take, canvas: Canvas, bars: int, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    kick = chip_triangle(rate, 180.0, 0.09, fall=22.0)
    snares = [chip_noise(rng, rate, 0.13, 11_000.0) for _ in range(3)]
    ticks = [chip_noise(rng, rate, 0.03, 22_000.0) for _ in range(3)]
    for bar in range(bars):
        lines = (
            DrumLine(take.pick(("9...9...9...9...", "9.....9.9.......")), [kick], 0.9),
            DrumLine("....9.......9.98" if bar % 4 == 3 else "....9.......9...", snares, 0.75),
            DrumLine("5.4.5.4.5.4.5.4.", ticks, 0.6),
        )
        start = bar * 16 * step
        play_lines(canvas, rng, lines, start=start, step_seconds=step, milliseconds=0.0)
