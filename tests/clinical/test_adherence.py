"""The proportion of days covered: against an independent implementation (pdcscore), and by hand."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings

from tests.clinical.clinic import Clinic, Json
from tests.clinical.history import METFORMIN, histories, history, live, patients
from tests.clinical.supply_model import Purchase, days_covered

Shares = dict[str, tuple[float, float]]


def shares(clinic: Clinic, patient_id: str) -> Shares:
    """(90 days, 180 days) of each composition, as the database says."""
    rows = clinic.rows("select * from private.adherence(%s)", [patient_id])
    return {row["composition"]: (float(row["pdc_90"]), float(row["pdc_180"])) for row in rows}


def shares_by_oracle(purchases: Iterable[Purchase], today: date) -> Shares:
    """The same by pdcscore, from what each day had: it does not carry early refills over itself."""
    supplied = [p for p in purchases if p.counts and p.days is not None]
    rows = [
        {"who": "one", "drug": p.composition, "filled": min(days), "days": len(days)}
        for p in supplied
        if (days := _days_of(p, supplied))
    ]
    if not rows:
        return {}
    both = [_oracle(rows, today, window) for window in (90, 180)]
    return {drug: (both[0][drug], both[1][drug]) for drug in both[0]}


def _days_of(purchase: Purchase, purchases: list[Purchase]) -> list[date]:
    """The days that this purchase adds to those of the purchases before it."""
    same = [p for p in purchases if p.composition == purchase.composition]
    until = [p for p in same if p.bought_on <= purchase.bought_on]
    return sorted(days_covered(until) - days_covered(p for p in until if p is not purchase))


def _oracle(rows: list[dict[str, Any]], today: date, window: int) -> dict[str, float]:
    # Imported here: a slow import that only these tests need.
    with warnings.catch_warnings(action="ignore"):
        import pandas
        from pdcscore import pdcCalc

    table = pandas.DataFrame(rows)
    table["filled"] = pandas.to_datetime(table["filled"])
    table["from"] = pandas.Timestamp(today - timedelta(days=window - 1))
    table["to"] = pandas.Timestamp(today)
    calculation = pdcCalc(
        df=table,
        patient_id_col="who",
        drugname_col="drug",
        filldate_col="filled",
        supply_days_col="days",
        msr_start_dt_col="from",
        msr_end_dt_col="to",
        overlap_adjustment=False,
    )
    scores = calculation.calculate_pdc_scores()
    return dict(zip(scores["drug"], scores["pdc_score"], strict=True))


def assert_same(found: Shares, oracle: Shares) -> None:
    assert found.keys() == oracle.keys()
    for composition, pair in found.items():
        assert pair == pytest.approx(oracle[composition], abs=0.00005), composition


def test_the_seeds_shares_are_those_of_the_oracle(clinic: Clinic, subtests: pytest.Subtests) -> None:
    for patient_id in patients(clinic):
        with subtests.test(patient_id):
            purchases = history(clinic, patient_id)
            oracle = shares_by_oracle(purchases, clinic.today_of(patient_id))
            assert_same(shares(clinic, patient_id), oracle)


@settings(max_examples=30, deadline=None, database=None)
@given(purchases=histories())
def test_any_historys_shares_are_those_of_the_oracle(clinic_database: str, purchases: list[Json]) -> None:
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        patient_id = live(clinic, purchases).patient_id

        oracle = shares_by_oracle(history(clinic, patient_id), clinic.today)
        assert_same(shares(clinic, patient_id), oracle)


class TestByHand:
    """Thirty tablets, one a day."""

    @pytest.mark.parametrize(
        ("bought", "pdc_90", "pdc_180"),
        [
            ([0], "1", "1"),  # one day, covered
            ([29], "1", "1"),  # thirty days, covered to the last
            ([30], "0.9677", "0.9677"),  # 30 of 31
            ([59], "0.5", "0.5"),
            ([89, 59, 29], "1", "1"),
            ([89, 49, 9], "0.7778", "0.7778"),  # ten days without, twice
            ([89, 79, 69], "1", "1"),  # bought early, carried over
            ([119, 89], "0.3333", "0.5"),
            ([179, 89], "0.3333", "0.3333"),
            ([400], "0", "0"),
        ],
    )
    def test_a_share_of_days(self, clinic: Clinic, bought: list[int], pdc_90: str, pdc_180: str) -> None:
        patient = clinic.patient()
        for days_ago in bought:
            clinic.bought(patient, clinic.products[METFORMIN], days_ago=days_ago)

        [row] = clinic.rows("select * from private.adherence(%s)", [patient.patient_id])

        assert (row["pdc_90"], row["pdc_180"]) == (Decimal(pdc_90), Decimal(pdc_180))

    def test_as_needed_has_no_share(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=3, dosage_frequency="as_needed")
        assert shares(clinic, patient.patient_id) == {}

    def test_what_never_arrived_covers_nothing(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=39)
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=9, status="cancelled")
        assert shares(clinic, patient.patient_id) == {"Metformin 500 mg": (0.75, 0.75)}
