"""`make deploy STAGE=dev`: checks, then the migrations, then the functions, then a look at what came of it.

Everything that can be wrong before anything is changed is looked at first, and all of it is said at once.
DATABASE_URL names the stage's database, as its owner; AWS credentials come from where AWS's tools take them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.settings import PROJECT, StackError
from infra.packaging.platforms import lambda_platform

REGION = "ap-south-1"
_SUPABASE_CLI = "supabase@3.1.0"
_OPTIONAL = re.compile(r"gemini|langfuse|whatsapp-token")
"""Secrets that switch something on; without them it stays off."""
_SMOKE_SECONDS = 30


def main() -> int:
    options = _options()
    try:
        problems = list(_problems(options.stage))
        if problems:
            raise StackError("Nothing was changed. First:\n" + "\n".join(f"  - {each}" for each in problems))
        if not options.unchecked:
            _run("The checks", ["make", "lint", "types", "unit"])
        _run("Packaging", ["make", "package", f"STAGE={options.stage}"])
        _push_migrations()
        _run("The deployment", [_osls(), "deploy", "--stage", options.stage, "--package", ".serverless"])
        url = _api_url(options.stage)
        failures = smoke(url)
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    print(
        f"{url}: {'does not answer as it should; see docs/runbook.md, Rolling back' if failures else 'well'}"
    )
    return 1 if failures else 0


def smoke(url: str) -> list[str]:
    """What the API at this address does wrong, if anything. Reads only; nobody is signed in."""
    expected = {"/health": 200, "/api/products": 200, "/api/orders": 401, "/api/nowhere": 404}
    failures = []
    with httpx.Client(base_url=url, timeout=_SMOKE_SECONDS) as api:
        for path, status in expected.items():
            try:
                found = api.get(path)
            except httpx.HTTPError as error:
                failures.append(f"GET {path} failed: {type(error).__name__}")
                continue
            if found.status_code != status:
                failures.append(f"GET {path} answered {found.status_code}, not {status}")
            elif path == "/api/products" and not found.json():
                failures.append("GET /api/products answered an empty catalogue: import one")
    return failures


def parameters_of(stage: str) -> tuple[set[str], set[str]]:
    """What the stage's file refers to: parameters that CloudFormation reads, and secrets of the functions."""
    files = [PROJECT / "infra" / "stages" / f"{stage}.yml", *PROJECT.glob("functions/*/function.yml")]
    text = "\n".join(path.read_text() for path in files).replace("${sls:stage}", stage)
    return set(re.findall(r"resolve:ssm:(/[\w/-]+)", text)), set(
        re.findall(r"\bssm:(/nexus/[\w/-]+)$", text, re.M)
    )


def _problems(stage: str) -> Iterator[str]:
    if not os.environ.get("DATABASE_URL"):
        yield "DATABASE_URL is not set: the address of the stage's Postgres, with its owner's password."
    if lambda_platform().interpreter is None:
        yield "There is no Python 3.13 to compile with: `.venv/bin/uv python install 3.13`."
    if shutil.which("npx") is None:
        yield "There is no npx, which runs the Supabase CLI: install Node's npm."
    try:
        session = boto3.Session(region_name=REGION)
        session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield f"AWS does not know you ({error}): set AWS_PROFILE, or sign in with `aws sso login`."
        return
    yield from _missing_parameters(session.client("ssm"), stage)


def _missing_parameters(ssm: Any, stage: str) -> Iterator[str]:
    resolved, secrets = parameters_of(stage)
    wanted = sorted(resolved | {name for name in secrets if not _OPTIONAL.search(name)})
    for first in range(0, len(wanted), 10):
        found = ssm.get_parameters(Names=wanted[first : first + 10])  # without decrypting: secrets stay there
        for name in sorted(found["InvalidParameters"]):
            kind = "SecureString" if name in secrets else "String"
            yield f"The parameter {name} ({kind}) does not exist; docs/runbook.md tells what it holds."


def _push_migrations() -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "supabase" / "migrations"
        shutil.copytree(PROJECT / "migrations", target)
        url = os.environ["DATABASE_URL"]
        _run(
            "Migrating the database",
            ["npx", "--yes", _SUPABASE_CLI, "db", "push", f"--remote={url}", "--workdir", folder, "--yes"],
        )


def _api_url(stage: str) -> str:
    stacks = boto3.client("cloudformation", region_name=REGION)
    [stack] = stacks.describe_stacks(StackName=f"nexus-pharmacy-{stage}")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return str(outputs["HttpApiUrl"])


def _run(what: str, command: list[str]) -> None:
    if subprocess.run(command, cwd=PROJECT).returncode != 0:
        raise StackError(f"{what} failed: the reason is above. Nothing after it was done.")


def _osls() -> str:
    return str(PROJECT / "node_modules" / ".bin" / "osls")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stage", choices=["dev", "prod"], default="dev")
    parser.add_argument("--unchecked", action="store_true", help="skip the checks, for going back in a hurry")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
