"""Who is calling: the Supabase access token, verified here and handed on to the database with every call.

A token comes as `Authorization: Bearer`, or in an HttpOnly cookie set at sign-in. Verifying it locally
costs no round trip; the database verifies it once more, so row-level security never depends on this file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal

import jwt
from fastapi import Depends, Request, Response

from shared.errors import Forbidden, InvalidToken, Unauthenticated, Unavailable
from shared.settings import Settings, get_settings

PATIENT_COOKIE = "nexus_session"
STAFF_COOKIE = "nexus_staff"

_AUDIENCE = "authenticated"
_LEEWAY_SECONDS = 10
_SHARED_SECRET_ALGORITHMS = frozenset({"HS256"})
_PUBLIC_KEY_ALGORITHMS = frozenset({"ES256", "RS256"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, patient or staff; which of the two is for the database to say."""

    user_id: str
    token: str = field(repr=False)
    email: str | None = field(default=None, repr=False)
    via: Literal["bearer", "cookie"] = "bearer"


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh sign-in. `expires_in` is in seconds and concerns the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class TokenVerifier:
    """Checks signature, audience, expiry, subject and role of an access token.

    The algorithm decides which key may be used: the shared secret only for HS256, the project's
    published keys only for ES256 and RS256. So a public key can never pass as an HMAC secret, and
    `none` is no algorithm at all.
    """

    def __init__(self, *, secret: str | None, jwks_url: str) -> None:
        self._secret = secret
        # Fetched at the first token, kept for 10 minutes; an unknown key id refreshes it, at most every 30 s.
        self._published_keys = jwt.PyJWKClient(jwks_url, lifespan=600, timeout=3, cooldown_duration=30)

    def verify(self, token: str) -> dict[str, Any]:
        """The token's claims. Raises InvalidToken, or Unavailable when the keys cannot be fetched."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_for(algorithm, header.get("kid")),
                algorithms=[algorithm],
                audience=_AUDIENCE,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("Signing in is not available right now.", code="auth_unavailable") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken() from error
        if claims.get("role") != "authenticated" or not claims["sub"]:
            raise InvalidToken()
        return claims

    def _key_for(self, algorithm: str, key_id: object) -> Any:
        if algorithm in _SHARED_SECRET_ALGORITHMS and self._secret:
            return self._secret
        if algorithm in _PUBLIC_KEY_ALGORITHMS and isinstance(key_id, str):
            key = self._published_keys.get_signing_key(key_id)
            if key.algorithm_name == algorithm:
                return key.key
        raise jwt.InvalidAlgorithmError


@lru_cache(maxsize=1)
def get_token_verifier() -> TokenVerifier:
    settings = get_settings()
    secret = settings.supabase_jwt_secret
    return TokenVerifier(
        secret=secret.get_secret_value() if secret else None,
        jwks_url=f"{settings.supabase_url}/auth/v1/.well-known/jwks.json",
    )


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
    if request.url.path.startswith("/api/admin/"):
        names.reverse()
    return next((token for name in names if (token := request.cookies.get(name))), None)


def _refuse_foreign_page(request: Request, allowed_origins: tuple[str, ...]) -> None:
    """A browser attaches cookies for any page that asks, so the page must be one of ours."""
    if request.method in _SAFE_METHODS or request.headers.get("sec-fetch-site") == "same-origin":
        return
    if request.headers.get("origin") not in allowed_origins:
        raise Forbidden("This request did not come from the Nexus website.", code="foreign_origin")
