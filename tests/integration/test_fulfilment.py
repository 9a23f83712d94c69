"""What the partner reports and what becomes of the order, on the real stack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.webhooks import Signatures
from tests.fakes.partner import accepts, fails
from tests.integration.chatting import stock
from tests.integration.fulfilment import ORS, Fulfilment, bought, fulfilment, wakeful_patient
from tests.integration.ordering import (
    ADMIN,
    as_staff,
    buy,
    patient_id,
    placed,
    prescribe,
    prescribed_item,
    register,
    status,
    units_used,
)
from tests.running_stack import RunningStack

CEFIXIME = "MED060"
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def the(stack: RunningStack) -> Iterator[Fulfilment]:
    with fulfilment(stack) as found:
        yield found


@pytest.fixture(scope="module")
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with wakeful_patient(stack) as api:
        yield api


def told(the: Fulfilment, order_id: str) -> list[str]:
    return [kind for kind, _ in the.notifications(order_id)]


def outcomes(the: Fulfilment, order_id: str) -> list[tuple[str, str]]:
    return [(log["subject"], log["outcome"]) for log in the.logs(order_id) if log["direction"] == "in"]


# Along the way


def test_an_order_goes_all_the_way_and_the_patient_is_told(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)

    for step, becomes in [
        ("accepted", "processing"),
        ("packed", "processing"),
        ("shipped", "shipped"),
        ("delivered", "delivered"),
    ]:
        answer = the.report(order_id, step, tracking_number="TRK-77")
        assert (answer.status_code, answer.json()) == (200, {"status": "recorded", "duplicate": False})
        assert status(patient, order_id) == becomes

    assert told(the, order_id) == ["order.confirmed", "order.shipped", "order.delivered"]
    assert patient.get(f"/api/orders/{order_id}").json()["tracking"] == {"tracking_number": "TRK-77"}
    the.dispatch()
    sent = dict(the.notifications(order_id))
    # What waited together is told once, by the last of it.
    assert sent == {"order.confirmed": "superseded", "order.shipped": "superseded", "order.delivered": "sent"}


def test_a_repetition_changes_nothing_and_is_2xx(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    at = datetime.now(UTC)

    first = the.report(order_id, "shipped", webhook_id="msg_same_" + order_id, at=at)
    second = the.report(order_id, "shipped", webhook_id="msg_same_" + order_id, at=at)

    assert (first.json()["duplicate"], second.json()["duplicate"]) == (False, True)
    assert second.status_code == 200
    assert outcomes(the, order_id) == [("shipped", "applied")]
    assert told(the, order_id) == ["order.confirmed", "order.shipped"]


def test_the_same_event_at_the_same_moment_acts_once(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient, 3)
    before = stock(patient, ORS)
    at = datetime.now(UTC)

    with ThreadPoolExecutor(8) as senders:
        answers = list(
            senders.map(
                lambda _: the.report(order_id, "cancelled", webhook_id="msg_race_" + order_id, at=at),
                range(8),
            )
        )

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert stock(patient, ORS) == before + 3
    assert told(the, order_id) == ["order.confirmed", "order.cancelled"]


def test_the_same_id_with_another_content_is_refused(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    webhook_id = f"msg_{uuid4().hex}"
    the.report(order_id, "accepted", webhook_id=webhook_id)

    answer = the.report(order_id, "delivered", webhook_id=webhook_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_id_reused")
    assert status(patient, order_id) == "processing"


RANK = {"confirmed": 0, "accepted": 1, "packed": 1, "shipped": 2, "delivered": 3}
WORD = ["confirmed", "processing", "shipped", "delivered"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.sampled_from(["accepted", "packed", "shipped", "delivered"]), min_size=1, max_size=6))
def test_whatever_comes_late_twice_or_out_of_order_never_moves_an_order_back(
    the: Fulfilment, patient: httpx.Client, told: Sequence[str]
) -> None:
    order_id = bought(patient)
    furthest = 0
    for step in told:
        at = START + timedelta(hours=RANK[step])
        assert the.report(order_id, step, at=at).status_code == 200
        furthest = max(furthest, RANK[step])
        assert status(patient, order_id) == WORD[furthest]


# What is refused


def test_an_order_nobody_knows_is_404(the: Fulfilment) -> None:
    answer = the.report("ORD99999999", "shipped")

    assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")
    assert isinstance(answer.json()["error"], str)


def signed(the: Fulfilment, body: bytes, *, at: datetime | None = None, secret: str = "") -> httpx.Response:
    signatures = Signatures([secret or the.stack.partner_incoming])
    headers = signatures.sign(f"msg_{uuid4().hex}", at or datetime.now(UTC), body)
    return httpx.post(
        f"{the.stack.api_url}/api/webhooks/fulfillment", content=body, headers=headers, timeout=30
    )


def event(order_id: str = "ORD001", **changes: object) -> bytes:
    content = {
        "type": "fulfillment.updated",
        "timestamp": "2026-11-21T10:00:00Z",
        "data": {"order_id": order_id, "status": "delivered"},
    }
    return json.dumps({**content, **changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1e999",
        b"[" * 20_000,
        event(type="fulfillment.deleted"),
        event(timestamp="yesterday"),
        event(timestamp="2026-11-21T10:00:00"),
        event(data=None),
        event(data={}),
        event(data={"order_id": "ORD001", "status": "lost"}),
        event(data={"order_id": "ORD001", "status": "Delivered"}),
        event(data={"order_id": 1, "status": "delivered"}),
        event(data={"order_id": "ORD001\u0000", "status": "delivered"}),
        event(data={"order_id": "ORD001'; drop table orders; --", "status": "delivered"}),
        event(data={"order_id": "ORD001", "status": "shipped", "tracking_number": "x" * 101}),
        event(data={"order_id": "ORD001", "status": "failed", "reason": "a\u0000b"}),
        event(data={"order_id": "ORD001", "status": "failed", "reason": "x" * 501}),
    ],
)
def test_what_is_no_such_event_is_400(the: Fulfilment, body: bytes) -> None:
    answer = signed(the, body)

    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_more_than_an_event_can_be_is_413(the: Fulfilment) -> None:
    assert signed(the, b" " * 40_000).status_code == 413


@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24 * 365])
def test_an_old_signature_and_one_from_the_future_are_401(
    the: Fulfilment, patient: httpx.Client, minutes: int
) -> None:
    order_id = bought(patient)

    answer = signed(the, event(order_id), at=datetime.now(UTC) + timedelta(minutes=minutes))

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_signature")
    assert status(patient, order_id) == "confirmed"


def test_another_secret_is_401_also_the_one_we_sign_with(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)

    for secret in (f"whsec_{'A' * 32}", the.stack.partner_outgoing):
        assert signed(the, event(order_id), secret=secret).status_code == 401
    assert status(patient, order_id) == "confirmed"


def test_without_a_signature_it_is_401_also_for_staff(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    with as_staff(the.stack, ADMIN) as admin:
        for sender in (admin, patient):
            answer = sender.post("/api/webhooks/fulfillment", content=event(order_id))
            assert answer.status_code == 401
    assert status(patient, order_id) == "confirmed"


# When it does not go well


def test_a_cancellation_by_the_partner_puts_everything_back(the: Fulfilment, stack: RunningStack) -> None:
    with wakeful_patient(stack) as patient:
        prescribe(stack, patient, prescribed_item("Cefixime", "200 mg", 10, dosage_frequency="twice_daily"))
        packs = stock(patient, CEFIXIME)
        order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]
        assert units_used(patient) == {"Cefixime": 10}

        the.report(order_id, "accepted")
        the.report(order_id, "cancelled", reason="Mr. Sharma's shelf is empty")

        assert status(patient, order_id) == "cancelled"
        assert stock(patient, CEFIXIME) == packs
        assert units_used(patient) == {"Cefixime": 0}
        assert [entry for entry, _, _ in register(stack, order_id)] == ["dispensed", "reversed"]
        assert told(the, order_id) == ["order.confirmed", "order.cancelled"]
        # The partner's own words are for staff, and it need not be told what it told us.
        assert "Sharma" not in patient.get(f"/api/orders/{order_id}").text
        the.dispatch()
        assert [heard.type for heard in the.partner.about(order_id)] == ["order.confirmed"]
        assert placed(buy(patient, (CEFIXIME, 1)))["status"] == "confirmed"


def test_a_failure_keeps_the_order_and_the_partner_is_asked_once_more(
    the: Fulfilment, patient: httpx.Client
) -> None:
    before = stock(patient, ORS)
    order_id = bought(patient, 2)
    the.dispatch()

    the.report(order_id, "failed", at=START, reason="nobody at the door")

    assert status(patient, order_id) == "failed"
    assert stock(patient, ORS) == before - 2
    assert told(the, order_id) == ["order.confirmed", "order.failed"]
    [notice] = the.rows(
        "select arguments from public.notifications where subject = %s and kind = 'order.failed'",
        f"order:{order_id}",
    )
    assert notice["arguments"]["retrying"] is True
    the.dispatch()
    assert len(the.partner.about(order_id)) == 1  # not at once

    the.let_pass(order_id)
    the.dispatch()
    first, second = the.partner.about(order_id)
    assert (second.type, second.data) == ("order.confirmed", first.data)
    assert first.webhook_id != second.webhook_id
    for hours, step in enumerate(("accepted", "shipped", "delivered"), start=1):
        the.report(order_id, step, at=START + timedelta(hours=hours))
    assert status(patient, order_id) == "delivered"


def test_what_was_told_before_the_failure_does_not_undo_it(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    the.report(order_id, "failed", at=START)

    the.report(order_id, "packed", at=START - timedelta(hours=1))

    assert status(patient, order_id) == "failed"
    assert outcomes(the, order_id)[-1] == ("packed", "late")


def test_a_failure_that_comes_late_does_not_undo_a_delivery(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    the.report(order_id, "shipped", at=START)

    the.report(order_id, "failed", at=START - timedelta(hours=1))
    assert status(patient, order_id) == "shipped"
    the.report(order_id, "delivered", at=START + timedelta(hours=1))
    the.report(order_id, "failed", at=START + timedelta(hours=2))

    assert status(patient, order_id) == "delivered"
    assert [outcome for _, outcome in outcomes(the, order_id)] == ["applied", "late", "applied", "late"]


def test_a_second_failure_is_told_too_and_offers_to_cancel(the: Fulfilment, patient: httpx.Client) -> None:
    before = stock(patient, ORS)
    order_id = bought(patient)
    the.report(order_id, "failed", at=START)
    the.report(order_id, "failed", at=START + timedelta(hours=1))

    notices = the.rows(
        "select arguments from public.notifications where subject = %s and kind = 'order.failed'"
        " order by created_at",
        f"order:{order_id}",
    )
    assert len(notices) == 2
    cancelled = patient.post(f"/api/orders/{order_id}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert stock(patient, ORS) == before


def test_a_cancelled_failure_is_not_tried_again(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    the.dispatch()
    the.report(order_id, "failed")
    patient.post(f"/api/orders/{order_id}/cancel")

    the.let_pass(order_id)
    the.dispatch()

    assert [heard.type for heard in the.partner.about(order_id)] == ["order.confirmed", "order.cancelled"]


def test_staff_can_have_a_failed_order_tried_again(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    the.dispatch()
    the.report(order_id, "failed", at=START)
    with as_staff(the.stack, ADMIN) as admin:
        again = admin.put(f"/api/admin/orders/{order_id}/status", json={"status": "confirmed"})
    assert again.json()["status"] == "confirmed"

    the.dispatch()

    assert [heard.type for heard in the.partner.about(order_id)] == ["order.confirmed"] * 2
    the.let_pass(order_id)
    the.dispatch()
    assert len(the.partner.about(order_id)) == 2


def test_goods_that_were_lost_on_the_way_do_not_come_back_to_the_shelf(
    the: Fulfilment, patient: httpx.Client
) -> None:
    before = stock(patient, ORS)
    order_id = bought(patient, 2)
    the.report(order_id, "shipped", at=START)
    the.report(order_id, "failed", at=START + timedelta(hours=1))
    [notice] = the.rows(
        "select arguments from public.notifications where subject = %s and kind = 'order.failed'",
        f"order:{order_id}",
    )
    assert notice["arguments"]["retrying"] is False

    assert patient.post(f"/api/orders/{order_id}/cancel").json()["status"] == "cancelled"

    assert stock(patient, ORS) == before - 2
    lost = [log["detail"]["lots"] for log in the.logs(order_id) if log["outcome"] == "not_restocked"]
    assert sum(lot["packs"] for lots in lost for lot in lots) == 2


@pytest.mark.parametrize("step", ["shipped", "delivered"])
def test_what_is_sent_although_it_was_cancelled_is_for_people_to_settle(
    the: Fulfilment, patient: httpx.Client, step: str
) -> None:
    before = stock(patient, ORS)
    order_id = bought(patient)
    patient.post(f"/api/orders/{order_id}/cancel")

    assert the.report(order_id, step).status_code == 200

    assert status(patient, order_id) == "cancelled"
    assert stock(patient, ORS) == before
    assert outcomes(the, order_id) == [(step, "conflict")]


def test_what_has_left_is_not_cancelled_by_a_word_of_the_partner(
    the: Fulfilment, patient: httpx.Client
) -> None:
    before = stock(patient, ORS)
    order_id = bought(patient)
    the.report(order_id, "shipped")

    assert the.report(order_id, "cancelled").status_code == 200

    assert (status(patient, order_id), stock(patient, ORS)) == ("shipped", before - 1)
    assert outcomes(the, order_id)[-1] == ("cancelled", "conflict")


def test_what_waits_for_a_pharmacist_is_not_moved_by_the_partner(
    the: Fulfilment, stack: RunningStack
) -> None:
    with wakeful_patient(stack) as patient:
        patient.post("/api/prescriptions", json={"items": []})
        order = placed(buy(patient, (CEFIXIME, 1)))
        assert order["status"] == "awaiting_pharmacist"

        assert the.report(order["order_id"], "shipped").status_code == 200

        assert status(patient, order["order_id"]) == "awaiting_pharmacist"


def test_an_order_that_somebody_else_holds_is_recorded_at_once_and_moved_later(
    the: Fulfilment, patient: httpx.Client
) -> None:
    order_id = bought(patient)
    with psycopg.connect(the.stack.database_url) as holder:
        holder.execute("select from public.patients where patient_id = %s for update", [patient_id(patient)])
        started = time.monotonic()
        answer = the.report(order_id, "shipped")
        took = time.monotonic() - started

    assert answer.status_code == 200
    assert took < 1
    [stored] = the.rows("select outcome, error from public.webhook_events where order_id = %s", order_id)
    assert stored["outcome"] == "pending"
    assert status(patient, order_id) == "confirmed"
    the.dispatch()
    assert status(patient, order_id) == "shipped"


# What must not be sent twice, or at all


@pytest.mark.parametrize("sent", [False, True])
def test_what_staff_has_sent_by_hand_is_not_asked_of_the_partner_any_more(
    the: Fulfilment, patient: httpx.Client, sent: bool
) -> None:
    order_id = bought(patient)
    if sent:
        the.partner.behave(fails(500), accepts)
        the.dispatch()
    with as_staff(the.stack, ADMIN) as admin:
        moved = admin.put(f"/api/admin/orders/{order_id}/status", json={"status": "shipped"})
    assert moved.status_code == 200

    the.let_pass(order_id)
    the.dispatch()

    assert len(the.partner.about(order_id)) == int(sent)
    [event] = the.events(order_id)
    assert event["annulled_at"]
    assert told(the, order_id) == ["order.confirmed", "order.shipped"]


@pytest.mark.parametrize(("column", "value"), [("status", "held"), ("expiry", "2026-01-01")])
def test_packs_that_may_not_be_sold_any_more_are_not_sent_again(
    the: Fulfilment, patient: httpx.Client, column: str, value: str
) -> None:
    order_id = bought(patient)
    the.dispatch()
    [lot] = the.rows(
        f"select batch_id, {column} as before from public.product_batches"
        " join public.order_allocations using (batch_id) where order_id = %s",
        order_id,
    )
    change = f"update public.product_batches set {column} = %s where batch_id = %s"
    the.run(change, value, lot["batch_id"])
    try:
        the.report(order_id, "failed")
    finally:
        the.run(change, lot["before"], lot["batch_id"])

    assert status(patient, order_id) == "failed"
    assert [event["event_type"] for event in the.events(order_id)] == ["order.confirmed"]
    [notice] = the.rows(
        "select arguments from public.notifications where subject = %s and kind = 'order.failed'",
        f"order:{order_id}",
    )
    assert notice["arguments"]["retrying"] is False
