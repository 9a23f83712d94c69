"""Whose directions count for a line that names none: the patient's own, of that product, as last bought."""

from __future__ import annotations

import json

from tests.clinical.clinic import Clinic, Patient, Product

METFORMIN, GLIMEPIRIDE = "MED003", "MED004"


def directions(clinic: Clinic, patient: Patient, product: Product) -> str | None:
    """As verification reads them for one pack without directions of its own."""
    found: str | None = clinic.value(
        "select dosage_frequency from unnest(private.read_cart(%s, %s::jsonb))",
        patient.patient_id,
        json.dumps([{"product_id": product.product_id, "packs": 1}]),
    )
    return found


def test_they_are_those_of_the_last_purchase(clinic: Clinic) -> None:
    patient, product = clinic.patient(), clinic.products[METFORMIN]
    clinic.bought(patient, product, days_ago=40, dosage_frequency="once_daily")
    clinic.bought(patient, product, days_ago=10, dosage_frequency="twice_daily")

    assert directions(clinic, patient, product) == "twice_daily"


def test_nobody_elses_purchase_counts(clinic: Clinic) -> None:
    patient, other, product = clinic.patient(), clinic.patient(), clinic.products[METFORMIN]
    clinic.bought(patient, product, days_ago=10, dosage_frequency="once_daily")
    clinic.bought(other, product, dosage_frequency="four_times_daily")

    assert directions(clinic, patient, product) == "once_daily"
    assert directions(clinic, clinic.patient(), product) is None


def test_no_other_products_directions_count(clinic: Clinic) -> None:
    patient = clinic.patient()
    clinic.bought(patient, clinic.products[GLIMEPIRIDE], dosage_frequency="twice_daily")

    assert directions(clinic, patient, clinic.products[METFORMIN]) is None


def test_a_cancelled_purchase_does_not_count(clinic: Clinic) -> None:
    patient, product = clinic.patient(), clinic.products[METFORMIN]
    clinic.bought(patient, product, days_ago=10, dosage_frequency="once_daily")
    clinic.bought(patient, product, dosage_frequency="twice_daily", status="cancelled")

    assert directions(clinic, patient, product) == "once_daily"
