"""What Storage answers, as errors with a meaning; and whose token goes with each request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.errors import Conflict, Forbidden, NexusError, NotFound, PayloadTooLarge, Unavailable
from shared.storage import Files, Storage

PATH = "PAT012/6f2c1c1e.pdf"

CALLS: dict[str, Callable[[Files], Any]] = {
    "put": lambda files: files.put(PATH, b"%PDF-", "application/pdf"),
    "get": lambda files: files.get(PATH, most_bytes=100),
    "link": lambda files: files.link(PATH, seconds=60),
    "upload_link": lambda files: files.upload_link(PATH),
    "remove": lambda files: files.remove([PATH]),
}


def files_answering(answer: httpx.Response | Exception, seen: list[httpx.Request] | None = None) -> Files:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            request.read()
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    storage = Storage(
        url="https://nexus.example",
        publishable_key="sb_publishable_test",
        bucket="prescriptions",
        timeout_seconds=1,
        transport=httpx.MockTransport(handle),
    )
    return storage.acting_as("a-token")


def refusal(status: int, error: str) -> httpx.Response:
    """As Storage words it: with 400, and the status that it means inside."""
    body = {"statusCode": str(status), "error": error, "message": "PAT012/secret.pdf is refused"}
    return httpx.Response(400, json=body)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_every_call_goes_with_the_callers_token(call: Callable[[Files], Any]) -> None:
    seen: list[httpx.Request] = []
    answer = {"Key": f"prescriptions/{PATH}", "signedURL": "/object/sign/x?token=t", "url": "/x?token=t"}

    call(files_answering(httpx.Response(200, json=answer), seen))

    [request] = seen
    assert request.headers["authorization"] == "Bearer a-token"
    assert request.headers["apikey"] == "sb_publishable_test"
    assert request.url.path.startswith("/storage/v1/object/")


def test_a_file_is_put_with_its_type_and_never_over_another() -> None:
    seen: list[httpx.Request] = []

    files_answering(httpx.Response(200, json={"Key": "x"}), seen).put(PATH, b"%PDF-1.4", "application/pdf")

    [request] = seen
    assert request.headers.get("x-upsert", "false") == "false"
    assert b"Content-Type: application/pdf" in request.content
    assert b"%PDF-1.4" in request.content


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(403, "Unauthorized"), Forbidden),
        (refusal(404, "not_found"), NotFound),
        (refusal(409, "Duplicate"), Conflict),
        (refusal(413, "Payload too large"), PayloadTooLarge),
    ],
)
def test_refusals_have_a_meaning(answer: httpx.Response, kind: type[NexusError]) -> None:
    with pytest.raises(kind) as refused:
        CALLS["put"](files_answering(answer))

    assert "secret" not in refused.value.sentence


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        httpx.RemoteProtocolError("cut off"),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(503, json={"message": "maintenance"}),
    ],
)
def test_storage_that_does_not_answer_is_unavailable(
    call: Callable[[Files], Any], answer: httpx.Response | Exception
) -> None:
    with pytest.raises(Unavailable) as refused:
        call(files_answering(answer))

    assert refused.value.code == "storage_unavailable"


@pytest.mark.parametrize("call", [CALLS["put"], CALLS["link"], CALLS["upload_link"]])
@pytest.mark.parametrize(
    "text", ["<html>Welcome to our WLAN</html>", "{}", "[]", "null", json.dumps({"x": 1})]
)
def test_an_answer_of_another_kind_is_no_success(call: Callable[[Files], Any], text: str) -> None:
    with pytest.raises(Unavailable):
        call(files_answering(httpx.Response(200, text=text)))


def test_a_file_is_read_to_the_limit_only() -> None:
    class Endless(httpx.SyncByteStream):
        given = 0

        def __iter__(self) -> Any:
            while True:
                self.given += 10
                yield b"x" * 10

    stream = Endless()
    with pytest.raises(PayloadTooLarge):
        files_answering(httpx.Response(200, stream=stream)).get(PATH, most_bytes=95)

    assert stream.given == 100
