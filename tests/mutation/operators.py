"""Small changes to SQL that a test ought to notice.

A mutant is the text of a function's body with one token changed: a comparison, `and` for `or`, a number by
one, `block` for `warn`, the presence of something for its absence, the least for the greatest. Comments and
other texts stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*)
    | (?P<text>'(?:[^']|'')*')
    | (?P<operator>[-+*/<>=~!@\#%^&|?:]+)
    | (?P<number>(?<![\w$.])\d+(?:\.\d+)?(?![\w.]))
    | (?P<words>\bis\s+not\s+distinct\s+from\b|\bis\s+distinct\s+from\b|\bis\s+not\s+null\b|\bis\s+null\b
        |\bnot\s+exists\b|\bexists\b)
    | (?P<word>\$?\w+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_EXCHANGES = {
    "operator": {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "<>": "=", "+": "-", "-": "+"},
    "text": {"'block'": "'warn'", "'warn'": "'block'"},
    "word": {
        "and": "or",
        "or": "and",
        "min": "max",
        "max": "min",
        "least": "greatest",
        "greatest": "least",
        "bool_or": "bool_and",
        "bool_and": "bool_or",
    },
    "words": {
        "is distinct from": "is not distinct from",
        "is not distinct from": "is distinct from",
        "is null": "is not null",
        "is not null": "is null",
        "not exists": "exists",
        "exists": "not exists",
    },
}


@dataclass(frozen=True)
class Mutant:
    function: str
    line: str
    """As it is, without the indentation."""
    changed: str
    """As the mutant has it."""
    definition: str
    """The whole function with the change."""

    @property
    def name(self) -> str:
        return f"{self.function}: {self.line}  ->  {self.changed}"


def mutants(function: str, definition: str) -> Iterator[Mutant]:
    """All mutants of a function, given as pg_get_functiondef writes it."""
    start, end = _body(definition)
    for token in _TOKEN.finditer(definition, start, end):
        # `between 1 and 3` names a range and decides nothing by its `and`.
        if token["word"] and token[0].lower() == "and" and _closes_between(definition[start : token.start()]):
            continue
        if (other := _other(token)) is None:
            continue
        mutated = definition[: token.start()] + other + definition[token.end() :]
        yield Mutant(
            function,
            _line_at(definition, token.start()),
            _line_at(mutated, token.start()),
            mutated,
        )


def _other(token: re.Match[str]) -> str | None:
    kind = token.lastgroup or ""
    if kind == "number":
        whole, _, fraction = token[0].partition(".")
        return f"{int(whole) + 1}.{fraction}" if fraction else str(int(whole) + 1)
    return _EXCHANGES.get(kind, {}).get(re.sub(r"\s+", " ", token[0].lower()))


def _closes_between(before: str) -> bool:
    return bool(
        re.search(r"\bbetween\b(?:(?!\band\b|\bor\b|\bwhen\b).)*$", before, re.IGNORECASE | re.DOTALL)
    )


def _body(definition: str) -> tuple[int, int]:
    """Where the statements begin and end."""
    if opened := re.search(r"AS (\$\w*\$)", definition):
        return opened.end(), definition.rindex(opened[1])
    return definition.index("\nRETURN ") + len("\nRETURN "), len(definition)


def _line_at(text: str, place: int) -> str:
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    return text[start : end if end >= 0 else len(text)].strip()
