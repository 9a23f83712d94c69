"""A stack of its own for tests that break it, with a Gemini and a Langfuse that can be made to hang."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, Port, StackError, StackSettings
from infra.local.stack import Stack
from tests.fakes.gemini import claims, fake_gemini
from tests.fakes.langfuse import fake_langfuse
from tests.faults.breaking import Breakable
from tests.integration.test_stopping import free_ports
from tests.running_stack import RunningStack

CALL_SECONDS = 2
"""How long a function waits for the database here."""


@pytest.fixture(scope="module")
def broken() -> Iterator[Breakable]:
    """Everything runs. Each test breaks something and leaves it whole."""
    api, lambdas, supabase, postgres, sqs, partner = free_ports(6)
    settings = StackSettings(
        data_dir=PROJECT / ".local" / "test" / "faults",
        api=Port(api, "-"),
        lambda_api=Port(lambdas, "-"),
        supabase=Port(supabase, "-"),
        postgres=Port(postgres, "-"),
        sqs=Port(sqs, "-"),
        external_database_url=None,
        durable=True,  # a Postgres that crashes keeps what it has promised
        partner=Port(partner, "-"),
    )
    with fake_gemini() as gemini, fake_langfuse() as langfuse:
        gemini.behave(claims("unclear"))
        environment = {
            "RATE_LIMITS": "off",
            "DATABASE_TIMEOUT_SECONDS": str(CALL_SECONDS),
            "NEXUS_MAX_INSTANCES": "2",
            "GEMINI_API_KEY": "no-key",
            "GEMINI_BASE_URL": gemini.url,
            "GEMINI_TIMEOUT_SECONDS": "1",
            "LANGFUSE_PUBLIC_KEY": "pk-lf-test",
            "LANGFUSE_SECRET_KEY": "sk-lf-test",
            "LANGFUSE_BASE_URL": langfuse.url,
        }
        with mock.patch.dict(os.environ, environment):
            stack = Stack(settings)
            try:
                delete_data(settings)
                stack.start()
            except StackError as error:
                pytest.fail(f"The stack to be broken did not start: {error}", pytrace=False)
        try:
            yield Breakable(stack, RunningStack.of(settings, stack.keys), gemini, langfuse)
        finally:
            stack.stop()
