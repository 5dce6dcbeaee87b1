"""What every embedding model offers, wherever it runs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from resources.audio.windows import WINDOWING_VERSION
from resources.costs.measures import Measure

EMBEDDING_DIMENSION: Final = 512
"""Length of every vector: CLAP's joint space (arXiv 2211.06687)."""

FINGERPRINT_HEADER: Final = "X-Model-Fingerprint"
"""In answers of a model behind HTTP: the fingerprint of the model that made the vector."""


Vector = NDArray[np.float32]
"""(512,)."""


@dataclass(frozen=True)
class ModelDescription:
    """Which model made a vector.

    `fingerprint` is a SHA-256 in hex over everything that changes a vector: id, revision, the
    weight files' bytes, precision and pre-processing version. Vectors with different fingerprints
    are never compared with each other.
    """

    id: str
    revision: str
    dimension: int
    fingerprint: str
    licence: str

    def for_tracks(self) -> Self:
        """With a fingerprint that also covers which windows of a track it hears and how their
        vectors are pooled. Everything stored for a track carries this one."""
        parts = f"{self.fingerprint}\n{WINDOWING_VERSION}"
        return replace(self, fingerprint=hashlib.sha256(parts.encode()).hexdigest())


class EmbeddingModel(Protocol):
    """Text and audio into one space. Safe to call from several threads."""

    @property
    def model(self) -> ModelDescription: ...

    @property
    def is_remote(self) -> bool:
        """Whether embedding mostly waits for another machine, so that more callers than cores pay
        off."""

    @property
    def charges_for(self) -> Sequence[Measure]:
        """What embedding audio is charged by; nothing where it runs here."""

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed 10-second windows.

        `windows`: (n, 480000) float32, mono, 48 kHz, in [-1, 1]. Returns (n, 512) float32 with rows
        of length 1. Raises `BackendError` when a remote model does not answer.
        """

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed descriptions. Returns (n, 512) float32 with rows of length 1.

        Raises `BackendError` when a remote model does not answer.
        """
