"""The model of an index: the one whose vectors are in it, and no other that is called the same."""

import threading
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from resources.costs.measures import Measure
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.errors import BackendError


class PinnedModel:
    """Loads the model when something is embedded or asked of it. Then everything raises what `load`
    raises, and `BackendError` for a model whose vectors of tracks have not that `fingerprint`; what
    needs no model goes on."""

    is_remote: ClassVar[bool] = False
    charges_for: ClassVar[Sequence[Measure]] = ()

    def __init__(self, fingerprint: str, load: Callable[[], EmbeddingModel]) -> None:
        self._fingerprint = fingerprint
        self._load = load
        self._lock = threading.Lock()
        self._model: EmbeddingModel | None = None

    @property
    def model(self) -> ModelDescription:
        return self._loaded().model

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._loaded().embed_audio(windows)

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._loaded().embed_text(texts)

    def _loaded(self) -> EmbeddingModel:
        with self._lock:
            if self._model is None:
                model = self._load()
                if model.model.for_tracks().fingerprint != self._fingerprint:
                    raise BackendError(
                        f"the model of the index ({self._fingerprint[:8]}) cannot be loaded:"
                        f" {model.model.id} has other files now; moodsearch models build makes an"
                        " index of another"
                    )
                self._model = model
            return self._model
