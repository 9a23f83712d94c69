"""What each function may do: a role of its own, exact actions and resources, secrets by reference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.packaging.artifacts import FUNCTIONS

Json = dict[str, Any]

ON_EVERYTHING = {
    "xray:PutTraceSegments": "X-Ray knows no resources",
    "xray:PutTelemetryRecords": "X-Ray knows no resources",
    "sns:Publish": "a telephone number is no resource; all topics are denied beside it",
}
WAKES = {"sqs:SendMessage": {"OutboxQueue"}}
QUEUES: dict[str, dict[str, set[str]]] = {
    "health": {"sqs:GetQueueAttributes": {"OutboxQueue"}},
    "chat": WAKES,
    "orders": WAKES,
    "prescriptions": WAKES,
    "webhooks": WAKES,
    "dispatch": {
        "sqs:SendMessage": {"OutboxQueue", "OutboxDeadLetterQueue", "DispatchDeadLetterQueue"},
        "sqs:ReceiveMessage": {"OutboxQueue"},
        "sqs:DeleteMessage": {"OutboxQueue"},
        "sqs:GetQueueAttributes": {"OutboxQueue"},
    },
    "refill_scan": {"sqs:SendMessage": {"RefillScanDeadLetterQueue"}},
    "retention": {"sqs:SendMessage": {"RetentionDeadLetterQueue"}},
}
SECRETS = {
    "accounts": {"ACCOUNTS_KEY"},
    "chat": {"GEMINI_API_KEY", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"},
    "dispatch": {"SUPABASE_SECRET_KEY", "PARTNER_WEBHOOK_SECRETS", "WHATSAPP_TOKEN"},
    "prescriptions": {"GEMINI_API_KEY"},
    "refill_scan": {"SUPABASE_SECRET_KEY"},
    "retention": {"SUPABASE_SECRET_KEY"},
    "webhooks": {"SUPABASE_SECRET_KEY", "INCOMING_WEBHOOK_SECRETS"},
}
"""The variables that refer to secrets; the other functions have none."""


def functions(resources: Json) -> dict[str, Json]:
    return {
        each["Properties"]["FunctionName"].removeprefix("nexus-pharmacy-prod-"): each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::Function"
    }


def statements(resources: Json, function: str) -> list[Json]:
    role = functions(resources)[function]["Role"]["Fn::GetAtt"][0]
    found: list[Json] = resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return found


def allowed(resources: Json, function: str) -> Iterator[tuple[str, Any]]:
    """Every action of a role, with each resource it may be done to."""
    for statement in statements(resources, function):
        if statement["Effect"] == "Allow":
            found = statement["Resource"]
            for action in statement["Action"]:
                for resource in found if isinstance(found, list) else [found]:
                    yield action, resource


def test_every_function_has_a_role_of_its_own(resources: Json) -> None:
    roles = [each["Role"]["Fn::GetAtt"][0] for each in functions(resources).values()]

    assert len(set(roles)) == len(FUNCTIONS)
    assert sorted(roles) == sorted(
        name for name, each in resources.items() if each["Type"] == "AWS::IAM::Role"
    )
    for role in roles:
        assert resources[role]["Properties"].get("ManagedPolicyArns", []) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_names_actions_and_resources(resources: Json, function: str) -> None:
    for action, resource in allowed(resources, function):
        assert "*" not in action
        if action in ON_EVERYTHING:
            continue
        place = json.dumps(resource)
        if action.startswith("logs:"):  # the streams of its own log group
            assert f":log-group:/aws/lambda/nexus-pharmacy-prod-{function}:*" in place
        else:
            assert "*" not in place


def test_publishing_to_telephones_is_no_publishing_to_topics(resources: Json) -> None:
    publishers = [name for name in FUNCTIONS if "sns:Publish" in dict(allowed(resources, name))]
    denied = [each for each in statements(resources, "dispatch") if each["Effect"] == "Deny"]

    assert publishers == ["dispatch"]
    assert [each["Action"] for each in denied] == [["sns:Publish"]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_does_with_the_queues_what_it_is_for(resources: Json, function: str) -> None:
    found: dict[str, set[str]] = {}
    for action, resource in allowed(resources, function):
        if action.startswith("sqs:"):
            found.setdefault(action, set()).add(resource["Fn::GetAtt"][0])
    assert found == QUEUES.get(function, {})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reads_exactly_the_secrets_it_is_given(resources: Json, function: str) -> None:
    variables = functions(resources)[function]["Environment"]["Variables"]
    references = {
        name: value
        for name, value in variables.items()
        if isinstance(value, str) and value.startswith("ssm:")
    }
    readable = {
        re.sub(r".*:parameter", "", resource["Fn::Sub"])
        for action, resource in allowed(resources, function)
        if action == "ssm:GetParameter"
    }

    assert references.keys() == SECRETS.get(function, set())
    assert readable == {value.removeprefix("ssm:") for value in references.values()}


def test_no_secret_is_in_the_template(resources: Json) -> None:
    text = json.dumps(resources)
    assert "resolve:secretsmanager" not in text
    assert "resolve:ssm-secure" not in text
    assert not re.search(r"sb_secret_|whsec_|eyJ[\w-]{10,}|AKIA", text)
    # What CloudFormation resolves ends among the variables, for many to read.
    resolved = set(re.findall(r"resolve:ssm:/nexus/prod/([\w-]+)", text))
    assert not [name for name in resolved if re.search(r"secret|token|password|api-key", name)]


def test_only_functions_without_a_user_may_have_the_service_key(resources: Json) -> None:
    holders = {
        name
        for name, each in functions(resources).items()
        if "SUPABASE_SECRET_KEY" in each["Environment"]["Variables"]
    }
    assert holders == {"dispatch", "refill_scan", "retention", "webhooks"}
