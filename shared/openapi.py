"""What a route says about itself in the API's description: who may call it, and how it refuses.

Nothing here grants or forbids anything: the database does, and the tests hold it to what is declared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from shared.errors import Conflict, Invalid, NexusError

PROBLEM = "application/problem+json"

Role = Literal["guest", "patient", "pharmacist", "admin", "partner"]

ANYONE: tuple[Role, ...] = ("guest", "patient", "pharmacist", "admin")
PATIENT: tuple[Role, ...] = ("patient",)
PHARMACIST: tuple[Role, ...] = ("pharmacist",)
ADMIN: tuple[Role, ...] = ("admin",)
STAFF: tuple[Role, ...] = ("pharmacist", "admin")
PATIENT_OR_STAFF: tuple[Role, ...] = ("patient", "pharmacist", "admin")
"""A patient for themselves, staff for any patient."""
PATIENT_OR_ADMIN: tuple[Role, ...] = ("patient", "admin")
"""A patient for themselves, an admin for any patient."""
PARTNER: tuple[Role, ...] = ("partner",)
"""The fulfilment partner, known by the signature of the message."""

REQUEST_IN_PROGRESS = Conflict("The same request is still being worked on.", code="request_in_progress")
IDEMPOTENCY_KEY_REUSED = Invalid(
    "This idempotency key was used for another request.", code="idempotency_key_reused"
)
"""What an `Idempotency-Key` can lead to."""

Refusal = type[NexusError] | NexusError
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class DescribedAs:
    """Shows JSON as `model` in the API's document. Nothing is checked by it: the JSON was made elsewhere."""

    model: Any

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(TypeAdapter(self.model).core_schema)


class FieldProblem(BaseModel):
    field: str = Field(description="Dotted path", examples=["items.0.quantity"])
    message: str = Field(examples=["Input should be greater than or equal to 1"])


class Problem(BaseModel):
    """What went wrong, in the form of RFC 9457."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(examples=["There is no such product."])
    instance: str = Field(description="Path of the request", examples=["/api/products/MED999"])
    error: str = Field(
        description="`detail` again: one sentence to show a person", examples=["There is no such product."]
    )
    code: str = Field(description="Stable, for programs", examples=["product_not_found"])
    errors: list[FieldProblem] = Field(default=[], description="Of a 422: which fields, and why")


@dataclass(frozen=True, slots=True)
class Declaration:
    callers: tuple[Role, ...]
    refusals: tuple[Refusal, ...]
    problem: type[Problem]


_DECLARATIONS: dict[Callable[..., Any], Declaration] = {}


def callable_by(
    callers: tuple[Role, ...], *refusals: Refusal, problem: type[Problem] = Problem
) -> Callable[[Endpoint], Endpoint]:
    """Declare, under a route's own decorator, who may call it and what it refuses beyond the usual.

    `refusals` are error classes, or errors for a code and sentence of their own. `problem` is the form of
    this route's errors when they have further members. What the decorator gives in `responses` wins.

    The usual is: 401, 403 and 503 for whoever must be signed in, 400, 413, 415 and 422 with a body, 422 with
    parameters, 404 with a parameter in the path.
    """

    def declare(endpoint: Endpoint) -> Endpoint:
        _DECLARATIONS[endpoint] = Declaration(callers, refusals, problem)
        return endpoint

    return declare


def declaration_of(endpoint: Callable[..., Any]) -> Declaration | None:
    return _DECLARATIONS.get(endpoint)
