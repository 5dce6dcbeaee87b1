"""Semantic search: a description into an embedding, its neighbours in the index, and what the
catalogue says about them."""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from resources.backends import Backends
from resources.catalogue.work.generations import Generation
from resources.embedding.collapse import PromptVectors
from resources.embedding.protocol import EmbeddingModel
from resources.errors import ModelMismatchError
from resources.vectors.protocol import VectorStore
from resources.web.deadline import Deadline
from serving.availability import Answer, Availability, UnavailableError
from serving.search.nearest import FoundTrack, nearest_public
from serving.search.query_embedder import QueryEmbedder

SHORTEST_QUERY: Final = 3
LONGEST_QUERY: Final = 200
"""Characters of a query, counted as it was sent."""

MOST_RESULTS: Final = 50
DEFAULT_LIMIT: Final = 10

DEFAULT_DEADLINE_SECONDS: Final = 10.0
RECHECK_SECONDS: Final = 3.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchAnswer(Answer):
    """The nearest public tracks, best first."""

    query: str
    results: list[FoundTrack] = field(default_factory=list)


class LiveIndex:
    """The vector store that answers: that of the live generation.

    A backfill for another model replaces the live generation, so it is looked up again every few
    seconds; a process that serves needs no restart.
    """

    def __init__(self, backends: Backends, *, recheck_seconds: float = RECHECK_SECONDS) -> None:
        self._generations = backends.generations
        self._model = backends.track_model
        self._open_vectors = backends.open_vectors
        self._recheck_seconds = recheck_seconds
        self._stores: dict[str, VectorStore] = {}
        self._live: Generation | None = None
        self._looked_up_at = float("-inf")
        self._lock = threading.Lock()

    def vectors(self) -> VectorStore | None:
        """The live generation's store; None before anything was indexed.

        Raises `ModelMismatchError` when it belongs to another model than the configured one, and
        `BackendError` when the database does not answer.
        """
        live = self._current()
        if live is None:
            return None
        if live.model != self._model.fingerprint:
            other = self._generations.other_model(self._model)
            if other is not None:
                raise ModelMismatchError(str(other))
            # Replaced by ours since it was looked up.
            self._looked_up_at = float("-inf")
            return self.vectors()
        with self._lock:
            if live.namespace not in self._stores:
                self._stores[live.namespace] = self._open_vectors(live.namespace, self._model)
            return self._stores[live.namespace]

    def _current(self) -> Generation | None:
        now = time.monotonic()
        # Outside the lock: a database that hangs must not hold up more than who asked it.
        if self._live is None or now - self._looked_up_at >= self._recheck_seconds:
            self._live = self._generations.live()
            self._looked_up_at = now
        return self._live


class SemanticSearch:
    """Answers queries. Safe to use from threads."""

    def __init__(
        self,
        backends: Backends,
        *,
        text_model: EmbeddingModel | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        """`text_model`: instead of the configured one, which is loaded here when it runs in this
        process."""
        self.index = LiveIndex(backends)
        self.query_embedder = QueryEmbedder(
            text_model or backends.text_model, PromptVectors(backends.store)
        )
        self._tracks = backends.tracks
        self._availability = Availability("semantic search", logger, deadline_seconds)

    def deadline(self) -> Deadline:
        """For a query that arrives now."""
        return self._availability.deadline()

    def search(
        self, query: str, limit: int = DEFAULT_LIMIT, deadline: Deadline | None = None
    ) -> SearchAnswer:
        """The `limit` nearest public tracks to `query`. `deadline`: None for a whole one.

        Never raises: a backend that is down, broken, for another model or slower than the deadline
        makes the answer unavailable, and its reason is logged at most once a minute.
        """
        try:
            results = self._availability.answer(lambda: self._nearest(query, limit), deadline)
        except UnavailableError as error:
            return SearchAnswer(query, reason=str(error))
        return SearchAnswer(query, results)

    def recent_failure(self, seconds: float) -> str | None:
        """Why the last answer was not available, if that was less than `seconds` ago."""
        return self._availability.recent_failure(seconds)

    def _nearest(self, query: str, limit: int) -> list[FoundTrack]:
        vectors = self.index.vectors()
        if vectors is None:
            return []
        return nearest_public(vectors, self._tracks, self.query_embedder.vector(query), limit)
