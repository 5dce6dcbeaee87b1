"""A backfill in a process of its own, to be killed, that notes how much its model embeds."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.work import NoProgress
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.settings import load_settings


class NotingModel:
    """The real model; appends the number of windows whenever it embedded some."""

    def __init__(self, model: EmbeddingModel, notes: Path) -> None:
        self._model = model
        self._notes = notes
        self.model: ModelDescription = model.model

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = self._model.embed_audio(windows)
        with self._notes.open("a") as notes:
            notes.write(f"{len(windows)}\n")
        return vectors

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._model.embed_text(texts)


if __name__ == "__main__":
    with Backends(load_settings()) as backends:
        backends.__dict__["audio_model"] = NotingModel(backends.local_model, Path(sys.argv[1]))
        result = backfill(backends, plan(backends), progress=NoProgress())
    sys.exit(1 if result.errors else 0)
