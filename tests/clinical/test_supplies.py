"""Supplies and active medicines of the database against the plain model of supply_model.py: over the seed's
patients, and over histories made up at random."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import given, settings

from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.history import (
    CARBAMAZEPINE,
    DOLO_650,
    FLUOXETINE,
    METFORMIN,
    histories,
    history,
    live,
    patients,
)
from tests.clinical.supply_model import EPOCH, Purchase, Supply, chain, taken_today

PHENYTOIN, ASPIRIN, CROCIN_650 = "MED076", "MED028", "MED034"


def model_of(purchases: list[Purchase]) -> list[tuple[str, date, float, float]]:
    supplies: list[Supply] = []
    for composition in {purchase.composition for purchase in purchases}:
        supplies += chain((p for p in purchases if p.composition == composition), EPOCH)
    return sorted(
        (s.purchase.composition, s.purchase.bought_on, round(float(s.starts), 6), round(float(s.ends), 6))
        for s in supplies
    )


def of_database(clinic: Clinic, patient_id: str) -> list[tuple[str, date, float, float]]:
    rows = clinic.rows(
        "select * from private.supplies(%s, null) where days is not null order by composition, bought_on",
        patient_id,
    )
    return sorted(
        (r["composition"], r["bought_on"], round(float(r["starts"]), 6), round(float(r["ends"]), 6))
        for r in rows
    )


def active(clinic: Clinic, patient_id: str) -> set[tuple[str, str]]:
    """(ingredient, composition) of what the database takes the patient to be taking."""
    rows = clinic.rows(
        """
        select a.ingredient, a.composition
        from private.active_medicines(
          %s, private.active_rule_set_id(), private.supplies_to_verify(%s, null)
        ) as a
        """,
        patient_id,
        patient_id,
    )
    return {(row["ingredient"], row["composition"]) for row in rows}


def test_the_seeds_supplies_are_those_of_the_model(clinic: Clinic, subtests: pytest.Subtests) -> None:
    for patient_id in patients(clinic):
        with subtests.test(patient_id):
            assert of_database(clinic, patient_id) == model_of(history(clinic, patient_id))


def test_the_seeds_active_medicines_are_those_of_the_model(clinic: Clinic, subtests: pytest.Subtests) -> None:
    long_term = {
        ingredient
        for row in clinic.rules("condition_terms")
        if row["kind"] == "maintenance"
        for ingredient in row["ingredients"]
    }
    for patient_id in patients(clinic):
        with subtests.test(patient_id):
            items = clinic.rows(
                """
                select i.ingredient, i.strength, i.repeats, rx.status, rx.issued_on, rx.valid_until
                from public.prescriptions as rx join public.prescription_items as i using (prescription_id)
                where rx.patient_id = %s
                """,
                patient_id,
            )
            prescribed = {
                (part, f"{item['ingredient']} {item['strength']}")
                for item in items
                for part in item["ingredient"].split("+")
                if item["status"] == "verified"
                and item["issued_on"] <= clinic.today <= item["valid_until"]
                and (item["repeats"] > 0 or part in long_term)
            }
            today = clinic.today_of(patient_id)
            expected = prescribed | taken_today(history(clinic, patient_id), today)

            assert active(clinic, patient_id) == expected


@settings(max_examples=60, deadline=None, database=None)
@given(purchases=histories())
def test_any_history_has_the_models_supplies(clinic_database: str, purchases: list[Json]) -> None:
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        patient = live(clinic, purchases)
        past = history(clinic, patient.patient_id)

        assert of_database(clinic, patient.patient_id) == model_of(past)
        assert active(clinic, patient.patient_id) == taken_today(past, clinic.today)


@settings(max_examples=25, deadline=None, database=None)
@given(first=histories(5), second=histories(5))
def test_the_supplies_of_many_are_those_of_each(
    clinic_database: str, first: list[Json], second: list[Json]
) -> None:
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        both = [live(clinic, first).patient_id, live(clinic, second, "America/New_York").patient_id]

        together = clinic.rows("select * from private.supplies_of(%s)", both)

        columns = "composition, product_id, order_id, bought_on, days, starts, ends"
        each = [
            {"patient_id": patient_id, **row}
            for patient_id in both
            for row in clinic.rows(f"select {columns} from private.supplies(%s, null)", patient_id)
        ]
        assert sorted(map(repr, each)) == sorted(
            repr({name: row[name] for name in ("patient_id", *columns.split(", "))}) for row in together
        )


class TestByHand:
    """The model could share a mistake with the SQL: a few chains are written out."""

    def test_a_second_purchase_waits_for_the_first_to_end(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        for days_ago in (40, 30):
            clinic.bought(patient, clinic.products[METFORMIN], days_ago=days_ago)  # 30 days each
        assert self.chain(clinic, patient) == [(-40, -10), (-10, 20)]

    def test_a_gap_is_no_supply(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        for days_ago in (100, 20):
            clinic.bought(patient, clinic.products[METFORMIN], days_ago=days_ago)
        assert self.chain(clinic, patient) == [(-100, -70), (-20, 10)]

    def test_brands_of_one_composition_are_one_chain(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[DOLO_650], days_ago=10)  # 15 days each
        clinic.bought(patient, clinic.products[CROCIN_650], days_ago=2)
        assert self.chain(clinic, patient) == [(-10, 5), (5, 20)]

    @pytest.mark.parametrize("status", ["cancelled", "failed"])
    def test_what_never_arrived_does_not_count(self, clinic: Clinic, status: str) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=10, status=status)
        assert self.chain(clinic, patient) == []
        assert active(clinic, patient.patient_id) == set()

    @pytest.mark.parametrize(
        ("product_id", "washout"), [(METFORMIN, 14), (CARBAMAZEPINE, 28), (PHENYTOIN, 28), (FLUOXETINE, 35)]
    )
    def test_a_medicine_acts_until_its_washout_is_over(
        self, clinic: Clinic, product_id: str, washout: int
    ) -> None:
        product = clinic.products[product_id]
        for days_after, acts in ((washout, True), (washout + 1, False)):
            patient = clinic.patient()
            clinic.bought(patient, product, days_ago=product.units_per_pack + days_after)
            assert bool(active(clinic, patient.patient_id)) is acts

    @pytest.mark.parametrize(("days_ago", "acts"), [(30, True), (31, False)])
    def test_an_as_needed_purchase_counts_thirty_days(
        self, clinic: Clinic, days_ago: int, acts: bool
    ) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[ASPIRIN], days_ago=days_ago, dosage_frequency="as_needed")
        assert bool(active(clinic, patient.patient_id)) is acts
        assert self.chain(clinic, patient) == []

    @pytest.mark.parametrize("status", ["pending", "rejected", "expired"])
    def test_only_a_verified_prescription_is_being_taken(self, clinic: Clinic, status: str) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN], status=status)
        assert active(clinic, patient.patient_id) == set()

    def test_a_prescription_is_taken_from_its_first_to_its_last_day(self, clinic: Clinic) -> None:
        day = timedelta(days=1)
        for issued, ends, acts in ((0, 0, True), (-5, -1, False), (1, 5, False)):
            patient = clinic.patient()
            clinic.prescribe(
                patient,
                clinic.products[METFORMIN],
                issued=clinic.today + issued * day,
                ends=clinic.today + ends * day,
            )
            assert bool(active(clinic, patient.patient_id)) is acts

    def test_a_short_course_on_prescription_is_no_long_term_medicine(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products["MED020"], repeats=0)
        clinic.prescribe(patient, clinic.products[METFORMIN], repeats=0)
        assert active(clinic, patient.patient_id) == {("Metformin", "Metformin 500 mg")}

    @staticmethod
    def chain(clinic: Clinic, patient: Patient) -> list[tuple[float, float]]:
        """The supplies, in days from today."""
        zero = (clinic.today - EPOCH).days
        return [
            (starts - zero, ends - zero) for _, _, starts, ends in of_database(clinic, patient.patient_id)
        ]
