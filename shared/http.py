"""The web side every function shares: one factory for its app, one place where errors become answers.

Errors are `application/problem+json` (RFC 9457) with a sentence for people in `error` and a stable `code`.
Request id, CORS and the body limit apply to every answer, including those to what no route expected.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools import Logger
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import correlation, deadline
from shared.errors import (
    BadRequest,
    FieldError,
    Invalid,
    MethodNotAllowed,
    NexusError,
    PayloadTooLarge,
    UnsupportedMediaType,
    error_with_status,
    title_of,
)
from shared.observability import make_logger, request_id_from
from shared.openapi import PROBLEM
from shared.settings import get_settings

JSON_BODY_LIMIT = 256 * 1024
"""Bytes. The largest JSON request there is (a long chat message) needs a twentieth of it."""

SET_COOKIES = "nexus.set_cookies"
"""Key of the ASGI scope: `Set-Cookie` values for the answer, whatever it will be."""

_EXPOSED_HEADERS = ("Link", "Retry-After", "ETag", "x-request-id")
_ACCEPTED_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "x-request-id")

ProblemRenderer = Callable[[Request, NexusError], Response]
ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]
LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def create_app(
    name: str,
    *routers: APIRouter,
    render_problem: ProblemRenderer | None = None,
    body_limit: int = JSON_BODY_LIMIT,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """A function's web app. Raises pydantic.ValidationError when the configuration forbids starting.

    `render_problem` is for the few routes whose clients need more (or other) than the plain problem body,
    `larger_bodies` names the paths that take more than `body_limit`, and how many bytes.
    """
    settings = get_settings()
    logger = make_logger(name, settings.log_level)
    render = render_problem or problem_response

    async def answer(request: Request, error: Exception) -> Response:
        problem = _as_nexus_error(error)
        if isinstance(problem, MethodNotAllowed):
            problem.headers = {**problem.headers, "Allow": ", ".join(_methods_at(request.scope, routers))}
        if problem.status >= 500:
            logger.error("failed", exc_info=error, extra={"code": problem.code})
        return render(request, problem)

    app = FastAPI(
        title=f"Nexus Pharmacy: {name}",
        openapi_url=None,  # the functions' documents are merged and served as one
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[
            Middleware(_Envelope, logger=logger),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_credentials=True,
                allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
                allow_headers=_ACCEPTED_HEADERS,
                expose_headers=_EXPOSED_HEADERS,
            ),
            # Innermost, so that the answer to an unexpected error still gets its CORS headers.
            Middleware(_LastResort, answer=answer, body_limit=body_limit, larger_bodies=larger_bodies or {}),
        ],
    )

    for kind in (NexusError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)
    for router in routers:
        app.include_router(router)
    return app


def lambda_handler(app: FastAPI) -> LambdaHandler:
    """The AWS Lambda entry point for an app, fed by API Gateway (HTTP API) events."""
    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, PROBLEM])


def problem_response(request: Request, error: NexusError, **members: Any) -> Response:
    """The answer to an error; `members` are added to its body."""
    body = {
        **members,
        **error.extra,
        "type": "about:blank",
        "title": title_of(error.status),
        "status": error.status,
        "detail": error.sentence,
        "instance": quote(request.scope["path"], errors="replace"),
        "error": error.sentence,
        "code": error.code,
    }
    return Response(
        json.dumps(body, default=str),  # pure ASCII: whatever was sent to us can be said back
        status_code=error.status,
        headers=dict(error.headers),
        media_type=PROBLEM,
    )


def _as_nexus_error(error: Exception) -> NexusError:
    if isinstance(error, NexusError):
        return error
    if isinstance(error, RequestValidationError):
        return _refused_input(error.errors())
    if isinstance(error, HTTPException):
        sentence = "The body could not be read." if error.status_code == 400 else None
        return error_with_status(error.status_code, sentence, headers=error.headers)
    return NexusError()


def _methods_at(scope: Scope, routers: Iterable[APIRouter]) -> list[str]:
    """What an address takes. The router itself only names the first route it finds there."""
    return sorted(
        {
            method
            for router in routers
            for route in router.routes
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
    )


def _refused_input(details: Iterable[Any]) -> NexusError:
    """Pydantic's findings as field errors, without the input itself: it may be personal."""
    found = list(details)
    if any(detail["type"] == "json_invalid" for detail in found):
        return BadRequest("The body is not valid JSON.", code="malformed_json")
    if any(isinstance(detail.get("input"), bytes) for detail in found):
        return UnsupportedMediaType()  # a body that was not declared to be JSON stays bytes
    return Invalid(
        errors=[
            FieldError(
                field=".".join(str(part) for part in detail["loc"][1:]) or str(detail["loc"][0]),
                message=_message(detail),
            )
            for detail in found
        ]
    )


def _message(detail: Any) -> str:
    message = str(detail["msg"])
    if detail["type"] in ("too_short", "too_long") and isinstance(detail["input"], str):
        # Pydantic counts the characters of a trimmed text as the items of a list.
        return message.partition(" after")[0].replace("Value", "String").replace("item", "character")
    return message.removeprefix("Value error, ")


class _Envelope:
    """Gives every exchange an id, the cookies noted for it, and one log line: route, status, milliseconds."""

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = request_id_from(Headers(scope=scope).get("x-request-id"))
        self._logger.set_correlation_id(request_id)
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                # Which origins may read an answer is in its headers: a cache keeps them apart.
                headers.setdefault("vary", "Origin")
                # Most of what is said here is somebody's health: nobody keeps it unless a route allows it.
                headers.setdefault("cache-control", "no-store")
                for cookie in scope.get(SET_COOKIES, ()):
                    headers.append("set-cookie", cookie)
            await send(message)

        with correlation.handling(request_id), deadline.within(_seconds_left(scope)):
            await self._app(scope, receive, send_with_id)
        self._logger.info(
            "request",
            extra={
                "method": scope["method"],
                "route": getattr(scope.get("route"), "path", None),
                "status": status,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )


def _seconds_left(scope: Scope) -> float | None:
    """Until Lambda stops the function; None where no Lambda is."""
    left = getattr(scope.get("aws.context"), "get_remaining_time_in_millis", None)
    return left() / 1000 if left else None


class _LastResort:
    """Refuses bodies that are too large, and answers what nothing else has: 500, with no internals."""

    def __init__(
        self, app: ASGIApp, answer: ErrorHandler, body_limit: int, larger_bodies: Mapping[str, int]
    ) -> None:
        self._app = app
        self._answer = answer
        self._body_limit = body_limit
        self._larger_bodies = larger_bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger_bodies.get(scope["path"], self._body_limit)
        received = 0
        answering = False

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413)
            return message

        async def send_and_note(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            if _declared_length(scope) > most:
                raise PayloadTooLarge()
            await self._app(scope, receive_within_limit, send_and_note)
        except Exception as error:
            if answering:
                raise
            response = await self._answer(Request(scope), error)
            await response(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0
