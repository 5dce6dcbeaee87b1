"""A host of audio files on loopback, over HTTP or HTTPS, that misbehaves as its pages say."""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.fakes.servers import LoopbackServer, QuietHandler, served


@dataclass
class Page:
    """What a host has at one path, and how it behaves about it."""

    content: bytes = b""
    ranges: bool = True
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    """What Content-Range says of the whole, if it is not the truth."""
    before: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Runs instead of the answer if it raises `Done`."""


class DoneError(Exception):
    """Raised by `Page.before` when nothing more is to be sent."""


class FileHost:
    """Pages by path. `asked`: path and Range header of every request; `sent`: bytes of bodies."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.sent = 0
        self.url = ""

    def add(self, path: str, page: Page) -> str:
        """The page's URL."""
        self.pages[path] = page
        return self.url + path

    def add_file(self, file: Path, **behaviour: Any) -> str:
        return self.add(f"/{file.name}", Page(file.read_bytes(), **behaviour))

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append((handler.path, wanted))
        page = self.pages.get(handler.path, Page(status=404))
        if page.before is not None:
            page.before(handler)
        status, headers, body = _answer(page, wanted)
        handler.send_response(page.status or status)
        for name, value in {"Content-Length": str(len(body)), **headers, **page.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        for start in range(0, len(body), 65_536):
            handler.wfile.write(body[start : start + 65_536])
            self.sent += len(body[start : start + 65_536])


def _answer(page: Page, wanted: str | None) -> tuple[int, dict[str, str], bytes]:
    match = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
    if not page.ranges or match is None:
        return 200, {}, page.content
    first, last = int(match[1]), min(int(match[2]), len(page.content) - 1)
    size = page.size or len(page.content)
    if first > last:
        return 416, {"Content-Range": f"bytes */{size}"}, b""
    body = page.content[first : last + 1]
    return 206, {"Content-Range": f"bytes {first}-{last}/{size}"}, body


@contextmanager
def file_host(
    protocol: str = "HTTP/1.1", *, tls: ssl.SSLContext | None = None
) -> Iterator[FileHost]:
    host = FileHost()

    class Handler(QuietHandler):
        protocol_version = protocol

        def do_GET(self) -> None:  # noqa: N802
            try:
                host.answer(self)
            except (DoneError, OSError):  # or the client left
                self.close_connection = True

    server = LoopbackServer(Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    host.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    with served(server):
        yield host


def dripping(piece: bytes, seconds: float = 0.05) -> Callable[[BaseHTTPRequestHandler], None]:
    """Sends `piece` again and again, forever."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            while True:
                handler.wfile.write(piece)
                time.sleep(seconds)
        raise DoneError

    return drip
