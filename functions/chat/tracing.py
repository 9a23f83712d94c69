"""One Langfuse trace a turn, under the turn's own trace id: the steps, the model, the decision and scores.

Off without keys; then Langfuse is not even imported. What is traced is built here from codes, product ids and
counts. The only words of the patient are those of a masked message that a model was asked about.

Nothing here may cost a turn: spans are queued and sent by threads. Lambda freezes a process once it has
answered, so a turn gives the sending a moment (`_GRACE_SECONDS`) before it ends. What has not left by then
leaves during the next turn, or is lost with the environment; a receiver that hangs is waited for once, not in
every turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.chat.understanding.choosing import Asked
from shared.observability import mask
from shared.settings import Settings, get_settings

if TYPE_CHECKING:
    from langfuse import Langfuse

_GRACE_SECONDS = 0.02
_TIMEOUT_SECONDS = 2
Record = Callable[[Mapping[str, Any]], None]


class TurnTrace:
    """The trace of one turn. This one records nothing: tracing is off."""

    @contextmanager
    def step(self, name: str) -> Iterator[Record]:
        """A span around one node of the graph; call what it yields with what came out."""
        del name
        yield lambda _: None

    @contextmanager
    def generation(self, model: str, masked_message: str) -> Iterator[Callable[[Asked], None]]:
        """A span around one question to a model."""
        del model, masked_message
        yield lambda _: None

    def finish(self, decision: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        """End the trace, with the turn's decision and numbers between 0 and 1 about it."""


class LangfuseTrace(TurnTrace):
    """Written to Langfuse. An error in here is an untraced turn, never a failed one."""

    def __init__(self, sender: Sender, trace_id: UUID) -> None:
        self._sender = sender
        self._trace_id = trace_id.hex
        self._root: Any = None
        self._step: Any = None
        with suppress(Exception):
            self._root = sender.client.start_observation(
                name="chat-turn", as_type="agent", trace_context={"trace_id": self._trace_id}
            )

    @contextmanager
    def step(self, name: str) -> Iterator[Record]:
        with self._observation(self._root, name=name, as_type="span") as observation:
            self._step = observation

            def record(output: Mapping[str, Any]) -> None:
                with suppress(Exception):
                    observation.update(output=dict(output))

            yield record

    @contextmanager
    def generation(self, model: str, masked_message: str) -> Iterator[Callable[[Asked], None]]:
        known = {"model": model, "input": masked_message}
        with self._observation(self._step, name="understand", as_type="generation", **known) as observation:

            def record(asked: Asked) -> None:
                with suppress(Exception):
                    observation.update(**_claimed(asked))

            yield record

    def finish(self, decision: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        with suppress(Exception):
            self._root.update(output=dict(decision))
            self._root.end()
            for name, value in scores.items():
                self._sender.client.create_score(
                    trace_id=self._trace_id, name=name, value=float(value), data_type="NUMERIC"
                )
        self._sender.send()

    @contextmanager
    def _observation(self, parent: Any, **known: Any) -> Iterator[Any]:
        started: list[Any] = []
        with suppress(Exception):
            started.append(parent.start_observation(**known))
        try:
            yield started[0] if started else None
        finally:
            with suppress(Exception):
                started[0].end()


class Sender:
    """Langfuse's client, with sending that takes at most `_GRACE_SECONDS` of a turn."""

    def __init__(self, client: Langfuse) -> None:
        self.client = client
        self._sent = threading.Event()
        self._sent.set()

    def send(self) -> None:
        if not self._sent.is_set():
            return  # still busy with an earlier turn; this one's spans are queued behind it
        self._sent.clear()
        threading.Thread(target=self._flush, name="langfuse-flush", daemon=True).start()
        self._sent.wait(_GRACE_SECONDS)

    def _flush(self) -> None:
        try:
            with suppress(Exception):
                self.client.flush()
        finally:
            self._sent.set()


@lru_cache(maxsize=1)
def get_sender() -> Sender | None:
    """Langfuse as the settings say, None without keys. Takes a moment: call it while the process starts."""
    return make_sender(get_settings())


def make_sender(settings: Settings) -> Sender | None:
    if not settings.langfuse_public_key or not settings.langfuse_secret_key:
        return None
    from langfuse import Langfuse
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    return Sender(
        Langfuse(
            public_key=settings.langfuse_public_key.get_secret_value(),
            secret_key=settings.langfuse_secret_key.get_secret_value(),
            base_url=settings.langfuse_base_url,
            timeout=_TIMEOUT_SECONDS,
            environment=settings.stage,
            mask=_mask,
            # Its own provider: spans of other libraries in this process are none of Langfuse's business.
            tracer_provider=TracerProvider(resource=Resource({"service.name": "chat"})),
        )
    )


def start_trace(trace_id: UUID, sender: Sender | None) -> TurnTrace:
    return LangfuseTrace(sender, trace_id) if sender else TurnTrace()


def _mask(*, data: Any, **_: Any) -> Any:
    return mask(data)


def _claimed(asked: Asked) -> dict[str, Any]:
    """What came of a question, without the model's words: it may repeat the patient."""
    if asked.answer is None:
        return {"output": {"outcome": asked.outcome}, "level": "WARNING"}
    claim = asked.answer.content
    return {
        "output": {"intent": claim.intent, "medicines": len(claim.medicines)},
        "usage_details": {"input": asked.answer.input_tokens, "output": asked.answer.output_tokens},
    }
