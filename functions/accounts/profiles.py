"""Reading and changing profiles, and the allergies that somebody wants removed from theirs."""

from __future__ import annotations

from functions.accounts.models import (
    AllergyRemoval,
    AllergyRemovals,
    Patient,
    ProfileChanges,
    RemovalDecision,
)
from shared.database import Gateway


def profile(database: Gateway, patient_id: str | None = None) -> Patient:
    """A patient, by default the caller's own. Raises Forbidden for another's, NotFound for nobody's."""
    return Patient.model_validate(database.rpc("patient_profile", {"p_patient_id": patient_id}))


def change_profile(database: Gateway, patient_id: str | None, changes: ProfileChanges) -> Patient:
    """Store what was said of a patient (or the caller). Raises Forbidden, NotFound or Invalid."""
    changed = database.rpc("update_patient", {"p_patient_id": patient_id, "p_changes": changes.said()})
    return Patient.model_validate(changed)


def removals(database: Gateway, status: str) -> AllergyRemovals:
    """Requests to remove an allergy, oldest first. Raises Forbidden for who is no staff."""
    found = database.rpc("list_allergy_removals", {"p_status": status})
    return AllergyRemovals(removals=found, count=len(found))


def decide_removal(database: Gateway, removal_id: int, decision: RemovalDecision) -> AllergyRemoval:
    """Raises Forbidden for who is no pharmacist, NotFound, Conflict for a request that was decided before."""
    decided = database.rpc(
        "decide_allergy_removal",
        {"p_removal_id": removal_id, "p_decision": decision.decision, "p_reason": decision.reason},
    )
    return AllergyRemoval.model_validate(decided)
