"""What tests of fulfilment share: a quiet outbox, a dispatcher to call, a partner that reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
from psycopg.rows import DictRow

from shared.webhooks import Signatures
from tests.fakes.partner import FakePartner, fake_partner, report
from tests.integration.chatting import new_patient
from tests.integration.ordering import buy, patient_id, placed, records
from tests.running_stack import RunningStack

ORS = "MED021"


class Fulfilment:
    """One test's view of dispatch, the partner and the outbox."""

    def __init__(self, stack: RunningStack, partner: FakePartner) -> None:
        self.stack = stack
        self.partner = partner
        self._reports = Signatures([stack.partner_incoming])

    def dispatch(self) -> dict[str, int]:
        """The schedule calls; what came of the events, by state."""
        outcomes: dict[str, int] = self.stack.invoke("dispatch", {"source": "aws.events"})
        return outcomes

    def report(
        self,
        order_id: str,
        status: str,
        *,
        webhook_id: str | None = None,
        at: datetime | None = None,
        **data: str,
    ) -> httpx.Response:
        return report(
            self.stack.api_url,
            self._reports,
            webhook_id or f"msg_{uuid4().hex}",
            order_id,
            status,
            at=at,
            **data,
        )

    def events(self, order_id: str) -> list[DictRow]:
        return self.rows("select * from public.outbox_events where order_id = %s order by position", order_id)

    def notifications(self, order_id: str) -> list[tuple[str, str]]:
        """(kind, status) of what the patient is told of an order."""
        found = self.rows(
            "select kind, status from public.notifications where subject = %s order by created_at",
            f"order:{order_id}",
        )
        return [(row["kind"], row["status"]) for row in found]

    def logs(self, order_id: str) -> list[DictRow]:
        return self.rows("select * from public.fulfilment_logs where order_id = %s order by log_id", order_id)

    def let_pass(self, order_id: str) -> None:
        """As if the pauses of the order's events were over, and the leases of dead dispatchers."""
        self.run(
            """
            update public.outbox_events set available_at = now(), leased_until = null
            where order_id = %s and num_nonnulls(delivered_at, dead_at, annulled_at) = 0
            """,
            order_id,
        )

    def rows(self, query: str, *arguments: Any) -> list[DictRow]:
        with records(self.stack) as database:
            return database.execute(query.encode(), arguments).fetchall()

    def run(self, statement: str, *arguments: Any) -> None:
        with records(self.stack) as database:
            database.execute(statement.encode(), arguments)


def quiet_outbox(stack: RunningStack) -> None:
    """Nobody is to hear any more of what is in the outbox."""
    with records(stack) as database:
        database.execute(
            """
            update public.outbox_events set annulled_at = now(), dead_at = null
            where num_nonnulls(delivered_at, annulled_at) = 0
            """
        )


@contextmanager
def fulfilment(stack: RunningStack) -> Iterator[Fulfilment]:
    """With a partner that accepts everything, and nothing in the outbox that other tests have left."""
    quiet_outbox(stack)
    with fake_partner(stack.partner_outgoing, stack.partner_port) as partner:
        yield Fulfilment(stack, partner)


@contextmanager
def wakeful_patient(stack: RunningStack, **profile: Any) -> Iterator[httpx.Client]:
    """A new patient who may be told things at any hour."""
    with new_patient(stack, **profile) as patient, records(stack) as database:
        database.execute(
            """
            insert into public.notification_preferences (patient_id, quiet_from, quiet_until)
            values (%s, '00:00', '00:00')
            """,
            [patient_id(patient)],
        )
        yield patient


def bought(patient: httpx.Client, packs: int = 1) -> str:
    """A confirmed order; its id."""
    order_id: str = placed(buy(patient, (ORS, packs)))["order_id"]
    return order_id
