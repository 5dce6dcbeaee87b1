"""`GET /tracks/{track_id}/similar`: more like this."""

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException

from serving.api.models import Problem, SimilarTracksAnswer
from serving.api.parameters import Limit, TrackId
from serving.availability import CONCURRENT_ANSWERS
from serving.search.semantic import DEFAULT_LIMIT
from serving.search.similar import SimilarTracks


def similar_routes(similar: SimilarTracks) -> APIRouter:
    router = APIRouter(tags=["tracks"])
    limiter = CapacityLimiter(CONCURRENT_ANSWERS)

    @router.get(
        "/tracks/{track_id}/similar",
        summary="Find tracks that sound like a track",
        response_description="The search results.",
        responses={404: {"model": Problem, "description": "No public track has this id."}},
    )
    async def similar_tracks(
        track_id: TrackId, limit: Limit = DEFAULT_LIMIT
    ) -> SimilarTracksAnswer:
        """Public tracks ranked by the cosine similarity of their sound to this track's."""
        answer = await to_thread.run_sync(similar.near, track_id, limit, limiter=limiter)
        if answer is None:
            raise HTTPException(404, "no public track has this id")
        return SimilarTracksAnswer.of(answer)

    return router
