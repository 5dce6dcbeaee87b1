"""How servers of tests run: in a thread, on a free port, until a test is over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """On a free port of 127.0.0.1, a thread for each connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that no longer waits is what some tests are about."""


class QuietHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are kept, not printed."""


def start(server: BaseServer) -> None:
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


def stop(server: BaseServer) -> None:
    """When this returns, nobody listens any more."""
    server.shutdown()
    server.server_close()


@contextmanager
def served(server: BaseServer) -> Iterator[None]:
    start(server)
    try:
        yield
    finally:
        stop(server)
