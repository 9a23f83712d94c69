"""The route the warehouse partner reports to."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools import Logger
from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError

from functions.webhooks import service
from functions.webhooks.models import FulfilmentEvent, Receipt, event_schema
from functions.webhooks.settings import get_webhook_settings, partner_signatures
from shared.database import Gateway
from shared.dependencies import WakeDispatcher
from shared.errors import BadRequest, Conflict, NotFound
from shared.metrics import count
from shared.observability import make_logger
from shared.openapi import PARTNER, callable_by
from shared.service import service_gateway
from shared.webhooks import ID_LENGTH, BadSignature, Signatures

router = APIRouter()

BODY_LIMIT = 32 * 1024
"""Bytes. An event has a few hundred."""


async def raw_body(request: Request) -> bytes:
    """What was signed: these bytes, not what they mean."""
    return await request.body()


def _logger() -> Logger:
    return make_logger("webhooks", get_webhook_settings().log_level)


@router.post(
    "/api/webhooks/fulfillment",
    tags=["webhooks"],
    summary="The warehouse reports on an order",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": event_schema()}},
        }
    },
)
@callable_by(
    PARTNER,
    BadSignature,
    NotFound("There is no such order.", code="order_not_found"),
    Conflict("This webhook-id has come before, with another content.", code="webhook_id_reused"),
    Conflict("This webhook is just being recorded.", code="webhook_in_progress"),
)
def fulfilment_updated(
    request: Request,
    body: Annotated[bytes, Depends(raw_body)],
    signatures: Annotated[Signatures, Depends(partner_signatures)],
    database: Annotated[Gateway, Depends(service_gateway)],
    wake: WakeDispatcher,
    logger: Annotated[Logger, Depends(_logger)],
) -> Receipt:
    """Signed as Standard Webhooks says, with a clock at most five minutes from ours.

    2xx once it is recorded, also for a repetition; a late or out-of-order event is recorded and moves nothing
    backwards. 400 for what is no such event, 401 for a signature that is missing, wrong or old, 404 for an
    order that we do not have, 409 for an id that came before with other content.
    """
    webhook_id = signatures.verify(request.headers, body)
    if len(webhook_id) > ID_LENGTH:
        raise BadRequest("The webhook-id is too long.", code="malformed_event")
    try:
        event = FulfilmentEvent.model_validate_json(body)
    except ValidationError:
        raise BadRequest("This is not a fulfilment event.", code="malformed_event") from None
    receipt, outcome = service.receive(database, webhook_id, event)
    logger.info(
        "fulfilment",
        extra={"order_id": event.data.order_id, "event_status": event.data.status, "outcome": outcome},
    )
    if outcome == "conflict":
        count("webhooks", "FulfilmentConflict")
    wake()
    return receipt
