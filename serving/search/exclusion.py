"""How the vectors of what is wanted and of what is excluded become one: a weighted difference.

`docs/queries.md` has what else was tried; `training/exclusions.py` measures it again.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import Vector

EXCLUDED_WEIGHT: Final = 0.35
"""The excluded texts' share beside the wanted text's 1. More of it finds less of what is excluded,
but begins to look for its opposite: from 0.4 on, "calm music without piano" finds harsh noise."""

NEUTRAL_TEXT: Final = "music"
"""Stands for what is wanted where a query says only what it should not be."""

ONLY_EXCLUDED_WEIGHT: Final = 0.3
"""There. Of those tried the least with which no result has what is excluded."""

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
    return _unit(wanted - weight / np.sqrt(len(excluded)) * total, wanted)


def anything_without(
    neutral: Vector, excluded: Sequence[Vector], weight: float = ONLY_EXCLUDED_WEIGHT
) -> Vector:
    """(512,) of length 1: what `neutral`, the vector of `NEUTRAL_TEXT`, does not share with
    `excluded`, turned away from them as `without` does. Music and drums have so much in common
    that the difference alone would still find drums."""
    if not excluded:
        return neutral
    shared, _ = np.linalg.qr(np.stack(excluded, axis=1).astype(np.float64))
    rest = neutral - shared @ (shared.T @ neutral)
    total = np.sum(excluded, axis=0, dtype=np.float64)
    return _unit(rest - weight / np.sqrt(len(excluded)) * total, neutral)


def _unit(difference: NDArray[np.float64], otherwise: Vector) -> Vector:
    length = float(np.linalg.norm(difference))
    if length < _SHORTEST:
        return otherwise
    return np.asarray(difference / length, np.float32)
