"""The real stack for the tests that ask for it, on ports and data of its own beside a running `make dev`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings as hypothesis_settings

from tests.running_stack import RunningStack

# A machine that decides whether a change lands draws the same examples each time; people draw new ones.
hypothesis_settings.register_profile("landing", deadline=None, derandomize=True)
if os.environ.get("CI"):
    hypothesis_settings.load_profile("landing")


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """A freshly migrated and seeded stack, started once for the whole run."""
    # Imported here: the unit tests share this file and need none of it.
    from infra.local.reset import delete_data
    from infra.local.settings import PROJECT, Port, StackError, StackSettings
    from infra.local.stack import Stack

    def port(variable: str, default: int) -> Port:
        return Port(int(os.environ.get(variable, default)), variable)

    settings = StackSettings(
        data_dir=PROJECT / ".local" / "test",
        api=port("NEXUS_TEST_API_PORT", 13000),
        lambda_api=port("NEXUS_TEST_LAMBDA_PORT", 13002),
        supabase=port("NEXUS_TEST_SUPABASE_PORT", 15421),
        postgres=port("NEXUS_TEST_POSTGRES_PORT", 15422),
        sqs=port("NEXUS_TEST_SQS_PORT", 15424),
        external_database_url=None,
        durable=False,
        partner=port("NEXUS_TEST_PARTNER_PORT", 15426),
    )
    os.environ["RATE_LIMITS"] = (
        "off"  # many turns and sign-ins of few people; the limits' tests switch them on
    )
    # So long a test waits for a partner that hangs, and for what a killed dispatcher held.
    os.environ |= {"PARTNER_TIMEOUT_SECONDS": "2", "DISPATCH_LEASE_SECONDS": "4"}
    running = Stack(settings)
    try:
        delete_data(settings)
        running.start()
    except StackError as error:
        pytest.exit(f"The test stack did not start: {error}", returncode=1)
    try:
        yield RunningStack.of(settings, running.keys)
        if misfortune := running.misfortune():
            pytest.fail(misfortune, pytrace=False)
    finally:
        running.stop()
