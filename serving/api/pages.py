"""The pages for people: the search page and the API's documentation. Nothing comes from other
hosts."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from serving.api.docs import render_openapi
from serving.search.shown_similarity import ShownScale

STATIC: Final = Path(__file__).parent / "static"

# The page's parts must be of one version: asked for each time, sent when they have changed.
REVALIDATED: Final = {"Cache-Control": "no-cache"}


class PageFiles(StaticFiles):
    """The pages' scripts, styles and icon."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(REVALIDATED)
        return response


def page_routes(app: FastAPI, scale: Callable[[], ShownScale]) -> APIRouter:
    """`app`: whose API is documented. `scale`: what the search page shows for a cosine."""
    router = APIRouter(include_in_schema=False)

    @router.head("/")
    @router.get("/")
    def search_page(request: Request) -> Response:
        page = _search_page(scale())
        etag = f'"{hashlib.sha256(page.encode()).hexdigest()}"'
        headers = {"ETag": etag, **REVALIDATED}
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(page, headers=headers)

    @router.get("/docs")
    def documentation() -> HTMLResponse:
        return HTMLResponse(render_openapi(app.openapi()))

    return router


def _search_page(scale: ShownScale) -> str:
    """Read each time, as its parts are: they must be of one version."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    for name, value in scale.parameters.items():
        page = page.replace(f"{{{name}}}", value)
    return page
