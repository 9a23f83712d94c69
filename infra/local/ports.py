"""Tells whether a port is free, and who has it, before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import psutil

from infra.local.settings import Port, StackError


def require_free(ports: Iterable[Port]) -> None:
    """Raise StackError with one line for every port that is in use."""
    if complaints := [_complaint(port) for port in ports if not is_free(port.number)]:
        raise StackError("\n".join(complaints))


def is_free(number: int) -> bool:
    # Somebody may listen on one of the two loopback addresses only, and `localhost` means either.
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, number)) == 0:
                return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def _complaint(port: Port) -> str:
    return (
        f"Port {port.number} is in use{_owner(port.number)}: stop that program,"
        f" or choose another port with {port.variable}=<port>."
    )


def _owner(number: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
                continue
            if connection.laddr.port == number:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass  # some systems tell root only
    return ""
