"""The scan as a whole: slices that are each done once, whoever does them, and nobody who can hold it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import psycopg
import pytest

from tests.clinical.alerting import alerts, states
from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.history import METFORMIN, live

EVERYBODY = 20_000


def step(
    clinic: Clinic,
    *,
    start: str = "now",
    scan_id: int | None = None,
    patients: int = EVERYBODY,
    reminders: int = 1_000,
    at: datetime | None = None,
) -> Json:
    done: Json = clinic.value(
        "select private.take_scan_step(%s, %s, %s, %s, coalesce(%s, now()))",
        start,
        scan_id,
        patients,
        reminders,
        at,
    )
    return done


def to_the_end(clinic: Clinic, *, patients: int = EVERYBODY, reminders: int = 1_000) -> list[Json]:
    steps = [step(clinic, patients=patients, reminders=reminders)]
    while steps[-1]["state"] == "running":
        scan_id = steps[-1]["scan_id"]
        steps.append(step(clinic, scan_id=scan_id, patients=patients, reminders=reminders))
    return steps


def morning(clinic: Clinic, in_days: int = 1) -> datetime:
    """Nine o'clock in India: the scan of that day may begin."""
    return datetime.combine(clinic.today + timedelta(days=in_days), time(3, 30), UTC)


def due(clinic: Clinic) -> Patient:
    """Somebody whose metformin runs out in five days."""
    return live(clinic, [{"product": METFORMIN, "days_ago": 25}])


def test_slices_add_up_to_everybody(clinic: Clinic) -> None:
    made = [due(clinic) for _ in range(7)]
    everybody = clinic.value("select count(*) from public.patients")

    steps = to_the_end(clinic, patients=3, reminders=2)

    assert steps[-1]["scanned"] == everybody
    assert steps[-1]["alerts_created"] >= len(made)
    assert len([s for s in steps if s["stage"] == "alerts"]) == -(-everybody // 3)
    assert [row["product_id"] for row in alerts(clinic, *made)] == [METFORMIN] * 7
    assert all(row["reminded_lead"] == 7 for row in alerts(clinic, *made))


def test_small_slices_find_what_a_large_one_finds(clinic: Clinic) -> None:
    for _ in range(5):
        due(clinic)
    found = []
    for size in (1, 4, EVERYBODY):
        with clinic.connection.transaction(force_rollback=True):
            to_the_end(clinic, patients=size, reminders=size)
            found.append(
                clinic.rows(
                    "select patient_id, composition, run_out_on, reminded_lead, advice "
                    "from public.refill_alerts order by 1, 2, 3"
                )
            )
    assert found[0]
    assert found[0] == found[1] == found[2]


def test_a_second_scan_creates_closes_and_reminds_nothing(clinic: Clinic) -> None:
    due(clinic)
    to_the_end(clinic)
    last = to_the_end(clinic)[-1]
    assert (last["alerts_created"], last["alerts_closed"], last["reminders"]) == (0, 0, 0)


class TestTheDaysScan:
    @pytest.fixture(autouse=True)
    def of_no_scan_yet(self, clinic: Clinic) -> None:
        clinic.run("delete from public.refill_scans")
        clinic.run("update public.refill_settings set scan_from = '06:00'")

    def test_it_begins_when_the_day_has_and_only_once(self, clinic: Clinic) -> None:
        too_early = morning(clinic) - timedelta(hours=4)
        assert step(clinic, start="if_due", at=too_early)["state"] == "idle"
        states = [step(clinic, start="if_due", at=morning(clinic))["state"] for _ in range(6)]
        assert [*dict.fromkeys(states)] == ["running", "finished", "idle"]

    def test_the_next_day_has_one_of_its_own(self, clinic: Clinic) -> None:
        for in_days in (1, 2):
            while (last := step(clinic, start="if_due", at=morning(clinic, in_days)))["state"] == "running":
                pass
            assert last["state"] == "finished"

    def test_one_by_hand_does_not_stand_for_it(self, clinic: Clinic) -> None:
        to_the_end(clinic)
        clinic.run("update public.refill_scans set scan_day = %s", morning(clinic).date())
        assert step(clinic, start="if_due", at=morning(clinic))["state"] == "running"

    def test_one_that_stopped_half_way_is_gone_on_with(self, clinic: Clinic) -> None:
        first = step(clinic, start="if_due", patients=3, at=morning(clinic))
        second = step(clinic, start="if_due", patients=3, at=morning(clinic))
        assert (first["scan_id"], first["scanned"], second["scanned"]) == (second["scan_id"], 3, 6)

    def test_one_that_stopped_yesterday_is_given_up_for_todays(self, clinic: Clinic) -> None:
        first = step(clinic, start="if_due", patients=3, at=morning(clinic))
        second = step(clinic, start="if_due", patients=3, at=morning(clinic, 2))
        assert second["scan_id"] != first["scan_id"]
        assert second["scanned"] == 3
        assert (
            clinic.value("select outcome from public.refill_scans where scan_id = %s", first["scan_id"])
            == "abandoned"
        )

    def test_whoever_asks_again_for_a_finished_scan_hears_how_it_ended(self, clinic: Clinic) -> None:
        last = to_the_end(clinic)[-1]
        assert step(clinic, scan_id=last["scan_id"]) == last


class TestOnePatientWhoCannotBeWorkedOut:
    @pytest.fixture
    def odd(self, clinic: Clinic) -> Patient:
        """With a time zone that there is not."""
        patient = due(clinic)
        clinic.run("alter table public.notification_preferences disable trigger user")
        for row in clinic.rows(
            """
            select conname from pg_catalog.pg_constraint
            where conrelid = 'public.notification_preferences'::regclass and contype = 'c'
              and pg_get_constraintdef(oid) like '%%time_zone%%'
            """
        ):
            clinic.run(f"alter table public.notification_preferences drop constraint {row['conname']}")
        clinic.run(
            "update public.notification_preferences set time_zone = 'Nowhere/Land' where patient_id = %s",
            patient.patient_id,
        )
        return patient

    def test_is_left_out_and_counted_and_holds_up_nobody(self, clinic: Clinic, odd: Patient) -> None:
        others = [due(clinic) for _ in range(3)]
        last = to_the_end(clinic)[-1]
        assert (last["state"], last["failures"]) == ("finished", 1)
        assert states(clinic, *others) == [(METFORMIN, 5, "open")] * 3
        assert states(clinic, odd) == []

    def test_is_scanned_again_when_it_is_put_right(self, clinic: Clinic, odd: Patient) -> None:
        to_the_end(clinic)
        clinic.run("update public.notification_preferences set time_zone = 'UTC'")
        assert to_the_end(clinic)[-1]["failures"] == 0
        assert states(clinic, odd) == [(METFORMIN, 5, "open")]


class TestOverlapping:
    """Real transactions side by side, over patients that are removed afterwards."""

    @pytest.fixture
    def made(self, clinic_database: str) -> Iterator[list[Patient]]:
        with psycopg.connect(clinic_database, autocommit=True) as connection:
            clinic = Clinic(connection)
            patients = [due(clinic) for _ in range(12)]
            yield patients
            ids = [patient.patient_id for patient in patients]
            for statement in (
                "delete from public.refill_alerts where patient_id = any(%s)",
                "delete from public.notifications where patient_id = any(%s)",
                "delete from public.orders where patient_id = any(%s)",
                "delete from public.patients where patient_id = any(%s)",
            ):
                connection.execute(statement.encode(), [ids])
            connection.execute("delete from auth.users where id = any(%s)", [[p.user_id for p in patients]])

    def test_scans_at_once_share_one_scan_and_do_each_slice_once(
        self, clinic_database: str, made: list[Patient]
    ) -> None:
        ends: list[Json] = []

        def scan_all() -> None:
            with psycopg.connect(clinic_database, autocommit=True) as connection:
                ends.append(to_the_end(Clinic(connection), patients=2, reminders=2)[-1])

        together = [threading.Thread(target=scan_all) for _ in range(4)]
        for each in together:
            each.start()
        for each in together:
            each.join()

        with psycopg.connect(clinic_database) as connection:
            clinic = Clinic(connection)
            assert states(clinic, *made) == [(METFORMIN, 5, "open")] * len(made)
            told = clinic.value(
                "select count(*) from public.notifications where patient_id = any(%s)",
                [patient.patient_id for patient in made],
            )
            everybody = clinic.value("select count(*) from public.patients")
        assert told == len(made)
        assert len(ends) == 4
        assert all(end["scanned"] == everybody for end in ends)

    def test_a_purchase_in_the_middle_of_a_scan_leaves_no_open_alert(
        self, clinic_database: str, made: list[Patient]
    ) -> None:
        with (
            psycopg.connect(clinic_database, autocommit=True) as buying,
            psycopg.connect(clinic_database, autocommit=True) as scanning,
        ):
            clinic, scanner = Clinic(buying), Clinic(scanning)
            to_the_end(scanner)
            stop = threading.Event()

            def scan_on() -> None:
                while not stop.is_set():
                    to_the_end(scanner, patients=5, reminders=5)

            scans = threading.Thread(target=scan_on)
            scans.start()
            for patient in made:
                clinic.bought(patient, clinic.products[METFORMIN])
            stop.set()
            scans.join()
            to_the_end(scanner)

            assert states(clinic, *made) == [(METFORMIN, 5, "refilled")] * len(made)
