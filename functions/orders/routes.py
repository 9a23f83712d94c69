"""HTTP routes of a patient's orders."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from functions.orders import service
from functions.orders.models import Order, OrderPage
from shared.dependencies import CallersGateway
from shared.text import Identifier

router = APIRouter(tags=["orders"])


@router.get("/api/orders", summary="My orders, newest first")
def list_orders(
    database: CallersGateway,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[Identifier | None, Query(description="`next_cursor` of the page before")] = None,
) -> OrderPage:
    return service.list_orders(database, limit=limit, cursor=cursor)


@router.get("/api/orders/{order_id}", summary="One of my orders")
def order(order_id: Identifier, database: CallersGateway) -> Order:
    return service.order(database, order_id)
