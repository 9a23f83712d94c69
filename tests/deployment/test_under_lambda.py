"""Each function runs under Lambda's runtime client from its artefact alone, on the real database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.invoke import EVENTS, read_event, signed_in
from infra.local.settings import PROJECT, load_keys
from infra.packaging.artifacts import FUNCTIONS, Artifact
from tests.deployment.lambda_runtime import FunctionFailed, LambdaRuntime
from tests.fakes.gemini import claims, fake_gemini, says
from tests.fakes.langfuse import fake_langfuse
from tests.integration.chatting import new_patient_token
from tests.running_stack import RunningStack

Json = dict[str, Any]
Start = Callable[..., LambdaRuntime]

REQUESTS = {
    "accounts_login": 200,
    "catalog_search": 200,
    "health": 200,
    "inventory_list": 403,  # a patient may not
    "orders_list": 200,
    "refills_list": 200,
    "unknown_route": 404,
    "webhooks_report": 401,  # nobody signed it
}
EVENTS_WITHOUT_ANSWER = {
    "dispatch_wake_up",
    "dispatch_schedule",
    "dispatch_dead",
    "refill_scan_schedule",
    "retention_schedule",
}
FUNCTION_OF = {"unknown_route": "health"}


@pytest.fixture
def start(
    stack: RunningStack, local_artifacts: dict[str, Artifact], lambda_runtime: Path, tmp_path: Path
) -> Start:
    """Starts an instance of a function as the laptop's stage would set it up."""
    accounts_key = load_keys(PROJECT / ".local" / "test").accounts
    environment = {
        "STAGE": "local",
        "SUPABASE_URL": stack.supabase_url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "SUPABASE_JWT_SECRET": stack.jwt_secret,
        "ACCOUNTS_KEY": accounts_key,
        "SUPABASE_SECRET_KEY": stack.secret_key,
        "INCOMING_WEBHOOK_SECRETS": stack.partner_incoming,
        "PARTNER_WEBHOOK_SECRETS": stack.partner_outgoing,
        "PARTNER_URL": f"http://127.0.0.1:{stack.partner_port}/webhooks",
        "OUTBOX_QUEUE_URL": f"{stack.sqs_url}/000000000000/nexus-outbox",
        "AWS_ENDPOINT_URL_SQS": stack.sqs_url,
    }

    def run(function: str, **more: str) -> LambdaRuntime:
        artefact = local_artifacts[function].zip
        return LambdaRuntime(function, artefact, lambda_runtime, tmp_path / function, environment | more)

    return run


def event(name: str) -> Json:
    return read_event(EVENTS / f"{name}.json")


def function_of(name: str) -> str:
    return FUNCTION_OF.get(name) or next(
        each for each in FUNCTIONS if name.startswith(f"{each}_") or name == each
    )


@pytest.fixture
def patient(stack: RunningStack) -> str:
    token: str = new_patient_token(stack)
    return token


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_from_the_artefact(name: str, start: Start, stack: RunningStack) -> None:
    request = event(name)
    if name not in ("accounts_login", "webhooks_report"):
        request = signed_in(request, stack.patient_token("anjali@example.com"))

    with start(function_of(name)) as instance:
        answer = instance.invoke(request)
        log = instance.log()

    assert answer["statusCode"] == REQUESTS[name], log
    json.loads(answer["body"])


@pytest.mark.parametrize("name", sorted(EVENTS_WITHOUT_ANSWER))
def test_an_event_is_taken_by_the_artefact(name: str, start: Start) -> None:
    with start(function_of(name)) as instance:
        answer = instance.invoke(event(name))

    if name == "dispatch_wake_up":
        assert answer == {"batchItemFailures": []}


def test_the_chat_asks_a_model_and_is_traced_with_the_packages_it_was_given(
    start: Start, patient: str
) -> None:
    said = {
        **event("chat_message"),
        "body": json.dumps({"message": "2 strips of dolo 650", "language": "en"}),
    }
    with fake_gemini() as gemini, fake_langfuse() as langfuse:
        gemini.behave(claims("order", {"name": "dolo 650", "quantity": 2, "unit": "strip"}))
        models = {"NLU_MODE": "gemini", "GEMINI_API_KEY": "a-key", "GEMINI_BASE_URL": gemini.url}
        traces = {
            "LANGFUSE_PUBLIC_KEY": f"pk-{uuid4()}",
            "LANGFUSE_SECRET_KEY": "sk",
            "LANGFUSE_BASE_URL": langfuse.url,
        }
        # The first import of the model's library takes longer than patients are made to wait.
        with start("chat", **models, **traces, GEMINI_TIMEOUT_SECONDS="10") as instance:
            answer = instance.invoke(signed_in(said, patient))
            again = instance.invoke(signed_in(said, patient))

    assert (answer["statusCode"], again["statusCode"]) == (200, 200)
    assert json.loads(answer["body"])["card_data"]["type"] == "order_confirmation", answer["body"]
    assert gemini.received, "the model was not asked"
    assert langfuse.paths, "no trace was sent"


def test_the_chat_continues_from_a_snapshot(start: Start, patient: str) -> None:
    with start("chat", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as instance:
        answer = instance.invoke(signed_in(event("chat_message"), patient))
        assert instance.restored

    assert answer["statusCode"] == 200, answer["body"]


def test_a_photo_is_examined_and_read_with_the_packages_it_was_given(start: Start, patient: str) -> None:
    with fake_gemini() as gemini:
        gemini.behave(says(json.dumps({"lines": ["Tab. Cefixime 200 mg 1-0-1 after food x 5 days"]})))
        models = {"GEMINI_API_KEY": "a-key", "GEMINI_BASE_URL": gemini.url}
        with start("prescriptions", **models, GEMINI_PICTURE_TIMEOUT_SECONDS="20") as instance:
            answer = instance.invoke(signed_in(event("prescriptions_upload"), patient))

    assert answer["statusCode"] in (200, 201), answer["body"]
    assert "Cefixime" in json.loads(answer["body"])["extracted_text"]
    assert gemini.received


def test_every_function_is_run_here() -> None:
    run = {function_of(name) for name in {*REQUESTS, *EVENTS_WITHOUT_ANSWER}} | {"chat", "prescriptions"}
    assert sorted(run) == FUNCTIONS


def test_the_source_tree_is_out_of_reach(start: Start) -> None:
    """Otherwise what an artefact lacks could come from there, and nobody would notice."""
    handler = PROJECT / "functions" / "health" / "handler.py"
    instance = start("health")
    shutil.rmtree(instance.task / "functions" / "health" / "__pycache__", ignore_errors=True)
    (instance.task / "functions" / "health" / "handler.py").write_text(f"open({str(handler)!r})")
    with instance, pytest.raises(FunctionFailed, match="is in the source tree"):
        instance.invoke(event("health"))
