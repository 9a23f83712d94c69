"""HTTP routes of registering, signing in and out: one call each, and the cookies kept or dropped."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from functions.accounts import service, sessions
from functions.accounts.guard import Guard
from functions.accounts.models import (
    Credentials,
    RefreshRequest,
    Registered,
    Registration,
    RenewedSession,
    SignedInPatient,
    SignedInStaff,
    SignedOut,
    SignInProblem,
    StaffCredentials,
)
from functions.accounts.service import RecordExists
from shared.auth import Accounts, EmailNotConfirmed, EmailTaken, get_accounts
from shared.credentials import (
    PATIENT_COOKIE,
    STAFF_COOKIE,
    ForeignPage,
    bearer_token,
    cookie_tokens,
    forget_session,
    keep_session,
    refuse_foreign_page,
    renewed,
)
from shared.dependencies import CurrentSettings, GuestGateway, SharedDatabase
from shared.errors import (
    Forbidden,
    InvalidCredentials,
    InvalidToken,
    NexusError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from shared.http import problem_response
from shared.openapi import ANYONE, callable_by

router = APIRouter()

AccountsGateway = Annotated[Accounts, Depends(get_accounts)]

STAFF_SIGN_IN = "/api/admin/login"


def _sets_cookies(example: str) -> dict[str, Any]:
    return {
        "headers": {
            "Set-Cookie": {
                "description": "The session, out of reach of scripts: two cookies",
                "required": True,
                "schema": {"type": "string", "examples": [example]},
            }
        }
    }


_SESSION_COOKIES = _sets_cookies(
    "nexus_session=eyJhbGciOi...; HttpOnly; Max-Age=3600; Path=/; SameSite=lax; Secure"
)


def _guard(request: Request, database: GuestGateway, settings: CurrentSettings) -> Guard:
    if not settings.accounts_key:
        raise NexusError(code="accounts_key_missing")
    return Guard(
        database=database,
        key=settings.accounts_key.get_secret_value(),
        address=request.client.host if request.client else "",
    )


SignInGuard = Annotated[Guard, Depends(_guard)]


@router.post(
    "/api/auth/register",
    status_code=201,
    tags=["accounts"],
    summary="Register as a patient",
    responses={201: _SESSION_COOKIES},
)
@callable_by(ANYONE, Forbidden, EmailTaken, RecordExists, TooManyRequests, Unavailable)
def register(
    form: Registration,
    request: Request,
    accounts: AccountsGateway,
    database: SharedDatabase,
    guard: SignInGuard,
    settings: CurrentSettings,
) -> Registered:
    """The patient is signed in at once. 409 when there is an account with this e-mail already, or a record of
    the pharmacy's that an unconfirmed e-mail cannot claim."""
    registered, session = service.register(
        accounts, database.acting_as, guard, form, staff_domain=settings.staff_email_domain
    )
    keep_session(request, PATIENT_COOKIE, session, settings)
    return registered


@router.post(
    "/api/auth/login",
    tags=["accounts"],
    summary="Sign in as a patient",
    responses={200: _SESSION_COOKIES},
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
    request: Request,
    accounts: AccountsGateway,
    database: SharedDatabase,
    guard: SignInGuard,
    settings: CurrentSettings,
) -> SignedInPatient:
    """The answer has the tokens, and sets them as HttpOnly cookies. 429 after ten attempts at an account in a
    minute, or ten wrong ones from an address; `Retry-After` says how long."""
    signed_in, session = service.sign_in_patient(accounts, database.acting_as, guard, credentials)
    keep_session(request, PATIENT_COOKIE, session, settings)
    return signed_in


@router.post(
    STAFF_SIGN_IN,
    tags=["accounts"],
    summary="Sign in as staff",
    responses={
        200: _sets_cookies("nexus_staff=eyJhbGciOi...; HttpOnly; Max-Age=3600; Path=/; SameSite=lax; Secure")
    },
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
    request: Request,
    accounts: AccountsGateway,
    database: SharedDatabase,
    guard: SignInGuard,
    settings: CurrentSettings,
) -> SignedInStaff:
    """The answer has the token, and sets it as an HttpOnly cookie. A refusal says `authenticated: false`."""
    signed_in, session = service.sign_in_staff(
        accounts, database.acting_as, guard, credentials, staff_domain=settings.staff_email_domain
    )
    keep_session(request, STAFF_COOKIE, session, settings)
    return signed_in


@router.post("/api/auth/refresh", tags=["accounts"], summary="Get the next access token")
@callable_by(ANYONE, Unauthenticated, InvalidToken, ForeignPage, TooManyRequests, Unavailable)
def refresh(
    request: Request,
    accounts: AccountsGateway,
    settings: CurrentSettings,
    body: RefreshRequest | None = None,
) -> RenewedSession:
    """For who keeps tokens. Browsers need not ask: any request whose cookies have run out renews them."""
    names = (PATIENT_COOKIE, STAFF_COOKIE)
    kept = {name: token for name in names if (token := cookie_tokens(request, name)[1])}
    if sent := body and body.refresh_token:
        session = accounts.renew(sent)
        for name, refresh_token in kept.items():
            if refresh_token == sent:
                keep_session(request, name, session, settings)
    elif kept:
        refuse_foreign_page(request, settings)
        name, refresh_token = next(iter(kept.items()))
        session = renewed(request, name, refresh_token, accounts.renew, settings)
    else:
        raise Unauthenticated()
    return RenewedSession(
        token=session.access_token,
        refresh_token=session.refresh_token if sent else None,
        expires_in=session.expires_in,
    )


@router.post("/api/auth/logout", tags=["accounts"], summary="Sign out")
@callable_by(ANYONE, InvalidToken, ForeignPage, TooManyRequests, Unavailable)
def sign_out(
    request: Request,
    accounts: AccountsGateway,
    settings: CurrentSettings,
    body: RefreshRequest | None = None,
) -> SignedOut:
    """Ends every sign-in that the request brings: the bearer token's, that of a refresh token in the body,
    and those of the cookies, which are removed in any case. Signing out twice is no error. 503 when the
    tokens could not be revoked.
    """
    held = []
    for name in (PATIENT_COOKIE, STAFF_COOKIE):
        if any(tokens := cookie_tokens(request, name)):
            refuse_foreign_page(request, settings)
            forget_session(request, name, settings)
            held.append(sessions.HeldTokens(*tokens))
    if (authorization := request.headers.get("authorization")) is not None:
        held.append(sessions.HeldTokens(access_token=bearer_token(authorization)))
    if body and body.refresh_token:
        held.append(sessions.HeldTokens(refresh_token=body.refresh_token))
    sessions.sign_out(accounts, held)
    return SignedOut()


def account_problem(request: Request, error: NexusError) -> Response:
    """A refused staff sign-in also says so in `authenticated`, which the staff page reads."""
    members = {"authenticated": False} if request.scope["path"] == STAFF_SIGN_IN else {}
    return problem_response(request, error, **members)
