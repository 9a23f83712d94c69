"""What a function's OpenAPI document gets beyond what FastAPI finds in the code.

From `shared.openapi`: who may call a route and how it refuses. By itself: the errors that a body, a parameter
or a sign-in can lead to, and the headers that every answer has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.routing import BaseRoute

from shared.credentials import PATIENT_COOKIE, STAFF_COOKIE
from shared.errors import (
    BadRequest,
    Forbidden,
    Invalid,
    InvalidToken,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    title_of,
)
from shared.openapi import PROBLEM, Declaration, Problem, Refusal, Role, declaration_of

Json = dict[str, Any]

_UNDECLARED = Declaration((), (), Problem)

_SECURITY_SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `token` of a sign-in.",
    },
    "patient_cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": PATIENT_COOKIE,
        "description": "HttpOnly, set when a patient signs in. "
        "With a cookie, every method but GET needs an `Origin` that is allowed.",
    },
    "staff_cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": STAFF_COOKIE,
        "description": "The same, set when staff signs in.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks: over `webhook-id`, `webhook-timestamp` and the body.",
    },
}
_SCHEMES_OF: dict[Role, tuple[str, ...]] = {
    "patient": ("bearer", "patient_cookie"),
    "pharmacist": ("bearer", "staff_cookie"),
    "admin": ("bearer", "staff_cookie"),
    "partner": ("signature",),
}

_HEADERS: Json = {
    "x-request-id": {
        "description": "Of this exchange, sent or made here: name it when you report a problem",
        "required": True,
        "schema": {"type": "string", "examples": ["0f6f3a1c-7b5e-4f0c-9a51-c2a7d8e9b011"]},
    },
    "WWW-Authenticate": {
        "description": "How to identify oneself",
        "required": True,
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
    "Retry-After": {
        "description": "Seconds to wait",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$", "examples": ["5"]},
    },
}
_HEADERS_OF_STATUS = {"401": ["WWW-Authenticate"], "429": ["Retry-After"], "503": ["Retry-After"]}


def complete(described: Json, routes: Sequence[BaseRoute]) -> Json:
    """A function's document with what its routes need not say."""
    components = described.setdefault("components", {})
    schemas: Json = components.setdefault("schemas", {})
    for generated in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of a 422: never sent
        schemas.pop(generated, None)
    for route in iter_route_contexts(routes):
        if route.path is None or route.endpoint is None:
            continue
        declared = declaration_of(route.endpoint) or _UNDECLARED
        for method in route.methods or ():
            operation = described["paths"][route.path][method.lower()]
            operation["x-callers"] = list(declared.callers)
            operation["description"] = _described(operation, declared.callers)
            if "parameters" in operation:
                operation["parameters"] = [_without_null(each) for each in operation["parameters"]]
            operation["security"] = _security(declared.callers)
            operation["responses"] = _responses(operation, declared, route.path)
        schemas |= _schemas_of(declared.problem)
    return described


def _described(operation: Mapping[str, Any], callers: tuple[Role, ...]) -> str:
    whom = "everyone" if "guest" in callers else ", ".join(callers)
    return f"{operation.get('description', '')}\n\n*For: {whom}*".lstrip()


def _without_null(parameter: Json) -> Json:
    """An address or a header has no null: such a parameter is left out."""
    schema = dict(parameter["schema"])
    kinds = [each for each in schema.pop("anyOf", []) if each != {"type": "null"}]
    if len(kinds) != 1:
        return parameter
    return {**parameter, "schema": {**kinds[0], **schema}}


def _security(callers: tuple[Role, ...]) -> list[dict[str, list[str]]]:
    """Any one of these is enough; who may come as a guest needs none."""
    if "guest" in callers:
        return []
    return [{name: []} for name in dict.fromkeys(name for role in callers for name in _SCHEMES_OF[role])]


def _responses(operation: Mapping[str, Any], declared: Declaration, path: str) -> Json:
    responses = dict(operation["responses"])
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for given, response in responses.items():
        response["headers"] = {**_headers(given), **response.get("headers", {})}
        if response["description"] == "Successful Response":
            response["description"] = title_of(int(given))
    for status, errors in _by_status([*_usual_refusals(operation, declared), *declared.refusals]).items():
        responses.setdefault(status, _refusal(status, errors, declared.problem, path))
    return dict(sorted(responses.items()))


def _headers(status: str) -> Json:
    names = ["x-request-id", *_HEADERS_OF_STATUS.get(status, [])]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _usual_refusals(operation: Mapping[str, Any], declared: Declaration) -> list[Refusal]:
    parameters = operation.get("parameters", [])
    usual: list[Refusal] = []
    if "guest" not in declared.callers:
        usual += [Unauthenticated, InvalidToken, Forbidden, Unavailable]
    if "requestBody" in operation:
        usual += [BadRequest, PayloadTooLarge, UnsupportedMediaType, Invalid]
    if parameters:
        usual.append(Invalid)
    if any(parameter["in"] == "path" for parameter in parameters):
        usual.append(NotFound)
    return usual


def _by_status(refusals: Iterable[Refusal]) -> dict[str, list[Refusal]]:
    found: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        known = found.setdefault(str(refusal.status), [])
        if refusal.code not in [other.code for other in known]:
            known.append(refusal)
    for known in found.values():
        if len(known) > 1 and NotFound in known:
            known.remove(NotFound)  # what is missing has a code of its own
    return found


def _refusal(status: str, errors: list[Refusal], problem: type[Problem], path: str) -> Json:
    if problem is Problem and all(error in _COMMON.get(status, []) for error in errors):
        return {"$ref": f"#/components/responses/{_title(status)}"}
    return _described_refusal(status, errors, problem, path)


def _described_refusal(status: str, errors: Sequence[Refusal], problem: type[Problem], path: str) -> Json:
    content: Json = {"schema": {"$ref": f"#/components/schemas/{problem.__name__}"}}
    # What is common is shown once, in the components.
    shown = [error for error in errors if problem is Problem or error not in _COMMON.get(status, [])]
    if shown:
        content["examples"] = {error.code: {"value": _example(error, problem, path)} for error in shown}
    return {
        "description": ", ".join(f"`{error.code}`" for error in errors),
        "headers": _headers(status),
        "content": {PROBLEM: content},
    }


def _example(error: Refusal, problem: type[Problem], path: str) -> Json:
    return {
        "type": "about:blank",
        "title": title_of(error.status),
        "status": error.status,
        "detail": error.sentence,
        "instance": path,
        "error": error.sentence,
        "code": error.code,
        **{
            name: field.examples[0]
            for name, field in problem.model_fields.items()
            if name not in Problem.model_fields and field.examples
        },
    }


def _title(status: str) -> str:
    return title_of(int(status)).replace(" ", "")


def _schemas_of(model: type[BaseModel]) -> Json:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


_COMMON: dict[str, list[Refusal]] = _by_status(
    [
        BadRequest,
        Unauthenticated,
        InvalidToken,
        Forbidden,
        NotFound,
        PayloadTooLarge,
        UnsupportedMediaType,
        Invalid,
        TooManyRequests,
        Unavailable,
    ]
)

SHARED_COMPONENTS: dict[str, Json] = {
    "schemas": _schemas_of(Problem),
    "responses": {
        _title(status): _described_refusal(status, errors, Problem, "/api/...")
        for status, errors in _COMMON.items()
    },
    "headers": _HEADERS,
    "securitySchemes": _SECURITY_SCHEMES,
}
"""What every function's document may refer to."""
