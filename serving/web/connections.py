"""uvicorn with the limits that it lacks: what one connection, and all of them, may cost.

h11 rather than httptools, which reads headers without end (48 MB were sent to it): h11 keeps at
most `header_bytes` of an incomplete request, and says where in a request it is.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import h11
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

RETRY_AFTER_SECONDS: Final = 2
"""What is asked of clients that come when there is no room."""


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds of one connection and of all at once.

    `header_bytes`: request line and headers together. `header_seconds`: from the connection, or
    from the first byte of a later request, until they are complete. `body_seconds`: until the body
    is; longer than the services' own, which can say why. `idle_seconds`: between two requests.

    `stalled_seconds`: how long a piece of an answer, of at most 256 KiB, may wait for its reader. A
    player that is paused stops reading; browsers ask for the rest by range when it goes on.

    `connections`: open at once. Each answer that streams a file holds a second descriptor, and
    systems give a process 1,024.
    """

    header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 90.0
    idle_seconds: int = 5
    stalled_seconds: float = 60.0
    connections: int = 448


def limited_config(
    app: ASGIApp, limits: ConnectionLimits | None = None, **options: Any
) -> uvicorn.Config:
    """uvicorn's configuration for `app` within `limits`. `options` are uvicorn's."""
    limits = limits or ConnectionLimits()
    return uvicorn.Config(
        app,
        http=type("LimitedConnection", (_LimitedConnection,), {"limits": limits}),
        ws="none",
        h11_max_incomplete_event_size=limits.header_bytes,
        timeout_keep_alive=limits.idle_seconds,
        server_header=False,
        # uvicorn's own reads a variable of its own; ours is in `serving.api.app`.
        proxy_headers=False,
        **options,
    )


class _LimitedConnection(H11Protocol):
    limits: ClassVar[ConnectionLimits]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.app: Any = _HeaderLimit(self.app, self.limits.header_bytes)
        self._phase: str | None = None
        self._request_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Every byte that waits for its reader counts, also an answer's last.
        transport.set_write_buffer_limits(0)
        if len(self.connections) > self.limits.connections:
            transport.write(_NO_ROOM)
            transport.close()
        self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._request_timer, self._reader_timer):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer = self.loop.call_later(self.limits.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
        super().resume_writing()

    def _watch_request(self) -> None:
        """Begin a deadline when the client owes us another part of a request; further bytes of the
        same part do not prolong it."""
        seconds = {
            "headers": self.limits.header_seconds,
            "body": self.limits.body_seconds,
            # The answer is sent without it.
            "rest of the body": self.limits.header_seconds,
        }
        phase = self._owed()
        if phase == self._phase:
            return
        if self._request_timer is not None:
            self._request_timer.cancel()
        self._phase, self._request_timer = phase, None
        if phase is not None:
            self._request_timer = self.loop.call_later(seconds[phase], self.transport.close)

    def _owed(self) -> str | None:
        """What the client has begun to send, or should have."""
        if self.transport.is_closing():
            return None
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            return "rest of the body" if self.cycle.response_complete else "body"
        # Between two requests uvicorn's own timer runs.
        return "headers" if state is h11.IDLE and self.timeout_keep_alive_task is None else None


class _HeaderLimit:
    """Refuses headers that arrived whole before h11 could find that they are too many."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            size = len(scope["raw_path"]) + len(scope["query_string"])
            size += sum(len(name) + len(value) for name, value in scope["headers"])
            if size > self._most_bytes:
                app = PlainTextResponse(
                    "request line and headers are too large", 431, {"Connection": "close"}
                )
        await app(scope, receive, send)


_NO_ROOM: Final = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Length: 0\r\n"
    f"Retry-After: {RETRY_AFTER_SECONDS}\r\n"
    "Connection: close\r\n\r\n"
).encode()
