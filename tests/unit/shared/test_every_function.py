"""What holds for the web app of every function: how its router refuses."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from infra.openapi.merging import apps
from tests.unit.shared.fakes import client_of

APPS = apps()
FOUND = [
    (app, path, method, operation)
    for app in APPS.values()
    for path, operations in app.openapi()["paths"].items()
    for method, operation in operations.items()
]
OPERATIONS = [pytest.param(*found, id=f"{found[2].upper()} {found[1]}") for found in FOUND]


@pytest.mark.parametrize(("app", "path", "method", "operation"), OPERATIONS)
def test_a_wrong_method_is_405_and_says_the_right_ones(
    app: FastAPI, path: str, method: str, operation: dict[str, Any]
) -> None:
    right = sorted(name.upper() for name in app.openapi()["paths"][path])
    wrong = next(name for name in ("DELETE", "PATCH", "GET") if name not in right)

    answer = client_of(app).request(wrong, path.replace("{", "").replace("}", ""))

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"].split(", ") == right


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
@pytest.mark.parametrize("path", ["/", "/api", "/docs", "/api/products/MED001/reviews"])
def test_unknown_addresses_are_404(app: FastAPI, path: str) -> None:
    answer = client_of(app).get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
