"""Runs an ASGI application on loopback, and hosts audio files for it to fetch."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import Limits, create_embedding_service
from serving.embedding_service.addresses import Address

HERE: Final = ip_address("127.0.0.1")


def only_here(address: Address) -> bool:
    """This host's usual address; 127.0.0.2 stands for everybody's private network."""
    return address == HERE


@contextmanager
def running(application: Starlette) -> Iterator[str]:
    """The URL at which uvicorn serves `application`, in a thread of this process."""
    config = uvicorn.Config(application, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@contextmanager
def limited(model: EmbeddingModel, limits: Limits) -> Iterator[httpx.Client]:
    """A client of a service of its own."""
    with (
        running(create_embedding_service(model, limits, may_reach=only_here)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that no longer waits is what some tests are about."""


@contextmanager
def file_host(
    protocol: str = "HTTP/1.1", *, tls: ssl.SSLContext | None = None
) -> Iterator[FileHost]:
    host = FileHost()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_GET(self) -> None:
            try:
                host.answer(self)
            except (DoneError, OSError):  # or the client left
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    host.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def dripping(piece: bytes, seconds: float = 0.05) -> Callable[[BaseHTTPRequestHandler], None]:
    """Sends `piece` again and again, forever."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            while True:
                handler.wfile.write(piece)
                time.sleep(seconds)
        raise DoneError

    return drip


def raw(url: str, content: bytes) -> socket.socket:
    """A connection to the host of `url` on which `content` was sent."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(content)
    return connection
