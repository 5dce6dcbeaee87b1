"""HTTP hosts on loopback that answer what a test tells them to."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Self

from tests.fakes.servers import LoopbackServer, QuietHandler, start, stop


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Message
    body: bytes


@dataclass
class Answer:
    """`body` is sent as bytes or as JSON, or made by a function from the request."""

    status: int
    body: object | Callable[[Request], object]
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0


class Host:
    """An HTTP server that answers from a queue for each route, and repeats each queue's last."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._queues: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        host = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, self.headers, body)
                answer = host.answer(request)
                time.sleep(answer.delay_seconds)
                content = _content(answer, request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_POST = do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815

        self._server = LoopbackServer(Handler)
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
        start(self._server)
        return self

    def __exit__(self, *_error: object) -> None:
        stop(self._server)


def _content(answer: Answer, request: Request) -> bytes:
    body = answer.body(request) if callable(answer.body) else answer.body
    return body if isinstance(body, bytes) else json.dumps(body).encode()
