"""Asking Gemini something with an answer in a fixed form, within a budget of time.

The answer is a claim and nothing else: what it may change is the caller's to decide. The model's library is
imported with the first question, so that nobody waits for it who needs none.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from shared.circuit import Circuit, CircuitOpen

_ATTEMPTS = 2
_PAUSE_SECONDS = 0.25
_SHORTEST_ATTEMPT_SECONDS = 0.5
_QUESTIONS_AT_ONCE = 4

Content = TypeVar("Content", bound=BaseModel)
Message = tuple[Literal["system", "human"], str | list[str | dict[str, Any]]]
"""Who says it, and what: a text, or parts as LangChain writes them (texts, pictures)."""


class ModelUnavailable(Exception):
    """Down, refusing or too slow; never a text of the provider."""

    def __init__(self, why: Literal["open", "slow", "down"]) -> None:
        super().__init__(why)
        self.why = why


class UnusableAnswer(Exception):
    """The model answered something of another form: nothing, no JSON, another shape, a safety block."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Content]):
    content: Content
    input_tokens: int
    output_tokens: int


class Gemini(Generic[Content]):
    """One model behind a budget of time and a circuit breaker, shared by all requests of a process."""

    def __init__(
        self,
        form: type[Content],
        *,
        api_key: SecretStr,
        model: str,
        base_url: str,
        timeout_seconds: float,
        most_tokens: int = 1024,
        circuit: Circuit | None = None,
    ) -> None:
        self._form = form
        self._api_key = api_key
        self._model = model
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._most_tokens = most_tokens
        self._circuit = circuit or Circuit("gemini")
        self._callers = ThreadPoolExecutor(_QUESTIONS_AT_ONCE, thread_name_prefix="gemini")

    def ask(self, messages: Sequence[Message]) -> Answer[Content]:
        """The answer. The messages must be without personal data that may not leave.

        Returns or raises within the budget: ModelUnavailable (`open`, `slow`, `down`), or UnusableAnswer.
        """
        try:
            with self._circuit.guard(ModelUnavailable):
                return self._within_budget(lambda deadline: self._attempts(messages, deadline))
        except CircuitOpen as error:
            raise ModelUnavailable("open") from error

    def _within_budget(self, question: Callable[[float], Answer[Content]]) -> Answer[Content]:
        """A server that drips bytes outlasts every timeout of a client: the caller leaves at the deadline,
        and the question ends by itself in its thread.
        """
        deadline = time.monotonic() + self._timeout_seconds
        asked = self._callers.submit(contextvars.copy_context().run, question, deadline)
        try:
            return asked.result(timeout=self._timeout_seconds)
        except FutureTimeout as error:
            asked.cancel()
            raise ModelUnavailable("slow") from error

    def _attempts(self, messages: Sequence[Message], deadline: float) -> Answer[Content]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._attempt(messages, deadline - time.monotonic())
            except (ModelUnavailable, UnusableAnswer):
                raise
            except Exception as error:
                # The library raises errors of four packages; what matters is whether another try may help.
                pause = _pause_before_retry(error)
                left = deadline - time.monotonic() - (pause or 0)
                if attempt == _ATTEMPTS or pause is None or left < _SHORTEST_ATTEMPT_SECONDS:
                    raise ModelUnavailable("down") from error
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, messages: Sequence[Message], seconds: float) -> Answer[Content]:
        if seconds <= 0:
            raise ModelUnavailable("slow")
        said = self._chat.invoke(list(messages), timeout=seconds)
        raw = said["raw"]
        # LangChain's own parser completes an answer that was cut off, and half a number is another number.
        if raw.response_metadata.get("finish_reason") != "STOP":
            raise UnusableAnswer
        try:
            content = self._form.model_validate_json(raw.text)
        except ValidationError:
            raise UnusableAnswer from None
        usage = raw.usage_metadata or {}
        return Answer(content, usage.get("input_tokens", 0), usage.get("output_tokens", 0))

    @cached_property
    def _chat(self) -> Any:
        from langchain_google_genai import ChatGoogleGenerativeAI

        chat = ChatGoogleGenerativeAI(
            model=self._model,
            api_key=self._api_key,
            base_url=self._base_url,
            vertexai=False,
            max_tokens=self._most_tokens,
            max_retries=1,  # attempts; ours know how much time is left
        )
        # `include_raw` gives us the answer to parse, and makes one that does not parse no exception.
        return chat.with_structured_output(self._form, method="json_schema", include_raw=True)


def _pause_before_retry(error: BaseException) -> float | None:
    """Seconds to wait before another attempt, or None when it would change nothing."""
    seen: BaseException | None = error
    while seen is not None:
        code = getattr(seen, "code", None)
        if isinstance(code, int):
            if code != 429 and code < 500:
                return None
            headers = getattr(getattr(seen, "response", None), "headers", {})
            said = str(headers.get("retry-after", ""))
            return float(said) if said.isdigit() else _PAUSE_SECONDS
        seen = seen.__cause__
    return _PAUSE_SECONDS
