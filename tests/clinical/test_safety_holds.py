"""What must hold whatever is ordered, by whomever, under whatever rules: carts and patients made up at
random, several rule sets, and every public way to an order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clinical.clinic import Clinic, Finding, Json, Line, Patient
from tests.clinical.test_rule_sets import draft
from tests.database.people import Person, acting_as

FREQUENCIES = [None, "once_daily", "twice_daily", "four_times_daily", "once_weekly", "as_needed"]
PRODUCTS = [f"MED{number:03}" for number in range(1, 111)]
# Those that the rules have most to say about come up more often.
TROUBLESOME = [
    *("MED001", "MED009", "MED012", "MED028", "MED034", "MED046", "MED050", "MED051", "MED052", "MED060"),
    *("MED063", "MED066", "MED070", "MED071", "MED073", "MED074", "MED075", "MED091", "MED097", "MED099"),
]
ALLERGIES = ["Penicillin", "sulfa drugs", "brufen", "latex", "mangoes", "statin"]
CONDITIONS = ["asthma", "pregnancy", "severe kidney disease", "heart disease", "epilepsy", "peptic ulcer"]

LINES = st.builds(
    Line,
    product_id=st.sampled_from(PRODUCTS) | st.sampled_from(TROUBLESOME),
    packs=st.sampled_from([1, 1, 1, 2, 5, 11]),
    dosage_frequency=st.sampled_from(FREQUENCIES),
    units_per_dose=st.sampled_from([None, 1, 2, 10]),
)
CARTS = st.lists(LINES, min_size=1, max_size=5, unique_by=lambda line: line.product_id)


@dataclass(frozen=True)
class Past:
    """Of a patient: who they are, what is prescribed, what they bought and what was overridden."""

    age: int | None
    allergies: list[str] | None
    conditions: list[str] | None
    prescribed: list[str]
    is_pending: bool
    bought: list[tuple[str, int]]
    overridden: list[int]


PASTS = st.builds(
    Past,
    age=st.sampled_from([40, 40, 40, 40, 70, 17, 9, 0, None]),
    allergies=st.sampled_from([[], [], [], None, *([allergy] for allergy in ALLERGIES)]),
    conditions=st.sampled_from(
        [[], [], [], None, CONDITIONS[:2], *([condition] for condition in CONDITIONS)]
    ),
    prescribed=st.lists(st.sampled_from(TROUBLESOME) | st.sampled_from(PRODUCTS), max_size=4, unique=True),
    is_pending=st.booleans(),
    bought=st.lists(st.tuples(st.sampled_from(TROUBLESOME), st.integers(0, 40)), max_size=3),
    overridden=st.lists(st.integers(0, 116), max_size=2),
)


OTHER_RULE_SETS = 4
RULES = st.integers(0, OTHER_RULE_SETS)
"""The rule set of an example: 0 is the one in force, the others are made up by make_rule_sets."""


def property_test(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.fixture(autouse=True)
def _rule_sets(clinic: Clinic) -> None:
    """Drafts beside the rule set in force: some rules gone, some turned from warnings into refusals."""
    for number in range(1, OTHER_RULE_SETS + 1):
        draft(clinic, f"made up {number}")
        mine = f"rule_set_id = (select rule_set_id from public.rule_sets where version = 'made up {number}')"
        for table in ("interaction_rules", "condition_rules", "allergy_rules"):
            for change, share in (("delete from", 3), ("update", 2)):
                what = "set action = 'block'" if change == "update" else ""
                clinic.run(
                    f"{change} public.{table} as t {what} where {mine} and hashtext(t::text) %% %s = 0",
                    share + number,
                )
        clinic.run(f"update public.allergy_rules set action = 'block' where matches = 'product' and {mine}")


@contextmanager
def undone(clinic: Clinic, rule_set: int) -> Iterator[None]:
    """One example: what it does is undone, and for its time this rule set is in force."""
    with clinic.connection.transaction(force_rollback=True):
        if rule_set:
            clinic.run("select private.activate_rule_set(%s)", f"made up {rule_set}")
        yield


def somebody(clinic: Clinic, past: Past) -> Patient:
    patient = clinic.patient(age=past.age, allergies=past.allergies, conditions=past.conditions)
    for product_id in past.prescribed:
        product = clinic.products[product_id]
        if product.schedule != "OTC":
            clinic.prescribe(patient, product, status="pending" if past.is_pending else "verified")
    for product_id, days_ago in past.bought:
        clinic.bought(patient, clinic.products[product_id], days_ago=days_ago)
    rules = clinic.rules("interaction_rules")
    for number in past.overridden:
        rule = rules[number % len(rules)]
        clinic.run(
            """
            insert into public.overrides (patient_id, rule, reason, overridden_by, valid_until)
            select %s, %s, 'at random', user_id, current_date + 30
            from public.staff where role = 'pharmacist' limit 1
            """,
            patient.patient_id,
            f"interaction:{rule['ingredient_a']}+{rule['ingredient_b']}",
        )
    return patient


def refusals(findings: list[Finding]) -> set[tuple[str, str, str]]:
    return {(f.product_id, f.code, f.rule) for f in findings if f.severity == "block"}


# Every public way to an order, as the patient, with nothing between them and the database.


def by_chat(clinic: Clinic, patient: Patient, cart: list[Line]) -> None:
    """Proposes, and confirms whatever card comes of it."""
    with signed_in(clinic, patient):
        take_turn(clinic, confirmation(clinic, cart))


def by_an_old_card(clinic: Clinic, patient: Patient, cart: list[Line]) -> None:
    """Gets a card while nothing is known against it, and confirms it afterwards."""
    (now,) = clinic.rows(
        "select allergies, conditions from public.patients where patient_id = %s", patient.patient_id
    )
    profile = "update public.patients set allergies = %s, conditions = %s where patient_id = %s"
    clinic.run(profile, [], [], patient.patient_id)
    with signed_in(clinic, patient):
        turn = confirmation(clinic, cart)
    clinic.run(profile, now["allergies"], now["conditions"], patient.patient_id)
    with signed_in(clinic, patient):
        take_turn(clinic, turn)


def directly(clinic: Clinic, patient: Patient, cart: list[Line]) -> None:
    request: Json = {"items": [{"product_id": line.product_id, "quantity": line.packs} for line in cart]}
    if cart[0].dosage_frequency:
        request["dosage"] = cart[0].dosage_frequency
    with signed_in(clinic, patient):
        clinic.run("select public.create_order(%s::jsonb)", json.dumps(request))


def one_by_one(clinic: Clinic, patient: Patient, cart: list[Line]) -> None:
    for line in cart:
        directly(clinic, patient, [line])


def signed_in(clinic: Clinic, patient: Patient) -> AbstractContextManager[None]:
    return acting_as(clinic.connection, Person("patient", "authenticated", user_id=patient.user_id))


def confirmation(clinic: Clinic, cart: list[Line]) -> Json:
    """Proposes the cart; the turn that confirms the card that came of it, if one did."""
    turn: Json = {"message": "please", "language": "en", "conversation_id": str(uuid4())}
    items = [line.json() for line in cart]
    card = take_turn(clinic, {**turn, "act": "propose", "items": items})["card"]
    return {**turn, "act": "confirm", "proposal_id": card.get("proposal_id"), "digest": card.get("digest")}


def take_turn(clinic: Clinic, turn: Json) -> Json:
    answer: Json = clinic.value(
        "select public.chat_turn(%s::jsonb)", json.dumps({**turn, "trace_id": str(uuid4())})
    )
    return answer


@pytest.mark.parametrize("order", [by_chat, by_an_old_card, directly, one_by_one])
def test_no_order_is_placed_against_a_refusal(
    clinic: Clinic, order: Callable[[Clinic, Patient, list[Line]], None]
) -> None:
    placed = 0

    @property_test(150)
    @given(past=PASTS, cart=CARTS, rule_set=RULES)
    def holds(past: Past, cart: list[Line], rule_set: int) -> None:
        nonlocal placed
        with undone(clinic, rule_set):
            patient = somebody(clinic, past)
            before = orders(clinic, patient)

            order(clinic, patient, cart)

            for order_id, status in orders(clinic, patient) - before:
                placed += 1
                checked = clinic.value(
                    "select private.verify_items(%s, private.items_of_order(%s), %s)",
                    patient.patient_id,
                    order_id,
                    order_id,
                )
                found = [Finding(**finding) for finding in checked["findings"]]
                waits = any(finding.waits for finding in found)
                assert refusals(found) == set()
                assert checked["questions"] == []
                assert status == ("awaiting_pharmacist" if waits else "confirmed")

    holds()
    assert placed >= 1, "the carts were never good enough to show anything"


def orders(clinic: Clinic, patient: Patient) -> set[tuple[str, str]]:
    """(order_id, status)"""
    rows = clinic.rows("select order_id, status from public.orders where patient_id = %s", patient.patient_id)
    return {(row["order_id"], row["status"]) for row in rows}


def test_adding_a_product_never_removes_the_refusal_of_another(clinic: Clinic) -> None:
    @property_test(100)
    @given(past=PASTS, cart=CARTS, added=LINES, rule_set=RULES)
    def holds(past: Past, cart: list[Line], added: Line, rule_set: int) -> None:
        with undone(clinic, rule_set):
            patient = somebody(clinic, past)

            alone = refusals(clinic.findings(patient, *cart))
            together = refusals(clinic.findings(patient, *cart, added))

            assert alone <= together

    holds()


def test_without_rules_nothing_passes_that_was_refused(clinic: Clinic) -> None:
    @property_test(60)
    @given(past=PASTS, cart=CARTS, rule_set=RULES)
    def holds(past: Past, cart: list[Line], rule_set: int) -> None:
        with undone(clinic, rule_set):
            patient = somebody(clinic, past)
            before = {product_id for product_id, *_ in refusals(clinic.findings(patient, *cart))}
            clinic.run("update public.rule_sets set status = 'retired'")

            after = {product_id for product_id, *_ in refusals(clinic.findings(patient, *cart))}

            assert before <= after
            assert {line.product_id for line in cart if clinic.products[line.product_id].ingredients} <= after

    holds()


def test_the_order_of_the_cart_changes_no_finding(clinic: Clinic) -> None:
    @property_test(60)
    @given(past=PASTS, cart=CARTS, rule_set=RULES)
    def holds(past: Past, cart: list[Line], rule_set: int) -> None:
        with undone(clinic, rule_set):
            patient = somebody(clinic, past)

            def said(lines: list[Line]) -> list[str]:
                return sorted(str(finding) for finding in clinic.findings(patient, *lines))

            assert said(cart) == said(cart[::-1])

    holds()


def test_the_same_question_has_the_same_answer(clinic: Clinic) -> None:
    """Or a card would change between showing and confirming."""

    @property_test(20)
    @given(past=PASTS, cart=CARTS)
    def holds(past: Past, cart: list[Line]) -> None:
        with undone(clinic, 0):
            patient = somebody(clinic, past)
            items = json.dumps([line.json() for line in cart])
            prepared = [
                clinic.value("select private.prepare_proposal(%s, %s::jsonb)", patient.patient_id, items)
                for _ in range(2)
            ]
            assert prepared[0] == prepared[1]

    holds()
