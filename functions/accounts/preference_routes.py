"""HTTP routes of a patient's notification preferences."""

from __future__ import annotations

from fastapi import APIRouter

from functions.accounts import preferences
from functions.accounts.preferences import NotificationPreferences
from shared.dependencies import CallersGateway, PatientId
from shared.errors import Invalid, NotFound
from shared.openapi import PATIENT_OR_STAFF, callable_by

router = APIRouter(tags=["patients"])

_NO_SUCH_PATIENT = NotFound("There is no such patient.", code="patient_not_found")


@router.get("/api/patients/{patient_id}/notifications", summary="How a patient wants to be told")
@callable_by(PATIENT_OR_STAFF, _NO_SUCH_PATIENT)
def notification_preferences(patient_id: PatientId, database: CallersGateway) -> NotificationPreferences:
    """One's own, or any for staff."""
    return preferences.preferences(database, patient_id)


@router.put("/api/patients/{patient_id}/notifications", summary="Choose how to be told")
@callable_by(
    PATIENT_OR_STAFF,
    _NO_SUCH_PATIENT,
    Invalid("There is no such time zone.", code="unknown_time_zone"),
)
def set_notification_preferences(
    patient_id: PatientId, body: NotificationPreferences, database: CallersGateway
) -> NotificationPreferences:
    """All at once; it goes for what waits already, too."""
    return preferences.set_preferences(database, patient_id, body)
