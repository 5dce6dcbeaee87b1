"""From an audio file to its windows' vectors. Free of Dagster, for worker processes' sake: it alone
takes two seconds to import."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError
from resources.object_store.protocol import ObjectStore


@dataclass(frozen=True, eq=False)
class WindowVectors:
    """vectors: (n, 512) float32 rows of length 1; starts_seconds: where each window begins."""

    vectors: NDArray[np.float32]
    starts_seconds: tuple[float, ...]


class WindowEmbedder(Protocol):
    """Embeds audio files for up to `concurrency` threads at once."""

    @property
    def concurrency(self) -> int: ...

    def embed(self, key: str) -> WindowVectors:
        """Fetch, decode and embed the object under `key`.

        Raises `TrackError` for audio that cannot be used, `ObjectNotFoundError`, `BackendError` for
        what is down and `UserError` for what only a person can mend.
        """
        ...

    def close(self) -> None:
        """Let go of everything. Calls of `embed` that have not returned end with an error."""
        ...


@dataclass(frozen=True)
class EmbeddingThreads:
    """Embeds in this process, on the threads that ask: for models elsewhere, which are waited for,
    and for so few tracks that starting processes would take longer."""

    store: ObjectStore
    model: EmbeddingModel
    concurrency: int

    def embed(self, key: str) -> WindowVectors:
        return embed_windows(self.store, key, self.model)

    def close(self) -> None:
        """Nothing is held, and nothing can be interrupted."""


def embed_windows(store: ObjectStore, key: str, model: EmbeddingModel) -> WindowVectors:
    """The vectors of the object's windows. Raises what `WindowEmbedder.embed` does."""
    with store.open(key) as audio:
        heard = decode_windows(audio, probe(audio))
    vectors = model.embed_audio(heard.samples)
    # A model that answers nonsense must not have it stored.
    expected = (len(heard.samples), EMBEDDING_DIMENSION)
    if vectors.shape != expected or not np.isfinite(vectors).all():
        raise BackendError("the embedding model answered with something that is no embedding")
    return WindowVectors(vectors, heard.starts_seconds)
