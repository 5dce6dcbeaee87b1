"""The pages for people: the search page and the API's documentation. Nothing comes from other
hosts."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from serving.api.docs import render_openapi

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


def page_routes(app: FastAPI) -> APIRouter:
    """`app`: whose API is documented."""
    router = APIRouter(include_in_schema=False)

    @router.head("/")
    @router.get("/")
    def search_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=REVALIDATED)

    @router.get("/docs")
    def documentation() -> HTMLResponse:
        return HTMLResponse(render_openapi(app.openapi()))

    return router
