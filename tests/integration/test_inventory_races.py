"""Lots that go or come while somebody orders from them: every pack is sold once, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import psycopg
import pytest

from tests.database.people import acting_as, staff
from tests.integration.chatting import new_patient, new_patient_token, shelf, stock
from tests.integration.ordering import ADMIN, as_staff, buy, placed, records, until_waiting
from tests.integration.test_inventory import BANDAGE, WHY, act, new_lot, received
from tests.running_stack import RunningStack


@pytest.fixture
def admin(stack: RunningStack) -> Iterator[httpx.Client]:
    with shelf(stack, BANDAGE, {}), as_staff(stack, ADMIN) as api:
        yield api


@contextmanager
def half_way(stack: RunningStack, batch_id: int, status: str) -> Iterator[psycopg.Connection]:
    """The lot is being held or recalled: done, but not yet committed."""
    with psycopg.connect(stack.database_url) as database:
        with acting_as(database, staff(database, "pharmacist")):
            database.execute(
                "select public.set_lot_status(%s, %s, %s, 'for this test')", [BANDAGE, batch_id, status]
            )
        yield database


def in_background(call: ThreadPoolExecutor, patient: httpx.Client, packs: int) -> Future[httpx.Response]:
    return call.submit(buy, patient, (BANDAGE, packs))


@pytest.mark.parametrize("status", ["held", "recalled"])
def test_what_is_stopped_while_somebody_orders_is_not_sold(
    stack: RunningStack, admin: httpx.Client, status: str
) -> None:
    batch_id = received(admin, 5)
    with new_patient(stack) as patient, ThreadPoolExecutor() as call:
        with half_way(stack, batch_id, status):
            ordering = in_background(call, patient, 2)
            until_waiting(stack, ordering)
        answer = ordering.result()

        assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
        assert patient.get("/api/orders").json()["orders"] == []


def test_the_packs_come_from_the_next_lot_when_the_first_is_recalled(
    stack: RunningStack, admin: httpx.Client
) -> None:
    first, second = received(admin, 5, 50), received(admin, 5, 90)
    with new_patient(stack) as patient, ThreadPoolExecutor() as call:
        with half_way(stack, first, "recalled"):
            ordering = in_background(call, patient, 2)
            until_waiting(stack, ordering)
        order_id = placed(ordering.result())["order_id"]

    with records(stack) as database:
        lots = database.execute(
            "select batch_id, packs from public.order_allocations where order_id = %s", [order_id]
        ).fetchall()
    assert lots == [{"batch_id": second, "packs": 2}]


def test_a_recall_that_is_taken_back_sells_as_before(stack: RunningStack, admin: httpx.Client) -> None:
    batch_id = received(admin, 5)
    with new_patient(stack) as patient, ThreadPoolExecutor() as call:
        with half_way(stack, batch_id, "recalled") as recalling:
            ordering = in_background(call, patient, 2)
            until_waiting(stack, ordering)
            recalling.rollback()

        assert placed(ordering.result())["status"] == "confirmed"


def test_recalls_and_orders_at_once_agree_on_who_got_packs(stack: RunningStack, admin: httpx.Client) -> None:
    """Whatever the order: nobody has packs whom the recall does not name, and nobody gets any afterwards."""
    batch_id = received(admin, 100)
    with ExitStack() as open_clients, ThreadPoolExecutor(max_workers=13) as call:
        patients = [open_clients.enter_context(stack.api(new_patient_token(stack))) for _ in range(12)]
        ordering = [in_background(call, patient, 2) for patient in patients]
        recalling = call.submit(act, admin, batch_id, "recall")
        answers = [future.result() for future in ordering]
        found = recalling.result().json()

    sold = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {row["order_id"] for row in found["recipients"]} == sold
    assert found["batch"]["quantity"] == 100 - 2 * len(sold)
    assert stock(admin, BANDAGE) == 0


def test_orders_cancellations_and_corrections_at_once_lose_no_pack(
    stack: RunningStack, admin: httpx.Client
) -> None:
    lots = [received(admin, 6, 50), received(admin, 6, 90)]
    lot, taken = new_lot(), "/api/admin/inventory/{}/batches/{}/corrections"
    delivery = {"lot": lot, "expiry": "2029-01-31", "packs": 1}

    def order_and_cancel(patient: httpx.Client) -> int:
        answer = buy(patient, (BANDAGE, 2))
        assert answer.status_code in (201, 409), answer.text
        if answer.status_code == 201:
            patient.post(f"/api/orders/{answer.json()['order_id']}/cancel").raise_for_status()
        return answer.status_code

    def correct(batch_id: int) -> int:
        answer = admin.post(taken.format(BANDAGE, batch_id), json={"change": -1, **WHY})
        assert answer.status_code in (201, 409), answer.text
        return answer.status_code

    def deliver_one() -> int:
        answer = admin.post(f"/api/admin/inventory/{BANDAGE}/batches", json=delivery)
        assert answer.status_code == 201, answer.text
        return answer.status_code

    with ExitStack() as open_clients, ThreadPoolExecutor(max_workers=12) as call:
        patients = [open_clients.enter_context(stack.api(new_patient_token(stack))) for _ in range(8)]
        bought = [call.submit(order_and_cancel, patient) for patient in patients for _ in range(2)]
        corrected = [call.submit(correct, batch_id) for batch_id in lots * 3]
        delivered = [call.submit(deliver_one) for _ in range(6)]
        assert 201 in {future.result() for future in bought}
        lost = sum(future.result() == 201 for future in corrected)
        came = sum(future.result() == 201 for future in delivered)

    assert stock(admin, BANDAGE) == 12 - lost + came
    with records(stack) as database:
        wrong = database.execute(
            """
            select b.batch_id from public.product_batches as b
            join public.stock_movements as m using (batch_id)
            where b.product_id = %s
            group by b.batch_id having b.quantity <> sum(m.change)
            """,
            [BANDAGE],
        ).fetchall()
        unexplained = database.execute(
            "select 1 from public.stock_movements where batch_id = any (%s) and kind = 'unexplained'", [lots]
        ).fetchall()
    assert (wrong, unexplained) == ([], [])


def test_the_same_delivery_from_many_sides_is_one_lot(stack: RunningStack, admin: httpx.Client) -> None:
    lot = new_lot()

    def deliver_one(place: int) -> httpx.Response:
        delivery = {"lot": lot.lower() if place % 2 else lot, "expiry": "2029-01-31", "packs": 3}
        return admin.post(f"/api/admin/inventory/{BANDAGE}/batches", json=delivery)

    with ThreadPoolExecutor(max_workers=8) as call:
        answers = list(call.map(deliver_one, range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["batch_id"] for answer in answers}) == 1
    assert stock(admin, BANDAGE) == 24
