"""Tokens of a project with keys of its own: fetched over the wire, rotated, withdrawn, out of reach."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.errors import InvalidToken, Unavailable
from shared.identity import TokenVerifier
from tests.fakes.jwks import FakeJwks, PrivateKey, fake_jwks, signed

EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

SECRET = "a-shared-secret-of-32-characters!"


class Clock:
    """The time that the verifier and its library see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.fixture
def jwks() -> Iterator[FakeJwks]:
    with fake_jwks() as fake:
        yield fake


@pytest.fixture
def verifier(jwks: FakeJwks) -> TokenVerifier:
    return TokenVerifier(secret=None, jwks_url=jwks.url)


@pytest.fixture
def clock(jwks: FakeJwks, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("key", [EC_KEY, RSA_KEY], ids=["ES256", "RS256"])
def test_a_token_signed_with_a_published_key_is_good(
    jwks: FakeJwks, verifier: TokenVerifier, key: PrivateKey
) -> None:
    jwks.publish("current", key)

    for _ in range(5):
        assert verifier.verify(signed(key, "current"))["role"] == "authenticated"
    assert jwks.fetched == 1


def test_a_shared_secret_and_published_keys_can_both_count(jwks: FakeJwks) -> None:
    """While a project moves from the one to the other."""
    jwks.publish("current", EC_KEY)
    verifier = TokenVerifier(secret=SECRET, jwks_url=jwks.url)
    claims = jwt.decode(signed(EC_KEY, "current"), options={"verify_signature": False})

    assert verifier.verify(jwt.encode(claims, SECRET, algorithm="HS256"))
    assert jwks.fetched == 0
    assert verifier.verify(signed(EC_KEY, "current"))


def test_a_new_key_counts_as_soon_as_the_keys_may_be_fetched_again(
    jwks: FakeJwks, verifier: TokenVerifier, clock: Clock
) -> None:
    jwks.publish("old", RSA_KEY)
    verifier.verify(signed(RSA_KEY, "old"))
    clock.now += 31
    jwks.publish("new", EC_KEY)

    assert verifier.verify(signed(EC_KEY, "new"))
    assert verifier.verify(signed(RSA_KEY, "old"))


def test_unknown_keys_are_asked_about_at_most_every_half_minute(
    jwks: FakeJwks, verifier: TokenVerifier, clock: Clock
) -> None:
    jwks.publish("current", EC_KEY)
    for second in range(120):
        clock.now = 1000.0 + second
        with pytest.raises(InvalidToken):
            verifier.verify(signed(OTHER_EC_KEY, f"made-up-{second}"))

    assert jwks.fetched <= 5


def test_a_withdrawn_key_stops_counting(jwks: FakeJwks, verifier: TokenVerifier, clock: Clock) -> None:
    jwks.publish("leaked", RSA_KEY)
    jwks.publish("current", EC_KEY)
    verifier.verify(signed(RSA_KEY, "leaked"))
    del jwks.keys[0]
    clock.now += 601

    with pytest.raises(InvalidToken):
        verifier.verify(signed(RSA_KEY, "leaked"))


def test_all_keys_withdrawn_none_counts(jwks: FakeJwks, verifier: TokenVerifier, clock: Clock) -> None:
    jwks.publish("leaked", RSA_KEY)
    verifier.verify(signed(RSA_KEY, "leaked"))
    jwks.keys.clear()
    clock.now += 601

    with pytest.raises(InvalidToken):
        verifier.verify(signed(RSA_KEY, "leaked"))


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def hmac_with(secret: bytes, header: dict[str, str]) -> str:
    claims = jwt.decode(signed(EC_KEY, "current"), options={"verify_signature": False})
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    ]
    signature = hmac.digest(secret, ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


@pytest.mark.parametrize("secret", [None, SECRET], ids=["keys only", "keys and a secret"])
@pytest.mark.parametrize("key", [EC_KEY, RSA_KEY], ids=["ES256", "RS256"])
def test_a_public_key_is_no_shared_secret(jwks: FakeJwks, key: PrivateKey, secret: str | None) -> None:
    jwks.publish("current", key)
    verifier = TokenVerifier(secret=secret, jwks_url=jwks.url)
    as_published = json.dumps(jwks.keys[0]).encode()

    for known in (public_pem(key), public_pem(key).strip(), as_published, b""):
        for algorithm in ("HS256", "ES256", "RS256"):
            with pytest.raises(InvalidToken):
                verifier.verify(hmac_with(known, {"alg": algorithm, "typ": "JWT", "kid": "current"}))


def test_a_symmetric_key_among_the_published_ones_counts_for_nothing(
    jwks: FakeJwks, verifier: TokenVerifier
) -> None:
    jwks.publish("current", EC_KEY)
    jwks.keys.append({"kty": "oct", "kid": "shared", "alg": "HS256", "k": "c2VjcmV0"})

    with pytest.raises(InvalidToken):
        verifier.verify(hmac_with(b"secret", {"alg": "HS256", "kid": "shared"}))


@pytest.mark.parametrize("key_id", [None, "another"])
def test_a_token_must_name_the_key_that_signed_it(
    jwks: FakeJwks, verifier: TokenVerifier, key_id: str | None
) -> None:
    jwks.publish("current", EC_KEY)
    jwks.publish("another", OTHER_EC_KEY)

    with pytest.raises(InvalidToken):
        verifier.verify(signed(EC_KEY, key_id))


def test_a_token_cannot_say_where_its_key_is(jwks: FakeJwks, verifier: TokenVerifier) -> None:
    jwks.publish("current", EC_KEY)
    with fake_jwks() as theirs:
        theirs.publish("current", OTHER_EC_KEY)
        claims = jwt.decode(signed(OTHER_EC_KEY, "current"), options={"verify_signature": False})
        for header in ({"jku": theirs.url}, {"x5u": theirs.url}, {"jwk": theirs.keys[0]}):
            token = jwt.encode(claims, OTHER_EC_KEY, algorithm="ES256", headers={"kid": "current", **header})
            with pytest.raises(InvalidToken):
                verifier.verify(token)
        assert theirs.fetched == 0


OUT_OF_ORDER = {
    "500": (500, b"{}"),
    "a page": (200, b"<html>Bad gateway</html>"),
    "a list": (200, b"[]"),
    "nothing": (200, b""),
    "nested too deep": (200, b"[" * 100_000),
    "a redirect": (302, b""),
}


@pytest.mark.parametrize("answer", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
def test_when_the_keys_cannot_be_had_it_is_not_the_callers_fault(
    jwks: FakeJwks, verifier: TokenVerifier, clock: Clock, answer: tuple[int, bytes]
) -> None:
    jwks.publish("current", EC_KEY)
    jwks.answers_with = answer
    for _ in range(10):
        with pytest.raises(Unavailable):
            verifier.verify(signed(EC_KEY, "current"))
    assert jwks.fetched == 1  # the others were told at once

    jwks.answers_with = None
    clock.now += 6
    assert verifier.verify(signed(EC_KEY, "current"))


@pytest.mark.parametrize("answer", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
def test_known_keys_go_on_counting_while_auth_is_down(
    jwks: FakeJwks, verifier: TokenVerifier, clock: Clock, answer: tuple[int, bytes]
) -> None:
    jwks.publish("current", EC_KEY)
    verifier.verify(signed(EC_KEY, "current"))
    jwks.answers_with = answer
    clock.now += 601

    assert verifier.verify(signed(EC_KEY, "current"))
    clock.now += 31
    with pytest.raises(Unavailable):
        verifier.verify(signed(OTHER_EC_KEY, "perhaps new"))


def test_a_project_without_published_keys_is_not_asked_for_each_forged_token(
    jwks: FakeJwks, verifier: TokenVerifier, clock: Clock
) -> None:
    for _ in range(20):
        with pytest.raises(InvalidToken):
            verifier.verify(signed(EC_KEY, "made up"))

    assert jwks.fetched == 1


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_jwks() as gone:
        url = gone.url

    with pytest.raises(Unavailable):
        TokenVerifier(secret=None, jwks_url=url).verify(signed(EC_KEY, "current"))
