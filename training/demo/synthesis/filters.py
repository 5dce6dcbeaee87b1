"""Filters applied in the frequency domain, with the causal responses of analogue prototypes.

A response maps frequencies in hertz to complex gains. Taking it from a stable prototype (and not
from a magnitude alone) keeps drums free of pre-echo.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .signals import Signal, sample_count

ComplexGains = NDArray[np.complex64]
Response = Callable[[NDArray[np.float32]], ComplexGains]


def fast_length(length: int) -> int:
    """Smallest ``2**a * 3**b`` with b at most 2 that is not below ``length``."""
    candidates = []
    for odd in (1, 3, 9):
        size = odd
        while size < length:
            size *= 2
        candidates.append(size)
    return min(candidates)


def low_pass(cutoff: float, quality: float = 0.707) -> Response:
    """Two-pole low-pass; ``quality`` above 0.707 rings at the cutoff."""

    def response(hertz: NDArray[np.float32]) -> ComplexGains:
        ratio = hertz / np.float32(cutoff)
        denominator = (1 - ratio * ratio) + 1j * (ratio / np.float32(quality))
        gains: ComplexGains = (1 / denominator).astype(np.complex64)
        return gains

    return response


def high_pass(cutoff: float, quality: float = 0.707) -> Response:
    """Two-pole high-pass."""

    def response(hertz: NDArray[np.float32]) -> ComplexGains:
        ratio = hertz / np.float32(cutoff)
        square = ratio * ratio
        gains: ComplexGains = (
            -square / ((1 - square) + 1j * (ratio / np.float32(quality)))
        ).astype(np.complex64)
        return gains

    return response


def peak(centre: float, quality: float, gain: float) -> Response:
    """Resonance of linear ``gain`` at ``centre`` and unity elsewhere (below one: a dip)."""

    def response(hertz: NDArray[np.float32]) -> ComplexGains:
        ratio = hertz / np.float32(centre)
        slope = 1j * (ratio / np.float32(quality))
        band = slope / ((1 - ratio * ratio) + slope)
        gains: ComplexGains = (1 + (gain - 1) * band).astype(np.complex64)
        return gains

    return response


def band_pass(centre: float, quality: float) -> Response:
    """Two-pole band-pass with unity gain at ``centre``."""
    around = peak(centre, quality, 2.0)
    return lambda hertz: (around(hertz) - 1).astype(np.complex64)


def high_shelf(corner: float, gain: float) -> Response:
    """First-order shelf: unity below ``corner``, linear ``gain`` far above it."""

    def response(hertz: NDArray[np.float32]) -> ComplexGains:
        slope = 1j * (hertz / np.float32(corner))
        gains: ComplexGains = ((1 + gain * slope) / (1 + slope)).astype(np.complex64)
        return gains

    return response


def filtered(signal: Signal, sample_rate: int, *responses: Response) -> Signal:
    """The signal (last axis is time) through every response in turn; the length is kept."""
    spectrum, hertz, size = _analysed(signal, sample_rate)
    gains = responses[0](hertz)
    for response in responses[1:]:
        gains = gains * response(hertz)
    shaped = np.fft.irfft(spectrum * gains, size)[..., : signal.shape[-1]]
    return shaped.astype(np.float32, copy=False)


def swept(signal: Signal, sample_rate: int, responses: list[Response], position: Signal) -> Signal:
    """Glide from the first response to the last as ``position`` ``(n,)`` goes from 0 to 1."""
    spectrum, hertz, size = _analysed(signal, sample_rate)
    spots = np.clip(position, 0.0, 1.0) * (len(responses) - 1)
    total = np.zeros_like(signal)
    for index, response in enumerate(responses):
        weight = np.maximum(0.0, 1.0 - np.abs(spots - index)).astype(np.float32)
        shaped = np.fft.irfft(spectrum * response(hertz), size)[..., : signal.shape[-1]]
        total += shaped * weight
    return total


def _analysed(signal: Signal, sample_rate: int) -> tuple[ComplexGains, NDArray[np.float32], int]:
    """Spectrum, its frequencies in hertz and the padded length that gives back the signal."""
    size = fast_length(signal.shape[-1] + sample_count(0.02, sample_rate))
    hertz = np.fft.rfftfreq(size, 1 / sample_rate).astype(np.float32)
    spectrum = np.fft.rfft(signal.astype(np.float32, copy=False), size)
    return spectrum.astype(np.complex64, copy=False), hertz, size
