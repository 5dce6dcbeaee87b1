"""A way to a real HTTP server on which answers go wrong as they do on the internet."""

import http.client
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from tests.fakes.servers import LoopbackServer, QuietHandler, start, stop

Fault = Literal[
    "refused connection",
    "no answer",
    "drip, 50 bytes a second",
    "500",
    "429, Retry-After: 20",
    "403",
    "a web page with 200",
    "JSON of another shape",
    "answer cut off in the middle",
]

STATUSES: Final[dict[str, int]] = {"500": 500, "429, Retry-After: 20": 429, "403": 403}
S3_CODES: Final = {500: "InternalError", 429: "TooManyRequests", 403: "AccessDenied"}


class FaultyWay:
    """Passes requests on to `upstream`, or behaves as its fault says. `speaks_s3`: refuses in XML,
    as S3 does."""

    def __init__(self, upstream: str, *, speaks_s3: bool = False) -> None:
        self._upstream = urlsplit(upstream)
        self._speaks_s3 = speaks_s3
        self._fault: Fault | None = None
        self._mended = threading.Event()
        way = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = way._fault
                self.close_connection = fault is not None
                with suppress(OSError):  # The client left.
                    self.wfile.write(way._answer(self, body) if fault is None else b"")
                    if fault is not None:
                        way._misbehave(self, body, fault)

            do_POST = do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815

        self._handler = Handler
        self._server = LoopbackServer(Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def break_(self, fault: Fault) -> None:
        self._mended.clear()
        self._fault = fault
        if fault == "refused connection":
            stop(self._server)

    def mend(self) -> None:
        fault, self._fault = self._fault, None
        self._mended.set()
        if fault == "refused connection":
            self._server = LoopbackServer(self._handler, self._server.server_port)
            start(self._server)

    def _misbehave(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
        write = handler.wfile.write
        if fault in STATUSES:
            write(self._refusal(STATUSES[fault]))
        elif fault == "a web page with 200":
            write(_raw(200, "text/html", b"<html>Sign in to the Wi-Fi</html>"))
        elif fault == "JSON of another shape":
            write(_raw(200, "application/json", b'{"unexpected": [1, 2]}'))
        elif fault == "answer cut off in the middle":
            answer = self._answer(handler, body)
            write(answer[: len(answer) // 2])
        elif fault == "no answer":
            self._mended.wait()
        elif fault == "drip, 50 bytes a second":
            write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self._mended.wait(0.02):
                write(b"a")

    def _refusal(self, status: int) -> bytes:
        content_type, body = "application/json", json.dumps({"error": "no"}).encode()
        if self._speaks_s3:
            content_type = "application/xml"
            body = f"<Error><Code>{S3_CODES[status]}</Code></Error>".encode()
        extra = "Retry-After: 20\r\n" if status == 429 else ""
        return _raw(status, content_type, body, extra)

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> bytes:
        """The upstream's, byte by byte."""
        connection = http.client.HTTPConnection(str(self._upstream.netloc), timeout=60)
        try:
            headers = dict(handler.headers.items())
            connection.request(handler.command, handler.path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        lines = [f"HTTP/1.1 {response.status} -"]
        left_out = {"transfer-encoding", "connection"}
        if handler.command != "HEAD":
            left_out.add("content-length")
            lines.append(f"Content-Length: {len(content)}")
        lines += [f"{n}: {v}" for n, v in response.getheaders() if n.lower() not in left_out]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def __enter__(self) -> Self:
        start(self._server)
        return self

    def __exit__(self, *_error: object) -> None:
        self._mended.set()
        stop(self._server)


def _raw(status: int, content_type: str, body: bytes, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{headers}\r\n".encode() + body
