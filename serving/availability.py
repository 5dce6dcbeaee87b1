"""Answers that are given in time or not at all: what is down must not take a page with it."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from resources.errors import MoodSearchError
from serving.deadline import DeadlineWorkers
from serving.intervals import AtMostEvery

LOG_INTERVAL_SECONDS: Final = 60.0
CONCURRENT_ANSWERS: Final = 16

T = TypeVar("T")


class UnavailableError(MoodSearchError):
    """There is no answer now. The message, one line, is for the operator."""


class Availability:
    """Computes answers within a deadline. Safe to use from threads.

    `name`: what is not available when that fails, as `logger` says it at most once a minute.
    """

    def __init__(self, name: str, logger: logging.Logger, deadline_seconds: float) -> None:
        self._name = name
        self._logger = logger
        self._deadline_seconds = deadline_seconds
        self._workers = DeadlineWorkers(CONCURRENT_ANSWERS)
        self._may_log = AtMostEvery(LOG_INTERVAL_SECONDS)
        self._failure: tuple[float, str] | None = None

    def answer(self, compute: Callable[[], T]) -> T:
        """What `compute` returns. Raises `UnavailableError`, and nothing else, when that fails for
        any reason or takes longer than the deadline."""
        try:
            result = self._workers.run(compute, self._deadline_seconds)
        except MoodSearchError as error:
            reason = " ".join(str(error).split())
            if self._may_log():
                self._logger.warning("%s is not available: %s", self._name, reason)
        except Exception as error:
            # Our own mistake: loud in the log, but the page keeps its other results.
            reason = f"an unexpected {type(error).__name__}; the log has its traceback"
            if self._may_log():
                self._logger.exception("%s failed", self._name)
        else:
            self._failure = None
            return result
        self._failure = time.monotonic(), reason
        raise UnavailableError(reason)

    def recent_failure(self, seconds: float) -> str | None:
        """Why the last answer was not available, if that was less than `seconds` ago."""
        failure = self._failure
        return failure[1] if failure and time.monotonic() - failure[0] < seconds else None
