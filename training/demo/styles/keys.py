"""Music for one player at a grand piano."""

from collections.abc import Callable

import numpy as np

from training.demo.score.rhythm import humanised
from training.demo.score.take import Take
from training.demo.score.theory import (
    HARMONIC_MINOR,
    MAJOR,
    hertz,
    nearest,
    notes_between,
    pitch_classes,
    progression,
    root_between,
    scale_note,
    voicings,
)
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.signals import Signal
from training.demo.synthesis.space import impulse_response, reverberate
from training.demo.synthesis.struck import piano


def solo_piano(take: Take) -> Signal:
    """A nocturne, a slow waltz, a rippling minimalist study or a chorale, by variant."""
    forms: tuple[Callable[[Take], Canvas], ...] = (_nocturne, _waltz, _study, _chorale)
    canvas = take.pick(forms)(take)
    room = impulse_response(take.rng, take.sample_rate, 1.8, 0.45)
    wet = reverberate(canvas.samples, room, take.sample_rate)
    mix = canvas.samples + wet * np.float32(0.22)
    return master(mix, take.sample_rate, drive=0.5, level=0.85, fade_out=1.5)


def play_piano(
    take: Take, canvas: Canvas, note: int, at: float, *, seconds: float, velocity: float
) -> None:
    """One key: low notes sound from the left, with a player's errors of time and touch."""
    touch = float(np.clip(velocity * take.rng.uniform(0.9, 1.1), 0.08, 1.0))
    sound = piano(take.rng, take.sample_rate, hertz(note), seconds, velocity=touch)
    canvas.add(sound, humanised(take.rng, at, 6.0), 1.0, (note - 62) / 60.0)


def _melody_note(take: Take, classes: list[int], previous: int, low: int, high: int) -> int:
    """A chord tone near the last one, leaning away from the edges of the range."""
    drift = take.rng.integers(-5, 6) + (0.5 * (low + high) - previous) * 0.2
    return nearest(notes_between(classes, low, high), previous + drift)


def _nocturne(take: Take) -> Canvas:
    """Left hand in broken chords under the pedal, right hand sings."""
    tonic, beat = 1, 60.0 / 66.0
    harmony = progression("0:m 8 3 10:7 5:m 0:m 7:7 0:m")
    canvas, melody = Canvas(8 * 3 * beat + 1.5, take.sample_rate), 73
    for bar, chord in enumerate(harmony):
        start, classes = bar * 3 * beat, pitch_classes(tonic, chord)
        bass = root_between(tonic, chord, 34)
        inner = notes_between(classes, bass + 7, bass + 24)[:4]
        figure = [bass, *inner, *inner[::-1]][:6]
        for index, note in enumerate(figure):
            at = start + index * beat / 2
            play_piano(take, canvas, note, at, seconds=3 * beat - index * 0.3, velocity=0.34)
        for offset, lasts in take.rng.permutation([(0, 1.5), (1.5, 0.5), (2, 1)]).tolist():
            melody = _melody_note(take, classes, melody, 68, 87)
            at = start + offset * beat
            play_piano(take, canvas, melody, at, seconds=lasts * beat + 0.4, velocity=0.58)
    return canvas


def _waltz(take: Take) -> Canvas:
    """Bass note, then a soft chord, under a sparse melody: slow and in major sevenths."""
    tonic, beat = 2, 60.0 / 76.0
    harmony = progression("5:maj7 0:maj7 5:maj7 0:maj7 2:m7 4:m7 5:maj7 0:maj7")
    chords = voicings(tonic, harmony, 54, 71, 3)
    canvas, melody = Canvas(8 * 3 * beat + 2.0, take.sample_rate), 78
    for bar, (chord, voicing) in enumerate(zip(harmony, chords, strict=True)):
        start = bar * 3 * beat
        bass = root_between(tonic, chord, 36)
        play_piano(take, canvas, bass, start, seconds=3 * beat, velocity=0.4)
        for note in voicing:
            play_piano(take, canvas, note, start + beat, seconds=2 * beat, velocity=0.28)
        rhythm = ((1, 1), (2, 1)) if bar % 2 == 0 else ((0, 3),)
        for offset, lasts in rhythm:
            melody = _melody_note(take, pitch_classes(tonic, chord), melody, 71, 88)
            at = start + offset * beat
            play_piano(take, canvas, melody, at, seconds=lasts * beat + 0.5, velocity=0.52)
    return canvas


def _study(take: Take) -> Canvas:
    """Repeating broken triads in eighths, minimalist, with a slow line on top."""
    tonic, step = 9, 60.0 / 112.0 / 2.0
    harmony = progression("0:m 8 3 7:m")
    chords = voicings(tonic, harmony, 57, 76, 3)
    canvas = Canvas(9 * 8 * step + 2.0, take.sample_rate)
    for bar in range(9):
        chord, voicing = harmony[bar % 4], chords[bar % 4]
        start, loud = bar * 8 * step, 0.34 + 0.03 * bar
        for note in (root_between(tonic, chord, 33), root_between(tonic, chord, 33) + 12):
            play_piano(take, canvas, note, start, seconds=8 * step, velocity=loud + 0.1)
        for index in range(8):
            note = voicing[(0, 1, 2, 1)[index % 4]]
            accent = 0.08 if index % 4 == 0 else 0.0
            at = start + index * step
            play_piano(take, canvas, note, at, seconds=2.5 * step, velocity=loud + accent)
        if bar >= 2:
            top = scale_note(81, HARMONIC_MINOR, (0, -1, 2, 1, -2)[bar % 5])
            top = nearest(notes_between(pitch_classes(tonic, chord), 76, 90), top)
            play_piano(take, canvas, top, start, seconds=7 * step, velocity=loud + 0.2)
    return canvas


def _chorale(take: Take) -> Canvas:
    """Warm full chords at walking pace, with passing notes in the melody."""
    tonic, beat = 5, 60.0 / 58.0
    harmony = progression("0:add9 7 9:m7 5:maj7 0 2:m7 5:add9 7:sus4 0:add9")
    chords = voicings(tonic, harmony, 55, 74, 4)
    canvas = Canvas(len(harmony) * 2 * beat + 2.0, take.sample_rate)
    for index, (chord, voicing) in enumerate(zip(harmony, chords, strict=True)):
        start = index * 2 * beat
        bass = root_between(tonic, chord, 34)
        play_piano(take, canvas, bass, start, seconds=2 * beat, velocity=0.45)
        play_piano(take, canvas, bass + 7, start + beat, seconds=beat, velocity=0.3)
        for place, note in enumerate(voicing):
            at = start + 0.018 * place
            play_piano(take, canvas, note, at, seconds=2 * beat, velocity=0.4)
        top = 77 + int(take.rng.integers(0, 5))
        melody = nearest(notes_between(pitch_classes(tonic, chord), 72, 86), top)
        play_piano(take, canvas, melody, start, seconds=1.6 * beat, velocity=0.6)
        passing = nearest([scale_note(65, MAJOR, d) for d in range(16)], melody + 2)
        play_piano(take, canvas, passing, start + 1.5 * beat, seconds=0.7 * beat, velocity=0.45)
    return canvas
