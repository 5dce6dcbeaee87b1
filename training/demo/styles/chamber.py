"""Written-out music for ensembles: a string quartet and a choir."""

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
from training.demo.synthesis.filters import filtered
from training.demo.synthesis.plucked import PIZZICATO, pluck
from training.demo.synthesis.signals import Signal
from training.demo.synthesis.space import impulse_response, reverberate
from training.demo.synthesis.sustained import (
    AH,
    CELLO_BODY,
    EH,
    OH,
    OO,
    VIOLIN_BODY,
    Vowel,
    bowed,
    sung,
)

_QUARTET_FORMS: tuple[tuple[int, float, str, tuple[Chord, ...]], ...] = (
    (2, 72.0, "adagio", progression("0:m 5:m 7:7 0:m 8 3 7:sus4 7:7 0:m")),
    (7, 126.0, "allegro", progression("0 7 0 2:m 7:7 9:m 5 7:7 0 0")),
    (9, 96.0, "pizzicato", progression("0:m 7:7 0:m 5:m 3 8 7:7 0:m")),
    (4, 66.0, "hymn", progression("0 5 0 7:sus4 9:m 2:m7 7:7 0")),
)  # fmt: skip
"""Tonic pitch class, quarter notes per minute, texture and one chord per bar."""


def string_quartet(take: Take) -> Signal:
    """Two violins, viola and cello in four real parts, in a small hall."""
    rng, rate = take.rng, take.sample_rate
    tonic, tempo, texture, chords = take.pick(_QUARTET_FORMS)
    beat = 60.0 / tempo
    beats_per_bar = {"adagio": 3, "allegro": 4, "pizzicato": 3, "hymn": 3}[texture]
    seconds = len(chords) * beats_per_bar * beat + 1.4
    fiddles, low = Canvas(seconds, rate), Canvas(seconds, rate)
    upper = voicings(tonic, chords, 57, 79, 3)
    melody = 79
    for bar, (chord, voicing) in enumerate(zip(chords, upper, strict=True)):
        start = bar * beats_per_bar * beat
        last = bar == len(chords) - 1
        bass = root_between(tonic, chord, 37)
        _accompany(
            take,
            (fiddles, low),
            texture,
            (bass, *voicing[:2]),
            start=start,
            beat=beat,
            beats=beats_per_bar,
        )
        rhythm = _melody_rhythm(take, texture, beats_per_bar, last)
        for offset, lasts in rhythm:
            pool = notes_between(pitch_classes(tonic, chord), 69, 89)
            melody = nearest(pool, melody + rng.integers(-4, 5) + (79 - melody) * 0.25)
            note = bowed(rng, rate, hertz(melody), lasts * beat * 0.98, 0.8, attack=0.07)
            fiddles.add(note, humanised(rng, start + offset * beat, 8.0), 0.9, -0.45)
    dry = filtered(fiddles.samples, rate, *VIOLIN_BODY) + filtered(low.samples, rate, *CELLO_BODY)
    hall = impulse_response(rng, rate, 1.7, 0.5)
    mix = dry + reverberate(dry, hall, rate) * np.float32(0.28)
    return master(mix, rate, drive=0.6, level=0.85, fade_out=1.2)


def _melody_rhythm(take: Take, texture: str, beats: int, last: bool) -> list[tuple[float, float]]:
    if last:
        return [(0.0, float(beats))]
    choices: dict[str, list[list[tuple[float, float]]]] = {
        "adagio": [[(0, 2), (2, 1)], [(0, 1.5), (1.5, 0.5), (2, 1)], [(0, 3)]],
        "allegro": [
            [(i / 2, 0.45) for i in range(8)],
            [(0, 1), (1, 0.5), (1.5, 0.5), (2, 1), (3, 0.5), (3.5, 0.5)],
            [(0, 1.5), (1.5, 0.5), (2, 0.5), (2.5, 0.5), (3, 1)],
        ],
        "pizzicato": [[(0, 2), (2, 1)], [(0, 1), (1, 1), (2, 0.5), (2.5, 0.5)]],
        "hymn": [[(0, 2), (2, 1)], [(0, 1), (1, 1), (2, 1)]],
    }
    options = choices[texture]
    return options[int(take.rng.integers(len(options)))]


def _accompany(
    take: Take,
    sections: tuple[Canvas, Canvas],
    texture: str,
    notes: tuple[int, ...],
    *,
    start: float,
    beat: float,
    beats: int,
) -> None:
    """Cello, viola and second violin for one bar: held, repeated in eighths, or plucked."""
    rng, rate = take.rng, take.sample_rate
    for part, (note, pan) in enumerate(zip(notes, (0.5, 0.25, -0.15), strict=True)):
        canvas = sections[1] if part == 0 else sections[0]
        if texture == "pizzicato":
            for index in range(beats):
                if (index == 0) == (part == 0):
                    plucked = pluck(
                        rng, rate, PIZZICATO, frequency=hertz(note), seconds=0.7, velocity=0.9
                    )
                    canvas.add(plucked, humanised(rng, start + index * beat, 8.0), 2.4, pan)
        elif texture == "allegro":
            for index in range(2 * beats if part else beats):
                length = beat * (0.36 if part else 0.7)
                sound = bowed(rng, rate, hertz(note), length, 0.55, attack=0.03, vibrato_cents=5)
                at = start + index * beat * (0.5 if part else 1.0)
                canvas.add(sound, humanised(rng, at, 6.0), 0.6, pan)
        else:
            sound = bowed(rng, rate, hertz(note), beats * beat * 0.99, 0.55, attack=0.16)
            canvas.add(sound, humanised(rng, start, 12.0), 0.75, pan)


_CHOIR_FORMS: tuple[tuple[int, str, tuple[Vowel, Vowel], tuple[Chord, ...]], ...] = (
    (0, "mixed", (AH, OH), progression("0 5 7 9:m 5 7:sus4 0")),
    (2, "men", (OH, OO), progression("0:5 10:5 0:5 3:5 5:5 10:5 0:5")),
    (7, "women", (OO, AH), progression("0 4:m 9:m 5 2:m 7 0")),
    (9, "mixed", (EH, AH), progression("0:m 8 3 10 5:m 7 0:m")),
)
"""Tonic pitch class, who sings, first and second vowel, one chord per breath."""


def choir(take: Take) -> Signal:
    """Voices alone, several to a part, one chord per breath, in a cathedral."""
    rng, rate = take.rng, take.sample_rate
    tonic, forces, vowels, chords = take.pick(_CHOIR_FORMS)
    pace = take.pick((2.7, 2.5, 2.8, 2.6))
    canvas = Canvas(len(chords) * pace + 3.0, rate)
    low, high = {"mixed": (53, 76), "men": (45, 62), "women": (60, 81)}[forces]
    upper = voicings(tonic, chords, low, high, 3)
    for index, (chord, voicing) in enumerate(zip(chords, upper, strict=True)):
        bass = root_between(tonic, chord, {"mixed": 41, "men": 38, "women": 55}[forces])
        for part, note in enumerate((bass, *voicing)):
            for singer in range(3):
                voice = sung(
                    rng, rate, hertz(note), pace * 1.02, vowels, female=note > 58, attack=0.28
                )
                at = humanised(rng, index * pace + 0.1, 35.0)
                pan = (part - 1.5) * 0.4 + (singer - 1) * 0.18
                canvas.add(voice, at, rng.uniform(0.8, 1.1), float(np.clip(pan, -0.9, 0.9)))
    cathedral = impulse_response(rng, rate, 4.2, 0.4)
    wet = reverberate(canvas.samples, cathedral, rate, 0.03)
    mix = canvas.samples * np.float32(0.8) + wet * np.float32(0.4)
    return master(mix, rate, drive=0.6, level=0.85, fade_in=0.05, fade_out=2.5)
