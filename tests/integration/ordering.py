"""Prescriptions and the records behind an order, for tests that place orders over the API."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from psycopg.rows import DictRow, dict_row

from tests.running_stack import RunningStack

Json = dict[str, Any]

PHARMACIST, ADMIN = ("pharmacist", "pharma123"), ("admin", "nexus2026")


@contextmanager
def as_staff(stack: RunningStack, account: tuple[str, str]) -> Iterator[httpx.Client]:
    with stack.api(stack.staff_token(*account)) as api:
        yield api


def prescribed_item(ingredient: str, strength: str, units: int, **more: Any) -> Json:
    """One item of a prescription: by default one a day, no repeats."""
    usual = {"repeats": 0, "dosage_frequency": "once_daily", "units_per_dose": 1}
    return {"ingredient": ingredient, "strength": strength, "units": units, **usual, **more}


def reading(*items: Json) -> Json:
    """What a pharmacist reads on a prescription of today, good for a month; without items, as handed in."""
    today = datetime.now(UTC).date()
    dates = {"issued_on": str(today), "valid_until": str(today + timedelta(days=30))}
    return {"prescriber": "Dr. S. Mehta", **dates, **({"items": list(items)} if items else {})}


def hand_in(patient: httpx.Client, *items: Json) -> str:
    """A pending prescription of the patient; its id."""
    answer = patient.post("/api/prescriptions", json={"items": list(items)})
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "pending"
    prescription_id: str = answer.json()["prescription_id"]
    return prescription_id


def verify(stack: RunningStack, prescription_id: str, *items: Json) -> Json:
    with as_staff(stack, PHARMACIST) as pharmacist:
        answer = pharmacist.post(f"/api/admin/prescriptions/{prescription_id}/verify", json=reading(*items))
    assert answer.status_code == 200, answer.text
    review: Json = answer.json()
    return review


def prescribe(stack: RunningStack, patient: httpx.Client, *items: Json) -> str:
    """A verified prescription of the patient; its id."""
    prescription_id = hand_in(patient, *items)
    verify(stack, prescription_id)
    return prescription_id


def buy(patient: httpx.Client, *items: tuple[str, int], **more: Any) -> httpx.Response:
    body = {"items": [{"product_id": product_id, "quantity": packs} for product_id, packs in items], **more}
    return patient.post("/api/orders", json=body)


def placed(answer: httpx.Response) -> Json:
    assert answer.status_code == 201, answer.text
    order: Json = answer.json()
    return order


def status(patient: httpx.Client, order_id: str) -> str:
    said: str = patient.get(f"/api/orders/{order_id}").json()["status"]
    return said


def patient_id(patient: httpx.Client) -> str:
    found: str = patient.get("/api/patients/me").json()["patient_id"]
    return found


def units_used(patient: httpx.Client) -> dict[str, int]:
    """Units dispensed so far, by ingredient, over all the patient's prescriptions."""
    used: dict[str, int] = {}
    for prescription in patient.get("/api/prescriptions").json()["prescriptions"]:
        for item in prescription["items"]:
            used[item["ingredient"]] = used.get(item["ingredient"], 0) + item["dispensed_units"]
    return used


@contextmanager
def records(stack: RunningStack) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(stack.database_url, autocommit=True, row_factory=dict_row) as database:
        yield database


def events(stack: RunningStack, order_id: str) -> list[str]:
    """What the partner is told of an order, in this order."""
    with records(stack) as database:
        return [
            row["event_type"]
            for row in database.execute(
                "select event_type from public.outbox_events where order_id = %s order by created_at",
                [order_id],
            )
        ]


def decisions(stack: RunningStack, trace_id: str) -> list[DictRow]:
    with records(stack) as database:
        return database.execute(
            "select * from public.decisions where trace_id = %s order by decision_id", [trace_id]
        ).fetchall()


def register(stack: RunningStack, order_id: str) -> list[tuple[str, str, int]]:
    """The order's rows in the register of Schedule H1 sales: (entry, product, units)."""
    with records(stack) as database:
        return [
            (row["entry"], row["product_id"], row["units"])
            for row in database.execute(
                "select * from public.dispense_register where order_id = %s order by register_id", [order_id]
            )
        ]


def until_waiting(stack: RunningStack, call: Future[httpx.Response]) -> None:
    """Return when the request waits for a lock of the database."""
    with records(stack) as database:
        while not database.execute(
            "select from pg_catalog.pg_stat_activity where wait_event_type = 'Lock'"
        ).fetchall():
            assert not call.done(), f"it did not wait: {call.result().text}"
