"""Neon and night drives: synthwave."""

import numpy as np

from training.demo.score.rhythm import DrumLine, ducking, play_lines
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
from training.demo.synthesis.drums import crash, hat, snare, swept_kick, tom
from training.demo.synthesis.electronic import filtered_saw, lead, supersaw
from training.demo.synthesis.filters import filtered, high_pass, low_pass
from training.demo.synthesis.signals import Signal, sample_count, saturate
from training.demo.synthesis.space import chorus, echo, impulse_response, reverberate

_FORMS: tuple[tuple[int, float, tuple[Chord, ...]], ...] = (
    (9, 100.0, progression("0:m 8 3 10")),
    (4, 88.0, progression("0:m 3 10 8")),
    (0, 112.0, progression("0:m 10 8 10")),
    (6, 94.0, progression("8:maj7 10 0:m 0:m7")),
)
"""Tonic pitch class, tempo, one chord per bar."""


def synthwave(take: Take) -> Signal:
    """Octave bass in eighths, wide analogue pads, gated snare, an arpeggio and a soaring lead."""
    rng, rate = take.rng, take.sample_rate
    tonic, tempo, chords = take.pick(_FORMS)
    step = 15.0 / tempo
    bars = take.bars(16 * step, multiple=2)
    seconds = bars * 16 * step + 1.0
    pads, bass, drums, bright = (Canvas(seconds, rate) for _ in range(4))
    voiced = voicings(tonic, chords, 55, 74, 4)
    for bar in range(bars):
        start, chord = bar * 16 * step, chords[bar % 4]
        for note in voiced[bar % 4]:
            pad = supersaw(
                rng, rate, hertz(note), 16 * step, cutoffs=(600.0, 2600.0), attack=0.12, release=0.3
            )
            pads.add(pad, start, 0.32)
        _octave_bass(take, bass, root_between(tonic, chord, 33), start, step)
        _arpeggio(take, bright, voiced[bar % 4], start, step)
    _machine_drums(take, drums, bars, step)
    soaring = _lead_line(take, tonic, chords, bars, step)
    bright.add(chorus(soaring, rate), 2 * 16 * step, 0.5)
    bright.samples += echo(bright.samples, rate, 3 * step, 0.42, 4000.0) * np.float32(0.7)
    kicks = [beat * 4 * step for beat in range(bars * 4)]
    music = pads.samples + bass.samples * np.float32(0.85)
    music *= ducking(pads.length, rate, kicks, 0.35, 0.2)
    hall = impulse_response(rng, rate, 2.2, 0.6)
    wet = reverberate(pads.samples * np.float32(0.5) + bright.samples, hall, rate)
    mix = music + bright.samples + drums.samples * np.float32(0.85) + wet * np.float32(0.25)
    return master(mix, rate, drive=1.6, fade_out=0.8)


def _octave_bass(take: Take, canvas: Canvas, root: int, start: float, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    gallop = take.variant % 2 == 1
    for index in range(16 if gallop else 8):
        place = index if gallop else 2 * index
        octave = 12 if (index % 4 == 2 if gallop else index % 2) else 0
        tone = filtered_saw(
            rng,
            rate,
            hertz(root + octave),
            step * (0.8 if gallop else 1.6),
            cutoff=220.0,
            accent=2.2,
            decay=0.16,
            resonance=1.6,
        )
        canvas.add(tone, start + place * step, 0.75)


def _arpeggio(take: Take, canvas: Canvas, voicing: list[int], start: float, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    order = take.pick(((0, 1, 2, 3, 2, 1), (0, 2, 1, 3), (3, 2, 1, 0), (0, 1, 2, 3)))
    for index in range(16):
        note = voicing[order[index % len(order)]] + 12
        tone = filtered_saw(rng, rate, hertz(note), step * 0.7, cutoff=900.0, accent=1.8, decay=0.1)
        canvas.add(tone, start + index * step, 0.2, 0.6 * (-1) ** index)


def _machine_drums(take: Take, canvas: Canvas, bars: int, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    kick = swept_kick(rate, low=52.0, high=190.0, decay=0.22, drive=2.5)
    lines = (
        DrumLine(take.pick(("9...9...9...9...", "9.....9.9.......")), [kick]),
        DrumLine("....9.......9...", [_gated_snare(take)], 0.8),
        DrumLine("6.4.6.4.6.4.6.46", [hat(rng, rate, 0.06), hat(rng, rate, 0.07)], 0.3, 0.2),
    )
    toms = [tom(rate, pitch, 0.4) for pitch in (200.0, 200.0, 150.0, 110.0)]
    for bar in range(bars):
        start = bar * 16 * step
        play_lines(canvas, rng, lines, start=start, step_seconds=step, milliseconds=0.5)
        if bar % 4 == 3:
            for index, drum in enumerate(toms):
                canvas.add(drum, start + (12 + index) * step, 0.6, 0.5 - 0.33 * index)
    canvas.add(crash(rng, rate), 0.0, 0.35)


def _gated_snare(take: Take) -> Signal:
    """A snare in a bright hall whose tail is cut off after a quarter of a second."""
    rng, rate = take.rng, take.sample_rate
    hit = np.zeros(sample_count(0.34, rate), np.float32)
    dry = snare(rng, rate, pitch=175.0, decay=0.2, tone=3800.0)
    hit[: dry.size] = dry[: hit.size]
    tail = reverberate(hit, impulse_response(rng, rate, 1.2, 0.9), rate, 0.002)
    tail[:, sample_count(0.28, rate) :] *= np.float32(0.04)
    return saturate(filtered(hit + tail * np.float32(0.5), rate, high_pass(120.0)), 1.5)


def _lead_line(take: Take, tonic: int, chords: tuple[Chord, ...], bars: int, step: float) -> Signal:
    rng = take.rng
    pitches, lengths, note = [], [], tonic + 72
    for bar in range(bars - 2):
        pool = notes_between(pitch_classes(tonic, chords[bar % 4]), 67, 86)
        rhythm = ((6, 6, 4), (12, 2, 2), (4, 4, 8), (16,))[int(rng.integers(4))]
        for lasts in rhythm:
            note = nearest(pool, note + rng.integers(-5, 6) + (76 - note) * 0.25)
            pitches.append(hertz(note))
            lengths.append(lasts * step)
    line = lead(take.sample_rate, pitches, lengths)
    return filtered(line, take.sample_rate, low_pass(5200.0))
