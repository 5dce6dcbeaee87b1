"""Band-limited periodic oscillators: one cycle built from its harmonics, read at a moving phase."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .signals import Curve, Signal

TABLE_LENGTH: Final = 16_384
"""A power of two; long enough that reading without interpolation stays below -60 dB of noise."""

HarmonicGain = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def phase_of(frequency: ArrayLike, length: int, sample_rate: int, start: float = 0.0) -> Curve:
    """Cycles elapsed at each sample for a frequency in hertz (a number or a curve)."""
    steps = np.broadcast_to(np.asarray(frequency, np.float64) / sample_rate, (length,))
    phase: Curve = np.cumsum(steps) + start
    return phase


def harmonic_numbers(frequency: float, sample_rate: int, highest: float = 16_000.0) -> Curve:
    """1, 2, 3 ... up to the last harmonic below ``highest`` hertz and 0.45 of the sample rate."""
    limit = min(highest, 0.45 * sample_rate)
    return np.arange(1, max(1, int(limit / frequency)) + 1, dtype=np.float64)


def table(amplitudes: ArrayLike, phases: ArrayLike = 0.0) -> Signal:
    """One cycle of a sum of sines, shape ``(TABLE_LENGTH,)``; entry 0 is the fundamental."""
    amplitude = np.asarray(amplitudes, np.float64)
    spectrum = np.zeros(TABLE_LENGTH // 2 + 1, np.complex128)
    spectrum[1 : amplitude.size + 1] = -0.5j * amplitude * np.exp(1j * np.asarray(phases))
    return (np.fft.irfft(spectrum, TABLE_LENGTH) * TABLE_LENGTH).astype(np.float32)


def saw(frequency: float, sample_rate: int, gain: HarmonicGain | None = None) -> Signal:
    """Band-limited sawtooth cycle; ``gain`` maps harmonic frequencies in hertz to amplitudes."""
    numbers = harmonic_numbers(frequency, sample_rate)
    amplitudes = 0.6 / numbers
    return table(amplitudes if gain is None else amplitudes * gain(numbers * frequency))


def pulse(frequency: float, sample_rate: int, duty: float) -> Signal:
    """Band-limited pulse cycle with the given duty cycle."""
    numbers = harmonic_numbers(frequency, sample_rate)
    return table(0.8 / numbers * np.sin(np.pi * numbers * duty), np.pi / 2 - np.pi * numbers * duty)


def read(cycle: Signal, phase: Curve) -> Signal:
    """The cycle at each phase (in cycles, any range)."""
    index = (phase * cycle.size).astype(np.int64) & (cycle.size - 1)
    found: Signal = cycle.take(index)
    return found


def morph(cycles: Signal, phase: Curve, position: ArrayLike) -> Signal:
    """Read a stack of cycles ``(m, TABLE_LENGTH)``; ``position`` 0..1 glides from first to last."""
    last = cycles.shape[0] - 1
    place = np.clip(np.asarray(position, np.float32) * np.float32(last), 0.0, last - 1e-3)
    lower = place.astype(np.int64)
    index = ((phase * TABLE_LENGTH).astype(np.int64) & (TABLE_LENGTH - 1)) + lower * TABLE_LENGTH
    flat = cycles.reshape(-1)
    below, above = flat.take(index), flat.take(index + TABLE_LENGTH)
    blended: Signal = below + (above - below) * (place - lower).astype(np.float32)
    return blended


def resonant_saws(
    frequency: float, sample_rate: int, cutoffs: ArrayLike, resonance: float = 1.0
) -> Signal:
    """Saw cycles behind a four-pole low-pass at each cutoff (hertz), for a swept filter.

    ``resonance`` is the gain at the cutoff itself (1 is flat, 4 whistles).
    """

    def gain_at(cutoff: float) -> HarmonicGain:
        def gain(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
            ratio = hertz / cutoff
            peak = (resonance - 1.0) * np.exp(-np.square(np.log2(ratio) * 3.0))
            return 1.0 / (1.0 + ratio**4) + peak

        return gain

    return np.stack([saw(frequency, sample_rate, gain_at(c)) for c in np.atleast_1d(cutoffs)])


def formant_cycle(
    frequency: float,
    sample_rate: int,
    formants: ArrayLike,
    tilt: float = 1.0,
) -> Signal:
    """A voiced cycle: harmonics falling as ``1 / k**tilt`` under ``(hertz, width, gain)`` peaks."""
    numbers = harmonic_numbers(frequency, sample_rate, 9_000.0)
    hertz = numbers * frequency
    shape = np.full(numbers.size, 0.004)
    for centre, width, gain in np.atleast_2d(np.asarray(formants, np.float64)):
        shape += gain / (1.0 + np.square((hertz - centre) / (0.5 * width)))
    # Fixed pseudo-random phases keep the crest factor of many harmonics low.
    return table(shape / numbers**tilt, np.modf(numbers * 0.754_877_666)[0] * 2 * np.pi)
