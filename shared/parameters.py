"""Secrets by reference: `ssm:/nexus/prod/...` stands for a parameter of SSM Parameter Store.

So a secret is neither in a template, nor among a function's variables, nor in a log. It is fetched when it is
first used and again every five minutes, so that a rotated one needs no deployment. On the laptop the variable
holds the value itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from shared.errors import Unavailable

REFERENCE = "ssm:"
MAX_AGE_SECONDS = 300

_last_known: dict[str, str] = {}


class Secret(SecretStr):
    """A secret, or a reference to one. False while there is none: an optional parameter need not exist."""

    def get_secret_value(self) -> str:
        """Raises Unavailable when Parameter Store does not answer and the value has never been known."""
        value = super().get_secret_value()
        return parameter(value.removeprefix(REFERENCE)) if value.startswith(REFERENCE) else value

    @property
    def is_reference(self) -> bool:
        return super().get_secret_value().startswith(REFERENCE)

    def __len__(self) -> int:
        return len(self.get_secret_value())


def parameter(name: str) -> str:
    """The decrypted value; "" when there is no such parameter. While the store is down, the last one known
    counts.
    """
    # Imported here: boto3 takes as long as everything else together, and most functions have no secret.
    from aws_lambda_powertools.utilities.parameters import get_parameter
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    fetch: Callable[..., Any] = get_parameter
    try:
        _last_known[name] = str(fetch(name, decrypt=True, max_age=MAX_AGE_SECONDS))
    except GetParameterError as error:
        if "ParameterNotFound" in f"{error} {error.__cause__!r} {error.__context__!r}":
            _last_known[name] = ""
        elif name not in _last_known:
            raise Unavailable(
                "The settings cannot be read right now.", code="settings_unavailable"
            ) from error
    return _last_known[name]


def forget() -> None:
    """Fetch everything anew when it is next needed: what a snapshot remembers may be old."""
    from aws_lambda_powertools.utilities.parameters import clear_caches

    clear_caches()  # type: ignore[no-untyped-call]
    _last_known.clear()
