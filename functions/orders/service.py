"""Placing, reading and moving orders. Whose they are, and what may be sold, is settled in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from functions.orders.models import (
    AdminOrderLine,
    AdminOrderPage,
    Order,
    OrderDeliveries,
    OrderHistory,
    OrderPage,
    OrderRequest,
    PlacedOrder,
)
from shared.database import Gateway
from shared.errors import Conflict, Invalid, NexusError


class _Refusal(NamedTuple):
    kind: type[NexusError]
    sentence: str
    members: tuple[str, ...]


_FINDINGS = ("findings", "rejected_items", "trace_id")
_REFUSALS = {
    "out_of_stock": _Refusal(Conflict, "There is not enough in stock.", _FINDINGS),
    "refused": _Refusal(Invalid, "This cannot be ordered.", _FINDINGS),
    "profile_incomplete": _Refusal(
        Invalid, "Please complete your profile before ordering.", ("questions", "trace_id")
    ),
    "proposal_changed": _Refusal(Conflict, "The offer has changed since it was shown.", ("card", "trace_id")),
    "proposal_expired": _Refusal(Conflict, "The offer has expired.", ("card", "trace_id")),
}
"""Outcomes of `create_order` that place nothing. They are returned, not raised, by the database, because what
was decided must stay stored; here they become errors with their outcome as the code."""


def place(database: Gateway, request: OrderRequest, *, idempotency_key: str | None) -> PlacedOrder:
    """Place an order once.

    Raises Conflict (out_of_stock, proposal_changed, proposal_expired, request_in_progress), Invalid (refused,
    profile_incomplete, idempotency_key_reused), NotFound for a proposal of nobody or somebody else, Forbidden
    for another patient.
    """
    answer = database.rpc(
        "create_order",
        {
            "p_request": request.model_dump(mode="json", exclude_none=True, exclude={"patient_id"}),
            "p_patient_id": request.patient_id,
            "p_idempotency_key": idempotency_key,
        },
    )
    if answer["outcome"] != "placed":
        _refuse(answer)
    return PlacedOrder.model_validate({**answer["order"], "trace_id": answer["trace_id"]})


def cancel(database: Gateway, order_id: str, *, reason: str | None) -> Order:
    """Cancel an order that is not yet shipped. Raises NotFound, Conflict (order_not_cancellable)."""
    return Order.model_validate(
        database.rpc("cancel_order", {"p_order_id": order_id, "p_reason": reason or None})
    )


def list_orders(database: Gateway, *, limit: int, cursor: str | None) -> OrderPage:
    """The caller's own orders, newest first."""
    return OrderPage.model_validate(
        database.rpc("list_orders", {"p_limit": limit, "p_before": cursor or None})
    )


def order(database: Gateway, order_id: str) -> Order:
    """One order. Raises NotFound, also for an order of somebody else."""
    return Order.model_validate(database.rpc("get_order", {"p_order_id": order_id}))


def list_all_lines(database: Gateway, *, limit: int, cursor: str | None) -> AdminOrderPage:
    """Everybody's orders, a row a line. Raises Forbidden for a patient."""
    return AdminOrderPage.model_validate(
        database.rpc("list_order_lines", {"p_limit": limit, "p_before": cursor})
    )


def change_status(database: Gateway, order_id: str, status: str) -> AdminOrderLine:
    """Move an order on. Raises Forbidden, NotFound, Conflict for a step that is not allowed."""
    return AdminOrderLine.model_validate(
        database.rpc("set_order_status", {"p_order_id": order_id, "p_status": status})
    )


def order_history(database: Gateway, order_id: str) -> OrderHistory:
    """Every step of an order, with who took it. Raises Forbidden for a patient, NotFound."""
    return OrderHistory.model_validate(database.rpc("order_history", {"p_order_id": order_id}))


def order_deliveries(database: Gateway, order_id: str) -> OrderDeliveries:
    """An order's way to the warehouse and back. Raises Forbidden for a patient, NotFound."""
    return OrderDeliveries.model_validate(database.rpc("order_deliveries", {"p_order_id": order_id}))


def _refuse(answer: Mapping[str, Any]) -> NoReturn:
    refusal = _REFUSALS[answer["outcome"]]
    reasons = dict.fromkeys(item["reason"] for item in answer.get("rejected_items") or [])
    raise refusal.kind(
        " ".join(reasons) if "findings" in refusal.members and reasons else refusal.sentence,
        code=answer["outcome"],
        extra={member: answer.get(member) for member in refusal.members},
    )
