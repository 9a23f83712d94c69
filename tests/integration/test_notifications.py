"""Telling patients: by the channel they chose, in their language, not at night, and with a record of each
try.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import boto3
import httpx
import pytest
from aws_lambda_powertools import Metrics
from psycopg.rows import DictRow

from functions.dispatch.channels.choosing import create_channels
from functions.dispatch.dispatcher import Dispatcher
from functions.dispatch.notifier import Notifier
from functions.dispatch.partner import Partner
from functions.dispatch.queue import Queue
from functions.dispatch.service import Limits
from functions.dispatch.settings import DispatchSettings
from infra.local.queues import CREDENTIALS, REGION
from shared.database import Database
from shared.observability import make_logger
from shared.webhooks import Signatures
from tests.fakes.whatsapp import PHONE_NUMBER_ID, TOKEN, FakeWhatsApp, fake_whatsapp, hangs, refuses, says
from tests.integration.chatting import new_patient
from tests.integration.fulfilment import Fulfilment, fulfilment
from tests.integration.ordering import patient_id, records
from tests.running_stack import RunningStack

PHONE = "98765 43210"
E164 = "+919876543210"


@pytest.fixture(scope="module")
def the(stack: RunningStack) -> Iterator[Fulfilment]:
    with fulfilment(stack) as found:
        yield found


@pytest.fixture
def whatsapp() -> Iterator[FakeWhatsApp]:
    with fake_whatsapp() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _aws(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    ses = boto3.client("sesv2", endpoint_url=stack.sqs_url, region_name=REGION)
    if not ses.list_email_identities()["EmailIdentities"]:
        ses.create_email_identity(EmailIdentity="nexus.example")


def dispatch(stack: RunningStack, whatsapp: FakeWhatsApp | None = None, *channels: str) -> dict[str, int]:
    """One run of a dispatcher with these channels (by default all but the console)."""
    settings = DispatchSettings.model_validate(
        {
            "supabase_url": stack.supabase_url,
            "supabase_secret_key": stack.secret_key,
            "partner_url": f"http://127.0.0.1:{stack.partner_port}/webhooks",
            "partner_webhook_secrets": stack.partner_outgoing,
            "notification_channels": ",".join(channels or ("email", "sms", "whatsapp")),
            "email_sender": "Nexus Pharmacy <orders@nexus.example>",
            "sms_sender_id": "NEXUSP",
            "whatsapp_base_url": whatsapp.url if whatsapp else "http://127.0.0.1:9/v23.0",
            "whatsapp_phone_number_id": PHONE_NUMBER_ID,
            "whatsapp_token": TOKEN,
            "aws_endpoint_url_ses": stack.sqs_url,
            "aws_endpoint_url_sns": stack.sqs_url,
        }
    )
    database = Database(
        url=stack.supabase_url, publishable_key=stack.secret_key, timeout_seconds=10
    ).acting_as(stack.secret_key)
    dispatcher = Dispatcher(
        database=database,
        partner=Partner(
            url=settings.partner_url,
            signatures=Signatures(settings.signing_secrets),
            timeout_seconds=2,
            on_laptop=True,
        ),
        notifier=Notifier(database, create_channels(settings), timeout_seconds=1),
        queue=Queue(queue_url=None, dead_letter_url=None, endpoint_url=None),
        limits=Limits(at_once=8, lease_seconds=30, longest_delivery_seconds=2),
        logger=make_logger("dispatch", "ERROR"),
        metrics=Metrics(namespace="Tests", service="dispatch"),
    )
    return dict(dispatcher.wake(lambda: 30.0))


@contextmanager
def somebody(
    stack: RunningStack,
    *,
    channel: str | None = None,
    language: str = "en",
    phone: str | None = PHONE,
    quiet: tuple[str, str] = ("00:00", "00:00"),
    time_zone: str = "Asia/Kolkata",
) -> Iterator[tuple[str, str]]:
    """(patient id, e-mail address) of a new patient with these preferences."""
    with new_patient(stack) as api, records(stack) as database:
        patient = patient_id(api)
        database.execute(
            "update public.patients set phone = %s, preferred_language = %s where patient_id = %s",
            [phone, language, patient],
        )
        database.execute(
            """
            insert into public.notification_preferences (patient_id, channel, time_zone, quiet_from,
            quiet_until) values (%s, %s, %s, %s, %s)
            """,
            [patient, channel or "email", time_zone, *quiet],
        )
        yield patient, api.get("/api/patients/me").json()["email"]


def queue(
    the: Fulfilment, patient: str, kind: str = "order.shipped", *, subject: str = "", **arguments: Any
) -> str:
    """A notification about an order of its own; its id."""
    order_id = subject or f"ORD-{uuid4().hex[:8]}"
    [row] = the.rows(
        "select private.queue_notification(%s, %s, %s, %s, %s) as id",
        patient,
        kind,
        f"order:{order_id}",
        json.dumps({"order_id": order_id, **arguments}),
        f"{kind}:{uuid4()}",
    )
    return str(row["id"])


def notification(the: Fulfilment, notification_id: str) -> DictRow:
    [row] = the.rows("select * from public.notifications where notification_id = %s", notification_id)
    return row


def attempts(the: Fulfilment, notification_id: str) -> list[tuple[str, str]]:
    """(channel, outcome) of each."""
    found = the.rows(
        "select * from public.notification_attempts where notification_id = %s order by attempt_id",
        notification_id,
    )
    assert E164[3:] not in json.dumps(found, default=str)
    assert "@" not in json.dumps(found, default=str)
    return [(row["channel"], row["outcome"]) for row in found]


def again(the: Fulfilment, notification_id: str) -> None:
    the.run(
        "update public.outbox_events set available_at = now() where notification_id = %s", notification_id
    )


def mails_to(stack: RunningStack, address: str) -> list[dict[str, Any]]:
    held = httpx.get(f"{stack.sqs_url}/moto-api/data.json").json()["ses"]["Message"]
    return [mail for mail in held if mail["destinations"]["ToAddresses"] == [address]]


def texts(stack: RunningStack) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = httpx.get(f"{stack.sqs_url}/moto-api/data.json").json()["sns"]["SMS"]
    return held


# Which channel


def test_an_e_mail_in_the_patients_language_and_only_once(the: Fulfilment) -> None:
    with somebody(the.stack, language="mr") as (patient, address):
        told = queue(the, patient, tracking_number="TRK-9")

        dispatch(the.stack)
        dispatch(the.stack)

        [mail] = mails_to(the.stack, address)
        assert "वाटेत आहे" in mail["subject"]
        assert "TRK-9" in mail["body"]
        assert mail["body"].index("वाटेत") < mail["body"].index("TRK-9")
        stored = notification(the, told)
        assert (stored["status"], stored["channel"]) == ("sent", "email")
        assert attempts(the, told) == [("email", "sent")]


def test_a_text_message_when_the_patient_chose_it(the: Fulfilment) -> None:
    with somebody(the.stack, channel="sms", language="hi") as (patient, address):
        before = len(texts(the.stack))
        told = queue(the, patient, tracking_number="TRK-9")

        dispatch(the.stack)

        [message] = texts(the.stack)[before:]
        assert message["phone_number"] == E164
        assert "रास्ते में" in message["message"]
        assert "TRK-9" not in message["message"]
        assert mails_to(the.stack, address) == []
        assert attempts(the, told) == [("sms", "sent")]


def test_whatsapp_gets_the_name_of_the_sentence_and_what_it_is_filled_with(
    the: Fulfilment, whatsapp: FakeWhatsApp
) -> None:
    with somebody(the.stack, channel="whatsapp", language="hi") as (patient, _):
        told = queue(the, patient, "order.failed", subject="ORD-77", retrying=True)

        dispatch(the.stack, whatsapp)

        [message] = whatsapp.messages
        assert message["to"] == E164.removeprefix("+")
        assert message["template"] == {
            "name": "order_failed_retry",
            "language": {"code": "hi"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "ORD-77"}]}],
        }
        assert message["biz_opaque_callback_data"] == told
        assert attempts(the, told) == [("whatsapp", "sent")]


@pytest.mark.parametrize("phone", [None, "", "ring me", "12345", "+0123456789", "call 98765"])
def test_without_a_number_that_can_be_called_it_is_an_e_mail(the: Fulfilment, phone: str | None) -> None:
    with somebody(the.stack, channel="sms", phone=phone) as (patient, address):
        told = queue(the, patient)

        dispatch(the.stack)

        assert len(mails_to(the.stack, address)) == 1
        assert attempts(the, told) == [("email", "sent")]


def test_a_number_that_whatsapp_does_not_know_is_told_by_e_mail(
    the: Fulfilment, whatsapp: FakeWhatsApp
) -> None:
    with somebody(the.stack, channel="whatsapp") as (patient, address):
        told = queue(the, patient)
        whatsapp.behave(refuses(131026))

        dispatch(the.stack, whatsapp)
        assert notification(the, told)["status"] == "queued"
        again(the, told)
        dispatch(the.stack, whatsapp)

        assert len(mails_to(the.stack, address)) == 1
        assert attempts(the, told) == [("whatsapp", "refused"), ("email", "sent")]


def test_a_patient_who_wants_nothing_gets_nothing(the: Fulfilment) -> None:
    with somebody(the.stack, channel="none") as (patient, address):
        told = queue(the, patient)

        dispatch(the.stack)

        assert notification(the, told)["status"] == "unwanted"
        assert mails_to(the.stack, address) == []


def test_no_channel_that_could_reach_the_patient_is_said_so(the: Fulfilment) -> None:
    with somebody(the.stack, phone=None) as (patient, _):
        told = queue(the, patient)

        dispatch(the.stack, None, "sms")

        assert notification(the, told)["status"] == "undeliverable"
        assert attempts(the, told) == [("none", "undeliverable")]


# Trouble with a provider


@pytest.mark.parametrize(
    "trouble",
    [
        hangs,
        refuses(130429, 429, retry_after="60"),
        refuses(190, 401),
        refuses(132001),
        says(b"<html>"),
        says(b"[]"),
        says(b"{}"),
        says(b'{"messages": []}'),
        says(b'{"messages": [7], "error": 7}'),
        says(b'{"error": {"code": [1]}}', 500),
        says(b"\xff" * 100_000),
        says(b"", 302),
    ],
)
def test_a_provider_in_trouble_is_tried_again(the: Fulfilment, whatsapp: FakeWhatsApp, trouble: Any) -> None:
    with somebody(the.stack, channel="whatsapp") as (patient, address):
        told = queue(the, patient)
        whatsapp.behave(trouble)

        dispatch(the.stack, whatsapp)

        assert notification(the, told)["status"] == "queued"
        assert attempts(the, told) == [("whatsapp", "failed")]
        [event] = the.rows("select * from public.outbox_events where notification_id = %s", told)
        assert event["available_at"] > datetime.now(UTC) + timedelta(seconds=15)
        assert mails_to(the.stack, address) == []


def test_a_provider_that_stays_in_trouble_ends_the_attempts_and_they_can_be_redriven(
    the: Fulfilment, whatsapp: FakeWhatsApp
) -> None:
    with somebody(the.stack, channel="whatsapp") as (patient, _):
        told = queue(the, patient)
        whatsapp.behave(refuses(131000, 500))
        for _ in range(5):
            dispatch(the.stack, whatsapp)
            again(the, told)
        assert notification(the, told)["status"] == "undeliverable"

        the.rows("select public.redrive_events(null)")
        dispatch(the.stack, None, "email")

        assert notification(the, told)["status"] == "sent"


# When


def test_nothing_is_sent_at_night_and_it_is_sent_in_the_morning(the: Fulfilment) -> None:
    now = datetime.now(ZoneInfo("America/New_York"))
    night = ((now - timedelta(hours=1)).strftime("%H:%M"), (now + timedelta(hours=2)).strftime("%H:%M"))
    with somebody(the.stack, quiet=night, time_zone="America/New_York") as (patient, address):
        told = queue(the, patient)
        again(the, told)  # as if it had been queued in the afternoon, and failed until now

        dispatch(the.stack)

        [event] = the.rows("select * from public.outbox_events where notification_id = %s", told)
        assert notification(the, told)["status"] == "queued"
        assert timedelta(hours=1) < event["available_at"] - datetime.now(UTC) <= timedelta(hours=2)
        assert mails_to(the.stack, address) == []


def test_of_two_that_wait_only_the_later_is_told(the: Fulfilment) -> None:
    with somebody(the.stack) as (patient, address):
        earlier = queue(the, patient, "order.confirmed", subject="ORD-1")
        later = queue(the, patient, "order.shipped", subject="ORD-1")
        other = queue(the, patient, "order.confirmed", subject="ORD-2")

        dispatch(the.stack)

        stati = [notification(the, each)["status"] for each in (earlier, later, other)]
        assert stati == ["superseded", "sent", "sent"]
        assert len(mails_to(the.stack, address)) == 2


def test_what_is_no_news_any_more_is_not_told(the: Fulfilment) -> None:
    with somebody(the.stack) as (patient, address):
        told = queue(the, patient)
        the.run(
            """
            update public.notifications set not_before = now() - interval '4 days'
            where notification_id = %s
            """,
            told,
        )

        dispatch(the.stack)

        assert notification(the, told)["status"] == "expired"
        assert mails_to(the.stack, address) == []


def test_a_notification_whose_words_are_missing_is_no_matter_of_the_others(the: Fulfilment) -> None:
    with somebody(the.stack) as (patient, address):
        [row] = the.rows(
            "select private.queue_notification(%s, 'refill.due', 'refill:x', '{}', %s) as id",
            patient,
            str(uuid4()),
        )
        good = queue(the, patient)

        dispatch(the.stack)

        assert attempts(the, str(row["id"])) == [("email", "failed")]
        assert notification(the, good)["status"] == "sent"
        assert len(mails_to(the.stack, address)) == 1


# The patient's choice


def test_a_patient_chooses_how_to_be_told(the: Fulfilment) -> None:
    with new_patient(the.stack) as patient:
        address = f"/api/patients/{patient_id(patient)}/notifications"
        assert patient.get(address).json() == {
            "channel": "email",
            "time_zone": "Asia/Kolkata",
            "quiet_from": "21:00",
            "quiet_until": "09:00",
        }

        wanted = {
            "channel": "sms",
            "time_zone": "America/New_York",
            "quiet_from": "22:30",
            "quiet_until": "07:15",
        }
        assert patient.put(address, json=wanted).json() == wanted
        assert patient.get(address).json() == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "pigeon"},
        {"channel": None},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "'; drop table patients; --"},
        {"quiet_from": "25:00"},
        {"quiet_from": ""},
        {"chanel": "sms"},
    ],
)
def test_a_choice_that_is_none_is_422_and_changes_nothing(the: Fulfilment, wrong: dict[str, Any]) -> None:
    with new_patient(the.stack) as patient:
        address = f"/api/patients/{patient_id(patient)}/notifications"
        before = patient.get(address).json()

        assert patient.put(address, json={**before, **wrong}).status_code == 422
        assert patient.get(address).json() == before
