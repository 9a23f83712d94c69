"""Every route and everybody who may not call it: the right refusal, and nothing changed.

The routes come from the OpenAPI document, so a new one is tested as soon as it is described, and the unit
tests leave none undescribed. Who may call is `x-callers`, declared beside the route with `@callable_by`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from tests.contract.document import OPERATIONS, Operation
from tests.contract.owned import EVERYBODYS, OWNED
from tests.contract.people import Newcomer, bad_tokens, newcomer, staff_tokens, stranger_token
from tests.contract.sending import send
from tests.contract.stored import stored_about
from tests.running_stack import RunningStack

FRONTEND = "http://localhost:3001"
ELSEWHERE = "https://evil.example"

FOR_SOMEBODY = [one for one in OPERATIONS if not {"guest", "partner"} & one.callers]
FOR_THE_PARTNER = [one for one in OPERATIONS if "partner" in one.callers]
FOR_PATIENTS = [one for one in FOR_SOMEBODY if "patient" in one.callers]
ABOUT_SOMETHING = [one for one in FOR_PATIENTS if one.path_parameters]
NAMING_A_PATIENT = [
    one
    for one in FOR_PATIENTS
    if one.media_type and "patient_id" in one.resolve(one.body_schema).get("properties", {})
]


def named(operation: Operation) -> str:
    return operation.name


@dataclass(frozen=True)
class Cast:
    owner: Newcomer
    other: Newcomer
    tokens: dict[str, str]
    """By role: `patient` is the owner; `stranger` has an account and nothing else."""


@pytest.fixture(scope="module")
def cast(stack: RunningStack) -> Cast:
    owner, other = newcomer(stack), newcomer(stack)
    return Cast(
        owner,
        other,
        {"patient": owner.token, "stranger": stranger_token(stack), **staff_tokens(stack)},
    )


def ids_of(operation: Operation, owner: httpx.Client) -> dict[str, str]:
    return {name: OWNED[name](owner) for name in operation.path_parameters if name in OWNED}


@pytest.fixture
def nothing_changes(stack: RunningStack, cast: Cast) -> Iterator[Callable[[], None]]:
    """Call it when the scene is set: what is stored about the owner must be the same when the test ends."""
    before: list[dict[str, str]] = []
    yield lambda: before.append(stored_about(stack, cast.owner.patient_id))
    after = stored_about(stack, cast.owner.patient_id)
    assert {table: (rows, after[table]) for table, rows in before[0].items() if rows != after[table]} == {}


def assert_refused(answer: httpx.Response, operation: Operation, *statuses: int) -> None:
    assert answer.status_code in statuses, f"{operation.name}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert answer.json()["error"]
    documented = operation.spec["responses"][str(answer.status_code)]
    schema = operation.resolve(documented)["content"]["application/problem+json"]["schema"]
    assert operation.errors_of(answer.json(), schema) == []
    if answer.status_code == 401:
        scheme = "StandardWebhooks" if operation in FOR_THE_PARTNER else "Bearer"
        assert answer.headers["www-authenticate"].startswith(scheme)


@pytest.mark.parametrize("operation", FOR_SOMEBODY, ids=named)
def test_without_a_token_it_is_401(stack: RunningStack, operation: Operation) -> None:
    with stack.api() as guest:
        assert_refused(send(guest, operation), operation, 401)


@pytest.mark.parametrize("operation", FOR_SOMEBODY, ids=named)
def test_with_a_bad_token_it_is_401(stack: RunningStack, cast: Cast, operation: Operation) -> None:
    bad = bad_tokens(stack, cast.tokens[min(operation.callers)])
    with stack.api() as nobody:
        for kind, token in bad.items():
            answer = send(nobody, operation, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, f"{kind}: {answer.status_code} {answer.text}"
            assert_refused(answer, operation, 401)


@pytest.mark.parametrize("operation", FOR_SOMEBODY, ids=named)
def test_with_a_bad_cookie_it_is_401(stack: RunningStack, cast: Cast, operation: Operation) -> None:
    bad = bad_tokens(stack, cast.tokens[min(operation.callers)])
    with stack.api() as nobody:
        for cookie in ("nexus_session", "nexus_staff"):
            for kind in ("expired", "forged", "alg none"):
                headers = {"Cookie": f"{cookie}={bad[kind]}", "Origin": FRONTEND}
                answer = send(nobody, operation, headers=headers)
                assert answer.status_code == 401, f"{kind}: {answer.status_code} {answer.text}"
                assert_refused(answer, operation, 401)


@pytest.mark.parametrize("operation", FOR_SOMEBODY, ids=named)
def test_a_bad_token_is_not_rescued_by_a_good_cookie(
    stack: RunningStack, cast: Cast, operation: Operation
) -> None:
    good = cast.tokens[min(operation.callers)]
    with stack.api("garbage") as nobody:
        nobody.headers.update({"Cookie": f"nexus_session={good}; nexus_staff={good}", "Origin": FRONTEND})
        assert_refused(send(nobody, operation), operation, 401)


@pytest.mark.parametrize(
    "operation", [one for one in FOR_SOMEBODY if one.method not in ("GET", "HEAD")], ids=named
)
def test_a_cookie_on_a_request_of_a_foreign_page_is_403(
    stack: RunningStack, cast: Cast, operation: Operation, nothing_changes: Callable[[], None]
) -> None:
    good = cast.tokens[min(operation.callers)]
    cookies = {"Cookie": f"nexus_session={good}; nexus_staff={good}"}
    with stack.api(cast.owner.token) as owner:
        ids = ids_of(operation, owner)
    nothing_changes()

    with stack.api() as page:
        for origin in (None, ELSEWHERE, "null", f"{FRONTEND}.evil.example"):
            headers = {**cookies, "Origin": origin} if origin else cookies
            answer = send(page, operation, ids, headers=headers)
            assert_refused(answer, operation, 403)
            assert answer.json()["code"] == "foreign_origin"


@pytest.mark.parametrize(
    ("operation", "role"),
    [
        pytest.param(operation, role, id=f"{operation.name} by {role}")
        for operation in FOR_SOMEBODY
        for role in ("patient", "pharmacist", "admin")
        if role not in operation.callers
    ],
)
def test_the_wrong_role_is_403(
    stack: RunningStack, cast: Cast, operation: Operation, role: str, nothing_changes: Callable[[], None]
) -> None:
    with stack.api(cast.owner.token) as owner:
        ids = ids_of(operation, owner)
    nothing_changes()

    with stack.api(cast.tokens[role]) as caller:
        assert_refused(send(caller, operation, ids), operation, 403)


@pytest.mark.parametrize("operation", FOR_SOMEBODY, ids=named)
def test_an_account_that_is_nobodys_here_gets_nothing(
    stack: RunningStack, cast: Cast, operation: Operation, nothing_changes: Callable[[], None]
) -> None:
    with stack.api(cast.owner.token) as owner:
        ids = ids_of(operation, owner)
    nothing_changes()

    with stack.api(cast.tokens["stranger"]) as caller:
        assert_refused(send(caller, operation, ids), operation, 403, *([404] if ids else []))


@pytest.mark.parametrize("operation", ABOUT_SOMETHING, ids=named)
def test_what_is_another_patients_is_refused_like_what_is_not_there(
    stack: RunningStack, cast: Cast, operation: Operation, nothing_changes: Callable[[], None]
) -> None:
    assert set(operation.path_parameters) <= OWNED.keys() | EVERYBODYS, "say in owned.py whose it is"
    with stack.api(cast.owner.token) as owner:
        ids = ids_of(operation, owner)
    if not ids:
        pytest.skip("about nobody's own")
    made_up = {name: str(uuid4()) if "-" in value else value + "9" for name, value in ids.items()}
    nothing_changes()

    with stack.api(cast.other.token) as other:
        theirs = send(other, operation, ids)
        nobodys = send(other, operation, made_up)

    assert_refused(theirs, operation, 403 if "patient_id" in ids else 404)
    told = [{**each.json(), "instance": None} for each in (theirs, nobodys)]
    assert told[0] == told[1]


@pytest.mark.parametrize("operation", NAMING_A_PATIENT, ids=named)
def test_nobody_acts_for_another_patient(
    stack: RunningStack, cast: Cast, operation: Operation, nothing_changes: Callable[[], None]
) -> None:
    nothing_changes()

    with stack.api(cast.other.token) as other:
        answer = send(other, operation, body={"patient_id": cast.owner.patient_id})

    assert_refused(answer, operation, 403)


@pytest.mark.parametrize("operation", FOR_THE_PARTNER, ids=named)
@pytest.mark.parametrize("role", [None, "patient", "pharmacist", "admin"])
def test_no_token_stands_for_the_partners_signature(
    stack: RunningStack, cast: Cast, operation: Operation, role: str | None
) -> None:
    with stack.api(cast.tokens[role] if role else None) as caller:
        assert_refused(send(caller, operation), operation, 401)


@pytest.mark.parametrize(
    ("operation", "role"),
    [
        pytest.param(operation, role, id=f"{operation.name} by {role}")
        for operation in FOR_SOMEBODY
        for role in sorted(operation.callers)
    ],
)
def test_who_may_call_is_not_refused(
    stack: RunningStack, cast: Cast, operation: Operation, role: str
) -> None:
    """Otherwise a route that refuses everybody would pass all of the above."""
    with stack.api(cast.owner.token) as owner:
        ids = ids_of(operation, owner)
    names_patient = operation in NAMING_A_PATIENT and role != "patient"

    with stack.api(cast.tokens[role]) as caller:
        body = {"patient_id": cast.owner.patient_id} if names_patient else None
        answer = send(caller, operation, ids, body=body)

    assert answer.status_code not in (401, 403), answer.text
    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in operation.spec["responses"], answer.text
