"""Accounts and passwords: Supabase Auth, through the supabase family's own client.

That client remembers whoever signed in on it last, so each call gets a fresh one and only the HTTP
connections underneath are shared. A warm process can never answer one person with another's session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Protocol

import httpx
from supabase_auth import AuthResponse, SyncGoTrueClient
from supabase_auth.errors import (
    AuthApiError,
    AuthError,
    AuthRetryableError,
    AuthUnknownError,
    AuthWeakPasswordError,
)

from shared import deadline
from shared.circuit import Circuit, CircuitOpen
from shared.database import REST_SECONDS
from shared.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    InvalidCredentials,
    InvalidToken,
    NexusError,
    TooManyRequests,
    Unavailable,
)
from shared.identity import Session
from shared.settings import get_settings
from shared.tls import verification


class EmailTaken(Conflict):
    code = "email_taken"
    sentence = "An account with this e-mail already exists."


class EmailNotConfirmed(Forbidden):
    code = "email_not_confirmed"
    sentence = "Please confirm your e-mail address first: we have sent you a link."


class Accounts(Protocol):
    """What a service needs of the auth service. E-mails are lower-case."""

    def sign_up(self, email: str, password: str) -> Session:
        """Raises EmailTaken, EmailNotConfirmed, Invalid, TooManyRequests or Unavailable."""

    def sign_in(self, email: str, password: str) -> Session:
        """Raises InvalidCredentials, EmailNotConfirmed, TooManyRequests or Unavailable."""

    def renew(self, refresh_token: str) -> Session:
        """The next session of the same sign-in. Raises InvalidToken, TooManyRequests or Unavailable."""

    def sign_out(self, access_token: str) -> None:
        """End the sign-in that the token comes from; one that has ended already is no error.

        Its refresh tokens are worthless from then on. Raises TooManyRequests or Unavailable.
        """

    def confirms_emails(self) -> bool:
        """Whether an account works only once its e-mail has been answered. Raises Unavailable."""


class SupabaseAccounts:
    """`Accounts` on Supabase Auth."""

    def __init__(
        self,
        *,
        url: str,
        publishable_key: str,
        timeout_seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = f"{url}/auth/v1"
        self._key = publishable_key
        self.circuit = Circuit("auth", rest_seconds=REST_SECONDS)
        self._http = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(timeout_seconds, connect=min(3.0, timeout_seconds)),
            event_hooks={"request": [deadline.shorten]},
            verify=verification(url),
        )

    def sign_up(self, email: str, password: str) -> Session:
        return self._session(lambda auth: auth.sign_up({"email": email, "password": password}))

    def sign_in(self, email: str, password: str) -> Session:
        return self._session(lambda auth: auth.sign_in_with_password({"email": email, "password": password}))

    def renew(self, refresh_token: str) -> Session:
        try:
            return self._session(lambda auth: auth.refresh_session(refresh_token))
        except NexusError as problem:
            cause = problem.__cause__
            if isinstance(cause, AuthError) and _is_refused(cause):
                raise InvalidToken() from cause
            raise problem if isinstance(problem, TooManyRequests) else _auth_unavailable() from cause

    def sign_out(self, access_token: str) -> None:
        try:
            with self._guarded():
                self._client().admin.sign_out(access_token, "local")
        except AuthError as error:
            problem = _as_nexus_error(error)
            if isinstance(problem, (Unavailable, TooManyRequests)):
                raise problem from error

    def confirms_emails(self) -> bool:
        try:
            with self._guarded():
                answer = self._http.get(f"{self._url}/settings", headers={"apikey": self._key})
                return answer.raise_for_status().json()["mailer_autoconfirm"] is False
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise _auth_unavailable() from error

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Raises Unavailable while Auth is left alone."""
        try:
            with self.circuit.guard(httpx.HTTPError, AuthRetryableError, AuthUnknownError):
                try:
                    yield
                except AuthApiError as error:
                    if error.status < 500:
                        raise
                    raise AuthRetryableError(error.message, error.status) from error
        except CircuitOpen as error:
            raise _auth_unavailable() from error

    def _client(self) -> SyncGoTrueClient:
        return SyncGoTrueClient(
            url=self._url,
            headers={"apikey": self._key},
            http_client=self._http,
            auto_refresh_token=False,
            persist_session=False,
        )

    def _session(self, call: Callable[[SyncGoTrueClient], AuthResponse]) -> Session:
        try:
            with self._guarded():
                answer = call(self._client())
        except AuthError as error:
            raise _as_nexus_error(error) from error
        if answer.session is None:
            # With e-mail confirmation on, a known address is answered like a new one, but without identities.
            known = answer.user is not None and answer.user.identities == []
            raise EmailTaken() if known else EmailNotConfirmed()
        return Session(
            access_token=answer.session.access_token,
            refresh_token=answer.session.refresh_token,
            expires_in=answer.session.expires_in,
        )


@lru_cache(maxsize=1)
def get_accounts() -> SupabaseAccounts:
    settings = get_settings()
    return SupabaseAccounts(
        url=settings.supabase_url,
        publishable_key=settings.supabase_publishable_key,
        timeout_seconds=settings.database_timeout_seconds,
    )


def _as_nexus_error(error: AuthError) -> NexusError:
    status = getattr(error, "status", 500)
    if isinstance(error, AuthWeakPasswordError):
        return Invalid(errors=[FieldError("password", "is too weak: make it longer")])
    if error.code in ("user_already_exists", "email_exists"):
        return EmailTaken()
    if error.code in ("invalid_credentials", "user_banned"):
        return InvalidCredentials()
    if error.code == "email_not_confirmed":
        return EmailNotConfirmed()
    if error.code in ("validation_failed", "email_address_invalid", "email_address_not_authorized"):
        return Invalid(errors=[FieldError("email", "is not an e-mail address we can use")])
    if status == 429:
        return TooManyRequests()
    if isinstance(error, (AuthRetryableError, AuthUnknownError)) or status >= 500:
        return _auth_unavailable()
    return NexusError()


def _is_refused(error: AuthError) -> bool:
    """Whether a refresh token is worthless, as opposed to a request that could not be dealt with.

    A session is ended by the former only. A gateway in front of Auth refuses without a code of Auth's.
    """
    status = getattr(error, "status", 500)
    return status == 400 or (status in (401, 403, 404, 422) and error.code is not None)


def _auth_unavailable() -> Unavailable:
    return Unavailable("Signing in is not available right now.", code="auth_unavailable")
