"""Connections that keep to the deadlines around their caller (`resources.web.deadline`).

For the synchronous clients of httpx and httpx2, the HTTP library of several services' SDKs: both
stand on a network backend of the same shape, for which they offer no parameter.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from resources.web.deadline import bounded, note_progress

WRITTEN_AT_ONCE: Final = 16 * 1024
"""Bytes between two looks at the deadline: a peer may also read slowly."""

C = TypeVar("C")


def with_deadlines(client: C) -> C:
    """`client`, whose connections keep to deadlines from now on: an `httpx.Client` or an
    `httpx2.Client`, before its first request."""
    parts: Any = client
    for transport in (parts._transport, *parts._mounts.values()):
        if transport is not None:
            keep_deadlines(transport)
    return client


def keep_deadlines(transport: Any) -> None:
    """The same for an `HTTPTransport` of either."""
    pool = transport._pool
    pool._network_backend = BoundedNetwork(pool._network_backend)


class BoundedNetwork:
    """A network backend over another."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *arguments: Any, **options: Any
    ) -> "BoundedStream":
        with _overdue_rather_than_failed(host):
            stream = self._backend.connect_tcp(
                host, port, bounded(timeout, host), *arguments, **options
            )
        return BoundedStream(stream, host)

    def connect_unix_socket(self, *arguments: Any, **options: Any) -> Any:
        return self._backend.connect_unix_socket(*arguments, **options)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class BoundedStream:
    """A connection to `host`, each of whose operations ends by the deadlines around its caller."""

    def __init__(self, stream: Any, host: str) -> None:
        self._stream = stream
        self._host = host

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _overdue_rather_than_failed(self._host):
            data: bytes = self._stream.read(max_bytes, bounded(timeout, self._host))
        note_progress(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITTEN_AT_ONCE):
            piece = buffer[start : start + WRITTEN_AT_ONCE]
            with _overdue_rather_than_failed(self._host):
                self._stream.write(piece, bounded(timeout, self._host))
            note_progress(len(piece))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "BoundedStream":
        with _overdue_rather_than_failed(self._host):
            secured = self._stream.start_tls(
                ssl_context, server_hostname, bounded(timeout, self._host)
            )
        return BoundedStream(secured, self._host)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def _overdue_rather_than_failed(host: str) -> Iterator[None]:
    """A timeout that a deadline has set is not one after which another attempt makes sense."""
    try:
        yield
    except Exception:
        bounded(None, host)
        raise
