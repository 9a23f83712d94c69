"""Stand-ins for what lies beyond a function: the database, the auth service, API Gateway, a signed token."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import jwt
from fastapi import FastAPI
from fastapi.testclient import TestClient

from shared.auth import EmailTaken, get_accounts
from shared.credentials import get_renewal
from shared.database import Gateway, get_database
from shared.errors import Forbidden, InvalidCredentials, InvalidToken
from shared.identity import Session, TokenVerifier, get_token_verifier
from shared.settings import Settings, get_settings

SECRET = "unit-test-secret-of-32-characters"
FRONTEND = "http://localhost:3001"
USER_ID = "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11"


def settings(**changes: Any) -> Settings:
    """A laptop's settings, whatever the environment says."""
    values = {
        "stage": "local",
        "supabase_url": "http://127.0.0.1:9",
        "supabase_publishable_key": "sb_publishable_test",
        "supabase_jwt_secret": SECRET,
        "allowed_origins": (FRONTEND,),
        "staff_email_domain": "staff.nexus.example",
        "accounts_key": "the-accounts-key",
    }
    return Settings.model_validate({**values, **changes})


def token_for(user_id: str = USER_ID, *, secret: str = SECRET, **claims: Any) -> str:
    """An access token as Supabase issues it; a claim given as None is left out."""
    issued = int(time.time())
    usual = {
        "sub": user_id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": "anjali@example.com",
        "iat": issued,
        "exp": issued + 3600,
    }
    kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return jwt.encode(kept, secret, algorithm="HS256")


def bearer(token: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token or token_for()}"}


class FakeGateway:
    """Answers `rpc` from a table: a value, or an exception to raise. Remembers what was asked."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        self.calls.append((name, dict(arguments or {})))
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeDatabase:
    """One gateway for everyone; remembers as whom it was used (None: as a guest)."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.tokens: list[str | None] = []

    def acting_as(self, token: str) -> Gateway:
        self.tokens.append(token)
        return self.gateway

    def acting_as_guest(self) -> Gateway:
        self.tokens.append(None)
        return self.gateway


class FakePharmacy:
    """Auth service and patients table in one, small enough to see through: who exists with which password.

    It is `Accounts`, and for whoever is signed in (`acting_as`) the RPCs of the accounts function.
    """

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.patients: dict[str, dict[str, Any]] = {}
        self.staff: dict[str, dict[str, str]] = {}
        self.next_rpc_fails_with: Exception | None = None
        self.unclaimed: set[str] = set()
        self.confirming = False
        self.signed_out: list[str] = []
        self.refresh_tokens: dict[str, str] = {}
        self.guest = FakeGateway({"take_sign_in": None, "return_sign_in": None})

    def sign_up(self, email: str, password: str) -> Session:
        if email in self.passwords:
            raise EmailTaken()
        self.passwords[email] = password
        return self._session(email)

    def sign_in(self, email: str, password: str) -> Session:
        if self.passwords.get(email) != password:
            raise InvalidCredentials()
        return self._session(email)

    def renew(self, refresh_token: str) -> Session:
        email = self.refresh_tokens.pop(refresh_token, None)
        if email is None:
            raise InvalidToken()
        return self._session(email)

    def sign_out(self, access_token: str) -> None:
        self.signed_out.append(access_token)

    def confirms_emails(self) -> bool:
        return self.confirming

    def acting_as_guest(self) -> Gateway:
        self.guest.answers["has_unclaimed_record"] = bool(self.unclaimed)
        return self.guest

    def acting_as(self, token: str) -> Gateway:
        email = jwt.decode(token, options={"verify_signature": False})["email"]
        return _PersonsGateway(self, email)

    def _session(self, email: str) -> Session:
        refresh_token = f"refresh-{secrets.token_hex(4)}"
        self.refresh_tokens[refresh_token] = email
        return Session(access_token=token_for(email=email), refresh_token=refresh_token, expires_in=3600)


class _PersonsGateway:
    def __init__(self, pharmacy: FakePharmacy, email: str) -> None:
        self._pharmacy = pharmacy
        self._email = email

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        if (failure := self._pharmacy.next_rpc_fails_with) is not None:
            self._pharmacy.next_rpc_fails_with = None
            raise failure
        if name == "staff_profile":
            return self._pharmacy.staff.get(self._email)
        if name == "register_patient":
            self._pharmacy.patients[self._email] = patient(
                f"PAT{len(self._pharmacy.patients) + 1:03}",
                email=self._email,
                name=(arguments or {})["p_name"],
            )
        if self._email not in self._pharmacy.patients:
            raise Forbidden("This account has no patient profile.", code="not_a_patient")
        return self._pharmacy.patients[self._email]


def patient(patient_id: str = "PAT012", **changes: Any) -> dict[str, Any]:
    """A patient as the database returns one."""
    return {
        "patient_id": patient_id,
        "name": "Anjali Mehta",
        "email": "anjali@example.com",
        "phone": "+919876543221",
        "age": 29,
        "gender": "Female",
        "preferred_store": None,
        "allergies": [],
        "conditions": None,
        "preferred_language": "en",
        "prescription_uploaded": False,
        "allergies_to_remove": [],
        **changes,
    }


def client_of(
    app: FastAPI,
    *,
    gateway: Gateway | None = None,
    database: FakeDatabase | None = None,
    pharmacy: FakePharmacy | None = None,
    with_settings: Settings | None = None,
) -> TestClient:
    """A browser in front of an app whose database (and auth service) is a fake."""
    chosen = with_settings or settings()
    behind = (
        database or (FakeDatabase(gateway) if gateway else None) or pharmacy or FakeDatabase(FakeGateway())
    )
    verifier = TokenVerifier(secret=SECRET, jwks_url="http://127.0.0.1:9/jwks")
    app.dependency_overrides = {
        get_settings: lambda: chosen,
        get_database: lambda: behind,
        get_accounts: lambda: pharmacy,
        get_renewal: lambda: pharmacy.renew if pharmacy else _no_renewal,
        get_token_verifier: lambda: verifier,
    }
    return TestClient(app)


def _no_renewal(_: str) -> Session:
    raise InvalidToken()


def gateway_event(
    method: str,
    path: str,
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    cookies: list[str] | None = None,
    query: str = "",
) -> dict[str, Any]:
    """What API Gateway (HTTP API, payload 2.0) hands to a Lambda function."""
    text = body if isinstance(body, str) else json.dumps(body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.nexus.example", "x-forwarded-proto": "https", **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.nexus.example",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
            "timeEpoch": 1763700000000,
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        event["body"] = text
        event["headers"] = {"content-type": "application/json", **event["headers"]}
    if cookies:
        event["cookies"] = cookies
    return event
