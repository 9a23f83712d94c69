"""Building a deployment as an engineer does, but without network, credentials or a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra.local.settings import PROJECT

TEMPLATE = "cloudformation-template-update-stack.json"


def package(stage: str, into: Path) -> subprocess.CompletedProcess[str]:
    """`make package`, with the laptop's variables set. The packages must have been fetched before."""
    laptop = {
        "SUPABASE_URL": "http://laptop",
        "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_laptop",
        "SUPABASE_SECRET_KEY": "sb_secret_laptop",
        "SUPABASE_JWT_SECRET": "laptop-jwt-secret",
        "ACCOUNTS_KEY": "laptop-accounts-key",
        "ALLOWED_ORIGINS": "http://laptop",
        "LOG_LEVEL": "DEBUG",
        "NLU_MODE": "lexical",
        "OUTBOX_QUEUE_URL": "http://laptop/queue",
        "AWS_ENDPOINT_URL_SQS": "http://laptop",
        "OUTBOX_DEAD_LETTER_QUEUE_URL": "http://laptop/dead-letters",
        "PARTNER_URL": "http://laptop/webhooks",
        "PARTNER_WEBHOOK_SECRETS": "whsec_laptop",
        "INCOMING_WEBHOOK_SECRETS": "whsec_laptop",
        "NOTIFICATION_CHANNELS": "console,laptop",
        "DEMO_IDENTITY": "true",
        "RATE_LIMITS": "off",
    }
    rest = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(
        ["node", "node_modules/osls/bin/serverless.js", "package", "--stage", stage, "--package", str(into)],
        env={**rest, **laptop, **nowhere, "NEXUS_PYTHON": sys.executable},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
    )
