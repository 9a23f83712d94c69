"""Who is calling: the Supabase access token, verified here and handed on to the database with every call.

Verifying locally costs no round trip; the database verifies the token once more, so row-level security never
depends on this file.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import jwt

from shared.errors import InvalidToken, Unavailable
from shared.settings import get_settings

_AUDIENCE = "authenticated"
_LEEWAY_SECONDS = 10
_SHARED_SECRET_ALGORITHMS = frozenset({"HS256"})
_PUBLIC_KEY_ALGORITHMS = frozenset({"ES256", "RS256"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, patient or staff; which of the two is for the database to say."""

    user_id: str
    token: str = field(repr=False)
    email: str | None = field(default=None, repr=False)
    via: Literal["bearer", "cookie", "demo"] = "bearer"


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh sign-in. `expires_in` is in seconds and concerns the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class PublishedKeys(jwt.PyJWKClient):
    """The project's public keys. Fetched at the first token, kept for 10 minutes; an unknown key id fetches
    them again, at most every 30 seconds.

    While they cannot be fetched, those known so far go on counting. A fetch that failed is repeated after 5
    seconds at the soonest, so that a flood of tokens is no flood of requests.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, lifespan=600, timeout=3, cooldown_duration=30)
        self._known: Any = None
        self._failure: tuple[type[jwt.PyJWTError], str] | None = None
        self._rests_until = 0.0

    def fetch_data(self) -> Any:
        """Raises PyJWKClientConnectionError, or PyJWKSetError when the project has published none."""
        if self._failure is None or time.monotonic() >= self._rests_until:
            self._try_to_fetch()
        if self._failure is None or self._known is not None:
            return self._known
        kind, message = self._failure
        raise kind(message)

    def get_signing_key(self, kid: str) -> jwt.PyJWK:
        """Raises PyJWKClientError for a key nobody published, and as `fetch_data`."""
        try:
            return super().get_signing_key(kid)
        except jwt.PyJWKClientError as error:
            if self._failure is None:
                raise
            raise jwt.PyJWKClientConnectionError("it may be a new key") from error

    def _try_to_fetch(self) -> None:
        try:
            self._known = super().fetch_data()
        except jwt.PyJWKSetError as error:
            self._known, self._failure = None, (jwt.PyJWKSetError, str(error))
        except (jwt.PyJWKClientError, ValueError, RecursionError) as error:  # nobody there, or something else
            self._failure = (jwt.PyJWKClientConnectionError, str(error))
        else:
            self._failure = None
        self._rests_until = time.monotonic() + 5


class TokenVerifier:
    """Checks signature, audience, expiry, subject and role of an access token.

    The algorithm decides which key may be used: the shared secret only for HS256, the project's
    published keys only for ES256 and RS256. So a public key can never pass as an HMAC secret, and
    `none` is no algorithm at all.
    """

    def __init__(self, *, secret: str | None, jwks_url: str) -> None:
        self._secret = secret
        self._published_keys = PublishedKeys(jwks_url)

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
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
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
