"""Unit tests open no socket, whichever way they are started (asyncio's own socket pair is a Unix one)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

# Handlers read their settings when they are imported; nothing listens at this address.
os.environ["STAGE"] = "local"
os.environ["SUPABASE_URL"] = "http://127.0.0.1:9"
os.environ["ALLOWED_ORIGINS"] = "http://localhost:3001"
os.environ["SUPABASE_PUBLISHABLE_KEY"] = "sb_publishable_unit_tests"
os.environ["SUPABASE_SECRET_KEY"] = "sb_secret_unit_tests"
os.environ["INCOMING_WEBHOOK_SECRETS"] = f"whsec_{'A' * 32}"
os.environ["PARTNER_URL"] = "http://127.0.0.1:9/webhooks"
os.environ["PARTNER_WEBHOOK_SECRETS"] = f"whsec_{'B' * 32}"

# A busy machine is no reason for a property to fail.
settings.register_profile("nexus", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("nexus")


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
