"""What the chat takes and gives over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from functions.chat.cards import CardJson
from shared.findings import ProductFindingJson
from shared.openapi import DescribedAs, Problem
from shared.text import Identifier, Paragraph

LONGEST_MESSAGE = 2000


class ChatMessage(BaseModel):
    message: Annotated[
        Paragraph,
        Field(min_length=1, max_length=LONGEST_MESSAGE, examples=["I need 2 strips of Dolo 650 please"]),
    ]
    language: Literal["en", "hi", "mr"] = Field(
        default="en", description="Of the reply; the script of the message wins"
    )
    patient_id: Identifier | Literal[""] | None = Field(
        default=None, description="The caller's own", examples=["PAT012"]
    )
    conversation_id: UUID | None = Field(
        default=None, description="To start or continue another conversation than the open one"
    )


class SaidQuantity(BaseModel):
    amount: int | None = Field(description="null: said, but it gives no whole number", examples=[2])
    of: str = Field(examples=["packs", "units", "days"])


class NamedProduct(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str | None = Field(examples=["Dolo 650"])


class StepItem(NamedProduct):
    quantity: int = Field(description="Packs", examples=[2])


class ToldMention(BaseModel):
    """What was named in the message, and what it came to."""

    said: str = Field(examples=["dolo"])
    kind: str = Field(examples=["medicine", "removed", "complaint"])
    quantity: SaidQuantity | None
    candidates: list[NamedProduct] = Field(description="What it may stand for")
    resolved_to: str | None = Field(description="null: the patient is asked, or nothing fits")


class Step(BaseModel):
    """One step of a turn. `extract` says how the message was understood, `verify` what was made of it."""

    step: str = Field(examples=["extract"])
    summary: str
    ms: float | None = Field(default=None, description="Milliseconds it took", examples=[12.5])
    intent: str | None = Field(default=None, examples=["order"])
    understood_by: str | None = Field(default=None, examples=["lexical"])
    confidence: float | None = Field(default=None, description="Share of the words that are explained")
    language: str | None = Field(default=None, description="Of the reply", examples=["en"])
    does: str | None = Field(default=None, examples=["propose", "say", "confirm"])
    mentions: list[ToldMention] | None = None
    items: list[StepItem] | None = None


class ChatReply(BaseModel):
    reply: str = Field(description="Plain text, to be shown or read out")
    card_data: CardJson | None
    conversation_id: UUID
    trace_id: UUID = Field(description="For /api/decisions/{trace_id}")
    thinking: list[Step]


class ChatProblem(Problem):
    """Errors of the chat have words to show too, so that its page need not know errors."""

    reply: str = Field(examples=["Please sign in first."])
    card_data: None = Field(examples=[None])


class SpokenMessage(BaseModel):
    role: Literal["patient", "assistant"]
    text: str
    card_data: CardJson | None
    trace_id: UUID
    created_at: datetime


class Conversation(BaseModel):
    conversation_id: UUID
    messages: list[SpokenMessage] = Field(description="The oldest first")
    next_cursor: str | None = Field(description="For what was said before these; null when nothing was")


class ClinicalCheck(BaseModel):
    check: str = Field(examples=["interaction"])
    product_id: str = Field(examples=["MED001"])
    result: Literal["clear", "warned", "blocked", "not_done"]


CheckJson = Annotated[dict[str, Any], DescribedAs(ClinicalCheck)]


class Decision(BaseModel):
    kind: str = Field(examples=["propose", "confirm"])
    request: dict[str, Any]
    outcome: str = Field(examples=["proposed", "refused", "placed"])
    rule_set: str | None = Field(description="Version of the clinical rules that were in force")
    findings: list[ProductFindingJson]
    checks: list[CheckJson]
    order_id: str | None
    decided_at: datetime


class Decisions(BaseModel):
    trace_id: UUID
    decisions: list[Decision]


class FoundDecision(BaseModel):
    """One decision; every check of it is at /api/decisions/{trace_id}."""

    decision_id: int
    trace_id: UUID
    patient_id: str = Field(examples=["PAT012"])
    patient_name: str
    kind: str = Field(examples=["propose", "confirm"])
    outcome: str = Field(examples=["proposed", "refused", "placed"])
    rule_set: str | None
    findings: list[ProductFindingJson]
    order_id: str | None
    decided_at: datetime


class FoundDecisions(BaseModel):
    """The latest first."""

    decisions: list[FoundDecision]
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """What is looked for; None is anything."""

    patient_id: str | None = None
    order_id: str | None = None
    outcome: str | None = None
    code: str | None = None
    kind: str | None = None
    since: date | None = None
    until: date | None = None
