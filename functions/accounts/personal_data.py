"""What is stored about somebody: taking it out whole, and erasing it."""

from __future__ import annotations

from functions.accounts.models import Erased, Export
from shared.database import Gateway


def export(database: Gateway, patient_id: str) -> Export:
    """Everything about a patient. Raises Forbidden unless the caller is the patient or an admin, NotFound."""
    return Export.model_validate(database.rpc("export_patient", {"p_patient_id": patient_id}))


def erase(database: Gateway, patient_id: str, confirm: str) -> Erased:
    """Erase a patient for good. Raises Forbidden unless the caller is the patient or an admin, NotFound,
    Invalid when `confirm` is not the patient's number, Conflict while orders are under way.
    """
    arguments = {"p_patient_id": patient_id, "p_confirm": confirm}
    return Erased.model_validate(database.rpc("erase_patient", arguments))
