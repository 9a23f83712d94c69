"""A chat turn as a graph: extract -> verify -> act, or ask.

Extract understands the message, verify settles which products it means and what is to be done. Then the
database takes the turn: ask lets it check clinically and show a card or say something; act places the order
of a proposal that the patient has confirmed, in a transaction that verifies everything again. No other node
touches an order.

Two round trips to the database: the context in `extract`, the turn in `act` or `ask`. Asking a model takes
one more, for what must be masked, and another if only the model heard a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from time import perf_counter
from typing import Any, Literal, Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from functions.chat.context import TurnContext, read_context
from functions.chat.replies.languages import reply_language
from functions.chat.resolution import plan
from functions.chat.state import Message, TurnState
from functions.chat.telling import told_of_extract, told_of_verify
from functions.chat.tools import Turn, confirmed_proposal, place_order, store_turn
from functions.chat.tracing import TurnTrace
from functions.chat.understanding.choosing import LEXICAL, Interpreters, understand
from functions.chat.understanding.lexical import spoken, wants
from functions.chat.understanding.spelling import expanded
from functions.chat.understanding.words import Word, split
from shared.database import Gateway


@dataclass(frozen=True, slots=True)
class TurnTools:
    """What the nodes reach outside for."""

    database: Gateway
    interpreters: Interpreters = LEXICAL
    trace: TurnTrace = field(default_factory=TurnTrace)

    def look_up(self, words: Sequence[Word], message: Message) -> TurnContext:
        """What the database knows about these words and this conversation."""
        return read_context(
            self.database.rpc(
                "chat_context",
                {
                    "p_words": spoken(words),
                    "p_patient_id": message.patient_id,
                    "p_wants": wants(words),
                    "p_conversation_id": str(message.conversation_id) if message.conversation_id else None,
                },
            )
        )

    def personal(self, message: Message) -> Iterable[str]:
        """What names the patient."""
        profile = self.database.rpc("patient_profile", {"p_patient_id": message.patient_id})
        return [text for text in (profile["name"], profile["email"], profile["phone"]) if text]


TurnGraph = CompiledStateGraph[TurnState, TurnTools, TurnState, TurnState]


def extract(state: TurnState, runtime: Runtime[TurnTools]) -> TurnState:
    """Read the context and the message's intent, mentions and quantities."""
    message = state["message"]
    outside = runtime.context
    words = expanded(split(message.text))
    context = outside.look_up(words, message)
    understood = understand(
        message.text,
        words,
        context,
        outside.interpreters,
        look_up=lambda corrected: outside.look_up(corrected, message),
        personal=lambda: outside.personal(message),
        watch=outside.trace.generation,
    )
    interpretation, context = understood.interpretation, understood.context
    language = reply_language(message.text, message.language, context.preferred_language)
    return {
        "context": context,
        "language": language,
        "interpretation": interpretation,
        "thinking": [told_of_extract(interpretation, understood.by, language)],
    }


def verify(state: TurnState, _: Runtime[TurnTools]) -> TurnState:
    """Settle the mentions on products of the catalogue and decide what to do."""
    interpretation, context = state["interpretation"], state["context"]
    decided = plan(interpretation, context)
    told = told_of_verify(interpretation, decided, context)
    return {"plan": decided, "thinking": [*state["thinking"], told]}


def ask(state: TurnState, runtime: Runtime[TurnTools]) -> TurnState:
    """Let the database check what is proposed, show the card and remember, in one transaction."""
    return _taken(state, store_turn(state["plan"], _turn(state, runtime)))


def act(state: TurnState, runtime: Runtime[TurnTools]) -> TurnState:
    """Place the order of the proposal that the patient confirmed."""
    confirmed = confirmed_proposal(state["plan"], state["context"])
    outcome = place_order.invoke({**asdict(confirmed), "turn": _turn(state, runtime)})
    return _taken(state, outcome)


def is_confirmed(state: TurnState) -> Literal["act", "ask"]:
    return "act" if state["plan"].act == "confirm" else "ask"


def _turn(state: TurnState, runtime: Runtime[TurnTools]) -> Turn:
    message, context, decided = state["message"], state["context"], state["plan"]
    return Turn(
        runtime.context.database,
        message.patient_id,
        {
            "message": message.text,
            "language": state["language"],
            "conversation_id": context.conversation_id,
            "trace_id": str(message.trace_id),
            "interpretation": asdict(state["interpretation"]),
            "card": decided.card,
            "state": dict(decided.state),
            "reply": {
                "said": [asdict(said) for said in decided.said],
                "notes": [asdict(n) for n in decided.notes],
            },
        },
    )


def _taken(state: TurnState, outcome: dict[str, Any]) -> TurnState:
    summary = {"step": "act", "summary": str(outcome["outcome"])}
    return {"outcome": outcome, "thinking": [*state["thinking"], summary]}


@lru_cache(maxsize=1)
def turn_graph() -> TurnGraph:
    graph = StateGraph(TurnState, context_schema=TurnTools)
    for name, node in (("extract", extract), ("verify", verify), ("act", act), ("ask", ask)):
        graph.add_node(name, _traced(name, node))
    graph.add_edge(START, "extract")
    graph.add_edge("extract", "verify")
    graph.add_conditional_edges("verify", is_confirmed)
    graph.add_edge("act", END)
    graph.add_edge("ask", END)
    return graph.compile()


class Node(Protocol):
    def __call__(self, state: TurnState, *, runtime: Runtime[TurnTools]) -> TurnState: ...


def _traced(name: str, node: Callable[[TurnState, Runtime[TurnTools]], TurnState]) -> Node:
    def traced(state: TurnState, runtime: Runtime[TurnTools]) -> TurnState:
        started = perf_counter()
        with runtime.context.trace.step(name) as record:
            update = node(state, runtime)
            record(_traceable(update))
        *before, last = update["thinking"]
        took = round((perf_counter() - started) * 1000, 1)
        return {**update, "thinking": [*before, {**last, "ms": took}]}

    return traced


def _traceable(update: TurnState) -> Mapping[str, Any]:
    """What came out of a node, without any word of the patient."""
    told: dict[str, Any] = {}
    if "interpretation" in update:
        interpretation = update["interpretation"]
        told["intent"] = interpretation.intent
        told["language"] = update["language"]
        told["confidence"] = interpretation.confidence
        told["mentions"] = [list(mention.candidates) for mention in interpretation.mentions]
    if "plan" in update:
        told["act"] = update["plan"].act
        told["items"] = [dict(item) for item in update["plan"].items]
        told["says"] = [said.key for said in update["plan"].said]
    if "outcome" in update:
        told |= outcome_codes(update["outcome"])
    return told


def outcome_codes(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What was decided in a turn: the outcome, the card's kind, the order and the codes of all findings."""
    card = outcome["card"] or {}
    items = [*card.get("rejected_items", []), *card.get("warnings", [])]
    return {
        "outcome": outcome["outcome"],
        "card": card.get("type"),
        "order": card.get("order_id"),
        "findings": sorted({item["code"] for item in items if "code" in item}),
    }
