"""A process that decodes and embeds one object at a time: audio that crashes it, or makes it hang,
harms nothing else."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from assets.window_vectors import WindowVectors
from resources.audio.decode import DecodedWindows
from resources.audio.probe import AudioProbe
from resources.embedding_backends import EmbeddingBackends
from resources.errors import BackendError, ConfigurationError
from resources.machine import die_with_parent

SILENCE_SECONDS: Final = 30.0
"""For which nothing is heard of a track (`Pulse`) before it is given up."""

_WORKER: Final = "assets.embedding_worker"

_STOPPED: Final = "embedding was stopped"

_END_SECONDS: Final = 5
"""How long a process may take to end after its last word."""

_ENVIRONMENT: Final = {
    # One thread for each process: there are as many of them as cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class WorkerDiedError(Exception):
    """A worker's process crashed, was killed or hung; the message says how. `was_ready`: after it
    had opened its model; `was_killed`: by another than us."""

    def __init__(self, how: str, *, was_ready: bool, was_killed: bool = False) -> None:
        super().__init__(f"the process that decoded and embedded it {how}")
        self.how = how
        self.was_ready = was_ready
        self.was_killed = was_killed


class WorkerProcess:
    """One process at a time, started when first needed, used by one thread at a time.

    `fingerprint`: of the model that it must have to embed. Each method but `stop` and `close`
    raises `WorkerDiedError`, and what the process raised.
    """

    def __init__(
        self,
        backends: EmbeddingBackends,
        fingerprint: str = "",
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._backends = backends
        self._fingerprint = fingerprint
        self._silence_seconds = silence_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._has_model = False
        self._changing = threading.Lock()
        self._is_closed = False

    def probe(self, key: str) -> AudioProbe:
        """See `resources.audio.probe`, of the object under `key`."""
        return cast(AudioProbe, self._do("probe", key))

    def decode(self, key: str) -> DecodedWindows:
        """See `resources.audio.decode`, of the object under `key`."""
        return cast(DecodedWindows, self._do("decode", key))

    def embed(self, key: str) -> WindowVectors:
        """See `WindowEmbedder.embed`. Raises `ConfigurationError` for another model's files."""
        self._start()
        if not self._has_model:
            self._refuse_another_model()
        return cast(WindowVectors, self._do("embed", key))

    def stop(self) -> None:
        """End the process; the next call starts another."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            _kill(process)

    def close(self) -> None:
        """End the process, also in the middle of something."""
        self._is_closed = True
        self.stop()

    def _do(self, what: str, key: str) -> object:
        self._start()
        return self._ask((what, key), was_ready=True)

    def _start(self) -> None:
        if self._process is not None:
            return
        with self._changing:
            if self._is_closed:
                raise BackendError(_STOPPED)
            self._process = _start_process()
            self._has_model = False
        # No answer is asked for: what is wrong shows with the first question.
        self._tell(self._backends)

    def _refuse_another_model(self) -> None:
        try:
            fingerprint = self._ask(("model", ""), was_ready=False)
        except Exception:
            self.stop()
            raise
        if fingerprint != self._fingerprint:
            self.stop()
            raise ConfigurationError(
                "CLAP_MODEL's files changed while they were used; start again to embed with them"
            )
        self._has_model = True

    def _tell(self, message: object) -> None:
        process = self._process
        if process is None:
            raise BackendError(_STOPPED)
        assert process.stdin is not None
        with suppress(OSError):  # The answer that does not come tells why.
            pickle.dump(message, process.stdin)
            process.stdin.flush()

    def _ask(self, question: object, *, was_ready: bool) -> object:
        process = self._process
        if process is None:
            raise BackendError(_STOPPED)
        self._tell(question)
        # A model may take its time to be loaded.
        silence = _Silence(process, self._silence_seconds if was_ready else None)
        try:
            answer = silence.answer()
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            exit_code = _ended(process)
            self.stop()
            if self._is_closed:
                raise BackendError(_STOPPED) from None
            if silence.was_broken:
                how = f"did nothing for {self._silence_seconds:g} s"
                raise WorkerDiedError(how, was_ready=was_ready) from None
            if exit_code >= 0:
                raise RuntimeError("a worker ended; standard error has its traceback") from None
            raise WorkerDiedError(
                _death(-exit_code),
                was_ready=was_ready,
                was_killed=-exit_code == signal.SIGKILL,
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


class _Silence:
    """Waits for a process's answer, and kills it when it gives no sign of life for `seconds`."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float | None) -> None:
        self._process = process
        self._seconds = seconds
        self.was_broken = False

    def answer(self) -> object:
        assert self._process.stdout is not None
        while True:
            timer = threading.Timer(self._seconds or 0, self._break)
            timer.daemon = True
            if self._seconds is not None:
                timer.start()
            try:
                message = pickle.load(self._process.stdout)
            finally:
                timer.cancel()
            if message is not None:  # That is a sign of life.
                return message

    def _break(self) -> None:
        self.was_broken = True
        self._process.kill()


def _death(signal_number: int) -> str:
    if signal_number == signal.SIGKILL:
        return "was killed, probably for lack of memory"
    return f"crashed ({signal.strsignal(signal_number)})"


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
