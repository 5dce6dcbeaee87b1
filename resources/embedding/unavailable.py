"""A model whose vectors are stored, but which is not to be had any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from resources.costs.measures import Measure
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.errors import BackendError


@dataclass(frozen=True)
class UnavailableModel:
    """Raises `BackendError` with `reason`, whatever it is to embed: its tracks and queries wait for
    another model's index, and what needs no model goes on."""

    fingerprint: str
    reason: str

    is_remote: ClassVar[bool] = False
    charges_for: ClassVar[Sequence[Measure]] = ()

    @property
    def model(self) -> ModelDescription:
        return ModelDescription("unavailable", "", EMBEDDING_DIMENSION, self.fingerprint, "")

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG002
        self._refuse()

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:  # noqa: ARG002
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise BackendError(
            f"the model of the index ({self.fingerprint[:8]}) cannot be loaded: {self.reason};"
            " moodsearch models build makes an index of another"
        )
