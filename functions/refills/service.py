"""Refills and alerts. What runs out when, and what may be sold, is worked out in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from functions.refills.models import (
    AlertPage,
    Discontinued,
    DiscontinueRequest,
    RefillAlert,
    RefillList,
    ReorderCard,
    ReorderRequest,
    ScanReport,
)
from shared.database import Gateway
from shared.errors import Conflict, Invalid
from shared.refill_scan import run_scan

_REORDER = "/api/refills/reorder"


def list_refills(database: Gateway, patient_id: str | None = None) -> RefillList:
    """What a patient takes regularly: the caller's own. Raises Forbidden, NotFound for staff's patients."""
    found = database.rpc("list_refills", {"p_patient_id": patient_id})
    for refill in found["refills"]:
        item = {"product_id": refill["product_id"]}
        refill["reorder"] |= {"href": _REORDER, "body": {"items": [item]}}
        # Null for what nobody has said to be long-term: nobody is reminded of that.
        refill["reminders"] = refill["reminders"] is True
    return RefillList.model_validate(found)


def reorder(database: Gateway, request: ReorderRequest, *, idempotency_key: str | None) -> ReorderCard:
    """Propose to order it again.

    Raises NotFound (not_a_refill, nothing_to_refill), Conflict (out_of_stock, request_in_progress), Invalid
    (refused, idempotency_key_reused), Forbidden for another patient.
    """
    answer = database.rpc(
        "propose_refill",
        {
            "p_request": request.model_dump(mode="json", exclude_none=True, exclude={"patient_id"}),
            "p_patient_id": request.patient_id,
            "p_idempotency_key": idempotency_key,
        },
    )
    card = answer["card"]
    if answer["outcome"] != "proposed":
        raise _refusal(card["rejected_items"], answer["trace_id"])
    return ReorderCard.model_validate(
        {**card, "questions": answer["questions"], "trace_id": answer["trace_id"]}
    )


def discontinue(database: Gateway, request: DiscontinueRequest) -> Discontinued:
    """Note that a medicine is not taken any more. Raises NotFound (not_a_refill), Forbidden."""
    return Discontinued.model_validate(
        database.rpc(
            "discontinue_medicine",
            {
                "p_product_id": request.product_id,
                "p_reason": request.reason,
                "p_patient_id": request.patient_id,
            },
        )
    )


def list_alerts(
    database: Gateway, *, status: str, patient_id: str | None, limit: int, cursor: int | None
) -> AlertPage:
    """Everybody's alerts. Raises Forbidden for a patient."""
    return AlertPage.model_validate(
        database.rpc(
            "list_refill_alerts",
            {"p_status": status, "p_patient_id": patient_id, "p_limit": limit, "p_after": cursor},
        )
    )


def decide(database: Gateway, alert_id: int, decision: Mapping[str, Any]) -> RefillAlert:
    """Put an alert off or end it. Raises Forbidden, NotFound, Conflict (alert_closed), Invalid."""
    return RefillAlert.model_validate(
        database.rpc("decide_refill_alert", {"p_alert_id": alert_id, "p_decision": dict(decision)})
    )


def trigger_scan(database: Gateway, *, seconds_left: Callable[[], float]) -> ScanReport:
    """Scan while there is time; the database keeps how far it got. Raises Forbidden for a patient."""
    progress = run_scan(
        lambda scan_id: database.rpc("trigger_refill_scan", {"p_scan_id": scan_id}), seconds_left
    )
    return ScanReport.model_validate({**progress._asdict(), "complete": progress.state == "finished"})


def _refusal(rejected: list[dict[str, Any]], trace_id: str) -> Conflict | Invalid:
    out_of_stock = all(item["code"] == "out_of_stock" for item in rejected)
    kind, code = (Conflict, "out_of_stock") if out_of_stock else (Invalid, "refused")
    reasons = dict.fromkeys(item["reason"] for item in rejected)
    return kind(" ".join(reasons), code=code, extra={"rejected_items": rejected, "trace_id": trace_id})
