"""Connections that reach only addresses that were checked, and that keep to deadlines.

The check stands where connections are made, so that whatever leads there (a name, a redirect, a
name that resolves differently the second time) passes it.
"""

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import cast

import httpcore

from resources.web.connections import BoundedStream
from resources.web.deadline import CONNECT_SECONDS, bounded
from serving.embedding_service.addresses import Address, MayReach
from serving.embedding_service.refusal import RefusalError, SourceError


class CheckedNetwork(httpcore.NetworkBackend):
    """Resolves a name once for each connection and connects to what it has checked.

    `resolvers`: name look-ups cannot be interrupted, so they happen there and are left behind when
    the time is up. Raises `RefusalError` (422) for a host with any address that `may_reach` denies.
    """

    def __init__(self, may_reach: MayReach, resolvers: ThreadPoolExecutor) -> None:
        self._may_reach = may_reach
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
                    bounded(min(timeout or CONNECT_SECONDS, CONNECT_SECONDS), host),
                    local_address,
                    socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return cast(httpcore.NetworkStream, BoundedStream(stream, host))
        raise failure

    def _addresses(self, host: str, port: int) -> list[Address]:
        """All addresses of a host, those to try first first."""
        found = self._resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            infos = found.result(bounded(CONNECT_SECONDS, host))
        except TimeoutError:
            found.cancel()
            raise RefusalError(504, f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError):
            raise SourceError(f"the host {host} is not known") from None
        # A scope (`fe80::1%eth0`) belongs to addresses that are refused anyway.
        return [ip_address(str(info[4][0]).split("%", 1)[0]) for info in infos]
