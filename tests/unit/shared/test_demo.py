"""DEMO_IDENTITY: a guest acts as the demo patient that a page names, with that patient's own rights."""

from __future__ import annotations

import time
from typing import Annotated, Any

import jwt
import pytest
from fastapi import APIRouter, Form
from fastapi.testclient import TestClient
from pydantic import BaseModel, ValidationError

from shared.dependencies import SignedIn
from shared.http import create_app
from shared.settings import Settings
from tests.unit.shared.fakes import SECRET, USER_ID, bearer, client_of, settings, token_for

DEMO = "11111111-1111-4111-8111-111111111111"

router = APIRouter()


class Body(BaseModel):
    patient_id: Any = None


@router.post("/api/say")
def say(body: Body, caller: SignedIn) -> dict[str, str]:
    return {"user_id": caller.user_id, "token": caller.token, "via": caller.via}


@router.post("/api/upload")
def upload(patient_id: Annotated[str, Form()], caller: SignedIn) -> dict[str, str]:
    return {"user_id": caller.user_id}


@router.get("/api/patients/{patient_id}")
def patient(patient_id: str, caller: SignedIn) -> dict[str, str]:
    return {"user_id": caller.user_id}


@router.get("/api/orders")
def orders(caller: SignedIn) -> dict[str, str]:
    return {"user_id": caller.user_id}


app = create_app("demo", router)


@pytest.fixture
def client() -> TestClient:
    return client_of(app, with_settings=settings(demo_identity=True, demo_patients={"PAT001": DEMO}))


def test_a_guest_acts_as_the_patient_that_the_body_names(client: TestClient) -> None:
    answer = client.post("/api/say", json={"patient_id": "PAT001"})

    assert (answer.json()["user_id"], answer.json()["via"]) == (DEMO, "demo")


def test_the_token_is_an_ordinary_one_of_the_patient_and_soon_over(client: TestClient) -> None:
    token = client.post("/api/say", json={"patient_id": "PAT001"}).json()["token"]

    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="authenticated")
    assert (claims["sub"], claims["role"]) == (DEMO, "authenticated")
    assert time.time() < claims["exp"] <= time.time() + 60


def test_uploads_and_addresses_name_a_patient_too(client: TestClient) -> None:
    assert client.post("/api/upload", data={"patient_id": "PAT001"}).json() == {"user_id": DEMO}
    assert client.post(
        "/api/upload", data={"patient_id": "PAT001"}, files={"other": b"multipart"}
    ).json() == {"user_id": DEMO}
    assert client.get("/api/patients/PAT001").json() == {"user_id": DEMO}


@pytest.mark.parametrize(
    "named", ["PAT002", "", None, 1, ["PAT001"], {"PAT001": 1}, "pat001", " PAT001", "PAT001\0"]
)
def test_nobody_else_can_be_named(client: TestClient, named: Any) -> None:
    answer = client.post("/api/say", json={"patient_id": named})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"PAT001"'])
def test_a_body_that_is_no_object_names_nobody(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/say", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in (401, 422)


def test_who_names_nobody_is_a_guest(client: TestClient) -> None:
    assert client.get("/api/orders").status_code == 401


def test_who_is_signed_in_stays_who_they_are(client: TestClient) -> None:
    answer = client.post("/api/say", json={"patient_id": "PAT001"}, headers=bearer())

    assert answer.json()["user_id"] == USER_ID


def test_a_bad_token_does_not_fall_back_to_the_demonstration(client: TestClient) -> None:
    expired = bearer(token_for(exp=1))

    assert client.post("/api/say", json={"patient_id": "PAT001"}, headers=expired).status_code == 401


@pytest.mark.parametrize(
    "with_settings",
    [settings(), settings(demo_patients={"PAT001": DEMO}), settings(demo_identity=True)],
    ids=["neither", "not switched on", "without patients"],
)
def test_without_the_switch_a_guest_is_401(with_settings: Settings) -> None:
    client = client_of(app, with_settings=with_settings)

    assert client.post("/api/say", json={"patient_id": "PAT001"}).status_code == 401


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize(
    "switch", [{"demo_identity": True}, {"demo_patients": {"PAT001": DEMO}}, {"rate_limits": "off"}]
)
def test_a_deployed_stage_refuses_the_laptops_switches(stage: str, switch: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="STAGE=local"):
        settings(stage=stage, **switch)
