"""Wood and skin: finger-picked guitar and a jazz trio."""

import numpy as np

from training.demo.score.rhythm import humanised, swung
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
from training.demo.styles.keys import play_piano
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.drums import acoustic_kick, brush_sweep, brush_tap, hat, ride
from training.demo.synthesis.filters import filtered, low_pass, peak
from training.demo.synthesis.plucked import (
    DOUBLE_BASS,
    NYLON_GUITAR,
    STEEL_GUITAR,
    String,
    pluck,
    slide_noise,
)
from training.demo.synthesis.signals import Signal
from training.demo.synthesis.space import impulse_response, reverberate
from training.demo.synthesis.sustained import GUITAR_BODY

_SHAPES: dict[str, tuple[int, ...]] = {
    "G": (43, 47, 50, 55, 59, 67),
    "C": (48, 52, 55, 60, 64),
    "D": (50, 57, 62, 66),
    "Em": (40, 47, 52, 55, 59, 64),
    "Am": (45, 52, 57, 60, 64),
    "F": (41, 48, 53, 57, 60, 65),
    "Dm": (50, 57, 62, 65),
    "E": (40, 47, 52, 56, 59, 64),
    "Cadd9": (48, 52, 55, 62, 67),
    "A": (45, 52, 57, 61, 64),
}
"""Open chord shapes on a guitar in standard tuning, lowest string first."""

_FOLK_FORMS: tuple[tuple[str, float, int, String, tuple[str, ...]], ...] = (
    ("travis", 96.0, 2, STEEL_GUITAR, ("C", "G", "Am", "Em", "F", "C", "G", "C")),
    ("strum", 104.0, 0, STEEL_GUITAR, ("G", "D", "Em", "Cadd9", "G", "D", "Cadd9", "G")),
    ("waltz", 118.0, 3, NYLON_GUITAR, (
        "Am", "E", "Am", "Dm", "Am", "E", "Am", "G", "C", "G", "E", "Am",
    )),
    ("travis", 84.0, 4, STEEL_GUITAR, ("Am", "C", "G", "D", "Am", "C", "Em")),
)  # fmt: skip
"""Texture, tempo, capo fret, string and chords (one per bar of 4/4, or 3/4 for the waltz)."""


def folk_guitar(take: Take) -> Signal:
    """One acoustic guitar by the fire: alternating thumb and melody, a strum, or a waltz."""
    rng, rate = take.rng, take.sample_rate
    texture, tempo, capo, string, chords = take.pick(_FOLK_FORMS)
    beat = 60.0 / tempo
    beats = 3 if texture == "waltz" else 4
    canvas = Canvas(len(chords) * beats * beat + 2.2, rate)
    for bar, name in enumerate(chords):
        start = bar * beats * beat
        notes = [note + capo for note in _SHAPES[name]]
        for offset, note, lasts, force in _bar(take, texture, notes):
            sound = pluck(
                rng, rate, string, frequency=hertz(note), seconds=lasts * beat, velocity=force
            )
            canvas.add(sound, humanised(rng, start + offset * beat, 5.0), 1.0, (note - 55) / 90)
        if bar and rng.random() < 0.35:
            canvas.add(slide_noise(rng, rate, 0.16), start - 0.12, 0.35)
    last = [note + capo for note in _SHAPES[chords[-1]]]
    for index, note in enumerate(last):
        sound = pluck(rng, rate, string, frequency=hertz(note), seconds=2.2, velocity=0.6)
        canvas.add(sound, len(chords) * beats * beat + 0.03 * index, 0.9)
    body = filtered(canvas.samples, rate, *GUITAR_BODY)
    room = impulse_response(rng, rate, 0.7, 0.6)
    mix = body + reverberate(body, room, rate, 0.008) * np.float32(0.16)
    return master(mix, rate, drive=0.6, level=0.85, fade_out=1.2)


def _bar(take: Take, texture: str, notes: list[int]) -> list[tuple[float, int, float, float]]:
    """``(beat, note, beats held, force)`` of one bar."""
    rng = take.rng
    if texture == "strum":
        down, up = notes, notes[::-1][:4]
        strokes = (
            (0, down, 0.75), (1, down, 0.55), (1.5, up, 0.4),
            (2.5, up, 0.45), (3, down, 0.6), (3.5, up, 0.4),
        )  # fmt: skip
        return [
            (
                beat + 0.022 * index,
                note,
                1.4,
                force * rng.uniform(0.8, 1.0) * (0.9 if index else 1.1),
            )
            for beat, chord, force in strokes
            for index, note in enumerate(chord)
        ]
    treble = notes[-3:]
    if texture == "waltz":
        events = [(0.0, notes[0], 3.0, 0.75)]
        events += [(b + 0.01 * i, n, 1.0, 0.45) for b in (1.0, 2.0) for i, n in enumerate(treble)]
        melody = treble[int(rng.integers(3))] + 12
        return [*events, (0.0, melody, 1.4, 0.65), (1.5, int(rng.choice(treble)) + 12, 1.4, 0.55)]
    thumb = [notes[0], notes[2], notes[1], notes[2]]
    events = [
        (float(beat), note, 1.6, 0.62 if beat % 2 == 0 else 0.5) for beat, note in enumerate(thumb)
    ]
    for beat in (0.5, 1.5, 2.5, 3.5):
        events.append((beat, int(rng.choice(treble)), 1.8, rng.uniform(0.42, 0.58)))
    events.append((0.0, int(rng.choice(treble)) + int(rng.choice((0, 12))), 2.0, 0.68))
    if rng.random() < 0.6:
        events.append((2.0, int(rng.choice(treble)) + 12, 1.4, 0.6))
    return events


_JAZZ_FORMS: tuple[tuple[int, float, tuple[Chord, ...]], ...] = (
    (10, 138.0, progression("2:m9 7:13 0:maj9 9:7 2:m9 7:13 0:maj9 0:maj9 5:m9 10:13 3:maj9 7:7")),
    (5, 176.0, progression("0:13 5:9 0:13 0:13 5:9 5:9 0:13 9:7 2:m9 7:13 0:13 7:13")),
    (0, 112.0, progression("0:m9 5:m9 2:m7b5 7:7 0:m9 8:maj9 2:m7b5 7:7")),
    (3, 156.0, progression("0:maj9 9:m9 2:m9 7:13 4:m9 9:7 2:m9 7:13 0:maj9 5:9 0:maj9 7:13")),
)  # fmt: skip
"""Tonic pitch class, tempo, one chord per bar."""


def jazz_trio(take: Take) -> Signal:
    """Piano, walking double bass and brushed drums, swinging."""
    rng, rate = take.rng, take.sample_rate
    tonic, tempo, chords = take.pick(_JAZZ_FORMS)
    beat = 60.0 / tempo
    bars = len(chords)
    seconds = bars * 4 * beat + 1.5
    keys, bass, drums = (Canvas(seconds, rate) for _ in range(3))
    _walk(take, bass, tonic, chords, beat)
    _brushes(take, drums, bars, beat)
    comping = voicings(tonic, chords, 53, 70, 4)
    note = tonic + 72
    for bar, (chord, voicing) in enumerate(zip(chords, comping, strict=True)):
        start = bar * 4 * beat
        for step in take.rng.permutation([(0, 3), (1, 4), (3, 7), (0, 5)])[0]:
            for key in voicing:
                at = start + swung(int(step), beat / 2, 1 / 3)
                play_piano(take, keys, key, at, seconds=beat * 0.6, velocity=0.34)
        note = _improvise(take, keys, pitch_classes(tonic, chord), note, start=start, beat=beat)
    club = impulse_response(rng, rate, 0.8, 0.5)
    wooden = filtered(bass.samples, rate, peak(110.0, 2.0, 1.6), low_pass(1600.0))
    dry = keys.samples + wooden * np.float32(1.5) + drums.samples * np.float32(0.8)
    mix = dry + reverberate(dry, club, rate) * np.float32(0.12)
    return master(mix, rate, drive=0.9, level=0.88, fade_out=1.0)


def _walk(take: Take, canvas: Canvas, tonic: int, chords: tuple[Chord, ...], beat: float) -> None:
    """Quarter notes: the root, chord tones, and a semitone approach to the next root."""
    rng, rate = take.rng, take.sample_rate
    roots = [root_between(tonic, chord, 31) for chord in chords]
    for bar, chord in enumerate(chords):
        target = roots[(bar + 1) % len(roots)]
        pool = notes_between(pitch_classes(tonic, chord)[:4], 30, 48)
        second = nearest(pool, roots[bar] + rng.choice((4, 5, -4)))
        third = nearest([n for n in pool if n != second], second + rng.choice((3, 4)))
        line = (roots[bar], second, third, target + int(rng.choice((-1, 1))))
        for index, note in enumerate(line):
            force = 0.95 if index % 2 == 0 else 0.85
            sound = pluck(
                rng, rate, DOUBLE_BASS, frequency=hertz(note), seconds=beat * 0.93, velocity=force
            )
            canvas.add(sound, humanised(rng, (bar * 4 + index) * beat, 7.0), 1.0, -0.1)


def _brushes(take: Take, canvas: Canvas, bars: int, beat: float) -> None:
    rng, rate = take.rng, take.sample_rate
    taps = [brush_tap(rng, rate) for _ in range(3)]
    sweeps = [brush_sweep(rng, rate, beat * 1.05) for _ in range(3)]
    cymbals = [ride(rng, rate, 1.1) for _ in range(2)]
    foot, kick = hat(rng, rate, 0.07, 0.8), acoustic_kick(rng, rate)
    for index in range(bars * 4):
        at = index * beat
        canvas.add(sweeps[index % 3], at, 0.9, 0.15)
        canvas.add(cymbals[index % 2], humanised(rng, at, 4.0), 0.28 + 0.06 * (index % 2), 0.4)
        canvas.add(kick, at, 0.1)
        if index % 2:
            canvas.add(foot, humanised(rng, at, 4.0), 0.3, -0.3)
            canvas.add(taps[index % 3], humanised(rng, at, 5.0), 0.22, 0.1)
            skip = at + beat * 2 / 3
            canvas.add(cymbals[index % 2], humanised(rng, skip, 4.0), 0.2, 0.4)
        if rng.random() < 0.25:
            canvas.add(taps[index % 3], humanised(rng, at + beat * 2 / 3, 6.0), 0.2, 0.1)


def _improvise(
    take: Take, canvas: Canvas, classes: list[int], note: int, *, start: float, beat: float
) -> int:
    """Swung eighths: chord tones on beats, chromatic approaches off them; returns the last note."""
    rng = take.rng
    direction = int(rng.choice((-1, 1)))
    for step in range(8):
        if rng.random() < 0.28:
            continue
        if note > 86 or note < 66:
            direction = -1 if note > 86 else 1
        target = note + direction * int(rng.integers(1, 5))
        note = nearest(notes_between(classes, 62, 90), target)
        if step % 2 and rng.random() < 0.4:
            note += direction
        at = start + swung(step, beat / 2, 1 / 3)
        force = 0.62 if step % 2 else 0.54
        play_piano(take, canvas, note, at, seconds=beat * 0.55, velocity=force)
    return note
