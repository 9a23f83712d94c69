"""What a route may ask for in its signature, as FastAPI dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Header, Path

from shared.credentials import maybe_signed_in, signed_in
from shared.database import Database, Gateway, get_database
from shared.identity import Caller
from shared.outbox import wake_dispatcher
from shared.settings import Settings, get_settings
from shared.text import Identifier

CurrentSettings = Annotated[Settings, Depends(get_settings)]

SignedIn = Annotated[Caller, Depends(signed_in)]
"""The caller; a guest gets 401."""

MaybeSignedIn = Annotated[Caller | None, Depends(maybe_signed_in)]
"""The caller, or None for a guest. Credentials that are present but wrong get 401 all the same."""

SharedDatabase = Annotated[Database, Depends(get_database)]
"""For the few routes that learn only on the way as whom to act, such as signing in."""


def _as_caller(caller: SignedIn, database: SharedDatabase) -> Gateway:
    return database.acting_as(caller.token)


def _as_guest(database: SharedDatabase) -> Gateway:
    return database.acting_as_guest()


CallersGateway = Annotated[Gateway, Depends(_as_caller)]
"""The database as the caller; a guest gets 401."""

GuestGateway = Annotated[Gateway, Depends(_as_guest)]
"""The database as anyone sees it."""


def _wake(settings: CurrentSettings) -> Callable[[], None]:
    return lambda: wake_dispatcher(settings.outbox_queue_url, settings.aws_endpoint_url_sqs)


WakeDispatcher = Annotated[Callable[[], None], Depends(_wake)]
"""To be called once something may wait in the outbox. It never fails, and is hardly waited for."""


def _wake_afterwards(wake: WakeDispatcher) -> Iterator[None]:
    yield
    wake()  # not reached when the route raises


WAKES_DISPATCHER = Depends(_wake_afterwards)
"""For the `dependencies` of a route that puts something into the outbox whenever it succeeds."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        examples=["5b0f3f5e-0a0b-4f0e-8a4e-1a4f3c1d2e3f"],
        description="The same key with the same body gets the first answer again, for 24 hours",
    ),
]
"""For requests that create something; the database keeps the answers."""

PatientId = Annotated[Identifier, Path(examples=["PAT012"])]
ProductId = Annotated[Identifier, Path(examples=["MED021"])]
OrderId = Annotated[Identifier, Path(examples=["ORD1042"])]
PrescriptionId = Annotated[Identifier, Path(examples=["RX003"])]
