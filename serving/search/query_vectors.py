"""Vectors of queries. The one place where queries are embedded, and where recent vectors are kept:
people type, delete and search again, and many ask for the same."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

import numpy as np

from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel, Vector
from resources.errors import BackendError
from serving.search.exclusion import NEUTRAL_TEXT, anything_without, without
from serving.search.query_language import read_query

KEPT_QUERIES: Final = 4_096
"""A vector is 512 floats, 2 KB; with a text of at most 200 characters and Python's own about 3 KB:
12 MB when full. That is enough for what is popular and what is typed again within an hour or so; a
query that was asked once last week is not worth memory."""


class QueryVectors:
    """A model's vectors of texts, the most recently used ones kept. Safe to use from threads.

    Threads that ask for the same text at once wait for one call of the model. A call that fails is
    nobody's answer but theirs: nothing of it is kept.
    """

    def __init__(self, model: EmbeddingModel, *, size: int = KEPT_QUERIES) -> None:
        self._model = model
        self._size = size
        self._lock = threading.Lock()
        self._vectors: OrderedDict[tuple[str, str], Vector] = OrderedDict()
        self._asked: dict[tuple[str, str], Future[Vector]] = {}
        self.answered_at = float("-inf")
        """When the model last answered, by `time.monotonic`."""

    def __len__(self) -> int:
        return len(self._vectors)

    def vector(self, query: str) -> Vector:
        """(512,) float32 of length 1, not to be written to.

        That of the query's text, or, where the query excludes something, the difference that
        `exclusion.py` describes. Raises what the model raises, and `BackendError` when it
        answers with no vector.
        """
        read = read_query(query)
        wanted, *excluded = self._vectors_of((read.wanted or NEUTRAL_TEXT, *read.excluded))
        if not excluded:
            return wanted
        combine = without if read.wanted else anything_without
        vector = combine(wanted, excluded)
        vector.setflags(write=False)
        return vector

    def _vectors_of(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each of `texts`, in one call of the model for those that nobody has yet."""
        keys = [(self._model.model.fingerprint, text) for text in texts]
        found: dict[tuple[str, str], Vector | Future[Vector]] = {}
        mine: dict[tuple[str, str], Future[Vector]] = {}
        with self._lock:
            for key in keys:
                if key in self._vectors:
                    self._vectors.move_to_end(key)
                    found[key] = self._vectors[key]
                elif key in self._asked:
                    found[key] = self._asked[key]
                else:
                    found[key] = mine[key] = self._asked[key] = Future[Vector]()
        if mine:
            # Before any wait for others, who may wait for these.
            self._embed(mine)
        vectors = (found[key] for key in keys)
        return [v.result() if isinstance(v, Future) else v for v in vectors]

    def _embed(self, asked: dict[tuple[str, str], Future[Vector]]) -> None:
        """Embed the texts of these keys, and tell all who wait for them."""
        try:
            vectors = self._model.embed_text([text for _, text in asked])
            if vectors.shape != (len(asked), EMBEDDING_DIMENSION) or not np.isfinite(vectors).all():
                raise BackendError(f"{self._model.model.id} answered a query with no vector")
        except BaseException as error:
            for key, future in asked.items():
                with self._lock:
                    del self._asked[key]
                future.set_exception(error)
            raise
        self.answered_at = time.monotonic()
        for row, (key, future) in zip(vectors, asked.items(), strict=True):
            vector: Vector = row.copy()  # Not a view of what the model may use again.
            vector.setflags(write=False)
            self._keep(key, vector)
            future.set_result(vector)

    def _keep(self, key: tuple[str, str], vector: Vector) -> None:
        with self._lock:
            del self._asked[key]
            self._vectors[key] = vector
            if len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
