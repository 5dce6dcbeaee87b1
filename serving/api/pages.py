"""The pages for people: the search page and the API's documentation. Nothing comes from other
hosts."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse

from serving.api.docs import render_openapi

STATIC: Final = Path(__file__).parent / "static"


def page_routes(app: FastAPI) -> APIRouter:
    """`app`: whose API is documented."""
    router = APIRouter(include_in_schema=False)

    @router.head("/")
    @router.get("/")
    def search_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @router.get("/docs")
    def documentation() -> HTMLResponse:
        return HTMLResponse(render_openapi(app.openapi()))

    return router
