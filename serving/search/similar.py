"""Tracks that sound like a track: the neighbours of its own vector."""

import logging
from dataclasses import dataclass, field

from resources.backends import Backends
from resources.errors import BackendError
from resources.web.deadline import Deadline
from serving.availability import Answer, Availability, UnavailableError
from serving.search.live_index import LiveIndex
from serving.search.nearest import FoundTrack, nearest_public
from serving.search.semantic import DEFAULT_DEADLINE_SECONDS, DEFAULT_LIMIT

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SimilarAnswer(Answer):
    """The nearest public tracks to a track, best first, without itself."""

    track_id: int
    results: list[FoundTrack] = field(default_factory=list)


class SimilarTracks:
    """Safe to use from threads. Asks no model: a track's vector is in the index."""

    def __init__(
        self,
        backends: Backends,
        index: LiveIndex,
        *,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        self._index = index
        self._tracks = backends.tracks
        self._availability = Availability("similar tracks", logger, deadline_seconds)

    def deadline(self) -> Deadline:
        """For a question that arrives now."""
        return self._availability.deadline()

    def near(
        self, track_id: int, limit: int = DEFAULT_LIMIT, deadline: Deadline | None = None
    ) -> SimilarAnswer | None:
        """The `limit` nearest public tracks; none for a track that is not in the index (yet). None
        instead of an answer for an unknown or non-public track. `deadline`: None for a whole one.

        Never raises: a backend that is down makes the answer unavailable.
        """
        try:
            results = self._availability.answer(lambda: self._near(track_id, limit), deadline)
        except UnavailableError as error:
            return SimilarAnswer(track_id, reason=str(error))
        return None if results is None else SimilarAnswer(track_id, results)

    def _near(self, track_id: int, limit: int) -> list[FoundTrack] | None:
        if track_id not in self._tracks.public([track_id]):
            return None
        vectors = self._index.vectors()
        if vectors is None:
            return []
        embedding = vectors.vector(track_id)
        if embedding is None:
            if self._tracks.any_indexed(vectors.namespace, track_id):
                raise BackendError(
                    f"the index {vectors.namespace} lacks a track that is recorded in it"
                )
            return []
        return nearest_public(vectors, self._tracks, embedding, limit, leave_out=track_id)
