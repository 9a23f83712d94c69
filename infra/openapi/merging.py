"""The descriptions of all functions as one OpenAPI document."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from infra.openapi.completing import SHARED_COMPONENTS, complete

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "functions" / "health" / "openapi.json"

TAGS = {
    "accounts": "Registering and signing in",
    "patients": "A patient's profile",
    "catalogue": "The medicines, open to everyone",
    "chat": "The pharmacy agent, and what it said, checked and decided",
    "orders": "Orders of a patient",
    "prescriptions": "Prescriptions of a patient",
    "refills": "What runs out when, and ordering it again",
    "staff: orders": "All orders",
    "staff: refills": "Medicines that run out, and the scan that finds them",
    "staff: inventory": "The shelf, lot by lot",
    "staff: patients": "What patients want changed that a pharmacist decides",
    "staff: prescriptions": "The pharmacists' desk",
    "staff: rules": "Versions of the clinical rules",
    "staff: decisions": "What was checked and decided, of anybody",
    "staff: service": "How the service has been doing, and its outbox",
    "webhooks": "What the warehouse partner reports",
    "health": "Whether the service answers, and this document",
}
"""In the order in which they are shown."""

_INFO = {
    "title": "Nexus Pharmacy",
    "version": "1.0.0",
    "description": """\
Money is a JSON number in INR with at most two decimals; a time is ISO 8601 in UTC.

**Who is calling** is told by `Authorization: Bearer` or by the cookie of a sign-in. A `patient_id` must be
the caller's own, unless the caller is staff. `x-callers` of an operation says who may call it.

**Errors** are `application/problem+json` (RFC 9457) with one sentence for people in `error` and a stable
`code`; a 422 names the fields in `errors`. Every answer carries `x-request-id`.

**Idempotency-Key**: the same key with the same body gets the first answer again; 422 with another body, 409
while the first is still running.
""",
}


class Clash(Exception):
    """Two functions describe something different under one name."""


def document() -> dict[str, Any]:
    """The merged document. Raises Clash."""
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {kind: dict(named) for kind, named in SHARED_COMPONENTS.items()}
    version = ""
    for function, app in apps().items():
        described = complete(app.openapi(), app.routes)
        version = described["openapi"]
        add_named(paths, described["paths"], function)
        for kind, named in described["components"].items():
            add_named(components[kind], named, function)
    return {
        "openapi": version,
        "info": _INFO,
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": _untitled(dict(sorted(paths.items()))),
        "components": _untitled({kind: dict(sorted(named.items())) for kind, named in components.items()}),
    }


def apps() -> dict[str, Any]:
    """The web app of every function that has one, by the function's name."""
    # Imported by name: the infrastructure knows of no function in particular.
    names = sorted(path.parent.name for path in PROJECT.glob("functions/*/routes.py"))
    handlers = {name: importlib.import_module(f"functions.{name}.handler") for name in names}
    return {name: handler.app for name, handler in handlers.items()}


def written(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _untitled(part: Any) -> Any:
    """Without the titles that pydantic makes of names: "Order Id" says no more than `order_id`."""
    if isinstance(part, dict):
        return {
            key: value if key in ("value", "example", "examples") else _untitled(value)
            for key, value in part.items()
            if key != "title" or not isinstance(value, str)
        }
    return [_untitled(item) for item in part] if isinstance(part, list) else part


def add_named(known: dict[str, Any], named: dict[str, Any], function: str) -> None:
    for name, content in named.items():
        if known.setdefault(name, content) != content:
            raise Clash(f"{name} of {function} means something else in another function: rename one of them.")
