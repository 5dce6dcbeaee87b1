"""A bounded queue: a request that finds no place in it is refused at once, not kept waiting."""

import re
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.web.connections import RETRY_AFTER_SECONDS

PLACES: Final = 80
"""Requests that are answered or wait for their turn. Two cores answer 64 clients within a second
and a half; the others are for clients that ask again before their last request is forgotten."""

OVERLOADED: Final[dict[str, Any]] = {
    "description": "Too many requests of all clients together, or the database does not answer.",
    "headers": {
        "Retry-After": {
            "description": "Seconds until it is worth asking again.",
            "schema": {"type": "integer", "minimum": 1},
        }
    },
}
"""The refusal as an OpenAPI response."""


class BoundedQueue:
    """ASGI middleware: of the requests whose path matches `paths`, `places` have a place, and the
    rest are answered 503 with `Retry-After`. Before routes and parameters are looked at: a refusal
    must cost less than an answer."""

    def __init__(self, app: ASGIApp, paths: re.Pattern[str], places: int) -> None:
        self._app = app
        self._paths = paths
        self._free = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._paths.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._free == 0:
            await _refusal(scope, receive, send)
            return
        self._free -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._free += 1


_refusal: Final = JSONResponse(
    {"detail": f"too many requests at once; try again in {RETRY_AFTER_SECONDS} s"},
    503,
    {"Retry-After": str(RETRY_AFTER_SECONDS)},
)
