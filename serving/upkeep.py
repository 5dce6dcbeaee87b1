"""What is done again and again beside the work, and must not end it."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from resources.errors import MoodSearchError, one_line

LONGEST_DELAY_SECONDS: Final = 30.0
"""Between two tries."""


class Upkeep:
    """Calls `do`, but less and less often while it fails.

    `say` is told of each failure once, and of its end. Anything but a `MoodSearchError` or an
    `OSError` is our own mistake, and raised.
    """

    def __init__(self, do: Callable[[], None], say: Callable[[str], None]) -> None:
        self._do = do
        self._say = say
        self._said: str | None = None
        self._delay = 0.0
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        try:
            self._do()
        except (MoodSearchError, OSError) as error:
            if (reason := one_line(error)) != self._said:
                self._tell(f"{reason}; trying again")
            self._said = reason
            self._delay = min(2 * self._delay or 1.0, LONGEST_DELAY_SECONDS)
            self._next = now + self._delay
        else:
            if self._said is not None:
                self._tell("that is over")
            self._said, self._delay = None, 0.0

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # The log may be on the disk that is full.
            self._say(text)
