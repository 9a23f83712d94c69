"""With the database gone every route says so, in the form that its page can show, and soon."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.webhooks import Signatures
from tests.contract.document import OPERATIONS, Operation
from tests.contract.lone_function import LoneFunction
from tests.contract.sending import PAGE
from tests.unit.shared.fakes import SECRET, bearer, gateway_event

Json = dict[str, Any]

FRONTEND = "http://localhost:3001"
WEBHOOK_SECRET = f"whsec_{'A' * 32}"
UNREACHABLE = {
    "STAGE": "local",
    "SUPABASE_URL": "http://127.0.0.1:9",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_nowhere",
    "SUPABASE_SECRET_KEY": "sb_secret_nowhere",
    "SUPABASE_JWT_SECRET": SECRET,
    "ACCOUNTS_KEY": "a-key-that-nobody-checks",
    "INCOMING_WEBHOOK_SECRETS": WEBHOOK_SECRET,
    "ALLOWED_ORIGINS": FRONTEND,
}

NEEDS_IT = [one for one in OPERATIONS if "503" in one.spec["responses"]]
NEEDS_NONE = [one for one in OPERATIONS if one not in NEEDS_IT]

Call = Callable[[Operation], Json]


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    functions: dict[str, LoneFunction] = {}
    with ExitStack() as running:

        def answer(operation: Operation) -> Json:
            if operation.function not in functions:
                function = LoneFunction(operation.function, UNREACHABLE)
                functions[operation.function] = running.enter_context(function)
            return functions[operation.function].call(_event(operation))

        yield answer


def _event(operation: Operation) -> Json:
    body = None if operation.media_type is None else json.dumps(operation.body())
    headers = {"Origin": FRONTEND, **bearer()}
    if operation.callers == {"partner"}:
        headers |= Signatures([WEBHOOK_SECRET]).sign("msg_1", datetime.now(UTC), (body or "").encode())
    if operation.media_type == "multipart/form-data":
        name, content, kind = PAGE
        body = (
            f'--b\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
            f"content-type: {kind}\r\n\r\n{content.decode('latin-1')}\r\n--b--\r\n"
        )
        headers["content-type"] = "multipart/form-data; boundary=b"
    return gateway_event(operation.method, operation.address({}), body=body, headers=headers)


@pytest.mark.parametrize("operation", NEEDS_IT, ids=lambda operation: operation.name)
def test_what_needs_the_database_is_unavailable_for_a_while(call: Call, operation: Operation) -> None:
    call(operation)  # what a first call imports is not counted
    started = time.monotonic()

    answer = call(operation)

    assert time.monotonic() - started < 5
    assert answer["statusCode"] == 503, answer["body"]
    assert int(answer["headers"]["retry-after"]) > 0
    assert answer["headers"]["access-control-allow-origin"] == FRONTEND
    assert answer["headers"]["x-request-id"]
    documented = operation.resolve(operation.spec["responses"]["503"])["content"]
    media_type = answer["headers"]["content-type"].partition(";")[0]
    assert media_type in documented
    if media_type.endswith("json"):
        assert operation.errors_of(json.loads(answer["body"]), documented[media_type]["schema"]) == []


@pytest.mark.parametrize("operation", NEEDS_NONE, ids=lambda operation: operation.name)
def test_what_needs_no_database_goes_on(call: Call, operation: Operation) -> None:
    assert call(operation)["statusCode"] == 200


def test_the_product_list_fails_in_plain_text_because_its_page_takes_any_object_for_its_array(
    call: Call,
) -> None:
    products = next(one for one in OPERATIONS if one.name == "GET /api/products")

    answer = call(products)

    assert answer["statusCode"] == 503
    assert answer["headers"]["content-type"].startswith("text/plain")
    assert not answer["body"].lstrip().startswith(("{", "["))


def test_the_chat_has_a_reply_even_then(call: Call) -> None:
    chat = next(one for one in OPERATIONS if one.name == "POST /api/chat")

    assert json.loads(call(chat)["body"])["reply"]


def test_the_order_list_of_the_staff_has_its_members_even_then(call: Call) -> None:
    orders = next(one for one in OPERATIONS if one.name == "GET /api/admin/orders")

    body = json.loads(call(orders)["body"])

    assert (body["orders"], body["count"], body["pending"], body["delivered"]) == ([], 0, 0, 0)
