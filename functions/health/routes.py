"""HTTP routes of health: for load balancers, for people, and the description of the whole API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from functions.health import service
from functions.health.models import Health, Liveness, OutboxPage, ServiceOverview
from functions.health.parts import part_probes
from shared.dependencies import CallersGateway, CurrentSettings, GuestGateway
from shared.errors import Unavailable
from shared.openapi import ANYONE, STAFF, callable_by

router = APIRouter()


@router.get("/health", tags=["health"], summary="Is the API up?")
@callable_by(ANYONE)
def liveness() -> Liveness:
    """Asks nothing else: for load balancers."""
    return Liveness()


@router.get(
    "/health/detailed",
    tags=["health"],
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


@router.get("/openapi.json", tags=["health"], summary="This document", response_model=dict[str, Any])
@callable_by(ANYONE)
def openapi_document() -> Response:
    """The API of all functions in OpenAPI 3.1, built together with this version of the code."""
    return Response(
        service.openapi_document(),
        media_type="application/json",
        headers={"Cache-Control": "public, max-age=300"},
    )


@router.get("/api/admin/service", tags=["staff: service"], summary="How the service has been doing")
@callable_by(STAFF)
def service_overview(
    database: CallersGateway,
    hours: Annotated[int, Query(ge=1, le=168, description="So many hours back, this one included")] = 24,
) -> ServiceOverview:
    """Decisions hour by hour, findings by code, the outbox, messages to patients, reports of the partner."""
    return service.overview(database, hours)


@router.get("/api/admin/outbox", tags=["staff: service"], summary="Events of the outbox")
@callable_by(STAFF)
def list_outbox(
    database: CallersGateway,
    state: Annotated[
        Literal["waiting", "delivered", "dead", "annulled"] | None, Query(description="All, when left out")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Events on a page")] = 50,
    cursor: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before")
    ] = None,
) -> OutboxPage:
    """The latest first, without what is in them. Dead ones are delivered after all by `make redrive`."""
    return service.outbox(database, state, limit=limit, cursor=cursor)
