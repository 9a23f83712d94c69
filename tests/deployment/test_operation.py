"""What keeps a deployment running, and tells when it does not: limits, alarms, dead letters, logs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.packaging.artifacts import FUNCTIONS
from tests.deployment.packaging import TEMPLATE
from tests.deployment.test_policies import functions

Json = dict[str, Any]

NOT_IN_MOTO = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::S3::BucketPolicy",
}
"""Kinds that moto's CloudFormation makes nothing of; what is allowed on an alias goes with the alias."""


def of_kind(resources: Json, kind: str) -> dict[str, Json]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def alarms(resources: Json) -> dict[tuple[str, str], list[Json]]:
    """By namespace and metric."""
    found: dict[tuple[str, str], list[Json]] = {}
    for each in of_kind(resources, "AWS::CloudWatch::Alarm").values():
        found.setdefault((each["Namespace"], each["MetricName"]), []).append(each)
    return found


def test_cfn_lint_has_nothing_to_say(built: Path) -> None:
    # W3005: osls names dependencies that follow from references anyway; harmless, and not ours.
    linter = str(Path(sys.executable).with_name("cfn-lint"))
    finished = subprocess.run(
        [linter, str(built / TEMPLATE), "--regions", "ap-south-1", "--ignore-checks", "W3005"],
        capture_output=True,
        text=True,
    )
    assert (finished.returncode, finished.stdout) == (0, ""), finished.stdout + finished.stderr


def test_every_route_is_throttled(resources: Json) -> None:
    [stage] = of_kind(resources, "AWS::ApiGatewayV2::Stage").values()
    limits = stage["DefaultRouteSettings"]

    assert limits["ThrottlingRateLimit"] > 0
    assert limits["ThrottlingBurstLimit"] >= limits["ThrottlingRateLimit"]
    assert "RouteSettings" not in stage  # nothing that would lift it for one of them


def test_every_function_that_nobody_waits_for_has_a_place_for_what_failed_and_an_alarm(
    resources: Json,
) -> None:
    targets = json.dumps(list(of_kind(resources, "AWS::Events::Rule").values()))
    scheduled = {name for name, each in resources.items() if f'"{name}"' in targets}
    lambdas = of_kind(resources, "AWS::Lambda::Function")
    watched = {
        each["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for each in alarms(resources)["AWS/SQS", "ApproximateNumberOfMessagesVisible"]
    }

    assert {lambdas[name]["FunctionName"].rpartition("-")[2] for name in scheduled} == {
        "dispatch",
        "refill_scan",
        "retention",
    }
    for name in scheduled:
        assert lambdas[name]["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0] in watched
    assert (
        resources["OutboxQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        in watched
    )


def test_every_function_has_alarms_of_its_own(resources: Json) -> None:
    for metric in ("Errors", "Throttles"):
        named = [each["Dimensions"][0]["Value"] for each in alarms(resources)["AWS/Lambda", metric]]
        assert sorted(named) == [f"nexus-pharmacy-prod-{name}" for name in FUNCTIONS]


@pytest.mark.parametrize(
    "metric",
    [
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "Latency"),
        ("NexusPharmacy", "OutboxLag"),
        ("NexusPharmacy", "OutboxDead"),
        ("NexusPharmacy", "FulfilmentConflict"),
        ("NexusPharmacy", "RefillScanFinished"),
    ],
)
def test_an_alarm_rings(resources: Json, metric: tuple[str, str]) -> None:
    [alarm] = alarms(resources)[metric]
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_every_alarm_rings_at_the_topic(resources: Json) -> None:
    for each in of_kind(resources, "AWS::CloudWatch::Alarm").values():
        assert each["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert each["AlarmDescription"]


def test_logs_are_kept_for_a_while_and_traces_are_made(resources: Json) -> None:
    groups = of_kind(resources, "AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 1  # the gateway's own
    assert {each["RetentionInDays"] for each in groups.values()} == {30}
    assert {each["TracingConfig"]["Mode"] for each in functions(resources).values()} == {"Active"}


def test_the_gateways_log_names_no_patient_and_no_address(resources: Json) -> None:
    [stage] = of_kind(resources, "AWS::ApiGatewayV2::Stage").values()
    noted = json.loads(stage["AccessLogSettings"]["Format"])
    assert set(noted.values()).isdisjoint({"$context.path", "$context.identity.sourceIp"})


def test_all_run_on_arm_and_the_chat_from_a_snapshot(resources: Json) -> None:
    found = functions(resources)
    assert {(each["Runtime"], *each["Architectures"]) for each in found.values()} == {("python3.13", "arm64")}
    assert [name for name, each in found.items() if "SnapStart" in each] == ["chat"]

    [alias] = of_kind(resources, "AWS::Lambda::Alias").values()
    integration = resources["HttpApiIntegrationChat"]["Properties"]["IntegrationUri"]
    assert integration["Fn::Join"][1][-1] == alias["Name"]  # requests go to what the snapshot is of


def test_some_functions_have_concurrency_of_their_own(resources: Json) -> None:
    reserved = {
        name: each["ReservedConcurrentExecutions"]
        for name, each in functions(resources).items()
        if "ReservedConcurrentExecutions" in each
    }
    assert reserved.keys() == {"chat", "webhooks", "refill_scan", "retention"}
    assert sum(reserved.values()) <= 900  # an account has 1,000 and keeps 100 for the others


def test_the_dashboard_can_be_read(resources: Json) -> None:
    [dashboard] = of_kind(resources, "AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    assert {widget["type"] for widget in body["widgets"]} == {"metric"}


def test_the_stack_can_be_created_as_far_as_moto_goes(built: Path, resources: Json) -> None:
    kept = {name: each for name, each in resources.items() if name != "ChatLambdaPermissionHttpApi"}
    supported = {name for name, each in kept.items() if each["Type"] not in NOT_IN_MOTO}
    create = (built / "cloudformation-template-create-stack.json").read_text()
    capabilities = ["CAPABILITY_NAMED_IAM"]
    with mock_aws(config={"lambda": {"use_docker": False}}):
        aws = boto3.Session("test", "test", region_name="ap-south-1")
        stacks, files = aws.client("cloudformation"), aws.client("s3")
        stacks.create_stack(StackName="nexus", TemplateBody=create, Capabilities=capabilities)
        [bucket] = [each["Name"] for each in files.list_buckets()["Buckets"]]
        for each in functions(resources).values():
            files.put_object(Bucket=bucket, Key=each["Code"]["S3Key"], Body=b"PK\x05\x06" + bytes(18))

        template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": kept})
        stacks.update_stack(StackName="nexus", TemplateBody=template, Capabilities=capabilities)

        pages = stacks.get_paginator("list_stack_resources").paginate(StackName="nexus")
        made = {each.get("LogicalResourceId") for page in pages for each in page["StackResourceSummaries"]}
        [stack] = stacks.describe_stacks(StackName="nexus")["Stacks"]
        deployed = {each["FunctionName"] for each in aws.client("lambda").list_functions()["Functions"]}
        [source] = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]

    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert supported <= made
    assert len(supported) > 50
    assert deployed == {f"nexus-pharmacy-prod-{name}" for name in FUNCTIONS}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
