"""The circuit breaker, with a clock of its own."""

from __future__ import annotations

import pytest

from shared.circuit import Circuit, CircuitOpen, states


class Down(Exception):
    pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Down), circuit.guard(Down):
            raise Down


def succeed(circuit: Circuit) -> None:
    with circuit.guard(Down):
        pass


def test_it_opens_after_five_failures_in_a_row() -> None:
    circuit = Circuit(clock=Clock())
    fail(circuit, 4)
    succeed(circuit)
    fail(circuit, 5)

    with pytest.raises(CircuitOpen):
        succeed(circuit)


def test_after_a_minute_one_caller_tries_for_all() -> None:
    clock = Clock()
    circuit = Circuit(clock=clock)
    fail(circuit, 5)
    clock.now = 60

    with circuit.guard(Down), pytest.raises(CircuitOpen):
        succeed(circuit)

    succeed(circuit)


def test_a_trial_that_fails_keeps_it_open_for_another_minute() -> None:
    clock = Clock()
    circuit = Circuit(clock=clock)
    fail(circuit, 5)
    clock.now = 60
    fail(circuit)
    clock.now = 119

    with pytest.raises(CircuitOpen):
        succeed(circuit)
    clock.now = 120
    succeed(circuit)


def test_its_state_can_be_told() -> None:
    clock = Clock()
    circuit = Circuit("for this test", clock=clock)
    told = [states()["for this test"]]
    fail(circuit, 5)
    told.append(circuit.state)
    clock.now = 60
    told.append(circuit.state)
    with circuit.guard(Down):
        told.append(circuit.state)
    told.append(circuit.state)

    assert told == ["closed", "open", "half_open", "half_open", "closed"]


def test_who_is_turned_away_learns_for_how_long() -> None:
    clock = Clock()
    circuit = Circuit(clock=clock)
    fail(circuit, 5)
    clock.now = 20

    with pytest.raises(CircuitOpen) as refused:
        succeed(circuit)

    assert refused.value.seconds == 40


def test_that_it_opens_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    circuit = Circuit("gemini", clock=clock)
    fail(circuit, 5)
    clock.now = 60
    fail(circuit)

    assert caplog.messages == ["circuit opened"]


def test_other_exceptions_show_that_it_answers() -> None:
    circuit = Circuit(clock=Clock())
    fail(circuit, 4)
    with pytest.raises(ValueError, match="ours"), circuit.guard(Down):
        raise ValueError("ours")
    fail(circuit, 4)

    succeed(circuit)
