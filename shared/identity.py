"""Who is calling: the Supabase access token, verified here and handed on to the database with every call.

Verifying locally costs no round trip; the database verifies the token once more, so row-level security never
depends on this file.
"""

from __future__ import annotations

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
