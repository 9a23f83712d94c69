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
    StaffCredentials,
)
from shared.auth import Accounts, get_accounts
from shared.credentials import PATIENT_COOKIE, STAFF_COOKIE, set_session_cookie
from shared.dependencies import CallersGateway, CurrentSettings, SharedDatabase
from shared.errors import NexusError
from shared.http import problem_response
from shared.text import Identifier

router = APIRouter()

AccountsGateway = Annotated[Accounts, Depends(get_accounts)]

STAFF_SIGN_IN = "/api/admin/login"


@router.post("/api/auth/register", status_code=201, tags=["accounts"], summary="Register as a patient")
def register(
    form: Registration,
    response: Response,
    accounts: AccountsGateway,
    database: SharedDatabase,
    settings: CurrentSettings,
) -> Registered:
    registered, session = service.register(
        accounts, database.acting_as, form, staff_domain=settings.staff_email_domain
    )
    set_session_cookie(response, PATIENT_COOKIE, session, settings)
    return registered


@router.post("/api/auth/login", tags=["accounts"], summary="Sign in as a patient")
def sign_in_patient(
    credentials: Credentials,
    response: Response,
    accounts: AccountsGateway,
    database: SharedDatabase,
    settings: CurrentSettings,
) -> SignedInPatient:
    signed_in, session = service.sign_in_patient(accounts, database.acting_as, credentials)
    set_session_cookie(response, PATIENT_COOKIE, session, settings)
    return signed_in


@router.post(STAFF_SIGN_IN, tags=["accounts"], summary="Sign in as staff")
def sign_in_staff(
    credentials: StaffCredentials,
    response: Response,
    accounts: AccountsGateway,
    database: SharedDatabase,
    settings: CurrentSettings,
) -> SignedInStaff:
    signed_in, session = service.sign_in_staff(
        accounts, database.acting_as, credentials, staff_domain=settings.staff_email_domain
    )
    set_session_cookie(response, STAFF_COOKIE, session, settings)
    return signed_in


@router.get("/api/patients/me", tags=["patients"], summary="My profile")
def my_profile(database: CallersGateway) -> Patient:
    return service.profile(database)


@router.get(
    "/api/patients/{patient_id}",
    tags=["patients"],
    summary="A patient's profile: one's own, or any for staff",
)
def patient_profile(patient_id: Identifier, database: CallersGateway) -> Patient:
    return service.profile(database, patient_id)


def account_problem(request: Request, error: NexusError) -> Response:
    """A refused staff sign-in also says so in `authenticated`, which the staff page reads."""
    members = {"authenticated": False} if request.scope["path"] == STAFF_SIGN_IN else {}
    return problem_response(request, error, **members)
