"""Scanning the patients of a clinic, now or on another day, and what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tests.clinical.clinic import Clinic, Json, Patient


def noon(clinic: Clinic, in_days: int = 0) -> datetime:
    """A moment at noon UTC, so many days from today: by then what was bought today was bought."""
    at: datetime = clinic.value("select (current_date + %s + time '12:00') at time zone 'UTC'", in_days)
    return at


def scan(clinic: Clinic, *patients: Patient, in_days: int = 0) -> tuple[int, int]:
    """Bring the alerts of these patients up to date as of another day: (created, closed)."""
    [row] = clinic.rows(
        "select * from private.refresh_refill_alerts(%s, %s)",
        [patient.patient_id for patient in patients],
        noon(clinic, in_days),
    )
    return row["created"], row["closed"]


def remind(clinic: Clinic, patient: Patient) -> int:
    """Scan and queue what is due; how many reminders were queued."""
    scan(clinic, patient)
    queued: int = clinic.value("select private.remind_of_refills(%s)", patient.patient_id)
    return queued


def days_pass(clinic: Clinic, patient: Patient, days: int = 1) -> None:
    """All that happened was so many days longer ago: verification knows no other day than today."""
    for table, columns in (
        ("orders", ("placed_at",)),
        ("prescriptions", ("issued_on", "valid_until")),
        ("refill_alerts", ("run_out_on", "snoozed_until", "created_at")),
    ):
        moved = ", ".join(f"{column} = {column} - make_interval(days => %(days)s)" for column in columns)
        clinic.connection.execute(
            f"update public.{table} set {moved} where patient_id = %(patient)s".encode(),
            {"days": days, "patient": patient.patient_id},
        )


def alerts(clinic: Clinic, *patients: Patient) -> list[Json]:
    return clinic.rows(
        "select * from public.refill_alerts where patient_id = any(%s) order by alert_id",
        [patient.patient_id for patient in patients],
    )


def states(clinic: Clinic, *patients: Patient) -> list[tuple[str, int, str]]:
    """(product, days from today to run-out, open or why it is closed)."""
    return [
        (row["product_id"], (row["run_out_on"] - clinic.today).days, row["closed_reason"] or row["status"])
        for row in alerts(clinic, *patients)
    ]


def reminders(clinic: Clinic, patient: Patient) -> list[Json]:
    """Queued reminders, the oldest first."""
    return clinic.rows(
        "select * from public.notifications where patient_id = %s and kind = 'refill.due' "
        "order by created_at",
        patient.patient_id,
    )


def waiting(clinic: Clinic, patient: Patient) -> list[Json]:
    """The arguments of the reminders that are still to leave."""
    return [row["arguments"] for row in reminders(clinic, patient) if row["status"] == "queued"]


def as_user(clinic: Clinic, user_id: object) -> None:
    """Act as somebody from here on, as far as `auth.uid()` is asked."""
    clinic.run("select set_config('request.jwt.claims', %s, true)", f'{{"sub": "{user_id}"}}')
    clinic.run("select set_config('request.jwt.claim.sub', %s, true)", str(user_id))


def decide(clinic: Clinic, alert_id: int, **decision: Any) -> Json:
    """As the pharmacist."""
    as_user(clinic, clinic.value("select user_id from public.staff where username = 'pharmacist'"))
    decided: Json = clinic.value("select public.decide_refill_alert(%s, %s)", alert_id, Jsonb(decision))
    return decided


def day(clinic: Clinic, in_days: int) -> str:
    return str(clinic.today + timedelta(days=in_days))
