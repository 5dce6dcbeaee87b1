"""`GET /search/semantic`."""

from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query
from pydantic import AfterValidator

from serving.api.models import SemanticSearchAnswer
from serving.api.parameters import NOT_ONLY_SPACES, Limit
from serving.availability import CONCURRENT_ANSWERS
from serving.search.semantic import DEFAULT_LIMIT, LONGEST_QUERY, SHORTEST_QUERY, SemanticSearch


def _not_only_spaces(query: str) -> str:
    if not query.strip():
        raise ValueError("the query is only spaces; describe a sound or a mood")
    return query


SemanticQuery = Annotated[
    str,
    Query(
        min_length=SHORTEST_QUERY,
        max_length=LONGEST_QUERY,
        description="What the music sounds like. Length is counted in characters, as sent.",
        examples=["dark ambient techno"],
        json_schema_extra=NOT_ONLY_SPACES,
    ),
    AfterValidator(_not_only_spaces),
]


def semantic_routes(search: SemanticSearch) -> APIRouter:
    router = APIRouter(tags=["search"])
    # Its own threads, so that a model or index that hangs does not starve the other routes.
    limiter = CapacityLimiter(CONCURRENT_ANSWERS)

    @router.get(
        "/search/semantic",
        summary="Find tracks by mood",
        response_description="The search results.",
    )
    async def semantic(q: SemanticQuery, limit: Limit = DEFAULT_LIMIT) -> SemanticSearchAnswer:
        """Tracks ranked by the cosine similarity of their sound to the query."""
        answer = await to_thread.run_sync(search.search, q, limit, limiter=limiter)
        return SemanticSearchAnswer.of(answer)

    return router
