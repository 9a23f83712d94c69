"""Any bytes at all at the partner's door: 2xx or 4xx, and nothing moves without a signature.

Over a socket, so that no client library tidies up what is sent.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.webhooks import Signatures
from tests.integration.fulfilment import Fulfilment, bought, fulfilment, wakeful_patient
from tests.integration.ordering import status
from tests.running_stack import RunningStack

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.sampled_from(
    b"webhook-id webhook-timestamp webhook-signature content-type content-encoding x-request-id"
    b" authorization cookie accept-encoding x-forwarded-for te".split()
)
VALUES = st.binary(max_size=120).map(lambda value: value.translate(None, b"\r\n"))
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
BODIES = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)


@pytest.fixture(scope="module")
def the(stack: RunningStack) -> Iterator[Fulfilment]:
    with fulfilment(stack) as found:
        yield found


@pytest.fixture(scope="module")
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with wakeful_patient(stack) as api:
        yield api


@pytest.fixture(scope="module")
def order_id(patient: httpx.Client) -> str:
    return bought(patient)


def sent(stack: RunningStack, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """The status that exactly these bytes are answered with."""
    url = urlsplit(stack.api_url)
    lines = [b"POST /api/webhooks/fulfillment HTTP/1.1", b"host: localhost", b"connection: close"]
    lines += [name + b": " + value for name, value in headers]
    lines.append(b"content-length: " + str(len(body)).encode())
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer[9:12])


def signed(the: Fulfilment, body: bytes) -> list[tuple[bytes, bytes]]:
    """Headers that the partner would sign this body with; only text can be signed at all."""
    headers = Signatures([the.stack.partner_incoming]).sign(f"msg_{uuid4().hex}", datetime.now(UTC), body)
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def event(order_id: str, step: str = "delivered") -> bytes:
    content = {
        "type": "fulfillment.updated",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"order_id": order_id, "status": step},
    }
    return json.dumps(content).encode()


def recorded(the: Fulfilment) -> int:
    [row] = the.rows("select count(*) as number from public.webhook_events")
    number: int = row["number"]
    return number


@many
@given(headers=HEADERS, body=BODIES)
def test_garbage_is_refused_and_leaves_no_trace(
    the: Fulfilment, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    before = recorded(the)

    assert 400 <= sent(the.stack, headers, body) < 500
    assert recorded(the) == before


@many
@given(data=st.data())
def test_a_signed_event_that_was_changed_on_its_way_is_refused_and_moves_nothing(
    the: Fulfilment, patient: httpx.Client, order_id: str, data: st.DataObject
) -> None:
    body = bytearray(event(order_id))
    headers = signed(the, bytes(body))
    place = data.draw(st.integers(0, 3), "what is changed: the body or a header")
    if place == 3:
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] ^= data.draw(st.integers(1, 255))
    else:
        name, value = headers[place]
        changed = data.draw(VALUES.filter(lambda other: other.strip() != value))
        headers[place] = (name, changed)
    before = recorded(the)

    answer = sent(the.stack, headers, bytes(body))

    assert 400 <= answer < 500
    assert recorded(the) == before
    assert status(patient, order_id) == "confirmed"


@many
@given(body=BODIES)
def test_whatever_the_partner_signs_is_recorded_or_refused(the: Fulfilment, body: bytes) -> None:
    try:
        headers = signed(the, body)
    except UnicodeDecodeError:
        headers = []
    before = recorded(the)

    assert 400 <= sent(the.stack, headers, body) < 500
    assert recorded(the) == before


@many
@given(
    data=st.fixed_dictionaries(
        {},
        optional={
            "order_id": st.text(max_size=80) | st.integers() | st.none(),
            "status": st.sampled_from(["accepted", "shipped", "lost", "", "cancelled"])
            | st.text(max_size=10),
            "tracking_number": st.text(max_size=120) | st.none(),
            "reason": st.text(max_size=30) | st.lists(st.none(), max_size=2),
        },
    ),
    timestamp=st.datetimes().map(str) | st.text(max_size=30) | st.integers(),
)
def test_nearly_an_event_is_2xx_or_4xx(the: Fulfilment, data: dict[str, object], timestamp: object) -> None:
    content = {"type": "fulfillment.updated", "timestamp": timestamp, "data": data}
    body = json.dumps(content).encode()

    assert 200 <= sent(the.stack, signed(the, body), body) < 500


@many
@given(headers=HEADERS)
def test_other_headers_do_not_keep_a_good_event_out(
    the: Fulfilment, patient: httpx.Client, order_id: str, headers: list[tuple[bytes, bytes]]
) -> None:
    harmless = [(name, value) for name, value in headers if name in (b"x-request-id", b"content-type", b"te")]
    body = event(order_id, "accepted")

    answer = sent(the.stack, [*signed(the, body), *harmless], body)

    # The gateway itself may refuse a header it cannot read.
    assert answer in (200, 400)
    assert status(patient, order_id) in ("confirmed", "processing")
