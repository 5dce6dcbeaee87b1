"""The program of a worker process (`assets.worker_process`): it does what it is asked for.

It reads pickles from standard input: an `EmbeddingBackends`, then questions: what to do, and an
object's key. It writes pickles to standard output: for each question None now and then, as a sign
of life, and the answer, or the exception instead. It ends with its standard input, so it does not
outlive who asked.
"""

import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import BinaryIO, Final

from assets.window_vectors import SignOfLife, decode_object, probe_object, window_vectors
from resources.embedding_backends import EmbeddingBackends

_SIGN_SECONDS: Final = 1.0
"""Between two signs of life."""


def main() -> None:
    """Answer until nobody asks any more."""
    questions, answers = sys.stdin.buffer, _taken_standard_output()
    sign_of_life = _signs(answers)
    with suppress(EOFError, BrokenPipeError):
        backends: EmbeddingBackends = pickle.load(questions)
        while True:
            what, key = pickle.load(questions)
            _answer(answers, partial(_done, backends, what, key, sign_of_life))


def _done(backends: EmbeddingBackends, what: str, key: str, sign_of_life: SignOfLife) -> object:
    if what == "model":
        return backends.local_model.model.fingerprint
    if what == "probe":
        return probe_object(backends.store, key, sign_of_life)
    heard = decode_object(backends.store, key, sign_of_life)
    return heard if what == "decode" else window_vectors(heard, backends.local_model)


def _signs(answers: BinaryIO) -> SignOfLife:
    latest = time.monotonic()

    def sign_of_life() -> None:
        nonlocal latest
        if time.monotonic() - latest >= _SIGN_SECONDS:
            latest = time.monotonic()
            pickle.dump(None, answers)
            answers.flush()

    return sign_of_life


def _taken_standard_output() -> BinaryIO:
    """Standard output for the answers alone: what libraries print there goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _answer(answers: BinaryIO, answer: Callable[[], object]) -> None:
    try:
        message = pickle.dumps(answer())
    except Exception as error:
        message = _pickled(error)
    answers.write(message)
    answers.flush()


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
