"""HTTP routes of orders: a patient's own, and the order page of the staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from functions.orders import service
from functions.orders.models import (
    AdminOrderLine,
    AdminOrderPage,
    Cancellation,
    Order,
    OrderDeliveries,
    OrderHistory,
    OrderPage,
    OrderProblem,
    OrderRequest,
    PlacedOrder,
    StaffListProblem,
    StatusChange,
)
from shared.dependencies import WAKES_DISPATCHER, CallersGateway, IdempotencyKey, OrderId
from shared.errors import Conflict, Invalid, NexusError, NotFound
from shared.http import problem_response
from shared.openapi import (
    IDEMPOTENCY_KEY_REUSED,
    PATIENT,
    PATIENT_OR_STAFF,
    REQUEST_IN_PROGRESS,
    STAFF,
    callable_by,
)
from shared.text import Identifier

router = APIRouter()

STAFF_LIST = "/api/admin/orders"

_NO_SUCH_ORDER = NotFound("There is no such order.", code="order_not_found")


@router.get("/api/orders", tags=["orders"], summary="My orders, newest first")
@callable_by(PATIENT)
def list_orders(
    database: CallersGateway,
    limit: Annotated[int, Query(ge=1, le=100, description="Orders on a page")] = 50,
    cursor: Annotated[Identifier | None, Query(description="`next_cursor` of the page before")] = None,
) -> OrderPage:
    """A page; when there are more, `next_cursor` is the `cursor` of the next one."""
    return service.list_orders(database, limit=limit, cursor=cursor)


@router.post(
    "/api/orders", status_code=201, tags=["orders"], summary="Place an order", dependencies=[WAKES_DISPATCHER]
)
@callable_by(
    PATIENT_OR_STAFF,
    NotFound("There is no such proposal.", code="proposal_not_found"),
    Conflict("There is not enough in stock.", code="out_of_stock"),
    Conflict("The offer has changed since it was shown.", code="proposal_changed"),
    Conflict("The offer has expired.", code="proposal_expired"),
    REQUEST_IN_PROGRESS,
    Invalid("This cannot be ordered.", code="refused"),
    Invalid("Please complete your profile before ordering.", code="profile_incomplete"),
    IDEMPOTENCY_KEY_REUSED,
    problem=OrderProblem,
)
def place_order(
    body: OrderRequest, database: CallersGateway, idempotency_key: IdempotencyKey = None
) -> PlacedOrder:
    """Everything is verified as it is placed. The status is `confirmed`, or `awaiting_pharmacist`.

    409 `out_of_stock` and 422 `refused` say why in `findings`, and what there is instead in `rejected_items`.
    422 `profile_incomplete` names the fields in `questions`. 409 `proposal_changed` and `proposal_expired`
    have the new card, if there is one, in `card`.
    """
    return service.place(database, body, idempotency_key=idempotency_key)


@router.get("/api/orders/{order_id}", tags=["orders"], summary="One of my orders")
@callable_by(PATIENT_OR_STAFF, _NO_SUCH_ORDER)
def order(order_id: OrderId, database: CallersGateway) -> Order:
    """404 also for an order of somebody else. Staff may read any."""
    return service.order(database, order_id)


@router.post(
    "/api/orders/{order_id}/cancel",
    tags=["orders"],
    summary="Cancel an order before it is shipped",
    dependencies=[WAKES_DISPATCHER],
)
@callable_by(
    PATIENT_OR_STAFF, _NO_SUCH_ORDER, Conflict("The order is already shipped.", code="order_not_cancellable")
)
def cancel_order(order_id: OrderId, database: CallersGateway, body: Cancellation | None = None) -> Order:
    """Stock and prescription are given back. A cancelled order stays as it is; 409 once it is shipped."""
    return service.cancel(database, order_id, reason=body.reason if body else None)


@router.get(STAFF_LIST, tags=["staff: orders"], summary="All order lines, newest first")
@callable_by(STAFF, problem=StaffListProblem)
def list_all_orders(
    database: CallersGateway,
    limit: Annotated[int, Query(ge=1, le=500, description="Lines on a page")] = 200,
    cursor: Annotated[Identifier | None, Query(description="`next_cursor` of the page before")] = None,
) -> AdminOrderPage:
    """A row a line: an order of three products is three rows. Errors have `orders` and the numbers too."""
    return service.list_all_lines(database, limit=limit, cursor=cursor)


@router.put(
    "/api/admin/orders/{order_id}/status",
    tags=["staff: orders"],
    summary="Move an order on, or cancel it",
    dependencies=[WAKES_DISPATCHER],
)
@callable_by(
    STAFF,
    _NO_SUCH_ORDER,
    Conflict("An order that is delivered cannot become shipped.", code="illegal_status_change"),
    Conflict("The order waits for a pharmacist's review.", code="order_awaits_pharmacist"),
)
def change_status(order_id: OrderId, body: StatusChange, database: CallersGateway) -> AdminOrderLine:
    """The id is that of an order or of one of its lines; the status is the whole order's.

    409 for a step that is not allowed: backwards, out of a final status, or past the pharmacist.
    """
    return service.change_status(database, order_id, body.status)


@router.get(
    "/api/admin/orders/{order_id}/history", tags=["staff: orders"], summary="Who moved an order, and when"
)
@callable_by(STAFF, _NO_SUCH_ORDER)
def order_history(order_id: OrderId, database: CallersGateway) -> OrderHistory:
    """The id is that of an order or of one of its lines."""
    return service.order_history(database, order_id)


@router.get(
    "/api/admin/orders/{order_id}/deliveries",
    tags=["staff: orders"],
    summary="An order's way to the warehouse and back",
)
@callable_by(STAFF, _NO_SUCH_ORDER)
def order_deliveries(order_id: OrderId, database: CallersGateway) -> OrderDeliveries:
    """What was sent to the partner, what it answered and reported, and what the patient was told. The id is
    that of an order or of one of its lines."""
    return service.order_deliveries(database, order_id)


def orders_problem(request: Request, error: NexusError) -> Response:
    """The staff page reads its list and its numbers from errors too."""
    if request.scope["path"] == STAFF_LIST:
        return problem_response(request, error, orders=[], count=0, pending=0, delivered=0)
    return problem_response(request, error)
