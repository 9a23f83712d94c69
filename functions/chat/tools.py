"""What the agent can do to the world, as LangChain tools. There is one: placing what a patient confirmed.

Fulfilment and the notification are no tools of their own. They are written in the order's transaction (the
event in the outbox, which the dispatcher delivers), because a second call could fail after the first.

No model is bound to it. The node `act` calls it, and the graph reaches that node only from a confirmed
proposal. Whoever calls otherwise meets the same walls: a `ConfirmedProposal` is made only of a plan to
confirm, every other turn is refused the act `confirm`, and in the database `chat_turn` places nothing but
what the patient's own open proposal holds, under its digest, once, after verifying it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from langchain_core.tools import InjectedToolArg, tool

from functions.chat.context import TurnContext
from functions.chat.resolution import Plan
from shared.database import Gateway


class Turn:
    """What `chat_turn` stores of a turn besides what is done in it, and on whose behalf. It is no dataclass:
    LangChain would take it apart.
    """

    def __init__(self, database: Gateway, patient_id: str | None, record: Mapping[str, Any]) -> None:
        self.database = database
        self.patient_id = patient_id
        self.record = record


@dataclass(frozen=True, slots=True)
class ConfirmedProposal:
    """One exact card that the patient said yes to."""

    proposal_id: str
    digest: str


def confirmed_proposal(decided: Plan, context: TurnContext) -> ConfirmedProposal:
    """Raises ValueError when the patient has confirmed nothing."""
    if decided.act != "confirm" or context.proposal is None:
        raise ValueError("nothing was confirmed")
    return ConfirmedProposal(context.proposal.proposal_id, context.proposal.digest)


@tool
def place_order(proposal_id: str, digest: str, turn: Annotated[Turn, InjectedToolArg]) -> dict[str, Any]:
    """Place the order of a proposal that the patient has confirmed, and queue its fulfilment and notification
    in the same transaction. Answers with the outcome of `chat_turn`: `placed`, `placed_before`, or a new card
    when something has changed since.
    """
    return _chat_turn(turn, {"act": "confirm", "proposal_id": proposal_id, "digest": digest})


def store_turn(decided: Plan, turn: Turn) -> dict[str, Any]:
    """Let the database check and remember a turn that places nothing. Raises ValueError for a
    confirmation.
    """
    if decided.act == "confirm":
        raise ValueError("a confirmation goes through place_order")
    done = {"act": decided.act, "items": list(decided.items), "profile": dict(decided.profile)}
    return _chat_turn(turn, done)


def _chat_turn(turn: Turn, done: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {"p_turn": {**turn.record, **done}, "p_patient_id": turn.patient_id}
    outcome: dict[str, Any] = turn.database.rpc("chat_turn", arguments)
    return outcome
