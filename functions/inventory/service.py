"""The shelf. Who may change it, and what may become of a lot, is settled in the database."""

from __future__ import annotations

from functions.inventory.models import (
    Correction,
    Defaults,
    Delivery,
    ExpiringLots,
    InventoryChange,
    Lot,
    MovementPage,
    ProductInventory,
    Recipients,
    StockPage,
)
from shared.database import Gateway


def list_stock(database: Gateway, *, limit: int, cursor: str | None, low_stock: bool) -> StockPage:
    """Stock of all products, or of those that run low. Raises Forbidden for a patient, as all below."""
    return StockPage.model_validate(
        database.rpc("list_inventory", {"p_limit": limit, "p_after": cursor, "p_low_stock": low_stock})
    )


def set_defaults(database: Gateway, defaults: Defaults) -> Defaults:
    """Set the default threshold and how soon an expiry is near."""
    return Defaults.model_validate(
        database.rpc(
            "set_inventory_defaults",
            {
                "p_low_stock_threshold": defaults.low_stock_threshold,
                "p_near_expiry_days": defaults.near_expiry_days,
            },
        )
    )


def product(database: Gateway, product_id: str) -> ProductInventory:
    """Stock of one product with its lots. Raises NotFound."""
    return ProductInventory.model_validate(database.rpc("product_inventory", {"p_product_id": product_id}))


def change_product(database: Gateway, product_id: str, change: InventoryChange) -> ProductInventory:
    """Set the threshold, or what was counted. Raises NotFound, Conflict (below_reserved)."""
    return ProductInventory.model_validate(
        database.rpc(
            "set_product_inventory",
            {"p_product_id": product_id, "p_changes": change.model_dump(mode="json", exclude_unset=True)},
        )
    )


def expiring(
    database: Gateway, *, days: int | None, expired: bool, limit: int, cursor: int | None
) -> ExpiringLots:
    """Lots that expire within so many days; those that have expired as well if asked for."""
    return ExpiringLots.model_validate(
        database.rpc(
            "expiring_lots", {"p_days": days, "p_expired": expired, "p_limit": limit, "p_after": cursor}
        )
    )


def movements(
    database: Gateway, product_id: str, *, batch_id: int | None, limit: int, cursor: int | None
) -> MovementPage:
    """Every pack of a product, or of one lot of it, that came or went. Raises NotFound."""
    return MovementPage.model_validate(
        database.rpc(
            "list_stock_movements",
            {"p_product_id": product_id, "p_batch_id": batch_id, "p_limit": limit, "p_before": cursor},
        )
    )


def receive(database: Gateway, product_id: str, delivery: Delivery, *, idempotency_key: str | None) -> Lot:
    """Book a delivery.

    Raises NotFound, Conflict (lot_recalled, lot_has_other_expiry, request_in_progress), Invalid (lot_expired,
    invalid_expiry, idempotency_key_reused).
    """
    return Lot.model_validate(
        database.rpc(
            "receive_lot",
            {
                "p_product_id": product_id,
                "p_delivery": delivery.model_dump(mode="json", exclude_none=True),
                "p_idempotency_key": idempotency_key,
            },
        )
    )


def correct(
    database: Gateway, product_id: str, batch_id: int, correction: Correction, *, idempotency_key: str | None
) -> Lot:
    """Correct a lot. Raises NotFound, Conflict (below_reserved, request_in_progress), Invalid, Forbidden."""
    return Lot.model_validate(
        database.rpc(
            "correct_lot",
            {
                "p_product_id": product_id,
                "p_batch_id": batch_id,
                "p_correction": correction.model_dump(mode="json", exclude_none=True),
                "p_idempotency_key": idempotency_key,
            },
        )
    )


def hold(database: Gateway, product_id: str, batch_id: int, reason: str) -> Lot:
    """Take a lot out of the sellable stock. Raises NotFound, Conflict (lot_recalled)."""
    return _set_status(database, product_id, batch_id, "held", reason)


def release(database: Gateway, product_id: str, batch_id: int, reason: str) -> Lot:
    """Let a held lot be sold again. Raises Forbidden for all but pharmacists; else as `hold`."""
    return _set_status(database, product_id, batch_id, "available", reason)


def recall(database: Gateway, product_id: str, batch_id: int, reason: str) -> Recipients:
    """Take a lot out of the sellable stock for good; who got packs of it. Raises NotFound."""
    return Recipients.model_validate(
        database.rpc("recall_lot", {"p_product_id": product_id, "p_batch_id": batch_id, "p_reason": reason})
    )


def recipients(
    database: Gateway, product_id: str, batch_id: int, *, limit: int, cursor: str | None
) -> Recipients:
    """Who got packs of a lot. Raises NotFound."""
    return Recipients.model_validate(
        database.rpc(
            "lot_recipients",
            {"p_product_id": product_id, "p_batch_id": batch_id, "p_limit": limit, "p_before": cursor},
        )
    )


def _set_status(database: Gateway, product_id: str, batch_id: int, status: str, reason: str) -> Lot:
    return Lot.model_validate(
        database.rpc(
            "set_lot_status",
            {
                "p_product_id": product_id,
                "p_batch_id": batch_id,
                "p_status": status,
                "p_reason": reason,
            },
        )
    )
