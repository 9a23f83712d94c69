"""Which medicines get an alert, when it opens and why it closes. Metformin is thirty tablets, one a day."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from hypothesis import given, settings

from tests.clinical.alerting import alerts, as_user, day, days_pass, decide, scan, states
from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.history import METFORMIN, histories, live

AMLODIPINE_5, AMLODIPINE_10, TELMISARTAN, TELMA_H = "MED004", "MED040", "MED024", "MED042"
ATORVASTATIN, ROSUVASTATIN, ASPIRIN, NAPROXEN = "MED010", "MED047", "MED028", "MED069"
GLYCOMET_GP, FOLIC_ACID, IRON_AND_FOLIC_ACID, VITAMIN_D = "MED037", "MED087", "MED088", "MED014"
AMOXICILLIN, CETIRIZINE, SALBUTAMOL, TAMSULOSIN = "MED013", "MED005", "MED026", "MED053"


def bought(clinic: Clinic, *purchases: tuple[str, int]) -> Patient:
    """A patient who bought one pack of each, to be taken once a day, so many days ago."""
    return live(clinic, [{"product": product, "days_ago": days_ago} for product, days_ago in purchases])


def of(clinic: Clinic, patient: Patient) -> set[str]:
    """The products with an open alert."""
    return {row["product_id"] for row in alerts(clinic, patient) if row["status"] == "open"}


class TestOpening:
    @pytest.mark.parametrize(
        ("days_ago", "opens"), [(22, False), (23, True), (30, True), (44, True), (45, False)]
    )
    def test_it_opens_a_week_before_run_out_and_until_two_weeks_after(
        self, clinic: Clinic, days_ago: int, opens: bool
    ) -> None:
        patient = bought(clinic, (METFORMIN, days_ago))
        assert scan(clinic, patient) == (int(opens), 0)

    def test_brands_of_one_composition_are_one_medicine(self, clinic: Clinic) -> None:
        brand = clinic.copy_of(clinic.products[METFORMIN])
        patient = bought(clinic, (METFORMIN, 55))
        clinic.bought(patient, brand, days_ago=25)

        scan(clinic, patient)

        assert states(clinic, patient) == [(brand.product_id, 5, "open")]

    def test_as_needed_is_never_predicted(self, clinic: Clinic) -> None:
        patient = live(clinic, [{"product": SALBUTAMOL, "days_ago": 25, "dosage_frequency": "as_needed"}])
        assert scan(clinic, patient) == (0, 0)

    @pytest.mark.parametrize("status", ["cancelled", "failed"])
    def test_what_never_arrived_runs_out_never(self, clinic: Clinic, status: str) -> None:
        patient = live(clinic, [{"product": METFORMIN, "days_ago": 25, "status": status}])
        assert scan(clinic, patient) == (0, 0)


class TestWhatIsLongTerm:
    def test_a_medicine_for_a_maintenance_condition(self, clinic: Clinic) -> None:
        patient = bought(clinic, (ASPIRIN, 25))
        scan(clinic, patient)
        assert of(clinic, patient) == {ASPIRIN}

    def test_what_is_prescribed_with_repeats(self, clinic: Clinic) -> None:
        with_repeats, without = (bought(clinic, (TAMSULOSIN, 10)) for _ in range(2))
        clinic.prescribe(with_repeats, clinic.products[TAMSULOSIN], repeats=3)
        clinic.prescribe(without, clinic.products[TAMSULOSIN], repeats=0)

        scan(clinic, with_repeats, without)

        assert (of(clinic, with_repeats), of(clinic, without)) == ({TAMSULOSIN}, set())

    def test_a_course_of_antibiotics_is_not(self, clinic: Clinic) -> None:
        patient = bought(clinic, (AMOXICILLIN, 30), (AMOXICILLIN, 5))
        assert scan(clinic, patient) == (0, 0)

    @pytest.mark.parametrize(
        ("days_ago", "opens"), [([5], False), ([5, 20], True), ([5, 5], False), ([5, 190], False)]
    )
    def test_what_needs_no_prescription_when_it_is_bought_again_and_again(
        self, clinic: Clinic, days_ago: list[int], opens: bool
    ) -> None:
        patient = bought(clinic, *((CETIRIZINE, each) for each in days_ago))
        scan(clinic, patient)
        assert (of(clinic, patient) == {CETIRIZINE}) is opens


class TestReplaced:
    """The first runs out in five days; the other was bought for the first time ten days later than it."""

    @pytest.mark.parametrize(
        ("old", "new", "replaced"),
        [
            (AMLODIPINE_5, AMLODIPINE_10, True),  # another strength
            (TELMISARTAN, TELMA_H, True),  # in a combination
            (METFORMIN, GLYCOMET_GP, True),
            (ATORVASTATIN, ROSUVASTATIN, True),  # another of its class for the same condition
            (ASPIRIN, NAPROXEN, False),  # of its class, but for another purpose
            (AMLODIPINE_5, TELMISARTAN, False),  # for the same condition, of another class
        ],
    )
    def test_what_took_its_place(self, clinic: Clinic, old: str, new: str, replaced: bool) -> None:
        patient = bought(clinic, (old, 25), (new, 12))
        scan(clinic, patient)
        assert (old in of(clinic, patient)) is not replaced

    def test_a_little_of_it_in_something_else_is_no_replacement(self, clinic: Clinic) -> None:
        patient = bought(clinic, (FOLIC_ACID, 60), (FOLIC_ACID, 42), (IRON_AND_FOLIC_ACID, 10))
        [row] = [
            row
            for row in clinic.rows("select * from private.medicines_taken(%s)", [patient.patient_id])
            if row["product_id"] == FOLIC_ACID
        ]
        assert row["replaced_by"] is None

    def test_what_is_taken_beside_it_is_none(self, clinic: Clinic) -> None:
        """Both strengths together, the one bought always ten days after the other."""
        patient = bought(
            clinic,
            *((AMLODIPINE_5, days_ago) for days_ago in (85, 55, 25)),
            *((AMLODIPINE_10, days_ago) for days_ago in (75, 60, 45, 30, 15)),
        )
        scan(clinic, patient)
        assert AMLODIPINE_5 in of(clinic, patient)

    def test_who_goes_back_to_the_first_has_replaced_the_second(self, clinic: Clinic) -> None:
        patient = bought(clinic, (AMLODIPINE_5, 150), (AMLODIPINE_10, 70), (AMLODIPINE_5, 24))
        scan(clinic, patient)
        assert of(clinic, patient) == {AMLODIPINE_5}

    def test_a_newer_prescription_replaces_before_anything_is_bought(self, clinic: Clinic) -> None:
        patient = bought(clinic, (AMLODIPINE_5, 25))
        clinic.prescribe(patient, clinic.products[AMLODIPINE_5], issued=clinic.today - timedelta(days=60))
        clinic.prescribe(patient, clinic.products[AMLODIPINE_10], issued=clinic.today - timedelta(days=2))
        scan(clinic, patient)
        assert of(clinic, patient) == set()

    def test_what_is_on_the_newest_prescription_as_well_is_not_replaced(self, clinic: Clinic) -> None:
        patient = bought(clinic, (AMLODIPINE_5, 25), (AMLODIPINE_10, 10))
        clinic.prescribe(
            patient,
            clinic.products[AMLODIPINE_5],
            clinic.products[AMLODIPINE_10],
            issued=clinic.today - timedelta(days=2),
        )
        scan(clinic, patient)
        assert of(clinic, patient) == {AMLODIPINE_5, AMLODIPINE_10}

    def test_an_alert_closes_when_its_medicine_is_replaced(self, clinic: Clinic) -> None:
        patient = bought(clinic, (AMLODIPINE_5, 25))
        scan(clinic, patient)
        clinic.bought(patient, clinic.products[AMLODIPINE_10])
        assert scan(clinic, patient, in_days=1) == (0, 1)
        assert states(clinic, patient) == [(AMLODIPINE_5, 5, "replaced")]


class TestDiscontinued:
    def test_it_closes_the_alert_and_opens_no_other(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25))
        scan(clinic, patient)

        discontinue(clinic, patient, METFORMIN)

        assert states(clinic, patient) == [(METFORMIN, 5, "discontinued")]
        assert [scan(clinic, patient, in_days=n) for n in range(6)] == [(0, 0)] * 6

    def test_buying_it_again_takes_it_back(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25))
        discontinue(clinic, patient, METFORMIN)
        clinic.bought(patient, clinic.products[METFORMIN])
        assert scan(clinic, patient, in_days=30) == (1, 0)

    def test_a_new_prescription_takes_it_back(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25))
        discontinue(clinic, patient, METFORMIN)
        clinic.prescribe(patient, clinic.products[METFORMIN], issued=clinic.today + timedelta(days=1))
        assert scan(clinic, patient, in_days=2) == (1, 0)

    def test_clinical_checks_still_count_what_was_bought(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25))
        discontinue(clinic, patient, METFORMIN)
        taken = clinic.rows(
            """
            select * from private.active_medicines(
              %s, private.active_rule_set_id(), private.supplies_to_verify(%s, null)
            )
            """,
            patient.patient_id,
            patient.patient_id,
        )
        assert [row["ingredient"] for row in taken] == ["Metformin"]

    @pytest.mark.parametrize("product", ["MED010", "MED999"])
    def test_only_what_is_taken_can_be_discontinued(self, clinic: Clinic, product: str) -> None:
        patient = bought(clinic, (METFORMIN, 25))
        with pytest.raises(psycopg.DatabaseError, match="not_a_refill"):
            discontinue(clinic, patient, product)


class TestMyUsual:
    """What "refill my usual" in the chat is about."""

    def usual(self, clinic: Clinic, patient: Patient) -> set[str]:
        rows = clinic.rows("select own from private.own_medicines(%s) as own", patient.patient_id)
        return {row["own"] for row in rows}

    def test_is_what_is_taken_regularly(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25), (ASPIRIN, 100))
        assert self.usual(clinic, patient) == {METFORMIN, ASPIRIN}

    @pytest.mark.parametrize("days_ago", [20, 150])
    def test_is_not_what_was_replaced_however_long_ago(self, clinic: Clinic, days_ago: int) -> None:
        patient = bought(clinic, (AMLODIPINE_5, days_ago + 25), (AMLODIPINE_10, days_ago))
        assert self.usual(clinic, patient) == {AMLODIPINE_10}

    def test_is_not_what_was_discontinued_also_while_a_prescription_is_valid(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25), (ASPIRIN, 25))
        clinic.prescribe(patient, clinic.products[METFORMIN])
        discontinue(clinic, patient, METFORMIN)
        days_pass(clinic, patient, 60)
        assert self.usual(clinic, patient) == {ASPIRIN}


class TestClosing:
    @pytest.fixture
    def patient(self, clinic: Clinic) -> Patient:
        """With an open alert for metformin that runs out in five days."""
        patient = bought(clinic, (METFORMIN, 25))
        scan(clinic, patient)
        assert states(clinic, patient) == [(METFORMIN, 5, "open")]
        return patient

    def test_buying_again_closes_it_at_once(self, clinic: Clinic, patient: Patient) -> None:
        clinic.bought(patient, clinic.products[METFORMIN])
        assert states(clinic, patient) == [(METFORMIN, 5, "refilled")]
        assert scan(clinic, patient) == (0, 0)

    def test_so_does_another_brand(self, clinic: Clinic, patient: Patient) -> None:
        clinic.bought(patient, clinic.copy_of(clinic.products[METFORMIN]))
        assert states(clinic, patient) == [(METFORMIN, 5, "refilled")]

    def test_an_as_needed_purchase_does_not(self, clinic: Clinic, patient: Patient) -> None:
        clinic.bought(patient, clinic.products[METFORMIN], dosage_frequency="as_needed")
        assert scan(clinic, patient) == (0, 0)
        assert states(clinic, patient) == [(METFORMIN, 5, "open")]

    def test_a_purchase_of_before_the_alert_that_is_imported_later_is_left_to_the_scan(
        self, clinic: Clinic, patient: Patient
    ) -> None:
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=20)
        assert states(clinic, patient) == [(METFORMIN, 5, "open")]
        assert scan(clinic, patient) == (0, 1)
        assert states(clinic, patient) == [(METFORMIN, 5, "refilled")]

    def test_a_cancelled_purchase_opens_it_again_and_makes_no_second_one(
        self, clinic: Clinic, patient: Patient
    ) -> None:
        order_id = clinic.bought(patient, clinic.products[METFORMIN], status="confirmed")
        clinic.run("update public.orders set status = 'cancelled' where order_id = %s", order_id)
        assert scan(clinic, patient) == (0, 0)
        assert states(clinic, patient) == [(METFORMIN, 5, "open")]

    def test_when_the_purchase_it_is_about_is_cancelled_it_closes(
        self, clinic: Clinic, patient: Patient
    ) -> None:
        clinic.run("delete from public.orders where patient_id = %s", patient.patient_id)
        assert scan(clinic, patient) == (0, 1)
        assert states(clinic, patient) == [(METFORMIN, 5, "recalculated")]

    def test_it_lapses_when_nobody_buys(self, clinic: Clinic, patient: Patient) -> None:
        assert [scan(clinic, patient, in_days=n) for n in (18, 19)] == [(0, 0), (0, 0)]
        assert scan(clinic, patient, in_days=20) == (0, 1)
        assert states(clinic, patient) == [(METFORMIN, 5, "lapsed")]

    def test_what_staff_dismissed_stays_so(self, clinic: Clinic, patient: Patient) -> None:
        [alert] = alerts(clinic, patient)
        decide(clinic, alert["alert_id"], decision="dismiss", reason="Takes it from the hospital")
        assert [scan(clinic, patient, in_days=n) for n in range(15)] == [(0, 0)] * 15
        assert states(clinic, patient) == [(METFORMIN, 5, "dismissed")]

    def test_the_next_run_out_gets_an_alert_of_its_own(self, clinic: Clinic, patient: Patient) -> None:
        [alert] = alerts(clinic, patient)
        decide(clinic, alert["alert_id"], decision="dismiss", reason="Has enough for now")
        clinic.bought(patient, clinic.products[METFORMIN])
        assert scan(clinic, patient, in_days=29) == (1, 0)
        assert states(clinic, patient) == [(METFORMIN, 5, "dismissed"), (METFORMIN, 35, "open")]

    def test_dismissed_as_discontinued_it_is_not_reminded_of_again(
        self, clinic: Clinic, patient: Patient
    ) -> None:
        [alert] = alerts(clinic, patient)
        decide(clinic, alert["alert_id"], decision="dismiss", reason="Stopped", discontinued=True)
        clinic.run("update public.refill_alerts set run_out_on = run_out_on - 1")
        assert scan(clinic, patient, in_days=1) == (0, 0)

    def test_what_staff_decides_is_recorded(self, clinic: Clinic, patient: Patient) -> None:
        [alert] = alerts(clinic, patient)
        decide(clinic, alert["alert_id"], decision="snooze", until=day(clinic, 3), reason="Call on Monday")
        decide(clinic, alert["alert_id"], decision="dismiss", reason="Moved away")
        rows = clinic.rows(
            "select action, actor_role, details ->> 'reason' as reason from public.audit_log "
            "where patient_id = %s and action like 'refill_alert.%%' order by audit_id",
            patient.patient_id,
        )
        assert [tuple(row.values()) for row in rows] == [
            ("refill_alert.snooze", "pharmacist", "Call on Monday"),
            ("refill_alert.dismiss", "pharmacist", "Moved away"),
        ]


class TestAgainAndAgain:
    @settings(max_examples=15, deadline=None, database=None)
    @given(histories())
    def test_a_second_scan_creates_and_closes_nothing(
        self, clinic_database: str, purchases: list[Json]
    ) -> None:
        with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
            clinic = Clinic(connection)
            patient = live(clinic, purchases)
            scan(clinic, patient)
            before = alerts(clinic, patient)

            assert scan(clinic, patient) == (0, 0)
            assert alerts(clinic, patient) == before

    @settings(max_examples=15, deadline=None, database=None)
    @given(histories())
    def test_a_day_later_only_what_changed_is_touched(
        self, clinic_database: str, purchases: list[Json]
    ) -> None:
        with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
            clinic = Clinic(connection)
            patient = live(clinic, purchases)
            scan(clinic, patient)
            before = {row["alert_id"]: row for row in alerts(clinic, patient)}
            versions = written(clinic, patient)

            created, closed = scan(clinic, patient, in_days=1)

            after = {row["alert_id"]: row for row in alerts(clinic, patient)}
            new = [row for alert_id, row in after.items() if alert_id not in before]
            ended = [
                row for alert_id, row in after.items() if before.get(alert_id, row)["status"] != row["status"]
            ]
            assert (len(new), len(ended)) == (created, closed)
            assert all((row["run_out_on"] - clinic.today).days == 8 for row in new)
            assert all((row["run_out_on"] - clinic.today).days == -14 for row in ended)
            untouched = before.keys() - {row["alert_id"] for row in ended}
            lie = written(clinic, patient)
            assert {lie[alert_id] for alert_id in untouched} == {versions[alert_id] for alert_id in untouched}

    def test_back_and_forth_between_days_ends_where_it_began(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 22), (ATORVASTATIN, 40))
        for in_days in (0, 1, 0, 2, 1, 0, 1):
            scan(clinic, patient, in_days=in_days)
        assert states(clinic, patient) == [(ATORVASTATIN, -10, "open"), (METFORMIN, 8, "open")]

    def test_one_statement_in_the_database_keeps_it_to_one(self, clinic: Clinic) -> None:
        patient = bought(clinic, (METFORMIN, 25))
        scan(clinic, patient)
        with pytest.raises(psycopg.errors.UniqueViolation), clinic.connection.transaction():
            clinic.run(
                """
                insert into public.refill_alerts (patient_id, composition, product_id, packs, run_out_on)
                select patient_id, composition, product_id, packs, run_out_on from public.refill_alerts
                where patient_id = %s
                """,
                patient.patient_id,
            )


def written(clinic: Clinic, patient: Patient) -> dict[int, str]:
    """Where each alert's row lies: it moves with every write, even one of the same values."""
    rows = clinic.rows(
        "select alert_id, ctid::text as version from public.refill_alerts where patient_id = %s",
        patient.patient_id,
    )
    return {row["alert_id"]: row["version"] for row in rows}


def discontinue(clinic: Clinic, patient: Patient, product_id: str) -> None:
    as_user(clinic, patient.user_id)
    clinic.run("select public.discontinue_medicine(%s, 'The doctor stopped it')", product_id)
