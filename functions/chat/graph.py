"""A chat turn as a graph: extract -> verify -> act.

Extract understands the message, verify settles which products it means and what is to be done, act hands that
to the database, which checks it clinically and stores the turn. No node touches an order: that needs the
patient's confirmation of one exact proposal, and the transaction that places it verifies everything again.
Two round trips to the database: the context in front of `extract`, the turn in `act`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from functions.chat.context import read_context
from functions.chat.replies.languages import reply_language
from functions.chat.resolution import plan
from functions.chat.state import TurnState
from functions.chat.understanding.lexical import interpret, is_vocabulary, wants
from functions.chat.understanding.words import split
from shared.database import Gateway


@dataclass(frozen=True, slots=True)
class TurnTools:
    """What the nodes reach outside for."""

    database: Gateway


TurnGraph = CompiledStateGraph[TurnState, TurnTools, TurnState, TurnState]


def extract(state: TurnState, runtime: Runtime[TurnTools]) -> TurnState:
    """Read the context and the message's intent, mentions and quantities."""
    message = state["message"]
    words = split(message.text)
    context = read_context(
        runtime.context.database.rpc(
            "chat_context",
            {
                "p_words": [[word.text, is_vocabulary(word)] for word in words],
                "p_patient_id": message.patient_id,
                "p_wants": wants(words),
                "p_conversation_id": str(message.conversation_id) if message.conversation_id else None,
            },
        )
    )
    interpretation = interpret(words, context)
    named = ", ".join(mention.said for mention in interpretation.mentions)
    return {
        "context": context,
        "language": reply_language(message.text, message.language, context.preferred_language),
        "interpretation": interpretation,
        "thinking": [{"step": "extract", "summary": f"{interpretation.intent}: {named}".rstrip(": ")}],
    }


def verify(state: TurnState) -> TurnState:
    """Settle the mentions on products of the catalogue and decide what to do."""
    decided = plan(state["interpretation"], state["context"])
    items = ", ".join(f"{item['product_id']} x {item['packs']}" for item in decided.items)
    return {
        "plan": decided,
        "thinking": [*state["thinking"], {"step": "verify", "summary": f"{decided.act} {items}".strip()}],
    }


def act(state: TurnState, runtime: Runtime[TurnTools]) -> TurnState:
    """Let the database check, act and remember, in one transaction."""
    message, context, decided = state["message"], state["context"], state["plan"]
    proposal = context.proposal
    turn: dict[str, Any] = {
        "act": decided.act,
        "message": message.text,
        "language": state["language"],
        "conversation_id": context.conversation_id,
        "trace_id": str(message.trace_id),
        "interpretation": asdict(state["interpretation"]),
        "items": list(decided.items),
        "profile": dict(decided.profile),
        "card": decided.card,
        "state": dict(decided.state),
        "reply": {
            "said": [asdict(said) for said in decided.said],
            "notes": [asdict(n) for n in decided.notes],
        },
    }
    if decided.act == "confirm" and proposal is not None:
        turn |= {"proposal_id": proposal.proposal_id, "digest": proposal.digest}
    outcome = runtime.context.database.rpc("chat_turn", {"p_turn": turn, "p_patient_id": message.patient_id})
    return {
        "outcome": outcome,
        "thinking": [*state["thinking"], {"step": "act", "summary": str(outcome["outcome"])}],
    }


@lru_cache(maxsize=1)
def turn_graph() -> TurnGraph:
    graph = StateGraph(TurnState, context_schema=TurnTools)
    graph.add_node("extract", extract)
    graph.add_node("verify", verify)
    graph.add_node("act", act)
    graph.add_edge(START, "extract")
    graph.add_edge("extract", "verify")
    graph.add_edge("verify", "act")
    graph.add_edge("act", END)
    return graph.compile()
