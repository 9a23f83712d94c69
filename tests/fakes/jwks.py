"""An Auth service that publishes the keys it signs with, and misbehaves when it is told to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.fakes.serving import Request, serving

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

PATH = "/auth/v1/.well-known/jwks.json"


@dataclass
class FakeJwks:
    """`answers_with` replaces the key set: any bytes, with a status."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    answers_with: tuple[int, bytes] | None = None
    fetched: int = 0

    def answer(self, request: Request) -> None:
        assert request.path == PATH
        self.fetched += 1
        status, body = self.answers_with or (200, json.dumps({"keys": self.keys}).encode())
        request.answer(status, body)

    def publish(self, key_id: str, key: PrivateKey) -> None:
        algorithm = jwt.algorithms.get_default_algorithms()[_algorithm(key)]
        public = {**algorithm.to_jwk(key.public_key(), as_dict=True)}
        self.keys.append({**public, "kid": key_id, "alg": _algorithm(key), "use": "sig"})


@contextmanager
def fake_jwks() -> Iterator[FakeJwks]:
    fake = FakeJwks()
    with serving(fake.answer) as url:
        fake.url = url + PATH
        yield fake


def signed(key: PrivateKey, key_id: str | None, **claims: Any) -> str:
    """An access token as Supabase signs it with a key of its own."""
    usual = {
        "sub": "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11",
        "aud": "authenticated",
        "role": "authenticated",
        "exp": int(time.time()) + 60,
    }
    headers = {"kid": key_id} if key_id else None
    return jwt.encode({**usual, **claims}, key, algorithm=_algorithm(key), headers=headers)


def _algorithm(key: PrivateKey) -> str:
    return "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"
