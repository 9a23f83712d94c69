"""Which reminders are queued, when, and what they say. Metformin is thirty tablets, one a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clinical.alerting import alerts, day, days_pass, decide, remind, reminders, waiting
from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.history import METFORMIN

ATORVASTATIN, ASPIRIN, SERTRALINE, LEVOTHYROXINE = "MED010", "MED028", "MED073", "MED019"


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    """Metformin, bought today, with a prescription that goes on: it runs out in thirty days."""
    patient = clinic.patient()
    clinic.prescribe(patient, clinic.products[METFORMIN])
    clinic.bought(patient, clinic.products[METFORMIN])
    return patient


def told_on(clinic: Clinic, patient: Patient, days: Iterable[int]) -> list[int]:
    """Scan on these days after today, in this order; the days left that the reminders then named."""
    told: list[int] = []
    now = 0
    for in_days in days:
        days_pass(clinic, patient, in_days - now)
        now = in_days
        if remind(clinic, patient):
            told.append(reminders(clinic, patient)[-1]["arguments"]["days_left"])
    return told


class TestLeadTimes:
    def test_seven_three_and_one_day_before(self, clinic: Clinic, patient: Patient) -> None:
        assert told_on(clinic, patient, range(46)) == [7, 3, 1]

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            ([25, 29], [5, 1]),  # the scan did not run for two days
            ([28, 29, 30], [2, 1]),
            ([29, 30], [1]),
            ([31, 32, 33], [-1]),  # nobody told them in time
            ([23, 24, 25, 26], [7]),
            ([23, 23, 23], [7]),
        ],
    )
    def test_days_without_a_scan_are_made_up_for_once(
        self, clinic: Clinic, patient: Patient, days: list[int], expected: list[int]
    ) -> None:
        assert told_on(clinic, patient, days) == expected

    @settings(max_examples=10, deadline=None, database=None)
    @given(days=st.lists(st.integers(20, 46), max_size=12).map(sorted))
    def test_however_the_scans_fall_no_lead_time_is_told_twice(
        self, clinic_database: str, days: list[int]
    ) -> None:
        with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
            clinic = Clinic(connection)
            patient = clinic.patient()
            clinic.bought(patient, clinic.products[METFORMIN])

            told = told_on(clinic, patient, days)

            leads = [min(lead for lead in (7, 3, 1) if left <= lead) for left in told]
            assert len(leads) == len(set(leads))
            assert told == sorted(told, reverse=True)
            assert bool(told) is any(23 <= each <= 44 for each in days)

    def test_of_a_supply_that_is_too_fresh_nobody_is_asked_to_order_more(self, clinic: Clinic) -> None:
        """Ten tablets: a week before run-out is three days after the purchase."""
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[SERTRALINE])
        clinic.bought(patient, clinic.products[SERTRALINE])
        assert told_on(clinic, patient, range(12)) == [2, 1]


class TestWhenItLeaves:
    def test_it_waits_for_the_morning_where_the_patient_is(self, clinic: Clinic) -> None:
        zone = ZoneInfo("America/New_York")
        patient = clinic.patient(time_zone=str(zone))
        evening = datetime.combine(clinic.today, time(22), zone)
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=26)
        clinic.run("select private.refresh_refill_alerts(%s, %s)", [patient.patient_id], evening)
        clinic.run("select private.remind_of_refills(%s, %s)", patient.patient_id, evening)

        available_at = clinic.value(
            """
            select available_at from public.outbox_events
            join public.notifications using (notification_id) where patient_id = %s
            """,
            patient.patient_id,
        )

        assert available_at.astimezone(zone) == evening + timedelta(hours=11)

    def test_days_left_are_the_patients_own(self, clinic: Clinic) -> None:
        """At the same moment the next day has begun in the east."""
        told = []
        for zone in ("America/Los_Angeles", "Pacific/Auckland"):
            patient = clinic.patient(time_zone=zone)
            bought_at = datetime.combine(clinic.today - timedelta(days=28), time(12), ZoneInfo(zone))
            clinic.bought(patient, clinic.products[METFORMIN], placed_at=bought_at)
            at = datetime.combine(clinic.today, time(12), UTC)
            clinic.run("select private.refresh_refill_alerts(%s, %s)", [patient.patient_id], at)
            clinic.run("select private.remind_of_refills(%s, %s)", patient.patient_id, at)
            told += [arguments["days_left"] for arguments in waiting(clinic, patient)]
        assert told == [2, 1]


class TestWhatItAdvises:
    """What a reorder would meet today."""

    def advice(self, clinic: Clinic, patient: Patient) -> list[str]:
        remind(clinic, patient)
        return [arguments["advice"] for arguments in waiting(clinic, patient)]

    def late(self, clinic: Clinic, product_id: str = METFORMIN, **person: Json) -> Patient:
        patient = clinic.patient(**person)  # type: ignore[arg-type]
        clinic.bought(patient, clinic.products[product_id], days_ago=28)
        return patient

    def test_to_order_it(self, clinic: Clinic) -> None:
        patient = self.late(clinic)
        clinic.prescribe(patient, clinic.products[METFORMIN])
        assert self.advice(clinic, patient) == ["reorder"]

    def test_to_hand_in_a_prescription_where_there_never_was_one(self, clinic: Clinic) -> None:
        assert self.advice(clinic, self.late(clinic)) == ["upload"]

    def test_to_renew_one_that_has_ended(self, clinic: Clinic) -> None:
        patient = self.late(clinic)
        clinic.prescribe(
            patient,
            clinic.products[METFORMIN],
            issued=clinic.today - timedelta(days=90),
            ends=clinic.today - timedelta(days=1),
        )
        assert self.advice(clinic, patient) == ["renew"]

    def test_to_renew_one_without_repeats_left(self, clinic: Clinic) -> None:
        patient = self.late(clinic)
        prescription_id = clinic.prescribe(patient, clinic.products[METFORMIN], repeats=0)
        clinic.run(
            "update public.prescription_items set dispensed_units = units where prescription_id = %s",
            prescription_id,
        )
        assert self.advice(clinic, patient) == ["renew"]

    def test_to_order_when_a_new_prescription_waits_to_be_read(self, clinic: Clinic) -> None:
        patient = self.late(clinic)
        clinic.upload(patient)
        assert self.advice(clinic, patient) == ["reorder"]

    @pytest.mark.parametrize(("left", "advice"), [(0, "out_of_stock"), (1, "reorder")])
    def test_that_it_is_out_of_stock(self, clinic: Clinic, left: int, advice: str) -> None:
        patient = self.late(clinic, ASPIRIN)
        clinic.run("update public.product_batches set quantity = 0 where product_id = %s", ASPIRIN)
        if left:
            clinic.stock(ASPIRIN, left)
        assert self.advice(clinic, patient) == [advice]

    def test_to_ask_the_pharmacist_about_anything_else(self, clinic: Clinic) -> None:
        """An allergy that was stated since."""
        patient = self.late(clinic, ASPIRIN)
        clinic.run(
            "update public.patients set allergies = '{aspirin}' where patient_id = %s", patient.patient_id
        )
        assert self.advice(clinic, patient) == ["ask_pharmacist"]

    def test_as_many_packs_as_last_time_or_as_the_prescription_allows(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[METFORMIN], packs=3, days_ago=88)
        clinic.prescribe(patient, clinic.products[METFORMIN], units=60, repeats=0)
        assert self.advice(clinic, patient) == ["reorder"]


class TestOneMessage:
    def test_for_medicines_that_share_their_day_and_their_advice(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN], clinic.products[ATORVASTATIN])
        for product in (METFORMIN, ATORVASTATIN, LEVOTHYROXINE):
            units = clinic.products[product].units_per_pack
            clinic.bought(patient, clinic.products[product], days_ago=units - 2)

        assert remind(clinic, patient) == 2

        told = {arguments["advice"]: arguments for arguments in waiting(clinic, patient)}
        assert told["upload"]["product"] == "Levothyroxine 50mcg"
        assert told["reorder"]["products"] == ["Atorvastatin 10mg", "Metformin 500mg"]
        assert {arguments["run_out_on"] for arguments in told.values()} == {day(clinic, 2)}


class TestTakenBack:
    def test_a_reminder_of_what_was_bought_meanwhile_does_not_leave(
        self, clinic: Clinic, patient: Patient
    ) -> None:
        assert told_on(clinic, patient, [24]) == [6]

        clinic.bought(patient, clinic.products[METFORMIN])

        assert waiting(clinic, patient) == []
        assert clinic.value(
            """
            select annulled_at is not null from public.outbox_events
            join public.notifications using (notification_id) where patient_id = %s
            """,
            patient.patient_id,
        )

    def test_of_several_medicines_the_others_stay_in_it(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        for product in (METFORMIN, ATORVASTATIN):
            clinic.prescribe(patient, clinic.products[product])
            clinic.bought(patient, clinic.products[product], days_ago=28)
        remind(clinic, patient)
        assert waiting(clinic, patient)[0]["products"] == ["Atorvastatin 10mg", "Metformin 500mg"]

        clinic.bought(patient, clinic.products[METFORMIN])

        [arguments] = waiting(clinic, patient)
        assert (arguments["product"], "products" in arguments) == ("Atorvastatin 10mg", False)

    def test_one_that_left_is_not_touched(self, clinic: Clinic, patient: Patient) -> None:
        told_on(clinic, patient, [24])
        clinic.run(
            "update public.notifications set status = 'sent', channel = 'email', sent_at = now() "
            "where patient_id = %s",
            patient.patient_id,
        )
        clinic.bought(patient, clinic.products[METFORMIN])
        assert [row["status"] for row in reminders(clinic, patient)] == ["sent"]

    @pytest.mark.parametrize("decision", [{"decision": "dismiss"}, {"decision": "snooze"}])
    def test_nor_does_one_that_staff_has_decided_about(
        self, clinic: Clinic, patient: Patient, decision: Json
    ) -> None:
        told_on(clinic, patient, [24])
        [alert] = alerts(clinic, patient)
        decide(clinic, alert["alert_id"], reason="Called them", until=day(clinic, 5), **decision)
        assert waiting(clinic, patient) == []

    def test_an_alert_that_was_put_off_is_silent_until_its_day_and_then_told(
        self, clinic: Clinic, patient: Patient
    ) -> None:
        told_on(clinic, patient, [24])
        [alert] = alerts(clinic, patient)
        decide(clinic, alert["alert_id"], decision="snooze", reason="On holiday", until=day(clinic, 5))
        assert told_on(clinic, patient, range(9)) == [1]
