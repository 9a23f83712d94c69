"""Recording what the partner reports. What it does to an order is settled in the database, once."""

from __future__ import annotations

from functions.webhooks.models import FulfilmentEvent, Receipt
from shared.database import Gateway
from shared.errors import NotFound


def receive(database: Gateway, webhook_id: str, event: FulfilmentEvent) -> tuple[Receipt, str]:
    """Store the event, then let it act, once. Returns the answer, and what came of it: `applied`,
    `unchanged`, `late`, `conflict` or `pending`.

    Raises NotFound for an order that we do not have, Conflict for an id that came with other content before.
    """
    answer = database.rpc(
        "receive_webhook",
        {"p_webhook_id": webhook_id, "p_event": event.model_dump(mode="json", exclude_none=True)},
    )
    if answer["outcome"] == "unknown_order":
        raise NotFound("There is no such order.", code="order_not_found")
    return Receipt(duplicate=answer["duplicate"]), answer["outcome"]
