"""Order numbers: each is given once and none is left out, whatever is refused or undone in between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.database.people import Person, acting_as
from tests.integration.chatting import new_patient, new_patient_token, shelf
from tests.integration.ordering import buy, patient_id, placed, records
from tests.running_stack import RunningStack

ORS, BANDAGE, CEFIXIME = "MED021", "MED032", "MED060"


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


def number(order_id: str) -> int:
    return int(order_id.removeprefix("ORD"))


def next_number(patient: httpx.Client) -> int:
    """The number after that of an order placed now."""
    return number(placed(buy(patient, (ORS, 1)))["order_id"]) + 1


def test_numbers_run_on_while_orders_are_refused_and_repeated(
    stack: RunningStack, patient: httpx.Client
) -> None:
    first = next_number(patient)
    lot = uuid4().hex
    with shelf(stack, BANDAGE, {lot: (7, 90, "available")}), ExitStack() as clients:
        patients = [clients.enter_context(stack.api(new_patient_token(stack))) for _ in range(10)]

        def order(place: int) -> httpx.Response:
            own = patients[place % 10]
            wanted = [(BANDAGE, 1), (CEFIXIME, 1), (ORS, 1), ("MED99999", 1)][place % 4]
            items = [{"product_id": wanted[0], "quantity": wanted[1]}]
            # Every second request is sent under a key that another one has.
            return own.post(
                "/api/orders", json={"items": items}, headers={"Idempotency-Key": f"k{place % 20}"}
            )

        with ThreadPoolExecutor(max_workers=12) as callers:
            answers = list(callers.map(order, range(40)))

    assert {answer.status_code for answer in answers} <= {201, 409, 422}
    given = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    assert len(given) >= 7
    assert sorted(map(number, given)) == list(range(first, first + len(given)))
    assert next_number(patient) == first + len(given) + 1


def test_a_number_whose_order_is_undone_is_given_to_the_next(
    stack: RunningStack, patient: httpx.Client
) -> None:
    """It waits for the first, because it cannot know yet whether the number is taken."""
    expected = next_number(patient)
    with new_patient(stack) as another, ThreadPoolExecutor() as call:
        with psycopg.connect(stack.database_url) as database:
            with acting_as(database, account_of(database, patient_id(another))):
                row = database.execute(
                    "select public.create_order(%s) -> 'order' ->> 'order_id'",
                    [Jsonb({"items": [{"product_id": BANDAGE, "quantity": 1}]})],
                ).fetchone()
            assert row
            assert number(row[0]) == expected
            waiting = call.submit(buy, patient, (ORS, 1))
            database.rollback()

        assert number(placed(waiting.result())["order_id"]) == expected


def test_no_order_of_the_whole_stack_lacks_a_number(stack: RunningStack, patient: httpx.Client) -> None:
    last = next_number(patient) - 1
    with records(stack) as database:
        row = database.execute(
            """
            select
              count(*) filter (where substring(order_id from 4)::int <= %(last)s) as given,
              (select last_number from public.order_counter) as counted
            from public.orders where order_id ~ '^ORD[0-9]+$'
            """,
            {"last": last},
        ).fetchone()
    assert row == {"given": last, "counted": last}


def account_of(database: psycopg.Connection, owner: str) -> Person:
    row = database.execute("select user_id from public.patients where patient_id = %s", [owner]).fetchone()
    assert row
    user_id: UUID = row[0]
    return Person("patient", "authenticated", user_id=user_id, patient_id=owner)
