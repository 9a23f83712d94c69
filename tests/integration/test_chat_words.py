"""Words are compared in one form, written twice: in Python for messages, in SQL for the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.chat.understanding.words import normalise
from tests.running_stack import RunningStack

# Characters that both sides' versions of Unicode know. NUL is refused long before; the Turkish capital I with
# a dot is two letters in lower case to Python and one to Postgres, and in no name.
WRITTEN = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0İ"), max_size=40)
NAMES = st.text("aAzZ019. ,-+%/डोलो६५़ािअ्।ﬁＤ\u200b\u00a0\n'", max_size=40)


@pytest.fixture(scope="module")
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


def in_sql(database: psycopg.Connection, text: str) -> str:
    row = database.execute("select private.normalise_name(%s)", [text]).fetchone()
    assert row is not None
    return str(row[0])


@settings(deadline=None, max_examples=500)
@given(text=WRITTEN | NAMES)
@example(text="Dolo-650")
@example(text="Vitamin D3 60K")
@example(text="0.25mg .5 5. a.b")
@example(text="ज़िंक डोलो६५०।")
@example(text="K Å ﬀ ½ ²")
def test_python_and_sql_write_a_name_alike(database: psycopg.Connection, text: str) -> None:
    assert in_sql(database, text) == normalise(text)


@pytest.mark.parametrize("letters", ["x", "aey", "xck", "ee", "क", "1"])
def test_a_word_without_end_is_looked_up_in_no_time(database: psycopg.Connection, letters: str) -> None:
    with database.transaction():
        database.execute("set local statement_timeout = '1s'")
        database.execute(
            "select count(*) from private.find_mentions(%s, '{false}')", [[letters * (2000 // len(letters))]]
        )
        database.execute("select public.search_products(%s)", [letters * (2000 // len(letters))])
