"""The seed's people: as whom guests may act with DEMO_IDENTITY=true, and whom the console offers."""

from __future__ import annotations

import csv
import json
import os

import psycopg
from pydantic import TypeAdapter, ValidationError

from infra.importer.accounts import PATIENT_PASSWORD, STAFF
from infra.local.settings import PROJECT, StackError, StackSettings


def demo_patients(settings: StackSettings) -> str:
    """The accounts of the demo patients as JSON; "" without DEMO_IDENTITY. Raises StackError."""
    switch = os.environ.get("DEMO_IDENTITY") or "false"
    try:
        if not TypeAdapter(bool).validate_python(switch):
            return ""
    except ValidationError:
        raise StackError(f"DEMO_IDENTITY is true or false, not {switch!r}.") from None
    with (PROJECT / "infra" / "seed" / "patients.csv").open(encoding="utf-8", newline="") as file:
        seeded = [(row["patient_id"], row["email"].lower()) for row in csv.DictReader(file)]
    with psycopg.connect(settings.database_url) as connection:
        accounts = connection.execute(
            """
            select patient_id, user_id::text from public.patients
            join unnest(%s::text[], %s::text[]) as seeded (patient_id, email) using (patient_id, email)
            where user_id is not null
            """,
            [[patient_id for patient_id, _ in seeded], [email for _, email in seeded]],
        ).fetchall()
    return json.dumps(dict(accounts))


def people_for_the_console() -> str:
    """Whom the console offers, as JSON: the seed's patients and the demo staff. Only the laptop has
    them; their passwords are in the README.
    """
    with (PROJECT / "infra" / "seed" / "patients.csv").open(encoding="utf-8", newline="") as file:
        patients = [
            {
                "patient_id": row["patient_id"],
                "name": row["name"],
                "email": row["email"].lower(),
                "language": row["preferred_language"],
                "about": _about(row),
            }
            for row in csv.DictReader(file)
        ]
    staff = [{"username": one.username, "password": one.password, "name": one.name} for one in STAFF]
    return json.dumps({"password": PATIENT_PASSWORD, "patients": patients, "staff": staff})


def _about(row: dict[str, str]) -> str:
    """In a few words why one would try this patient."""
    allergies = row["allergies"].replace(";", ", ")
    conditions = row["conditions"].replace(";", ", ")
    return ", ".join(filter(None, [row["age"], conditions, allergies and f"allergic to {allergies}"]))
