"""HTTP routes of prescriptions, of the pharmacists' desk, and of the clinical rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from functions.prescriptions import service
from functions.prescriptions.models import (
    ActiveRuleSet,
    DispenseRegister,
    Override,
    OverrideRequest,
    Prescription,
    PrescriptionList,
    PrescriptionUpload,
    RegisterFilter,
    Rejection,
    Review,
    ReviewQueue,
    RuleSetActivation,
    RuleSetList,
    Verification,
)
from shared.days import Day
from shared.dependencies import WAKES_DISPATCHER, CallersGateway, IdempotencyKey, PatientId, PrescriptionId
from shared.errors import Conflict, Invalid, NotFound
from shared.openapi import (
    IDEMPOTENCY_KEY_REUSED,
    PATIENT,
    PHARMACIST,
    REQUEST_IN_PROGRESS,
    STAFF,
    callable_by,
)
from shared.text import Identifier

router = APIRouter()

_NO_SUCH_PRESCRIPTION = NotFound("There is no such prescription.", code="prescription_not_found")
_REVIEWED = Conflict("The prescription is already verified.", code="prescription_reviewed")


@router.get("/api/prescriptions", tags=["prescriptions"], summary="My prescriptions, newest first")
@callable_by(PATIENT)
def list_prescriptions(database: CallersGateway) -> PrescriptionList:
    """All of them, with what has been dispensed of each item."""
    return service.list_own(database)


@router.post("/api/prescriptions", status_code=201, tags=["prescriptions"], summary="Hand in a prescription")
@callable_by(
    PATIENT,
    REQUEST_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    Invalid("Each item needs ingredient, strength, units and directions.", code="invalid_items"),
)
def submit_prescription(
    body: PrescriptionUpload, database: CallersGateway, idempotency_key: IdempotencyKey = None
) -> Prescription:
    """It is `pending`: what it covers can be ordered, and waits for a pharmacist as the order does."""
    return service.submit(database, body.items, idempotency_key=idempotency_key)


@router.get("/api/admin/prescriptions", tags=["staff: prescriptions"], summary="What waits for a pharmacist")
@callable_by(STAFF)
def review_queue(database: CallersGateway) -> ReviewQueue:
    """Prescriptions nobody has read, and orders that wait, verified as of now."""
    return service.review_queue(database)


@router.post(
    "/api/admin/prescriptions/{prescription_id}/verify",
    tags=["staff: prescriptions"],
    summary="Accept a prescription as read",
    dependencies=[WAKES_DISPATCHER],
)
@callable_by(
    PHARMACIST,
    _NO_SUCH_PRESCRIPTION,
    _REVIEWED,
    Invalid(
        "A verified prescription names what was prescribed.",
        code="items_required",
    ),
    Invalid("The prescription is not valid today.", code="prescription_not_valid"),
)
def verify_prescription(
    prescription_id: PrescriptionId, body: Verification, database: CallersGateway
) -> Review:
    """For pharmacists. Waiting orders that it covers are confirmed; those left uncovered are cancelled.

    Without `items` the review stands on those it was handed in with, or on the suggested ones when all of
    them are certain; otherwise the refusal carries them as `suggested_items`.
    """
    return service.verify(database, prescription_id, body)


@router.post(
    "/api/admin/prescriptions/{prescription_id}/reject",
    tags=["staff: prescriptions"],
    summary="Refuse a prescription",
    dependencies=[WAKES_DISPATCHER],
)
@callable_by(PHARMACIST, _NO_SUCH_PRESCRIPTION, _REVIEWED)
def reject_prescription(prescription_id: PrescriptionId, body: Rejection, database: CallersGateway) -> Review:
    """For pharmacists. Waiting orders that needed it are cancelled."""
    return service.reject(database, prescription_id, body.reason)


@router.post(
    "/api/admin/patients/{patient_id}/overrides",
    status_code=201,
    tags=["staff: prescriptions"],
    summary="Let a major finding of a patient pass, with a reason",
    dependencies=[WAKES_DISPATCHER],
)
@callable_by(
    PHARMACIST,
    NotFound("There is no such patient.", code="patient_not_found"),
    Invalid("Only an interaction or condition rule in force can be overridden.", code="not_overridable"),
    Invalid("A contraindicated combination cannot be overridden.", code="contraindicated"),
)
def override_finding(patient_id: PatientId, body: OverrideRequest, database: CallersGateway) -> Override:
    """For pharmacists. It lasts until either prescription ends, and shows on every order it let pass."""
    return service.override(database, patient_id, body)


@router.get("/api/admin/rule-sets", tags=["staff: rules"], summary="Versions of the clinical rules")
@callable_by(STAFF)
def list_rule_sets(database: CallersGateway) -> RuleSetList:
    """Newest first, with the source of each and when it was in force."""
    return service.list_rule_sets(database)


@router.post("/api/admin/rule-sets", tags=["staff: rules"], summary="Put a version of the rules in force")
@callable_by(
    PHARMACIST,
    NotFound("There is no rule set 2025-01.", code="rule_set_not_found"),
    Invalid("Rule set 2025-01 has no interaction rules.", code="rule_set_invalid"),
)
def activate_rule_set(body: RuleSetActivation, database: CallersGateway) -> ActiveRuleSet:
    """For pharmacists. Activating an earlier version again is the way back."""
    return service.activate_rule_set(database, body.version)


@router.get(
    "/api/admin/dispense-register",
    tags=["staff: prescriptions"],
    summary="The register of Schedule H1 sales",
)
@callable_by(STAFF)
def dispense_register(
    database: CallersGateway,
    patient_id: Annotated[Identifier | None, Query(examples=["PAT012"])] = None,
    product_id: Annotated[Identifier | None, Query(examples=["MED060"])] = None,
    since: Annotated[Day | None, Query(description="This day in UTC and later")] = None,
    until: Annotated[Day | None, Query(description="This day in UTC and earlier")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Entries on a page")] = 100,
    cursor: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before")
    ] = None,
) -> DispenseRegister:
    """The latest first: patient, prescriber, product, packs and lots. Nothing in it is ever changed; a
    cancelled sale has an entry that reverses it."""
    wanted = RegisterFilter(patient_id, product_id, since, until)
    return service.dispense_register(database, wanted, limit=limit, cursor=cursor)
