"""The content of a rule set, whichever way it was written down."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from infra.importer.rules import RuleRow, content_digest

row = st.tuples(st.text(max_size=5), st.none() | st.decimals(0, 99, places=2), st.booleans())


@given(rows=st.lists(row, max_size=6), random=st.randoms())
def test_the_order_of_rows_is_no_part_of_the_content(rows: list[RuleRow], random: Random) -> None:
    other = list(rows)
    random.shuffle(other)
    assert content_digest({"a": frozenset(rows)}) == content_digest({"a": frozenset(other)})


def test_the_same_amount_written_otherwise_is_the_same_content() -> None:
    short, long = Decimal("0.5"), Decimal("0.500")
    assert content_digest({"a": frozenset([("x", short)])}) == content_digest({"a": frozenset([("x", long)])})


def test_another_value_or_another_table_is_other_content() -> None:
    contents = [
        {"a": frozenset([("x", Decimal(1))]), "b": frozenset()},
        {"a": frozenset([("x", Decimal(2))]), "b": frozenset()},
        {"a": frozenset[RuleRow](), "b": frozenset([("x", Decimal(1))])},
        {"a": frozenset([("x", None)]), "b": frozenset()},
    ]
    assert len({content_digest(content) for content in contents}) == len(contents)
