"""Reading orders; whose they are is settled in the database."""

from __future__ import annotations

from functions.orders.models import Order, OrderPage
from shared.database import Gateway


def list_orders(database: Gateway, *, limit: int, cursor: str | None) -> OrderPage:
    """The caller's own orders, newest first."""
    return OrderPage.model_validate(
        database.rpc("list_orders", {"p_limit": limit, "p_before": cursor or None})
    )


def order(database: Gateway, order_id: str) -> Order:
    """One order. Raises NotFound, also for an order of somebody else."""
    return Order.model_validate(database.rpc("get_order", {"p_order_id": order_id}))
