"""The kinds of ids in addresses that belong to a patient, and how a patient comes by one."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.integration.ordering import buy, hand_in, placed, prescribed_item


def _patient(owner: httpx.Client) -> str:
    patient_id: str = owner.get("/api/patients/me").json()["patient_id"]
    return patient_id


def _order(owner: httpx.Client) -> str:
    order_id: str = placed(buy(owner, ("MED021", 1)))["order_id"]
    return order_id


def _prescription(owner: httpx.Client) -> str:
    return hand_in(owner, prescribed_item("Metformin", "500 mg", 60))


def _conversation(owner: httpx.Client) -> str:
    conversation_id: str = owner.post("/api/chat", json={"message": "hello"}).json()["conversation_id"]
    return conversation_id


def _trace(owner: httpx.Client) -> str:
    trace_id: str = placed(buy(owner, ("MED021", 1)))["trace_id"]
    return trace_id


def _upload(owner: httpx.Client) -> str:
    opened = owner.post("/api/prescriptions/uploads", json={"content_type": "image/png", "size": 100})
    upload_id: str = opened.json()["upload_id"]
    return upload_id


OWNED: dict[str, Callable[[httpx.Client], str]] = {
    "patient_id": _patient,
    "order_id": _order,
    "prescription_id": _prescription,
    "conversation_id": _conversation,
    "trace_id": _trace,
    "upload_id": _upload,
}
"""Name of the path parameter -> one of the owner's, just made."""

EVERYBODYS = {"product_id"}
