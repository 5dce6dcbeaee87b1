"""What this process has used of services that charge, kept for good now and then."""

import logging
import threading
from collections.abc import Sequence
from typing import Final, Protocol

from resources.costs.measures import Amounts, Measure
from resources.errors import MoodSearchError

SAVE_AFTER_SECONDS: Final = 30.0
"""How much later an amount is kept at the latest: what a kill may lose."""

Span = tuple[float, float]
"""Begin and end of something, in seconds since 1970."""

logger = logging.getLogger(__name__)


class KeepsUsage(Protocol):
    def add(self, amounts: Amounts, busy: Sequence[Span]) -> Amounts:
        """Add to what is kept; returns what was added, container seconds from the spans in which
        Modal was asked included. Raises `MoodSearchError`."""
        ...


class Ledger:
    """Amounts by measure. Safe to use from threads.

    Keeps them through `usage` when asked, and by itself some time after the first that is not kept
    yet. Without `usage` it only counts.
    """

    def __init__(
        self, usage: KeepsUsage | None = None, save_after_seconds: float = SAVE_AFTER_SECONDS
    ) -> None:
        self._usage = usage
        self._save_after_seconds = save_after_seconds
        self._kept: dict[Measure, float] = {}
        self._unsaved: dict[Measure, float] = {}
        self._busy: list[Span] = []
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def add(self, measure: Measure, amount: float = 1.0) -> None:
        with self._lock:
            _add(self._unsaved, {measure: amount})
            self._save_later()

    def add_modal_request(self, measure: Measure, began: float, ended: float) -> None:
        """A request to Modal, from when it was sent to its answer, in seconds since 1970."""
        with self._lock:
            seconds = max(0.0, ended - began)
            _add(self._unsaved, {measure: 1.0, Measure.MODAL_REQUEST_SECONDS: seconds})
            self._busy.append((began, max(began, ended)))
            self._save_later()

    def reading(self) -> dict[Measure, float]:
        """All that was used since this was made, as of now; containers' seconds as of the last
        `save`."""
        with self._lock:
            total = dict(self._kept)
            _add(total, self._unsaved)
            return total

    def save(self) -> None:
        """Keep what is not kept yet. What cannot be kept, whatever the reason, is tried again some
        time later, or with the next."""
        with self._saving:
            with self._lock:
                amounts, self._unsaved = self._unsaved, {}
                busy, self._busy = self._busy, []
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
            if not amounts and not busy:
                return
            try:
                kept = amounts if self._usage is None else self._usage.add(amounts, busy)
            except BaseException as error:
                self._put_back(amounts, busy)
                if not isinstance(error, Exception):
                    raise
                # A mistake of ours must not end the work that is counted.
                is_ours = not isinstance(error, MoodSearchError)
                logger.warning(
                    "what services were used could not be kept: %s", error, exc_info=is_ours
                )
                return
            with self._lock:
                _add(self._kept, kept)

    def close(self) -> None:
        """Save for the last time: afterwards nothing is saved by itself."""
        with self._lock:
            self._is_closed = True
        self.save()

    def _put_back(self, amounts: Amounts, busy: Sequence[Span]) -> None:
        with self._lock:
            _add(self._unsaved, amounts)
            self._busy = [*busy, *self._busy]
            self._save_later()

    def _save_later(self) -> None:
        if self._timer is None and self._usage is not None and not self._is_closed:
            self._timer = threading.Timer(self._save_after_seconds, self.save)
            # So that a process can end; whoever closes its backends saves.
            self._timer.daemon = True
            self._timer.start()


def _add(total: dict[Measure, float], amounts: Amounts) -> None:
    for measure, amount in amounts.items():
        total[measure] = total.get(measure, 0.0) + amount
