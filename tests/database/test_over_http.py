"""The same walls where a browser meets them: PostgREST with the publishable key and a patient's own token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.running_stack import RunningStack

ANJALI, RAHUL = "anjali@example.com", "rahul@example.com"
ORS, CETIRIZINE = "MED021", "MED005"
OWN_TABLES = ["patients", "orders", "messages", "prescriptions", "proposals", "decisions", "conversations"]

Json = dict[str, Any]


@pytest.fixture
def anjali(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.rest(stack.patient_token(ANJALI)) as client:
        yield client


@pytest.fixture
def rahul(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.rest(stack.patient_token(RAHUL)) as client:
        yield client


@pytest.fixture
def guest(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.rest() as client:
        yield client


def turn(act: str, **more: object) -> Json:
    """The arguments of chat_turn for a turn in a new conversation; a value of None leaves a field out."""
    usual = {
        "act": act,
        "message": "one please",
        "language": "en",
        "conversation_id": str(uuid4()),
        "trace_id": str(uuid4()),
        "state": {},
        "reply": {"said": [], "notes": []},
    }
    return {"p_turn": {name: value for name, value in {**usual, **more}.items() if value is not None}}


def take(client: httpx.Client, act: str, **more: object) -> httpx.Response:
    return client.post("/rpc/chat_turn", json=turn(act, **more))


def propose(client: httpx.Client, product_id: str = ORS) -> Json:
    """A card for one pack in a new conversation."""
    answer = take(client, "propose", items=[{"product_id": product_id, "packs": 1}])
    assert answer.status_code == 200, answer.text
    proposed: Json = answer.json()
    return proposed


def orders(client: httpx.Client) -> set[str]:
    return {row["order_id"] for row in client.get("/orders", params={"select": "order_id"}).json()}


@pytest.mark.parametrize("table", OWN_TABLES)
def test_a_patient_reads_only_their_own_rows(anjali: httpx.Client, rahul: httpx.Client, table: str) -> None:
    propose(anjali)
    propose(rahul)

    seen = anjali.get(f"/{table}", params={"select": "patient_id"}).json()

    assert {row["patient_id"] for row in seen} <= {"PAT012"}
    assert anjali.get(f"/{table}", params={"patient_id": "eq.PAT001"}).json() == []


@pytest.mark.parametrize("table", OWN_TABLES)
def test_a_guest_reads_none_of_it(guest: httpx.Client, table: str) -> None:
    assert guest.get(f"/{table}").status_code == 401


@pytest.mark.parametrize("table", OWN_TABLES)
def test_no_row_is_changed_past_the_functions(anjali: httpx.Client, table: str) -> None:
    for patient_id in ("PAT001", "PAT012"):
        rows = {"patient_id": f"eq.{patient_id}"}
        assert anjali.patch(f"/{table}", params=rows, json={"patient_id": "PAT012"}).status_code == 403
        assert anjali.delete(f"/{table}", params=rows).status_code == 403
    assert anjali.post(f"/{table}", json={"patient_id": "PAT012"}).status_code == 403


@pytest.mark.parametrize("table", ["outbox_events", "order_counter"])
def test_what_is_the_services_is_closed(anjali: httpx.Client, table: str) -> None:
    assert anjali.get(f"/{table}").status_code == 403


def test_lots_stay_with_the_staff(stack: RunningStack, anjali: httpx.Client) -> None:
    assert anjali.get("/product_batches").json() == []
    with stack.rest(stack.staff_token("pharmacist", "pharma123")) as pharmacist:
        assert pharmacist.get("/product_batches").json() != []


def test_embedding_leads_to_no_other_patient(anjali: httpx.Client, guest: httpx.Client) -> None:
    bought = {"select": "product_id,order_items(order_id)", "product_id": "eq.MED003"}

    assert anjali.get("/products", params=bought).json() == [{"product_id": "MED003", "order_items": []}]
    assert guest.get("/products", params=bought).status_code == 401


@pytest.mark.parametrize("schema", ["private", "auth", "storage", "pg_catalog"])
def test_other_schemas_are_not_served(anjali: httpx.Client, schema: str) -> None:
    assert anjali.get("/patients", headers={"Accept-Profile": schema}).status_code == 406
    assert anjali.post("/rpc/place_order", json={}, headers={"Content-Profile": schema}).status_code == 406


def test_no_private_function_answers(stack: RunningStack, anjali: httpx.Client) -> None:
    with psycopg.connect(stack.database_url) as database:
        private = database.execute(
            "select distinct proname from pg_catalog.pg_proc where pronamespace = 'private'::regnamespace"
        ).fetchall()
    assert private

    answers = {name: anjali.post(f"/rpc/{name}", json={}).status_code for (name,) in private}

    assert set(answers.values()) == {404}, answers


def test_a_second_registration_changes_nothing(anjali: httpx.Client) -> None:
    before = anjali.post("/rpc/patient_profile", json={}).json()

    again = anjali.post(
        "/rpc/register_patient",
        json={"p_name": "Somebody Else", "p_age": 99, "p_allergies": [], "p_phone": "1"},
    )

    assert again.status_code == 200
    assert again.json()["name"] == before["name"]
    assert anjali.post("/rpc/patient_profile", json={}).json() == before


@pytest.mark.parametrize(
    ("function", "arguments", "status"),
    [
        ("patient_profile", {"p_patient_id": "PAT001"}, 403),
        ("patient_profile", {"p_patient_id": "PAT999999"}, 403),
        ("verify_cart", {"p_patient_id": "PAT001", "p_items": [{"product_id": ORS, "packs": 1}]}, 403),
        ("chat_context", {"p_patient_id": "PAT001", "p_words": []}, 403),
        ("chat_turn", {"p_patient_id": "PAT001", **turn("say")}, 403),
        ("get_conversation", {"p_conversation_id": str(uuid4())}, 404),
        ("get_decisions", {"p_trace_id": str(uuid4())}, 404),
        ("list_refills", {"p_patient_id": "PAT001"}, 403),
        ("propose_refill", {"p_patient_id": "PAT001"}, 403),
        (
            "discontinue_medicine",
            {"p_patient_id": "PAT001", "p_product_id": "MED003", "p_reason": "for them"},
            403,
        ),
    ],
)
def test_functions_serve_nobody_elses_patient(
    anjali: httpx.Client, function: str, arguments: Json, status: int
) -> None:
    assert anjali.post(f"/rpc/{function}", json=arguments).status_code == status


@pytest.mark.parametrize(
    "function", ["chat_turn", "chat_context", "verify_cart", "list_orders", "patient_profile", "get_order"]
)
def test_guests_cannot_call_what_is_for_patients(guest: httpx.Client, function: str) -> None:
    arguments = {
        "chat_turn": turn("say"),
        "chat_context": {"p_words": []},
        "verify_cart": {"p_items": []},
        "get_order": {"p_order_id": "ORD001"},
    }
    assert guest.post(f"/rpc/{function}", json=arguments.get(function, {})).status_code == 401


def test_another_patients_conversation_does_not_exist(anjali: httpx.Client, rahul: httpx.Client) -> None:
    theirs = propose(rahul, CETIRIZINE)
    conversation_id, card = theirs["conversation_id"], theirs["card"]
    said = rahul.post("/rpc/get_conversation", json={"p_conversation_id": conversation_id}).json()

    read = anjali.post("/rpc/get_conversation", json={"p_conversation_id": conversation_id})
    context = anjali.post("/rpc/chat_context", json={"p_words": [], "p_conversation_id": conversation_id})
    spoken = take(anjali, "say", conversation_id=conversation_id)
    confirmed = take(
        anjali,
        "confirm",
        conversation_id=conversation_id,
        proposal_id=card["proposal_id"],
        digest=card["digest"],
    )

    assert {read.status_code, context.status_code, spoken.status_code, confirmed.status_code} == {404}
    assert rahul.post("/rpc/get_conversation", json={"p_conversation_id": conversation_id}).json() == said


def test_another_patients_proposal_is_nothing_to_confirm(anjali: httpx.Client, rahul: httpx.Client) -> None:
    card = propose(rahul, CETIRIZINE)["card"]
    before = orders(anjali), orders(rahul)

    answer = take(anjali, "confirm", proposal_id=card["proposal_id"], digest=card["digest"])

    assert answer.json()["outcome"] == "nothing_open"
    assert (orders(anjali), orders(rahul)) == before


@pytest.mark.parametrize("digest", ["0" * 64, "", 7, {}, None])
def test_without_its_digest_a_proposal_is_not_placed(anjali: httpx.Client, digest: object) -> None:
    """A confirmation names the exact content that was seen: a missing digest is a wrong one."""
    proposed = propose(anjali)
    before = orders(anjali)

    answer = take(
        anjali,
        "confirm",
        conversation_id=proposed["conversation_id"],
        proposal_id=proposed["card"]["proposal_id"],
        digest=digest,
    )

    assert answer.status_code < 500
    assert answer.status_code >= 400 or answer.json()["outcome"] == "nothing_open"
    assert orders(anjali) == before


def test_prices_and_names_come_from_the_catalogue_whatever_is_sent(anjali: httpx.Client) -> None:
    forged = {
        "product_id": ORS,
        "packs": 2,
        "price": 0.01,
        "unit_price": 0.01,
        "line_total": 0,
        "product_name": "Free",
        "warnings": [],
        "schedule": "OTC",
    }

    card = take(anjali, "propose", items=[forged]).json()["card"]

    assert (card["total"], card["items"][0]["price"]) == (30, 15)
    assert card["items"][0]["product_name"] == "ORS Sachets"


BAD_ITEMS: list[object] = [
    [],
    {},
    "MED021",
    [ORS],
    [[ORS, 1]],
    [None],
    [{}],
    [{"product_id": ORS}],
    [{"packs": 1}],
    [{"product_id": 21, "packs": 1}],
    [{"product_id": ORS, "packs": 0}],
    [{"product_id": ORS, "packs": -1}],
    [{"product_id": ORS, "packs": 1.5}],
    [{"product_id": ORS, "packs": True}],
    [{"product_id": ORS, "packs": "two"}],
    [{"product_id": ORS, "packs": 10**12}],
    [{"product_id": ORS, "packs": [1]}],
    [{"product_id": ORS, "packs": 1, "dosage_frequency": "hourly"}],
    [{"product_id": ORS, "packs": 1, "dosage_frequency": "once_daily", "units_per_dose": 0}],
    [{"product_id": ORS, "packs": 1, "dosage_frequency": "once_daily", "units_per_dose": -1}],
    [{"product_id": ORS, "packs": 1, "dosage_frequency": "once_daily", "units_per_dose": "x"}],
    [{"product_id": ORS, "packs": 1}] * 21,
]


@pytest.mark.parametrize("items", BAD_ITEMS, ids=str)
def test_a_cart_that_is_none_is_refused_and_nothing_is_stored(anjali: httpx.Client, items: object) -> None:
    conversation_id = str(uuid4())

    answer = take(anjali, "propose", items=items, conversation_id=conversation_id)
    checked = anjali.post("/rpc/verify_cart", json={"p_items": items})

    assert {answer.status_code, checked.status_code} <= {400, 422}, answer.text
    assert anjali.get("/messages", params={"conversation_id": f"eq.{conversation_id}"}).json() == []


def test_a_product_that_does_not_exist_is_said_to_be_so(anjali: httpx.Client) -> None:
    answer = take(anjali, "propose", items=[{"product_id": "MED999", "packs": 1}]).json()

    assert answer["outcome"] == "refused"
    assert answer["card"]["rejected_items"][0]["code"] == "not_found"


@pytest.mark.parametrize(
    "broken",
    [
        {"act": "steal"},
        {"act": ""},
        {"language": "xx"},
        {"message": "x" * 2001},
        {"conversation_id": "not-a-uuid"},
        {"trace_id": "not-a-uuid"},
        {"state": "x"},
        {"state": [1]},
        {"act": "confirm", "proposal_id": "not-a-uuid", "digest": "0"},
        {"act": "answer", "profile": {"age": 10**9}},
        {"act": "answer", "profile": {"age": "x"}},
        {"card": {"type": "order_status", "order_id": "ORD001"}},
    ],
    ids=lambda broken: str(broken)[:40],
)
def test_a_turn_that_is_none_is_refused_and_nothing_is_stored(anjali: httpx.Client, broken: Json) -> None:
    arguments = turn("say")
    arguments["p_turn"] |= broken
    conversation_id = arguments["p_turn"]["conversation_id"]
    before = orders(anjali)

    answer = anjali.post("/rpc/chat_turn", json=arguments)

    assert 400 <= answer.status_code < 500, answer.text
    if conversation_id != "not-a-uuid":
        assert anjali.get("/messages", params={"conversation_id": f"eq.{conversation_id}"}).json() == []
    assert orders(anjali) == before


@pytest.mark.parametrize("missing", ["act", "language", "conversation_id", "trace_id"])
def test_a_turn_without_a_part_it_needs_is_refused(anjali: httpx.Client, missing: str) -> None:
    arguments = turn("say")
    del arguments["p_turn"][missing]

    assert 400 <= anjali.post("/rpc/chat_turn", json=arguments).status_code < 500


@pytest.mark.parametrize("nothing", [None, [], "x", 7, {}], ids=str)
def test_no_turn_at_all_is_refused(anjali: httpx.Client, nothing: object) -> None:
    assert 400 <= anjali.post("/rpc/chat_turn", json={"p_turn": nothing}).status_code < 500


@pytest.mark.parametrize(
    "words",
    [None, {}, "x", ["dolo"], [["dolo", "maybe"]], [[None, None]], [["%", False]], [["a" * 5000, False]]],
)
def test_odd_words_find_nothing_and_break_nothing(anjali: httpx.Client, words: object) -> None:
    answer = anjali.post("/rpc/chat_context", json={"p_words": words})

    assert answer.status_code < 500, answer.text


STAFF_ONLY: list[tuple[str, Json]] = [
    ("review_queue", {}),
    ("list_order_lines", {}),
    ("order_history", {"p_order_id": "ORD001"}),
    ("list_inventory", {}),
    ("product_inventory", {"p_product_id": ORS}),
    ("expiring_lots", {}),
    ("list_stock_movements", {"p_product_id": ORS}),
    ("lot_recipients", {"p_product_id": ORS, "p_batch_id": 1}),
    ("set_inventory_defaults", {"p_low_stock_threshold": 0, "p_near_expiry_days": 1}),
    ("set_product_inventory", {"p_product_id": ORS, "p_changes": {"low_stock_threshold": 0}}),
    ("receive_lot", {"p_product_id": ORS, "p_delivery": {"lot": "X", "expiry": "2028-01-01", "packs": 9}}),
    ("correct_lot", {"p_product_id": ORS, "p_batch_id": 1, "p_correction": {"change": 9, "reason": "mine"}}),
    ("set_lot_status", {"p_product_id": ORS, "p_batch_id": 1, "p_status": "held", "p_reason": "mine"}),
    ("recall_lot", {"p_product_id": ORS, "p_batch_id": 1, "p_reason": "mine"}),
    ("set_order_status", {"p_order_id": "ORD001", "p_status": "delivered"}),
    ("review_prescription", {"p_prescription_id": "RX001", "p_review": {"status": "verified"}}),
    ("override_finding", {"p_patient_id": "PAT012", "p_rule": "allergy:penicillin", "p_reason": "I want it"}),
    ("activate_rule_set", {"p_version": "none"}),
    ("list_refill_alerts", {}),
    ("decide_refill_alert", {"p_alert_id": 1, "p_decision": {"decision": "dismiss", "reason": "I want it"}}),
    ("trigger_refill_scan", {}),
]


@pytest.mark.parametrize(("function", "arguments"), STAFF_ONLY)
def test_what_is_for_staff_is_closed_to_patients_and_guests(
    anjali: httpx.Client, guest: httpx.Client, function: str, arguments: Json
) -> None:
    assert anjali.post(f"/rpc/{function}", json=arguments).status_code == 403
    assert guest.post(f"/rpc/{function}", json=arguments).status_code == 401


def test_another_patients_order_cannot_be_cancelled(anjali: httpx.Client, rahul: httpx.Client) -> None:
    card = propose(rahul)
    placed = take(
        rahul,
        "confirm",
        conversation_id=card["conversation_id"],
        proposal_id=card["card"]["proposal_id"],
        digest=card["card"]["digest"],
    ).json()
    order_id = placed["card"]["order_id"]

    answer = anjali.post("/rpc/cancel_order", json={"p_order_id": order_id})

    assert answer.status_code == 404
    assert rahul.post("/rpc/get_order", json={"p_order_id": order_id}).json()["status"] == "confirmed"


@pytest.mark.parametrize("items", BAD_ITEMS, ids=str)
def test_a_direct_order_of_such_a_cart_is_refused_as_well(anjali: httpx.Client, items: object) -> None:
    before = orders(anjali)

    answer = anjali.post("/rpc/create_order", json={"p_request": {"items": items}})

    assert answer.status_code in (400, 422), answer.text
    assert orders(anjali) == before


@pytest.mark.parametrize(
    "items", [[{"product_id": "MED007", "packs": 1}], [{"product_id": "MED999", "packs": 1}]]
)
def test_what_verification_blocks_is_not_ordered_directly_either(anjali: httpx.Client, items: object) -> None:
    before = orders(anjali)

    answer = anjali.post("/rpc/create_order", json={"p_request": {"items": items}})

    assert answer.status_code in (404, 409, 422), answer.text
    assert orders(anjali) == before
