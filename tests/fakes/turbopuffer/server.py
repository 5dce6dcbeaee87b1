"""A loopback turbopuffer: the documented protocol over HTTP, documents in memory, exact search.

For tests, and for trying the TURBOPUFFER settings without an account:

    python -m tests.fakes.turbopuffer.server --port 8900 --api-key try-me
"""

import argparse
import contextlib
import json
import sys
import threading
from collections import deque
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any, Self

from tests.fakes.servers import LoopbackServer, QuietHandler, start, stop
from tests.fakes.turbopuffer.faults import Fault, Faults
from tests.fakes.turbopuffer.schema import Json, RefusalError
from tests.fakes.turbopuffer.service import Service

LARGEST_REQUEST_BYTES = 512 * 10**6
REQUESTS_KEPT = 20


@dataclass(frozen=True)
class Request:
    """What a client sent, for tests to look at."""

    method: str
    path: str
    body: Json
    size: int


class TurbopufferServer:
    """Listens on 127.0.0.1 (a free port unless given) until closed. A context manager."""

    def __init__(self, *, api_key: str = "tpuf_test_key", port: int = 0) -> None:
        self.api_key = api_key
        self.faults = Faults()
        self.requests: deque[Request] = deque(maxlen=REQUESTS_KEPT)
        self.service = Service()
        self.closing = threading.Event()
        self._http = _HttpServer(self, port)
        start(self._http)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self.closing.set()
        stop(self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _HttpServer(LoopbackServer):
    def __init__(self, owner: TurbopufferServer, port: int) -> None:
        self.owner = owner
        super().__init__(_Handler, port)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; a mistake of ours is."""
        if not isinstance(sys.exception(), ConnectionError):
            ThreadingHTTPServer.handle_error(self, request, client_address)


class _Handler(QuietHandler):
    disable_nagle_algorithm = True  # Or the rest of a long answer waits 40 ms for an ACK.
    wbufsize = -1
    server: _HttpServer

    def do_GET(self) -> None:  # noqa: N802
        self._handle()

    do_POST = do_DELETE = do_GET  # noqa: N815

    def _handle(self) -> None:
        owner = self.server.owner
        size = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(size) if size <= LARGEST_REQUEST_BYTES else b""
        fault = owner.faults.take()
        if fault is not None:
            self._misbehave(fault)
            return
        try:
            self._authenticate()
            if size > LARGEST_REQUEST_BYTES:
                self.close_connection = True
                raise RefusalError(413, f"request of {size} bytes")
            body = _parse_json(raw)
            owner.requests.append(Request(self.command, self.path, body, size))
            self._send(200, owner.service.answer(self.command, self.path, body))
        except RefusalError as refusal:
            self._send(refusal.status, {"status": "error", "error": refusal.message})

    def _authenticate(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.owner.api_key}":
            raise RefusalError(401, f"invalid API key: {self.headers.get('Authorization')}")

    def _misbehave(self, fault: Fault) -> None:
        if fault.kind == "status":
            error = {"status": "error", "error": fault.message}
            self._send(fault.status, error, headers=fault.headers)
        elif fault.kind == "web_page":
            self._send_bytes(200, b"<html>Sign in to the Wi-Fi</html>", "text/html", {})
        elif fault.kind == "broken_json":
            self._send_bytes(200, b'{"rows": [', "application/json", {})
        else:
            if fault.kind == "hang":
                self.server.owner.closing.wait()
            self.close_connection = True

    def _send(self, status: int, answer: Json, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(answer).encode(), "application/json", headers or {})

    def _send_bytes(
        self, status: int, content: bytes, content_type: str, headers: dict[str, str]
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _parse_json(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_constant=_refuse_constant) if raw else {}
    except ValueError:
        raise RefusalError(400, "the body is not JSON") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--api-key", default="try-me")
    arguments = parser.parse_args()
    with (
        contextlib.suppress(KeyboardInterrupt),
        TurbopufferServer(api_key=arguments.api_key, port=arguments.port) as server,
    ):
        print("export TURBOPUFFER_ENABLED=true")
        print(f"export TURBOPUFFER_API_KEY={server.api_key}")
        print(f"export TURBOPUFFER_BASE_URL={server.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
