"""Text tower: word pieces looked up in a table, summed, and mapped into the joint space.

The table was distilled from a sentence encoder (docs/offline-model.md); at run time this is a
dictionary, a weighted sum and three small matrix products. Typing mistakes are mended before, and
a text without meaning is turned away from all sounds after.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from resources.embedding.offline.lexicon import Lexicon

CONTINUATION = "##"
MAX_WORD_LENGTH = 60
MAX_TOKENS = 256
_NORM_FLOOR = 1e-6

FUNCTION_WORD_WEIGHT = 0.25
"""Of the median token's: "the", "of" and the like weigh less, and nothing else does."""

LEAST_MEANING = 0.2
"""Of a text in which nothing is a word: it still has neighbours, but none that is near."""

_AWAY_SEED, _AWAY_FROM_NOTHING = 512, 0.3


@dataclass(frozen=True)
class OfflineTextTower:
    """Weights of the text tower.

    `vocabulary`: word piece -> row; pieces inside a word start with "##".
    `table`: (tokens, d) int8; `scales`: (tokens,) float32, the step of each row times the weight of
    its token.
    `skip` (d, 512), `hidden` (d, h), `hidden_bias` (h,), `out` (h, 512), `bias` (512,): float32.
    `parts`, `shares` (k,): the joint space is k spaces side by side, with `parts` dimensions each,
    which carry `shares` of a dot product.
    """

    vocabulary: Mapping[str, int]
    table: NDArray[np.int8]
    scales: NDArray[np.float32]
    skip: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    out: NDArray[np.float32]
    bias: NDArray[np.float32]
    parts: NDArray[np.int64]
    shares: NDArray[np.float64]
    lexicon: Lexicon = field(default_factory=lambda: Lexicon(""))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, 512) float32 rows of length 1, also for a text without a known token."""
        # One at a time: BLAS sums in another order for a batch, and equal texts must have equal
        # vectors.
        rows = [self._embed(list(words(text))) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), len(self.bias))

    def _embed(self, typed: Sequence[str]) -> NDArray[np.float32]:
        meant = [word if word in self.vocabulary else self.lexicon.mended(word) for word in typed]
        pieces = [pieces_of(word, self.vocabulary) for word in meant]
        vector = self._project(self._direction([row for found in pieces for row in found]))
        meaning = max(map(self._meaning, meant, pieces), default=0.0)
        if meaning >= 1:
            return vector
        meaning = max(meaning, LEAST_MEANING)
        return unit(meaning * vector + np.sqrt(1 - meaning**2) * self._away)

    def _meaning(self, word: str, pieces: Sequence[int]) -> float:
        """How sure it is that `word` means something, in [0, 1]: 1 for one about sound or a whole
        word piece, 0 for a function word, and in between by how long the pieces are that an unknown
        word is made of, two letters ("as" "##df") to two and a half ("wi" "##st" "##ful")."""
        if self.lexicon.is_about_sound(word):
            return 1.0
        if not pieces or len(word) == 1 or word.isdigit():
            return 0.0
        if len(pieces) == 1:
            return float(self.scales[pieces[0]] > self._function_word_scale)
        return min(max(2 * (len(word) / len(pieces) - 2), 0.0), 1.0)

    @cached_property
    def _function_word_scale(self) -> float:
        return FUNCTION_WORD_WEIGHT * float(np.median(self.scales))

    @cached_property
    def _away(self) -> NDArray[np.float32]:
        """(512,) of length 1: where no sound is. In a random direction of so many there is next to
        none; a text without a token lies amid all sounds, so it leads away from that, too."""
        nothing = self._project(self._direction([]))
        rng = np.random.default_rng(_AWAY_SEED)
        random = rng.standard_normal(len(self.bias)).astype(np.float32)
        across = unit(random - (random @ nothing) * nothing)
        return unit(across - np.float32(_AWAY_FROM_NOTHING) * nothing)

    def _direction(self, rows: Sequence[int]) -> NDArray[np.float32]:
        if not rows:
            return np.zeros(self.table.shape[1], np.float32)
        picked = np.array(rows[:MAX_TOKENS])
        return unit(self.scales[picked] @ self.table[picked].astype(np.float32))

    def _project(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        hidden = np.maximum(row @ self.hidden + self.hidden_bias, 0)
        vector = row @ self.skip + hidden @ self.out + self.bias
        views = zip(np.split(vector, np.cumsum(self.parts)[:-1]), np.sqrt(self.shares), strict=True)
        return unit(np.concatenate([weight * unit(view) for view, weight in views]))


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a vector to length 1; a vector of zeros stays zero."""
    length = max(float(np.linalg.norm(vector)), _NORM_FLOOR)
    return np.asarray(vector / length, np.float32)


def words(text: str) -> Iterator[str]:
    """Lower-case runs of letters and digits, accents removed."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    spaced = "".join(c if c.isalnum() else " " for c in bare.casefold())
    yield from spaced.split()


def pieces_of(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Longest known pieces from the left; characters that start no piece are skipped."""
    rows: list[int] = []
    start, word = 0, word[:MAX_WORD_LENGTH]
    while start < len(word):
        prefix = CONTINUATION if start else ""
        for end in range(len(word), start, -1):
            row = vocabulary.get(prefix + word[start:end])
            if row is not None:
                rows.append(row)
                start = end
                break
        else:
            start += 1
    return rows
