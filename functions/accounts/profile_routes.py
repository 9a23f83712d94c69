"""HTTP routes of profiles, and of the allergies that somebody wants removed from theirs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from functions.accounts import profiles
from functions.accounts.models import (
    AllergyRemoval,
    AllergyRemovals,
    Patient,
    ProfileChanges,
    RemovalDecision,
)
from shared.dependencies import CallersGateway, PatientId
from shared.errors import Conflict, NotFound
from shared.openapi import PATIENT, PATIENT_OR_STAFF, PHARMACIST, STAFF, callable_by

router = APIRouter()

_NO_SUCH_PATIENT = NotFound("There is no such patient.", code="patient_not_found")


@router.get("/api/patients/me", tags=["patients"], summary="My profile")
@callable_by(PATIENT)
def my_profile(database: CallersGateway) -> Patient:
    """`allergies` and `conditions` are null until they were asked for, and empty when there are none."""
    return profiles.profile(database)


@router.put("/api/patients/me", tags=["patients"], summary="Change my profile")
@callable_by(PATIENT)
def change_my_profile(changes: ProfileChanges, database: CallersGateway) -> Patient:
    """As `PUT /api/patients/{patient_id}`, for the caller."""
    return profiles.change_profile(database, None, changes)


@router.get(
    "/api/patients/{patient_id}",
    tags=["patients"],
    summary="A patient's profile: one's own, or any for staff",
)
@callable_by(PATIENT_OR_STAFF, _NO_SUCH_PATIENT)
def patient_profile(patient_id: PatientId, database: CallersGateway) -> Patient:
    """403 for another patient's, whether there is one or not; 404 is told to staff only."""
    return profiles.profile(database, patient_id)


@router.put(
    "/api/patients/{patient_id}",
    tags=["patients"],
    summary="Change a profile: one's own, or any for staff",
)
@callable_by(PATIENT_OR_STAFF, _NO_SUCH_PATIENT)
def change_profile(patient_id: PatientId, changes: ProfileChanges, database: CallersGateway) -> Patient:
    """A field that is blank or missing changes nothing. An allergy that a list lacks stays in force until a
    pharmacist has agreed; until then it is in `allergies` and in `allergies_to_remove`.
    """
    return profiles.change_profile(database, patient_id, changes)


@router.get(
    "/api/admin/allergy-removals",
    tags=["staff: patients"],
    summary="Allergies that patients want removed, oldest first",
)
@callable_by(STAFF)
def allergy_removals(
    database: CallersGateway,
    status: Annotated[
        Literal["pending", "removed", "kept", "withdrawn"], Query(examples=["pending"])
    ] = "pending",
) -> AllergyRemovals:
    """At most 200. `withdrawn`: the patient has named the allergy again."""
    return profiles.removals(database, status)


@router.put(
    "/api/admin/allergy-removals/{removal_id}",
    tags=["staff: patients"],
    summary="Remove an allergy, or keep it",
)
@callable_by(
    PHARMACIST,
    NotFound("There is no such request.", code="removal_not_found"),
    Conflict("This request is not open any more.", code="removal_decided"),
)
def decide_allergy_removal(
    removal_id: Annotated[int, Path(ge=1, le=2**53 - 1, examples=[1])],
    decision: RemovalDecision,
    database: CallersGateway,
) -> AllergyRemoval:
    """Until this, the allergy is checked as if nobody had asked."""
    return profiles.decide_removal(database, removal_id, decision)
