"""Money: exact inside (`Decimal`), a JSON number with at most two decimals on the wire. Always INR."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer, WithJsonSchema

Money = Annotated[
    Decimal,
    Field(max_digits=12, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "multipleOf": 0.01, "examples": [60.0]}),
]
"""Twelve digits survive a float to the paisa, so nothing is lost on the way out."""
