"""Which addresses the service may be sent to."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

MayReach = Callable[[Address], bool]
"""Whether an address may be connected to."""

_NAT64: Final = ip_network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address, to which a gateway passes packets on."""


def is_public(address: Address) -> bool:
    """Whether this is somebody's host on the internet.

    False for private, loopback, link-local (where clouds keep credentials), multicast, reserved and
    all other special addresses, and for IPv6 addresses that stand for such an IPv4 address.
    """
    return all(_is_global(each) for each in (address, *_stands_for(address)))


def _is_global(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return True  # what it stands for decides
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return True  # likewise; reserved as such
        special = special or address.is_site_local
    return address.is_global and not special


def _stands_for(address: Address) -> Iterator[IPv4Address]:
    if not isinstance(address, IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
