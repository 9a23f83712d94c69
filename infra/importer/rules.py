"""Writes clinical rules as a new rule set and puts it in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection, sql

from infra.importer import rows
from infra.importer.outcome import Outcome
from infra.importer.problems import ImportRefused, quoted
from infra.importer.tables import Folder

RuleRow = tuple[Any, ...]
Rules = Mapping[str, frozenset[RuleRow]]
"""The content of a rule set: {table: rows without the id of the set}."""

_DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Part:
    """One file of a rule set and the table it fills."""

    file: str
    table: str
    columns: tuple[str, ...]
    values: Callable[[Any], RuleRow]


def _class_member(row: rows.ClassMember) -> RuleRow:
    return row.drug_class, row.ingredient


def _allergy(row: rows.AllergyTerm) -> RuleRow:
    return row.term, row.matches, row.target, row.action, row.reason


def _interaction(row: rows.Interaction) -> RuleRow:
    return row.ingredient_a, row.ingredient_b, row.severity, row.action, row.effect, row.source


def _limit(row: rows.IngredientLimit) -> RuleRow:
    cap = row.otc_units_per_7_days
    units = cap.amount if cap and cap.of == "units" else None
    packs = cap.amount if cap and cap.of == "packs" else None
    return row.ingredient, row.max_daily_mg, row.min_age_years, row.weekly_only, units, packs, row.source


def _condition_rule(row: rows.ConditionRule) -> RuleRow:
    return row.ingredient, row.condition, row.action, row.effect, row.source


def _condition(row: rows.Condition) -> RuleRow:
    return row.condition, row.kind, tuple(row.ingredients), tuple(row.phrases)


PARTS = (
    Part("ingredient_classes.csv", "drug_classes", ("drug_class", "ingredient"), _class_member),
    Part("allergy_terms.csv", "allergy_rules", ("term", "matches", "target", "action", "reason"), _allergy),
    Part(
        "interactions.csv",
        "interaction_rules",
        ("ingredient_a", "ingredient_b", "severity", "action", "effect", "source"),
        _interaction,
    ),
    Part(
        "ingredient_limits.csv",
        "ingredient_limits",
        (
            "ingredient",
            "max_daily_mg",
            "min_age_years",
            "weekly_only",
            "otc_units_per_7_days",
            "otc_packs_per_7_days",
            "source",
        ),
        _limit,
    ),
    Part(
        "condition_rules.csv",
        "condition_rules",
        ("ingredient", "condition", "action", "effect", "source"),
        _condition_rule,
    ),
    Part("conditions.csv", "condition_terms", ("condition", "kind", "ingredients", "phrases"), _condition),
)


def write_rules(connection: Connection, folder: Folder, version: str | None) -> Outcome:
    """Import the folder's rules as a set of their own and activate it.

    Files that are not in the folder are taken over from the set in force. Content that was imported before
    changes nothing, so that repeating an import never undoes a roll-back; naming the `version` of such a set
    activates it again.

    Raises ImportRefused when the set would not be whole or `version` is taken by other content.
    """
    active = _active_version(connection)
    in_force = _read(connection, active) if active else {}
    rules = _compose(folder, in_force)
    _check_allergy_classes(rules)
    digest = content_digest(rules)
    size = sum(len(part) for part in rules.values())

    if active and content_digest(in_force) == digest:
        return Outcome("rules", size, note=f"rule set {active} is in force")
    imported_before = _versions_with(connection, digest)
    if imported_before and version is None:
        note = f"imported before as {imported_before[0]}; {active or 'no rule set'} is in force"
        return Outcome("rules", size, note=note)
    if version is None:
        version = f"{datetime.now(UTC).date()}+{digest[:_DIGEST_LENGTH]}"
    if version not in imported_before:
        _insert(connection, version, f"{folder.name} sha256:{digest}", rules)
    connection.execute("select private.activate_rule_set(%s)", [version])
    return Outcome("rules", size, added=size, note=f"rule set {version} is in force")


def content_digest(rules: Rules) -> str:
    """The same for the same rules, whatever their order in the files: 64 hexadecimal digits."""
    content = {table: sorted(map(_canonical, part)) for table, part in rules.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _canonical(row: RuleRow) -> str:
    plain = [format(value.normalize(), "f") if isinstance(value, Decimal) else value for value in row]
    return json.dumps(plain)


def _compose(folder: Folder, in_force: Rules) -> Rules:
    rules: dict[str, frozenset[RuleRow]] = {}
    missing: list[str] = []
    for part, sheet in zip(PARTS, folder.rule_sheets, strict=True):
        if sheet.present:
            rules[part.table] = frozenset(map(part.values, sheet.rows))
        elif in_force:
            rules[part.table] = in_force[part.table]
        else:
            missing.append(part.file)
    if missing:
        # Half a rule set would pass what the other half should have stopped.
        raise ImportRefused(
            f"The first rule set must be whole: {', '.join(missing)} missing. Nothing was written."
        )
    return rules


def _check_allergy_classes(rules: Rules) -> None:
    """Terms and classes may come from different imports."""
    classes = {drug_class for drug_class, _ in rules["drug_classes"]}
    for term, matches, target, *_ in sorted(rules["allergy_rules"]):
        if matches == "class" and target not in classes:
            raise ImportRefused(
                f"The allergy term {quoted(term)} in force names the drug class {quoted(target)}, "
                "which ingredient_classes.csv does not have. Nothing was written."
            )


def _active_version(connection: Connection) -> str | None:
    row = connection.execute("select version from public.rule_sets where status = 'active'").fetchone()
    return row[0] if row else None


def _versions_with(connection: Connection, digest: str) -> list[str]:
    """The rule sets that were imported with this content, the latest first."""
    versions = connection.execute(
        "select version from public.rule_sets where source like %s order by rule_set_id desc",
        [f"% sha256:{digest}"],
    )
    return [version for (version,) in versions]


def _read(connection: Connection, version: str) -> Rules:
    def plain(row: RuleRow) -> RuleRow:
        return tuple(tuple(value) if isinstance(value, list) else value for value in row)

    rules: dict[str, frozenset[RuleRow]] = {}
    for part in PARTS:
        query = sql.SQL(
            "select {columns} from public.{table} where rule_set_id = "
            "(select rule_set_id from public.rule_sets where version = %s)"
        ).format(columns=_names(part.columns), table=sql.Identifier(part.table))
        rules[part.table] = frozenset(map(plain, connection.execute(query, [version])))
    return rules


def _insert(connection: Connection, version: str, source: str, rules: Rules) -> None:
    row = connection.execute(
        "insert into public.rule_sets (version, source) values (%s, %s)"
        " on conflict (version) do nothing returning rule_set_id",
        [version, source],
    ).fetchone()
    if row is None:
        raise ImportRefused(
            f"The rule set {version} exists already, with other content: choose another version."
        )
    for part in PARTS:
        columns = ("rule_set_id", *part.columns)
        target = sql.SQL("copy public.{} ({}) from stdin").format(sql.Identifier(part.table), _names(columns))
        with connection.cursor() as cursor, cursor.copy(target) as copy:
            for values in rules[part.table]:
                copy.write_row((row[0], *(list(v) if isinstance(v, tuple) else v for v in values)))


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
