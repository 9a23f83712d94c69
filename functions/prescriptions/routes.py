"""HTTP routes of prescriptions, of the pharmacists' desk, and of the clinical rules."""

from __future__ import annotations

from fastapi import APIRouter

from functions.prescriptions import service
from functions.prescriptions.models import (
    ActiveRuleSet,
    Override,
    OverrideRequest,
    Prescription,
    PrescriptionList,
    PrescriptionUpload,
    Rejection,
    Review,
    ReviewQueue,
    RuleSetActivation,
    RuleSetList,
    Verification,
)
from shared.dependencies import CallersGateway, IdempotencyKey
from shared.text import Identifier

router = APIRouter()


@router.get("/api/prescriptions", tags=["prescriptions"], summary="My prescriptions, newest first")
def list_prescriptions(database: CallersGateway) -> PrescriptionList:
    return service.list_own(database)


@router.post("/api/prescriptions", status_code=201, tags=["prescriptions"], summary="Hand in a prescription")
def submit_prescription(
    body: PrescriptionUpload, database: CallersGateway, idempotency_key: IdempotencyKey = None
) -> Prescription:
    """It is `pending`: what it covers can be ordered, and waits for a pharmacist as the order does."""
    return service.submit(database, body.items, idempotency_key=idempotency_key)


@router.get("/api/admin/prescriptions", tags=["staff: prescriptions"], summary="What waits for a pharmacist")
def review_queue(database: CallersGateway) -> ReviewQueue:
    return service.review_queue(database)


@router.post(
    "/api/admin/prescriptions/{prescription_id}/verify",
    tags=["staff: prescriptions"],
    summary="Accept a prescription as read",
)
def verify_prescription(prescription_id: Identifier, body: Verification, database: CallersGateway) -> Review:
    """For pharmacists. Waiting orders that it covers are confirmed; those left uncovered are cancelled."""
    return service.verify(database, prescription_id, body)


@router.post(
    "/api/admin/prescriptions/{prescription_id}/reject",
    tags=["staff: prescriptions"],
    summary="Refuse a prescription",
)
def reject_prescription(prescription_id: Identifier, body: Rejection, database: CallersGateway) -> Review:
    """For pharmacists. Waiting orders that needed it are cancelled."""
    return service.reject(database, prescription_id, body.reason)


@router.post(
    "/api/admin/patients/{patient_id}/overrides",
    status_code=201,
    tags=["staff: prescriptions"],
    summary="Let a major finding of a patient pass, with a reason",
)
def override_finding(patient_id: Identifier, body: OverrideRequest, database: CallersGateway) -> Override:
    """For pharmacists. It lasts until either prescription ends, and shows on every order it let pass."""
    return service.override(database, patient_id, body)


@router.get("/api/admin/rule-sets", tags=["staff: rules"], summary="Versions of the clinical rules")
def list_rule_sets(database: CallersGateway) -> RuleSetList:
    return service.list_rule_sets(database)


@router.post("/api/admin/rule-sets", tags=["staff: rules"], summary="Put a version of the rules in force")
def activate_rule_set(body: RuleSetActivation, database: CallersGateway) -> ActiveRuleSet:
    """For pharmacists. Activating an earlier version again is the way back."""
    return service.activate_rule_set(database, body.version)
