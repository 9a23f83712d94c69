"""Exporting, erasing and forgetting over the running stack, with real accounts and files."""

from __future__ import annotations

import psycopg
import pytest

from tests.contract.people import Newcomer, newcomer
from tests.integration.chatting import Conversation
from tests.integration.ordering import ADMIN, as_staff, buy, placed
from tests.integration.uploads import upload
from tests.running_stack import RunningStack
from tests.specimens import picture


@pytest.fixture
def somebody(stack: RunningStack) -> Newcomer:
    """A patient with words, a file and a delivered order."""
    patient = newcomer(stack)
    with stack.api(patient.token) as api:
        Conversation(api).say("do you have anything for a cold")
        order_id = placed(buy(api, ("MED032", 1)))["order_id"]
        assert upload(api, picture()).status_code in (200, 201)
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        for status in ("processing", "shipped", "delivered"):
            database.execute("update public.orders set status = %s where order_id = %s", [status, order_id])
    return patient


def test_a_patient_takes_everything_and_is_then_erased_with_account_and_files(
    stack: RunningStack, somebody: Newcomer
) -> None:
    path = f"/api/patients/{somebody.patient_id}"
    with stack.api(somebody.token) as api:
        export = api.get(f"{path}/export").json()
        assert {"patients", "messages", "orders", "prescription_uploads"} <= export["tables"].keys()
        assert len(export["files"]) == 1
        mistaken = api.post(f"{path}/erasure", json={"confirm": "PAT001"})
        assert (mistaken.status_code, mistaken.json()["code"]) == (422, "not_confirmed")

        erased = api.post(f"{path}/erasure", json={"confirm": somebody.patient_id})
        assert erased.status_code == 200, erased.text
        assert erased.json()["kept"] == {"orders": 1, "register_entries": 0}
        assert api.get("/api/patients/me").status_code == 403
    with stack.api() as guest:
        credentials = {"email": somebody.email, "password": "monsoon-7"}
        assert guest.post("/api/auth/login", json=credentials).status_code == 401
        again = {**credentials, "name": "Kavita Joshi", "phone": "+919812345678"}
        registered = guest.post("/api/auth/register", json=again)
        assert registered.status_code == 201, registered.text
        assert registered.json()["patient_id"] != somebody.patient_id

    [file_path] = [row["file_path"] for row in export["tables"]["prescription_uploads"]]
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        stored = "select count(*)::int from storage.objects where name = %s"
        assert database.execute(stored, [file_path]).fetchone() == (1,)
        outcome = stack.invoke("retention", {})
        assert outcome["finished"], outcome
        assert outcome["files_removed"] >= 1
        assert database.execute(stored, [file_path]).fetchone() == (0,)


def test_nothing_is_erased_while_an_order_is_on_its_way(stack: RunningStack) -> None:
    patient = newcomer(stack)
    with stack.api(patient.token) as api:
        placed(buy(api, ("MED032", 1)))
        path = f"/api/patients/{patient.patient_id}/erasure"
        refused = api.post(path, json={"confirm": patient.patient_id})

        assert (refused.status_code, refused.json()["code"]) == (409, "orders_under_way")
        assert api.get("/api/patients/me").json()["email"] == patient.email


def test_an_admin_erases_for_a_patient(stack: RunningStack, somebody: Newcomer) -> None:
    with as_staff(stack, ADMIN) as admin:
        path = f"/api/patients/{somebody.patient_id}"
        assert admin.get(f"{path}/export").status_code == 200
        erased = admin.post(f"{path}/erasure", json={"confirm": somebody.patient_id})
        assert erased.status_code == 200, erased.text
        profile = admin.get(path).json()
        lines = [
            line
            for line in admin.get("/api/admin/orders?limit=200").json()["orders"]
            if line["patient_id"] == somebody.patient_id
        ]

    assert (profile["name"], profile["phone"], profile["allergies"]) == ("Erased patient", None, None)
    assert [line["patient_name"] for line in lines] == ["Erased patient"]
