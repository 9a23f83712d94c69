"""HTTP routes of accounts: read the request, make one call, set the cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from functions.accounts import service
from functions.accounts.models import (
    Credentials,
    Patient,
    Registered,
    Registration,
    SignedInPatient,
    SignedInStaff,
    SignInProblem,
    StaffCredentials,
)
from shared.auth import Accounts, EmailNotConfirmed, EmailTaken, get_accounts
from shared.credentials import PATIENT_COOKIE, STAFF_COOKIE, set_session_cookie
from shared.dependencies import CallersGateway, CurrentSettings, PatientId, SharedDatabase
from shared.errors import Forbidden, InvalidCredentials, NexusError, NotFound, TooManyRequests, Unavailable
from shared.http import problem_response
from shared.openapi import ANYONE, PATIENT, PATIENT_OR_STAFF, callable_by

router = APIRouter()

AccountsGateway = Annotated[Accounts, Depends(get_accounts)]

STAFF_SIGN_IN = "/api/admin/login"

_SESSION_COOKIE = {
    "Set-Cookie": {
        "description": "The session, out of reach of scripts",
        "required": True,
        "schema": {
            "type": "string",
            "examples": ["nexus_session=eyJhbGciOi...; HttpOnly; Max-Age=3600; Path=/; SameSite=lax; Secure"],
        },
    }
}


@router.post(
    "/api/auth/register",
    status_code=201,
    tags=["accounts"],
    summary="Register as a patient",
    responses={201: {"headers": _SESSION_COOKIE}},
)
@callable_by(ANYONE, Forbidden, EmailTaken, TooManyRequests, Unavailable)
def register(
    form: Registration,
    response: Response,
    accounts: AccountsGateway,
    database: SharedDatabase,
    settings: CurrentSettings,
) -> Registered:
    """The patient is signed in at once. 409 when there is an account with this e-mail already."""
    registered, session = service.register(
        accounts, database.acting_as, form, staff_domain=settings.staff_email_domain
    )
    set_session_cookie(response, PATIENT_COOKIE, session, settings)
    return registered


@router.post(
    "/api/auth/login",
    tags=["accounts"],
    summary="Sign in as a patient",
    responses={200: {"headers": _SESSION_COOKIE}},
)
@callable_by(
    ANYONE,
    InvalidCredentials,
    EmailNotConfirmed,
    Forbidden("This is a staff account. Please use the staff sign-in.", code="staff_account"),
    Forbidden("Your registration is not finished. Please register again.", code="not_registered"),
    TooManyRequests,
    Unavailable,
)
def sign_in_patient(
    credentials: Credentials,
    response: Response,
    accounts: AccountsGateway,
    database: SharedDatabase,
    settings: CurrentSettings,
) -> SignedInPatient:
    """The answer has the token, and sets it as an HttpOnly cookie."""
    signed_in, session = service.sign_in_patient(accounts, database.acting_as, credentials)
    set_session_cookie(response, PATIENT_COOKIE, session, settings)
    return signed_in


@router.post(
    STAFF_SIGN_IN,
    tags=["accounts"],
    summary="Sign in as staff",
    responses={200: {"headers": _SESSION_COOKIE}},
)
@callable_by(
    ANYONE,
    InvalidCredentials,
    Forbidden("This account is not a staff account.", code="not_staff"),
    TooManyRequests,
    Unavailable,
    problem=SignInProblem,
)
def sign_in_staff(
    credentials: StaffCredentials,
    response: Response,
    accounts: AccountsGateway,
    database: SharedDatabase,
    settings: CurrentSettings,
) -> SignedInStaff:
    """The answer has the token, and sets it as an HttpOnly cookie. A refusal says `authenticated: false`."""
    signed_in, session = service.sign_in_staff(
        accounts, database.acting_as, credentials, staff_domain=settings.staff_email_domain
    )
    set_session_cookie(response, STAFF_COOKIE, session, settings)
    return signed_in


@router.get("/api/patients/me", tags=["patients"], summary="My profile")
@callable_by(PATIENT)
def my_profile(database: CallersGateway) -> Patient:
    """`allergies` and `conditions` are null until they were asked for, and empty when there are none."""
    return service.profile(database)


@router.get(
    "/api/patients/{patient_id}",
    tags=["patients"],
    summary="A patient's profile: one's own, or any for staff",
)
@callable_by(PATIENT_OR_STAFF, NotFound("There is no such patient.", code="patient_not_found"))
def patient_profile(patient_id: PatientId, database: CallersGateway) -> Patient:
    """403 for another patient's, whether there is one or not; 404 is told to staff only."""
    return service.profile(database, patient_id)


def account_problem(request: Request, error: NexusError) -> Response:
    """A refused staff sign-in also says so in `authenticated`, which the staff page reads."""
    members = {"authenticated": False} if request.scope["path"] == STAFF_SIGN_IN else {}
    return problem_response(request, error, **members)
