"""From the outbox to the partner, on the real stack, whatever the partner does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import boto3
import httpx
import psutil
import pytest

from infra.local.queues import CREDENTIALS, REGION
from infra.local.settings import OUTBOX_DEAD_LETTER_QUEUE, OUTBOX_QUEUE, PROJECT
from shared.webhooks import Signatures
from tests.fakes.partner import Behaviour, accepts, drips, fails, floods, hangs, hangs_up
from tests.fakes.serving import Request, serving
from tests.integration.fulfilment import Fulfilment, bought, fulfilment, wakeful_patient
from tests.integration.ordering import ADMIN, as_staff
from tests.running_stack import RunningStack

PAUSES = [5, 300, 1800, 7200, 18000, 36000, 36000]
"""Seconds between the attempts, as the contract says."""


@pytest.fixture
def the(stack: RunningStack) -> Iterator[Fulfilment]:
    with fulfilment(stack) as found:
        yield found


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with wakeful_patient(stack) as api:
        yield api


def pause(the: Fulfilment, order_id: str) -> float:
    """Seconds until the order's first event is due."""
    [row] = the.rows(
        "select extract(epoch from available_at - now())::float as seconds from public.outbox_events"
        " where order_id = %s order by position limit 1",
        order_id,
    )
    seconds: float = row["seconds"]
    return seconds


def test_the_partner_hears_of_an_order_once_and_it_is_signed(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient, 2)

    the.dispatch()
    the.dispatch()

    [heard] = the.partner.about(order_id)
    [event] = the.events(order_id)
    assert heard.type == "order.confirmed"
    assert heard.webhook_id == str(event["event_id"])
    assert set(heard.data) == {"order_id", "ship_to", "items"}
    assert heard.data["items"] == [{"product_id": "MED021", "quantity": 2}]
    assert heard.headers["content-type"] == "application/json"
    assert event["delivered_at"]
    [log] = the.logs(order_id)
    assert (log["direction"], log["outcome"], log["detail"]["http_status"]) == ("out", "delivered", 200)


def test_the_id_of_the_request_goes_from_the_patient_to_the_partner_and_back(
    the: Fulfilment, patient: httpx.Client
) -> None:
    patient.headers["x-request-id"] = "from-the-patients-phone"
    order_id = bought(patient)
    the.dispatch()
    [heard] = the.partner.about(order_id)

    assert heard.headers["x-request-id"] == "from-the-patients-phone"
    the.report(order_id, "accepted")
    assert [log["correlation_id"] for log in the.logs(order_id)][:1] == ["from-the-patients-phone"]


@pytest.mark.parametrize("status", [500, 503, 400, 404, 410, 429, 301, 307, 204])
def test_only_a_2xx_is_a_delivery(the: Fulfilment, patient: httpx.Client, status: int) -> None:
    order_id = bought(patient)
    the.partner.behave(fails(status))

    the.dispatch()

    [event] = the.events(order_id)
    assert bool(event["delivered_at"]) == (status == 204)
    assert event["attempts"] == 1
    assert event["last_error"] == (None if status == 204 else f"HTTP {status}")


def test_the_schedule_of_attempts_is_the_contracts_and_every_attempt_is_the_same_webhook(
    the: Fulfilment, patient: httpx.Client
) -> None:
    order_id = bought(patient)
    the.partner.behave(fails(500))

    for expected in PAUSES:
        the.dispatch()
        assert expected - 2 < pause(the, order_id) <= expected * 1.2
        the.let_pass(order_id)
    the.dispatch()

    [event] = the.events(order_id)
    assert event["dead_at"]
    assert event["attempts"] == len(PAUSES) + 1
    heard = the.partner.about(order_id)
    assert len(heard) == len(PAUSES) + 1
    assert len({each.webhook_id for each in heard}) == 1
    assert len({each.body for each in heard}) == 1
    the.let_pass(order_id)
    the.dispatch()
    assert len(the.partner.about(order_id)) == len(PAUSES) + 1


def test_pauses_are_spread(the: Fulfilment, patient: httpx.Client) -> None:
    orders = [bought(patient) for _ in range(6)]
    the.partner.behave(fails(500))
    for _ in range(2):
        the.dispatch()
        pauses = {round(pause(the, order_id), 2) for order_id in orders}
        for order_id in orders:
            the.let_pass(order_id)

    assert len(pauses) == len(orders)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("120", 110, 121),
        ("a date in half an hour", 1790, 1801),
        ("1", 3, 7),
        ("0", 3, 7),
        ("soon", 3, 7),
        ("99999999", 35990, 36001),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 35990, 36001),
    ],
)
def test_the_partner_may_ask_for_time_within_reason(
    the: Fulfilment, patient: httpx.Client, asked: str, least: float, most: float
) -> None:
    order_id = bought(patient)
    if "half an hour" in asked:
        asked = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    the.partner.behave(fails(503, retry_after=asked))

    the.dispatch()

    assert least < pause(the, order_id) < most


@pytest.mark.parametrize("behaviour", [hangs, drips, floods, hangs_up])
def test_a_partner_that_hangs_drips_floods_or_hangs_up_is_not_waited_for(
    the: Fulfilment, patient: httpx.Client, behaviour: Behaviour
) -> None:
    slow, quick = bought(patient), bought(patient)
    the.partner.behave(behaviour, accepts)
    started = time.monotonic()

    the.dispatch()

    assert time.monotonic() - started < 5
    heard = {each.data["order_id"] for each in the.partner.received}
    assert heard == {slow, quick}
    delivered = [event["delivered_at"] for order in (slow, quick) for event in the.events(order)]
    assert any(delivered)  # a flood is a 2xx whose body nobody reads


def test_a_redirect_is_not_followed(the: Fulfilment, patient: httpx.Client) -> None:
    visited: list[str] = []

    def visit(request: Request) -> None:
        visited.append(request.path)
        request.answer(200, b"")

    order_id = bought(patient)
    with serving(visit) as elsewhere:
        the.partner.behave(fails(307, location=elsewhere))
        the.dispatch()

    assert visited == []
    assert the.events(order_id)[0]["last_error"] == "HTTP 307"


def test_what_is_cancelled_does_not_overtake_what_was_confirmed(
    the: Fulfilment, patient: httpx.Client
) -> None:
    order_id = bought(patient)
    the.partner.behave(fails(500))
    the.dispatch()
    assert patient.post(f"/api/orders/{order_id}/cancel").status_code == 200
    the.dispatch()
    assert [heard.type for heard in the.partner.about(order_id)] == ["order.confirmed"]

    the.partner.behave(accepts)
    the.let_pass(order_id)
    the.dispatch()

    assert [heard.type for heard in the.partner.about(order_id)] == [
        "order.confirmed",
        "order.confirmed",
        "order.cancelled",
    ]


def test_dispatchers_at_the_same_time_send_nothing_twice(the: Fulfilment, patient: httpx.Client) -> None:
    orders = {bought(patient) for _ in range(12)}

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(lambda _: the.dispatch(), range(4)))

    for order_id in orders:
        [event] = the.events(order_id)
        assert event["claims"] == event["attempts"] == 1
        # On a machine that is too busy even a partner that accepts may be heard too late.
        assert event["delivered_at"] or event["last_error"] == "timeout"
        assert len(the.partner.about(order_id)) <= 1


def test_a_killed_dispatcher_loses_nothing(the: Fulfilment, patient: httpx.Client) -> None:
    the.dispatch()
    orders = {bought(patient) for _ in range(3)}
    the.partner.behave(hangs)
    with ThreadPoolExecutor(1) as caller:
        running = caller.submit(the.dispatch)
        wait_until(lambda: len(the.partner.received) >= len(orders))
        kill_dispatchers()
        with pytest.raises(AssertionError, match="ended"):
            running.result()
    the.partner.behave(accepts)

    for order_id in orders:
        the.run(
            "update public.outbox_events set leased_until = now() + interval '1 h' where order_id = %s",
            order_id,
        )
    the.dispatch()
    assert len(the.partner.received) == len(orders)  # the dead one still holds them

    for order_id in orders:
        the.let_pass(order_id)
    the.dispatch()
    for order_id in orders:
        first, second = the.partner.about(order_id)
        assert first.webhook_id == second.webhook_id
        [event] = the.events(order_id)
        assert event["delivered_at"]
        assert (event["attempts"], event["claims"]) == (1, 2)


def test_an_event_that_kills_its_dispatchers_is_buried_in_the_end(
    the: Fulfilment, patient: httpx.Client
) -> None:
    order_id = bought(patient)
    the.run(
        """
        update public.outbox_events set claims = 25, leased_until = now() - interval '1 s'
        where order_id = %s
        """,
        order_id,
    )

    the.dispatch()

    [event] = the.events(order_id)
    assert (bool(event["dead_at"]), event["last_error"]) == (True, "Its dispatchers died.")


def test_a_dead_event_is_told_to_the_dead_letter_queue_and_can_be_redriven(
    the: Fulfilment, patient: httpx.Client
) -> None:
    lost, other = bought(patient), bought(patient)
    the.partner.behave(fails(500))
    the.run("update public.outbox_events set attempts = 7 where order_id in (%s, %s)", lost, other)
    the.dispatch()
    events = {str(the.events(order)[0]["event_id"]) for order in (lost, other)}

    letters = messages(the.stack, OUTBOX_DEAD_LETTER_QUEUE)
    assert events <= {json.loads(letter)["event_id"] for letter in letters}
    the.dispatch()
    assert messages(the.stack, OUTBOX_DEAD_LETTER_QUEUE) == []

    the.partner.behave(accepts)
    [one] = [str(the.events(lost)[0]["event_id"])]
    answer = the.stack.invoke("dispatch", {"redrive": [one]})
    assert answer["redriven"] == [one]
    assert the.events(lost)[0]["delivered_at"]
    assert the.events(other)[0]["dead_at"]

    the.stack.invoke("dispatch", {"redrive": "all"})
    assert the.events(other)[0]["delivered_at"]


def test_redriving_does_not_order_anew_what_is_cancelled(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    the.partner.behave(fails(500))
    the.run("update public.outbox_events set attempts = 7 where order_id = %s", order_id)
    the.dispatch()
    the.partner.behave(accepts)
    patient.post(f"/api/orders/{order_id}/cancel")
    the.dispatch()

    the.stack.invoke("dispatch", {"redrive": "all"})

    confirmed, cancelled = the.events(order_id)
    assert (bool(confirmed["annulled_at"]), bool(cancelled["delivered_at"])) == (True, True)
    assert [heard.type for heard in the.partner.about(order_id)] == ["order.confirmed", "order.cancelled"]


def test_an_order_wakes_the_dispatcher(the: Fulfilment, patient: httpx.Client) -> None:
    messages(the.stack, OUTBOX_QUEUE)

    bought(patient)

    assert [json.loads(body) for body in messages(the.stack, OUTBOX_QUEUE)] == [{"wake": "outbox"}]


def test_a_quick_retry_is_not_left_to_the_schedule(the: Fulfilment, patient: httpx.Client) -> None:
    bought(patient)
    the.partner.behave(fails(500))
    messages(the.stack, OUTBOX_QUEUE)

    the.dispatch()

    assert messages(the.stack, OUTBOX_QUEUE) == []  # it is delayed
    wait_until(lambda: messages(the.stack, OUTBOX_QUEUE) != [], seconds=15)


def test_orders_are_taken_while_the_partner_is_down(stack: RunningStack) -> None:
    with wakeful_patient(stack) as patient:
        order_id = bought(patient)
        stack.invoke("dispatch", {"source": "aws.events"})  # nobody listens at the partner's address

        with fulfilment(stack) as the:
            assert the.events(order_id)[0]["last_error"] == "ConnectError"
            with as_staff(stack, ADMIN) as admin:
                moved = admin.put(f"/api/admin/orders/{order_id}/status", json={"status": "processing"})
            assert moved.status_code == 200


def test_what_is_signed_with_a_new_secret_too_is_taken_by_a_partner_with_either() -> None:
    old, new = f"whsec_{'A' * 32}", f"whsec_{'B' * 32}"
    headers = Signatures([old, new]).sign("msg", datetime.now(UTC), b"{}")

    assert len(headers["webhook-signature"].split()) == 2


def messages(stack: RunningStack, queue: str) -> list[str]:
    """The bodies of the messages that are visible in a queue; they are taken off."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=stack.sqs_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    url = f"{stack.sqs_url}/123456789012/{queue}"
    found: list[str] = []
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def kill_dispatchers() -> None:
    for process in psutil.Process().children(recursive=True):
        if "infra.local.worker" in process.cmdline() and "dispatch" in process.cmdline()[-1]:
            os.kill(process.pid, signal.SIGKILL)


def wait_until(
    ready: Callable[[], bool], *, seconds: float = 20, also: Callable[[], object] | None = None
) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        if also:
            also()
        time.sleep(0.1)


def test_a_person_lists_what_is_dead_and_gives_it_a_way_back(the: Fulfilment, patient: httpx.Client) -> None:
    order_id = bought(patient)
    the.partner.behave(fails(500))
    the.run("update public.outbox_events set attempts = 7 where order_id = %s", order_id)
    the.dispatch()
    event_id = str(the.events(order_id)[0]["event_id"])

    listed = redrive(the.stack)
    assert f"{event_id}  order.confirmed  {order_id}" in listed.stdout
    assert "HTTP 500" in listed.stdout
    assert the.events(order_id)[0]["dead_at"]

    the.partner.behave(accepts)
    done = redrive(the.stack, event_id)
    assert (done.returncode, done.stdout) == (0, "1 events again, 0 annulled: {'delivered': 1}\n"), done
    assert the.events(order_id)[0]["delivered_at"]
    assert event_id not in " ".join(messages(the.stack, OUTBOX_DEAD_LETTER_QUEUE))


def redrive(stack: RunningStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    ports = {
        "NEXUS_LAMBDA_PORT": stack.lambda_url.rpartition(":")[2],
        "NEXUS_SQS_PORT": stack.sqs_url.rpartition(":")[2],
    }
    return subprocess.run(
        [sys.executable, "-m", "infra.redrive", *arguments],
        env={**os.environ, **ports},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )
