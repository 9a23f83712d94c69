"""Where a request carries its token: `Authorization: Bearer`, or the HttpOnly cookies set at sign-in.

A sign-in sets two cookies, for the access token and for the refresh token. A browser whose access token has
run out is given the next session with the answer to whatever it asked for: pages know nothing of tokens and
stay signed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import Depends, Request, Response

from shared.demo import demo_caller
from shared.errors import Forbidden, InvalidToken, Unauthenticated, Unavailable
from shared.http import SET_COOKIES
from shared.identity import Caller, Session, TokenVerifier, get_token_verifier
from shared.settings import Settings, get_settings

PATIENT_COOKIE = "nexus_session"
STAFF_COOKIE = "nexus_staff"

_REFRESH = "_refresh"
_REFRESH_SECONDS = {PATIENT_COOKIE: 30 * 24 * 3600, STAFF_COOKIE: 12 * 3600}
"""How long somebody who does not come back stays signed in: at a pharmacy's counter, a shift."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignPage(Forbidden):
    code = "foreign_origin"
    sentence = "This request did not come from the Nexus website."


Renewal = Callable[[str], Session]
"""The next session for a refresh token. Raises InvalidToken, TooManyRequests or Unavailable."""


def get_renewal() -> Renewal:
    def renew(refresh_token: str) -> Session:
        # Imported here: once an hour and person this is needed, at every cold start it would be paid.
        from shared.auth import get_accounts

        return get_accounts().renew(refresh_token)

    return renew


def maybe_signed_in(
    request: Request,
    verifier: Annotated[TokenVerifier, Depends(get_token_verifier)],
    settings: Annotated[Settings, Depends(get_settings)],
    renew: Annotated[Renewal, Depends(get_renewal)],
    demo: Annotated[Caller | None, Depends(demo_caller)],
) -> Caller | None:
    """The caller, or None when the request brings no credentials at all.

    Raises InvalidToken for credentials that are present but wrong (a bad bearer token never falls back
    to a cookie), Forbidden for a cookie on a request that may come from a foreign page.
    """
    if (authorization := request.headers.get("authorization")) is not None:
        return _caller(verifier, bearer_token(authorization), "bearer")
    if (name := _cookie_name(request)) is None:
        return demo
    refuse_foreign_page(request, settings)
    token, refresh_token = cookie_tokens(request, name)
    try:
        return _caller(verifier, token, "cookie")
    except InvalidToken:
        if not refresh_token:
            raise
    session = renewed(request, name, refresh_token, renew, settings)
    try:
        return _caller(verifier, session.access_token, "cookie")
    except InvalidToken as error:
        raise Unavailable("Signing in is not available right now.", code="auth_unavailable") from error


def signed_in(caller: Annotated[Caller | None, Depends(maybe_signed_in)]) -> Caller:
    """The caller. Raises Unauthenticated for a guest."""
    if caller is None:
        raise Unauthenticated()
    return caller


def bearer_token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken()
    return token.strip()


def cookie_tokens(request: Request, name: str) -> tuple[str, str]:
    """(access token, refresh token) of the session kept under a name; empty where there is none."""
    return request.cookies.get(name, ""), request.cookies.get(name + _REFRESH, "")


def keep_session(request: Request, name: str, session: Session, settings: Settings) -> None:
    """Have the answer keep a browser signed in, out of reach of its scripts."""
    _set_cookie(request, name, session.access_token, session.expires_in, settings)
    _set_cookie(request, name + _REFRESH, session.refresh_token, _REFRESH_SECONDS[name], settings)


def forget_session(request: Request, name: str, settings: Settings) -> None:
    """Have the answer remove what `keep_session` set."""
    for cookie in (name, name + _REFRESH):
        _set_cookie(request, cookie, "", 0, settings)


def renewed(request: Request, name: str, refresh_token: str, renew: Renewal, settings: Settings) -> Session:
    """The next session, kept in the browser; one that has ended for good is removed from it.

    Raises InvalidToken, TooManyRequests or Unavailable.
    """
    try:
        session = renew(refresh_token)
    except InvalidToken:
        forget_session(request, name, settings)
        raise
    keep_session(request, name, session, settings)
    return session


def refuse_foreign_page(request: Request, settings: Settings) -> None:
    """A browser attaches cookies for any page that asks, so the page must be one of ours."""
    if request.method in _SAFE_METHODS or request.headers.get("sec-fetch-site") == "same-origin":
        return
    if request.headers.get("origin") not in settings.allowed_origins:
        raise ForeignPage()


def _caller(verifier: TokenVerifier, token: str, via: Literal["bearer", "cookie"]) -> Caller:
    claims = verifier.verify(token)
    return Caller(user_id=claims["sub"], token=token, email=claims.get("email"), via=via)


def _cookie_name(request: Request) -> str | None:
    names = [PATIENT_COOKIE, STAFF_COOKIE]
    if request.scope["path"].startswith("/api/admin/"):
        names.reverse()
    return next((name for name in names if any(cookie_tokens(request, name))), None)


def _set_cookie(request: Request, name: str, value: str, seconds: int, settings: Settings) -> None:
    """Noted beside the answer, not in it: it may be an error, and a renewed session must not be lost."""
    cookie = Response()
    cookie.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=settings.deployed
    )
    request.scope.setdefault(SET_COOKIES, []).append(cookie.headers["set-cookie"])
