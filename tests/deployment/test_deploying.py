"""`make deploy` says everything that is missing before it changes anything, and looks at what it deployed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.deploy import _missing_parameters, parameters_of, smoke
from infra.local.settings import PROJECT
from tests.fakes.serving import Request, serving
from tests.running_stack import RunningStack


def test_without_credentials_it_says_so_and_does_nothing(tmp_path: Path) -> None:
    # A folder on the PATH whose `make` and `npx` leave a trace when they are called.
    for name in ("make", "npx"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
        program.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    refused = subprocess.run(
        [sys.executable, "-m", "infra.deploy", "--stage", "prod"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert refused.returncode == 1
    assert "Nothing was changed" in refused.stderr
    assert "DATABASE_URL is not set" in refused.stderr
    assert "AWS does not know you" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_it_names_each_parameter_that_is_missing(stage: str) -> None:
    resolved, secrets = parameters_of(stage)
    assert f"/nexus/{stage}/email-identity" in resolved
    with mock_aws():
        ssm = boto3.Session("test", "test", region_name="ap-south-1").client("ssm")
        for name in resolved | secrets:
            if name != f"/nexus/{stage}/supabase-secret-key":
                ssm.put_parameter(Name=name, Value="x", Type="String")
        ssm.delete_parameter(Name=f"/nexus/{stage}/chat-gemini-api-key")  # may be missing

        [missing] = _missing_parameters(ssm, stage)

    assert f"/nexus/{stage}/supabase-secret-key (SecureString)" in missing


def test_a_good_api_passes_and_a_bad_one_does_not(stack: RunningStack) -> None:
    assert smoke(stack.api_url) == []

    def fails(request: Request) -> None:
        request.answer(500, b"{}")

    with serving(fails) as url:
        assert len(smoke(url)) == 4
    assert smoke("http://127.0.0.1:9") != []


def test_both_stages_name_the_same_parameters() -> None:
    dev, prod = (
        [{name.replace(f"/{stage}/", "/") for name in each} for each in parameters_of(stage)]
        for stage in ("dev", "prod")
    )
    assert dev == prod
