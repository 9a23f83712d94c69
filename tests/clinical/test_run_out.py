"""When a medicine runs out: over the seed's patients and over histories made up at random, against the plain
model; and what must not move the date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.history import METFORMIN, histories, history, live, patients
from tests.clinical.supply_model import Purchase, run_out

OVERDUE_DAYS = 14
ZONES = [
    "UTC",
    "Asia/Kolkata",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
]


def taken(clinic: Clinic, *patient_ids: str) -> dict[tuple[str, str], date]:
    """(patient, composition) -> the first day without."""
    rows = clinic.rows("select * from private.medicines_taken(%s)", list(patient_ids))
    return {(row["patient_id"], row["composition"]): row["run_out_on"] for row in rows}


def expected(clinic: Clinic, patient_id: str, purchases: list[Purchase]) -> dict[tuple[str, str], date]:
    earliest = clinic.today_of(patient_id) - timedelta(days=OVERDUE_DAYS)
    ends = {
        composition: run_out(p for p in purchases if p.composition == composition)
        for composition in {purchase.composition for purchase in purchases}
    }
    return {(patient_id, composition): end for composition, end in ends.items() if end and end >= earliest}


def test_the_seeds_run_out_dates_are_those_of_the_model(clinic: Clinic) -> None:
    everybody = list(patients(clinic))
    model = {
        key: end
        for patient_id in everybody
        for key, end in expected(clinic, patient_id, history(clinic, patient_id)).items()
    }

    assert model
    assert taken(clinic, *everybody) == model


@settings(max_examples=30, deadline=None, database=None)
@given(purchases=histories(), zone=st.sampled_from(ZONES))
def test_any_history_runs_out_when_the_model_says(
    clinic_database: str, purchases: list[Json], zone: str
) -> None:
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        patient_id = live(clinic, purchases, zone).patient_id

        assert taken(clinic, patient_id) == expected(clinic, patient_id, history(clinic, patient_id))


@settings(max_examples=15, deadline=None, database=None)
@given(purchases=histories(), order=st.randoms(use_true_random=False))
def test_the_order_of_import_does_not_matter(
    clinic_database: str, purchases: list[Json], order: Random
) -> None:
    shuffled = list(purchases)
    order.shuffle(shuffled)
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        one, other = live(clinic, purchases), live(clinic, shuffled)

        assert dates(clinic, one) == dates(clinic, other)


@settings(max_examples=20, deadline=None, database=None)
@given(purchases=histories(), data=st.data())
def test_a_purchase_in_two_on_one_day_changes_nothing(
    clinic_database: str, purchases: list[Json], data: st.DataObject
) -> None:
    split: list[Json] = []
    for bought in purchases:
        first = data.draw(st.integers(0, bought["packs"]))
        split += [{**bought, "packs": packs} for packs in (first, bought["packs"] - first) if packs]
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        whole, halves = live(clinic, purchases), live(clinic, split)

        assert dates(clinic, whole) == dates(clinic, halves)
        assert shares(clinic, whole) == shares(clinic, halves)


@pytest.mark.parametrize("session_zone", ZONES)
def test_the_clients_time_zone_moves_no_date(clinic: Clinic, session_zone: str) -> None:
    patient = live(
        clinic, [{"product": METFORMIN, "days_ago": days} for days in (40, 20, 3.9)], "Asia/Kolkata"
    )
    before = dates(clinic, patient)

    clinic.run("select set_config('timezone', %s, true)", session_zone)

    assert before
    assert dates(clinic, patient) == before


@pytest.mark.parametrize(("zone", "bought_on"), [("Asia/Kolkata", 2), ("UTC", 1), ("America/New_York", 1)])
def test_a_purchase_counts_from_the_patients_own_day(clinic: Clinic, zone: str, bought_on: int) -> None:
    patient = clinic.patient(time_zone=zone)
    evening = datetime(2026, 11, 1, 20, tzinfo=UTC)
    clinic.bought(patient, clinic.products[METFORMIN], placed_at=evening)

    [supply] = clinic.rows("select * from private.supplies_of(%s)", [patient.patient_id])

    assert supply["bought_on"] == date(2026, 11, bought_on)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe"])
@pytest.mark.parametrize("month", [3, 10])
@pytest.mark.parametrize("hour", [0, 1, 12, 23])
def test_a_clock_that_changes_moves_no_date(clinic: Clinic, zone: str, month: int, hour: int) -> None:
    """Thirty tablets, one a day, bought before the clocks change, run out thirty days later."""
    patient = clinic.patient(time_zone=zone)
    bought_at = datetime(2026, month, 1, hour, 30, tzinfo=ZoneInfo(zone))
    clinic.bought(patient, clinic.products[METFORMIN], placed_at=bought_at)
    at = datetime(2026, month, 20, 12, tzinfo=UTC)

    [row] = clinic.rows("select * from private.medicines_taken(%s, %s)", [patient.patient_id], at)

    assert row["run_out_on"] == bought_at.date() + timedelta(days=30)


def test_sevenths_add_up_to_whole_days(clinic: Clinic) -> None:
    """Four capsules a pack, one a week: twelve packs last 336 days and not a trifle more."""
    patient = clinic.patient()
    vitamin = clinic.products["MED014"]
    for days_ago in range(12):
        clinic.bought(patient, vitamin, days_ago=days_ago, dosage_frequency="once_weekly")
    assert dates(clinic, patient) == {vitamin.composition: clinic.today + timedelta(days=-11 + 12 * 28)}


def test_half_a_tablet_left_is_a_day_with_supply(clinic: Clinic) -> None:
    """Fifteen tablets, two a day: on the eighth day there is one left."""
    patient = clinic.patient()
    clinic.bought(patient, clinic.products["MED043"], days_ago=0, dosage_frequency="twice_daily")
    assert dates(clinic, patient) == {"Metoprolol 50 mg": clinic.today + timedelta(days=8)}


def dates(clinic: Clinic, patient: Patient) -> dict[str, date]:
    return {composition: end for (_, composition), end in taken(clinic, patient.patient_id).items()}


def shares(clinic: Clinic, patient: Patient) -> dict[str, tuple[Fraction, Fraction]]:
    rows = clinic.rows("select * from private.adherence(%s)", [patient.patient_id])
    return {row["composition"]: (row["pdc_90"], row["pdc_180"]) for row in rows}
