"""What passes between the nodes of one turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict
from uuid import UUID

from functions.chat.context import TurnContext
from functions.chat.resolution import Plan
from functions.chat.understanding.interpretation import Interpretation

Language = Literal["en", "hi", "mr"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came in. `language` is what the client asked for; the script may overrule it."""

    text: str
    language: Language
    trace_id: UUID
    patient_id: str | None = None
    conversation_id: UUID | None = None


class TurnState(TypedDict, total=False):
    message: Message
    context: TurnContext
    language: Language
    interpretation: Interpretation
    plan: Plan
    outcome: dict[str, Any]
    """The answer of the SQL function `chat_turn`."""
    thinking: list[dict[str, Any]]
