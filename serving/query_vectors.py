"""Vectors of recent queries: people type, delete and search again, and many ask for the same."""

import threading
import time
import unicodedata
from collections import OrderedDict
from concurrent.futures import Future
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError

Vector = NDArray[np.float32]

KEPT_QUERIES: Final = 4_096
"""A vector is 512 floats, 2 KB; with a text of at most 200 characters and Python's own about 3 KB:
12 MB when full. That is enough for what is popular and what is typed again within an hour or so; a
query that was asked once last week is not worth memory."""


def normalised(query: str) -> str:
    """What is embedded for `query`: composed Unicode (NFC), single spaces, none around it. Case is
    kept, because CLAP's tokenizer tells it apart."""
    return " ".join(unicodedata.normalize("NFC", query).split())


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

        Raises what the model raises, and `BackendError` when it answers with no vector.
        """
        text = normalised(query)
        key = self._model.model.fingerprint, text
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
            asked = self._asked.get(key)
            if asked is None:
                mine = self._asked[key] = Future[Vector]()
        if asked is not None:
            return asked.result()
        try:
            vector = self._embed(text)
        except BaseException as error:
            self._forget(key)
            mine.set_exception(error)
            raise
        self._keep(key, vector)
        mine.set_result(vector)
        return vector

    def _embed(self, text: str) -> Vector:
        vectors = self._model.embed_text([text])
        if vectors.shape != (1, EMBEDDING_DIMENSION) or not np.isfinite(vectors).all():
            raise BackendError(f"{self._model.model.id} answered a query with no vector")
        self.answered_at = time.monotonic()
        vector: Vector = vectors[0].copy()  # Not a view of what the model may use again.
        vector.setflags(write=False)
        return vector

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            del self._asked[key]

    def _keep(self, key: tuple[str, str], vector: Vector) -> None:
        with self._lock:
            del self._asked[key]
            self._vectors[key] = vector
            if len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
