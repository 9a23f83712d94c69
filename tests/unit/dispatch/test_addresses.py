"""Where webhooks may go: the public internet, by the address that was checked."""

from __future__ import annotations

import asyncio

import pytest

from functions.dispatch.addresses import ForbiddenAddress, reachable_address


def address(*found: str, loopback_allowed: bool = False) -> str:
    async def resolver(_host: str, _port: int) -> list[str]:
        return list(found)

    return asyncio.run(
        reachable_address("partner.example", 443, loopback_allowed=loopback_allowed, resolver=resolver)
    )


@pytest.mark.parametrize(
    "public", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_a_public_address_is_taken(public: str) -> None:
    assert address(public) == public


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:93.184.216.34",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "::7f00:1",
    ],
)
def test_an_address_inside_is_refused(inside: str) -> None:
    with pytest.raises(ForbiddenAddress):
        address(inside)


def test_one_address_inside_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(ForbiddenAddress):
        address("93.184.216.34", "10.0.0.1")


def test_the_laptop_may_talk_to_itself_and_to_nothing_else_inside() -> None:
    assert address("127.0.0.1", loopback_allowed=True) == "127.0.0.1"
    assert address("::1", loopback_allowed=True) == "::1"
    for inside in ("10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"):
        with pytest.raises(ForbiddenAddress):
            address(inside, loopback_allowed=True)


def test_a_name_without_an_address_is_an_error_of_the_network() -> None:
    with pytest.raises(OSError, match="no address"):
        address()
