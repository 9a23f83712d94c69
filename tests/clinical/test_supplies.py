"""Supplies and active medicines of the database against the plain model of supply_model.py: over the seed's
patients, and over histories made up at random."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.supply_model import Purchase, Supply, chain, taken_today

METFORMIN, CARBAMAZEPINE, FLUOXETINE, PHENYTOIN = "MED003", "MED075", "MED074", "MED076"
COMBIFLAM, ASPIRIN, DOLO_650, CROCIN_650 = "MED068", "MED028", "MED001", "MED034"
EPOCH = date(2000, 1, 1)


def history(clinic: Clinic, patient_id: str) -> list[Purchase]:
    rows = clinic.rows(
        """
        select i.product_id, i.packs, i.units_per_dose, i.dosage_frequency, o.status,
          (o.placed_at at time zone 'UTC')::date as bought_on
        from public.orders as o join public.order_items as i using (order_id)
        where o.patient_id = %s
        order by o.placed_at
        """,
        patient_id,
    )
    return [
        Purchase(
            composition=(product := clinic.products[row["product_id"]]).composition,
            ingredients=product.ingredients,
            bought_on=row["bought_on"],
            units=row["packs"] * product.units_per_pack,
            units_per_dose=Fraction(row["units_per_dose"]),
            dosage_frequency=row["dosage_frequency"],
            status=row["status"],
        )
        for row in rows
    ]


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
        from private.active_medicines(%s, private.active_rule_set_id(), null) as a
        """,
        patient_id,
    )
    return {(row["ingredient"], row["composition"]) for row in rows}


def patients(clinic: Clinic) -> Iterator[str]:
    for row in clinic.rows("select patient_id from public.patients order by patient_id"):
        yield row["patient_id"]


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
            expected = prescribed | taken_today(history(clinic, patient_id), clinic.today)

            assert active(clinic, patient_id) == expected


PURCHASES = st.lists(
    st.fixed_dictionaries(
        {
            "product": st.sampled_from([METFORMIN, CARBAMAZEPINE, FLUOXETINE, COMBIFLAM, DOLO_650]),
            "days_ago": st.integers(0, 120),
            "packs": st.integers(1, 4),
            "dosage_frequency": st.sampled_from(
                [
                    "once_daily",
                    "twice_daily",
                    "three_times_daily",
                    "alternate_days",
                    "once_weekly",
                    "as_needed",
                ]
            ),
            "units_per_dose": st.sampled_from([0.5, 1, 2, 3]),
            "status": st.sampled_from(["delivered", "shipped", "confirmed", "cancelled", "failed"]),
        }
    ),
    max_size=8,
    # Two purchases of a medicine on one day have no order that both sides could know.
    unique_by=lambda bought: (bought["product"], bought["days_ago"]),
)


@settings(max_examples=60, deadline=None, database=None)
@given(purchases=PURCHASES)
def test_any_history_has_the_models_supplies(clinic_database: str, purchases: list[Json]) -> None:
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        clinic = Clinic(connection)
        patient = clinic.patient()
        for bought in purchases:
            how = {name: value for name, value in bought.items() if name != "product"}
            clinic.bought(patient, clinic.products[bought["product"]], **how)
        past = history(clinic, patient.patient_id)

        assert of_database(clinic, patient.patient_id) == model_of(past)
        assert active(clinic, patient.patient_id) == taken_today(past, clinic.today)


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
