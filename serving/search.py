"""Semantic search: a description into an embedding, its neighbours in the index, and what the
catalogue says about them."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

from resources.backends import Backends
from resources.catalogue.generations import Generation, Generations
from resources.catalogue.tracks import Track
from resources.embedding.collapse import PromptVectors
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.errors import ModelMismatchError, MoodSearchError
from resources.vectors.protocol import Match, VectorStore
from serving.deadline import DeadlineWorkers
from serving.intervals import AtMostEvery
from serving.text_tower import TextTower

SHORTEST_QUERY: Final = 3
LONGEST_QUERY: Final = 200
"""Characters of a query, counted as it was sent."""

LARGEST_LIMIT: Final = 50
DEFAULT_LIMIT: Final = 10

DEFAULT_DEADLINE_SECONDS: Final = 10.0
CONCURRENT_ANSWERS: Final = 16

MOST_FETCHED: Final = 1_000
"""Matches looked at for one answer. Beyond it the nearest tracks are nearly all hidden, which the
index unlearns with the next run."""

SIMILARITY_DIGITS: Final = 6
LOG_INTERVAL_SECONDS: Final = 60.0
RECHECK_SECONDS: Final = 3.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoundTrack(Track):
    """A public track and its cosine similarity to the query, in [-1, 1], 6 digits."""

    similarity: float


@dataclass(frozen=True)
class SearchAnswer:
    """The nearest public tracks, best first. `reason`: why the search is not available, for the
    operator; None when it is."""

    query: str
    results: list[FoundTrack] = field(default_factory=list)
    reason: str | None = None

    @property
    def available(self) -> bool:
        return self.reason is None


class LiveIndex:
    """The vector store that answers: that of the live generation.

    A backfill for another model replaces the live generation, so it is looked up again every few
    seconds; a process that serves needs no restart.
    """

    def __init__(
        self,
        generations: Generations,
        model: ModelDescription,
        open_vectors: Callable[[str, ModelDescription], VectorStore],
        *,
        recheck_seconds: float = RECHECK_SECONDS,
    ) -> None:
        self._generations = generations
        self._model = model
        self._open_vectors = open_vectors
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
    """Answers queries. Safe to use from threads.

    The catalogue decides what is shown, whatever is in the index: matches that are not public are
    left out, and more are fetched in their place.
    """

    def __init__(
        self,
        backends: Backends,
        *,
        text_model: EmbeddingModel | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        """`text_model`: instead of the configured one, which is loaded here when it runs in this
        process."""
        self.index = LiveIndex(backends.generations, backends.track_model, backends.open_vectors)
        self.text_tower = TextTower(
            text_model or backends.text_model, PromptVectors(backends.store)
        )
        self._tracks = backends.tracks
        self._deadline_seconds = deadline_seconds
        self._workers = DeadlineWorkers(CONCURRENT_ANSWERS)
        self._may_log = AtMostEvery(LOG_INTERVAL_SECONDS)
        self._failure: tuple[float, str] | None = None

    def search(self, query: str, limit: int = DEFAULT_LIMIT) -> SearchAnswer:
        """The `limit` nearest public tracks to `query`.

        Never raises: a backend that is down, broken, for another model or slower than the deadline
        makes the answer unavailable, and its reason is logged at most once a minute.
        """
        try:
            results = self._workers.run(
                lambda: self._nearest_public(query, limit), self._deadline_seconds
            )
        except MoodSearchError as error:
            reason = " ".join(str(error).split())
            if self._may_log():
                logger.warning("semantic search is not available: %s", reason)
        except Exception as error:
            # Our own mistake: loud in the log, but the page keeps its other results.
            reason = f"an unexpected {type(error).__name__}; the log has its traceback"
            if self._may_log():
                logger.exception("semantic search failed")
        else:
            self._failure = None
            return SearchAnswer(query, results)
        self._failure = time.monotonic(), reason
        return SearchAnswer(query, reason=reason)

    def recent_failure(self, seconds: float) -> str | None:
        """Why the last answer was not available, if that was less than `seconds` ago."""
        failure = self._failure
        return failure[1] if failure and time.monotonic() - failure[0] < seconds else None

    def _nearest_public(self, query: str, limit: int) -> list[FoundTrack]:
        vectors = self.index.vectors()
        if vectors is None:
            return []
        embedding = self.text_tower.vector(query)
        public: dict[int, Track] = {}
        hydrated: set[int] = set()
        fetch = min(2 * limit + 10, MOST_FETCHED)
        while True:
            matches = vectors.query(embedding, fetch)
            new = [match.track_id for match in matches if match.track_id not in hydrated]
            public |= self._tracks.public(new)
            hydrated.update(new)
            enough = sum(match.track_id in public for match in matches) >= limit
            if enough or len(matches) < fetch or fetch >= MOST_FETCHED:
                return _found(matches, public)[:limit]
            fetch = min(2 * fetch, MOST_FETCHED)


def _found(matches: list[Match], public: dict[int, Track]) -> list[FoundTrack]:
    return [
        FoundTrack(
            **asdict(public[match.track_id]), similarity=round(match.similarity, SIMILARITY_DIGITS)
        )
        for match in matches
        if match.track_id in public
    ]
