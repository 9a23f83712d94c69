"""The functions' own definitions, `functions/*/function.yml`, as far as the laptop needs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from infra.local.settings import PROJECT


@dataclass(frozen=True)
class Definition:
    name: str
    events: list[dict[str, Any]]


class _CloudFormationLoader(yaml.SafeLoader):
    """Reads a function.yml past tags such as `!GetAtt`, which mean something to CloudFormation only."""


_CloudFormationLoader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def read_definitions() -> Iterator[Definition]:
    """In the order of their names."""
    for path in sorted(PROJECT.glob("functions/*/function.yml")):
        content = yaml.load(path.read_text(), _CloudFormationLoader)  # noqa: S506 - a SafeLoader
        yield Definition(path.parent.name, content.get("events", []))
