"""HTTP routes of what is stored about somebody: taking it out whole, and erasing it."""

from __future__ import annotations

from fastapi import APIRouter

from functions.accounts import personal_data
from functions.accounts.models import Erased, ErasureRequest, Export
from shared.dependencies import CallersGateway, PatientId
from shared.errors import Conflict, Invalid, NotFound
from shared.openapi import PATIENT_OR_ADMIN, callable_by

router = APIRouter(tags=["patients"])

_NO_SUCH_PATIENT = NotFound("There is no such patient.", code="patient_not_found")


@router.get("/api/patients/{patient_id}/export", summary="Everything that is stored about a patient")
@callable_by(PATIENT_OR_ADMIN, _NO_SUCH_PATIENT)
def export(patient_id: PatientId, database: CallersGateway) -> Export:
    """One's own, or any for an admin; that it was taken is recorded."""
    return personal_data.export(database, patient_id)


@router.post("/api/patients/{patient_id}/erasure", summary="Erase a patient, for good")
@callable_by(
    PATIENT_OR_ADMIN,
    _NO_SUCH_PATIENT,
    Conflict("There are orders under way.", code="orders_under_way"),
    Invalid("Repeat the number of the patient who is to be erased.", code="not_confirmed"),
)
def erase(patient_id: PatientId, body: ErasureRequest, database: CallersGateway) -> Erased:
    """Oneself, or any for an admin. The account, the profile, conversations, files and reminders go; invoices
    stay under the number alone, and the register of Schedule H1 sales as the law wants it.
    """
    return personal_data.erase(database, patient_id, body.confirm)
