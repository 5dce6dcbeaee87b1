"""A way to a real Postgres that can fall silent, break answers off or be closed, as a server does
that is stopped, cut off or killed."""

import select
import socket
import socketserver
import threading
from contextlib import suppress
from typing import Self

from psycopg.conninfo import conninfo_to_dict

from tests.fakes.servers import start, stop


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


class PostgresProxy:
    """`silent`: while it is set, nothing is passed on; what arrives meanwhile, afterwards.
    `breaking`: while it is set, each connection ends in the middle of the server's next answer."""

    def __init__(self, url: str) -> None:
        self.silent = threading.Event()
        self.breaking = threading.Event()
        self._closed = threading.Event()
        self._upstream = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError), proxy._connected() as server:
                    proxy._pass_on(self.request, server)

        self._handler = Handler
        self._server = _Server(("127.0.0.1", 0), Handler)
        port = self._server.server_address[1]
        user, database = self._upstream["user"], self._upstream["dbname"]
        self.url = f"postgresql://{user}@127.0.0.1:{port}/{database}?sslmode=disable"

    def _connected(self) -> socket.socket:
        host, port = self._upstream["host"], int(self._upstream.get("port", 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        while not self._closed.is_set():
            for readable in select.select([client, server], [], [], 0.05)[0]:
                if self.silent.is_set():
                    self.silent.wait(0.05)
                    continue
                data = readable.recv(65_536)
                if self.breaking.is_set() and readable is server:
                    client.sendall(data[: len(data) // 2])
                    return
                if not data:
                    return
                other[readable].sendall(data)

    def close(self) -> None:
        """End all connections and refuse new ones, until `open`."""
        self._closed.set()
        stop(self._server)

    def open(self) -> None:
        self._closed.clear()
        self._server = _Server(self._server.server_address, self._handler)
        start(self._server)

    def __enter__(self) -> Self:
        start(self._server)
        return self

    def __exit__(self, *_error: object) -> None:
        stop(self._server)
