"""Which addresses a webhook may be sent to: none from which our own network, or this machine, could be
reached.

The name is resolved here and the connection is made to the very address that was checked, so that a name
cannot mean one thing to the check and another to the connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]

_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last four bytes."""


class ForbiddenAddress(Exception):
    """The name leads to an address that no webhook may go to."""


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host. Raises OSError when it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def reachable_address(
    host: str, port: int, *, loopback_allowed: bool = False, resolver: Resolver = resolve
) -> str:
    """The address to connect to. One forbidden address is enough to refuse the host with all its others.

    Raises ForbiddenAddress, or OSError when the name has no address.
    """
    addresses = [ip_address(text.partition("%")[0]) for text in await resolver(host, port)]
    for address in addresses:
        if not (_is_public(address) or (loopback_allowed and address.is_loopback)):
            raise ForbiddenAddress
    if not addresses:
        raise OSError("no address")
    return str(addresses[0])


def _is_public(address: Address) -> bool:
    """Whether the address, and an IPv4 address that it carries, is one of the public internet."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return _is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return False  # no partner lives there; somebody who wants to get around the check does
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )
