"""Genres from the embedding alone: the names whose text lies nearest to the track."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.costs.measures import Measure
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.genres.labels import rank
from resources.genres.names import GENRE_NAMES, described
from resources.genres.protocol import GenrePrediction, GenreRequest

TEMPLATES: Final = ("{} music", "a {} track")
"""A name alone is ambiguous; the mean over prompts classifies better than any one of them (CLIP,
arXiv 2103.00020, section 3.1.4)."""

TEMPERATURE: Final = 0.07
"""Of the softmax over cosines: the value that contrastive training starts from (CLIP, arXiv
2103.00020, section 2.5; CLAP, arXiv 2211.06687, does the same)."""


class ZeroShotClassifier:
    """Compares a track's vector with the embedded names of genres, which are embedded once, when
    they are first needed.

    Confidences are a softmax over all names: in (0, 1), higher for a higher cosine, and summing to
    1 over all names, so that they compare the names for one track and not one track with another.
    """

    needs_embedding = True
    is_remote = False
    charges_for: Sequence[Measure] = ()

    def __init__(
        self, model: EmbeddingModel, top_n: int, names: Sequence[str] = GENRE_NAMES
    ) -> None:
        self._model = model
        self._top_n = top_n
        self._names = names
        self._name_vectors: NDArray[np.float64] | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        model = self._model.model
        return f"zero-shot ({model.id} {model.fingerprint[:8]})"

    def classify(self, request: GenreRequest) -> list[GenrePrediction]:
        """Tags, best first. Raises `BackendError` when the model does not answer, and `ValueError`
        for no vector, or one that is not (512,), finite and non-zero."""
        if request.vector is None:
            raise ValueError("the zero-shot classifier hears nothing but a track's vector")
        vector = _unit_vector(request.vector)
        confidences = softmax(self._vectors() @ vector, TEMPERATURE)
        return rank(dict(zip(self._names, confidences.tolist(), strict=True)), self._top_n)

    def _vectors(self) -> NDArray[np.float64]:
        """(names, 512), rows of length 1. A failure is not kept: the next call tries again."""
        with self._lock:
            if self._name_vectors is None:
                self._name_vectors = self._embed_names()
            return self._name_vectors

    def _embed_names(self) -> NDArray[np.float64]:
        texts = [prompt.format(described(name)) for name in self._names for prompt in TEMPLATES]
        vectors = self._model.embed_text(texts).astype(np.float64)
        means = vectors.reshape(len(self._names), len(TEMPLATES), -1).mean(axis=1)
        unit: NDArray[np.float64] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit


def softmax(scores: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Same shape, positive, sum 1; monotonic in `scores`."""
    # The highest is subtracted first, so that nothing overflows.
    powers = np.exp((scores - scores.max()) / temperature)
    shares: NDArray[np.float64] = powers / powers.sum()
    return shares


def _unit_vector(vector: NDArray[np.float32]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if vector.shape != (EMBEDDING_DIMENSION,) or not np.isfinite(length) or length == 0:
        raise ValueError("a track's vector must be (512,), finite and not zero")
    unit: NDArray[np.float64] = vector.astype(np.float64) / length
    return unit
