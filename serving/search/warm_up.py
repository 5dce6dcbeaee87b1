"""Making the first query as fast as the next ones: while somebody is still typing it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from resources.errors import BackendError, MoodSearchError, one_line
from serving.availability import AtMostEvery
from serving.search.semantic import SemanticSearch

WARM_INTERVAL_SECONDS: Final = 240.0
"""At most one warm-up in this time, whoever asks: each may start a container that is paid for. A
container is kept for 300 s after its last request (`serving/embedding_service/modal_app.py`)."""

logger = logging.getLogger(__name__)


class WarmUp:
    """Warms what answers a query: the vector store, and the model for texts. Safe to use from
    threads."""

    def __init__(
        self, search: SemanticSearch, *, interval_seconds: float = WARM_INTERVAL_SECONDS
    ) -> None:
        self._search = search
        self._interval_seconds = interval_seconds
        self._may_start = AtMostEvery(interval_seconds)

    def start(self) -> bool:
        """Warm everything in the background, unless that was done within the interval. Returns
        whether it was started now. What fails is logged: a query that follows says it to whoever
        asks."""
        if not self._may_start():
            return False
        threading.Thread(target=self.warm, name="warm-up", daemon=True).start()
        return True

    def at_start(self, *, with_model: bool) -> None:
        """For the start of a process, in this thread. `with_model`: whether to ask the model; a
        remote one is left alone until somebody wants to search.

        Raises `ConfigurationError` for a model that does not tell texts apart. What does not answer
        now, or cannot be loaded, is logged in one line.
        """
        try:
            embedder = self._search.query_embedder
            embedder.refuse_known_collapse()
            if with_model:
                embedder.similarity()
                embedder.wake()
                self._may_start()
        except BackendError as error:
            logger.warning("the model is not ready: %s", one_line(error))
        self._attempt("the index", self._warm_index)

    def warm(self) -> None:
        """Warm everything in this thread, however recently that was done."""
        self._attempt("the index", self._warm_index)
        self._attempt("the model", self._warm_model)

    def _warm_index(self) -> None:
        vectors = self._search.index.vectors()
        if vectors is not None:
            vectors.warm()

    def _warm_model(self) -> None:
        embedder = self._search.query_embedder
        embedder.similarity()
        # A container that has just answered needs no paid call to stay.
        if embedder.idle_seconds() >= self._interval_seconds:
            embedder.wake()

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        started = time.monotonic()
        try:
            step()
        except MoodSearchError as error:
            logger.warning("%s is not ready: %s", what, one_line(error))
        except Exception:
            logger.exception("%s could not be warmed", what)
        else:
            logger.debug("%s is warm after %.2f s", what, time.monotonic() - started)
