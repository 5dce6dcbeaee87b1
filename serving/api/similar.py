"""What goes with a track by its sound: `GET /tracks/{track_id}/similar` and
`GET /tracks/{track_id}/recommended-tags`."""

from typing import Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from serving.api.models import Answer, Problem, SimilarTracksAnswer
from serving.api.parameters import Limit, TrackId
from serving.availability import CONCURRENT_ANSWERS
from serving.search.semantic import DEFAULT_LIMIT
from serving.search.similar import SimilarTracks
from serving.tags.recommended import DEFAULT_TAGS, MOST_RECOMMENDED, RecommendedTags
from serving.web.queue import OVERLOADED

TagLimit = Annotated[int, Query(ge=1, le=MOST_RECOMMENDED, description="Maximum number of tags.")]

_UNKNOWN: Final = "no public track has this id"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "No public track has this id."},
    503: {"model": Problem, **OVERLOADED},
}


class RecommendedTagResult(Answer):
    """A tag that the track could have."""

    name: str = Field(description="The tag.", examples=["techno"])
    score: float = Field(description="How sure the classifier is, 0 to 1.", examples=[0.87])


class RecommendedTagsAnswer(Answer):
    """Tags that the track does not have yet."""

    track_id: int = Field(description="The track that was asked about.", examples=[76])
    tags: list[RecommendedTagResult] = Field(max_length=MOST_RECOMMENDED, description="Best first.")
    available: bool = Field(
        description="False, with empty tags, when the classifier is disabled, does not answer, or "
        "not in time; what it says later is kept for the next request. True with empty tags: there "
        "is nothing to recommend, or the track's audio is missing or not indexed yet."
    )


def similar_routes(similar: SimilarTracks, tags: RecommendedTags) -> APIRouter:
    router = APIRouter(prefix="/tracks/{track_id}", tags=["tracks"], responses=_RESPONSES)
    limiter = CapacityLimiter(CONCURRENT_ANSWERS)

    @router.get(
        "/similar",
        summary="Find tracks that sound like a track",
        response_description="The search results.",
    )
    async def similar_tracks(
        track_id: TrackId, limit: Limit = DEFAULT_LIMIT
    ) -> SimilarTracksAnswer:
        """Public tracks ranked by the cosine similarity of their sound to this track's."""
        deadline = similar.deadline()
        answer = await to_thread.run_sync(similar.near, track_id, limit, deadline, limiter=limiter)
        if answer is None:
            raise HTTPException(404, _UNKNOWN)
        return SimilarTracksAnswer.of(answer)

    @router.get(
        "/recommended-tags",
        summary="Recommend tags for a track",
        response_description="The recommended tags.",
    )
    async def recommended_tags(
        track_id: TrackId, limit: TagLimit = DEFAULT_TAGS
    ) -> RecommendedTagsAnswer:
        """Genres that the classifier predicts for the track, without the tags it already has."""
        answer = await tags.of(track_id, limit)
        if answer is None:
            raise HTTPException(404, _UNKNOWN)
        return RecommendedTagsAnswer.of(answer)

    return router
