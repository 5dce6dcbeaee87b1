"""Captions from attributes: words a listener might type, with what each of them demands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.vocabulary import PHRASES
from training.vocabulary.genres import GENRES
from training.vocabulary.instruments import INSTRUMENTS
from training.vocabulary.moods import MOODS

Rng = np.random.Generator
TEMPLATES = (
    *("{}",) * 5, "{} music", "a {} track", "sound of {}", "the sound of {}", "something {}",
    "{} song", "this is a sound of {}", "{} instrumental", "some {}", "play {}", "{} vibes",
)  # fmt: skip
JOINTS = (" ", " ", " ", ", ", " with ", " and ", " for ")
COUNT_SHARES = (0.42, 0.34, 0.15, 0.06, 0.02, 0.01)


@dataclass(frozen=True)
class Attributes:
    """The attributes in a fixed order with the number of training clips of each."""

    names: tuple[str, ...]
    counts: np.ndarray

    @cached_property
    def index(self) -> dict[str, int]:
        """Column of each attribute."""
        return {name: column for column, name in enumerate(self.names)}


def count_attributes(clips: list[set[str]], least: int) -> Attributes:
    """Attributes with phrases; raises ValueError naming those with fewer than `least` clips."""
    names = tuple(sorted(PHRASES))
    counts = np.array([sum(name in tags for tags in clips) for name in names])
    rare = {name: int(n) for name, n in zip(names, counts, strict=True) if n < least}
    if rare:
        raise ValueError(f"too few clips for {rare}")
    return Attributes(names, counts)


def _kind_weight(name: str) -> float:
    if name in GENRES:
        return 0.3 if name == "music" else 3.0
    return 1.3 if name in MOODS else 1.6 if name in INSTRUMENTS else 2.5


OWNERS: dict[str, tuple[str, ...]] = {
    phrase: tuple(name for name in sorted(PHRASES) if phrase in PHRASES[name])
    for phrases in PHRASES.values()
    for phrase in phrases
}


def caption(tags: set[str], attributes: Attributes, rng: Rng) -> tuple[str, list[list[int]]]:
    """A caption of one to six of a clip's attributes, rare ones preferred.

    Returns the text and, for each phrase in it, the columns of which a clip must have one: some
    phrases belong to several attributes.
    """
    index = attributes.index
    present = [name for name in sorted(tags) if name in index]
    weights = np.array([_kind_weight(n) * attributes.counts[index[n]] ** -0.5 for n in present])
    count = min(1 + int(rng.choice(6, p=COUNT_SHARES)), len(present))
    chosen = rng.choice(len(present), count, replace=False, p=weights / weights.sum())
    words = [str(rng.choice(PHRASES[present[c]])) for c in chosen]
    text = words[0]
    for word in words[1:]:
        text += JOINTS[rng.integers(len(JOINTS))] + word
    demanded = [[index[owner] for owner in OWNERS[word]] for word in words]
    return TEMPLATES[rng.integers(len(TEMPLATES))].format(text), demanded
