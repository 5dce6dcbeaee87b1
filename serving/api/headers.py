"""Headers that every answer carries."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def content_security_policy(audio_origins: Sequence[str] = ()) -> str:
    """What our pages may load. `audio_origins`: other hosts that a track's audio comes from."""
    audio = " ".join(("'self'", *audio_origins))
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        # Artwork is wherever the catalogue says. A picture can run nothing, and `no-referrer` keeps
        # what somebody searched for from its host.
        "img-src": " ".join(("'self'", "https:", *audio_origins)),
        "media-src": audio,
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        # Text that is turned into markup by mistake is an error instead of an attack.
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def cross_origin(origins: Sequence[str]) -> dict[str, Any]:
    """What scripts of these origins may do, as Starlette's `CORSMiddleware` takes it: ask every
    route, with a user's token, and read the headers that say something. Other sites' scripts may
    not read answers. Never with cookies: we have none."""
    return {
        "allow_origins": origins,
        "allow_methods": ["GET", "HEAD", "POST"],
        "allow_headers": ["Authorization", "If-Range", "Range"],
        "expose_headers": [
            "Accept-Ranges",
            "Content-Length",
            "Content-Range",
            "ETag",
            "Retry-After",
        ],
    }


class SecurityHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, audio_origins: Sequence[str] = ()) -> None:
        self._app = app
        policy = content_security_policy(audio_origins)
        self._headers = {"Content-Security-Policy": policy, **HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
