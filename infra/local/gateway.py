"""The functions behind serverless-offline: real gateway events, real handlers, one URL."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from infra.local.definitions import read_definitions
from infra.local.demo import demo_patients, people_for_the_console
from infra.local.partner import partner_url
from infra.local.processes import Service, tail
from infra.local.queues import CREDENTIALS, dead_letter_url, outbox_url
from infra.local.settings import PROJECT, Keys, StackError, StackSettings

# Where a frontend in development usually runs; ALLOWED_ORIGINS replaces it.
FRONTEND_ORIGINS = "http://localhost:3000,http://localhost:3001,http://localhost:5173"


def start_gateway(settings: StackSettings, keys: Keys, *, schedules: bool) -> Service:
    """Start the gateway; the functions' processes start with their first requests. Without `schedules` no
    function runs by itself.
    """
    service = Service(
        "The gateway",
        [
            "node",
            str(PROJECT / "node_modules" / "osls" / "bin" / "serverless.js"),
            "offline",
            "start",
            "--stage",
            "local",
        ],
        log=settings.logs / "functions.log",
        env=_environment(settings, keys, schedules=schedules),
        cwd=PROJECT,
    )
    try:
        service.wait_until(lambda: _listens(settings.api.number), seconds=120)
    except BaseException:
        service.stop()
        raise
    return service


def warm_functions(settings: StackSettings) -> None:
    """Call the first route of every function once: the first real request then meets a running process.

    Any answer below 500 will do, as most routes refuse a caller without a token; another raises StackError.
    """
    routes = list(_first_routes())
    with ThreadPoolExecutor(max_workers=len(routes)) as callers:
        statuses = callers.map(lambda route: _status(settings.api_url, route), routes)
    failed = [
        f"{route.function} (HTTP {status})"
        for route, status in zip(routes, statuses, strict=True)
        if status >= 500
    ]
    if failed:
        log = settings.logs / "functions.log"
        raise StackError(f"These functions fail: {', '.join(failed)}. The end of {log}:\n{tail(log, 25)}")


@dataclass(frozen=True)
class _Route:
    function: str
    method: str
    path: str


def _first_routes() -> Iterator[_Route]:
    for definition in read_definitions():
        http = [event["httpApi"] for event in definition.events if "httpApi" in event]
        if http:
            method, path = http[0].split(" ")
            method = "GET" if method == "ANY" else method
            yield _Route(definition.name, method, path.replace("{", "").replace("}", ""))


def _status(api_url: str, route: _Route) -> int:
    request = urllib.request.Request(
        api_url + route.path,
        method=route.method,
        data=b"{}" if route.method == "POST" else None,
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def _environment(settings: StackSettings, keys: Keys, *, schedules: bool) -> dict[str, str]:
    """What infra/stages/local.yml reads. It hands the service key to the functions that have no user only."""
    defaults = {
        "ALLOWED_ORIGINS": FRONTEND_ORIGINS,
        "LOG_LEVEL": "INFO",
        "NLU_MODE": "auto",
        "NOTIFICATION_CHANNELS": "console",
        "PARTNER_URL": partner_url(settings),
    }
    return {
        **defaults,
        **{name: value for name, value in os.environ.items() if value},
        **CREDENTIALS,
        "SUPABASE_URL": settings.supabase_url,
        "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        "SUPABASE_JWT_SECRET": keys.jwt_secret,
        "ACCOUNTS_KEY": keys.accounts,
        "DEMO_PATIENTS": demo_patients(settings),
        "CONSOLE_DEMO": people_for_the_console(),
        "OUTBOX_QUEUE_URL": outbox_url(settings),
        "OUTBOX_DEAD_LETTER_QUEUE_URL": dead_letter_url(settings),
        "AWS_ENDPOINT_URL_SQS": settings.sqs_url,
        "SUPABASE_SECRET_KEY": keys.secret,
        "PARTNER_WEBHOOK_SECRETS": keys.partner_outgoing,
        "INCOMING_WEBHOOK_SECRETS": keys.partner_incoming,
        "NEXUS_WITHOUT_SCHEDULES": "false" if schedules else "true",
        "NEXUS_API_PORT": str(settings.api.number),
        "NEXUS_LAMBDA_PORT": str(settings.lambda_api.number),
        "NEXUS_PYTHON": sys.executable,
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
    }


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
