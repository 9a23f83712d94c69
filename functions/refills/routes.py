"""HTTP routes of refills: a patient's own, and the alerts of the staff."""

from __future__ import annotations

import time
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Path, Query, Request, Response

from functions.refills import service
from functions.refills.models import (
    Discontinued,
    DiscontinueRequest,
    Dismissal,
    RefillAlert,
    RefillList,
    RefusalProblem,
    ReorderCard,
    ReorderRequest,
    ScanReport,
    Snooze,
)
from shared.dependencies import CallersGateway, IdempotencyKey, PatientId
from shared.errors import Conflict, Invalid, NotFound
from shared.openapi import (
    IDEMPOTENCY_KEY_REUSED,
    PATIENT,
    PATIENT_OR_STAFF,
    REQUEST_IN_PROGRESS,
    STAFF,
    callable_by,
)
from shared.text import Identifier

router = APIRouter()

ALERT_LIST = "/api/admin/refill-alerts"
SCAN_SECONDS = 25
"""What is left of the gateway's 30 seconds for a scan by hand."""

AlertId = Annotated[int, Path(ge=1, le=2**53, examples=[17])]

_EVERYTHING_DUE = ReorderRequest()

_NO_SUCH_PATIENT = NotFound("There is no such patient.", code="patient_not_found")
_NOT_A_REFILL = NotFound("This is none of the medicines that are taken regularly.", code="not_a_refill")
_NO_SUCH_ALERT = NotFound("There is no such alert.", code="alert_not_found")
_ALERT_CLOSED = Conflict("The alert is already closed.", code="alert_closed")


@router.get("/api/refills", tags=["refills"], summary="What I take regularly, and when it runs out")
@callable_by(PATIENT)
def list_refills(database: CallersGateway) -> RefillList:
    """With what ordering it again would be, and the share of days on which there was supply."""
    return service.list_refills(database)


@router.get(
    "/api/patients/{patient_id}/refills",
    tags=["refills"],
    summary="What a patient takes regularly, and when it runs out",
)
@callable_by(PATIENT_OR_STAFF, _NO_SUCH_PATIENT)
def list_refills_of(patient_id: PatientId, database: CallersGateway) -> RefillList:
    """The same for staff, of any patient."""
    return service.list_refills(database, patient_id)


@router.post("/api/refills/reorder", status_code=201, tags=["refills"], summary="Order it again")
@callable_by(
    PATIENT_OR_STAFF,
    _NOT_A_REFILL,
    NotFound("Nothing runs out soon.", code="nothing_to_refill"),
    _NO_SUCH_PATIENT,
    Conflict("There is not enough in stock.", code="out_of_stock"),
    REQUEST_IN_PROGRESS,
    Invalid("This cannot be ordered.", code="refused"),
    IDEMPOTENCY_KEY_REUSED,
    problem=RefusalProblem,
)
def reorder(
    database: CallersGateway,
    body: Annotated[ReorderRequest, Body()] = _EVERYTHING_DUE,
    idempotency_key: IdempotencyKey = None,
) -> ReorderCard:
    """A verified proposal of what is asked for, or of everything that is due; nothing is ordered yet.

    It is ordered with POST /api/orders {proposal_id, digest}. 409 and 422 say why not in `rejected_items`.
    """
    return service.reorder(database, body, idempotency_key=idempotency_key)


@router.post("/api/refills/discontinue", tags=["refills"], summary="Say that it is not taken any more")
@callable_by(PATIENT_OR_STAFF, _NOT_A_REFILL, _NO_SUCH_PATIENT)
def discontinue(body: DiscontinueRequest, database: CallersGateway) -> Discontinued:
    """No more reminders of it, under whichever brand, until it is bought or prescribed again."""
    return service.discontinue(database, body)


@router.get(ALERT_LIST, tags=["staff: refills"], summary="Medicines that run out, the most urgent first")
@callable_by(STAFF)
def list_alerts(
    request: Request,
    response: Response,
    database: CallersGateway,
    status: Annotated[
        Literal["open", "snoozed", "closed", "all"], Query(description="`open` leaves out what is put off")
    ] = "open",
    patient_id: Annotated[Identifier | None, Query(description="Only this patient's")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Alerts on a page")] = 200,
    cursor: Annotated[int | None, Query(ge=1, le=2**53, description="From the `Link` header")] = None,
) -> list[RefillAlert]:
    """A bare array of at most `limit` alerts. When there are more, the `Link` header has the next page."""
    page = service.list_alerts(database, status=status, patient_id=patient_id, limit=limit, cursor=cursor)
    if page.next_cursor is not None:
        query = urlencode({**request.query_params, "cursor": page.next_cursor})
        response.headers["Link"] = f'<{ALERT_LIST}?{query}>; rel="next"'
    return page.alerts


@router.post(ALERT_LIST + "/{alert_id}/snooze", tags=["staff: refills"], summary="Put an alert off")
@callable_by(STAFF, _NO_SUCH_ALERT, _ALERT_CLOSED, Invalid("Within 90 days.", code="invalid_date"))
def snooze(alert_id: AlertId, body: Snooze, database: CallersGateway) -> RefillAlert:
    """Until that day it is in nobody's way and no reminder is sent."""
    return service.decide(database, alert_id, {"decision": "snooze", **body.model_dump(mode="json")})


@router.post(ALERT_LIST + "/{alert_id}/dismiss", tags=["staff: refills"], summary="End an alert")
@callable_by(STAFF, _NO_SUCH_ALERT, _ALERT_CLOSED)
def dismiss(alert_id: AlertId, body: Dismissal, database: CallersGateway) -> RefillAlert:
    """For this run-out date; with `discontinued`, the medicine is not reminded of any more."""
    return service.decide(database, alert_id, {"decision": "dismiss", **body.model_dump(mode="json")})


@router.post("/api/admin/trigger-refill-scan", tags=["staff: refills"], summary="Scan all patients now")
@callable_by(STAFF)
def trigger_scan(database: CallersGateway) -> ScanReport:
    """Joins a scan that is under way. Scanning again creates nothing that is there already."""
    ends = time.monotonic() + SCAN_SECONDS
    return service.trigger_scan(database, seconds_left=lambda: ends - time.monotonic())
