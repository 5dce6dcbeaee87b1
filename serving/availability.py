"""Answers that are given in time or not at all: what is down must not take a page with it."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeVar

from resources.errors import BackendError, MoodSearchError, one_line
from resources.web.deadline import Deadline

LOG_INTERVAL_SECONDS: Final = 60.0
CONCURRENT_ANSWERS: Final = 16

T = TypeVar("T")


class AtMostEvery:
    """True at most once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = float("-inf")
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                return False
            self._next = now + self._seconds
            return True


class DeadlineWorkers:
    """Runs functions in threads of their own and stops waiting for them at a deadline.

    A thread cannot be interrupted, so a call that is given up runs on until what it waits for
    answers or fails. At most `limit` calls run at a time, those given up included: a backend that
    hangs costs a bounded number of threads, and then new calls fail at once. The threads are
    daemons, so that a process can end without waiting for them.
    """

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def run(self, function: Callable[[], T], seconds: float) -> T:
        """What `function` returns or raises; `BackendError` when that takes longer than `seconds`,
        or when every worker is taken."""
        if not self._free.acquire(blocking=False):
            raise BackendError("too many earlier calls are still waiting for an answer")
        future: Future[T] = Future()
        threading.Thread(target=self._call, args=(function, future), daemon=True).start()
        try:
            return future.result(seconds)
        except TimeoutError:
            if future.done():
                raise
            raise BackendError(f"no answer within {seconds:.3g} s") from None

    def _call(self, function: Callable[[], T], future: Future[T]) -> None:
        try:
            result = function()
        except BaseException as error:
            self._free.release()
            future.set_exception(error)
        else:
            self._free.release()
            future.set_result(result)


@dataclass(frozen=True)
class Answer:
    """`reason`: why there is no answer now, for the operator; None when there is one."""

    reason: str | None = field(default=None, kw_only=True)

    @property
    def available(self) -> bool:
        return self.reason is None


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

    def deadline(self) -> Deadline:
        """For who asks now. Time that the question waits for its turn counts."""
        return Deadline(self._deadline_seconds)

    def answer(self, compute: Callable[[], T], deadline: Deadline | None = None) -> T:
        """What `compute` returns. Raises `UnavailableError`, and nothing else, when that fails for
        any reason or is not there by `deadline` (None: one that begins now)."""
        deadline = deadline or self.deadline()
        try:
            if deadline.has_passed:
                raise BackendError("all of its time went by while it waited for its turn")
            result = self._workers.run(compute, deadline.remaining_seconds)
        except MoodSearchError as error:
            reason = one_line(error)
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
