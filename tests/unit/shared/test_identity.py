"""Whose request this is: which credentials count, which are refused, and which pages may use a cookie."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi import APIRouter
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from shared.dependencies import MaybeSignedIn, SignedIn
from shared.errors import InvalidToken, Unavailable
from shared.http import create_app
from shared.identity import Caller, TokenVerifier
from tests.unit.shared.fakes import FRONTEND, SECRET, USER_ID, bearer, client_of, token_for

router = APIRouter()


@router.get("/api/me")
@router.post("/api/me")
@router.get("/api/admin/me")
def me(caller: SignedIn) -> dict[str, str]:
    return {"user_id": caller.user_id, "via": caller.via}


@router.get("/api/perhaps")
def perhaps(caller: MaybeSignedIn) -> dict[str, bool]:
    return {"guest": caller is None}


@pytest.fixture
def client() -> TestClient:
    return client_of(create_app("identity", router))


EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def _claims(**changes: Any) -> dict[str, Any]:
    return {
        "sub": USER_ID,
        "aud": "authenticated",
        "role": "authenticated",
        "exp": time.time() + 60,
        **changes,
    }


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _hmac_with_public_key() -> str:
    """The classic confusion: the public key, which everyone knows, used as an HMAC secret."""
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{_segment(_claims())}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        signed.encode(), PUBLIC_PEM
    )
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


BAD_TOKENS = {
    "expired": token_for(exp=int(time.time()) - 60),
    "not valid yet": token_for(nbf=int(time.time()) + 600),
    "signed with another secret": token_for(secret="another-secret-of-32-characters!!"),
    "changed after signing": token_for()[:-4] + "AAAA",
    "alg none": f"{_segment({'alg': 'none'})}.{_segment(_claims())}.",
    "alg none with a signature": f"{_segment({'alg': 'None'})}.{_segment(_claims())}.eA",
    "right secret, other algorithm": jwt.encode(_claims(), SECRET * 2, algorithm="HS512"),
    "HS256 with the public key": _hmac_with_public_key(),
    "signed with a key nobody published": jwt.encode(_claims(), EC_KEY, algorithm="ES256"),
    "another audience": token_for(aud="anon"),
    "no audience": token_for(aud=None),
    "the anonymous role": token_for(role="anon"),
    "the service role": token_for(role="service_role"),
    "no role": token_for(role=None),
    "no subject": token_for(sub=None),
    "an empty subject": token_for(user_id=""),
    "no expiry": token_for(exp=None),
    "three words": "a.b.c",
    "one word": "garbage",
    "a header nested too deep": base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.eA",
    "a secret key of the project": "sb_secret_0123456789",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_bad_token_is_401_and_says_so(client: TestClient, token: str) -> None:
    answer = client.get("/api/me", headers=bearer(token))

    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_token"
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_bad_token_is_no_guest_either(client: TestClient, token: str) -> None:
    assert client.get("/api/perhaps", headers=bearer(token)).status_code == 401


@given(st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=300))
def test_whatever_is_sent_as_a_token_is_401(token: str) -> None:
    verifier = TokenVerifier(secret=SECRET, jwks_url="http://127.0.0.1:9/jwks")
    with pytest.raises(InvalidToken):
        verifier.verify(token)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", token_for()])
def test_an_authorization_header_must_carry_a_bearer_token(client: TestClient, header: str) -> None:
    answer = client.get("/api/me", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_without_credentials_a_route_for_people_is_401(client: TestClient) -> None:
    answer = client.get("/api/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_without_credentials_one_may_be_a_guest(client: TestClient) -> None:
    assert client.get("/api/perhaps").json() == {"guest": True}


def test_a_good_token_is_its_subject(client: TestClient) -> None:
    assert client.get("/api/me", headers=bearer()).json() == {"user_id": USER_ID, "via": "bearer"}


def test_clocks_may_differ_by_a_few_seconds(client: TestClient) -> None:
    assert client.get("/api/me", headers=bearer(token_for(exp=int(time.time()) - 3))).status_code == 200


def test_a_caller_can_be_logged_without_the_token() -> None:
    assert "secret-token" not in repr(Caller("u", "secret-token", "a@example.com"))


# --- cookies -------------------------------


def test_the_session_cookie_signs_in(client: TestClient) -> None:
    client.cookies.set("nexus_session", token_for())

    assert client.get("/api/me").json()["via"] == "cookie"


def test_a_bad_bearer_token_never_falls_back_to_the_cookie(client: TestClient) -> None:
    client.cookies.set("nexus_session", token_for())

    assert client.get("/api/me", headers=bearer(BAD_TOKENS["expired"])).status_code == 401


def test_staff_pages_prefer_the_staff_cookie_and_others_the_patients(client: TestClient) -> None:
    client.cookies.set("nexus_session", token_for("11111111-1111-4111-8111-111111111111"))
    client.cookies.set("nexus_staff", token_for("22222222-2222-4222-8222-222222222222"))

    assert client.get("/api/admin/me").json()["user_id"].startswith("2222")
    assert client.get("/api/me").json()["user_id"].startswith("1111")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": FRONTEND}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": FRONTEND + ".evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
    ],
)
def test_a_cookie_changes_things_only_from_our_own_pages(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    client.cookies.set("nexus_session", token_for())

    assert client.post("/api/me", headers=headers).status_code == status


def test_a_bearer_token_needs_no_origin(client: TestClient) -> None:
    assert client.post("/api/me", headers=bearer()).status_code == 200


# --- published keys -------------------------------


class PublishedKeys:
    """The project's JWKS address."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.fetched = 0
        self.down = False

    def fetch_data(self) -> dict[str, Any]:
        self.fetched += 1
        if self.down:
            raise jwt.PyJWKClientConnectionError("no route to host")
        return {"keys": self.keys}

    def publish(self, key_id: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        algorithm: Any = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else None
        algorithm = algorithm or jwt.algorithms.RSAAlgorithm
        name = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"
        self.keys.append(
            {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "alg": name, "use": "sig"}
        )


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> PublishedKeys:
    keys = PublishedKeys()
    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", lambda _: keys.fetch_data())
    return keys


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(secret=None, jwks_url="https://project.example/auth/v1/.well-known/jwks.json")


@pytest.mark.parametrize(("key", "algorithm"), [(EC_KEY, "ES256"), (RSA_KEY, "RS256")])
def test_tokens_signed_with_a_published_key_are_good(
    verifier: TokenVerifier, published: PublishedKeys, key: Any, algorithm: str
) -> None:
    published.publish("current", key)

    token = jwt.encode(_claims(), key, algorithm=algorithm, headers={"kid": "current"})

    assert verifier.verify(token)["sub"] == USER_ID


def test_keys_are_fetched_once_for_many_tokens(verifier: TokenVerifier, published: PublishedKeys) -> None:
    published.publish("current", EC_KEY)
    for _ in range(5):
        verifier.verify(jwt.encode(_claims(), EC_KEY, algorithm="ES256", headers={"kid": "current"}))

    assert published.fetched == 1


def test_a_new_key_is_found_by_fetching_again(verifier: TokenVerifier, published: PublishedKeys) -> None:
    published.publish("old", RSA_KEY)
    verifier.verify(jwt.encode(_claims(), RSA_KEY, algorithm="RS256", headers={"kid": "old"}))
    published.publish("new", EC_KEY)

    assert verifier.verify(jwt.encode(_claims(), EC_KEY, algorithm="ES256", headers={"kid": "new"}))


def test_made_up_key_ids_do_not_make_us_fetch_each_time(
    verifier: TokenVerifier, published: PublishedKeys
) -> None:
    published.publish("current", EC_KEY)
    for number in range(20):
        with pytest.raises(InvalidToken):
            verifier.verify(
                jwt.encode(_claims(), EC_KEY, algorithm="ES256", headers={"kid": f"made-up-{number}"})
            )

    assert published.fetched <= 2


def test_a_published_key_counts_only_for_its_own_algorithm(
    verifier: TokenVerifier, published: PublishedKeys
) -> None:
    published.publish("rsa", RSA_KEY)

    with pytest.raises(InvalidToken):
        verifier.verify(_hmac_with_public_key())
    with pytest.raises(InvalidToken):
        verifier.verify(jwt.encode(_claims(), EC_KEY, algorithm="ES256", headers={"kid": "rsa"}))


def test_when_the_keys_cannot_be_fetched_it_is_not_the_callers_fault(
    verifier: TokenVerifier, published: PublishedKeys
) -> None:
    published.down = True

    with pytest.raises(Unavailable):
        verifier.verify(jwt.encode(_claims(), EC_KEY, algorithm="ES256", headers={"kid": "current"}))
