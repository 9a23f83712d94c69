"""The mutants of SQL: one change each, where something is decided and nowhere else."""

from __future__ import annotations

from tests.mutation.__main__ import read_explanations
from tests.mutation.operators import mutants

_HEAD = "CREATE FUNCTION private.f(p integer DEFAULT 7)\n RETURNS boolean\nAS $function$\n"


def changes(body: str) -> set[str]:
    return {mutant.changed for mutant in mutants("f", f"{_HEAD}{body}\n$function$\n")}


def test_a_comparison_is_moved_by_its_bound_or_turned_around() -> None:
    assert changes("select a < b") == {"select a <= b"}
    assert changes("select a = b") == {"select a <> b"}


def test_every_mutant_has_one_change() -> None:
    assert changes("select a >= 2 and b") == {
        "select a > 2 and b",
        "select a >= 3 and b",
        "select a >= 2 or b",
    }


def test_what_merely_looks_like_a_comparison_stays() -> None:
    assert changes("v := f(p => a) -> 'x' ->> 'y' @> z") == set()


def test_a_range_keeps_its_and() -> None:
    assert changes("select a between x and y and c") == {"select a between x and y or c"}


def test_a_refusal_becomes_a_warning_and_other_texts_stay() -> None:
    assert changes("select 'block', 'a = 1 and b'") == {"select 'warn', 'a = 1 and b'"}


def test_comments_names_and_what_stands_before_the_body_stay() -> None:
    assert changes("select mg_1 -- 1 and 2") == set()


def test_absence_becomes_presence() -> None:
    assert changes("select a is not null") == {"select a is null"}
    assert changes("select where not exists (select)") == {"select where exists (select)"}


def test_a_body_of_one_expression_is_mutated_too() -> None:
    definition = "CREATE FUNCTION private.f(p numeric)\n LANGUAGE sql\nRETURN round(p, 6)\n"
    assert [mutant.changed for mutant in mutants("f", definition)] == ["RETURN round(p, 7)"]


def test_an_explanation_is_indented_below_what_it_explains() -> None:
    assert read_explanations("# a comment\nf: a  ->  b\n    Both are\n    the same.\n") == {
        "f: a  ->  b": "Both are the same."
    }
