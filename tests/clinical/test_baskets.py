"""Verified apart, each product is judged as if it were ordered alone; an order is never verified apart."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.clinical.clinic import Clinic, Patient, Product
from tests.clinical.test_safety_holds import (
    PASTS,
    PRODUCTS,
    TROUBLESOME,
    Past,
    property_test,
    somebody,
    undone,
)

SHELVES = st.lists(
    st.sampled_from(TROUBLESOME) | st.sampled_from(PRODUCTS), min_size=1, max_size=12, unique=True
)


def apart(clinic: Clinic, patient: Patient, products: Sequence[Product]) -> dict[str, tuple[bool, bool]]:
    """{product: (is blocked, is warned of)}, of one pass over all of them."""
    rows = clinic.rows(
        "select * from private.verify_apart(%s, %s)",
        patient.patient_id,
        [product.product_id for product in products],
    )
    return {row["product_id"]: (row["is_blocked"], row["is_warned"]) for row in rows}


def alone(clinic: Clinic, patient: Patient, product: Product) -> tuple[bool, bool]:
    findings = clinic.findings(patient, product)
    return any(finding.severity == "block" for finding in findings), bool(findings)


def test_each_is_judged_apart_as_alone(clinic: Clinic) -> None:
    @property_test(60)
    @given(past=PASTS, shelf=SHELVES)
    def check(past: Past, shelf: list[str]) -> None:
        with undone(clinic, 0):
            patient = somebody(clinic, past)
            products = [clinic.products[product_id] for product_id in shelf]
            judged = apart(clinic, patient, products)
            assert judged == {product.product_id: alone(clinic, patient, product) for product in products}

    check()


def test_the_whole_shelf_is_judged_apart_as_alone(clinic: Clinic) -> None:
    """For somebody to whom much is forbidden, who takes something and has just bought something else."""
    patient = clinic.patient(
        age=11, allergies=["Sulfa", "Ibuprofen"], conditions=["kidney disease", "asthma"]
    )
    clinic.prescribe(patient, clinic.containing("Metformin")[0])
    clinic.bought(patient, clinic.containing("Paracetamol")[0], days_ago=2, packs=2, units_per_dose=2)
    clinic.bought(patient, clinic.containing("Cetirizine")[0], days_ago=1, packs=9)
    products = list(clinic.products.values())
    judged = apart(clinic, patient, products)
    assert judged == {product.product_id: alone(clinic, patient, product) for product in products}
    assert {is_blocked for is_blocked, _ in judged.values()} == {True, False}


def test_what_may_not_be_taken_together_is_found_together_and_not_apart(clinic: Clinic) -> None:
    patient = clinic.patient()
    ramipril, spironolactone = clinic.containing("Ramipril")[0], clinic.containing("Spironolactone")[0]
    both = [ramipril, spironolactone]
    assert "interaction" in {finding.code for finding in clinic.findings(patient, *both)}
    assert apart(clinic, patient, both) == {p.product_id: alone(clinic, patient, p) for p in both}


def test_no_item_of_an_order_can_ask_to_be_verified_apart(clinic: Clinic) -> None:
    """Two brands of paracetamol, eight grams of it a day; each line claims a basket of its own."""
    patient = clinic.patient()
    brands = [p for p in clinic.containing("Paracetamol") if p.route == "systemic" and len(p.mg) == 1][:2]
    lines = [
        {"product_id": p.product_id, "packs": 1, "dosage_frequency": "four_times_daily", "units_per_dose": 2}
        for p in brands
    ]
    asked = [{**line, "basket": place, "p_is_apart": True} for place, line in enumerate(lines)]
    findings = "select private.verify_items(%s, %s::jsonb) -> 'findings'"
    plainly = clinic.value(findings, patient.patient_id, json.dumps(lines))
    assert {"max_daily_dose", "duplicate_therapy"} <= {finding["code"] for finding in plainly}
    assert clinic.value(findings, patient.patient_id, json.dumps(asked)) == plainly


def test_a_product_that_does_not_exist_is_left_out(clinic: Clinic) -> None:
    patient = clinic.patient()
    assert clinic.rows("select * from private.verify_apart(%s, %s)", patient.patient_id, ["NOPE"]) == []


def test_without_rules_nothing_is_offered(clinic: Clinic) -> None:
    patient = clinic.patient()
    clinic.run("update public.rule_sets set status = 'retired' where status = 'active'")
    product = clinic.containing("Paracetamol")[0]
    assert apart(clinic, patient, [product]) == {product.product_id: (True, True)}
    offered = clinic.rows("select private.symptom_options(%s, %s)", patient.patient_id, ["Paracetamol"])
    assert offered == []
