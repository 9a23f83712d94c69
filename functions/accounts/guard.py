"""What the accounts function asks the database about somebody who has not signed in: limits, known e-mails.

Nobody else may ask: the function shows a key of its own with each question.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from shared.database import Gateway


@dataclass(frozen=True, slots=True)
class Guard:
    database: Gateway
    """As anybody sees it."""
    key: str = field(repr=False)
    address: str
    """Where the request comes from, as the gateway saw it."""

    def count_sign_in(self, email: str) -> None:
        """Raises TooManyRequests when the account or the address has been tried too often lately."""
        self.database.rpc(
            "take_sign_in", {"p_key": self.key, "p_account": email, "p_address": network_of(self.address)}
        )

    def password_was_right(self) -> None:
        """Takes the last attempt off the address: it is limited in wrong ones."""
        self.database.rpc("return_sign_in", {"p_key": self.key, "p_address": network_of(self.address)})

    def has_record(self, email: str) -> bool:
        """Whether a patient with this e-mail has no account yet, nor anybody shown that it is theirs."""
        return bool(self.database.rpc("has_unclaimed_record", {"p_key": self.key, "p_email": email}))


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of IPv6 that one connection gets to itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)
