"""Replicate's HTTP API on loopback, as documented: predictions, files, outputs elsewhere."""

import json
import threading
import time
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

TOKEN = "r8_a-secret-token"

SCORES = {
    "Electronic---Ambient": 0.61,
    "Electronic---Techno": 0.3,
    "Rock---Krautrock": 0.2,
    "Non-Music---Field Recording": 0.05,
}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Message
    body: bytes


@dataclass
class Answer:
    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0


THROTTLED = Answer(429, {"detail": "Request was throttled. Your rate limit resets in ~1s."})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that no longer waits is what some tests are about."""


class Host:
    """An HTTP server that answers from a queue for each route, and repeats each queue's last."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._queues: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = host.answer(Request(self.command, self.path, self.headers, body))
                time.sleep(answer.delay_seconds)
                content = answer.body if isinstance(answer.body, bytes) else _json(answer.body)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def on(self, route: str, *answers: Answer) -> None:
        """`route`: the method and the path, e.g. `GET /v1/predictions/1`."""
        self._queues[route] = list(answers)

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            queue = self._queues.get(f"{request.method} {request.path}")
            if not queue:
                return Answer(404, {"detail": "Not found."})
            return queue.pop(0) if len(queue) > 1 else queue[0]

    def sent(self, route: str) -> list[Request]:
        return [each for each in self.requests if f"{each.method} {each.path}" == route]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def prediction(status: str, *, output: object = None, error: str | None = None) -> dict[str, Any]:
    """A prediction object as the API shows it."""
    return {
        "id": "p1",
        "model": "mtg/effnet-discogs",
        "version": "1532dd06",
        "status": status,
        "input": {"audio": "https://audio.example/1.mp3"},
        "output": output,
        "logs": "",
        "error": error,
        "metrics": {},
        "created_at": "2026-01-01T00:00:00Z",
        "started_at": None,
        "completed_at": None,
        "urls": {},
    }


def uploaded_file(url: str) -> dict[str, Any]:
    """A file object as the API shows it."""
    return {
        "id": "f1",
        "name": "1.mp3",
        "content_type": "audio/mpeg",
        "size": 5,
        "etag": "0",
        "checksums": {},
        "metadata": {},
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": None,
        "urls": {"get": url},
    }


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
