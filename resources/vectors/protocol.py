"""What every vector store offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from resources.costs.measures import Measure
from resources.embedding.protocol import ModelDescription

LARGEST_ID: Final = 2**64 - 1
"""Ids are unsigned 64-bit integers; a store may hold less and then says so."""

LARGEST_LIMIT: Final = 10_000
"""Most documents that one query can return (turbopuffer's documented limit)."""


@dataclass(frozen=True, eq=False)
class VectorDocument:
    """One track in the index. `vector`: (512,) float32, finite, length 1."""

    id: int
    vector: NDArray[np.float32]
    title: str
    artist_handle: str
    artist_did: str


@dataclass(frozen=True)
class Match:
    """A track near a query. `similarity`: cosine, in [-1, 1]."""

    track_id: int
    similarity: float


class VectorStore(Protocol):
    """Vectors of one model in one namespace, nearest first by cosine. Safe to use from threads.

    Every method raises `BackendError` when the store does not answer. Every method but `drop`
    raises `ModelMismatchError` when the namespace holds another model's vectors. A namespace that
    does not exist yet reads as empty.
    """

    @property
    def namespace(self) -> str: ...

    @property
    def model(self) -> ModelDescription:
        """The model whose vectors this store was opened for."""

    @property
    def charges_for(self) -> Sequence[Measure]:
        """What indexing is charged by; nothing where the vectors are in the catalogue's own
        database."""

    def upsert(self, documents: Sequence[VectorDocument]) -> None:
        """Insert or replace whole documents, in batches; of two with one id the last one counts.

        Raises `ValueError` for an id out of range and for a vector of the wrong shape, not finite,
        or not of length 1 (within 1e-3); then nothing of the call is stored. NUL characters are
        left out of the texts, because Postgres cannot hold them.
        """

    def delete(self, ids: Sequence[int]) -> None:
        """Delete documents; unknown ids are no error."""

    def query(self, vector: NDArray[np.float32], limit: int) -> list[Match]:
        """The `limit` nearest documents to `vector` (512,), best first, equals by ascending id.

        Raises `ValueError` for a vector that `upsert` would refuse and for a limit outside
        [1, `LARGEST_LIMIT`].
        """

    def vector(self, track_id: int) -> NDArray[np.float32] | None:
        """The stored vector (512,) of one document; None when there is no such document.

        Raises `ValueError` for an id out of range.
        """

    def count(self) -> int:
        """How many documents the namespace holds."""

    def ids(self, first: int, last: int) -> list[int]:
        """Ids in [first, last], ascending: what a partition of the index holds."""

    def drop(self) -> None:
        """Delete the namespace and everything in it, whichever model it belongs to; no error when
        there is none."""

    def warm(self) -> None:
        """Make the next query a fast one: connections are opened, and what it reads is brought
        nearer. Cheap, and no error for a namespace that does not exist."""

    def check(self) -> None:
        """Cheap call that raises `BackendError` when the store is unreachable."""
