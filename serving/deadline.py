"""Calls that may not take longer than a given time, whatever they wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from resources.errors import BackendError

T = TypeVar("T")


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
        threading.Thread(target=self._work, args=(function, future), daemon=True).start()
        try:
            return future.result(seconds)
        except TimeoutError:
            if future.done():
                raise
            raise BackendError(f"no answer within {seconds:g} s") from None

    def _work(self, function: Callable[[], T], future: Future[T]) -> None:
        try:
            result = function()
        except BaseException as error:
            self._free.release()
            future.set_exception(error)
        else:
            self._free.release()
            future.set_result(result)
