"""HTTP routes of the inventory, all for staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from functions.inventory import service
from functions.inventory.models import (
    BatchId,
    Because,
    Correction,
    Defaults,
    Delivery,
    ExpiringLots,
    InventoryChange,
    Lot,
    LotProblem,
    MovementPage,
    ProductInventory,
    Recipients,
    StockPage,
)
from shared.dependencies import CallersGateway, IdempotencyKey, ProductId
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.openapi import (
    IDEMPOTENCY_KEY_REUSED,
    PHARMACIST,
    REQUEST_IN_PROGRESS,
    STAFF,
    callable_by,
)
from shared.text import Identifier

router = APIRouter(tags=["staff: inventory"])

INVENTORY = "/api/admin/inventory"
LOT = f"{INVENTORY}/{{product_id}}/batches/{{batch_id}}"

LotId = Annotated[BatchId, Path(examples=[17], description="`batch_id` of a lot of the product")]
PageSize = Annotated[int, Query(ge=1, le=500, description="Rows on a page")]
NumberCursor = Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before")]
Cursor = Annotated[Identifier | None, Query(description="`next_cursor` of the page before")]

_NO_SUCH_PRODUCT = NotFound("There is no such product.", code="product_not_found")
_NO_SUCH_LOT = NotFound("There is no such lot of this product.", code="lot_not_found")
_RECALLED = Conflict("Lot DL2407 is recalled, and stays so.", code="lot_recalled")
_BELOW_RESERVED = Conflict(
    "Only 3 packs of lot DL2407 are free; 5 more are in orders.", code="below_reserved"
)


@router.get(INVENTORY, summary="Stock of all products")
@callable_by(STAFF)
def list_inventory(
    database: CallersGateway,
    low_stock: Annotated[
        bool, Query(description="Only products of which no more than their threshold is left")
    ] = False,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> StockPage:
    """By product id, with the defaults that count for products without a threshold of their own."""
    return service.list_stock(database, limit=limit, cursor=cursor, low_stock=low_stock)


@router.put(INVENTORY, summary="Set what counts as low and as soon")
@callable_by(STAFF)
def set_inventory_defaults(body: Defaults, database: CallersGateway) -> Defaults:
    """The threshold is for products without one of their own."""
    return service.set_defaults(database, body)


@router.get(f"{INVENTORY}/batches/expiring", summary="Lots that expire soon")
@callable_by(STAFF)
def list_expiring_lots(
    database: CallersGateway,
    days: Annotated[
        int | None, Query(ge=0, le=3650, description="How soon; left out, the default", examples=[30])
    ] = None,
    include_expired: Annotated[
        bool, Query(description="Also lots that have expired and still have packs")
    ] = False,
    limit: PageSize = 100,
    cursor: NumberCursor = None,
) -> ExpiringLots:
    """Lots with packs left, the first to expire first. A recalled lot is not among them."""
    return service.expiring(database, days=days, expired=include_expired, limit=limit, cursor=cursor)


@router.get(f"{INVENTORY}/{{product_id}}", summary="Stock of one product, lot by lot")
@callable_by(STAFF, _NO_SUCH_PRODUCT)
def product_inventory(product_id: ProductId, database: CallersGateway) -> ProductInventory:
    """`stock_quantity` is what the catalogue shows: packs of available lots that have not expired."""
    return service.product(database, product_id)


@router.put(f"{INVENTORY}/{{product_id}}", summary="Enter a count, or the threshold of a product")
@callable_by(STAFF, _NO_SUCH_PRODUCT, _NO_SUCH_LOT, _BELOW_RESERVED, problem=LotProblem)
def set_product_inventory(
    product_id: ProductId, body: InventoryChange, database: CallersGateway
) -> ProductInventory:
    """Counts are of the shelf, so packs of orders that have not left are among them; lots that are not named
    stay as they are. Either everything is entered or nothing."""
    return service.change_product(database, product_id, body)


@router.get(f"{INVENTORY}/{{product_id}}/movements", summary="Every pack that came or went")
@callable_by(STAFF, _NO_SUCH_LOT)
def list_stock_movements(
    product_id: ProductId,
    database: CallersGateway,
    batch_id: Annotated[BatchId | None, Query(description="Only of this lot", examples=[17])] = None,
    limit: PageSize = 100,
    cursor: NumberCursor = None,
) -> MovementPage:
    """The latest first. The changes of a lot add up to its quantity; nothing here is ever rewritten."""
    return service.movements(database, product_id, batch_id=batch_id, limit=limit, cursor=cursor)


@router.post(f"{INVENTORY}/{{product_id}}/batches", status_code=201, summary="Receive a lot")
@callable_by(
    STAFF,
    _NO_SUCH_PRODUCT,
    _RECALLED,
    Conflict("Lot DL2407 is here with the expiry 2028-06-30.", code="lot_has_other_expiry"),
    REQUEST_IN_PROGRESS,
    Invalid("This lot has expired: send it back.", code="lot_expired"),
    IDEMPOTENCY_KEY_REUSED,
    problem=LotProblem,
)
def receive_lot(
    product_id: ProductId,
    body: Delivery,
    database: CallersGateway,
    idempotency_key: IdempotencyKey = None,
) -> Lot:
    """More of a lot that is here is added to it, and stays held with it. A lot has one expiry: another is
    409. What is recalled or has expired is turned away."""
    return service.receive(database, product_id, body, idempotency_key=idempotency_key)


@router.post(f"{LOT}/corrections", status_code=201, summary="Correct a lot, with a reason")
@callable_by(
    STAFF,
    _NO_SUCH_LOT,
    _BELOW_RESERVED,
    REQUEST_IN_PROGRESS,
    Forbidden("Only a pharmacist may do this.", code="not_a_pharmacist"),
    IDEMPOTENCY_KEY_REUSED,
    problem=LotProblem,
)
def correct_lot(
    product_id: ProductId,
    batch_id: LotId,
    body: Correction,
    database: CallersGateway,
    idempotency_key: IdempotencyKey = None,
) -> Lot:
    """409 when it would take packs that orders have: such an order is cancelled first."""
    return service.correct(database, product_id, batch_id, body, idempotency_key=idempotency_key)


@router.post(f"{LOT}/hold", summary="Hold a lot: it is not sold until a pharmacist releases it")
@callable_by(STAFF, _NO_SUCH_LOT, _RECALLED)
def hold_lot(product_id: ProductId, batch_id: LotId, body: Because, database: CallersGateway) -> Lot:
    """At once. A lot that is held already stays as it is, with its reason."""
    return service.hold(database, product_id, batch_id, body.reason)


@router.post(f"{LOT}/release", summary="Let a held lot be sold again")
@callable_by(PHARMACIST, _NO_SUCH_LOT, _RECALLED)
def release_lot(product_id: ProductId, batch_id: LotId, body: Because, database: CallersGateway) -> Lot:
    """For pharmacists. A recalled lot is never released, and one that has expired is still not sold."""
    return service.release(database, product_id, batch_id, body.reason)


@router.post(f"{LOT}/recall", summary="Recall a lot: for good")
@callable_by(STAFF, _NO_SUCH_LOT)
def recall_lot(product_id: ProductId, batch_id: LotId, body: Because, database: CallersGateway) -> Recipients:
    """It leaves the sellable stock at once and cannot come back. Answers with who got packs of it; orders
    that have not left (`open_orders`) are not sent out by staff any more: cancel them."""
    return service.recall(database, product_id, batch_id, body.reason)


@router.get(f"{LOT}/recipients", summary="Who got packs of a lot")
@callable_by(STAFF, _NO_SUCH_LOT)
def list_lot_recipients(
    product_id: ProductId,
    batch_id: LotId,
    database: CallersGateway,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> Recipients:
    """An order a row, the latest first. Cancelled orders gave their packs back and are not among them."""
    return service.recipients(database, product_id, batch_id, limit=limit, cursor=cursor)
