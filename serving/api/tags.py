"""`GET /tracks/{track_id}/recommended-tags`: genres that fit a track as tags."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from serving.api.models import Problem
from serving.api.parameters import TrackId
from serving.api.tag_models import RecommendedTagsAnswer
from serving.tags.recommended import DEFAULT_TAGS, MOST_TAGS, RecommendedTags

TagLimit = Annotated[int, Query(ge=1, le=MOST_TAGS, description="Maximum number of tags.")]


def tag_routes(tags: RecommendedTags) -> APIRouter:
    router = APIRouter(tags=["tracks"])

    @router.get(
        "/tracks/{track_id}/recommended-tags",
        summary="Recommend tags for a track",
        response_description="The recommended tags.",
        responses={404: {"model": Problem, "description": "No public track has this id."}},
    )
    async def recommended_tags(
        track_id: TrackId, limit: TagLimit = DEFAULT_TAGS
    ) -> RecommendedTagsAnswer:
        """Genres that the classifier predicts for the track, without the tags it already has."""
        answer = await tags.of(track_id, limit)
        if answer is None:
            raise HTTPException(404, "no public track has this id")
        return RecommendedTagsAnswer.of(answer)

    return router
