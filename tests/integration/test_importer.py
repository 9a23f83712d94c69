"""The importer against the real database: all or nothing, once, and again without effect."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import psycopg
import pytest
from psycopg import sql

from infra.importer.rows import Frequency
from tests.running_stack import RunningStack

PROJECT = Path(__file__).parents[2]
SEED = PROJECT / "infra" / "seed"

TABLES = (
    "allergy_rules",
    "condition_rules",
    "condition_terms",
    "drug_classes",
    "ingredient_limits",
    "ingredients",
    "interaction_rules",
    "order_counter",
    "order_items",
    "orders",
    "outbox_events",
    "patients",
    "prescription_items",
    "prescriptions",
    "product_aliases",
    "product_batches",
    "product_ingredients",
    "product_names",
    "product_words",
    "products",
    "rule_sets",
    "staff",
)

Import = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_import(stack: RunningStack) -> Import:
    """`run_import(folder, *options)` runs the command as a person would."""

    def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "infra.importer", str(folder), *options],
            cwd=PROJECT,
            env={
                **os.environ,
                "DATABASE_URL": stack.database_url,
                "SUPABASE_URL": stack.supabase_url,
                "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SEED, tmp_path / "folder"))


@pytest.fixture
def put_back(run_import: Import, database: psycopg.Connection) -> Iterator[None]:
    """For tests that change the catalogue or the rules: the others find the seed again."""
    version = one(database, "select version from public.rule_sets where status = 'active'")
    yield
    assert run_import(SEED).returncode == 0
    database.execute("select private.activate_rule_set(%s)", [version])


def one(database: psycopg.Connection, query: Any, *parameters: Any) -> Any:
    row = database.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]


def content(database: psycopg.Connection) -> dict[str, str]:
    """A digest of every table the importer may touch."""
    digest = sql.SQL(
        "select coalesce(md5(string_agg(t::text, ' ' order by t::text)), '') from public.{} as t"
    )
    return {table: one(database, digest.format(sql.Identifier(table))) for table in TABLES}


def edit(file: Path, row: int, **cells: str) -> None:
    """Change cells of a data row, counted from 0."""
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    rows[row].update(cells)
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_a_repeated_import_changes_nothing(run_import: Import, database: psycopg.Connection) -> None:
    before = content(database)
    done = run_import(SEED, "--demo-accounts")
    assert (done.returncode, done.stderr) == (0, "")
    assert "medicines: 110 unchanged\n" in done.stdout
    assert "demo accounts: 14 unchanged\n" in done.stdout
    assert content(database) == before


def test_one_wrong_cell_keeps_everything_out(
    run_import: Import, database: psycopg.Connection, folder: Path
) -> None:
    before = content(database)
    edit(folder / "medicines.csv", 0, price_inr="31.00")
    edit(folder / "order_history.csv", 10, packs="none")
    done = run_import(folder)
    assert done.returncode == 1
    assert done.stderr.startswith('order_history.csv:12: packs: "none" is not a whole number\n')
    assert content(database) == before


@pytest.mark.parametrize(
    ("file", "cells", "complaint"),
    [
        ("order_history.csv", {"patient_id": "PAT002"}, '"ORD001" is another patient\'s order'),
        ("patients.csv", {"email": "else@example.com"}, '"PAT001" is somebody else in the database'),
        ("patients.csv", {"patient_id": "PAT901"}, '"rahul@example.com" belongs to PAT001'),
    ],
)
def test_what_contradicts_the_database_keeps_everything_out(
    run_import: Import,
    database: psycopg.Connection,
    folder: Path,
    file: str,
    cells: dict[str, str],
    complaint: str,
) -> None:
    before = content(database)
    edit(folder / "medicines.csv", 0, price_inr="31.00")
    edit(folder / file, 0, **cells)
    done = run_import(folder)
    assert (done.returncode, complaint in done.stderr) == (1, True), done.stderr
    assert content(database) == before


@pytest.mark.usefixtures("put_back")
def test_a_changed_catalogue_updates_products_and_leaves_stock_alone(
    run_import: Import, database: psycopg.Connection, tmp_path: Path
) -> None:
    shutil.copy(SEED / "medicines.csv", tmp_path)
    edit(tmp_path / "medicines.csv", 0, price_inr="31.50", stock_packs="9999", aliases="dolo;fever tablet")
    before = content(database)
    done = run_import(tmp_path)
    assert "medicines: 1 changed, 109 unchanged" in done.stdout, done.stderr
    after = content(database)
    assert {table for table in TABLES if after[table] != before[table]} == {
        "products",
        "product_aliases",
        "product_names",
        "product_words",
    }
    names = "select array_agg(name_key order by name_key) from public.product_names"
    assert one(database, names + " where product_id = 'MED001' and kind = 'alias'") == [
        "dolo",
        "fever tablet",
    ]


@pytest.mark.usefixtures("put_back")
def test_the_index_of_names_is_the_one_that_the_triggers_keep(
    run_import: Import, database: psycopg.Connection
) -> None:
    before = content(database)
    # Whatever is written past the importer is still indexed by the triggers.
    database.execute("update public.products set product_name = 'Renamed' where product_id = 'MED001'")
    assert content(database)["product_names"] != before["product_names"]
    assert run_import(SEED).returncode == 0
    assert content(database) == before
    database.execute("update public.products set product_name = product_name")
    database.execute("select private.refresh_product_names(array(select product_id from public.products))")
    assert content(database) == before


def test_opening_stock_stands_in_two_lots_that_expire_one_after_the_other(
    database: psycopg.Connection,
) -> None:
    lots = database.execute(
        "select lot, expiry > current_date + 300 from public.product_batches"
        " where product_id = 'MED106' order by expiry"
    ).fetchall()
    assert lots[:2] == [("OPENING-MED106-1", True), ("OPENING-MED106-2", True)]


@pytest.mark.usefixtures("put_back")
def test_changed_rules_become_a_new_set_with_the_rest_of_the_old_one(
    run_import: Import, database: psycopg.Connection, tmp_path: Path
) -> None:
    count_classes = (
        "select count(*) from public.drug_classes where rule_set_id = private.active_rule_set_id()"
    )
    classes = one(database, count_classes)
    seeded = one(database, "select version from public.rule_sets where status = 'active'")
    shutil.copy(SEED / "interactions.csv", tmp_path)
    edit(tmp_path / "interactions.csv", 0, effect="Something else")

    assert run_import(tmp_path, "--rules-version", "test-a").returncode == 0
    assert one(database, "select version from public.rule_sets where status = 'active'") == "test-a"
    assert one(database, count_classes) == classes

    # The seed again: known content, so that a roll-back is never undone by accident, only by name.
    assert f"imported before as {seeded}; test-a is in force" in run_import(SEED).stdout
    assert f"rule set {seeded} is in force" in run_import(SEED, "--rules-version", seeded).stdout
    # A version says what is in it for ever.
    edit(tmp_path / "interactions.csv", 0, effect="Something else again")
    done = run_import(tmp_path, "--rules-version", "test-a")
    assert (done.returncode, "exists already, with other content" in done.stderr) == (1, True)


@pytest.mark.usefixtures("put_back")
def test_half_a_first_rule_set_is_refused(
    run_import: Import, database: psycopg.Connection, tmp_path: Path
) -> None:
    database.execute("update public.rule_sets set status = 'retired' where status = 'active'")
    shutil.copy(SEED / "interactions.csv", tmp_path)
    done = run_import(tmp_path)
    assert done.returncode == 1
    assert "The first rule set must be whole: ingredient_classes.csv, allergy_terms.csv" in done.stderr


def test_a_subset_may_refer_to_what_the_database_has(run_import: Import, tmp_path: Path) -> None:
    for file in ("prescription_items.csv", "order_history.csv", "condition_rules.csv"):
        shutil.copy(SEED / file, tmp_path)
    assert run_import(tmp_path, "--check").returncode == 0
    done = run_import(tmp_path, "--check", DATABASE_URL="")
    assert (done.returncode, " is an unknown ingredient" in done.stderr) == (1, True)


def test_purchases_since_the_issue_date_have_used_the_prescription(database: psycopg.Connection) -> None:
    # Without what orders of other tests have taken since.
    rows = database.execute(
        """
        select i.prescription_id || ' ' || i.ingredient, i.dispensed_units - coalesce(sum(u.units), 0)
        from public.prescription_items as i
        left join public.prescription_uses as u using (prescription_item_id)
        where i.prescription_id in ('RX002', 'RX007', 'RX008')
        group by i.prescription_item_id
        """
    ).fetchall()
    dispensed: dict[str, int] = dict(rows)
    assert dispensed == {
        "RX002 Atorvastatin": 30,
        "RX002 Clopidogrel": 45,
        "RX002 Metoprolol": 60,
        "RX007 Isosorbide Mononitrate": 45,
        "RX007 Rosuvastatin": 45,
        "RX007 Telmisartan": 60,
        "RX008 Telmisartan": 0,  # bought before the issue date
        "RX008 Metformin": 30,  # a second order failed
    }


def test_new_numbers_follow_the_imported_ones(database: psycopg.Connection) -> None:
    assert one(database, "select last_value from public.patient_number") >= 12
    assert one(database, "select last_value from public.prescription_number") >= 11
    assert one(database, "select last_number from public.order_counter") >= 75


def test_an_imported_order_causes_nothing_outside(database: psycopg.Connection) -> None:
    query = (
        "select count(*) from public.orders as o where placed_by = 'import' and ("
        "exists (select from public.outbox_events as e where e.order_id = o.order_id)"
        " or exists (select from public.order_allocations as a where a.order_id = o.order_id))"
    )
    assert one(database, query) == 0


def test_the_importer_knows_the_dosage_frequencies_of_the_database(database: psycopg.Connection) -> None:
    known = database.execute("select dosage_frequency from public.dosage_frequencies")
    assert {frequency for (frequency,) in known} == set(get_args(Frequency))


def test_two_imports_at_once_do_not_mix(run_import: Import, stack: RunningStack) -> None:
    with psycopg.connect(stack.database_url) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('nexus importer'))")
        done = run_import(SEED)
    assert (done.returncode, done.stderr) == (1, "Another import is running.\n")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("postgresql://postgres@127.0.0.1:9/postgres", "The database cannot be reached: "),
        ("nonsense", "DATABASE_URL is not the address of a Postgres database"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_sentence(run_import: Import, path: str, sentence: str) -> None:
    done = run_import(SEED, DATABASE_URL=path)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_a_database_without_migrations_is_told(run_import: Import, stack: RunningStack) -> None:
    base = stack.database_url.rsplit("/", 1)[0]
    with psycopg.connect(f"{base}/template1", autocommit=True) as server:
        server.execute("drop database if exists importer_empty")
        server.execute("create database importer_empty template template0")
        done = run_import(SEED, DATABASE_URL=f"{base}/importer_empty")
        server.execute("drop database importer_empty")
    assert (done.returncode, "apply the migrations first" in done.stderr) == (1, True)
