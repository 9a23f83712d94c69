"""Ending sign-ins."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from shared.auth import Accounts
from shared.errors import InvalidToken, NexusError


@dataclass(frozen=True, slots=True)
class HeldTokens:
    """What a request holds of one sign-in; either may be empty or have run out."""

    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


def sign_out(accounts: Accounts, held: Iterable[HeldTokens]) -> None:
    """End each sign-in, so that its refresh tokens are worthless; its access token runs out by itself.

    Raises Unavailable or TooManyRequests when Auth could not be told of one of them; the others have ended.
    """
    failure = None
    for tokens in held:
        try:
            _end(accounts, tokens)
        except NexusError as error:
            failure = error
    if failure is not None:
        raise failure


def _end(accounts: Accounts, tokens: HeldTokens) -> None:
    """Auth ends the sign-in that a valid access token comes from, so one is fetched where possible."""
    access_token = tokens.access_token
    if tokens.refresh_token:
        with suppress(InvalidToken):  # it may have ended already
            access_token = accounts.renew(tokens.refresh_token).access_token
    if access_token:
        accounts.sign_out(access_token)
