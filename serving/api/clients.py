"""Who asks: what rate limits count by."""

import logging
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network
from typing import Final

from starlette.requests import Request

from resources.settings import Settings
from serving.tokens import InvalidTokenError, verify_token

IPV6_PREFIX: Final = 64
"""Bits that a network is told by: one customer has at least a /64 (RFC 6177), with 2**64 addresses
to ask from."""

_MAPPED_PREFIX: Final = 96
"""Bits before an IPv4 address in an IPv6 address that stands for it (RFC 4291 section 2.5.5.2)."""

UNKNOWN: Final = "unknown"

logger = logging.getLogger(__name__)


class UnknownProxies:
    """Says once in the log that all who come through a proxy may be counting as one client."""

    def __init__(self, settings: Settings) -> None:
        self._has_said_so = bool(settings.api_trusted_proxies)

    def suspect(self, request: Request) -> None:
        """To be called for a request that is refused because of its client's others."""
        if not self._has_said_so and "X-Forwarded-For" in request.headers:
            self._has_said_so = True
            logger.warning(
                "a client was asked to wait whose requests came through a proxy; if that is yours,"
                " set API_TRUSTED_PROXIES to its address, or all behind it count as one client"
            )


def client_key(request: Request, secret: str) -> str:
    """Equal for requests of one client: a user whose token `secret` verifies, wherever they are;
    else an IPv4 address, or the /64 of an IPv6 one. All who have no address count as one client."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            return f"user {verify_token(secret, token.strip())}"
        except InvalidTokenError:
            pass  # Where limits apply nobody needs a token: what is no proof counts for nothing.
    return f"network {network(request.client.host) if request.client else UNKNOWN}"


def network(host: str) -> str:
    """The network that an address belongs to, as far as one client has it."""
    try:
        address = ip_address(host)
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            # By number: an address may have a zone, which is no part of its network.
            return str(ip_network((int(address), IPV6_PREFIX), strict=False))
        address = address.ipv4_mapped
    return str(address)


def as_peers(networks: Iterable[str]) -> list[str]:
    """`networks`, and the IPv4 ones also as a socket for both versions shows them: otherwise a
    proxy on 127.0.0.1 is not known to a server that listens on `::`."""
    peers = []
    for each in networks:
        peers.append(each)
        parsed = ip_network(each)
        if isinstance(parsed, IPv4Network):
            first, bits = parsed.network_address, _MAPPED_PREFIX + parsed.prefixlen
            peers.append(f"::ffff:{first}/{bits}")
    return peers
