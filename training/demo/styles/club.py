"""Music for dancing made with machines: techno and drum and bass."""

import numpy as np

from training.demo.score.rhythm import DrumLine, ducking, play_lines
from training.demo.score.take import Take
from training.demo.score.theory import MINOR, hertz, scale_note
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.drums import (
    acoustic_kick,
    clap,
    crash,
    hat,
    ride,
    rim,
    snare,
    swept_kick,
)
from training.demo.synthesis.electronic import filtered_saw, reese, sine_bass, supersaw
from training.demo.synthesis.envelopes import drift
from training.demo.synthesis.filters import filtered, high_pass, low_pass, peak
from training.demo.synthesis.signals import Signal, saturate
from training.demo.synthesis.space import echo, impulse_response, reverberate


def techno(take: Take) -> Signal:
    """Four on the floor, off-beat hats, rolling bass under the side-chain, a hypnotic sequence."""
    rng, rate = take.rng, take.sample_rate
    step = 15.0 / take.pick((130.0, 134.0, 138.0, 127.0))
    bars = take.bars(16 * step, multiple=2)
    seconds = bars * 16 * step
    drums, music = Canvas(seconds + 0.5, rate), Canvas(seconds + 0.5, rate)
    _techno_drums(take, drums, bars, step)
    root = take.pick((33, 29, 31, 36))
    _rolling_bass(take, music, bars, step, root)
    sequence = _sequence(take, bars, step, root + 24)
    music.samples += sequence + echo(sequence, rate, 3 * step, 0.45) * np.float32(0.7)
    kicks = [beat * 4 * step for beat in range(bars * 4)]
    music.samples *= ducking(music.length, rate, kicks, 0.85, 3.2 * step)
    warehouse = impulse_response(rng, rate, 1.6, 0.35)
    wet = reverberate(filtered(drums.samples, rate, high_pass(400.0)), warehouse, rate)
    mix = drums.samples + music.samples * np.float32(0.8) + wet * np.float32(0.1)
    return master(mix, rate, drive=2.2, fade_out=0.3)


def _techno_drums(take: Take, canvas: Canvas, bars: int, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    kick = swept_kick(rate, low=46.0, high=240.0, decay=0.3, drive=4.0, click=0.5)
    closed, opened = [hat(rng, rate, 0.06) for _ in range(3)], [hat(rng, rate, 0.28)]
    claps, bells = [clap(rng, rate)], [ride(rng, rate, 0.5)]
    ticks = take.pick(
        ("3052305230523052", "2424242424242424", "3003300330033003", "3132313231323132")
    )
    perc = take.pick(
        ("...5..4....5....", "..6..6..6..6..6.", "....3.....5..3..", ".......6......4.")
    )
    blip = filtered(rim(rate), rate, peak(900.0, 3.0, 3.0)) * np.float32(0.5)
    groove = [
        DrumLine("9...9...9...9...", [kick]),
        DrumLine("..8...8...8...8.", opened, 0.34, 0.1),
        DrumLine(ticks, closed, 0.34, -0.2),
        DrumLine(perc, [blip], 0.35, 0.5),
    ]
    clapping = DrumLine("....8.......8...", claps, 0.4)
    shimmer = DrumLine("5.5.5.5.5.5.5.5.", bells, 0.12, 0.35)
    for bar in range(bars):
        # The groove fills up: claps from the third bar, the ride in the second half.
        lines = groove + [clapping] * (bar >= 2) + [shimmer] * (bar >= bars // 2)
        start = bar * 16 * step
        play_lines(canvas, rng, lines, start=start, step_seconds=step, milliseconds=0.5)
    canvas.add(crash(rng, rate), bars // 2 * 16 * step, 0.25)


def _rolling_bass(take: Take, canvas: Canvas, bars: int, step: float, root: int) -> None:
    rng, rate = take.rng, take.sample_rate
    pattern = take.pick(
        (".789.789.789.789", "..9...9...9.7.9.", ".8.9.8.9.8.9.889", "..99..99..99..99")
    )
    notes = [
        filtered_saw(rng, rate, hertz(root), step * 0.9, cutoff=130.0, accent=1.6, decay=0.08)
        for _ in range(3)
    ]
    lines = [DrumLine(pattern, notes, 0.75)]
    for bar in range(bars):
        start = bar * 16 * step
        play_lines(canvas, rng, lines, start=start, step_seconds=step, milliseconds=0.0)


def _sequence(take: Take, bars: int, step: float, root: int) -> Signal:
    """A sixteen-step resonant synth line whose filter opens over the whole piece."""
    rng, rate = take.rng, take.sample_rate
    canvas = Canvas(bars * 16 * step + 0.5, rate)
    degrees = rng.choice((0, 0, 0, 7, 2, 4, -3, 6), 16)
    sounding = rng.random(16) < take.pick((0.75, 0.45, 0.9, 0.6))
    opening = drift(rng, bars * 16, 8, 0.35, (0.0, 1.0)) * 0.6 + np.linspace(0.0, 0.8, bars * 16)
    for index in range(bars * 16):
        place = index % 16
        if sounding[place]:
            note = scale_note(root, MINOR, int(degrees[place]))
            sound = filtered_saw(
                rng,
                rate,
                hertz(note),
                step * (1.6 if place % 5 == 0 else 0.6),
                cutoff=260.0 * 2.0 ** float(opening[index] * 2.0),
                accent=2.2,
                decay=0.14,
                resonance=3.0,
            )
            canvas.add(sound, index * step, 0.38, 0.35 * np.sin(index * 0.7))
    return saturate(canvas.samples, 2.0)


_BREAKS = (
    ("8.7.......86....", "....9..4.4..9..4"),
    ("9.........8.....", "....9..3....9.3."),
    ("8.8.......7.....", "....9..4.4...49."),
    ("9....6....8.....", "....9..3.3..9..2"),
)
"""Kick and snare of four bars in the manner of chopped funk breaks."""


def drum_and_bass(take: Take) -> Signal:
    """Chopped breakbeats at over 170 beats per minute, a growling bass, pads floating above."""
    rng, rate = take.rng, take.sample_rate
    step = 15.0 / take.pick((174.0, 172.0, 175.0, 170.0))
    bars = take.bars(16 * step, multiple=4)
    seconds = bars * 16 * step + 0.6
    drums, music = Canvas(seconds, rate), Canvas(seconds, rate)
    _breakbeat(take, drums, bars, step)
    root = take.pick((29, 31, 28, 33))
    roots = take.pick(((0, 0, -4, -2), (0, -2, 3, 0), (0, 0, 1, 0), (0, -4, -5, -2)))
    _growl(take, music, bars, step, [root + r for r in roots])
    pads = _pads(take, bars, step, [root + 24 + r for r in roots])
    kicks = [index * step for bar in range(bars) for index in (bar * 16, bar * 16 + 10)]
    music.samples *= ducking(music.length, rate, kicks, 0.6, 0.12)
    room = impulse_response(rng, rate, 0.5, 0.8)
    ambience = reverberate(filtered(drums.samples, rate, high_pass(300.0)), room, rate, 0.004)
    punchy = saturate(drums.samples + ambience * np.float32(0.18), 1.8)
    mix = punchy + music.samples * np.float32(0.75) + pads * np.float32(0.55)
    return master(mix, rate, drive=1.8, fade_out=0.4)


def _breakbeat(take: Take, canvas: Canvas, bars: int, step: float) -> None:
    rng, rate = take.rng, take.sample_rate
    kicks = [acoustic_kick(rng, rate) for _ in range(2)]
    snares = [snare(rng, rate, pitch=225.0, wires=1.0, decay=0.2, tone=5500.0) for _ in range(3)]
    hats = [hat(rng, rate, 0.09, 0.85) for _ in range(4)]
    cymbal = [ride(rng, rate, 0.6)]
    order = rng.permutation(4)
    for bar in range(bars):
        start = bar * 16 * step
        kick, snap = (
            _BREAKS[order[bar % 4]] if bar % 4 != 3 else ("8..6....8..5..6.", "..5.9..4.57.9.68")
        )
        lines = (
            DrumLine(kick, kicks),
            DrumLine(snap, snares, 0.85, 0.05),
            DrumLine("8.6.8.638.6.8.64", hats, 0.42, -0.25),
            DrumLine("8...7...8...7.6.", cymbal, 0.4, 0.3),
        )
        play_lines(canvas, rng, lines, start=start, step_seconds=step, swing=0.08, milliseconds=2.5)
    canvas.add(crash(rng, rate), 0.0, 0.4)
    canvas.add(crash(rng, rate), bars // 2 * 16 * step, 0.35)


def _growl(take: Take, canvas: Canvas, bars: int, step: float, roots: list[int]) -> None:
    rng, rate = take.rng, take.sample_rate
    rhythm = take.pick(
        (((0, 6), (6, 4), (10, 6)), ((0, 3), (3, 3), (6, 8)), ((0, 10), (11, 5)), ((2, 4), (8, 7)))
    )
    for bar in range(bars):
        note = roots[bar // 2 % 4]
        for place, lasts in rhythm:
            at = (bar * 16 + place) * step
            growl = reese(rng, rate, hertz(note + 12), lasts * step, rng.choice((1.4, 2.9, 5.8)))
            canvas.add(filtered(growl, rate, high_pass(90.0)), at, 0.95)
            canvas.add(sine_bass(rate, hertz(note), lasts * step, 0.15), at, 0.55)


def _pads(take: Take, bars: int, step: float, roots: list[int]) -> Signal:
    rng, rate = take.rng, take.sample_rate
    canvas = Canvas(bars * 16 * step + 0.6, rate)
    for block in range(0, bars, 2):
        for interval in (0, 7, 15, 22):
            tone = supersaw(
                rng,
                rate,
                hertz(roots[block // 2 % 4] + interval),
                32 * step,
                cutoffs=(500.0, 1500.0),
                attack=0.5,
                release=0.5,
            )
            canvas.add(tone, block * 16 * step, 0.3)
    hall = impulse_response(rng, rate, 3.0, 0.5)
    wet = reverberate(canvas.samples, hall, rate)
    return filtered(canvas.samples + wet * np.float32(0.8), rate, low_pass(5000.0))
