"""One dispatcher with all it holds: built once a process, run by wake-ups, the schedule and people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.dispatch.channels.choosing import create_channels
from functions.dispatch.events import Event
from functions.dispatch.notifier import Notifier
from functions.dispatch.partner import Partner
from functions.dispatch.queue import Queue
from functions.dispatch.service import Drained, Limits, drain
from functions.dispatch.settings import DispatchSettings
from shared.database import Gateway
from shared.metrics import count
from shared.observability import make_logger
from shared.service import service_gateway
from shared.webhooks import Signatures

_SOON_SECONDS = 60
"""What is due within a schedule's period needs a wake-up of its own."""


class Dispatcher:
    def __init__(
        self,
        *,
        database: Gateway,
        partner: Partner,
        notifier: Notifier,
        queue: Queue,
        limits: Limits,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._partner = partner
        self._notifier = notifier
        self._queue = queue
        self._limits = limits
        self._logger = logger
        self._metrics = metrics
        self._runner = asyncio.Runner()  # one loop for ever: the connections of its clients belong to it

    def wake(self, time_left: Callable[[], float]) -> Mapping[str, int]:
        """Deliver what is due. Raises Unavailable without the database; everything else is settled or comes
        back.
        """
        self._metrics.add_metric("Runs", MetricUnit.Count, 1)
        drained = self._runner.run(self._drain(time_left))
        if drained.unfinished:
            self._wake_up_in(0)
        elif drained.retry_in is not None and drained.retry_in < _SOON_SECONDS:
            self._wake_up_in(drained.retry_in)
        return dict(drained.outcomes)

    def tick(self, time_left: Callable[[], float]) -> Mapping[str, int]:
        """What the schedule does: deliver what no wake-up told of, pass dead letters on, and measure."""
        applied = self._database.rpc("apply_pending_webhooks")
        if applied:
            self._logger.info("pending webhooks", extra=dict(applied))
        outcomes = self.wake(time_left)
        self._pass_on_dead_letters()
        self._measure()
        return outcomes

    def redrive(self, event_ids: Sequence[str] | None, time_left: Callable[[], float]) -> Mapping[str, Any]:
        """Give dead events their whole schedule anew, those named or all of them, and begin with it."""
        answer = self._database.rpc(
            "redrive_events", {"p_event_ids": list(event_ids) if event_ids is not None else None}
        )
        self._logger.info("redrive", extra={name: len(ids) for name, ids in answer.items()})
        return {**answer, "outcomes": self.wake(time_left)}

    def dead(self) -> Any:
        """The events that `redrive` is for, the oldest first."""
        return self._database.rpc("dead_events")

    async def _drain(self, time_left: Callable[[], float]) -> Drained:
        return await drain(
            self._database,
            {"partner": self._partner.deliver, "notification": self._notifier.deliver},
            self._limits,
            time_left=time_left,
            report=self._report,
        )

    def _report(self, state: str, event: Event, known: Mapping[str, object]) -> None:
        self._logger.info(
            "delivery",
            extra={
                "state": state,
                "event_id": event.event_id,
                "event_type": event.event_type,
                "order_id": event.order_id,
                "correlation_id": event.correlation_id,
                **known,
            },
        )
        self._metrics.add_metric(f"Events{state.capitalize()}", MetricUnit.Count, 1)
        if "ms" in known:
            self._metrics.add_metric("DeliveryAttempts", MetricUnit.Count, 1)
            self._metrics.add_metric("DeliveryTime", MetricUnit.Milliseconds, float(str(known["ms"])))

    def _pass_on_dead_letters(self) -> None:
        letters = self._database.rpc("dead_letters")
        if not letters:
            return
        for letter in letters:
            self._logger.error("dead letter", extra=dict(letter))
        try:
            taken = self._queue.send_dead_letters(letters)
        except Exception as error:
            self._logger.warning("no dead-letter queue", extra={"error": type(error).__name__})
            return
        self._database.rpc("dead_letters", {"p_sent": taken})

    def _measure(self) -> None:
        state = self._database.rpc("outbox_state")
        self._metrics.add_metric("OutboxOpen", MetricUnit.Count, state["open"])
        self._metrics.add_metric("OutboxDead", MetricUnit.Count, state["dead"])
        self._metrics.add_metric("OutboxLag", MetricUnit.Seconds, state["lag_seconds"])
        sales = self._database.rpc("measure_sales")
        self._metrics.add_metric("Orders", MetricUnit.Count, sales["orders"])
        for code, number in sales["refusals"].items():
            count("dispatch", "Refusals", number, code=code)

    def _wake_up_in(self, seconds: float) -> None:
        try:
            self._queue.wake_up_in(seconds)
        except Exception as error:
            self._logger.warning("no wake-up", extra={"error": type(error).__name__})


def create_dispatcher(settings: DispatchSettings, metrics: Metrics) -> Dispatcher:
    database = service_gateway()
    return Dispatcher(
        database=database,
        partner=Partner(
            url=settings.partner_url,
            signatures=Signatures(settings.signing_secrets),
            timeout_seconds=settings.partner_timeout_seconds,
            on_laptop=not settings.deployed,
        ),
        notifier=Notifier(
            database, create_channels(settings), timeout_seconds=settings.partner_timeout_seconds
        ),
        queue=Queue(
            queue_url=settings.outbox_queue_url,
            dead_letter_url=settings.outbox_dead_letter_queue_url,
            endpoint_url=settings.aws_endpoint_url_sqs,
        ),
        limits=Limits(
            at_once=settings.dispatch_at_once,
            lease_seconds=settings.dispatch_lease_seconds,
            longest_delivery_seconds=settings.partner_timeout_seconds,
        ),
        logger=make_logger("dispatch", settings.log_level),
        metrics=metrics,
    )
