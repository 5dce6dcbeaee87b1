"""Tags to recommend for a track: the genres that a classifier hears in it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from anyio import CapacityLimiter, to_thread

from resources.backends import Backends
from resources.catalogue.tracks.genres import TrackGenres, comparable_tag
from resources.genres.labels import is_tag
from resources.genres.protocol import GenrePrediction
from serving.availability import CONCURRENT_ANSWERS, Answer, Availability, UnavailableError
from serving.search.live_index import LiveIndex
from serving.search.semantic import DEFAULT_DEADLINE_SECONDS
from serving.tags.on_demand import Classification, GenresOnDemand

DEFAULT_TAGS: Final = 5
MOST_RECOMMENDED: Final = 20

SCORE_DIGITS: Final = 6
"""As many as `tracks.extra` keeps: a first answer is that of the next request."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecommendedTag:
    """A tag and how sure the classifier is, in [0, 1]."""

    name: str
    score: float


@dataclass(frozen=True)
class TagsAnswer(Answer):
    """Tags that the track does not have yet, best first."""

    track_id: int
    tags: list[RecommendedTag] = field(default_factory=list)


class RecommendedTags:
    """Answers from what is stored, and classifies a track for which nothing is."""

    def __init__(
        self,
        backends: Backends,
        index: LiveIndex,
        *,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        self._genres = backends.genres_of_tracks
        self._needs_embedding = backends.classifier.needs_embedding
        self._on_demand = GenresOnDemand(backends, index)
        self._availability = Availability("recommended tags", logger, deadline_seconds)
        self._limiter = CapacityLimiter(CONCURRENT_ANSWERS)

    async def of(self, track_id: int, limit: int = DEFAULT_TAGS) -> TagsAnswer | None:
        """The `limit` best tags. None instead of an answer for an unknown or non-public track.

        Never raises: a classifier that is down or slower than the deadline makes the answer
        unavailable. What it says later is stored for the next request.
        """
        deadline = self._availability.deadline()
        try:
            track = await to_thread.run_sync(
                self._availability.answer,
                lambda: self._genres.public(track_id),
                deadline,
                limiter=self._limiter,
            )
        except UnavailableError as error:
            return TagsAnswer(track_id, reason=str(error))
        if track is None:
            return None
        predictions = track.predictions
        if predictions is None and track.may_be_classified(needs_embedding=self._needs_embedding):
            result = await self._classified(track, deadline.remaining_seconds)
            if result.reason is not None:
                return TagsAnswer(track_id, reason=result.reason)
            predictions = result.predictions
        return TagsAnswer(track_id, _recommended(predictions or (), track.own_tags, limit))

    async def _classified(self, track: TrackGenres, seconds: float) -> Classification:
        future = asyncio.wrap_future(self._on_demand.start(track.track_id))
        # Unlike `wait_for`, this does not cancel the future, for which others wait, too.
        await asyncio.wait([future], timeout=seconds)
        if not future.done():
            return Classification(reason="the classifier takes longer than the deadline")
        return future.result()


def _recommended(
    predictions: Sequence[GenrePrediction], own_tags: Sequence[str], limit: int
) -> list[RecommendedTag]:
    has = {comparable_tag(tag) for tag in own_tags}
    tags = []
    for prediction in predictions:
        name = comparable_tag(prediction.name)
        if name and name not in has and is_tag(name):
            has.add(name)
            score = round(prediction.confidence, SCORE_DIGITS)
            tags.append(RecommendedTag(prediction.name, score))
    return tags[:limit]
