"""From an audio file to its windows' vectors. Free of Dagster, for worker processes' sake: it alone
takes two seconds to import."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from resources.audio.decode import DecodedWindows, decode_windows
from resources.audio.probe import AudioProbe, probe
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError
from resources.object_store.protocol import ObjectStore

SignOfLife = Callable[[], None]
"""Called after each read, for who waits and may give up."""


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

    def embed_again(self, key: str) -> WindowVectors:
        """The same for an object that met an unexpected error, while no other is worked on, and
        apart from this process."""
        ...

    def close(self) -> None:
        """Let go of everything. Calls that have not returned end with an error."""
        ...


def probe_object(store: ObjectStore, key: str, sign_of_life: SignOfLife) -> AudioProbe:
    """See `resources.audio.probe`, of the object under `key`."""
    with store.open(key) as audio:
        return probe(_watched(audio, sign_of_life))


def decode_object(store: ObjectStore, key: str, sign_of_life: SignOfLife) -> DecodedWindows:
    """See `resources.audio.decode`, of the object under `key`."""
    with store.open(key) as audio:
        file = _watched(audio, sign_of_life)
        return decode_windows(file, probe(file))


def window_vectors(heard: DecodedWindows, model: EmbeddingModel) -> WindowVectors:
    """The vectors of decoded windows. Raises what the model does, and `BackendError` when it
    answers nonsense, which must not be stored."""
    vectors = model.embed_audio(heard.samples)
    expected = (len(heard.samples), EMBEDDING_DIMENSION)
    if vectors.shape != expected or not np.isfinite(vectors).all():
        raise BackendError("the embedding model answered with something that is no embedding")
    return WindowVectors(vectors, heard.starts_seconds)


class _WatchedFile:
    """A file that tells of each read."""

    def __init__(self, file: BinaryIO, sign_of_life: SignOfLife) -> None:
        self._file = file
        self._sign_of_life = sign_of_life

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._sign_of_life()
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)


def _watched(file: BinaryIO, sign_of_life: SignOfLife) -> BinaryIO:
    return cast(BinaryIO, _WatchedFile(file, sign_of_life))
