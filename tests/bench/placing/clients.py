"""Clients that do the same thing over and over, each by itself, until it was done so many times in all."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Done:
    """How long the clients took together, and each time by itself; in seconds."""

    seconds: float = 0
    each: list[float] = field(default_factory=list)

    @property
    def a_second(self) -> float:
        return len(self.each) / self.seconds

    def add(self, other: Done) -> None:
        self.seconds += other.seconds
        self.each += other.each


def let(clients: Sequence[Callable[[], object]], *, times: int) -> Done:
    """Have the clients do what they do `times` times in all. Raises what the first one to fail raised."""
    done = Done()
    turns = itertools.count()
    failures: list[BaseException] = []

    def work(client: Callable[[], object]) -> None:
        try:
            while next(turns) < times and not failures:
                started = time.perf_counter()
                client()
                done.each.append(time.perf_counter() - started)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[client]) for client in clients]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    return done


@dataclass(frozen=True)
class Way:
    """One way to do a thing, by several clients; `prepare` and `restore` are not measured."""

    clients: Sequence[Callable[[], object]]
    prepare: Callable[[], object] = lambda: None
    restore: Callable[[], object] = lambda: None

    def turn(self, times: int) -> Done:
        self.prepare()
        try:
            return let(self.clients, times=times)
        finally:
            self.restore()


@dataclass(frozen=True)
class Comparison:
    """Two ways, taken in turns, so that whatever else the machine does falls on both."""

    one: Done
    other: Done
    ratio: float
    """How often the one is done in the time of the other: the median over the rounds."""


def compare(one: Way, other: Way, *, times: int, rounds: int) -> Comparison:
    """Both in turns of so many times; which of them comes first changes. The first round is not counted."""
    totals = Done(), Done()
    ratios = []
    for number in range(rounds + 1):
        if number % 2:
            turn_of_one, turn_of_other = one.turn(times), other.turn(times)
        else:
            turn_of_other, turn_of_one = other.turn(times), one.turn(times)
        if number:
            totals[0].add(turn_of_one)
            totals[1].add(turn_of_other)
            ratios.append(turn_of_one.a_second / turn_of_other.a_second)
    return Comparison(*totals, ratio=statistics.median(ratios))
