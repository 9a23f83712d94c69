"""Refills over the API: from the scan to the order, for patients and for staff, and by the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.contract.people import newcomer
from tests.integration.ordering import PHARMACIST, as_staff, buy, placed, prescribe, prescribed_item, records
from tests.running_stack import RunningStack

Json = dict[str, Any]

METFORMIN, ASPIRIN, ATORVASTATIN, ORS = "MED003", "MED028", "MED010", "MED021"
SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@dataclass
class Person:
    patient_id: str
    api: httpx.Client

    def refills(self) -> dict[str, Json]:
        answer = self.api.get("/api/refills")
        assert answer.status_code == 200, answer.text
        return {row["product_id"]: row for row in answer.json()["refills"]}

    def reorder(self, *product_ids: str, **how: Any) -> httpx.Response:
        body = {"items": [{"product_id": one} for one in product_ids]} if product_ids else {}
        return self.api.post("/api/refills/reorder", json=body, **how)

    def confirm(self, card: Json) -> httpx.Response:
        names = ("proposal_id", "digest")
        return self.api.post("/api/orders", json={name: card[name] for name in names})


@pytest.fixture
def person(stack: RunningStack) -> Iterator[Person]:
    """Metformin, on prescription, and aspirin: thirty tablets each, one a day, bought 25 days ago."""
    made = newcomer(stack)
    with stack.api(made.token) as api:
        prescribe(stack, api, prescribed_item("Metformin", "500 mg", 30, repeats=3))
        bought(stack, made.patient_id, (METFORMIN, 25), (ASPIRIN, 25))
        yield Person(made.patient_id, api)


@pytest.fixture
def pharmacist(stack: RunningStack) -> Iterator[httpx.Client]:
    with as_staff(stack, PHARMACIST) as api:
        yield api


@pytest.fixture
def early_morning(stack: RunningStack) -> Iterator[None]:
    """The scan of today is due and has not run."""
    with records(stack) as database:
        database.execute("delete from public.refill_scans where finished_at is not null")
        database.execute("update public.refill_settings set scan_from = '00:00'")
        yield
        database.execute("update public.refill_settings set scan_from = default")


def bought(stack: RunningStack, patient_id: str, *purchases: tuple[str, int]) -> None:
    """Orders of the past, as an import brings them: a pack each, once a day, so many days ago."""
    with records(stack) as database:
        for number, (product_id, days_ago) in enumerate(purchases):
            order_id = f"OLD-{patient_id}-{product_id}-{days_ago}-{number}"
            database.execute(
                """
                insert into public.orders (order_id, patient_id, status, total, placed_at, placed_by)
                values (%s, %s, 'delivered', 1, now() - make_interval(days => %s), 'import')
                """,
                [order_id, patient_id, days_ago],
            )
            database.execute(
                """
                insert into public.order_items
                  (order_id, line, product_id, packs, unit_price, dosage_frequency)
                values (%s, 1, %s, 1, 1, 'once_daily')
                """,
                [order_id, product_id],
            )


def scan(pharmacist: httpx.Client) -> Json:
    answer = pharmacist.post("/api/admin/trigger-refill-scan")
    assert answer.status_code == 200, answer.text
    report: Json = answer.json()
    return report


def alerts_of(pharmacist: httpx.Client, person: Person, status: str = "all") -> list[Json]:
    answer = pharmacist.get(
        "/api/admin/refill-alerts", params={"patient_id": person.patient_id, "status": status}
    )
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    assert isinstance(found, list)
    return found


def days_from_now(days: int) -> str:
    """The day in India, where the patient is."""
    return str((datetime.now(UTC) + timedelta(days=days, hours=5, minutes=30)).date())


class TestMyRefills:
    def test_say_when_each_runs_out_and_how_well_it_was_kept_to(self, person: Person) -> None:
        refills = person.refills()

        assert refills.keys() == {METFORMIN, ASPIRIN}
        for refill in refills.values():
            assert (refill["run_out_on"], refill["days_left"]) == (days_from_now(5), 5)
            assert (refill["status"], refill["reminders"]) == ("due", True)
            assert (refill["pdc_90"], refill["pdc_180"]) == (1, 1)

    def test_say_what_ordering_again_would_meet(self, stack: RunningStack, person: Person) -> None:
        bought(stack, person.patient_id, (ATORVASTATIN, 28))
        reorders = {product: refill["reorder"] for product, refill in person.refills().items()}

        assert {product: one["advice"] for product, one in reorders.items()} == {
            METFORMIN: "reorder",
            ASPIRIN: "reorder",
            ATORVASTATIN: "upload",
        }
        assert [one["available"] for one in reorders.values()].count(False) == 1
        assert reorders[ATORVASTATIN]["reason"]
        assert reorders[METFORMIN]["line_total"] == reorders[METFORMIN]["price"] == 45

    def test_are_the_same_for_staff(self, person: Person, pharmacist: httpx.Client) -> None:
        answer = pharmacist.get(f"/api/patients/{person.patient_id}/refills")
        assert answer.json() == person.api.get("/api/refills").json()

    def test_are_none_for_a_newcomer(self, stack: RunningStack) -> None:
        with stack.api(newcomer(stack).token) as api:
            assert api.get("/api/refills").json() == {"refills": [], "count": 0}


class TestOneTap:
    def test_what_the_list_offers_is_a_card_and_the_card_is_an_order(
        self, person: Person, pharmacist: httpx.Client
    ) -> None:
        scan(pharmacist)
        offer = person.refills()[METFORMIN]["reorder"]

        card = person.api.post(offer["href"], json=offer["body"]).json()
        order = placed(person.confirm(card))

        assert (card["type"], card["total"]) == ("order_confirmation", offer["line_total"])
        assert [(line["product_id"], line["quantity"]) for line in order["items"]] == [(METFORMIN, 1)]
        assert person.refills()[METFORMIN]["run_out_on"] == days_from_now(35)
        closed = [alert for alert in alerts_of(pharmacist, person) if alert["status"] == "closed"]
        assert [(alert["product_id"], alert["closed_reason"]) for alert in closed] == [
            (METFORMIN, "refilled")
        ]

    def test_without_a_choice_it_is_everything_that_is_due(self, stack: RunningStack, person: Person) -> None:
        bought(stack, person.patient_id, ("MED014", 3))  # a month of vitamin D, hardly begun
        card = person.reorder().json()
        assert {item["product_id"] for item in card["items"]} == {METFORMIN, ASPIRIN}

    def test_a_card_is_confirmed_once_however_often(self, person: Person) -> None:
        card = person.reorder(ASPIRIN).json()
        first, again = person.confirm(card), person.confirm(card)
        assert placed(first)["order_id"] == placed(again)["order_id"]

    def test_of_two_cards_for_the_same_the_second_is_asked_about_again(self, person: Person) -> None:
        one, two = person.reorder(ASPIRIN).json(), person.reorder(ASPIRIN).json()
        placed(person.confirm(one))
        answer = person.confirm(two)
        assert (answer.status_code, answer.json()["code"]) == (409, "proposal_changed")
        assert answer.json()["card"]["warnings"][0]["code"] == "refill_too_soon"

    def test_the_same_key_is_the_same_card(self, person: Person) -> None:
        key = {"Idempotency-Key": f"tap-{person.patient_id}"}
        one, two = (person.reorder(ASPIRIN, headers=key) for _ in range(2))
        assert one.json() == two.json()
        other = person.reorder(METFORMIN, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    def test_a_quantity_may_be_chosen(self, person: Person) -> None:
        body = {"items": [{"product_id": ASPIRIN, "quantity": 2}]}
        card = person.api.post("/api/refills/reorder", json=body).json()
        assert [(item["product_id"], item["qty"]) for item in card["items"]] == [(ASPIRIN, 2)]

    def test_what_needs_a_prescription_first_says_so(self, stack: RunningStack, person: Person) -> None:
        bought(stack, person.patient_id, (ATORVASTATIN, 28))
        answer = person.reorder(ATORVASTATIN)
        assert (answer.status_code, answer.json()["code"]) == (422, "refused")
        assert answer.json()["rejected_items"][0]["code"] == "prescription_required"

    @pytest.mark.parametrize("product_id", [ORS, "MED999", "nothing"])
    def test_only_what_is_taken_regularly_is_a_refill(self, person: Person, product_id: str) -> None:
        answer = person.reorder(METFORMIN, product_id)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_a_refill")

    def test_with_nothing_due_there_is_nothing_to_refill(self, stack: RunningStack) -> None:
        with stack.api(newcomer(stack).token) as api:
            answer = api.post("/api/refills/reorder")
        assert (answer.status_code, answer.json()["code"]) == (404, "nothing_to_refill")

    def test_a_card_of_the_chat_stays_the_one_that_yes_is_about(self, person: Person) -> None:
        said = person.api.post("/api/chat", json={"message": "2 packets of ORS please"}).json()
        assert said["card_data"]["items"][0]["product_id"] == ORS

        person.reorder(METFORMIN)
        confirmed = person.api.post("/api/chat", json={"message": "yes, confirm"}).json()

        assert confirmed["card_data"]["type"] == "order_status"
        assert [item["product_id"] for item in confirmed["card_data"]["items"]] == [ORS]


class TestStaff:
    def test_sees_who_runs_out_of_what(self, person: Person, pharmacist: httpx.Client) -> None:
        scan(pharmacist)
        alerts = alerts_of(pharmacist, person, "open")
        assert {alert["product_id"] for alert in alerts} == {METFORMIN, ASPIRIN}
        assert {(alert["days_left"], alert["last_reminder"]) for alert in alerts} == {(5, 7)}
        assert {(alert["advice"], alert["pdc_90"]) for alert in alerts} == {("reorder", 1)}

    def test_pages_through_all_of_them(self, person: Person, pharmacist: httpx.Client) -> None:
        scan(pharmacist)
        everything = pharmacist.get("/api/admin/refill-alerts?status=all&limit=500").json()
        address, paged = "/api/admin/refill-alerts?status=all&limit=3", []
        while address:
            answer = pharmacist.get(address)
            paged += answer.json()
            address = answer.links.get("next", {}).get("url", "")
        assert len(everything) > 3
        assert paged == everything

    def test_puts_an_alert_off_and_dismisses_it(self, person: Person, pharmacist: httpx.Client) -> None:
        scan(pharmacist)
        metformin, aspirin = sorted(alerts_of(pharmacist, person), key=lambda alert: alert["product_id"])
        path = "/api/admin/refill-alerts/{}/{}"

        off = pharmacist.post(
            path.format(metformin["alert_id"], "snooze"),
            json={"until": days_from_now(3), "reason": "On holiday"},
        )
        ended = pharmacist.post(
            path.format(aspirin["alert_id"], "dismiss"),
            json={"reason": "The cardiologist stopped it", "discontinued": True},
        )
        again = pharmacist.post(path.format(aspirin["alert_id"], "dismiss"), json={"reason": "Once more"})

        assert (off.json()["status"], off.json()["snoozed_until"]) == ("snoozed", days_from_now(3))
        assert (ended.json()["status"], ended.json()["closed_reason"]) == ("closed", "dismissed")
        assert (again.status_code, again.json()["code"]) == (409, "alert_closed")
        assert alerts_of(pharmacist, person, "open") == []
        assert person.refills()[ASPIRIN]["status"] == "discontinued"
        scan(pharmacist)
        assert alerts_of(pharmacist, person, "open") == []

    @pytest.mark.parametrize("days", [-1, 0, 91, 100_000])
    def test_puts_off_until_a_day_to_come(self, person: Person, pharmacist: httpx.Client, days: int) -> None:
        scan(pharmacist)
        [alert, _] = alerts_of(pharmacist, person)
        answer = pharmacist.post(
            f"/api/admin/refill-alerts/{alert['alert_id']}/snooze",
            json={"until": days_from_now(days), "reason": "On holiday"},
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_date")

    def test_is_told_of_an_alert_that_there_is_not(self, pharmacist: httpx.Client) -> None:
        answer = pharmacist.post("/api/admin/refill-alerts/999999999/dismiss", json={"reason": "Whose?"})
        assert (answer.status_code, answer.json()["code"]) == (404, "alert_not_found")

    def test_orders_again_for_a_patient(self, person: Person, pharmacist: httpx.Client) -> None:
        answer = pharmacist.post(
            "/api/refills/reorder",
            json={"patient_id": person.patient_id, "items": [{"product_id": METFORMIN}]},
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["items"][0]["product_id"] == METFORMIN


class TestTheScan:
    def test_creates_nothing_the_second_time(self, person: Person, pharmacist: httpx.Client) -> None:
        first, second = scan(pharmacist), scan(pharmacist)
        assert first["alerts_created"] >= 2
        assert first["complete"]
        assert (second["alerts_created"], second["reminders"]) == (0, 0)
        assert second["scanned"] == first["scanned"] > 12

    def test_by_several_hands_at_once_creates_each_alert_once(
        self, stack: RunningStack, person: Person, pharmacist: httpx.Client
    ) -> None:
        with ThreadPoolExecutor(8) as hands:
            reports = list(hands.map(lambda _: scan(pharmacist), range(8)))

        assert all(report["complete"] for report in reports)
        assert len(alerts_of(pharmacist, person)) == 2
        with records(stack) as database:
            told = database.execute(
                "select dedupe_key from public.notifications where patient_id = %s and kind = 'refill.due'",
                [person.patient_id],
            ).fetchall()
        assert len(told) == 1

    def test_by_the_schedule_runs_with_the_service_key_and_once_a_day(
        self, person: Person, pharmacist: httpx.Client, stack: RunningStack, early_morning: None
    ) -> None:
        first = stack.invoke("refill_scan", SCHEDULED)
        second = stack.invoke("refill_scan", SCHEDULED)

        assert first["state"] == "finished"
        assert first["alerts_created"] >= 2
        assert first["failures"] == 0
        assert second["state"] == "idle"
        assert len(alerts_of(pharmacist, person, "open")) == 2

    def test_reminds_of_what_runs_out_together_in_one_message(
        self, stack: RunningStack, person: Person, pharmacist: httpx.Client
    ) -> None:
        scan(pharmacist)
        with records(stack) as database:
            [told] = database.execute(
                "select arguments from public.notifications where patient_id = %s and kind = 'refill.due'",
                [person.patient_id],
            ).fetchall()
        assert sorted(told["arguments"]["products"]) == ["Aspirin 75mg", "Metformin 500mg"]
        assert (told["arguments"]["days_left"], told["arguments"]["advice"]) == (5, "reorder")


class TestDiscontinued:
    def test_by_the_patient_until_it_is_bought_again(self, person: Person, pharmacist: httpx.Client) -> None:
        scan(pharmacist)
        answer = person.api.post(
            "/api/refills/discontinue", json={"product_id": ASPIRIN, "reason": "My doctor stopped it"}
        )
        assert answer.json() == {"product_id": ASPIRIN, "status": "discontinued"}
        assert [a["product_id"] for a in alerts_of(pharmacist, person, "open")] == [METFORMIN]

        placed(buy(person.api, (ASPIRIN, 1)))

        assert person.refills()[ASPIRIN]["status"] == "supplied"
