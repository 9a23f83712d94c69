"""Where a request carries its token: `Authorization: Bearer`, or the HttpOnly cookies set at sign-in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Request, Response

from shared.errors import Forbidden, InvalidToken, Unauthenticated
from shared.identity import Caller, Session, TokenVerifier, get_token_verifier
from shared.settings import Settings, get_settings

PATIENT_COOKIE = "nexus_session"
STAFF_COOKIE = "nexus_staff"

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def maybe_signed_in(
    request: Request,
    verifier: Annotated[TokenVerifier, Depends(get_token_verifier)],
    settings: Annotated[Settings, Depends(get_settings)],
) -> Caller | None:
    """The caller, or None when the request brings no credentials at all.

    Raises InvalidToken for credentials that are present but wrong (a bad bearer token never falls back
    to a cookie), Forbidden for a cookie on a request that may come from a foreign page.
    """
    token: str | None
    via: Literal["bearer", "cookie"]
    if (authorization := request.headers.get("authorization")) is not None:
        via, token = "bearer", _bearer_token(authorization)
    elif (token := _cookie_token(request)) is not None:
        via = "cookie"
        _refuse_foreign_page(request, settings.allowed_origins)
    else:
        return None
    claims = verifier.verify(token)
    return Caller(user_id=claims["sub"], token=token, email=claims.get("email"), via=via)


def signed_in(caller: Annotated[Caller | None, Depends(maybe_signed_in)]) -> Caller:
    """The caller. Raises Unauthenticated for a guest."""
    if caller is None:
        raise Unauthenticated()
    return caller


def set_session_cookie(response: Response, name: str, session: Session, settings: Settings) -> None:
    """Keep a browser signed in as long as the access token is good, out of reach of its scripts."""
    response.set_cookie(
        name,
        session.access_token,
        max_age=session.expires_in,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.deployed,
    )


def _bearer_token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken()
    return token.strip()


def _cookie_token(request: Request) -> str | None:
    names = [PATIENT_COOKIE, STAFF_COOKIE]
    if request.scope["path"].startswith("/api/admin/"):
        names.reverse()
    return next((token for name in names if (token := request.cookies.get(name))), None)


def _refuse_foreign_page(request: Request, allowed_origins: tuple[str, ...]) -> None:
    """A browser attaches cookies for any page that asks, so the page must be one of ours."""
    if request.method in _SAFE_METHODS or request.headers.get("sec-fetch-site") == "same-origin":
        return
    if request.headers.get("origin") not in allowed_origins:
        raise Forbidden("This request did not come from the Nexus website.", code="foreign_origin")
