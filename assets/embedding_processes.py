"""Worker processes that fetch, decode and embed: all cores are busy, and audio that brings its
process down harms no other."""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from assets.window_vectors import WindowVectors
from resources.embedding_backends import EmbeddingBackends
from resources.errors import BackendError, ConfigurationError, TrackError
from resources.machine import die_with_parent

_WORKER: Final = "assets.embedding_worker"

_STOPPED: Final = "embedding was stopped"

_END_SECONDS: Final = 5
"""How long a process may take to end after its last word."""

_ENVIRONMENT: Final = {
    # One thread for each process: there are as many of them as cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class EmbeddingProcesses:
    """Up to `concurrency` processes, each with a store and a model of its own; started when first
    needed. `fingerprint`: of the model that they must have.

    An object whose process is killed or crashes is tried once more, while no other is worked on. If
    that ends the same way it is the object's fault: `TrackError`; as long as no object at all could
    be embedded, it may as well be this machine's: `BackendError`. If it goes well there was too
    little memory for so many processes: there is one less from then on.
    """

    def __init__(self, backends: EmbeddingBackends, fingerprint: str, concurrency: int) -> None:
        self.concurrency = concurrency
        self._workers = [_Worker(backends, fingerprint) for _ in range(concurrency)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._usable = concurrency
        self._has_embedded = False
        self._turn = threading.Lock()

    def embed(self, key: str) -> WindowVectors:
        """See `WindowEmbedder`. A process ends with the thread whose call started it, so threads
        that call this live as long as it is used."""
        with self._turn:
            worker = self._idle.get()
        try:
            vectors = worker.embed(key)
        except _DiedError:
            pass
        else:
            self._has_embedded = True
            return vectors
        finally:
            self._idle.put(worker)
        return self._embed_alone(key)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _embed_alone(self, key: str) -> WindowVectors:
        with self._turn:
            workers = [self._idle.get() for _ in range(self._usable)]
            try:
                for worker in workers[1:]:
                    worker.stop()  # Its memory may be what is lacking.
                vectors = workers[0].embed(key)
                del workers[max(1, self._usable - 1) :]
                return vectors
            except _DiedError as death:
                if death.was_ready and self._has_embedded:
                    raise TrackError(f"the process that decoded and embedded it {death}") from None
                raise BackendError(f"a process that embeds {death}") from None
            finally:
                self._usable = len(workers)
                for worker in workers:
                    self._idle.put(worker)


class _DiedError(Exception):
    """A worker's process was killed or crashed; the message says how. `was_ready`: after it had
    loaded its model."""

    def __init__(self, signal_number: int, *, was_ready: bool) -> None:
        if signal_number == signal.SIGKILL:
            super().__init__("was killed, probably for lack of memory")
        else:
            super().__init__(f"crashed ({signal.strsignal(signal_number)})")
        self.was_ready = was_ready


class _Worker:
    """One process at a time, used by one thread at a time."""

    def __init__(self, backends: EmbeddingBackends, fingerprint: str) -> None:
        self._backends = backends
        self._fingerprint = fingerprint
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._is_closed = False

    def embed(self, key: str) -> WindowVectors:
        """Raises `_DiedError`, and what the process raised."""
        if self._process is None:
            self._start()
        return cast(WindowVectors, self._ask(key, was_ready=True))

    def stop(self) -> None:
        """End the process; the next call of `embed` starts another."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            _kill(process)

    def close(self) -> None:
        """End the process, also in the middle of something."""
        self._is_closed = True
        self.stop()

    def _start(self) -> None:
        with self._changing:
            if self._is_closed:
                raise BackendError(_STOPPED)
            self._process = _start_process()
        try:
            fingerprint = self._ask(self._backends, was_ready=False)
        except Exception:
            self.stop()
            raise
        if fingerprint != self._fingerprint:
            self.stop()
            raise ConfigurationError(
                "CLAP_MODEL's files changed while they were used; start again to embed with them"
            )

    def _ask(self, question: object, *, was_ready: bool) -> object:
        process = self._process
        if process is None:
            raise BackendError(_STOPPED)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(question, process.stdin)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            exit_code = _ended(process)
            self.stop()
            if self._is_closed:
                raise BackendError(_STOPPED) from None
            if exit_code >= 0:
                raise RuntimeError("a worker ended; standard error has its traceback") from None
            raise _DiedError(-exit_code, was_ready=was_ready) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _start_process() -> "subprocess.Popen[bytes]":
    """A worker that ends when this process does, even by `kill -9`.

    Not by `multiprocessing`, which would import the whole program again in every worker.
    """
    warnings = [f"-W{option}" for option in sys.warnoptions]
    worker = [sys.executable, "-P", *warnings, "-m", _WORKER]
    places = [path or str(Path.cwd()) for path in sys.path]
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", die_with_parent.__file__, *worker],
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(places)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C reaches us alone, and we end the workers.
            process_group=0,
        )
    except OSError as error:
        raise BackendError(f"cannot start a process that embeds: {error.strerror}") from error


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """The exit code of a process that has nothing more to say."""
    try:
        return process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(OSError):  # What could not be sent any more.
            pipe.close()
