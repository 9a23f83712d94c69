"""What may appear in a log line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.observability import MASK, make_logger, mask, request_id_from
from tests.unit.shared.fakes import token_for

SECRETS = {
    "an e-mail": "rahul.sharma+rx@example.co.in",
    "a phone number": "+919876543210",
    "a spaced phone number": "+91 98765 43210",
    "a bare phone number": "9876543210",
    "an access token": token_for(),
    "an authorization header": "Bearer abcdef123456",
    "a secret key": "sb_secret_ABCdef123",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize(
    "around", ["{}", "for {}:", '{{"who": "{}"}}', "Key (email)=({}) already exists", "<{}>"]
)
def test_personal_values_are_masked_wherever_they_stand(secret: str, around: str) -> None:
    masked = mask(around.format(secret))

    assert secret not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "key",
    ["name", "phone", "email", "token", "authorization", "cookie", "password", "reply", "allergies", "age"],
)
def test_values_under_personal_keys_are_dropped(key: str) -> None:
    assert mask({"a": [{key: "Penicillin"}]}) == {"a": [{key: MASK}]}
    assert mask({key.upper(): {"inner": 1}}) == {key.upper(): MASK}


@pytest.mark.parametrize(
    "harmless",
    [
        "PAT012",
        "ORD1042",
        "MED001 x 2 at 60.00",
        "/api/products/{product_id}",
        "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11",
        "2026-11-21T04:50:36.951+00:00",
        "127.0.0.1:54321",
    ],
)
def test_what_is_needed_to_understand_a_log_stays(harmless: str) -> None:
    assert mask({"x": harmless}) == {"x": harmless}


def test_a_log_line_is_masked_json_with_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    logger = make_logger("masking", "INFO")
    logger.set_correlation_id("req-12345678")
    logger.info("told rahul@example.com", extra={"status": 200, "patient_id": "PAT001", "email": "r"})

    line = json.loads(capsys.readouterr().out)
    assert line["message"] == f"told {MASK}"
    assert (line["status"], line["patient_id"], line["email"]) == (200, "PAT001", MASK)
    assert (line["service"], line["correlation_id"]) == ("masking", "req-12345678")


def test_an_exception_is_logged_as_types_and_places(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        try:
            raise KeyError("Anjali Mehta")
        except KeyError as error:
            raise ValueError("allergic to penicillin") from error

    logger = make_logger("exceptions", "INFO")
    try:
        fail()
    except ValueError:
        logger.exception("failed")

    written = capsys.readouterr().out
    assert "Anjali" not in written
    assert "penicillin" not in written
    places = json.loads(written)["exception"].splitlines()
    assert places[0] == "ValueError"
    assert places[-1].endswith(" fail")
    assert "KeyError" in places


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3),
    )
)
def test_masking_never_fails_and_keeps_the_shape(value: Any) -> None:
    masked = mask(value)
    if isinstance(value, dict):
        assert masked.keys() == value.keys()
    elif isinstance(value, list):
        assert len(masked) == len(value)


@given(st.text())
def test_request_ids_are_always_safe_to_repeat(header: str) -> None:
    assert request_id_from(header).replace("-", "").replace(".", "").replace("_", "").isalnum()
