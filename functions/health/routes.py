"""HTTP routes of health: for load balancers, for people, and the description of the whole API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from functions.health import service
from functions.health.models import Health, Liveness
from functions.health.parts import part_probes
from shared.dependencies import CurrentSettings, GuestGateway
from shared.errors import Unavailable
from shared.openapi import ANYONE, callable_by

router = APIRouter(tags=["health"])


@router.get("/health", summary="Is the API up?")
@callable_by(ANYONE)
def liveness() -> Liveness:
    """Asks nothing else: for load balancers."""
    return Liveness()


@router.get(
    "/health/detailed",
    summary="Are the parts it depends on up?",
    responses={503: {"model": Health, "description": "The database does not answer"}},
)
@callable_by(ANYONE)
def detailed(response: Response, database: GuestGateway, settings: CurrentSettings) -> Health:
    """Asks the database, Auth, Storage and the queue. `degraded`: not all but the database answers, and
    whoever is signed in can still order.
    """
    health = service.health(database, part_probes(settings))
    if health.status == "down":
        response.status_code = 503
        response.headers["Retry-After"] = Unavailable.headers["Retry-After"]
    return health


@router.get("/openapi.json", summary="This document", response_model=dict[str, Any])
@callable_by(ANYONE)
def openapi_document() -> Response:
    """The API of all functions in OpenAPI 3.1, built together with this version of the code."""
    return Response(
        service.openapi_document(),
        media_type="application/json",
        headers={"Cache-Control": "public, max-age=300"},
    )
