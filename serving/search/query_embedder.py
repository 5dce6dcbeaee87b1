"""The model that embeds queries, as a search needs it: its recent answers are kept, it can be woken
before it is needed, and it is refused when it does not tell texts apart."""

import threading
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.embedding.collapse import PromptVectors, mean_similarity, refuse_collapsed
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.settings import Settings
from serving.search.query_vectors import QueryVectors

WAKING_TEXT: Final = "music"


def embeds_queries_on_modal(settings: Settings) -> bool:
    """Whether each text costs a call, and the first one the start of a container."""
    return settings.modal_enabled and settings.clap_text == "modal"


class QueryEmbedder:
    """Safe to use from threads."""

    def __init__(self, model: EmbeddingModel, prompts: PromptVectors) -> None:
        self._model = model
        self._prompts = prompts
        self._queries = QueryVectors(model)
        self._similarity: float | None = None
        self._checking = threading.Lock()
        self._woken_at = float("-inf")

    @property
    def model(self) -> ModelDescription:
        return self._model.model

    def vector(self, query: str) -> NDArray[np.float32]:
        """(512,) float32 of length 1. Raises what the model raises, and `ConfigurationError` once
        it is known to be collapsed."""
        if self._similarity is not None:
            refuse_collapsed(self.model, self._similarity)
        return self._queries.vector(query)

    def similarity(self) -> float:
        """Mean cosine of its vectors of unlike texts; the model is asked at most once.

        Raises `ConfigurationError` for a collapsed model, and what the model raises.
        """
        with self._checking:
            if self._similarity is None:
                self._similarity = mean_similarity(self._prompts.of(self._model))
        refuse_collapsed(self.model, self._similarity)
        return self._similarity

    def refuse_known_collapse(self) -> None:
        """Raises `ConfigurationError` when an earlier process has found the model collapsed. Asks
        nothing of the model."""
        kept = self._prompts.kept(self.model)
        if kept is not None:
            self._similarity = mean_similarity(kept)
            refuse_collapsed(self.model, self._similarity)

    def wake(self) -> None:
        """Have the model embed something now: loads what runs here, starts a container elsewhere.
        Raises what the model raises."""
        self._model.embed_text([WAKING_TEXT])
        self._woken_at = time.monotonic()

    def idle_seconds(self) -> float:
        """How long ago it last answered; infinite when it never did."""
        return time.monotonic() - max(self._woken_at, self._queries.answered_at)
