"""By which names a server is called, against DNS rebinding: a page of another site can make its own
name lead to 127.0.0.1, and then read what this machine's programs answer to that name."""

import socket
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")

_OWN_PAGES: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of requests that no other page made (Fetch Metadata, section 2.3)."""


def allowed_hosts(host: str) -> list[str]:
    """What a `Host` header may name of a server that listens on `host`, as Starlette's
    `TrustedHostMiddleware` takes it: loopback's names and `host`; for all interfaces (`0.0.0.0`,
    `::`) this machine's name and its addresses."""
    if not _is_wildcard(host):
        return [*LOOPBACK_NAMES, bracketed(host.lower())]
    addresses = [each.address for many in psutil.net_if_addrs().values() for each in many]
    usable = [address.split("%")[0] for address in addresses if _is_address(address)]
    return [*LOOPBACK_NAMES, socket.gethostname().lower(), *map(bracketed, usable)]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


class OwnPagesOnly:
    """ASGI middleware for a server whose requests do something: refuses those that another site's
    page sends. WebSockets need no permission of CORS, nor do pictures, whose address may hold a
    GraphQL mutation."""

    def __init__(self, app: ASGIApp, acting_path: str) -> None:
        """`acting_path`: what does something also when a link or a picture leads there."""
        self._app = app
        self._acting_path = acting_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            origin = urlsplit(headers.get("Origin", "")).netloc
            is_foreign = "Origin" in headers and origin != headers.get("Host")
            if scope["path"] == self._acting_path:
                is_foreign |= headers.get("Sec-Fetch-Site", "none") not in _OWN_PAGES
            if is_foreign:
                app = PlainTextResponse("only this server's own pages may ask it", 403)
        await app(scope, receive, send)


def _is_wildcard(host: str) -> bool:
    return host == "" or (_is_address(host) and ip_address(host).is_unspecified)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def bracketed(host: str) -> str:
    """As addresses of IPv6 are written in a URL and a `Host` header."""
    return f"[{host}]" if ":" in host else host
