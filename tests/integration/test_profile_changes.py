"""Changing a profile: what is said is stored, what is not said stays, and no allergy is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.chatting import new_patient_token
from tests.integration.ordering import ADMIN, PHARMACIST
from tests.running_stack import RunningStack

Json = dict[str, Any]

UNSET: Json = {"name": "", "phone": "", "gender": "", "allergies": [], "preferred_store": ""}
"""What the profile page sends of a form that nobody filled in."""


class Patient:
    """A signed-in patient of one test, and their profile page."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api
        self.patient_id: str = self.profile()["patient_id"]

    def profile(self) -> Json:
        profile: Json = self.api.get("/api/patients/me").json()
        return profile

    def put(self, **fields: Any) -> httpx.Response:
        return self.api.put(f"/api/patients/{self.patient_id}", json={**UNSET, **fields})

    def change(self, **fields: Any) -> Json:
        answer = self.put(**fields)
        assert answer.status_code == 200, answer.text
        assert answer.json() == self.profile()
        changed: Json = answer.json()
        return changed

    def finds(self, product_id: str) -> set[tuple[str, str]]:
        """(code, severity) of what stands against buying a product."""
        answer = self.api.post("/api/orders", json={"items": [{"product_id": product_id, "quantity": 1}]})
        return {(f["code"], f["severity"]) for f in answer.json().get("findings", [])}


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[Patient]:
    with stack.api(new_patient_token(stack, allergies=["Penicillin", "Sulfa"])) as api:
        yield Patient(api)


@pytest.fixture
def pharmacist(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.api(stack.staff_token(*PHARMACIST)) as api:
        yield api


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


def audited(database: psycopg.Connection, patient: Patient) -> list[tuple[str, str, Json]]:
    return database.execute(
        "select action, actor_role, details from public.audit_log where patient_id = %s order by audit_id",
        [patient.patient_id],
    ).fetchall()


def waiting(pharmacist: httpx.Client, patient: Patient, status: str = "pending") -> list[Json]:
    answer = pharmacist.get("/api/admin/allergy-removals", params={"status": status})
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == len(answer.json()["removals"])
    return [each for each in answer.json()["removals"] if each["patient_id"] == patient.patient_id]


def test_a_profile_is_changed(patient: Patient, database: psycopg.Connection) -> None:
    changed = patient.change(
        name=" Kavita  Joshi ",
        phone="+91 98123-45678",
        gender="Female",
        allergies=["Penicillin", "Sulfa"],
        preferred_store="MedPlus",
    )

    assert (changed["name"], changed["phone"], changed["gender"], changed["preferred_store"]) == (
        "Kavita  Joshi",
        "+91 98123-45678",
        "Female",
        "MedPlus",
    )
    assert changed["allergies"] == ["Penicillin", "Sulfa"]
    assert audited(database, patient) == [
        (
            "patient_updated",
            "patient",
            {
                "name": {"from": "Test Patient", "to": "Kavita  Joshi"},
                "phone": {"from": None, "to": "+91 98123-45678"},
                "gender": {"from": None, "to": "Female"},
                "preferred_store": {"from": None, "to": "MedPlus"},
            },
        )
    ]


def test_a_form_that_nobody_filled_in_changes_nothing(patient: Patient, database: psycopg.Connection) -> None:
    before = patient.change(phone="+919812345678", gender="Other", preferred_store="Netmeds")
    records = audited(database, patient)

    for nothing in (UNSET, {}, dict.fromkeys(UNSET, "  "), {"name": None, "allergies": None}):
        answer = patient.api.put(f"/api/patients/{patient.patient_id}", json=nothing)
        assert (answer.status_code, answer.json()) == (200, before)
    assert patient.change(allergies=[""]) == before
    assert patient.change(allergies="") == before
    assert audited(database, patient) == records


def test_null_removes_what_may_be_missing(patient: Patient) -> None:
    patient.change(phone="+919812345678", gender="Other", preferred_store="Netmeds")

    changed = patient.change(phone=None, gender=None, preferred_store=None)

    assert (changed["phone"], changed["gender"], changed["preferred_store"]) == (None, None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 201),
        ("name", "Kavita\0"),
        ("name", "two\nlines"),
        ("name", "​"),
        ("name", 5),
        ("phone", "call me"),
        ("phone", "12345"),
        ("phone", "+91 98123 45678 98123 45678"),
        ("phone", "------"),
        ("phone", "٠١٢٣٤٥٦٧"),
        ("gender", "unknown"),
        ("gender", True),
        ("preferred_store", "Corner Shop"),
        ("preferred_store", ["MedPlus"]),
        ("allergies", ["x" * 101]),
        ("allergies", ["Dust"] * 51),
        ("allergies", ["a\0b"]),
        ("allergies", [None]),
        ("allergies", {"Penicillin": True}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_changed(patient: Patient, field: str, value: Any) -> None:
    before = patient.profile()

    answer = patient.put(**{"phone": "+919812345678", field: value})

    assert answer.status_code == 422
    assert {error["field"].split(".")[0] for error in answer.json()["errors"]} == {field}
    assert isinstance(answer.json()["error"], str)
    assert patient.profile() == before


@pytest.mark.parametrize(
    "store", ["Netmeds", "Apollo Pharmacy", "MedPlus", "Pharmeasy", "Local Pharmacy", " apollo pharmacy "]
)
def test_the_stores_of_the_page_are_stored_as_it_writes_them(patient: Patient, store: str) -> None:
    assert patient.change(preferred_store=store)["preferred_store"].lower() == store.strip().lower()


# --- allergies -------------------------------


def test_a_further_allergy_counts_at_once(patient: Patient) -> None:
    changed = patient.change(allergies=["Penicillin", "Sulfa", "Aspirin"])

    assert changed["allergies"] == ["Penicillin", "Sulfa", "Aspirin"]
    assert ("allergy", "block") in patient.finds("MED028")


def test_an_allergy_that_the_list_lacks_stands_until_a_pharmacist_agrees(
    patient: Patient, pharmacist: httpx.Client, database: psycopg.Connection
) -> None:
    patient.change(allergies=["Penicillin", "Sulfa", "Aspirin"])

    changed = patient.change(allergies=["Penicillin", "Sulfa"])

    assert changed["allergies"] == ["Penicillin", "Sulfa", "Aspirin"]
    assert changed["allergies_to_remove"] == ["Aspirin"]
    assert ("allergy", "block") in patient.finds("MED028")
    (request,) = waiting(pharmacist, patient)
    assert (request["allergy"], request["requested_by"], request["status"]) == (
        "Aspirin",
        "patient",
        "pending",
    )
    seen = pharmacist.get(f"/api/patients/{patient.patient_id}").json()
    assert seen["allergies_to_remove"] == ["Aspirin"]
    assert audited(database, patient)[-1] == (
        "allergy_removal_requested",
        "patient",
        {"requested": ["Aspirin"]},
    )


def decide(pharmacist: httpx.Client, request: Json, decision: str, reason: str = "Seen the letter.") -> Any:
    return pharmacist.put(
        f"/api/admin/allergy-removals/{request['removal_id']}", json={"decision": decision, "reason": reason}
    )


def test_a_pharmacist_removes_it_with_a_reason(
    patient: Patient, pharmacist: httpx.Client, database: psycopg.Connection
) -> None:
    patient.change(allergies=["Penicillin"])
    (request,) = waiting(pharmacist, patient)

    decided = decide(pharmacist, request, "remove", reason=" Oral challenge was negative. ")

    assert decided.status_code == 200, decided.text
    assert (decided.json()["status"], decided.json()["reason"]) == ("removed", "Oral challenge was negative.")
    assert patient.profile()["allergies"] == ["Penicillin"]
    assert patient.profile()["allergies_to_remove"] == []
    assert waiting(pharmacist, patient) == []
    assert audited(database, patient)[-1] == (
        "allergy_removal_decided",
        "pharmacist",
        {"allergy": "Sulfa", "decision": "remove", "reason": "Oral challenge was negative."},
    )
    again = decide(pharmacist, request, "keep")
    assert (again.status_code, again.json()["code"]) == (409, "removal_decided")


def test_or_keeps_it(patient: Patient, pharmacist: httpx.Client) -> None:
    patient.change(allergies=["Penicillin"])
    (request,) = waiting(pharmacist, patient)

    assert decide(pharmacist, request, "keep").json()["status"] == "kept"

    assert patient.profile()["allergies"] == ["Penicillin", "Sulfa"]
    assert patient.profile()["allergies_to_remove"] == []


def test_naming_it_again_withdraws_the_request(patient: Patient, pharmacist: httpx.Client) -> None:
    patient.change(allergies=["Penicillin"])
    (request,) = waiting(pharmacist, patient)

    changed = patient.change(allergies=["penicillin", "SULFA"])

    assert (changed["allergies"], changed["allergies_to_remove"]) == (["Penicillin", "Sulfa"], [])
    assert decide(pharmacist, request, "remove").status_code == 409
    assert patient.profile()["allergies"] == ["Penicillin", "Sulfa"]


def test_asking_twice_is_one_request(patient: Patient, pharmacist: httpx.Client) -> None:
    patient.change(allergies=["Penicillin"])
    patient.change(allergies=["Penicillin"], phone="+919812345678")

    assert len(waiting(pharmacist, patient)) == 1


def test_saying_none_asks_to_remove_them_all(patient: Patient, pharmacist: httpx.Client) -> None:
    changed = patient.change(allergies=["None"])

    assert changed["allergies"] == changed["allergies_to_remove"] == ["Penicillin", "Sulfa"]
    assert len(waiting(pharmacist, patient)) == 2


@pytest.mark.parametrize(
    ("said", "known"), [([], None), ([""], None), (["none"], []), (["Dust"], ["Dust"]), ("नहीं", [])]
)
def test_an_empty_list_is_no_answer_to_a_question_never_asked(
    stack: RunningStack, said: Any, known: list[str] | None
) -> None:
    with stack.api(new_patient_token(stack, allergies=None)) as api:
        assert Patient(api).change(allergies=said)["allergies"] == known


def test_an_allergy_in_a_script_that_nobody_here_reads_is_kept_and_asked_about(stack: RunningStack) -> None:
    with stack.api(new_patient_token(stack, allergies=[])) as api:
        patient = Patient(api)

        assert patient.change(allergies=["பென்சிலின்"])["allergies"] == ["பென்சிலின்"]
        assert patient.change(allergies=["பென்சிலின்", "ஆஸ்பிரின்"])["allergies_to_remove"] == []
        assert len(patient.profile()["allergies"]) == 2
        assert ("allergy", "warn") in patient.finds("MED001") | {
            (warning["code"], "warn")
            for item in api.get("/api/orders").json()["orders"][0]["items"]
            for warning in item["warnings"]
        }


def test_changes_at_once_lose_nothing(patient: Patient) -> None:
    added = [f"Allergen {letter}" for letter in "ABCDEFGH"]

    with ThreadPoolExecutor(8) as crowd:
        statuses = list(crowd.map(lambda each: patient.put(allergies=[each]).status_code, added))

    assert statuses == [200] * 8
    assert set(patient.profile()["allergies"]) == {"Penicillin", "Sulfa", *added}


# --- whose -------------------------------


def test_nobody_changes_another_patient(stack: RunningStack, patient: Patient) -> None:
    with stack.api(new_patient_token(stack)) as api:
        somebody = Patient(api)
    with stack.api(new_patient_token(stack)) as api:
        theirs = api.put(f"/api/patients/{somebody.patient_id}", json={"name": "Mine"})
        nobodys = api.put("/api/patients/PAT99999", json={"name": "Mine"})

    assert {theirs.status_code, nobodys.status_code} == {403}
    assert {**theirs.json(), "instance": ""} == {**nobodys.json(), "instance": ""}


def test_staff_change_a_patient_in_their_own_name(
    patient: Patient, pharmacist: httpx.Client, database: psycopg.Connection
) -> None:
    answer = pharmacist.put(
        f"/api/patients/{patient.patient_id}", json={**UNSET, "name": "Kavita J.", "allergies": ["Sulfa"]}
    )

    assert answer.status_code == 200
    assert answer.json()["allergies"] == ["Penicillin", "Sulfa"]  # not even a pharmacist, in passing
    assert {role for _, role, _ in audited(database, patient)} == {"pharmacist"}
    assert waiting(pharmacist, patient)[0]["requested_by"] == "staff"
    assert pharmacist.put("/api/patients/PAT99999", json=UNSET).status_code == 404


def test_only_a_pharmacist_decides(stack: RunningStack, patient: Patient, pharmacist: httpx.Client) -> None:
    patient.change(allergies=["Penicillin"])
    (request,) = waiting(pharmacist, patient)

    with stack.api(stack.staff_token(*ADMIN)) as admin:
        assert len(waiting(admin, patient)) == 1
        assert decide(admin, request, "remove").status_code == 403
    assert decide(patient.api, request, "remove").status_code == 403
    assert patient.api.get("/api/admin/allergy-removals").status_code == 403
    assert decide(pharmacist, request, "forget").status_code == 422
    assert decide(pharmacist, request, "remove", reason="  ").status_code == 422
    assert decide(pharmacist, {"removal_id": 10**12}, "remove").status_code == 404
    assert decide(pharmacist, {"removal_id": 10**30}, "remove").status_code == 422
    assert patient.profile()["allergies_to_remove"] == ["Sulfa"]


@pytest.mark.parametrize(
    "changes",
    [
        None,
        [],
        "name",
        {"name": ""},
        {"name": None},
        {"name": "x" * 201},
        {"phone": "1" * 41},
        {"phone": 5},
        {"gender": "female"},
        {"preferred_store": ""},
        {"allergies": "Penicillin"},
        {"allergies": ["Dust"] * 30000},
        {"allergies": [f"Allergen {number}" for number in range(200)]},
    ],
)
def test_past_the_functions_the_database_checks_again(
    stack: RunningStack, patient: Patient, changes: Any
) -> None:
    before = patient.profile()
    token = patient.api.headers["authorization"].removeprefix("Bearer ")

    with stack.rest(token) as rest:
        answer = rest.post("/rpc/update_patient", json={"p_changes": changes})

    assert answer.status_code in (400, 422), answer.text
    assert patient.profile() == before


def test_past_the_functions_the_caller_cannot_make_themselves_somebody_else(
    stack: RunningStack, patient: Patient
) -> None:
    token = patient.api.headers["authorization"].removeprefix("Bearer ")
    changes: Json = {"patient_id": "PAT001", "user_id": None, "email": "x@example.com", "conditions": []}
    before = patient.profile()

    with stack.rest(token) as rest:
        assert rest.post("/rpc/update_patient", json={"p_changes": changes}).status_code == 200

    assert patient.profile() == before
