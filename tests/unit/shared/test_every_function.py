"""What holds for the web app of every function: refusals of the router, and a description worth merging."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from functions.accounts.handler import app as accounts
from functions.catalog.handler import app as catalog
from functions.health.handler import app as health
from functions.orders.handler import app as orders
from functions.prescriptions.handler import app as prescriptions
from tests.unit.shared.fakes import client_of

APPS = {
    "accounts": accounts,
    "catalog": catalog,
    "health": health,
    "orders": orders,
    "prescriptions": prescriptions,
}
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
    answer = client_of(app).delete(path.replace("{", "").replace("}", ""))

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"].split(", ") == sorted(
        name.upper() for name in app.openapi()["paths"][path]
    )


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
@pytest.mark.parametrize("path", ["/", "/api", "/openapi.json", "/docs", "/api/products/MED001/reviews"])
def test_unknown_addresses_are_404(app: FastAPI, path: str) -> None:
    answer = client_of(app).get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("app", "path", "method", "operation"), OPERATIONS)
def test_every_operation_is_described(
    app: FastAPI, path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["tags"]
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    success = next(answer for status, answer in operation["responses"].items() if status in ("200", "201"))
    assert success["content"]["application/json"]["schema"] != {}


def test_operations_of_different_functions_have_different_ids() -> None:
    ids = [operation["operationId"] for *_, operation in FOUND]

    assert len(ids) == len(set(ids))
