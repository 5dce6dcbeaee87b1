"""Laid-back beats: lo-fi hip hop and dub reggae."""

import numpy as np

from training.demo.score.rhythm import DrumLine, ducking, humanised, play_lines, swung
from training.demo.score.take import Take
from training.demo.score.theory import (
    MINOR_PENTATONIC,
    Chord,
    hertz,
    nearest,
    progression,
    root_between,
    scale_note,
    voicings,
)
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.drums import acoustic_kick, hat, rim, snare, tom
from training.demo.synthesis.electronic import organ, sine_bass
from training.demo.synthesis.envelopes import breakpoints
from training.demo.synthesis.filters import band_pass, filtered, high_pass, low_pass, peak
from training.demo.synthesis.noises import crackle, white
from training.demo.synthesis.plucked import ELECTRIC_BASS, MUTED_ELECTRIC, pluck
from training.demo.synthesis.signals import Signal, sample_count, saturate
from training.demo.synthesis.space import echo, impulse_response, reverberate, wow
from training.demo.synthesis.struck import electric_piano
from training.demo.synthesis.wavetables import phase_of, read, table

_LOFI_FORMS: tuple[tuple[int, float, str, str, tuple[Chord, ...]], ...] = (
    (5, 78.0, "9.....4.8.9.....", "....9.......9...", progression("2:m9 7:13 0:maj9 9:m9")),
    (0, 84.0, "9..5....9.8.....", "....9.......9..3", progression("5:maj9 4:m7 2:m9 0:maj9")),
    (8, 72.0, "9......59..4....", "....9.......9...", progression("0:maj9 5:maj9 4:m7 9:m9")),
    (10, 88.0, "9.....8..9......", "....9..2....9...", progression("9:m9 2:m9 7:13 0:maj9")),
)  # fmt: skip
"""Tonic pitch class, tempo, kick, snare, one chord per bar."""


def lofi_hip_hop(take: Take) -> Signal:
    """A dusty swung beat, an electric piano in ninth chords, tape wow and vinyl crackle."""
    rng, rate = take.rng, take.sample_rate
    tonic, tempo, kick, snap, chords = take.pick(_LOFI_FORMS)
    step = 15.0 / tempo
    bars = take.bars(16 * step, multiple=1)
    seconds = bars * 16 * step + 0.8
    keys, low, drums = (Canvas(seconds, rate) for _ in range(3))
    voiced = voicings(tonic, chords, 52, 70, 4)
    kit = _dusty_kit(take, kick, snap)
    for bar in range(bars):
        start, chord = bar * 16 * step, chords[bar % 4]
        _lofi_keys(take, keys, voiced[bar % 4], start, step)
        root = root_between(tonic, chord, 31)
        for place, lasts, note in ((0, 5, root), (6, 2, root), (10, 4, root + 7)):
            at = start + swung(place, step, 0.2) + 0.02
            low.add(sine_bass(rate, hertz(note), lasts * step, 0.35), at, 0.3)
        play_lines(drums, rng, kit, start=start, step_seconds=step, swing=0.2, milliseconds=7.0)
    kicks = [bar * 16 * step for bar in range(bars)]
    music = keys.samples + low.samples
    music *= ducking(keys.length, rate, kicks, 0.3, 0.25)
    bedroom = impulse_response(rng, rate, 0.6, 0.4)
    dry = music + drums.samples * np.float32(0.8)
    mix = dry + reverberate(dry, bedroom, rate) * np.float32(0.12)
    tape = wow(saturate(mix, 1.3), rate, 0.0011)
    tape = filtered(tape, rate, low_pass(4600.0), high_pass(45.0))
    tape += _record_surface(take, tape.shape[1])
    return master(tape, rate, drive=1.0, level=0.88, fade_out=1.0)


def _lofi_keys(take: Take, canvas: Canvas, voicing: list[int], start: float, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    stabs = take.pick((((0, 9), (10, 5)), ((0, 6), (6, 8)), ((0, 14),), ((0, 4), (6, 3), (11, 4))))
    for place, lasts in stabs:
        for index, note in enumerate(voicing):
            at = start + swung(place, step, 0.2) + 0.012 * index
            force = rng.uniform(0.5, 0.7)
            sound = electric_piano(rng, rate, hertz(note), lasts * step, force)
            canvas.add(sound, humanised(rng, at, 8.0), 1.1, 0.2)
    top = max(voicing)
    for place in (4, 7, 13):
        if rng.random() < 0.55:
            note = nearest([n + 12 for n in voicing], top + 12 + int(rng.integers(-6, 3)))
            sound = electric_piano(rng, rate, hertz(note), 3 * step, 0.65)
            canvas.add(sound, humanised(rng, start + swung(place, step, 0.2), 10.0), 0.7, -0.2)


def _dusty_kit(take: Take, kick: str, snap: str) -> tuple[DrumLine, ...]:
    rng, rate = take.rng, take.sample_rate
    thump = filtered(acoustic_kick(rng, rate), rate, low_pass(900.0))
    crack = filtered(snare(rng, rate, pitch=185, decay=0.18, tone=3000), rate, low_pass(4500.0))
    ticks = [filtered(hat(rng, rate, 0.07, 0.7), rate, low_pass(7000.0)) for _ in range(3)]
    return (
        DrumLine(kick, [thump], 1.3),
        DrumLine(snap, [crack], 0.75),
        DrumLine("7.5.7.4.7.5.7.5.", ticks, 0.9, 0.15),
    )


def _record_surface(take: Take, length: int) -> Signal:
    """Crackle and hiss of a worn record, different on both sides."""
    rng, rate = take.rng, take.sample_rate
    sides = []
    for _ in range(2):
        clicks = filtered(crackle(rng, length, rate, 22.0), rate, band_pass(3000.0, 0.4))
        hiss = filtered(white(rng, length), rate, band_pass(2500.0, 0.3))
        sides.append(clicks * np.float32(0.32) + hiss * np.float32(0.005))
    return np.stack(sides)


_DUB_FORMS: tuple[tuple[int, float, tuple[Chord, ...], str], ...] = (
    (9, 72.0, progression("0:m 0:m 5:m 0:m"), "0...3.5.7.5.3..."),
    (2, 76.0, progression("0:m 10 0:m 10"), "0.0...7.5...3.5."),
    (7, 70.0, progression("0:m 5:m 0:m 7:m"), "..0.0.3...0.7.5."),
    (4, 74.0, progression("0:m 8 10 0:m"), "0..0..7..5..3.0."),
)
"""Tonic pitch class, tempo, one chord per bar, bass line (semitones above the root)."""


def dub_reggae(take: Take) -> Signal:
    """One drop, off-beat chops dissolving into tape echo, and a bass heavier than the rest."""
    rng, rate = take.rng, take.sample_rate
    tonic, tempo, chords, line = take.pick(_DUB_FORMS)
    step = 15.0 / tempo
    bars = take.bars(16 * step, longest=22.0, multiple=1)
    seconds = bars * 16 * step + 1.2
    chops, bass, drums, sends = (Canvas(seconds, rate) for _ in range(4))
    voiced = voicings(tonic, chords, 57, 74, 3)
    for bar in range(bars):
        start, chord = bar * 16 * step, chords[bar % 4]
        _skank(take, chops, voiced[bar % 4], start, step)
        _dub_bass(take, bass, root_between(tonic, chord, 28), line, start=start, step=step)
    _one_drop(take, drums, sends, bars, step)
    _melodica(take, sends, tonic, bars, step)
    sends.samples += chops.samples * np.float32(0.5)
    repeats = echo(sends.samples, rate, 3 * step, 0.62, 1900.0)
    spring = reverberate(sends.samples + repeats, impulse_response(rng, rate, 1.7, 0.35), rate)
    heavy = filtered(bass.samples, rate, low_pass(420.0), peak(75.0, 1.2, 1.8))
    mix = (
        chops.samples * np.float32(1.5) + drums.samples * np.float32(1.1) + heavy * np.float32(0.62)
    )
    mix += repeats * np.float32(0.65) + (spring + sends.samples) * np.float32(0.3)
    return master(mix, rate, drive=1.2, fade_out=1.2)


def _skank(take: Take, canvas: Canvas, voicing: list[int], start: float, step: float) -> None:
    """Short guitar and organ chords on the off-beats."""
    rng, rate = take.rng, take.sample_rate
    bubble = take.variant % 2 == 1
    for place in (2, 6, 10, 14):
        at = humanised(rng, start + place * step, 5.0)
        for index, note in enumerate(voicing):
            chop = pluck(
                rng, rate, MUTED_ELECTRIC, frequency=hertz(note), seconds=0.12, velocity=0.85
            )
            canvas.add(chop, at + 0.006 * index, 0.8, 0.3)
            stab = organ(rate, hertz(note), 0.11, [0.3, 1.0, 0.1, 0.5, 0.0, 0.1, 0.0, 0.2])
            canvas.add(stab, at, 0.7, -0.3)
            if bubble:
                canvas.add(stab, at + step, 0.35, -0.3)


def _dub_bass(
    take: Take, canvas: Canvas, root: int, line: str, *, start: float, step: float
) -> None:
    rng, rate = take.rng, take.sample_rate
    places = [index for index, mark in enumerate(line) if mark != "."]
    for place, following in zip(places, [*places[1:], 16], strict=True):
        note, lasts = root + int(line[place]), (following - place) * step * 0.85
        at = start + place * step
        canvas.add(sine_bass(rate, hertz(note), lasts, 0.4), at, 0.9)
        finger = pluck(rng, rate, ELECTRIC_BASS, frequency=hertz(note), seconds=lasts, velocity=0.8)
        canvas.add(finger, at, 0.6)


def _one_drop(take: Take, drums: Canvas, sends: Canvas, bars: int, step: float) -> None:
    """Kick and cross-stick on the third beat; now and then a snare is thrown into the echo."""
    rng, rate = take.rng, take.sample_rate
    ticks = [hat(rng, rate, 0.05, 0.85), hat(rng, rate, 0.08, 0.85)]
    lines = (
        DrumLine("........9.......", [acoustic_kick(rng, rate)], 0.95),
        DrumLine("........9.......", [rim(rate)], 0.5, 0.1),
        DrumLine("7.47..4.7.47..4.", ticks, 0.5, -0.2),
    )
    thrown = snare(rng, rate, pitch=240, decay=0.16)
    for bar in range(bars):
        start = bar * 16 * step
        play_lines(drums, rng, lines, start=start, step_seconds=step, swing=0.12, milliseconds=4.0)
        if bar % 2 == 1:
            sends.add(thrown, start + 12 * step, 0.55)
        if bar % 4 == 3:
            for index, pitch in enumerate((210.0, 160.0, 120.0)):
                drums.add(tom(rate, pitch), start + (13 + index) * step, 0.5, 0.3 - 0.3 * index)


def _melodica(take: Take, canvas: Canvas, tonic: int, bars: int, step: float) -> None:
    """A lonely reed phrase every other bar, left to the echo."""
    rng, rate = take.rng, take.sample_rate
    cycle = table([1.0, 0.75, 0.6, 0.35, 0.4, 0.2, 0.22, 0.12, 0.1])
    for bar in range(1, bars, 2):
        at = (bar * 16 + 1) * step
        for lasts in (2, 1, 3, 4)[: 2 + int(rng.integers(3))]:
            note = scale_note(tonic + 72, MINOR_PENTATONIC, int(rng.integers(-2, 4)))
            length = sample_count(lasts * step + 0.05, rate)
            tone = read(cycle, phase_of(hertz(note), length, rate))
            points = [(0.0, 0.0), (0.04, 1.0), (lasts * step, 0.7), (lasts * step + 0.05, 0.0)]
            canvas.add(tone * breakpoints(points, length, rate), at, 0.14, 0.1)
            at += lasts * step
