"""Connections that reach only addresses that were checked, and that end on time.

The check stands where connections are made, so that whatever leads there (a name, a redirect, a
name that resolves differently the second time) passes it.
"""

import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

import httpcore

from resources.web.deadline import CONNECT_SECONDS, Deadline
from serving.embedding_service.addresses import Address, MayReach
from serving.embedding_service.refusal import RefusalError, SourceError


class CheckedNetwork(httpcore.NetworkBackend):
    """Resolves a name once for each connection and connects to what it has checked.

    `resolvers`: name look-ups cannot be interrupted, so they happen there and are left behind when
    the time is up. Raises `RefusalError` (422) for a host with any address that `may_reach` denies.
    """

    def __init__(
        self, may_reach: MayReach, deadline: Deadline, resolvers: ThreadPoolExecutor
    ) -> None:
        self._may_reach = may_reach
        self._deadline = deadline
        self._resolvers = resolvers
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._addresses(host, port)
        if not all(self._may_reach(address) for address in addresses):
            raise RefusalError(422, f"{host} is not a public address")
        failure: Exception = SourceError(f"{host} has no address")
        for address in addresses:
            try:
                stream = self._backend.connect_tcp(
                    str(address),
                    port,
                    min(_left(self._deadline, timeout), CONNECT_SECONDS),
                    local_address,
                    socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _PunctualStream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> list[Address]:
        """All addresses of a host, those to try first first."""
        found = self._resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            infos = found.result(_left(self._deadline, CONNECT_SECONDS))
        except TimeoutError:
            found.cancel()
            raise RefusalError(504, f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError):
            raise SourceError(f"the host {host} is not known") from None
        # A scope (`fe80::1%eth0`) belongs to addresses that are refused anyway.
        return [ip_address(str(info[4][0]).split("%", 1)[0]) for info in infos]


class _PunctualStream(httpcore.NetworkStream):
    """A connection whose every operation ends with the deadline, however slowly bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(
            ssl_context, server_hostname, _left(self._deadline, timeout)
        )
        return _PunctualStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: Deadline, timeout: float | None) -> float:
    remaining = deadline.remaining_seconds
    if remaining == 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return remaining if timeout is None else min(timeout, remaining)
