"""The circumstances of one recording: its dice, its sample rate, which of the style's forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


@dataclass(frozen=True)
class Take:
    """What a style's composer is handed.

    ``variant`` counts the pieces of a style from 0, so that picks by variant are sure to differ
    where draws from ``rng`` might coincide.
    """

    rng: np.random.Generator
    sample_rate: int
    variant: int

    def pick(self, options: Sequence[Option], stride: int = 1) -> Option:
        """The option of this variant, wrapping around."""
        return options[(self.variant * stride) % len(options)]

    def bars(self, bar_seconds: float, *, longest: float = 21.0, multiple: int = 2) -> int:
        """The most bars, in multiples of ``multiple``, that fit into ``longest`` seconds."""
        return max(multiple, int(longest / bar_seconds) // multiple * multiple)
