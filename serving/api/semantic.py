"""`GET /search/semantic`, and `POST /search/warm`, which loads what it needs."""

from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query

from serving.api.models import Problem, SemanticSearchAnswer, WarmingUp
from serving.api.parameters import NOT_ONLY_SPACES, Limit, not_only_spaces
from serving.availability import CONCURRENT_ANSWERS
from serving.search.semantic import DEFAULT_LIMIT, LONGEST_QUERY, SHORTEST_QUERY, SemanticSearch
from serving.search.warm_up import WarmUp
from serving.web.queue import OVERLOADED

SemanticQuery = Annotated[
    str,
    Query(
        min_length=SHORTEST_QUERY,
        max_length=LONGEST_QUERY,
        description="What the music sounds like. Length is counted in characters, as sent.",
        examples=["dark ambient techno"],
        json_schema_extra=NOT_ONLY_SPACES,
    ),
    not_only_spaces("describe a sound or a mood"),
]


def semantic_routes(search: SemanticSearch, warm_up: WarmUp) -> APIRouter:
    router = APIRouter(tags=["search"])
    # Its own threads, so that a model or index that hangs does not starve the other routes.
    limiter = CapacityLimiter(CONCURRENT_ANSWERS)

    @router.get(
        "/search/semantic",
        summary="Find tracks by mood",
        response_description="The search results.",
        responses={503: {"model": Problem, **OVERLOADED}},
    )
    async def semantic(q: SemanticQuery, limit: Limit = DEFAULT_LIMIT) -> SemanticSearchAnswer:
        """Tracks ranked by the cosine similarity of their sound to the query."""
        deadline = search.deadline()
        answer = await to_thread.run_sync(search.search, q, limit, deadline, limiter=limiter)
        return SemanticSearchAnswer.of(answer)

    @router.post("/search/warm", status_code=202, summary="Load the model before the first query")
    async def warm() -> WarmingUp:
        """Loads the model and wakes the vector store so that the first query is fast. Call it when
        a search box opens. Answers at once and works in the background, at most once every four
        minutes for all callers together."""
        return WarmingUp(started=warm_up.start())

    return router
