"""DEMO_IDENTITY on the real database: a guest acts as a demo patient, behind the same row-level security."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from functions.accounts.profile_routes import router as profile_router
from functions.chat.routes import chat_problem
from functions.chat.routes import router as chat_router
from functions.orders.routes import router as orders_router
from infra.local.demo import demo_patients
from infra.local.settings import StackError, load_settings
from shared.database import get_database
from shared.http import create_app
from shared.identity import get_token_verifier
from shared.settings import get_settings
from tests.integration.chatting import new_patient_token
from tests.running_stack import RunningStack


def known_to(stack: RunningStack) -> dict[str, Any]:
    """As whom guests may act on this stack."""
    found = demo_patients(replace(load_settings(), external_database_url=stack.database_url))
    patients: dict[str, Any] = json.loads(found) if found else {}
    return patients


@pytest.fixture
def guests(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, TestClient]]:
    """Clients of the functions as they run with DEMO_IDENTITY=true, without any credentials."""
    monkeypatch.setenv("DEMO_IDENTITY", "true")
    environment = {
        "SUPABASE_URL": stack.supabase_url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "SUPABASE_JWT_SECRET": stack.jwt_secret,
        "DEMO_PATIENTS": json.dumps(known_to(stack)),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    read_once = (get_settings, get_database, get_token_verifier)
    for each in read_once:
        each.cache_clear()
    yield {
        "accounts": TestClient(create_app("accounts", profile_router)),
        "chat": TestClient(create_app("chat", chat_router, render_problem=chat_problem)),
        "orders": TestClient(create_app("orders", orders_router)),
    }
    get_database().close()
    for each in read_once:
        each.cache_clear()


def test_a_guest_chats_as_the_demo_patient_that_the_page_names(guests: dict[str, TestClient]) -> None:
    answer = guests["chat"].post("/api/chat", json={"patient_id": "PAT001", "message": "hello"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["reply"]


def test_and_sees_that_patient_and_no_other(guests: dict[str, TestClient]) -> None:
    """The token is PAT001's own; the database lets it see nobody else."""
    assert guests["accounts"].get("/api/patients/PAT001").json()["patient_id"] == "PAT001"
    elsewhere = guests["orders"].post(
        "/api/orders", json={"patient_id": "PAT001", "product_id": "MED021", "quantity": 0}
    )
    assert elsewhere.status_code == 422
    assert guests["orders"].get("/api/orders").status_code == 401  # names nobody
    assert guests["accounts"].get("/api/admin/allergy-removals").status_code == 401


def test_nobody_who_registered_is_a_demo_patient(stack: RunningStack, guests: dict[str, TestClient]) -> None:
    with stack.api(new_patient_token(stack)) as api:
        patient_id = api.get("/api/patients/me").json()["patient_id"]

    answer = guests["chat"].post("/api/chat", json={"patient_id": patient_id, "message": "hello"})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_the_demo_patients_are_those_of_the_seed(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for switch in ("true", "1", "on"):
        monkeypatch.setenv("DEMO_IDENTITY", switch)
        assert {"PAT001", "PAT012"} <= known_to(stack).keys()
    for switch in ("false", "0", ""):
        monkeypatch.setenv("DEMO_IDENTITY", switch)
        assert known_to(stack) == {}
    monkeypatch.setenv("DEMO_IDENTITY", "perhaps")
    with pytest.raises(StackError, match="true or false"):
        known_to(stack)


def test_without_the_switch_a_guest_is_asked_to_sign_in(stack: RunningStack) -> None:
    with stack.api() as guest:
        answer = guest.post("/api/chat", json={"patient_id": "PAT001", "message": "hello"})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "sign in" in answer.json()["reply"]
    assert answer.headers["content-type"] == "application/problem+json"
