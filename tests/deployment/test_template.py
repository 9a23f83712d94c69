"""The template of a deployment: what it creates, and that nothing of the laptop is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from infra.local.settings import PROJECT
from infra.packaging.artifacts import FUNCTIONS
from tests.deployment.packaging import TEMPLATE, package

WITHOUT_USER = {"dispatch", "refill_scan", "retention", "webhooks"}
"""Functions that nobody is signed in to; all others act with the caller's own token."""


def lambdas(resources: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]


def test_every_function_is_a_lambda(resources: dict[str, Any]) -> None:
    found = lambdas(resources)

    assert sorted(each["FunctionName"] for each in found) == [
        f"nexus-pharmacy-prod-{name}" for name in FUNCTIONS
    ]
    assert {each["Runtime"] for each in found} == {"python3.13"}


def test_a_wake_up_that_failed_comes_back_alone_and_not_while_it_may_still_run(
    resources: dict[str, Any],
) -> None:
    [source] = [
        each["Properties"] for each in resources.values() if each["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    queue = resources["OutboxQueue"]["Properties"]
    timeout = resources["DispatchLambdaFunction"]["Properties"]["Timeout"]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]


def test_the_refill_scan_runs_by_itself_one_at_a_time_and_its_failures_are_kept(
    resources: dict[str, Any],
) -> None:
    function = resources["RefillUnderscorescanLambdaFunction"]["Properties"]
    [rule] = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Events::Rule"
        and "RefillUnderscorescan" in json.dumps(each["Properties"]["Targets"])
    ]

    assert function["ReservedConcurrentExecutions"] == 1
    assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["RefillScanDeadLetterQueue", "Arn"]}}
    assert rule["ScheduleExpression"] == "rate(10 minutes)"
    assert rule["State"] == "ENABLED"


def test_an_alarm_rings_when_no_refill_scan_ends_for_a_day(resources: dict[str, Any]) -> None:
    alarm = resources["RefillScanMissingAlarm"]["Properties"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("NexusPharmacy", "RefillScanFinished")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "refill_scan"}]
    assert 86_400 <= alarm["Period"] * alarm["EvaluationPeriods"] <= 2 * 86_400
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Sum",
        "LessThanThreshold",
        1,
    )
    assert alarm["TreatMissingData"] == "breaching"


def test_nothing_of_the_laptop_is_deployed(built: Path, resources: dict[str, Any]) -> None:
    assert "laptop" not in (built / TEMPLATE).read_text()
    for each in lambdas(resources):
        environment = each["Environment"]["Variables"]
        assert environment["STAGE"] == "prod"
        forbidden = {
            "SUPABASE_JWT_SECRET",
            "DEMO_IDENTITY",
            "DEMO_PATIENTS",
            "RATE_LIMITS",
            "DATABASE_URL",
        }
        assert forbidden.isdisjoint(environment)


def test_only_functions_without_a_user_hold_the_service_key(resources: dict[str, Any]) -> None:
    holders = {
        each["FunctionName"].removeprefix("nexus-pharmacy-prod-")
        for each in lambdas(resources)
        if "SUPABASE_SECRET_KEY" in each["Environment"]["Variables"]
    }

    assert holders <= WITHOUT_USER
    assert holders >= {"dispatch", "refill_scan", "retention", "webhooks"}


def test_the_laptops_stage_cannot_be_packaged(tmp_path: Path) -> None:
    refusal = package("local", tmp_path)
    assert refusal.returncode != 0
    assert "make dev" in refusal.stdout + refusal.stderr


def test_an_unknown_stage_cannot_be_packaged(tmp_path: Path) -> None:
    assert package("production", tmp_path).returncode != 0


def test_every_function_is_declared() -> None:
    declared = yaml.safe_load((PROJECT / "serverless.yml").read_text())["functions"]
    assert sorted(declared) == FUNCTIONS
