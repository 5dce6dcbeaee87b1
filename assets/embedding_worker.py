"""The program of a worker process (`assets.worker_process`): it does what it is asked for.

It reads pickles from standard input: an `EmbeddingBackends`, then questions: what to do, and an
object's key. It writes pickles to standard output: for each question the answer, or the exception
instead, and every second before that None, as a sign of life, unless it hangs. It ends with its
standard input, so it does not outlive who asked.
"""

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

import numpy as np

from assets.window_vectors import Pulse, decode_object, probe_object, window_vectors
from resources.audio.windows import WINDOW_SAMPLES
from resources.embedding_backends import EmbeddingBackends

_SIGN_SECONDS: Final = 1.0
"""Between two signs of life."""


def main() -> None:
    """Answer until nobody asks any more."""
    questions, answers = sys.stdin.buffer, _Answers(_taken_standard_output())
    with suppress(EOFError, BrokenPipeError):
        backends: EmbeddingBackends = pickle.load(questions)
        while True:
            what, key = pickle.load(questions)
            pulse = Pulse()
            with answers.signs_of(pulse):
                try:
                    message = pickle.dumps(_done(backends, what, key, pulse))
                except Exception as error:
                    message = _pickled(error)
            answers.write(message)


def _done(backends: EmbeddingBackends, what: str, key: str, pulse: Pulse) -> object:
    if what == "model":
        # Opened with the first window: it may have to be fetched.
        backends.local_model.embed_audio(np.zeros((1, WINDOW_SAMPLES), np.float32))
        return backends.local_model.model.fingerprint
    if what == "probe":
        return probe_object(backends.store, key, pulse)
    heard = decode_object(backends.store, key, pulse)
    return heard if what == "decode" else window_vectors(heard, backends.local_model)


class _Answers:
    """Whole messages, from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, message: bytes) -> None:
        with self._lock:
            self._stream.write(message)
            self._stream.flush()

    @contextmanager
    def signs_of(self, pulse: Pulse) -> Iterator[None]:
        """Signs of life meanwhile, unless `pulse` is silent."""
        done = threading.Event()

        def send() -> None:
            while not done.wait(_SIGN_SECONDS):
                if pulse.silent_seconds < _SIGN_SECONDS:
                    with suppress(OSError):
                        self.write(pickle.dumps(None))

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _taken_standard_output() -> BinaryIO:
    """Standard output for the answers alone: what libraries print there goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _pickled(error: Exception) -> bytes:
    """The error with where it happened, which is lost on the way otherwise."""
    where = "".join(traceback.format_exception(error))
    error.add_note(f"in a worker process:\n{where}")
    try:
        message = pickle.dumps(error)
        pickle.loads(message)  # Some can be written but not read.
    except Exception:
        return pickle.dumps(RuntimeError(where))
    return message


if __name__ == "__main__":
    main()
