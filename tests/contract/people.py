"""Who calls in the tests of the contract: every role, a stranger, and tokens that are nobody's."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import psycopg

from tests.integration.ordering import ADMIN, PHARMACIST
from tests.running_stack import RunningStack

Json = dict[str, Any]


@dataclass(frozen=True)
class Newcomer:
    """A patient registered for one test, whose profile is complete enough to order."""

    patient_id: str
    email: str
    token: str


def newcomer(stack: RunningStack) -> Newcomer:
    form = {
        "name": "Kavita Joshi",
        "email": f"kavita.{secrets.token_hex(6)}@example.com",
        "phone": "+919812345678",
        "password": "monsoon-7",
        "age": 34,
        "allergies": [],
    }
    with stack.api() as api:
        answer = api.post("/api/auth/register", json=form)
    assert answer.status_code == 201, answer.text
    registered = answer.json()
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute(
            "update public.patients set conditions = '{}' where patient_id = %s", [registered["patient_id"]]
        )
    return Newcomer(registered["patient_id"], str(form["email"]), registered["token"])


def stranger_token(stack: RunningStack) -> str:
    """Of an account that is neither a patient nor staff: somebody who signed up past our registration."""
    answer = httpx.post(
        f"{stack.supabase_url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        json={"email": f"stranger.{secrets.token_hex(6)}@example.com", "password": "monsoon-7"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def staff_tokens(stack: RunningStack) -> dict[str, str]:
    return {"pharmacist": stack.staff_token(*PHARMACIST), "admin": stack.staff_token(*ADMIN)}


def bad_tokens(stack: RunningStack, good: str) -> dict[str, str]:
    """Tokens made of a good one that must open nothing."""
    claims = jwt.decode(good, options={"verify_signature": False})
    header, payload, signature = good.split(".")

    def signed(secret: str = stack.jwt_secret, algorithm: str = "HS256", **changes: Any) -> str:
        kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(kept, secret, algorithm=algorithm)

    def unsigned(algorithm: str) -> str:
        return f"{_segment({'alg': algorithm, 'typ': 'JWT'})}.{payload}."

    return {
        "expired": signed(exp=int(time.time()) - 60),
        "forged": signed(secret="a-secret-that-is-not-the-projects-own"),
        "another algorithm": signed(secret=stack.jwt_secret * 2, algorithm="HS512"),
        "alg none": unsigned("none"),
        "alg None": unsigned("None"),
        "no signature": f"{header}.{payload}.",
        "another's signature": f"{header}.{_segment({**claims, 'sub': 'somebody'})}.{signature}",
        "another audience": signed(aud="anon"),
        "the anonymous role": signed(role="anon"),
        "the service role": signed(role="service_role"),
        "no role": signed(role=None),
        "no expiry": signed(exp=None),
        "nobody": signed(sub=None),
        "the publishable key": stack.publishable_key,
        "the secret key": stack.secret_key,
        "a word": "garbage",
    }


def _segment(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
