"""Prescriptions and their review; who may do what, and what follows for orders, the database settles."""

from __future__ import annotations

from dataclasses import asdict

from functions.prescriptions.models import (
    ActiveRuleSet,
    DispenseRegister,
    Override,
    OverrideRequest,
    PrescribedItem,
    Prescription,
    PrescriptionList,
    RegisterFilter,
    Review,
    ReviewQueue,
    RuleSet,
    RuleSetList,
    Verification,
)
from shared.database import Gateway


def list_own(database: Gateway) -> PrescriptionList:
    """The caller's own prescriptions, newest first. Raises Forbidden for an account that is no patient's."""
    found = [Prescription.model_validate(one) for one in database.rpc("list_prescriptions")]
    return PrescriptionList(prescriptions=found, count=len(found))


def submit(database: Gateway, items: list[PrescribedItem], *, idempotency_key: str | None) -> Prescription:
    """Hand in a prescription to be read.

    Raises Invalid (invalid_items, idempotency_key_reused), Forbidden, Conflict (request_in_progress).
    """
    return Prescription.model_validate(
        database.rpc(
            "submit_prescription",
            {
                "p_items": [item.model_dump(mode="json") for item in items],
                "p_idempotency_key": idempotency_key,
            },
        )
    )


def review_queue(database: Gateway) -> ReviewQueue:
    """What waits for a pharmacist. Raises Forbidden for a patient."""
    return ReviewQueue.model_validate(database.rpc("review_queue"))


def verify(database: Gateway, prescription_id: str, reading: Verification) -> Review:
    """Accept a prescription as the pharmacist reads it; orders that waited for it go on.

    Raises Forbidden for all but pharmacists, NotFound, Conflict (prescription_reviewed), Invalid.
    """
    review = {"decision": "verify", **reading.model_dump(mode="json", exclude_none=True)}
    return _review(database, prescription_id, review)


def reject(database: Gateway, prescription_id: str, reason: str) -> Review:
    """Refuse a prescription; orders that needed it are cancelled. Raises as `verify`."""
    return _review(database, prescription_id, {"decision": "reject", "reason": reason})


def override(database: Gateway, patient_id: str, request: OverrideRequest) -> Override:
    """Let a major finding of one patient pass, with a reason.

    Raises Forbidden for all but pharmacists, NotFound, Invalid (not_overridable, contraindicated).
    """
    return Override.model_validate(
        database.rpc(
            "override_finding",
            {
                "p_patient_id": patient_id,
                "p_rule": request.rule,
                "p_reason": request.reason,
                "p_subject": request.subject,
            },
        )
    )


def list_rule_sets(database: Gateway) -> RuleSetList:
    """Every version of the clinical rules. Raises Forbidden for a patient."""
    return RuleSetList(rule_sets=[RuleSet.model_validate(one) for one in database.rpc("list_rule_sets")])


def activate_rule_set(database: Gateway, version: str) -> ActiveRuleSet:
    """Put a version in force, or an earlier one back.

    Raises Forbidden for all but pharmacists, NotFound, Invalid (rule_set_invalid).
    """
    return ActiveRuleSet.model_validate(database.rpc("activate_rule_set", {"p_version": version}))


def _review(database: Gateway, prescription_id: str, review: dict[str, object]) -> Review:
    return Review.model_validate(
        database.rpc("review_prescription", {"p_prescription_id": prescription_id, "p_review": review})
    )


def dispense_register(
    database: Gateway, wanted: RegisterFilter, *, limit: int, cursor: int | None
) -> DispenseRegister:
    """The register of Schedule H1 sales, the latest first. Raises Forbidden for a patient."""
    named = {name: str(value) for name, value in asdict(wanted).items() if value is not None}
    return DispenseRegister.model_validate(
        database.rpc("list_dispense_register", {"p_filter": named, "p_limit": limit, "p_before": cursor})
    )
