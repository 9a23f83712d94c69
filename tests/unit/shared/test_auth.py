"""How signing up and in speak to Supabase Auth, and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.auth import EmailNotConfirmed, EmailTaken, SupabaseAccounts
from shared.errors import Invalid, InvalidCredentials, NexusError, TooManyRequests, Unavailable

USER = {
    "id": "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11",
    "aud": "authenticated",
    "role": "authenticated",
    "email": "anjali@example.com",
    "app_metadata": {},
    "user_metadata": {},
    "created_at": "2026-01-01T00:00:00Z",
    "identities": [],
}
SESSION = {
    "access_token": "access",
    "refresh_token": "refresh",
    "token_type": "bearer",
    "expires_in": 3600,
    "user": {**USER, "identities": None},
}


def accounts(answer: Callable[[httpx.Request], httpx.Response]) -> SupabaseAccounts:
    return SupabaseAccounts(
        url="https://project.example",
        publishable_key="sb_publishable_test",
        timeout_seconds=2,
        transport=httpx.MockTransport(answer),
    )


def answering(status: int, body: Any) -> SupabaseAccounts:
    return accounts(lambda _: httpx.Response(status, json=body))


def test_signing_in_gives_a_session() -> None:
    session = answering(200, SESSION).sign_in("anjali@example.com", "secret-1")

    assert (session.access_token, session.refresh_token, session.expires_in) == ("access", "refresh", 3600)
    assert "access" not in repr(session).replace("expires_in", "")


def test_nobodys_token_is_left_for_the_next_person() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        assert json.loads(request.content)["email"]
        return httpx.Response(200, json=SESSION)

    shared = accounts(answer)
    shared.sign_in("anjali@example.com", "secret-1")
    shared.sign_in("rahul@example.com", "secret-2")
    shared.sign_up("new@example.com", "secret-3")

    assert seen == [None, None, None]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error_code": "invalid_credentials", "msg": "Invalid login credentials"}, InvalidCredentials),
        (400, {"error_code": "email_not_confirmed", "msg": "Email not confirmed"}, EmailNotConfirmed),
        (422, {"error_code": "user_already_exists", "msg": "User already registered"}, EmailTaken),
        (
            422,
            {"error_code": "weak_password", "msg": "weak", "weak_password": {"reasons": ["length"]}},
            Invalid,
        ),
        (400, {"error_code": "validation_failed", "msg": "invalid format"}, Invalid),
        (429, {"error_code": "over_request_rate_limit", "msg": "slow down"}, TooManyRequests),
        (500, {"error_code": "unexpected_failure", "msg": "panic"}, Unavailable),
        (503, {"message": "no healthy upstream"}, Unavailable),
        (502, "not even an object", Unavailable),
        (401, {"message": "Invalid API key"}, NexusError),
    ],
)
def test_refusals_get_their_meaning(status: int, body: Any, kind: type[NexusError]) -> None:
    with pytest.raises(NexusError) as raised:
        answering(status, body).sign_up("anjali@example.com", "secret-1")

    assert type(raised.value) is kind


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
def test_an_unreachable_auth_service_is_503(failure: httpx.HTTPError) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(Unavailable) as raised:
        accounts(answer).sign_in("anjali@example.com", "secret-1")

    assert raised.value.code == "auth_unavailable"


def test_where_addresses_must_be_confirmed_a_new_account_waits_for_it() -> None:
    new = {
        **USER,
        "identities": [
            {
                "id": "1",
                "identity_id": "1",
                "user_id": "1",
                "identity_data": {},
                "provider": "email",
                "created_at": "2026-01-01T00:00:00Z",
            }
        ],
    }

    with pytest.raises(EmailNotConfirmed):
        answering(200, new).sign_up("anjali@example.com", "secret-1")


def test_where_addresses_must_be_confirmed_a_known_one_looks_new_but_is_not() -> None:
    with pytest.raises(EmailTaken):
        answering(200, USER).sign_up("anjali@example.com", "secret-1")
