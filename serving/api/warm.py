"""`POST /search/warm`: loads what the next query needs."""

from fastapi import APIRouter

from serving.api.models import WarmingUp
from serving.search.warm_up import WarmUp


def warm_routes(warm_up: WarmUp) -> APIRouter:
    router = APIRouter(tags=["search"])

    @router.post("/search/warm", status_code=202, summary="Load the model before the first query")
    async def warm() -> WarmingUp:
        """Loads the model and wakes the vector store so that the first query is fast. Call it when
        a search box opens. Answers at once and works in the background, at most once every four
        minutes for all callers together."""
        return WarmingUp(started=warm_up.start())

    return router
