"""Sums of exponentially decaying sines: the modes of strings, bars, bells and membranes."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from .signals import SIXTY_DECIBELS, Signal

_BLOCK: Final = 256
_PRODUCT_LIMIT: Final = 200_000
"""Multiplications per matrix product: small enough that a BLAS stays on one thread."""


def damped_partials(
    frequencies: ArrayLike,
    amplitudes: ArrayLike,
    decays: ArrayLike,
    length: int,
    sample_rate: int,
    *,
    phases: ArrayLike = 0.0,
) -> Signal:
    """Sum of ``a * exp(-kt) * sin(2 pi f t + phase)`` over the partials, shape ``(length,)``.

    ``frequencies`` in hertz, ``decays`` in seconds to -60 dB; partials above 0.45 of the sample
    rate are dropped. A damped sine is a power of one complex number, so block ``i`` of the sum is
    ``(amplitude * z**(256 i)) @ z**j``: the whole note is one small matrix product.
    """
    frequency, amplitude, decay, phase = np.broadcast_arrays(
        *(
            np.atleast_1d(np.asarray(a, np.float64))
            for a in (frequencies, amplitudes, decays, phases)
        )
    )
    audible = (frequency < 0.45 * sample_rate) & (amplitude != 0.0)
    if not audible.any():
        return np.zeros(length, np.float32)
    exponent = (-SIXTY_DECIBELS / decay + 2j * np.pi * frequency)[audible] / sample_rate
    start = (amplitude * np.exp(1j * phase))[audible]
    fine = np.exp(exponent[:, None] * np.arange(_BLOCK))
    blocks = -(-length // _BLOCK)
    stack = max(1, _PRODUCT_LIMIT // (_BLOCK * 2 * exponent.size))
    groups = -(-blocks // stack)
    coarse = start * np.exp(exponent * (_BLOCK * np.arange(groups * stack))[:, None])
    left = np.concatenate([coarse.real, coarse.imag], axis=1).astype(np.float32)
    right = np.concatenate([fine.imag, fine.real], axis=0).astype(np.float32)
    product = left.reshape(groups, stack, -1) @ right
    return product.reshape(-1)[:length]
