"""`POST /search/warm`: somebody is about to search."""

from fastapi import APIRouter

from serving.api.models import WarmingUp
from serving.search.warm_up import WarmUp


def warm_routes(warm_up: WarmUp) -> APIRouter:
    router = APIRouter(tags=["search"])

    @router.post("/search/warm", status_code=202, summary="Get ready for a search by mood")
    async def warm() -> WarmingUp:
        """For a page whose search box is opened. Answers at once; what will answer the query is
        warmed in the background, at most once in four minutes for all callers together."""
        return WarmingUp(started=warm_up.start())

    return router
