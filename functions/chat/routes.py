"""HTTP routes of the chat."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Request, Response

from functions.chat import service
from functions.chat.models import (
    ChatMessage,
    ChatProblem,
    ChatReply,
    Conversation,
    DecisionFilter,
    Decisions,
    FoundDecisions,
)
from functions.chat.replies.render import problem_reply
from functions.chat.state import Message
from functions.chat.tracing import get_sender
from functions.chat.understanding.choosing import get_interpreters
from shared.days import Day
from shared.dependencies import CallersGateway, WakeDispatcher
from shared.errors import NexusError, NotFound, TooManyRequests
from shared.http import problem_response
from shared.openapi import PATIENT_OR_STAFF, STAFF, callable_by
from shared.text import Identifier

router = APIRouter()


@router.post(
    "/api/chat", tags=["chat"], summary="Say something to the pharmacy agent", response_model=ChatReply
)
@callable_by(
    PATIENT_OR_STAFF,
    NotFound("There is no such conversation.", code="conversation_not_found"),
    TooManyRequests,
    problem=ChatProblem,
)
def chat(body: ChatMessage, database: CallersGateway, wake: WakeDispatcher) -> dict[str, Any]:
    """Understands the message, checks what it asks for and answers with words and a card. An order is placed
    only by an unmistakable "yes" to the card shown last."""
    answer = service.answer(
        database,
        Message(
            text=body.message,
            language=body.language,
            trace_id=uuid4(),
            patient_id=body.patient_id or None,
            conversation_id=body.conversation_id,
        ),
        interpreters=get_interpreters(),
        sender=get_sender(),
    )
    if (answer["card_data"] or {}).get("type") == "order_status":
        wake()
    return answer


@router.get(
    "/api/conversations/{conversation_id}",
    tags=["chat"],
    summary="What was said",
    response_model=Conversation,
)
@callable_by(
    PATIENT_OR_STAFF,
    NotFound("There is no such conversation.", code="conversation_not_found"),
    problem=ChatProblem,
)
def conversation(
    conversation_id: Annotated[UUID, Path(examples=["6f2c1c1e-3f0b-4c55-9a53-0f6f4a3a7d10"])],
    database: CallersGateway,
    limit: Annotated[int, Query(ge=1, le=500, description="Messages on a page")] = 200,
    cursor: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before")
    ] = None,
) -> dict[str, Any]:
    """What was said last, oldest first, each answer with its card; `next_cursor` leads further back.
    404 also for a conversation of somebody else. Staff may read any."""
    return service.conversation(database, conversation_id, limit=limit, cursor=cursor)


@router.get(
    "/api/decisions/{trace_id}",
    tags=["chat"],
    summary="What was checked and decided",
    response_model=Decisions,
)
@callable_by(
    PATIENT_OR_STAFF,
    NotFound("There is no such decision.", code="decision_not_found"),
    problem=ChatProblem,
)
def decisions(
    trace_id: Annotated[UUID, Path(examples=["0f8f9a1e-7d7c-4a86-8a06-6d3f6f2f8a51"])],
    database: CallersGateway,
) -> dict[str, Any]:
    """In a turn of the chat or a direct order: every check, its rule and its source, and what came of it."""
    return service.decisions(database, trace_id)


@router.get(
    "/api/admin/decisions",
    tags=["staff: decisions"],
    summary="Search what was checked and decided",
)
@callable_by(STAFF, problem=ChatProblem)
def search_decisions(
    database: CallersGateway,
    patient_id: Annotated[Identifier | None, Query(examples=["PAT012"])] = None,
    order_id: Annotated[Identifier | None, Query(examples=["ORD1042"])] = None,
    outcome: Annotated[Identifier | None, Query(examples=["refused"])] = None,
    code: Annotated[Identifier | None, Query(description="Of a finding", examples=["interaction"])] = None,
    kind: Annotated[Identifier | None, Query(examples=["confirm"])] = None,
    since: Annotated[Day | None, Query(description="This day in UTC and later")] = None,
    until: Annotated[Day | None, Query(description="This day in UTC and earlier")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Decisions on a page")] = 50,
    cursor: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before")
    ] = None,
) -> FoundDecisions:
    """The latest first, of all patients, with what was found; what is left out is not asked for."""
    wanted = DecisionFilter(patient_id, order_id, outcome, code, kind, since, until)
    return service.search_decisions(database, wanted, limit=limit, cursor=cursor)


def chat_problem(request: Request, error: NexusError) -> Response:
    """Every answer of the chat carries a `reply`, also a refusal."""
    return problem_response(request, error, reply=problem_reply(error.status, error.sentence), card_data=None)
