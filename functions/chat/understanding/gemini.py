"""Asking Gemini what a message means.

The answer is a claim about the patient's words and nothing else: what it may change is decided in `choosing`.
The model's library is imported with the first question, so that nobody waits for it who needs none.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError

from functions.chat.prompts import SYSTEM, prompt
from shared.circuit import Circuit, CircuitOpen

_ATTEMPTS = 2
_PAUSE_SECONDS = 0.25
_SHORTEST_ATTEMPT_SECONDS = 0.5
_LONGEST_ANSWER_TOKENS = 1024
_QUESTIONS_AT_ONCE = 4


class NamedMedicine(BaseModel):
    """One medicine that the message names."""

    said: str = Field(max_length=200)
    name: str = Field(max_length=100)
    strength: str | None = Field(default=None, max_length=20)
    amount: int | None = Field(default=None, ge=1, le=9999)
    unit: Literal["packs", "units"] = "packs"


class Claim(BaseModel):
    """What the model says a message means. There is no intent by which it could confirm anything."""

    intent: Literal[
        "order",
        "decline",
        "product_question",
        "question",
        "report",
        "for_someone_else",
        "red_flag",
        "greeting",
        "unclear",
    ]
    medicines: list[NamedMedicine] = Field(default_factory=list, max_length=20)


class ModelUnavailable(Exception):
    """Down, refusing or too slow; never a text of the provider."""

    def __init__(self, why: Literal["open", "slow", "down"]) -> None:
        super().__init__(why)
        self.why = why


class UnusableAnswer(Exception):
    """The model answered something that is no claim: nothing, no JSON, another shape, a safety block."""


@dataclass(frozen=True, slots=True)
class Answer:
    claim: Claim
    input_tokens: int
    output_tokens: int


class Gemini:
    """One model behind a budget of time and a circuit breaker, shared by all turns of a process."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        model: str,
        base_url: str,
        timeout_seconds: float,
        circuit: Circuit | None = None,
    ) -> None:
        self.model = model
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._circuit = circuit or Circuit()
        self._callers = ThreadPoolExecutor(_QUESTIONS_AT_ONCE, thread_name_prefix="gemini")

    def ask(self, masked_message: str) -> Answer:
        """What the message means. `masked_message` must be without personal data.

        Returns or raises within the budget: ModelUnavailable (`open`, `slow`, `down`), or UnusableAnswer.
        """
        try:
            with self._circuit.guard(ModelUnavailable):
                return self._within_budget(lambda deadline: self._attempts(masked_message, deadline))
        except CircuitOpen as error:
            raise ModelUnavailable("open") from error

    def _within_budget(self, question: Callable[[float], Answer]) -> Answer:
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

    def _attempts(self, masked_message: str, deadline: float) -> Answer:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._attempt(masked_message, deadline - time.monotonic())
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

    def _attempt(self, masked_message: str, seconds: float) -> Answer:
        if seconds <= 0:
            raise ModelUnavailable("slow")
        said = self._chat.invoke([("system", SYSTEM), ("human", prompt(masked_message))], timeout=seconds)
        raw = said["raw"]
        # LangChain's own parser completes an answer that was cut off, and half a number is another number.
        if raw.response_metadata.get("finish_reason") != "STOP":
            raise UnusableAnswer
        try:
            claim = Claim.model_validate_json(raw.text)
        except ValidationError:
            raise UnusableAnswer from None
        usage = raw.usage_metadata or {}
        return Answer(claim, usage.get("input_tokens", 0), usage.get("output_tokens", 0))

    @cached_property
    def _chat(self) -> Any:
        from langchain_google_genai import ChatGoogleGenerativeAI

        chat = ChatGoogleGenerativeAI(
            model=self.model,
            api_key=self._api_key,
            base_url=self._base_url,
            vertexai=False,
            max_tokens=_LONGEST_ANSWER_TOKENS,
            max_retries=1,  # attempts; ours know how much time is left
        )
        # `include_raw` gives us the answer to parse, and makes one that does not parse no exception.
        return chat.with_structured_output(Claim, method="json_schema", include_raw=True)


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
