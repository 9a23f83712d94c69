"""Killing, holding and slowing the parts of a stack, and buying meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import psycopg

from infra.local.stack import Stack
from tests.fakes.gemini import FakeGemini
from tests.fakes.langfuse import FakeLangfuse
from tests.integration.chatting import Conversation, new_patient_token
from tests.running_stack import RunningStack

Json = dict[str, Any]
Part = Literal["database", "supabase", "queues"]

PRODUCT = "MED032"
"""A bandage: needs no prescription, and no limit counts it over days."""
_GIVE_UP_SECONDS = 40


@dataclass
class Breakable:
    stack: Stack
    running: RunningStack
    gemini: FakeGemini
    langfuse: FakeLangfuse

    def kill(self, part: Part, how: signal.Signals = signal.SIGKILL) -> None:
        """End a part's processes, and wait until they are gone."""
        for service in self.stack.services(part):
            if how is signal.SIGKILL:
                os.killpg(service.pid, how)
            else:
                os.kill(service.pid, how)
            while service.exit_code() is None:
                time.sleep(0.01)

    def start(self, part: Part) -> None:
        self.stack.start_part(part)

    @contextmanager
    def held(self, part: Part) -> Iterator[None]:
        """The part takes connections and does nothing."""
        processes = [service.pid for service in self.stack.services(part)]
        for pid in processes:
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                os.killpg(pid, signal.SIGCONT)

    @contextmanager
    def slowed(self, part: Part, seconds: float) -> Iterator[None]:
        """The part stands still for so long again and again, and runs for a blink in between."""
        ended = threading.Event()

        def stutter() -> None:
            while not ended.is_set():
                with self.held(part):
                    ended.wait(seconds)
                ended.wait(0.02)

        stuttering = threading.Thread(target=stutter)
        stuttering.start()
        try:
            yield
        finally:
            ended.set()
            stuttering.join()

    def patient(self) -> httpx.Client:
        """Somebody who may buy. Close it."""
        return self.running.api(new_patient_token(self.running), timeout=30)

    def readiness(self) -> tuple[int, Json]:
        with self.running.api() as guest:
            answer = guest.get("/health/detailed")
            return answer.status_code, answer.json()

    def until_ready(self) -> float:
        """Seconds until the API says that it is; fails when it does not come to that."""
        return until(lambda: self.readiness()[0] == 200)

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.running.database_url) as database:
            return database.execute(query.encode(), arguments).fetchall()


def until(fulfilled: Callable[[], bool]) -> float:
    started = time.monotonic()
    while not fulfilled():
        assert time.monotonic() - started < _GIVE_UP_SECONDS, "it did not come to that"
        time.sleep(0.1)
    return time.monotonic() - started


@dataclass
class Buyer:
    """Buys pack after pack by chat, and repeats every message until it is answered, as people do."""

    api: httpx.Client
    orders: list[str] = field(default_factory=list)
    """The order numbers that were told."""
    refusals: list[httpx.Response] = field(default_factory=list)
    """Every answer that was none."""

    def buy_often(self, packs: int) -> None:
        for _ in range(packs):
            self.buy()

    def buy(self) -> None:
        conversation = Conversation(self.api)
        card = self._insist(conversation, "1 bandage roll", "order_confirmation")
        assert [item["product_id"] for item in card["items"]] == [PRODUCT], card
        self.orders.append(self._insist(conversation, "yes", "order_status")["order_id"])

    def _insist(self, conversation: Conversation, message: str, kind: str) -> Json:
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = conversation.post(message)
                if answer.status_code == 200:
                    card: Json = answer.json()["card_data"]
                    assert card, answer.text
                    assert card["type"] == kind, answer.text
                    return card
                self.refusals.append(answer)
            time.sleep(0.2)
        raise AssertionError(f"{message!r} was never answered: {[r.text for r in self.refusals[-2:]]}")


@contextmanager
def buying(broken: Breakable, *, buyers: int, packs: int) -> Iterator[list[Buyer]]:
    """Buyers who are in the middle of it while the body runs; at the end each has bought so many packs."""
    with ThreadPoolExecutor(buyers) as at_once:
        people = [Buyer(broken.patient()) for _ in range(buyers)]
        try:
            done = [at_once.submit(each.buy_often, packs) for each in people]
            until(lambda: any(each.orders for each in people) or any(one.done() for one in done))
            yield people
            for one in done:
                one.result(timeout=_GIVE_UP_SECONDS * packs)
        finally:
            for each in people:
                each.api.close()
