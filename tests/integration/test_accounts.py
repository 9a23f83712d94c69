"""Accounts on the real stack: Supabase Auth, row-level security, the gateway's cookies."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from tests.running_stack import DEMO_PASSWORD, RunningStack

ANJALI = {"email": "anjali@example.com", "password": DEMO_PASSWORD}
FRONTEND = "http://localhost:3001"


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.api() as client:
        yield client


def newcomer() -> dict[str, str]:
    return {
        "name": "Kavita Joshi",
        "email": f"kavita.{secrets.token_hex(6)}@example.com",
        "phone": "+919812345678",
        "password": "monsoon-7",
    }


def test_a_demo_patient_signs_in(api: httpx.Client) -> None:
    answer = api.post("/api/auth/login", json=ANJALI)

    assert answer.status_code == 200
    assert answer.json()["patient_id"] == "PAT012"
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["refresh_token"]


@pytest.mark.parametrize(
    ("username", "password", "role"),
    [("admin", "nexus2026", "admin"), ("pharmacist", "pharma123", "pharmacist")],
)
def test_demo_staff_sign_in(api: httpx.Client, username: str, password: str, role: str) -> None:
    answer = api.post("/api/admin/login", json={"username": username, "password": password})

    assert answer.status_code == 200
    assert (answer.json()["authenticated"], answer.json()["role"]) == (True, role)


def test_the_wrong_door_is_refused_clearly(api: httpx.Client) -> None:
    staff = api.post("/api/auth/login", json={"email": "admin@staff.nexus.example", "password": "nexus2026"})
    patient = api.post("/api/admin/login", json={"username": ANJALI["email"], "password": DEMO_PASSWORD})

    assert (staff.status_code, staff.json()["code"]) == (403, "staff_account")
    assert (patient.status_code, patient.json()["authenticated"]) == (401, False)


def test_a_newcomer_registers_and_is_signed_in_at_once(api: httpx.Client) -> None:
    form = newcomer()
    registered = api.post(
        "/api/auth/register",
        json={**form, "age": "34", "gender": "female", "allergies": ["Sulfa"], "preferred_language": "mr"},
    )
    assert registered.status_code == 201, registered.text

    me = api.get("/api/patients/me")  # by the cookie just set
    assert me.status_code == 200
    assert me.json() == {
        "patient_id": registered.json()["patient_id"],
        "name": "Kavita Joshi",
        "email": form["email"],
        "phone": "+919812345678",
        "age": 34,
        "gender": "Female",
        "preferred_store": None,
        "allergies": ["Sulfa"],
        "conditions": None,
        "preferred_language": "mr",
        "prescription_uploaded": False,
        "allergies_to_remove": [],
    }


def test_an_e_mail_registers_once_however_it_is_written(api: httpx.Client) -> None:
    form = newcomer()
    assert api.post("/api/auth/register", json=form).status_code == 201

    for again in (form, {**form, "password": "another-7"}, {**form, "email": form["email"].upper()}):
        answer = api.post("/api/auth/register", json=again)
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


def test_registering_twice_at_once_makes_one_patient(stack: RunningStack) -> None:
    form = newcomer()

    def register(_: int) -> int:
        with stack.api() as api:
            return api.post("/api/auth/register", json=form).status_code

    with ThreadPoolExecutor(6) as crowd:
        statuses = sorted(crowd.map(register, range(6)))

    assert statuses[0] == 201
    assert set(statuses) <= {201, 409}
    with psycopg.connect(stack.database_url) as database:
        (patients,) = database.execute(
            "select count(*) from public.patients where email = %s", [form["email"]]
        ).fetchone() or (0,)
    assert patients == 1


def test_an_account_left_without_a_patient_can_finish_registering(
    stack: RunningStack, api: httpx.Client
) -> None:
    form = newcomer()
    half_done = httpx.post(
        f"{stack.supabase_url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        json={"email": form["email"], "password": form["password"]},
    )
    assert half_done.status_code == 200

    signing_in = api.post("/api/auth/login", json={"email": form["email"], "password": form["password"]})
    assert (signing_in.status_code, signing_in.json()["code"]) == (403, "not_registered")
    assert api.post("/api/auth/register", json={**form, "password": "guessed-7"}).status_code == 409
    assert api.post("/api/auth/register", json=form).status_code == 201
    assert api.get("/api/patients/me").json()["name"] == "Kavita Joshi"


@pytest.mark.parametrize("email", ["admin@staff.nexus.example", "new@staff.nexus.example"])
def test_nobody_registers_as_staff(api: httpx.Client, email: str) -> None:
    assert api.post("/api/auth/register", json={**newcomer(), "email": email}).status_code == 422


def test_patients_see_only_themselves_and_staff_see_all(stack: RunningStack) -> None:
    with stack.as_patient("anjali@example.com") as anjali:
        assert (
            anjali.get("/api/patients/PAT012").json()["name"] == anjali.get("/api/patients/me").json()["name"]
        )
        another = anjali.get("/api/patients/PAT003")
        unknown = anjali.get("/api/patients/PAT99999")
    assert (another.status_code, another.json()["code"]) == (403, "forbidden")
    assert unknown.status_code == 403  # whether it exists is not said

    with stack.api(stack.staff_token("pharmacist", "pharma123")) as staff:
        assert staff.get("/api/patients/PAT003").json()["patient_id"] == "PAT003"
        assert staff.get("/api/patients/PAT99999").status_code == 404


def test_the_cookie_works_like_the_token(api: httpx.Client) -> None:
    cookie = api.post("/api/auth/login", json=ANJALI).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Secure" not in cookie  # the laptop speaks plain HTTP
    assert api.get("/api/patients/me").json()["patient_id"] == "PAT012"
    assert api.get("/api/orders").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": FRONTEND}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
def test_a_cookie_acts_only_for_our_own_pages(
    api: httpx.Client, headers: dict[str, str], status: int
) -> None:
    api.post("/api/auth/login", json=ANJALI)

    assert api.post("/api/chat", json={"message": "hello"}, headers=headers).status_code == status


def test_staff_have_a_cookie_of_their_own(api: httpx.Client) -> None:
    api.post("/api/auth/login", json=ANJALI)
    api.post("/api/admin/login", json={"username": "pharmacist", "password": "pharma123"})

    names = {"nexus_session", "nexus_staff"}
    assert set(api.cookies) == names | {f"{name}_refresh" for name in names}
    assert api.get("/api/patients/me").json()["patient_id"] == "PAT012"
