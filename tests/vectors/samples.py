"""Documents and models for the vector stores' tests."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.vectors.protocol import VectorDocument

MODEL = ModelDescription("mood/one", "r1", EMBEDDING_DIMENSION, "1" * 64, "Apache-2.0")
OTHER_MODEL = ModelDescription("mood/two", "r7", EMBEDDING_DIMENSION, "2" * 64, "MIT")


def unit_vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    """(count, 512) random directions: the hardest case for an approximate index."""
    vectors = np.random.default_rng(seed).standard_normal((count, EMBEDDING_DIMENSION))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)


def axis(index: int) -> NDArray[np.float32]:
    """(512,) the unit vector along an axis."""
    vector = np.zeros(EMBEDDING_DIMENSION, dtype=np.float32)
    vector[index] = 1
    return vector


def document(id_: int, vector: NDArray[np.float32], title: str = "Night Drive") -> VectorDocument:
    return VectorDocument(id_, vector, title, "ana.example", "did:plc:ana")


def documents(ids: Iterable[int], seed: int = 0) -> list[VectorDocument]:
    """One document for each id, with a random vector."""
    ids = list(ids)
    return [document(id_, v) for id_, v in zip(ids, unit_vectors(len(ids), seed), strict=True)]
