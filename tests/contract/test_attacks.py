"""Hostile requests at every route of the document: text that would be SQL, filters or headers somewhere, and
too much of everything. What comes of it is an answer of the contract, soon, and nobody else's data.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from tests.contract.document import OPERATIONS, Operation
from tests.contract.people import Newcomer, newcomer, staff_tokens
from tests.contract.sending import PAGE
from tests.contract.stored import stored_about
from tests.database.test_access import OWN
from tests.running_stack import RunningStack

Json = dict[str, Any]

PAYLOADS = (
    "x' or '1'='1'; select pg_sleep(9); --",
    "*,patient_id.neq.x),or(patient_id.not.is.null",
    "\r\nx-injected: 1\r\n\r\n",
    "%' union select email from public.patients --",
)
_SOON_SECONDS = 7
EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
TAKE_ANYTHING = {"/api/auth/refresh", "/api/auth/logout", "/api/patients/me", "/api/patients/{patient_id}"}
"""Routes without a field that must be there: unknown ones are passed over."""
WITH_JSON = [one for one in OPERATIONS if one.media_type == "application/json"]


@dataclass(frozen=True)
class Scene:
    bystander: Newcomer
    clients: dict[str, httpx.Client]


@pytest.fixture(scope="module")
def scene(stack: RunningStack) -> Iterator[Scene]:
    tokens = {"patient": newcomer(stack).token, **staff_tokens(stack)}
    clients = {role: stack.api(token) for role, token in tokens.items()}
    clients["guest"] = clients["partner"] = stack.api()
    yield Scene(newcomer(stack), clients)
    for client in clients.values():
        client.close()


def requests_of(operation: Operation) -> Iterator[Json]:
    """The example request with each of its texts replaced by each payload, one at a time."""
    address, body = operation.address({}), operation.body()
    for payload in PAYLOADS:
        for name in operation.path_parameters:
            yield {"url": operation.address({name: quoted(payload)}), **content(operation, body)}
        for parameter in operation.spec.get("parameters", []):
            if parameter["in"] == "query":
                yield {"url": address, "params": {parameter["name"]: payload}, **content(operation, body)}
        for changed in with_text(body, payload):
            yield {"url": address, **content(operation, changed)}


def quoted(text: str) -> str:
    return str(httpx.QueryParams({"x": text}))[2:].replace("+", "%20")


def with_text(value: Any, payload: str) -> Iterator[Any]:
    """Copies of a JSON value, each with one of its texts replaced."""
    if isinstance(value, str):
        yield payload
    elif isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            for inner in with_text(value[key], payload):
                changed = copy.copy(value)
                changed[key] = inner
                yield changed


def content(operation: Operation, body: Any) -> Json:
    if body is None:
        return {}
    if operation.media_type == "multipart/form-data":
        return {"files": {name: PAGE if value == "" else (None, value) for name, value in body.items()}}
    return {"json": body}


@EVERY_OPERATION
def test_text_that_means_something_elsewhere_means_nothing_here(
    stack: RunningStack, scene: Scene, operation: Operation
) -> None:
    role = next(
        role for role in ("patient", "guest", "pharmacist", "admin", "partner") if role in operation.callers
    )
    before = stored_about(stack, scene.bystander.patient_id)

    for request in requests_of(operation):
        answer = scene.clients[role].request(operation.method, **request)
        said = f"{operation.name} {request}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, said
        assert answer.elapsed.total_seconds() < _SOON_SECONDS, said
        assert "x-injected" not in answer.headers, said
        if role in ("patient", "guest"):
            assert scene.bystander.email not in answer.text, said

    assert stored_about(stack, scene.bystander.patient_id) == before


@pytest.mark.parametrize("operation", WITH_JSON, ids=lambda operation: operation.name)
def test_too_much_of_anything_is_refused(scene: Scene, operation: Operation) -> None:
    role = next(iter(sorted(operation.callers)))
    client, address = scene.clients[role], operation.address({})
    json_type = {"content-type": "application/json"}
    nested = b"[" * 60_000 + b"]" * 60_000
    long_number = b'{"quantity": ' + b"9" * 5_000 + b"}"
    wide = b'{"items": [' + b",".join([b"{}"] * 20_000) + b"]}"

    answer = client.request(
        operation.method, address, content=b'"' + b"x" * 300_000 + b'"', headers=json_type
    )
    assert answer.status_code == 413, answer.text[:200]
    for body in (nested, long_number):
        answer = client.request(operation.method, address, content=body, headers=json_type)
        said = f"{body[:20]!r}: {answer.status_code} {answer.text[:200]}"
        assert 400 <= answer.status_code < 500 or operation.path in TAKE_ANYTHING, said
        assert answer.elapsed.total_seconds() < _SOON_SECONDS, said
    # A field that a route does not know is passed over; what matters is that it does not hurt.
    answer = client.request(operation.method, address, content=wide, headers=json_type)
    assert answer.status_code < 500, answer.text[:200]
    assert answer.elapsed.total_seconds() < _SOON_SECONDS


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "/api/products", "params": {"search": "x" * 15_000}},
        {"url": "/api/products/" + "x" * 7_000},
        {"url": "/api/orders", "headers": {"Idempotency-Key": "x" * 7_000}},
        {"url": "/api/orders", "headers": {"x-request-id": "x" * 7_000}},
        {"url": "/api/products", "params": {f"p{number}": "1" for number in range(500)}},
        {"url": "/api/orders", "headers": {"Cookie": "; ".join(f"c{number}=1" for number in range(400))}},
    ],
    ids=lambda request: str(request)[:50],
)
def test_long_addresses_and_headers_break_nothing(scene: Scene, request_: Json) -> None:
    answer = scene.clients["patient"].get(**request_)

    assert answer.status_code < 500, answer.text[:300]
    assert len(answer.headers["x-request-id"]) <= 100


GIFTS: Json = {
    "price": 0.01,
    "unit_price": 0.01,
    "line_total": 0.01,
    "total": 0.01,
    "total_price": 0.01,
    "status": "delivered",
    "placed_by": "staff",
    "role": "admin",
    "is_staff": True,
    "user_id": "00000000-0000-0000-0000-000000000000",
    "order_id": "ORD001",
    "prescription_id": "RX001",
    "reviewed_by": "00000000-0000-0000-0000-000000000000",
    "dispensed_units": -1000,
    "erased_at": "2020-01-01T00:00:00Z",
}


def test_an_order_takes_no_price_and_no_status_from_its_sender(stack: RunningStack) -> None:
    with stack.api(newcomer(stack).token) as api:
        item = {"product_id": "MED021", "quantity": 1}
        fair = api.post("/api/orders", json={"items": [item]}).json()
        greedy = api.post("/api/orders", json={**GIFTS, "items": [{**GIFTS, **item}]})

        if greedy.status_code == 201:
            order = greedy.json()
            assert order["total_price"] == fair["total_price"]
            assert order["status"] == fair["status"]
            assert order["order_id"] not in ("ORD001", fair["order_id"])
        else:
            assert greedy.status_code == 422, greedy.text


def test_a_patient_who_hands_a_prescription_in_does_not_verify_it(stack: RunningStack) -> None:
    item = {
        "ingredient": "Metformin",
        "strength": "500 mg",
        "units": 10,
        "repeats": 0,
        "dosage_frequency": "once_daily",
        "units_per_dose": 1,
    }
    with stack.api(newcomer(stack).token) as api:
        gifts = {**GIFTS, "status": "verified"}
        handed_in = api.post("/api/prescriptions", json={**gifts, "items": [{**gifts, **item}]})
        listed = api.get("/api/prescriptions").json()["prescriptions"]

    assert handed_in.status_code in (201, 422), handed_in.text
    assert {one["status"] for one in listed} <= {"pending"}
    assert all(line["dispensed_units"] == 0 for one in listed for line in one["items"])


def test_nobody_registers_or_edits_themselves_into_the_staff(stack: RunningStack) -> None:
    patient = newcomer(stack)
    with stack.api(patient.token) as api:
        form = {"name": "Kavita", "phone": "", "gender": "", "allergies": [], "preferred_store": ""}
        changed = api.put("/api/patients/me", json={**GIFTS, "email": "admin@example.com", **form})
        assert changed.status_code in (200, 422), changed.text
        assert api.get("/api/admin/orders").status_code == 403
        assert api.get("/api/patients/me").json()["email"] == patient.email
    with psycopg.connect(stack.database_url) as database:
        row = database.execute(
            "select user_id::text, erased_at from public.patients where patient_id = %s", [patient.patient_id]
        ).fetchone()
    assert row
    assert row[0] != GIFTS["user_id"]
    assert row[1] is None


ODD_FILTERS = (
    "patient_id=neq.{own}",
    "or=(patient_id.eq.{own},patient_id.neq.{own})",
    "and=(patient_id.not.is.null)",
    "patient_id=not.eq.{own}&select=*",
    "patient_id=in.(PAT001,PAT002,PAT003)",
    "select=*,patients(*)",
    "select=patient_id,orders(patient_id),messages(body)",
    "select=patient_id.count()",
    "limit=1000&offset=0&order=patient_id.desc",
)


@pytest.mark.parametrize("table", sorted(OWN))
def test_no_filter_of_postgrest_shows_a_patient_another_ones_rows(
    stack: RunningStack, table: str, rest: httpx.Client, anjali: str
) -> None:
    with psycopg.connect(stack.database_url) as database:
        others = {row[0] for row in database.execute("select patient_id from public.patients")} - {anjali}
    for odd in ODD_FILTERS:
        answer = rest.get(f"/{table}?{odd.format(own=anjali)}", headers={"Prefer": "count=exact"})
        assert answer.status_code < 500, f"{odd}: {answer.text[:300]}"
        told = {other for other in others if f'"{other}"' in answer.text}
        assert told == set(), f"{table}?{odd}"


@pytest.mark.parametrize("table", sorted(OWN))
def test_no_verb_of_postgrest_changes_a_row(
    stack: RunningStack, table: str, rest: httpx.Client, anjali: str
) -> None:
    before = stored_about(stack, anjali)

    for method, more in (
        ("POST", {"headers": {"Prefer": "resolution=merge-duplicates"}, "json": [{"patient_id": anjali}]}),
        ("PATCH", {"json": {"patient_id": "PAT001"}}),
        ("PUT", {"json": {"patient_id": anjali}}),
        ("DELETE", {}),
    ):
        answer = rest.request(method, f"/{table}?patient_id=eq.{anjali}", **more)
        assert 400 <= answer.status_code < 500, f"{method}: {answer.status_code} {answer.text[:200]}"

    assert stored_about(stack, anjali) == before


@pytest.fixture(scope="module")
def rest(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.rest(stack.patient_token("anjali@example.com")) as client:
        yield client


@pytest.fixture(scope="module")
def anjali(stack: RunningStack) -> str:
    with stack.as_patient("anjali@example.com") as api:
        patient_id: str = api.get("/api/patients/me").json()["patient_id"]
    return patient_id
