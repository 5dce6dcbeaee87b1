"""What a part plays: each role turns a song's harmony and tempo into notes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.compose.harmony import Song
from training.synthesis.dsp import CLIP_SECONDS
from training.synthesis.soundfont import Note

Role = Callable[[Song, int], list[Note]]
ROLES: dict[str, Role] = {}


def role(function: Role) -> Role:
    """Register a role under its name."""
    ROLES[function.__name__] = function
    return function


@role
def sustain(song: Song, octave: int) -> list[Note]:
    """Chords held for the whole bar."""
    return [
        Note(b * song.bar, song.bar * 1.02, p, song.velocity(60, 90))
        for b in range(song.bars) for p in song.chord(b, octave)
    ]  # fmt: skip


@role
def held(song: Song, octave: int) -> list[Note]:
    """Root and fifth for the whole clip (drone)."""
    pitches = [song.pitch(0, octave), song.pitch(0, octave) + 7, song.pitch(0, octave - 1)]
    keep = pitches[: int(song.rng.integers(1, 4))]
    return [Note(song.rng.uniform(0, 0.5), CLIP_SECONDS, p, song.velocity()) for p in keep]


@role
def cluster(song: Song, octave: int) -> list[Note]:
    """Dissonant held semitones (suspense)."""
    out = []
    for start in np.arange(0, CLIP_SECONDS, song.rng.uniform(2, 5)):
        base = song.pitch(0, octave) + int(song.rng.integers(-3, 4))
        picks = [0, *song.rng.choice([1, 6, 11, 13, 2], 2, replace=False)]
        out += [Note(start, 5, base + int(i), song.velocity(50, 100)) for i in picks]
    return out


def _rhythm_chords(song: Song, octave: int, steps: tuple[float, ...], length: float) -> list[Note]:
    return [
        Note(song.step(b, s), length * song.beat, p, song.velocity())
        for b in range(song.bars) for s in steps for p in song.chord(b, octave)
        if s < song.beats * 4
    ]  # fmt: skip


@role
def stabs(song: Song, octave: int) -> list[Note]:
    """Short syncopated chords (house, funk, disco)."""
    choices = ((2, 6, 10, 14), (0, 3, 6, 10), (3, 6, 11, 14), (0, 6, 12), (0, 3, 8, 11))
    return _rhythm_chords(song, octave, choices[song.rng.integers(len(choices))], 0.22)


@role
def skank(song: Song, octave: int) -> list[Note]:
    """Off-beat chords (reggae, ska)."""
    return _rhythm_chords(song, octave, (4, 12) if song.rng.random() < 0.5 else (2, 6, 10, 14), 0.2)


@role
def comping(song: Song, octave: int) -> list[Note]:
    """Sparse jazz chords at random off-beats."""
    out = []
    for b in range(song.bars):
        for s in song.rng.choice([0, 2, 6, 7, 10, 14], int(song.rng.integers(1, 4)), replace=False):
            length = song.beat * song.rng.uniform(0.2, 0.9)
            out += [Note(song.step(b, s), length, p, song.velocity(60, 95))
                    for p in song.chord(b, octave)]  # fmt: skip
    return out


@role
def bossa(song: Song, octave: int) -> list[Note]:
    """Bossa nova guitar rhythm."""
    return _rhythm_chords(song, octave, (0, 3, 6, 10, 13), 0.4)


@role
def strum(song: Song, octave: int) -> list[Note]:
    """Strummed guitar chords, string by string."""
    pattern = (
        (0, 4, 6, 10, 12, 14),
        (0, 4, 8, 12),
        (0, 3, 6, 8, 11, 14),
        (0, 2, 4, 6, 8, 10, 12, 14),
    )
    steps, out = pattern[song.rng.integers(4)], []
    for b in range(song.bars):
        chord = song.chord(b, octave) + song.chord(b, octave + 1)[:3]
        for k, s in enumerate(steps):
            order = chord if k % 2 == 0 else chord[::-1]
            out += [Note(song.step(b, s) + 0.012 * i, song.beat * 0.9, p, song.velocity(70, 105))
                    for i, p in enumerate(order) if s < song.beats * 4]  # fmt: skip
    return out


@role
def picking(song: Song, octave: int) -> list[Note]:
    """Finger-picked broken chords."""
    order = song.rng.permutation(5)
    out = []
    for b in range(song.bars):
        chord = song.chord(b, octave) + song.chord(b, octave + 1)[:2]
        for s in range(0, song.beats * 4, 2):
            pitch = chord[order[(s // 2) % 5] % len(chord)] if s % 8 else chord[0] - 12
            out.append(Note(song.step(b, s), song.beat * 1.5, pitch, song.velocity(65, 100)))
    return out


@role
def arpeggio(song: Song, octave: int) -> list[Note]:
    """Steady arpeggio in eighths or sixteenths."""
    rate = int(song.rng.choice([1, 1, 2]))
    shape = song.rng.integers(0, 6, 8)
    return [
        Note(song.step(b, s), song.beat * 0.24 * rate,
             (song.chord(b, octave) + song.chord(b, octave + 1))[shape[(s // rate) % 8] % 6],
             song.velocity())
        for b in range(song.bars) for s in range(0, song.beats * 4, rate)
    ]  # fmt: skip


@role
def alberti(song: Song, octave: int) -> list[Note]:
    """Classical accompaniment low-high-middle-high."""
    return [
        Note(song.step(b, 2 * k), song.beat * 0.5, song.chord(b, octave)[(0, 2, 1, 2)[k % 4]],
             song.velocity(60, 85))
        for b in range(song.bars) for k in range(song.beats * 2)
    ]  # fmt: skip


@role
def oompah(song: Song, octave: int) -> list[Note]:
    """Bass on one, chords after (waltz, march, polka, ragtime)."""
    out = []
    for b in range(song.bars):
        for beat in range(song.beats):
            chord = song.chord(b, octave)
            strong = beat == 0 or (song.beats == 4 and beat == 2)
            for p in [chord[0] - 12] if strong else chord:
                out.append(Note(song.step(b, beat * 4), song.beat * 0.5, p, song.velocity()))
    return out


def _melody(song: Song, octave: int, lengths: list[float], rest: float, leap: int) -> list[Note]:
    out, time, degree = [], 0.0, int(song.rng.integers(0, 5))
    motif = [(float(song.rng.choice(lengths)), int(song.rng.integers(-leap, leap + 1)))
             for _ in range(int(song.rng.integers(3, 8)))]  # fmt: skip
    while time < CLIP_SECONDS:
        if song.rng.random() < 0.2:
            motif[song.rng.integers(len(motif))] = (
                float(song.rng.choice(lengths)),
                int(song.rng.integers(-leap, leap + 1)))  # fmt: skip
        for beats, move in motif:
            degree = int(np.clip(degree + move, -4, 9))
            if song.rng.random() > rest:
                sixteenth = time / song.beat * 4
                swung = song.swing * 0.16 * song.beat if round(sixteenth) % 4 == 2 else 0.0
                out.append(Note(time + swung, beats * song.beat * song.rng.uniform(0.8, 1.0),
                                song.pitch(degree, octave), song.velocity()))  # fmt: skip
            time += beats * song.beat
    return out


@role
def melody(song: Song, octave: int) -> list[Note]:
    """A tune of mixed note lengths."""
    return _melody(song, octave, [0.5, 0.5, 1, 1, 1.5, 2], 0.12, 2)


@role
def slow_melody(song: Song, octave: int) -> list[Note]:
    """A broad tune of long notes."""
    return _melody(song, octave, [1, 2, 2, 3, 4], 0.15, 2)


@role
def fast_melody(song: Song, octave: int) -> list[Note]:
    """A nimble tune of short notes."""
    return _melody(song, octave, [0.25, 0.25, 0.5, 0.5, 1], 0.08, 2)


@role
def solo(song: Song, octave: int) -> list[Note]:
    """Improvised runs with rests."""
    return _melody(song, octave, [0.25, 0.33, 0.5, 0.5, 0.66, 1], 0.25, 3)


@role
def sparse_notes(song: Song, octave: int) -> list[Note]:
    """Single notes far apart, left to ring."""
    times = np.cumsum(song.rng.uniform(0.8, 3.0, 12))
    return [
        Note(t, 3.0, song.pitch(int(song.rng.integers(-2, 8)), octave), song.velocity(50, 90))
        for t in times if t < CLIP_SECONDS - 0.5
    ]  # fmt: skip


@role
def fanfare(song: Song, octave: int) -> list[Note]:
    """Triumphant repeated notes and rising chord tones in block harmony."""
    rhythms = ((0, 3, 4, 8, 12), (0, 2, 3, 4, 8, 10, 11, 12), (0, 6, 8, 14), (0, 4, 6, 8, 12, 14))
    steps = rhythms[song.rng.integers(4)]
    out = []
    for b in range(song.bars):
        chord = song.chord(b, octave) + song.chord(b, octave + 1)
        for k, s in enumerate(steps):
            after = steps[k + 1] if k + 1 < len(steps) else 16
            shift = min(k // 2, 2)
            for p in (chord[shift], chord[shift + 1], chord[shift + 2]):
                out.append(Note(song.step(b, s), (after - s) / 4 * song.beat * 0.85, p,
                                song.velocity(100, 127)))  # fmt: skip
    return out


@role
def tremolo(song: Song, octave: int) -> list[Note]:
    """Fast repeated notes of a chord (tension)."""
    return _rhythm_chords(song, octave, tuple(range(16)), 0.22)


@role
def power_riff(song: Song, octave: int) -> list[Note]:
    """Root-fifth power chords in a driving rhythm."""
    patterns = ((0, 2, 4, 6, 8, 10, 12, 14), (0, 3, 6, 8, 11, 14),
                (0, 2, 3, 4, 6, 8, 10, 11, 12, 14),
                (0, 4, 6, 8, 12, 14))  # fmt: skip
    steps, out = patterns[song.rng.integers(4)], []
    moves = song.rng.choice([0, 0, 0, 3, 5, 7, 10], 16)
    for b in range(song.bars):
        base = song.chord(b, octave)[0]
        for s in steps:
            shift = int(moves[s]) if song.rng.random() < 0.3 else 0
            for p in (base + shift, base + shift + 7, base + shift + 12):
                out.append(Note(song.step(b, s), song.beat * 0.4, p, song.velocity(95, 125)))
    return out


def _bass(song: Song, octave: int, steps: tuple[int, ...], length: float) -> list[Note]:
    out = []
    jumps = song.rng.choice([0, 0, 0, 0, 7, 12, 10], 16)
    for b in range(song.bars):
        base = song.chord(b, octave)[0]
        out += [Note(song.step(b, s), length * song.beat, base + int(jumps[s]),
                     song.velocity(90, 120))
                for s in steps if s < song.beats * 4]  # fmt: skip
    return out


@role
def bass_long(song: Song, octave: int) -> list[Note]:
    """One bass note a bar."""
    return _bass(song, octave, (0,), song.beats * 0.95)


@role
def bass_beats(song: Song, octave: int) -> list[Note]:
    """Bass on the strong beats."""
    return _bass(song, octave, (0, 8), 0.8)


@role
def bass_eighths(song: Song, octave: int) -> list[Note]:
    """Steady eighths."""
    return _bass(song, octave, tuple(range(0, 16, 2)), 0.42)


@role
def bass_rolling(song: Song, octave: int) -> list[Note]:
    """Off-beat sixteenths between the kicks (trance, techno)."""
    choices = ((2, 6, 10, 14), (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15), tuple(range(16)))
    return _bass(song, octave, choices[song.rng.integers(3)], 0.22)


@role
def bass_funky(song: Song, octave: int) -> list[Note]:
    """Syncopated bass."""
    choices = ((0, 3, 6, 7, 10, 14), (0, 2, 5, 8, 11, 13), (0, 3, 8, 10, 11, 14))
    return _bass(song, octave, choices[song.rng.integers(3)], 0.22)


@role
def bass_syncopated(song: Song, octave: int) -> list[Note]:
    """Long and short syncopated bass (hip hop, dubstep, reggae, drum and bass)."""
    choices = ((0, 6, 10), (0, 3, 11), (0, 7, 8), (2, 8, 14), (0, 10))
    return _bass(song, octave, choices[song.rng.integers(5)], 0.7)


@role
def bass_walking(song: Song, octave: int) -> list[Note]:
    """Walking bass, one step of the scale a beat."""
    out, degree = [], 0
    for b in range(song.bars):
        degree = song.chords[b % len(song.chords)] % 7
        for beat in range(song.beats):
            out.append(Note(song.step(b, beat * 4), song.beat * 0.85, song.pitch(degree, octave),
                            song.velocity(80, 105)))  # fmt: skip
            degree += int(song.rng.choice([-1, 1, 1, 2, -2]))
    return out
