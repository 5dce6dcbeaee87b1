"""Ten kinds of sound and ten queries, the same wherever they are made.

Noise comes from the generator's raw bits: NumPy guarantees those over its versions, and not what
`Generator` makes of them.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_Wide = NDArray[np.float64]

RATE: Final = 48_000
LENGTH: Final = 480_000
SHORT_LENGTH: Final = 158_000
"""3.3 s: repeated three times, with silence behind."""

GOLDEN: Final = "golden.npz"
"""In the fixture's folder: what transformers answers to all of this."""

GOLDEN_FRAMES: Final = np.r_[:8, 8:993:16, 993:1001]
"""Of a spectrogram's 1,001, those that are kept."""

QUERIES: Final = (
    "",
    "jazz",
    "dark ambient techno",
    "  Slow  piano, at NIGHT!  ",
    "a slow song with warm strings, soft brushes and a singer who is close to the microphone",
    "грустная скрипка под дождём",
    "静かな夜のピアノ",
    "موسيقى هادئة مع عود",
    "🎷🔥 café crème déjà vu\tñandú\n1984",
    "drums and bass and a very long build-up " * 8,
)
"""Of every length up to beyond the longest, in five scripts; the last is cut."""


FULL_AND_LOUD: Final = (
    "tone",
    "sweep",
    "noise",
    "faint noise",
    "clicks",
    "square",
    "plucked",
    "rumble and offset",
)
"""The kinds that fill a window and that another spectrogram shows differently."""


def signals() -> dict[str, Samples]:
    """(480000,) float32 at 48 kHz in [-1, 1] for each kind; "repeated" is short: (158000,)."""
    return {kind: make().astype(np.float32) for kind, make in _KINDS.items()}


def _noise(seed: int, length: int = LENGTH) -> _Wide:
    """Uniform in [-1, 1)."""
    bits: NDArray[np.uint64] = np.asarray(np.random.PCG64(seed).random_raw(length))
    return bits.astype(np.float64) / 2.0**63 - 1


def _seconds(length: int = LENGTH) -> _Wide:
    return np.arange(length) / RATE


def _sweep() -> _Wide:
    """20 Hz to 20 kHz, logarithmic."""
    span = LENGTH / RATE
    growth = math.log(20_000 / 20) / span
    return 0.7 * np.sin(2 * np.pi * 20 * (np.exp(growth * _seconds()) - 1) / growth)


def _clicks() -> _Wide:
    """Single samples, ever closer together."""
    clicks = np.zeros(LENGTH)
    clicks[(LENGTH * (1 - 0.93 ** np.arange(1, 60))).astype(int)] = 0.99
    return clicks


def _square() -> _Wide:
    """As loud as can be."""
    return np.where(np.sin(2 * np.pi * 110 * _seconds() + 0.3) >= 0, 1.0, -1.0)


def _plucked() -> _Wide:
    """A chord, struck twice a second and dying away."""
    within = np.mod(_seconds(), 0.5)
    partials = [np.sin(2 * np.pi * 220 * ratio * within) / ratio for ratio in (1, 1.25, 1.5, 2, 3)]
    return np.asarray(0.25 * np.exp(-6 * within) * np.sum(partials, axis=0))


def _rumble() -> _Wide:
    """Lower than what CLAP hears, and off centre."""
    return 0.3 + 0.4 * np.sin(2 * np.pi * 31 * _seconds()) + 0.01 * _noise(3)


def _repeated() -> _Wide:
    seconds = _seconds(SHORT_LENGTH)
    return 0.5 * np.sin(2 * np.pi * (300 + 500 * seconds) * seconds) * np.exp(-seconds)


_KINDS: Final[Mapping[str, Callable[[], _Wide]]] = {
    "silence": lambda: np.zeros(LENGTH),
    "tone": lambda: 0.9 * np.sin(2 * np.pi * 440 * _seconds()),
    "sweep": _sweep,
    "noise": lambda: 0.5 * _noise(1),
    "faint noise": lambda: 1e-4 * _noise(2),
    "clicks": _clicks,
    "square": _square,
    "plucked": _plucked,
    "rumble and offset": _rumble,
    "repeated": _repeated,
}
