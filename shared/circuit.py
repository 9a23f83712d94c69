"""A circuit breaker: what keeps failing is left alone for a while instead of being waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Literal
from weakref import WeakValueDictionary

FAILURES = 5
REST_SECONDS = 60.0

_named: WeakValueDictionary[str, Circuit] = WeakValueDictionary()

State = Literal["closed", "open", "half_open"]
"""`closed`: it is called. `open`: it is left alone. `half_open`: one caller tries for all."""


class CircuitOpen(Exception):
    """The guarded thing has failed too often lately and was not tried; somebody may in so many `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Circuit:
    """Opens after `failures` failures in a row; `rest_seconds` later one caller tries again (half-open), and
    what that one meets decides for all. One instance guards one thing, for all threads of a process; with a
    name, its opening is logged and counted.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        failures: int = FAILURES,
        rest_seconds: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._most_failures = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._next_trial_at = 0.0
        self._trying = False
        if name:
            _named[name] = self

    @property
    def state(self) -> State:
        with self._lock:
            if self._failures < self._most_failures:
                return "closed"
            return "half_open" if self._trying or self._clock() >= self._next_trial_at else "open"

    @contextmanager
    def guard(self, *failures: type[Exception]) -> Iterator[None]:
        """Run the body unless the circuit is open, then raise CircuitOpen. Only exceptions of the given types
        are failures of the guarded thing; any other outcome shows that it answers.
        """
        self._enter()
        try:
            yield
        except failures:
            self._fail()
            raise
        except BaseException:
            self._succeed()
            raise
        self._succeed()

    def _enter(self) -> None:
        with self._lock:
            if self._failures < self._most_failures:
                return
            now = self._clock()
            if now < self._next_trial_at:
                raise CircuitOpen(self._next_trial_at - now)
            self._next_trial_at = now + self._rest_seconds  # the others wait for this trial
            self._trying = True

    def _fail(self) -> None:
        with self._lock:
            self._failures += 1
            self._trying = False
            if self._failures >= self._most_failures:
                self._next_trial_at = self._clock() + self._rest_seconds
            opened = self._failures == self._most_failures
        if opened and self.name:
            _tell(self.name)

    def _succeed(self) -> None:
        with self._lock:
            self._failures = 0
            self._trying = False


def states() -> dict[str, State]:
    """The state of each circuit with a name that this process has."""
    return {name: circuit.state for name, circuit in sorted(_named.items())}


def _tell(name: str) -> None:
    # Imported here: nothing of it is needed while all is well.
    from shared.metrics import count
    from shared.observability import make_logger

    make_logger("circuits", "INFO").warning("circuit opened", extra={"circuit": name})
    count("circuits", "CircuitOpened")
