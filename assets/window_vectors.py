"""From an audio file to its windows' vectors. Free of Dagster, for worker processes' sake: it alone
takes two seconds to import."""

import io
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from resources.audio.decode import DecodedWindows, decode_windows
from resources.audio.probe import AudioProbe, probe
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError
from resources.object_store.protocol import ObjectStore


class Pulse:
    """For how long nothing is heard of work on an object, for who waits and may give up. Time that
    the store takes does not count: it has its own limits, and says when it is down."""

    def __init__(self) -> None:
        self._is_in_store = False
        self._at = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        return 0.0 if self._is_in_store else time.monotonic() - self._at

    @contextmanager
    def in_store(self) -> Iterator[None]:
        """While the store is asked."""
        self._is_in_store = True
        try:
            yield
        finally:
            self._at = time.monotonic()
            self._is_in_store = False


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


def probe_object(store: ObjectStore, key: str, pulse: Pulse) -> AudioProbe:
    """See `resources.audio.probe`, of the object under `key`."""
    with _opened(store, key, pulse) as audio:
        return probe(audio)


def decode_object(store: ObjectStore, key: str, pulse: Pulse) -> DecodedWindows:
    """See `resources.audio.decode`, of the object under `key`."""
    with _opened(store, key, pulse) as audio:
        return decode_windows(audio, probe(audio))


def window_vectors(heard: DecodedWindows, model: EmbeddingModel) -> WindowVectors:
    """The vectors of decoded windows. Raises what the model does, and `BackendError` when it
    answers nonsense, which must not be stored."""
    vectors = model.embed_audio(heard.samples)
    expected = (len(heard.samples), EMBEDDING_DIMENSION)
    if vectors.shape != expected or not np.isfinite(vectors).all():
        raise BackendError("the embedding model answered with something that is no embedding")
    return WindowVectors(vectors, heard.starts_seconds)


class _WatchedFile:
    """A file whose reads are noted."""

    def __init__(self, file: BinaryIO, pulse: Pulse) -> None:
        self._file = file
        self._pulse = pulse

    def read(self, size: int = -1) -> bytes:
        with self._pulse.in_store():
            return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)


@contextmanager
def _opened(store: ObjectStore, key: str, pulse: Pulse) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        with pulse.in_store():
            file = stack.enter_context(store.open(key))
        yield cast(BinaryIO, _WatchedFile(file, pulse))
