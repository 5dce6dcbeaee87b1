"""How long a wait may take: one notion of it for every client.

A client says by which deadline its calls must be over (`Deadline.bounds`), and the connections that
it uses (`resources.web.connections`) keep to it with every byte they send and receive. A timeout
for silence does not do that: each byte of a slow drip begins it anew.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from resources.errors import BackendError

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS: Final = 10.0

PATIENCE_SECONDS: Final = 30.0
"""How long a service may bring nothing, or next to nothing, repeated attempts included. Object
stores begin to answer within seconds, also when they are busy."""

LEAST_BYTES_PER_SECOND: Final = 16 * 1024
"""128 kbit/s, the rate of an MP3 of low quality: what comes more slowly could not be played."""


class OverdueError(BackendError):
    """A service did not answer by the deadline, or too slowly to meet it."""


class Deadline:
    """A point in time, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def remaining_seconds(self) -> float:
        """Never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def has_passed(self) -> bool:
        return self.remaining_seconds == 0

    def sleep(self, seconds: float) -> bool:
        """Wait; False, at once, if the time would be up by then."""
        if seconds >= self.remaining_seconds:
            return False
        time.sleep(seconds)
        return True

    def timeout(self, most_seconds: float = math.inf) -> "httpx.Timeout":
        """For a request that may take the remaining time, `most_seconds` of it. At least a
        millisecond, since httpx takes zero for a failure of its own."""
        seconds = max(min(self.remaining_seconds, most_seconds), 0.001)
        import httpx  # noqa: PLC0415  0.1 s that a search spares.

        return httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))

    def note_progress(self, transferred_bytes: int) -> None:
        """Told of all that is sent and received; a point in time does not move."""

    @contextmanager
    def bounds(self) -> Iterator[None]:
        """Inside, what this thread sends and receives over bounded connections ends by this
        deadline, and by those around it."""
        token = _DEADLINES.set((*_DEADLINES.get(), self))
        try:
            yield
        finally:
            _DEADLINES.reset(token)


class TransferDeadline(Deadline):
    """Moves with what is transferred: a hang ends after `patience_seconds`, and so does, a little
    later, what is slower than `least_bytes_per_second`. Altogether n bytes may take
    `patience_seconds` + n / `least_bytes_per_second`; a fast beginning earns no longer hang."""

    def __init__(
        self,
        patience_seconds: float = PATIENCE_SECONDS,
        least_bytes_per_second: float = LEAST_BYTES_PER_SECOND,
    ) -> None:
        super().__init__(patience_seconds)
        self._patience_seconds = patience_seconds
        self._least_bytes_per_second = least_bytes_per_second

    def note_progress(self, transferred_bytes: int) -> None:
        earned = self._end + transferred_bytes / self._least_bytes_per_second
        self._end = min(earned, time.monotonic() + self._patience_seconds)


_DEADLINES: ContextVar[tuple[Deadline, ...]] = ContextVar("deadlines", default=())


def bounded(timeout: float | None, who: str) -> float | None:
    """`timeout` (None: without end), or what is left until the deadlines around the caller, if that
    is less. Raises `OverdueError`, which names `who`, when nothing is left."""
    deadlines = _DEADLINES.get()
    if not deadlines:
        return timeout
    remaining = min(deadline.remaining_seconds for deadline in deadlines)
    if remaining == 0:
        raise OverdueError(f"{who} did not answer in time, or too slowly")
    return remaining if timeout is None else min(timeout, remaining)


def note_progress(transferred_bytes: int) -> None:
    """Tell the deadlines around the caller."""
    for deadline in _DEADLINES.get():
        deadline.note_progress(transferred_bytes)
