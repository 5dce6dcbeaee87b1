"""Keeps the names of keyword search in step with the catalogue while the API runs."""

import logging
import threading
import time
from typing import Final, Self

from resources.catalogue.names.index import KeywordIndex
from resources.errors import MoodSearchError

FOLLOW_SECONDS: Final = 1.0
"""How soon a changed name is found, at the latest."""

CHECK_SECONDS: Final = 60.0
STOP_SECONDS: Final = 3.0

logger = logging.getLogger(__name__)


class KeywordUpkeep:
    """A context manager with a thread that follows changes every second, and once a minute compares
    what is due. Of several processes, one does it."""

    def __init__(self, index: KeywordIndex, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._index = index
        self._check_seconds = check_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._asked_for: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._index.interrupt()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        next_check = 0.0
        failure = ""
        while True:
            try:
                if time.monotonic() < next_check:
                    self._index.follow()
                else:
                    next_check = time.monotonic() + self._check_seconds
                    self._index.keep(lambda: not self._stop.is_set())
                    self._ask_for_triggers()
                failure = ""
            except Exception as error:
                # Once for an outage, not every second.
                if str(error) != failure and not self._stop.is_set():
                    failure = str(error)
                    is_expected = isinstance(error, MoodSearchError)
                    logger.warning(
                        "keyword search is not kept up to date: %s",
                        failure,
                        exc_info=None if is_expected else error,
                    )
            if self._stop.wait(FOLLOW_SECONDS):
                return

    def _ask_for_triggers(self) -> None:
        """Say once what would make changes visible at once."""
        for grant in {state.grant for state in self._index.states() if state.grant}:
            if grant not in self._asked_for:
                self._asked_for.add(grant)
                logger.warning(
                    "keyword search learns of new names every 5 minutes only; have the table's "
                    "owner run: %s",
                    grant,
                )
