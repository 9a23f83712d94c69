"""Rules as versions: one in force at a time, put in force as a whole, and named by every finding."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from tests.clinical.clinic import Clinic
from tests.database.people import acting_as, staff

RULE_TABLES = (
    "drug_classes",
    "allergy_rules",
    "interaction_rules",
    "condition_rules",
    "ingredient_limits",
    "condition_terms",
)
DOLO, WARFARIN, ORS, BANDAGE = "MED001", "MED046", "MED021", "MED032"


def draft(clinic: Clinic, version: str, *, without: Sequence[str] = ()) -> None:
    """A copy of the rules in force as a draft, but for some kinds of rules."""
    rule_set_id = clinic.value(
        "insert into public.rule_sets (version, source) values (%s, 'test') returning rule_set_id", version
    )
    for table in RULE_TABLES:
        if table in without:
            continue
        columns = [
            row["name"]
            for row in clinic.rows(
                """
                select a.attname as name from pg_catalog.pg_attribute as a
                where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
                  and a.attgenerated = '' and a.attname <> 'rule_set_id'
                """,
                f"public.{table}",
            )
        ]
        names = ", ".join(columns)
        clinic.run(
            f"""
            insert into public.{table} (rule_set_id, {names})
            select %s, {names} from public.{table} where rule_set_id = private.active_rule_set_id()
            """,
            rule_set_id,
        )


def statuses(clinic: Clinic) -> dict[str, str]:
    rows = clinic.rows("select version, status from public.rule_sets")
    return {row["version"]: row["status"] for row in rows}


def activate(clinic: Clinic, version: str) -> None:
    """As a pharmacist; an error undoes it alone."""
    with acting_as(clinic.connection, staff(clinic.connection, "pharmacist")):
        clinic.run("select public.activate_rule_set(%s)", version)


@pytest.mark.parametrize("missing", [table for table in RULE_TABLES if table != "condition_terms"])
def test_a_set_that_lacks_a_kind_of_rule_is_not_put_in_force(clinic: Clinic, missing: str) -> None:
    before = statuses(clinic)
    draft(clinic, "broken", without=[missing])

    with pytest.raises(psycopg.Error, match="rule_set_invalid"):
        activate(clinic, "broken")

    assert statuses(clinic) == {**before, "broken": "draft"}


@pytest.mark.parametrize(
    ("table", "column", "named"),
    [
        ("drug_classes", "ingredient", "Warfarin"),
        ("ingredient_limits", "ingredient", "Warfarin"),
        ("condition_rules", "ingredient", "Warfarin"),
        ("allergy_rules", "target", "Isotretinoin"),
        ("interaction_rules", "ingredient_b", "Warfarin"),
    ],
)
def test_a_set_that_names_what_nobody_can_contain_is_not_put_in_force(
    clinic: Clinic, table: str, column: str, named: str
) -> None:
    draft(clinic, "broken")
    clinic.run(
        f"""
        update public.{table} set {column} = {column} || 'x'
        where {column} = %s
          and rule_set_id = (select rule_set_id from public.rule_sets where version = 'broken')
        """,
        named,
    )
    with pytest.raises(psycopg.Error, match="rule_set_invalid"):
        activate(clinic, "broken")
    assert statuses(clinic)["broken"] == "draft"


def test_an_unknown_set_changes_nothing(clinic: Clinic) -> None:
    before = statuses(clinic)
    with pytest.raises(psycopg.Error, match="rule_set_not_found"):
        activate(clinic, "no such set")
    assert statuses(clinic) == before


def test_findings_name_the_version_in_force_and_a_roll_back_brings_the_earlier_one_back(
    clinic: Clinic,
) -> None:
    earlier = clinic.version
    patient = clinic.patient()
    draft(clinic, "stricter")
    clinic.run(
        """
        update public.interaction_rules set action = 'block'
        where ingredient_a = 'Paracetamol' and ingredient_b = 'Warfarin'
          and rule_set_id = (select rule_set_id from public.rule_sets where version = 'stricter')
        """
    )
    said = []
    for version in ("stricter", earlier):
        activate(clinic, version)
        (finding,) = (
            f
            for f in clinic.findings(patient, DOLO, WARFARIN)
            if (f.code, f.product_id) == ("interaction", DOLO)
        )
        said.append((finding.rule_set, finding.severity))
        assert clinic.verification(patient, [DOLO])["rule_set"] == version
        assert [v for v, status in statuses(clinic).items() if status == "active"] == [version]

    assert said == [("stricter", "block"), (earlier, "warn")]
    assert statuses(clinic)["stricter"] == "retired"


def test_two_sets_are_never_in_force(clinic: Clinic) -> None:
    draft(clinic, "second")
    with pytest.raises(psycopg.errors.UniqueViolation), clinic.connection.transaction():
        clinic.run("update public.rule_sets set status = 'active' where version = 'second'")


def test_only_a_pharmacist_puts_a_set_in_force(clinic: Clinic) -> None:
    draft(clinic, "second")
    with (
        pytest.raises(psycopg.Error, match="not_a_pharmacist"),
        acting_as(clinic.connection, staff(clinic.connection, "admin")),
    ):
        clinic.run("select public.activate_rule_set('second')")


class TestWithoutRules:
    @pytest.fixture(autouse=True)
    def _retired(self, clinic: Clinic) -> None:
        clinic.run("update public.rule_sets set status = 'retired'")

    def test_everything_with_an_ingredient_is_refused(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        found = clinic.findings(patient, *clinic.products.values())
        refused = {f.product_id for f in found if f.code == "rules_unavailable" and f.severity == "block"}
        assert refused == {p.product_id for p in clinic.products.values() if p.ingredients}

    def test_what_has_none_is_sold_to_whom_no_allergy_is_stated(self, clinic: Clinic) -> None:
        assert clinic.place(clinic.patient(), BANDAGE)["outcome"] == "placed"
        assert clinic.place(clinic.patient(allergies=["latex"]), BANDAGE)["outcome"] == "changed"

    def test_no_order_is_placed(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[WARFARIN])
        for product_id in (DOLO, ORS, WARFARIN):
            assert clinic.place(patient, product_id)["outcome"] == "changed"

    def test_no_check_is_called_clear(self, clinic: Clinic) -> None:
        checks = clinic.verification(clinic.patient(), [DOLO])["checks"]
        assert {check["result"] for check in checks} == {"not_done"}


def test_an_order_that_waits_goes_on_waiting_without_rules(clinic: Clinic) -> None:
    patient = clinic.patient()
    prescription = clinic.prescribe(patient, clinic.products[WARFARIN], status="pending")
    order_id = clinic.place(patient, WARFARIN)["order"]["order_id"]
    clinic.run("update public.rule_sets set status = 'retired'")

    with acting_as(clinic.connection, staff(clinic.connection, "pharmacist")):
        clinic.run('select public.review_prescription(%s, \'{"decision": "verify"}\')', prescription)

    status = clinic.value("select status from public.orders where order_id = %s", order_id)
    assert status == "awaiting_pharmacist"
