"""The API's document: it is what the code says, it leaves no route out, and it says enough of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from infra.openapi.merging import FILE, TAGS, Clash, add_named, apps, document, written
from shared.credentials import maybe_signed_in, signed_in
from shared.http import create_app
from shared.openapi import Role
from tests.contract.document import OPERATIONS, Operation, gateway_routes, without_names

DOCUMENT = document()
EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_the_document_is_what_the_code_says() -> None:
    assert FILE.read_text("utf-8") == written(DOCUMENT), "run `make openapi`"


def test_what_the_gateway_routes_and_what_is_described_is_the_same() -> None:
    described = {(each.method, without_names(each.path)) for each in OPERATIONS}
    routed = {(method, path) for _, method, path in gateway_routes()}

    assert {path for _, path in routed} == {path for _, path in described}
    for method, path in routed:
        if method != "ANY":
            assert (method, path) in described


@pytest.mark.parametrize("name", apps())
def test_no_route_is_kept_out_of_the_document(name: str) -> None:
    routes = list(iter_route_contexts(apps()[name].routes))

    assert routes
    for route in routes:
        for method in route.methods or ():
            assert route.path in DOCUMENT["paths"], f"{route.path} is not described"
            assert method.lower() in DOCUMENT["paths"][route.path]


@EVERY_OPERATION
def test_it_is_said_who_may_call(operation: Operation) -> None:
    assert operation.callers, "declare it with @callable_by(...)"
    assert operation.callers <= set(get_args(Role))
    assert operation.spec["security"] == [] if "guest" in operation.callers else operation.spec["security"]


@EVERY_OPERATION
def test_whoever_must_sign_in_is_asked_to(operation: Operation) -> None:
    """The declaration agrees with what the route depends on."""
    asks = set(_dependencies(_dependant(operation)))
    if "guest" in operation.callers or "partner" in operation.callers:
        assert signed_in not in asks
    else:
        assert signed_in in asks or maybe_signed_in in asks


@EVERY_OPERATION
def test_an_operation_is_described(operation: Operation) -> None:
    spec = operation.spec

    assert spec["summary"]
    assert not spec["description"].startswith("*For:"), "give the route a docstring"
    assert spec["tags"]
    assert set(spec["tags"]) <= set(TAGS), "describe the tag in infra/openapi/merging.py"
    for parameter in spec.get("parameters", []):
        assert parameter["schema"].get("examples") or parameter.get("description"), parameter["name"]


@EVERY_OPERATION
def test_an_operation_tells_its_answers(operation: Operation) -> None:
    answers = {status: operation.resolve(answer) for status, answer in operation.spec["responses"].items()}

    assert set(answers) & {"200", "201", "202", "204"}
    assert "default" not in answers
    for status, answer in answers.items():
        assert answer["description"]
        assert answer["headers"]["x-request-id"], status
        for media_type, content in answer.get("content", {}).items():
            assert content.get("schema"), f"{status} {media_type}: no schema"
    if "guest" not in operation.callers:
        assert {"401"} <= set(answers)


@EVERY_OPERATION
def test_every_example_is_right(operation: Operation) -> None:
    for answer in operation.spec["responses"].values():
        for content in operation.resolve(answer).get("content", {}).values():
            for name, example in content.get("examples", {}).items():
                assert operation.errors_of(example["value"], content["schema"]) == [], name
    if operation.media_type:
        assert operation.errors_of(operation.body(), operation.body_schema) == []
    assert "{" not in operation.address({})


def test_operations_have_names_of_their_own() -> None:
    names = [operation.spec["operationId"] for operation in OPERATIONS]

    assert len(names) == len(set(names))


def test_two_functions_cannot_mean_different_things_by_one_name() -> None:
    known: dict[str, Any] = {"Order": {"type": "object"}}

    add_named(known, {"Order": {"type": "object"}}, "refills")
    with pytest.raises(Clash, match="Order of refills"):
        add_named(known, {"Order": {"type": "string"}}, "refills")


def test_an_undeclared_route_stands_out() -> None:
    from infra.openapi.completing import complete

    router = APIRouter()
    router.get("/api/forgotten")(lambda: None)
    app = create_app("forgetful", router)

    described = complete(app.openapi(), app.routes)

    assert described["paths"]["/api/forgotten"]["get"]["x-callers"] == []


def _dependant(operation: Operation) -> Dependant:
    for app in apps().values():
        for route in iter_route_contexts(app.routes):
            if route.path == operation.path and operation.method in (route.methods or ()):
                found: Dependant = route.dependant
                return found
    raise AssertionError(f"no function serves {operation.name}")


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _dependencies(each)
