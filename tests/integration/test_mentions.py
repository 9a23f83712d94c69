"""A name that very many products answer to stands for some of them, the right one among them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest

from tests.running_stack import RunningStack

MOST = 30
PATIENT = "PAT001"


@pytest.fixture
def crowded(stack: RunningStack) -> Iterator[psycopg.Connection]:
    """The seeded catalogue with 600 more kinds of paracetamol under one brand; undone after the test."""
    with psycopg.connect(stack.database_url) as connection, connection.transaction(force_rollback=True):
        connection.execute(
            """
            insert into public.products (
              product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit,
              package_size, price, prescription_required, schedule, category, manufacturer
            )
            select 'TEST-' || lpad(n::text, 3, '0'), 'Crowdamol ' || n, 'Paracetamol',
              (array['125 mg', '250 mg', '500 mg', '650 mg', '1000 mg'])[1 + n % 5],
              (array['tablet', 'syrup', 'suspension'])[1 + n % 3],
              'strip', 10, 'tablet', '10 Tablets', 1 + n, false, 'OTC', 'Pain Relief', 'Maker ' || n
            from generate_series(0, 599) as n
            """
        )
        connection.execute(
            """
            insert into public.product_ingredients (product_id, ingredient, position, strength)
            select product_id, 'Paracetamol', 1, strength from public.products where product_id like 'TEST-%'
            """
        )
        connection.execute(
            "insert into public.product_aliases (product_id, alias)"
            " select product_id, 'crowdamol' from public.products where product_id like 'TEST-%'"
        )
        yield connection


def mentioned(database: psycopg.Connection, words: Sequence[str], kind: str) -> list[str]:
    return [
        product_id
        for (product_id,) in database.execute(
            "select product_id from private.find_mentions(%s, %s, %s) where kind = %s order by 1",
            [list(words), [False] * len(words), PATIENT, kind],
        )
    ]


def context(database: psycopg.Connection, words: Sequence[str], **wants: bool) -> dict[str, Any]:
    row = database.execute("select user_id from public.patients where patient_id = %s", [PATIENT]).fetchone()
    assert row is not None
    database.execute("select set_config('request.jwt.claim.sub', %s, true)", [str(row[0])])
    found = database.execute(
        "select public.chat_context(%s::jsonb, p_wants => %s::jsonb)",
        [json.dumps([[word, False] for word in words]), json.dumps(wants)],
    ).fetchone()
    assert found is not None
    result: dict[str, Any] = found[0]
    return result


@pytest.mark.parametrize(
    ("said", "kind"),
    [("paracetamol", "ingredient"), ("crowdamol", "alias"), ("crowdamol", "stem")],
)
def test_a_crowd_is_told_in_part_with_every_strength_and_form(
    crowded: psycopg.Connection, said: str, kind: str
) -> None:
    told = mentioned(crowded, [said], kind)
    assert 15 <= len(told) <= MOST
    every = crowded.execute(
        "select distinct strength, form from public.products where product_id like 'TEST-%'"
    ).fetchall()
    among = crowded.execute(
        "select distinct strength, form from public.products where product_id = any (%s)", [told]
    ).fetchall()
    assert set(every) <= set(among)


@pytest.mark.parametrize("said", ["paracetamol", "crowdamol"])
def test_what_the_patient_has_bought_is_told_however_many_others_there_are(
    crowded: psycopg.Connection, said: str
) -> None:
    # The dearest: nothing else would bring it in.
    crowded.execute(
        "insert into public.orders (order_id, patient_id, status, total)"
        " values ('TEST-ORD', %s, 'delivered', 1)",
        [PATIENT],
    )
    crowded.execute(
        "insert into public.order_items (order_id, line, product_id, packs, unit_price)"
        " values ('TEST-ORD', 1, 'TEST-599', 2, 1)"
    )
    found = context(crowded, [said])
    assert "TEST-599" in {mention["product_id"] for mention in found["mentions"]}
    assert found["products"]["TEST-599"]["last_packs"] == 2


def test_the_whole_name_leads_to_the_one_product(crowded: psycopg.Connection) -> None:
    assert mentioned(crowded, ["crowdamol", "437"], "name") == ["TEST-437"]


def test_the_context_of_a_crowd_fits_into_a_turn(crowded: psycopg.Connection) -> None:
    assert len(json.dumps(context(crowded, ["paracetamol"]))) < 65_536


def test_in_a_small_catalogue_every_product_of_a_name_is_told(stack: RunningStack) -> None:
    with psycopg.connect(stack.database_url) as database:
        every = database.execute(
            "select array_agg(product_id order by product_id) from public.products"
            " where active_ingredient = 'Paracetamol'"
        ).fetchone()
        assert every is not None
        assert mentioned(database, ["paracetamol"], "ingredient") == every[0]


def test_what_is_told_of_a_product_is_what_its_page_and_the_history_say(crowded: psycopg.Connection) -> None:
    found = context(crowded, ["metformin", "ors", "azithromycin"], usual=True)
    assert {"MED003", "MED021", "MED007"} <= set(found["products"])
    for product_id, told in found["products"].items():
        (page,) = crowded.execute("select public.product_detail(%s)", [product_id]).fetchone() or ({},)
        shared = told.keys() & page.keys() - {"price"}
        assert {key: told[key] for key in shared} == {key: page[key] for key in shared}
    history = crowded.execute(
        """
        select i.product_id, to_jsonb(max(o.placed_at)) #>> '{}'
        from public.orders as o join public.order_items as i using (order_id)
        where o.patient_id = %s and o.status not in ('cancelled', 'failed')
        group by i.product_id
        """,
        [PATIENT],
    ).fetchall()
    bought: dict[str, str] = dict(history)
    assert {p: told["last_bought_at"] for p, told in found["products"].items()} == {
        p: bought.get(p) for p in found["products"]
    }


def test_a_question_about_two_medicines_is_about_one_product_of_each(stack: RunningStack) -> None:
    """Metformin comes in two strengths, and the patient takes one: they are not taken together."""
    with psycopg.connect(stack.database_url) as database, database.transaction(force_rollback=True):
        found = context(database, ["can", "i", "take", "ibuprofen", "with", "metformin"], advice=True)
    assert "duplicate_therapy" not in {finding["code"] for finding in found["advice"]}
