"""Worker processes that fetch, decode and embed: all cores are busy, and audio that brings its
process down harms no other."""

import queue
import threading

from assets.window_vectors import WindowVectors
from assets.worker_process import SILENCE_SECONDS, WorkerDiedError, WorkerProcess
from resources.embedding_backends import EmbeddingBackends
from resources.errors import BackendError


class EmbeddingProcesses:
    """Up to `concurrency` processes, each with a store and a model of its own; started when first
    needed. `fingerprint`: of the model that they must have.

    An object whose process dies is tried again while no other is worked on. As long as no object at
    all could be embedded, a second death may be this machine's fault: `BackendError`. If it goes
    well after the process was killed, there was too little memory for so many: there is one less
    from then on.
    """

    def __init__(
        self,
        backends: EmbeddingBackends,
        fingerprint: str,
        concurrency: int,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.concurrency = concurrency
        self._workers = [
            WorkerProcess(backends, fingerprint, silence_seconds=silence_seconds)
            for _ in range(concurrency)
        ]
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._usable = concurrency
        self._has_embedded = False
        self._killed: set[str] = set()
        self._turn = threading.Lock()

    def embed(self, key: str) -> WindowVectors:
        """See `WindowEmbedder`. A process ends with the thread whose call started it, so threads
        that call this live as long as it is used."""
        with self._turn:
            worker = self._idle.get()
        try:
            vectors = worker.embed(key)
            self._has_embedded = True
            return vectors
        except WorkerDiedError as death:
            if death.was_killed:
                self._killed.add(key)
            raise
        finally:
            self._idle.put(worker)

    def embed_again(self, key: str) -> WindowVectors:
        """See `WindowEmbedder`."""
        with self._turn:
            workers = [self._idle.get() for _ in range(self._usable)]
            try:
                for worker in workers[1:]:
                    worker.stop()  # Its memory may be what is lacking.
                vectors = workers[0].embed(key)
                if key in self._killed:
                    del workers[max(1, self._usable - 1) :]
                return vectors
            except WorkerDiedError as death:
                if death.was_ready and self._has_embedded:
                    raise
                raise BackendError(f"a process that embeds {death.how}") from None
            finally:
                self._usable = len(workers)
                for worker in workers:
                    self._idle.put(worker)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
