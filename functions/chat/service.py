"""One chat turn, and what was said and decided before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from functions.chat.graph import TurnTools, outcome_codes, turn_graph
from functions.chat.models import DecisionFilter, FoundDecisions
from functions.chat.replies.render import render_card, render_reply
from functions.chat.state import Message
from functions.chat.tracing import Sender, start_trace
from functions.chat.understanding.choosing import LEXICAL, Interpreters
from shared.database import Gateway


def answer(
    database: Gateway,
    message: Message,
    interpreters: Interpreters = LEXICAL,
    sender: Sender | None = None,
) -> dict[str, Any]:
    """Take one turn; it is traced when there is a sender.

    Raises Forbidden or NotFound for a patient or conversation that is not the caller's, Unavailable when the
    database does not answer; then nothing has been stored.
    """
    trace = start_trace(message.trace_id, sender)
    try:
        tools = TurnTools(database, interpreters, trace)
        final = turn_graph().invoke({"message": message}, context=tools)
    except BaseException as error:
        trace.finish({"error": type(error).__name__}, {})
        raise
    outcome, language, plan = final["outcome"], final["language"], final["plan"]
    trace.finish(outcome_codes(outcome), _scores(final))
    record = {
        "outcome": outcome["outcome"],
        "questions": outcome.get("questions"),
        "said": {"said": [_said(s) for s in plan.said], "notes": [_said(n) for n in plan.notes]},
    }
    return {
        "reply": render_reply(language, record, outcome["card"]),
        "card_data": render_card(language, record, outcome["card"]),
        "conversation_id": outcome["conversation_id"],
        "trace_id": str(message.trace_id),
        "thinking": final["thinking"],
    }


def conversation(
    database: Gateway, conversation_id: UUID, *, limit: int, cursor: int | None
) -> dict[str, Any]:
    """What was said last in a conversation, or before what the cursor names. Raises NotFound."""
    stored = database.rpc(
        "get_conversation",
        {"p_conversation_id": str(conversation_id), "p_limit": limit, "p_before": cursor},
    )
    return {
        "conversation_id": stored["conversation_id"],
        "messages": [_spoken(message) for message in stored["messages"]],
        "next_cursor": stored["next_cursor"],
    }


def decisions(database: Gateway, trace_id: UUID) -> dict[str, Any]:
    """What was checked and decided in a turn of the caller. Raises NotFound."""
    found: dict[str, Any] = database.rpc("get_decisions", {"p_trace_id": str(trace_id)})
    return found


def search_decisions(
    database: Gateway, wanted: DecisionFilter, *, limit: int, cursor: int | None
) -> FoundDecisions:
    """What was decided, of anybody, the latest first. Raises Forbidden for a patient."""
    named = {name: str(value) for name, value in asdict(wanted).items() if value is not None}
    return FoundDecisions.model_validate(
        database.rpc("search_decisions", {"p_filter": named, "p_limit": limit, "p_before": cursor})
    )


def _scores(final: Mapping[str, Any]) -> dict[str, float]:
    card = final["outcome"]["card"] or {}
    return {
        "confidence": final["interpretation"].confidence,
        "refused": bool(card.get("rejected_items")),
        "placed": final["outcome"]["outcome"] == "placed",
    }


def _said(said: Any) -> dict[str, Any]:
    return {"key": said.key, "args": dict(said.args)}


def _spoken(message: Mapping[str, Any]) -> dict[str, Any]:
    is_patient = message["role"] == "patient"
    language, record, card = message["language"], message["reply"], message["card"]
    return {
        "role": message["role"],
        "text": message["body"] if is_patient else render_reply(language, record, card),
        "card_data": None if is_patient else render_card(language, record, card),
        "trace_id": message["trace_id"],
        "created_at": message["created_at"],
    }
