"""Backends that note how much they embed, in whichever process. Worker processes import this."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.embedding_backends import EmbeddingBackends
from resources.settings import Settings


class NotingModel:
    """The real model; appends the number of windows whenever it embedded some with sound."""

    def __init__(self, model: EmbeddingModel, notes: Path) -> None:
        self._model = model
        self._notes = notes
        self.model: ModelDescription = model.model
        self.is_remote = model.is_remote
        self.charges_for = model.charges_for

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = self._model.embed_audio(windows)
        if windows.any():  # Silence is how a worker process opens its model.
            with self._notes.open("a") as notes:
                notes.write(f"{len(windows)}\n")
        return vectors

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._model.embed_text(texts)


class NotingBackends(EmbeddingBackends):
    """`notes`: where the model notes what it did."""

    def __init__(self, settings: Settings, notes: Path) -> None:
        super().__init__(settings)
        self._notes = notes

    @cached_property
    def local_model(self) -> EmbeddingModel:
        return NotingModel(super().local_model, self._notes)
