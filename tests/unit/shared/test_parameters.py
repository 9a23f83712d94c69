"""A secret by reference is fetched when it is used, kept for a while, and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters as powertools
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from shared import parameters
from shared.errors import Unavailable
from shared.parameters import Secret


class Store:
    """Stands for SSM behind Powertools: values by name, or an error for everything."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.down = False
        self.asked: list[str] = []

    def get_parameter(self, name: str, **options: Any) -> str:
        self.asked.append(name)
        assert options == {"decrypt": True, "max_age": 300}
        if self.down:
            raise GetParameterError("Could not connect")
        if name not in self.values:
            raise GetParameterError(f"An error occurred (ParameterNotFound): {name}")
        return self.values[name]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    parameters.forget()
    found = Store()
    monkeypatch.setattr(powertools, "get_parameter", found.get_parameter)
    yield found
    parameters.forget()


def test_a_value_is_itself_and_asks_nobody(store: Store) -> None:
    assert Secret("the-key").get_secret_value() == "the-key"
    assert store.asked == []


def test_a_reference_is_what_the_store_says_now(store: Store) -> None:
    key = Secret("ssm:/nexus/prod/key")
    store.values["/nexus/prod/key"] = "old"
    assert key.get_secret_value() == "old"

    store.values["/nexus/prod/key"] = "rotated"
    assert key.get_secret_value() == "rotated"


def test_a_parameter_that_is_not_there_is_no_secret(store: Store) -> None:
    assert not Secret("ssm:/nexus/prod/none")
    assert Secret("ssm:/nexus/prod/none").get_secret_value() == ""


def test_while_the_store_is_down_the_last_known_value_counts(store: Store) -> None:
    key = Secret("ssm:/nexus/prod/key")
    store.values["/nexus/prod/key"] = "known"
    key.get_secret_value()

    store.down = True

    assert key.get_secret_value() == "known"
    with pytest.raises(Unavailable):
        Secret("ssm:/nexus/prod/other").get_secret_value()


def test_neither_a_secret_nor_its_place_is_shown(store: Store) -> None:
    store.values["/nexus/prod/key"] = "the-key"
    key = Secret("ssm:/nexus/prod/key")
    key.get_secret_value()
    assert "the-key" not in f"{key} {key!r}"
    assert "/nexus" not in f"{key} {key!r}"
