"""Mutants of the clinical SQL, each in a database of its own stack, before the clinical tests."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from random import Random

import psycopg
import pytest

from infra.local.reset import delete_data
from infra.local.stack import Stack
from tests.bench.scratch import scratch_settings
from tests.mutation.operators import Mutant, mutants

FUNCTIONS = (
    "read_cart",
    "covering_items",
    "supplies_of",
    "end_day",
    "doses_on_a_day",
    "active_medicines",
    "allergy_targets",
    "sounds_like",
    "stated_conditions",
    "findings_of_stock",
    "findings_of_prescription",
    "findings_of_allergy",
    "findings_of_unknown_allergy",
    "findings_of_interaction",
    "findings_of_condition",
    "findings_of_age",
    "findings_of_duplicate",
    "findings_of_dose",
    "findings_of_quantity",
    "findings_of_refill",
    "find_findings",
    "apply_overrides",
    "verify_cart",
    "prepare_proposal",
    "place_order",
    "allocate",
    "use_prescriptions",
)
"""What decides whether something may be sold, and takes it when it is; all in the schema `private`."""

TESTS = (
    "tests/clinical/test_rules_fire.py",
    "tests/clinical/test_prescriptions.py",
    "tests/clinical/test_directions.py",
    "tests/clinical/test_baskets.py",
    "tests/clinical/test_allergy_spelling.py",
    "tests/clinical/test_supplies.py",
    "tests/clinical/test_rule_sets.py",
    "tests/clinical/test_placing.py",
    "tests/clinical/test_safety_holds.py",
)
"""Those of the clinical tests that are about verifying and placing; they need nothing but the database."""


def survivors(sample: int | None, seed: int, only: Sequence[str]) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant that was tried, and whether no test noticed it; all of them without a `sample`."""
    settings = scratch_settings(".local/mutants")
    delete_data(settings)
    with (
        Stack(settings, until="seed", report=lambda _: None),
        psycopg.connect(settings.database_url, autocommit=True) as database,
    ):
        os.environ |= {
            "NEXUS_CLINICAL_DATABASE_URL": settings.database_url,
            "CI": "1",  # the same examples for every mutant
            "PGOPTIONS": "-c statement_timeout=30s",
        }
        if not _tests_pass():
            raise SystemExit("The tests fail without any mutant.")
        every = [mutant for name in only or FUNCTIONS for mutant in _mutants_of(database, name)]
        chosen = every if sample is None else Random(seed).sample(every, min(sample, len(every)))
        print(f"{len(chosen)} of {len(every)} mutants", flush=True)
        for mutant in chosen:
            original = _definition(database, mutant.function)
            try:
                database.execute(mutant.definition.encode())
            except psycopg.Error:
                continue  # no SQL, so nobody could have written it
            try:
                yield mutant, _tests_pass()
            finally:
                database.execute(original.encode())
    delete_data(settings)


def _mutants_of(database: psycopg.Connection, name: str) -> Iterator[Mutant]:
    yield from mutants(name, _definition(database, name))


def _definition(database: psycopg.Connection, name: str) -> str:
    row = database.execute(
        """
        select pg_get_functiondef(oid) from pg_proc
        where pronamespace = 'private'::regnamespace and proname = %s
        """,
        [name],
    ).fetchone()
    assert row is not None, name
    return str(row[0])


def _tests_pass() -> bool:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main([*TESTS, "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise SystemExit(said.getvalue())
    return code == pytest.ExitCode.OK
