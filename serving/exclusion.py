"""How the vectors of what is wanted and of what is excluded become one: a weighted difference.

`docs/queries.md` has what else was tried; `training/exclusions.py` measures it again.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

EXCLUDED_WEIGHT: Final = 0.5
"""The excluded texts' share beside the wanted text's 1. The largest of those tried that costs no
wanted style its first place."""

NEUTRAL_TEXT: Final = "music"
"""Stands for what is wanted where a query says only what it should not be."""

ONLY_EXCLUDED_WEIGHT: Final = 1.0
"""There: nothing specific is wanted that could lose its place."""

_SHORTEST: Final = 0.1
"""Length of a difference below which it says nothing: "piano without piano"."""


def without(wanted: Vector, excluded: Sequence[Vector], weight: float = EXCLUDED_WEIGHT) -> Vector:
    """(512,) of length 1: `wanted` turned away from `excluded`, which are (512,) of length 1 too.

    `wanted` itself where nothing is excluded, or nothing would be left. Several exclusions share
    the weight by the square root of their number: unrelated ones together turn as far as one does,
    and what is wanted is not drowned.
    """
    if not excluded:
        return wanted
    total = np.sum(excluded, axis=0, dtype=np.float64)
    difference = wanted - weight / np.sqrt(len(excluded)) * total
    length = float(np.linalg.norm(difference))
    if length < _SHORTEST:
        return wanted
    return np.asarray(difference / length, np.float32)
