"""Patients of one test, whom the console offers to be tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import httpx

from tests.integration.ordering import records
from tests.running_stack import DEMO_PASSWORD, RunningStack


@dataclass(frozen=True)
class Tried:
    patient_id: str
    name: str
    email: str
    token: str


def new_tried(
    stack: RunningStack,
    *,
    age: int = 34,
    allergies: Sequence[str] | None = (),
    conditions: Sequence[str] = (),
) -> Tried:
    """Registered as patients register, with what a pharmacist would know of them."""
    name, email = f"Tara {uuid4().hex[:6].title()}", f"{uuid4()}@example.com"
    form = {"name": name, "email": email, "phone": "+919876500000", "password": DEMO_PASSWORD, "age": age}
    answer = httpx.post(f"{stack.api_url}/api/auth/register", json=form, timeout=60)
    assert answer.status_code == 201, answer.text
    patient_id = answer.json()["patient_id"]
    with records(stack) as database:
        database.execute(
            "update public.patients set allergies = %s, conditions = %s where patient_id = %s",
            [None if allergies is None else list(allergies), list(conditions), patient_id],
        )
    return Tried(patient_id, name, email, answer.json()["token"])
