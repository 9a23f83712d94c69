"""Langfuse over the wire: one trace a turn, without a person in it, and never at a turn's expense."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from functions.chat import service
from functions.chat.state import Message
from functions.chat.tracing import Sender, make_sender
from functions.chat.understanding.choosing import Interpreters
from functions.chat.understanding.gemini import Gemini
from shared.database import Database, Gateway
from shared.parameters import Secret
from shared.settings import Settings
from tests.fakes.gemini import claims, fake_gemini
from tests.fakes.langfuse import FakeLangfuse, fake_langfuse
from tests.integration.chatting import new_patient_token
from tests.running_stack import RunningStack

MOST_ADDED_SECONDS = 0.05


@pytest.fixture
def langfuse() -> Iterator[FakeLangfuse]:
    with fake_langfuse() as fake:
        yield fake


@pytest.fixture
def sender(langfuse: FakeLangfuse) -> Iterator[Sender]:
    with sending_to(langfuse) as sender:
        yield sender


@contextmanager
def sending_to(langfuse: FakeLangfuse) -> Iterator[Sender]:
    sender = make_test_sender(langfuse)
    yield sender
    langfuse.hanging = False
    langfuse.ended.set()
    sender.client.shutdown()  # while somebody answers: at the end of the process it would wait for nobody


def make_test_sender(langfuse: FakeLangfuse) -> Sender:
    settings = Settings(
        supabase_url="http://127.0.0.1:9",
        supabase_publishable_key="sb_publishable_none",
        langfuse_public_key=Secret(f"pk-{uuid4()}"),  # the SDK keeps one client a key
        langfuse_secret_key=Secret("sk"),
        langfuse_base_url=langfuse.url,
    )
    sender = make_sender(settings)
    assert sender is not None
    return sender


@pytest.fixture
def somebody(stack: RunningStack) -> Iterator[Gateway]:
    database = Database(url=stack.supabase_url, publishable_key=stack.publishable_key, timeout_seconds=10)
    yield database.acting_as(new_patient_token(stack))
    database.close()


def say(
    database: Gateway,
    text: str,
    conversation: UUID,
    sender: Sender | None = None,
    model: Gemini | None = None,
) -> str:
    """One turn; its trace id."""
    message = Message(text=text, language="en", trace_id=uuid4(), conversation_id=conversation)
    interpreters = Interpreters("gemini" if model else "lexical", model)
    return str(service.answer(database, message, interpreters=interpreters, sender=sender)["trace_id"])


def eventually(fake: FakeLangfuse, spans: int, scores: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (len(fake.spans) < spans or len(fake.scores) < scores):
        time.sleep(0.02)
    assert (len(fake.spans), len(fake.scores)) == (spans, scores)


def test_a_turn_is_one_trace_under_its_own_id(
    somebody: Gateway, langfuse: FakeLangfuse, sender: Sender
) -> None:
    trace_id = say(somebody, "one calamine lotion", uuid4(), sender)

    eventually(langfuse, spans=4, scores=3)
    assert langfuse.paths[0] == "/api/public/otel/v1/traces"
    assert {span.trace_id for span in langfuse.spans} == {UUID(trace_id).hex}
    root = next(span for span in langfuse.spans if span.name == "chat-turn")
    steps = [span for span in langfuse.spans if span is not root]
    assert {span.name for span in steps} == {"extract", "verify", "ask"}
    assert {span.parent_id for span in steps} == {root.span_id}
    assert "order_confirmation" in str(root.attributes)
    scores = {score["name"]: score["value"] for score in langfuse.scores}
    assert scores == {"confidence": 1, "refused": 0, "placed": 0}


def test_placing_and_refusing_are_scored(somebody: Gateway, langfuse: FakeLangfuse, sender: Sender) -> None:
    conversation = uuid4()
    say(somebody, "one calamine lotion", conversation, sender)
    placing = say(somebody, "yes", conversation, sender)
    refusing = say(somebody, "azithromycin", conversation, sender)

    eventually(langfuse, spans=12, scores=9)
    scores = {(score["traceId"], score["name"]): score["value"] for score in langfuse.scores}
    assert scores[UUID(placing).hex, "placed"] == 1
    assert scores[UUID(refusing).hex, "refused"] == 1
    assert "act" in {span.name for span in langfuse.spans if span.trace_id == UUID(placing).hex}
    assert "prescription_required" in str([span.attributes for span in langfuse.spans])


def test_no_person_leaves_and_the_generation_does(
    somebody: Gateway, langfuse: FakeLangfuse, sender: Sender
) -> None:
    message = (
        "I am Test Patient, 98201 23456, test.patient@example.com, Flat 12, Hill Road, Bandra; "
        "2 calamine lotion, zorbly"
    )
    with fake_gemini() as gemini:
        gemini.behave(
            claims("order", {"said": "calamine lotion", "name": "Test Patient of Hill Road 9820123456"})
        )
        model = Gemini(api_key=SecretStr("key"), model="gemini-x", base_url=gemini.url, timeout_seconds=4)
        say(somebody, message, uuid4(), sender, model)

    eventually(langfuse, spans=5, scores=3)
    generation = next(span for span in langfuse.spans if span.name == "understand")
    assert generation.attributes["langfuse.observation.model.name"] == "gemini-x"
    assert "zorbly" in str(generation.attributes)
    everything = b"".join(langfuse.bodies).decode("utf-8", "replace").casefold()
    for secret in ("test patient", "98201", "9820123456", "example.com", "hill", "bandra", "flat 12"):
        assert secret not in everything


def test_a_receiver_that_hangs_costs_a_turn_less_than_50_ms(
    stack: RunningStack, somebody: Gateway, langfuse: FakeLangfuse, sender: Sender
) -> None:
    def seconds(sender: Sender | None) -> float:
        started = time.perf_counter()
        say(somebody, "is there anything", uuid4(), sender)
        return time.perf_counter() - started

    langfuse.hanging = True
    for warm in (None, sender):
        seconds(warm)
    pairs = [(seconds(None), seconds(sender)) for _ in range(15)]

    assert median(traced - plain for plain, traced in pairs) < MOST_ADDED_SECONDS


def test_the_turn_that_waits_for_a_hanging_receiver_waits_less_than_50_ms(
    somebody: Gateway, langfuse: FakeLangfuse
) -> None:
    def seconds(sender: Sender | None) -> float:
        started = time.perf_counter()
        say(somebody, "is there anything", uuid4(), sender)
        return time.perf_counter() - started

    langfuse.hanging = True
    seconds(None)
    with sending_to(langfuse) as first, sending_to(langfuse) as second, sending_to(langfuse) as third:
        added = [seconds(sender) - seconds(None) for sender in (first, second, third)]

    assert median(added) < MOST_ADDED_SECONDS


def test_an_unreachable_receiver_is_nobodys_problem(somebody: Gateway, langfuse: FakeLangfuse) -> None:
    langfuse.url = "http://127.0.0.1:9"

    say(somebody, "hello", uuid4(), make_test_sender(langfuse))
