"""A circuit breaker: what keeps failing is left alone for a while instead of being waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class CircuitOpen(Exception):
    """The guarded thing has failed too often lately and was not tried."""


class Circuit:
    """Opens after `failures` failures in a row; `rest_seconds` later one caller tries again (half-open), and
    what that one meets decides for all. One instance guards one thing, for all threads of a process.
    """

    def __init__(
        self, *, failures: int = 5, rest_seconds: float = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_failures = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._next_trial_at = 0.0

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
            if self._clock() < self._next_trial_at:
                raise CircuitOpen
            self._next_trial_at = self._clock() + self._rest_seconds  # the others wait for this trial

    def _fail(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._most_failures:
                self._next_trial_at = self._clock() + self._rest_seconds

    def _succeed(self) -> None:
        with self._lock:
            self._failures = 0
