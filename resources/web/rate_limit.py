"""Asking a service no more often than it allows."""

import threading
import time
from typing import Final

from resources.web.http import Deadline

SECONDS_A_MINUTE: Final = 60.0


class RateLimit:
    """At most `per_minute` turns in a minute, `burst` of them at once; for all threads together.

    The generic cell rate algorithm (ITU-T I.371): turns are spread evenly, and those that nobody
    took add up to a burst.
    """

    def __init__(self, per_minute: float, burst: int = 1) -> None:
        self._interval = SECONDS_A_MINUTE / per_minute
        self._slack = self._interval * (burst - 1)
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, deadline: Deadline) -> bool:
        """Wait for a turn. False, at once and without taking one, if the time is up by then."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            pause = max(0.0, turn - self._slack - now)
            if pause >= deadline.remaining_seconds:
                return False
            self._next = turn + self._interval
        return deadline.sleep(pause)
