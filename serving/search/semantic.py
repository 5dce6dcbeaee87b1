"""Semantic search: a description into an embedding, its neighbours in the index, and what the
catalogue says about them."""

import logging
from dataclasses import dataclass, field
from typing import Final

from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.web.deadline import Deadline
from serving.availability import Answer, Availability, UnavailableError
from serving.search.live_index import LiveIndex
from serving.search.nearest import FoundTrack, nearest_public
from serving.search.query_embedder import QueryEmbedder

SHORTEST_QUERY: Final = 3
LONGEST_QUERY: Final = 200
"""Characters of a query, counted as it was sent."""

MOST_RESULTS: Final = 50
DEFAULT_LIMIT: Final = 10

DEFAULT_DEADLINE_SECONDS: Final = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchAnswer(Answer):
    """The nearest public tracks, best first."""

    query: str
    results: list[FoundTrack] = field(default_factory=list)


class SemanticSearch:
    """Answers queries. Safe to use from threads."""

    def __init__(
        self,
        backends: Backends,
        *,
        text_model: EmbeddingModel | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        """`text_model`: instead of the configured one."""
        self.index = LiveIndex(backends, text_model=text_model)
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

    @property
    def model(self) -> ModelDescription:
        """Of the index that answers, whether or not it can be loaded."""
        return self.index.last().model

    @property
    def query_embedder(self) -> QueryEmbedder:
        """Of the model whose index answers; of the configured one where nothing was indexed."""
        return self.index.last().embedder

    def recent_failure(self, seconds: float) -> str | None:
        """Why the last answer was not available, if that was less than `seconds` ago."""
        return self._availability.recent_failure(seconds)

    def _nearest(self, query: str, limit: int) -> list[FoundTrack]:
        # Text and tracks by one model, whatever takes over meanwhile.
        serving = self.index.serving()
        if serving.vectors is None:
            return []
        vector = serving.embedder.vector(query)
        return nearest_public(serving.vectors, self._tracks, vector, limit)
