"""A host on loopback that is told what to do with each connection, down to the bytes."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.fakes.servers import start, stop

Behaviour = Callable[[socket.socket], None]
"""What to do once a request was read. Raises `OSError`, as sockets do, for a client that left."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


class WireHost:
    """Answers each request by the next of `behaviours`, and repeats the last."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.connections = 0
        self.requests = 0
        self._behaviours = list(behaviours)
        self._lock = threading.Lock()
        host = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with host._lock:
                    host.connections += 1
                with suppress(OSError), self.request.makefile("rb") as stream:
                    while _read_request(stream):
                        host._next()(self.request)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _next(self) -> Behaviour:
        with self._lock:
            self.requests += 1
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def __enter__(self) -> Self:
        start(self._server)
        return self

    def __exit__(self, *_error: object) -> None:
        stop(self._server)


def answering(answer: object, status: int = 200, headers: str = "") -> Behaviour:
    """`answer`: bytes, or what is sent as JSON. `headers`: lines, each with its end."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
    return lambda connection: connection.sendall(head + body)


def resetting(connection: socket.socket) -> None:
    """Break the connection off, without the polite end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise ConnectionResetError


def silent(connection: socket.socket) -> None:
    """Never answer; returns when the client leaves."""
    connection.recv(1)
    raise ConnectionResetError


def dripping(head: bytes, piece: bytes) -> Behaviour:
    """Send `piece` again and again, until the client leaves."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        pause = threading.Event()
        while True:
            connection.sendall(piece)
            pause.wait(0.02)

    return drip


def _read_request(stream: socket.SocketIO) -> bool:
    """False at the end of the connection."""
    length = 0
    lines = iter(stream.readline, b"")
    for line in lines:
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        if line == b"\r\n":
            stream.read(length)
            return True
    return False
