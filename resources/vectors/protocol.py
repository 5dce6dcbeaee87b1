"""What every vector store offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import ModelDescription


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

    Every method raises `BackendError` when the store does not answer, and `ModelMismatchError` when
    the namespace holds another model's vectors. A namespace that does not exist yet reads as empty.
    """

    @property
    def namespace(self) -> str: ...

    @property
    def model(self) -> ModelDescription:
        """The model whose vectors this store was opened for."""
        ...

    def upsert(self, documents: Sequence[VectorDocument]) -> None:
        """Insert or replace whole documents, in batches.

        Raises `ValueError` for a vector of the wrong shape, not finite, or not of length 1 (within
        1e-3): nothing wrong is ever stored.
        """
        ...

    def delete(self, ids: Sequence[int]) -> None:
        """Delete documents; unknown ids are no error."""
        ...

    def query(self, vector: NDArray[np.float32], limit: int) -> list[Match]:
        """The `limit` nearest documents to `vector` (512,), best first."""
        ...

    def count(self) -> int:
        """How many documents the namespace holds."""
        ...

    def ids(self, first: int, last: int) -> list[int]:
        """Ids in [first, last], ascending: what a partition of the index holds."""
        ...

    def drop(self) -> None:
        """Delete the namespace and everything in it; no error when there is none."""
        ...

    def check(self) -> None:
        """Cheap call that raises `BackendError` when the store is unreachable."""
        ...
