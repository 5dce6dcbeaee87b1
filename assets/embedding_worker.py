"""The program of a worker process (`assets.embedding_processes`): it embeds what it is asked for.

It reads pickles from standard input: an `EmbeddingBackends`, then objects' keys. It writes pickles
to standard output: its model's fingerprint, then for each key a `WindowVectors`, or the exception
instead of either. It ends with its standard input, so it does not outlive who asked.
"""

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import BinaryIO

from assets.window_vectors import WindowVectors, embed_windows
from resources.embedding_backends import EmbeddingBackends


def main() -> None:
    """Answer until nobody asks any more."""
    questions, answers = sys.stdin.buffer, _taken_standard_output()
    with suppress(EOFError, BrokenPipeError):
        backends: EmbeddingBackends = pickle.load(questions)
        _answer(answers, lambda: backends.local_model.model.fingerprint)
        while True:
            key: str = pickle.load(questions)
            _answer(answers, partial(_embed, backends, key))


def _embed(backends: EmbeddingBackends, key: str) -> WindowVectors:
    return embed_windows(backends.store, key, backends.local_model)


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
