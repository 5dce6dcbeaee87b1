"""A process of the API: it answers while one model's index takes over from another's."""

from collections.abc import Callable
from threading import RLock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from resources.backends import Backends
from serving.search.nearest import FoundTrack
from serving.search.semantic import SemanticSearch
from tests.simulation.clock import Clock


class _Loading:
    """A thread that loads a model, whenever `Api.load` lets it."""

    started: list[Callable[[], None]]

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], **_: Any) -> None:
        self._work = lambda: target(*args)

    def start(self) -> None:
        self.started.append(self._work)


class Api:
    """`clock`: by which it asks again which index answers."""

    def __init__(self, backends: Backends, clock: Clock) -> None:
        self._loading: list[Callable[[], None]] = []
        kind = type("Loading", (_Loading,), {"started": self._loading})
        self._threading = SimpleNamespace(Lock=RLock, Thread=kind)
        self._clock = clock
        with self._patched():
            self._search = SemanticSearch(backends)

    def answer(self, query: str) -> list[FoundTrack]:
        """Up to 30 tracks. Raises what the search would tell its caller as "not available"."""
        with self._patched():
            return self._search._nearest(query, 30)

    def load(self) -> None:
        """Models that are being loaded are there."""
        with self._patched():
            while self._loading:
                self._loading.pop(0)()

    def _patched(self) -> Any:
        return patch.multiple(
            "serving.search.live_index", threading=self._threading, time=self._clock
        )
