"""HTTP routes of the chat."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from functions.chat import service
from functions.chat.models import ChatMessage, ChatReply, Conversation, Decisions
from functions.chat.replies.render import problem_reply
from functions.chat.state import Message
from functions.chat.tracing import get_sender
from functions.chat.understanding.choosing import get_interpreters
from shared.dependencies import CallersGateway
from shared.errors import NexusError
from shared.http import problem_response

router = APIRouter(tags=["chat"])


@router.post("/api/chat", summary="Say something to the pharmacy agent", response_model=ChatReply)
def chat(body: ChatMessage, database: CallersGateway) -> dict[str, Any]:
    """Understands the message, checks what it asks for and answers with words and a card. An order is placed
    only by an unmistakable "yes" to the card shown last."""
    return service.answer(
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


@router.get("/api/conversations/{conversation_id}", summary="What was said", response_model=Conversation)
def conversation(conversation_id: UUID, database: CallersGateway) -> dict[str, Any]:
    return service.conversation(database, conversation_id)


@router.get("/api/decisions/{trace_id}", summary="What was checked and decided", response_model=Decisions)
def decisions(trace_id: UUID, database: CallersGateway) -> dict[str, Any]:
    return service.decisions(database, trace_id)


def chat_problem(request: Request, error: NexusError) -> Response:
    """Every answer of the chat carries a `reply`, also a refusal."""
    return problem_response(request, error, reply=problem_reply(error.status, error.sentence), card_data=None)
