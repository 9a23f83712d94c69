"""HTTP routes of health: one for load balancers, one for people."""

from __future__ import annotations

from fastapi import APIRouter, Response

from functions.health import service
from functions.health.models import Health, Liveness
from functions.health.queue import queue_probe
from shared.dependencies import CurrentSettings, GuestGateway

router = APIRouter(tags=["health"])


@router.get("/health", summary="Is the API up?")
def liveness() -> Liveness:
    return Liveness()


@router.get("/health/detailed", summary="Are the parts it depends on up?", responses={503: {"model": Health}})
def detailed(response: Response, database: GuestGateway, settings: CurrentSettings) -> Health:
    health = service.health(database, queue_probe(settings))
    if health.status == "down":
        response.status_code = 503
    return health
