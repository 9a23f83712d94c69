"""Everything that can go wrong for a caller, as one small exception tree.

    NexusError                500  internal
    ├── BadRequest            400  bad_request
    ├── Unauthenticated       401  unauthenticated
    │   ├── InvalidToken           invalid_token
    │   └── InvalidCredentials     invalid_credentials
    ├── Forbidden             403  forbidden
    ├── NotFound              404  not_found
    ├── MethodNotAllowed      405  method_not_allowed
    ├── Conflict              409  conflict
    ├── PayloadTooLarge       413  payload_too_large
    ├── UnsupportedMediaType  415  unsupported_media_type
    ├── Invalid               422  validation_failed
    ├── TooManyRequests       429  rate_limited
    └── Unavailable           503  unavailable

Services raise these and know nothing of HTTP responses; `shared.http` is the one place that turns
them into `application/problem+json`. The sentence is shown to people: it names no internals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of the request that was refused. `field` is a dotted path: `items.0.quantity`."""

    field: str
    message: str


class NexusError(Exception):
    """Base of every error with a meaning for the caller.

    `code` is stable and for programs; the sentence is for people and may change.
    `extra` are further top-level members of the error body, such as `findings`.
    """

    status: ClassVar[int] = 500
    code: str = "internal"
    sentence: str = "Something went wrong on our side. Please try again."
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        sentence: str | None = None,
        *,
        code: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.sentence = sentence or self.sentence
        self.code = code or self.code
        self.extra = dict(extra or {})
        self.headers = {**self.headers, **(headers or {})}
        super().__init__(self.sentence)


class BadRequest(NexusError):
    status = 400
    code = "bad_request"
    sentence = "The request could not be read."


class Unauthenticated(NexusError):
    status = 401
    code = "unauthenticated"
    sentence = "Please sign in."
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class InvalidToken(Unauthenticated):
    code = "invalid_token"
    sentence = "Your session has ended. Please sign in again."
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer error="invalid_token"'})


class InvalidCredentials(Unauthenticated):
    code = "invalid_credentials"
    sentence = "That sign-in and password do not match."


class Forbidden(NexusError):
    status = 403
    code = "forbidden"
    sentence = "You may not do this."


class NotFound(NexusError):
    status = 404
    code = "not_found"
    sentence = "There is nothing here."


class MethodNotAllowed(NexusError):
    status = 405
    code = "method_not_allowed"
    sentence = "This address does not take that method."


class Conflict(NexusError):
    status = 409
    code = "conflict"
    sentence = "This clashes with what is already stored."


class PayloadTooLarge(NexusError):
    status = 413
    code = "payload_too_large"
    sentence = "The request is too large."


class UnsupportedMediaType(NexusError):
    status = 415
    code = "unsupported_media_type"
    sentence = "Send JSON, with the header Content-Type: application/json."


class Invalid(NexusError):
    """A readable request whose content was refused; `errors` says which fields and why."""

    status = 422
    code = "validation_failed"
    sentence = "Some of the fields are not valid."

    def __init__(
        self, sentence: str | None = None, *, errors: Sequence[FieldError] = (), **details: Any
    ) -> None:
        super().__init__(sentence, **details)
        if errors:
            self.extra["errors"] = [{"field": error.field, "message": error.message} for error in errors]


class TooManyRequests(NexusError):
    status = 429
    code = "rate_limited"
    headers = MappingProxyType({"Retry-After": "60"})
    sentence = "That was too often. Please wait a moment."


class Unavailable(NexusError):
    status = 503
    code = "unavailable"
    sentence = "This is not available right now. Please try again shortly."
    headers = MappingProxyType({"Retry-After": "5"})


_BY_STATUS: dict[int, type[NexusError]] = {
    kind.status: kind for kind in NexusError.__subclasses__() if kind.status != NexusError.status
}


_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""RFC 9110's; older Pythons know their former names."""


def title_of(status: int) -> str:
    """What a status is called, the same on every Python."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def error_with_status(
    status: int,
    sentence: str | None = None,
    *,
    code: str | None = None,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> NexusError:
    """The error for an HTTP status decided elsewhere: by the router, or by an SQL function.

    A 4xx without a class of its own becomes a `BadRequest`, whatever is left a plain `NexusError`.
    """
    kind = _BY_STATUS.get(status, BadRequest if 400 <= status < 500 else NexusError)
    return kind(sentence, code=code, extra=extra, headers=headers)
