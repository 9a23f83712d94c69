"""Plays conversations over HTTP, one after the other, each on the untouched seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.evals.answers import Answer
from tests.evals.conversations import Conversation, Turn
from tests.evals.database import Database, Person, conversation_id, opened
from tests.evals.safety import World, unsafe
from tests.evals.scoring import Happened, differences, final_differences
from tests.running_stack import RunningStack

NEWCOMER = {
    "name": "Rohan Mehta",
    "email": "rohan.mehta@evals.example",
    "phone": "+919800000001",
    "password": "evals-demo-2026",
}


@dataclass(frozen=True)
class Failure:
    """A turn that went wrong; `turn` counts from 1, 0 is the state after the last one."""

    turn: int
    said: str
    got: dict[str, Any]
    expected: list[dict[str, Any]]
    differences: list[str]
    unsafe: list[str]


@dataclass
class Result:
    conversation: Conversation
    failures: list[Failure] = field(default_factory=list)
    turns: int = 0
    milliseconds: list[float] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return not self.failures

    @property
    def unsafe(self) -> list[str]:
        return [why for failure in self.failures for why in failure.unsafe]


class Player:
    """Holds the sign-ins and connections that all conversations share."""

    def __init__(self, stack: RunningStack, database: Database, closing: ExitStack) -> None:
        self._stack = stack
        self._database = database
        self._closing = closing
        self._clients: dict[str, httpx.Client] = {}
        self._newcomer, self._newcomer_token = self._register()
        self._people = database.people()
        self._owners = database.order_owners()

    def play(self, conversation: Conversation) -> Result:
        """Say every turn, also after a wrong answer; the database is put back afterwards."""
        result = Result(conversation)
        patient_id = self._newcomer if conversation.patient == "NEW" else conversation.patient
        caller = self._people[patient_id]
        devices: dict[int, str] = {}
        history: list[Happened] = []
        try:
            if conversation.profile:
                self._database.set_profile(patient_id, conversation.profile)
            for number, written in enumerate(conversation.turns, start=1):
                turn = _resolved(written, history)
                self._database.prepare(turn.before)
                before = self._database.rows() if not history or _changes(turn) else history[-1].after
                answer = self._say(
                    caller, turn, conversation, devices.setdefault(turn.device, conversation_id())
                )
                history.append(Happened(turn, answer, before, self._database.rows()))
                result.milliseconds.append(answer.milliseconds)
                world = World(
                    caller=caller,
                    others=[one for key, one in self._people.items() if key != patient_id],
                    order_owners=self._owners,
                    profile=self._database.told(patient_id),
                )
                wrong = differences(history[-1], conversation)
                dangers = unsafe(conversation, history, world)
                if wrong or dangers:
                    expected = [one.model_dump(exclude_unset=True) for one in turn.expect]
                    result.failures.append(
                        Failure(number, turn.say, answer.summary(), expected, wrong, dangers)
                    )
            if conversation.final:
                rows, told = history[-1].after, self._database.told(patient_id)
                if wrong := final_differences(conversation.final, rows, told, patient_id):
                    expected = [conversation.final.model_dump(exclude_unset=True)]
                    result.failures.append(Failure(0, "", {}, expected, wrong, []))
        finally:
            result.turns = len(history)
            self._database.put_back()
        return result

    def _say(self, caller: Person, turn: Turn, conversation: Conversation, talk: str) -> Answer:
        body = {"patient_id": caller.patient_id, "message": turn.say, "conversation_id": talk}
        if language := turn.language or conversation.language:
            body["language"] = language
        started = time.perf_counter()
        response = self._client(caller).post("/api/chat", json=body)
        milliseconds = (time.perf_counter() - started) * 1000
        try:
            content = response.json()
        except ValueError:
            content = {}
        return Answer(response.status_code, content if isinstance(content, dict) else {}, milliseconds)

    def _client(self, caller: Person) -> httpx.Client:
        if caller.patient_id not in self._clients:
            newcomer = caller.patient_id == self._newcomer
            token = self._newcomer_token if newcomer else self._stack.patient_token(caller.email)
            self._clients[caller.patient_id] = self._closing.enter_context(self._stack.api(token, timeout=30))
        return self._clients[caller.patient_id]

    def _register(self) -> tuple[str, str]:
        response = httpx.post(f"{self._stack.api_url}/api/auth/register", json=NEWCOMER, timeout=60)
        response.raise_for_status()
        body = response.json()
        return body["patient_id"], body["token"]


def play_all(
    stack: RunningStack,
    conversations: Iterable[Conversation],
    report: Callable[[Result], None] = lambda _result: None,
) -> list[Result]:
    """The results in the order of the conversations; the database is afterwards as it was."""
    results: list[Result] = []
    with _player(stack) as player:
        for conversation in conversations:
            results.append(player.play(conversation))
            report(results[-1])
    return results


@contextmanager
def _player(stack: RunningStack) -> Iterator[Player]:
    with opened(stack.database_url) as database, ExitStack() as closing:
        database.forget(NEWCOMER["email"])  # a run that was killed may have left it
        closing.callback(database.forget, NEWCOMER["email"])
        player = Player(stack, database, closing)
        database.keep()
        closing.callback(database.put_back)
        yield player


def _resolved(turn: Turn, history: list[Happened]) -> Turn:
    """With `$1` replaced by the first option of the last question on the same device."""
    asked = [one.answer for one in history if one.turn.device == turn.device and one.answer.options]
    if not asked:
        return turn
    return turn.model_copy(update={"expect": tuple(one.resolved(asked[-1].options) for one in turn.expect)})


def _changes(turn: Turn) -> bool:
    return bool(turn.before.model_fields_set)
