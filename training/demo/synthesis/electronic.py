"""Synthesizer voices: pads, basses, leads, reese, organ, and the voices of an 8-bit console."""

import numpy as np
from numpy.typing import ArrayLike

from .envelopes import breakpoints, pluck_envelope, swell
from .noises import held
from .signals import Signal, fade_edges, sample_count
from .wavetables import TABLE_LENGTH, morph, phase_of, pulse, read, resonant_saws, saw, table


def supersaw(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    *,
    cutoffs: tuple[float, float],
    voices: int = 3,
    cents: float = 11.0,
    attack: float = 0.15,
    release: float = 0.4,
    sweep: Signal | None = None,
) -> Signal:
    """Detuned saws ``(2, n)`` spread over the stereo field behind a low-pass.

    The filter glides between the two ``cutoffs`` (hertz) along ``sweep`` (0..1; by default the
    loudness itself).
    """
    length = sample_count(seconds + release, sample_rate)
    envelope = swell(length, sample_rate, attack, release, 0.9)
    position = envelope if sweep is None else np.resize(sweep, length)
    cycles = resonant_saws(frequency, sample_rate, cutoffs, 1.4)
    sides = np.zeros((2, length), np.float32)
    for voice, offset in enumerate(np.linspace(-cents, cents, voices)):
        pitch = frequency * 2 ** ((offset + rng.normal(0, 1)) / 1200)
        tone = morph(cycles, phase_of(pitch, length, sample_rate, rng.uniform()), position)
        lean = voice / max(1, voices - 1)
        sides[0] += tone * np.float32(1.0 - 0.8 * lean)
        sides[1] += tone * np.float32(0.2 + 0.8 * lean)
    sides *= envelope * np.float32(0.3 / np.sqrt(voices))
    return sides


def filtered_saw(
    rng: np.random.Generator,
    sample_rate: int,
    frequency: float,
    seconds: float,
    *,
    cutoff: float,
    accent: float,
    decay: float,
    resonance: float = 2.0,
    release: float = 0.03,
) -> Signal:
    """A mono synth note: the filter opens by ``accent`` octaves and closes over ``decay`` s."""
    length = sample_count(seconds + release, sample_rate)
    cutoffs = cutoff * np.exp2(np.linspace(0.0, accent, 5))
    cycles = resonant_saws(frequency, sample_rate, cutoffs, resonance)
    phase = phase_of(frequency, length, sample_rate, rng.uniform())
    closing = pluck_envelope(length, sample_rate, decay * 3, 0.003, release)
    loudness = swell(length, sample_rate, 0.003, release, 0.75)
    return morph(cycles, phase, closing) * loudness * np.float32(0.5)


def sine_bass(sample_rate: int, frequency: float, seconds: float, warmth: float = 0.2) -> Signal:
    """A round sub-bass: a sine with a few soft harmonics (``warmth`` 0..1)."""
    length = sample_count(seconds + 0.05, sample_rate)
    cycle = table([1.0, warmth, 0.45 * warmth, 0.15 * warmth])
    tone = read(cycle, phase_of(frequency, length, sample_rate))
    return tone * swell(length, sample_rate, 0.012, 0.05, 0.8) * np.float32(0.6)


def reese(
    rng: np.random.Generator, sample_rate: int, frequency: float, seconds: float, wobble: float
) -> Signal:
    """Two detuned saws ``(2, n)`` beating against each other, filter moving at ``wobble`` Hz."""
    length = sample_count(seconds + 0.04, sample_rate)
    cycles = resonant_saws(frequency, sample_rate, np.array([180.0, 420.0, 1000.0, 2000.0]), 1.6)
    times = np.arange(length) / sample_rate
    motion = 0.42 + 0.38 * np.sin(2 * np.pi * wobble * times + rng.uniform(0, 6.28))
    envelope = swell(length, sample_rate, 0.01, 0.04, 0.9) * np.float32(0.4)
    pitches = (frequency * 2 ** (-17 / 1200), frequency, frequency * 2 ** (19 / 1200))
    low, middle, high = (
        morph(cycles, phase_of(p, length, sample_rate, rng.uniform()), motion) for p in pitches
    )
    sides: Signal = np.stack([middle + low, middle + high]) * envelope
    return sides


def lead(
    sample_rate: int,
    frequencies: ArrayLike,
    durations: ArrayLike,
    *,
    glide: float = 0.04,
    duty: float = 0.5,
) -> Signal:
    """A legato synth line: pitches glide into each other, vibrato grows in on long notes."""
    pitches, lengths = np.asarray(frequencies, np.float64), np.asarray(durations, np.float64)
    starts = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    length = sample_count(float(lengths.sum()) + 0.2, sample_rate)
    points: list[tuple[float, float]] = []
    loud: list[tuple[float, float]] = []
    for start, pitch, lasts in zip(starts, np.log2(pitches), lengths, strict=True):
        points += [(start + glide, float(pitch)), (start + lasts, float(pitch))]
        loud += [(start, 0.35), (start + 0.03, 1.0), (start + lasts * 0.95, 0.7)]
    loud.append((float(lengths.sum()) + 0.15, 0.0))
    times = np.arange(length) / sample_rate
    since = times - starts[np.clip(np.searchsorted(starts, times, side="right") - 1, 0, None)]
    bend = np.sin(2 * np.pi * 5.5 * times) * np.clip((since - 0.25) * 3, 0, 1) * (14 / 1200)
    pitch_curve = np.exp2(breakpoints(points, length, sample_rate) + bend)
    phase = phase_of(pitch_curve, length, sample_rate)
    highest = float(pitches.max())
    tone = read(saw(highest, sample_rate), phase) * np.float32(0.5) + read(
        pulse(highest, sample_rate, duty), phase * 1.004
    ) * np.float32(0.4)
    voiced: Signal = tone * breakpoints(loud, length, sample_rate) * np.float32(0.5)
    return voiced


def organ(sample_rate: int, frequency: float, seconds: float, drawbars: ArrayLike) -> Signal:
    """A tonewheel or pipe organ note; ``drawbars`` are harmonic amplitudes from the sub-octave."""
    length = sample_count(seconds + 0.03, sample_rate)
    tone = read(table(drawbars), phase_of(frequency / 2, length, sample_rate))
    return tone * swell(length, sample_rate, 0.006, 0.025) * np.float32(0.2)


def stepped(envelope: Signal) -> Signal:
    """Round an envelope to the sixteen volumes of a console's sound chip."""
    return (np.round(envelope * 15.0) / 15.0).astype(np.float32)


def chip_pulse(
    sample_rate: int,
    frequencies: ArrayLike,
    seconds: float,
    duty: float,
    *,
    decay: float = 0.6,
    vibrato_after: float = 0.18,
    step: float = 1 / 60,
) -> Signal:
    """A pulse channel; several ``frequencies`` are cycled every ``step`` s as a fast arpeggio."""
    length = sample_count(seconds, sample_rate)
    times = np.arange(length) / sample_rate
    pitches = np.atleast_1d(np.asarray(frequencies, np.float64))
    pitch = pitches[(times / step).astype(np.int64) % pitches.size]
    wave = np.sign(np.sin(2 * np.pi * 6.5 * times)) * (times > vibrato_after)
    pitch = pitch * (1.0 + 0.006 * wave * (pitches.size == 1))
    frames = np.floor(times * 60) / 60
    envelope = stepped(np.clip(1.0 - frames / decay * 0.7, 0.2, 1.0).astype(np.float32))
    tone = read(
        pulse(float(pitches.max()), sample_rate, duty), phase_of(pitch, length, sample_rate)
    )
    return fade_edges(tone * envelope * np.float32(0.35), sample_rate, 0.0008, 0.002)


_CHIP_TRIANGLE = np.repeat(
    np.concatenate([np.arange(15, -1, -1), np.arange(16)]) / 7.5 - 1.0, TABLE_LENGTH // 32
).astype(np.float32)


def chip_triangle(sample_rate: int, frequency: float, seconds: float, fall: float = 0.0) -> Signal:
    """The four-bit stepped triangle; ``fall`` octaves per second bends it into a tom."""
    length = sample_count(seconds, sample_rate)
    pitch = frequency * np.exp2(-fall * np.arange(length) / sample_rate)
    tone = read(_CHIP_TRIANGLE, phase_of(pitch, length, sample_rate))
    return fade_edges(tone * np.float32(0.4), sample_rate, 0.001, 0.004)


def chip_noise(rng: np.random.Generator, sample_rate: int, seconds: float, hertz: float) -> Signal:
    """The shift-register channel: one-bit noise clocked at ``hertz`` with a stepped decay."""
    length = sample_count(seconds, sample_rate)
    envelope = stepped(breakpoints([(0.0, 1.0), (seconds, 0.0)], length, sample_rate))
    return held(rng, length, sample_rate, hertz) * envelope * np.float32(0.25)
