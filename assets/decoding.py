"""Probing and decoding tracks so that none of them harms another: in threads of this process, or
apart from it what may bring it down. Free of Dagster."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from typing import TypeVar

from assets.window_vectors import (
    Pulse,
    WindowVectors,
    decode_object,
    probe_object,
    window_vectors,
)
from assets.worker_process import SILENCE_SECONDS, WorkerProcess
from resources.audio.decode import DecodedWindows
from resources.audio.probe import AudioProbe
from resources.embedding.protocol import EmbeddingModel
from resources.embedding_backends import EmbeddingBackends
from resources.object_store.protocol import ObjectStore

T = TypeVar("T")


class SilenceError(Exception):
    """What was waited for came to no end, and the store is not to blame."""


class Decoding:
    """Probes and decodes objects. Safe to use from threads.

    Those of `suspects`, and second tries, are done in a process of their own, one at a time. The
    others are given up after `silence_seconds` of silence (`Pulse`): the thread that hangs is left
    behind.
    """

    def __init__(
        self,
        store: ObjectStore,
        backends: EmbeddingBackends,
        suspects: Collection[str] = (),
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """`store`: to be read here; `backends`: what the other process opens; `suspects`: keys."""
        self._store = store
        self._suspects = suspects
        self._silence_seconds = silence_seconds
        self._worker = WorkerProcess(backends, silence_seconds=silence_seconds)
        self._turn = threading.Lock()

    def probe(self, key: str) -> AudioProbe:
        """See `resources.audio.probe`, of the object under `key`. Raises `SilenceError`, too."""
        if key in self._suspects:
            return self.probe_again(key)
        return self._watched(lambda pulse: probe_object(self._store, key, pulse))

    def decode(self, key: str) -> DecodedWindows:
        """See `resources.audio.decode`, of the object under `key`. Raises `SilenceError`, too."""
        if key in self._suspects:
            return self.decode_again(key)
        return self._watched(lambda pulse: decode_object(self._store, key, pulse))

    def probe_again(self, key: str) -> AudioProbe:
        """The same apart. Raises `WorkerDiedError`, too."""
        with self._turn:
            return self._worker.probe(key)

    def decode_again(self, key: str) -> DecodedWindows:
        """The same apart. Raises `WorkerDiedError`, too."""
        with self._turn:
            return self._worker.decode(key)

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _watched(self, work: Callable[[Pulse], T]) -> T:
        pulse = Pulse()
        future: Future[T] = Future()

        def call() -> None:
            try:
                future.set_result(work(pulse))
            except BaseException as error:
                future.set_exception(error)

        # A daemon, so that the program can end without it.
        threading.Thread(target=call, name="decode", daemon=True).start()
        while not wait([future], max(self._silence_seconds - pulse.silent_seconds, 0.1)).done:
            if pulse.silent_seconds >= self._silence_seconds:
                raise SilenceError(f"nothing was heard of it for {self._silence_seconds:g} s")
        return future.result()


class EmbeddingThreads:
    """Embeds in this process, on the threads that ask: for models elsewhere, which are waited for,
    and for so few tracks that starting processes would take longer."""

    def __init__(self, decoding: Decoding, model: EmbeddingModel, concurrency: int) -> None:
        self._decoding = decoding
        self._model = model
        self.concurrency = concurrency

    def embed(self, key: str) -> WindowVectors:
        return window_vectors(self._decoding.decode(key), self._model)

    def embed_again(self, key: str) -> WindowVectors:
        return window_vectors(self._decoding.decode_again(key), self._model)

    def close(self) -> None:
        """What is done in this process cannot be interrupted."""
        self._decoding.close()
