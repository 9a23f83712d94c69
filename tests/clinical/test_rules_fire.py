"""Every row of the rule set in force, tried twice: a cart it must speak up about, with the right severity,
rule and source, and the nearest cart it must not. The cases are made from the rows in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

import pytest

from tests.clinical.clinic import Clinic, Finding, Json, Line, Product

ADULT = 40


def of_rule(findings: Iterable[Finding], code: str, rule: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code and finding.rule == rule]


def too_much(findings: Iterable[Finding], ingredient: str) -> list[Finding]:
    """The findings of a daily maximum; those of a medicine for once a week share its rule."""
    found = of_rule(findings, "max_daily_dose", f"limit:{ingredient}")
    return [finding for finding in found if finding.subject != "weekly"]


def of_code(findings: Iterable[Finding], code: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


def swallowed(clinic: Clinic, ingredient: str) -> list[Product]:
    """The swallowed products of an ingredient whose milligrams are known, the plainest first."""
    return [p for p in clinic.containing(ingredient) if p.route == "systemic" and p.mg[ingredient]]


def units_of(product: Product, ingredient: str, mg: Decimal) -> Decimal:
    """As many units as hold at most so many milligrams; carts state doses in thousandths of a unit."""
    return (mg / (product.mg[ingredient] or 1)).quantize(Decimal("0.001"), ROUND_DOWN)


def neutral(clinic: Clinic, product: Product) -> Product:
    """A product that no rule knows with any ingredient of this one, and that many rules know otherwise."""
    pairs = {
        frozenset((rule["ingredient_a"], rule["ingredient_b"])) for rule in clinic.rules("interaction_rules")
    }
    strangers = [
        other
        for other in clinic.products.values()
        if other.ingredients
        and not other.ingredients & product.ingredients
        and not any(frozenset((a, b)) in pairs for a in other.ingredients for b in product.ingredients)
    ]
    return max(strangers, key=lambda other: sum(i in pair for i in other.ingredients for pair in pairs))


class TestAllergies:
    def targets(self, clinic: Clinic, rule: Json) -> list[Product]:
        match rule["matches"]:
            case "class":
                return [p for p in clinic.products.values() if p.ingredients & clinic.members[rule["target"]]]
            case "ingredient":
                return clinic.containing(rule["target"])
            case _:
                return [clinic.products[rule["target"]]]

    def test_each_term_stops_or_warns_of_all_it_names(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        rules = clinic.rules("allergy_rules")
        for term in sorted({rule["term"] for rule in rules}):
            patient = clinic.patient(allergies=[term])
            of_term = [(rule, self.targets(clinic, rule)) for rule in rules if rule["term"] == term]
            for rule, products in of_term:
                for product in products:
                    with subtests.test(term=term, target=rule["target"], product=product.product_id):
                        actions = {r["action"] for r, targets in of_term if product in targets}
                        strictest = "block" if "block" in actions else "warn"

                        (finding,) = of_code(clinic.findings(patient, product), "allergy")

                        assert (finding.severity, finding.subject) == (strictest, term)
                        assert finding.rule.startswith("allergy:")
                        assert finding.source
                        assert finding.rule_set == clinic.version
                        if actions == {rule["action"]} and len(of_term) == 1:
                            assert finding.source in {rule["reason"], "stated allergy"}

    def test_each_term_leaves_the_rest_alone(self, clinic: Clinic, subtests: pytest.Subtests) -> None:
        """All products that neither a rule of the term nor a drug class of what it names reaches."""
        rules = clinic.rules("allergy_rules")
        everything = list(clinic.products.values())
        for term in sorted({rule["term"] for rule in rules}):
            reached = {p for r in rules if r["term"] == term for p in map(id, self.targets(clinic, r))}
            kin = {
                ingredient
                for product in everything
                if id(product) in reached
                for ingredients in clinic.members.values()
                if ingredients & product.ingredients
                for ingredient in ingredients
            }
            others = [p for p in everything if id(p) not in reached and not p.ingredients & kin]
            patient = clinic.patient(allergies=[term])
            with subtests.test(term=term, products=len(others)):
                assert of_code(clinic.findings(patient, *others), "allergy") == []


class TestInteractions:
    def test_each_pair_is_found_in_the_cart_in_either_order(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        patient = clinic.patient()
        for rule in clinic.rules("interaction_rules"):
            a, b = self.pair(clinic, rule)
            with subtests.test(pair=f"{rule['ingredient_a']} + {rule['ingredient_b']}"):
                found = {
                    order: of_rule(clinic.findings(patient, *order), "interaction", self.name(rule))
                    for order in ((a.product_id, b.product_id), (b.product_id, a.product_id))
                }
                for findings in found.values():
                    assert {finding.product_id for finding in findings} == {a.product_id, b.product_id}
                    for finding in findings:
                        self.says_what_the_rule_says(clinic, finding, rule)

    def test_each_pair_is_found_with_what_is_being_taken(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        for rule in clinic.rules("interaction_rules"):
            for cart, taken in (self.pair(clinic, rule), reversed(self.pair(clinic, rule))):
                with subtests.test(cart=cart.product_name, taken=taken.product_name):
                    patient = clinic.patient()
                    clinic.bought(patient, taken, days_ago=0.01)

                    (finding,) = of_rule(clinic.findings(patient, cart), "interaction", self.name(rule))

                    self.says_what_the_rule_says(clinic, finding, rule)
                    assert finding.subject == taken.product_name

    def test_what_was_taken_long_ago_interacts_with_nothing(self, clinic: Clinic) -> None:
        for rule in clinic.rules("interaction_rules"):
            a, b = self.pair(clinic, rule)
            patient = clinic.patient()
            clinic.bought(patient, b, days_ago=2000)
            assert of_code(clinic.findings(patient, a), "interaction") == [], rule

    def test_each_medicine_of_a_pair_is_silent_with_a_stranger(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        for rule in clinic.rules("interaction_rules"):
            for product in self.pair(clinic, rule):
                other = neutral(clinic, product)
                assert of_code(clinic.findings(patient, product, other), "interaction") == [], (
                    product,
                    other,
                )

    @staticmethod
    def pair(clinic: Clinic, rule: Json) -> tuple[Product, Product]:
        """Two products, neither holding both ingredients."""
        a, b = rule["ingredient_a"], rule["ingredient_b"]
        return (
            next(p for p in clinic.containing(a) if b not in p.ingredients),
            next(p for p in clinic.containing(b) if a not in p.ingredients),
        )

    @staticmethod
    def name(rule: Json) -> str:
        return f"interaction:{rule['ingredient_a']}+{rule['ingredient_b']}"

    @staticmethod
    def says_what_the_rule_says(clinic: Clinic, finding: Finding, rule: Json) -> None:
        assert (finding.severity, finding.grade) == (rule["action"], rule["severity"])
        assert (finding.source, finding.rule_set) == (rule["source"], clinic.version)
        assert rule["effect"] in finding.message
        assert finding.waits is False


class TestConditions:
    def test_each_condition_is_minded(self, clinic: Clinic, subtests: pytest.Subtests) -> None:
        for rule in clinic.rules("condition_rules"):
            with subtests.test(ingredient=rule["ingredient"], condition=rule["condition"]):
                patient = clinic.patient(conditions=[rule["condition"]])
                product = clinic.containing(rule["ingredient"])[0]

                found = clinic.findings(patient, product)

                (finding,) = of_rule(
                    found, "condition", f"condition:{rule['ingredient']}+{rule['condition']}"
                )
                assert (finding.severity, finding.source) == (rule["action"], rule["source"])
                assert rule["effect"] in finding.message
                assert (finding.subject, finding.rule_set) == (rule["condition"], clinic.version)

    def test_another_condition_does_not_matter(self, clinic: Clinic) -> None:
        rules = clinic.rules("condition_rules")
        conditions = {rule["condition"] for rule in rules}
        for rule in rules:
            product = clinic.containing(rule["ingredient"])[0]
            minded = {r["condition"] for r in rules if r["ingredient"] in product.ingredients}
            # "severe kidney disease" is kidney disease.
            harmless = sorted(c for c in conditions - minded if not any(c.endswith(m) for m in minded))
            patient = clinic.patient(conditions=harmless)
            assert of_code(clinic.findings(patient, product), "condition") == [], rule

    def test_a_grave_form_of_a_condition_is_that_condition(self, clinic: Clinic) -> None:
        patient = clinic.patient(conditions=["Severe Kidney Disease"])
        (finding,) = of_code(clinic.findings(patient, "MED012"), "condition")
        assert (finding.severity, finding.rule) == ("block", "condition:Ibuprofen+kidney disease")


class TestAges:
    def test_each_age_limit_holds_to_the_year(self, clinic: Clinic, subtests: pytest.Subtests) -> None:
        limits = {rule["ingredient"]: rule for rule in clinic.rules("ingredient_limits")}
        for product in clinic.products.values():
            ages = {f"limit:{i}": limits[i]["min_age_years"] or 0 for i in product.ingredients if i in limits}
            ages[f"product:{product.product_id}"] = product.min_age_years or 0
            least = max(ages.values())
            if not least:
                continue
            with subtests.test(product=product.product_name, least_age=least):
                old_enough, too_young = clinic.patient(age=least), clinic.patient(age=least - 1)

                assert of_code(clinic.findings(old_enough, product), "age") == []
                (finding,) = of_code(clinic.findings(too_young, product), "age")

                assert (finding.severity, finding.subject) == ("block", str(least))
                assert ages[finding.rule] == least
                assert finding.rule_set == clinic.version
                if finding.rule.startswith("limit:"):
                    assert finding.source == limits[finding.rule.removeprefix("limit:")]["source"]


class TestDoses:
    def test_each_daily_maximum_holds_to_the_milligram(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        patient = clinic.patient()
        for limit in clinic.rules("ingredient_limits"):
            if limit["max_daily_mg"] is None:
                continue
            ingredient = limit["ingredient"]
            product = swallowed(clinic, ingredient)[0]
            most = units_of(product, ingredient, limit["max_daily_mg"])
            for dose, fires in ((most, False), (most + Decimal("0.001"), True)):
                with subtests.test(ingredient=ingredient, dose=dose):
                    found = too_much(
                        clinic.findings(patient, Line(product.product_id, 1, "once_daily", dose)), ingredient
                    )
                    assert bool(found) is fires
                    for finding in found:
                        assert (finding.severity, finding.source) == ("block", limit["source"])
                        assert finding.rule_set == clinic.version

    def test_milligrams_are_summed_over_products(self, clinic: Clinic, subtests: pytest.Subtests) -> None:
        patient = clinic.patient()
        for limit in clinic.rules("ingredient_limits"):
            products = swallowed(clinic, limit["ingredient"])[:2]
            if limit["max_daily_mg"] is None or len(products) < 2:
                continue
            with subtests.test(products=[product.product_name for product in products]):
                ingredient = limit["ingredient"]
                first, second = (
                    Line(p.product_id, 1, "once_daily", units_of(p, ingredient, limit["max_daily_mg"] / 2))
                    for p in products
                )
                twice = replace(second, dosage_frequency="twice_daily")

                assert too_much(clinic.findings(patient, first, second), ingredient) == []
                found = too_much(clinic.findings(patient, first, twice), ingredient)

                assert {finding.product_id for finding in found} == {p.product_id for p in products}

    def test_what_is_being_taken_counts(self, clinic: Clinic) -> None:
        """Three Dolo 650 a day leave room for 2,050 mg: four Crocin of 500 mg fit, five do not."""
        patient = clinic.patient()
        clinic.bought(patient, clinic.products["MED001"], days_ago=1, dosage_frequency="three_times_daily")

        for tablets, fires in ((4, False), (5, True)):
            found = clinic.findings(patient, Line("MED009", 1, "once_daily", tablets))
            assert bool(of_code(found, "max_daily_dose")) is fires

    def test_another_brand_of_what_is_taken_takes_nothing_off_the_sum(self, clinic: Clinic) -> None:
        """Dolo 650 and Crocin 650 are one medicine: ordering the second without directions ends nothing."""
        patient = clinic.patient()
        clinic.bought(patient, clinic.products["MED001"], days_ago=1, dosage_frequency="four_times_daily")
        crocin_500 = Line("MED009", 1, "four_times_daily")

        for cart in (
            [crocin_500],
            [crocin_500, Line("MED034")],
            [crocin_500, Line("MED034", 1, "as_needed")],
        ):
            assert "MED009" in {
                f.product_id for f in too_much(clinic.findings(patient, *cart), "Paracetamol")
            }

    @pytest.mark.parametrize("dosage_frequency", ["once_weekly", "alternate_days"])
    @pytest.mark.parametrize(("tablets", "fires"), [(10, False), (20, True)])
    def test_a_dose_is_judged_on_the_day_it_is_taken(
        self, clinic: Clinic, dosage_frequency: str, tablets: int, fires: bool
    ) -> None:
        """50 mg of methotrexate once a week is twice the most for a day, not 7 mg a day."""
        found = clinic.findings(clinic.patient(), Line("MED099", 1, dosage_frequency, tablets))

        assert bool(too_much(found, "Methotrexate")) is fires

    @pytest.mark.parametrize("first", ["once_weekly", "four_times_daily"])
    def test_the_same_product_twice_has_the_larger_directions(self, clinic: Clinic, first: str) -> None:
        second = {"once_weekly": "four_times_daily", "four_times_daily": "once_weekly"}[first]

        found = clinic.findings(clinic.patient(), Line("MED099", 1, first), Line("MED099", 1, second))

        assert "weekly" in {finding.subject for finding in of_code(found, "max_daily_dose")}

    def test_weekly_medicines_are_refused_with_daily_directions(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        patient = clinic.patient()
        frequencies = clinic.rows("select * from public.dosage_frequencies")
        for limit in clinic.rules("ingredient_limits"):
            for product in clinic.containing(limit["ingredient"]):
                for row in frequencies:
                    with subtests.test(product=product.product_name, directions=row["dosage_frequency"]):
                        found = clinic.findings(
                            patient, Line(product.product_id, 1, row["dosage_frequency"], Decimal("0.001"))
                        )
                        # Calcium with a little vitamin D is a daily tablet.
                        too_often = (
                            limit["weekly_only"]
                            and len(product.ingredients) == 1
                            and row["doses_per_day"] is not None
                            and row["doses_per_day"] * 7 > Decimal("1.0001")
                        )
                        weekly = [f for f in of_code(found, "max_daily_dose") if f.subject == "weekly"]
                        assert bool(weekly) is too_often
                        assert all(f.severity == "block" and f.source == limit["source"] for f in weekly)


class TestCaps:
    def test_each_cap_counts_all_products_and_the_last_seven_days(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        for limit in clinic.rules("ingredient_limits"):
            cap = limit["otc_units_per_7_days"] or limit["otc_packs_per_7_days"]
            if cap is None:
                continue
            by_unit = limit["otc_units_per_7_days"] is not None
            for product in clinic.containing(limit["ingredient"]):
                if product.schedule != "OTC":
                    continue
                with subtests.test(ingredient=limit["ingredient"], product=product.product_name):
                    size = product.units_per_pack if by_unit else 1
                    fits = cap // size
                    rule = f"limit:{limit['ingredient']}"

                    def capped(*lines: Line, ago: float | None = None) -> list[Finding]:
                        patient = clinic.patient()
                        if ago is not None:
                            clinic.bought(patient, product, days_ago=ago)  # noqa: B023
                        return of_rule(clinic.findings(patient, *lines), "quantity_limit", rule)  # noqa: B023

                    assert capped(Line(product.product_id, fits)) == []
                    (finding,) = capped(Line(product.product_id, fits + 1))
                    assert (finding.severity, finding.source) == ("block", limit["source"])
                    assert finding.rule_set == clinic.version
                    assert capped(Line(product.product_id, fits), ago=6.9) != []
                    assert capped(Line(product.product_id, fits), ago=8) == []

    def test_two_products_share_the_cap_of_their_ingredient(self, clinic: Clinic) -> None:
        """Of paracetamol 100 units: 4 strips of 15 and 2 of 20 fit exactly, one strip more does not."""
        patient = clinic.patient()
        fits = [Line("MED001", 4), Line("MED009", 2)]
        for lines, fires in ((fits, False), ([*fits, Line("MED033", 1)], True)):
            found = of_rule(clinic.findings(patient, *lines), "quantity_limit", "limit:Paracetamol")
            assert bool(found) is fires

    def test_at_most_ten_packs_a_line(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        capped = {
            limit["ingredient"]
            for limit in clinic.rules("ingredient_limits")
            if limit["otc_units_per_7_days"] or limit["otc_packs_per_7_days"]
        }
        for product in clinic.products.values():
            if product.schedule != "OTC" or product.ingredients & capped:
                continue
            assert of_code(clinic.findings(patient, Line(product.product_id, 10)), "quantity_limit") == []
            (finding,) = of_code(clinic.findings(patient, Line(product.product_id, 11)), "quantity_limit")
            assert (finding.severity, finding.rule) == ("block", "sale_limits:otc_packs_per_line")


class TestClasses:
    def test_two_of_a_class_are_a_duplicate_unless_one_is_applied_locally(
        self, clinic: Clinic, subtests: pytest.Subtests
    ) -> None:
        patient = clinic.patient()
        for name, ingredients in clinic.members.items():
            products = [p for p in clinic.products.values() if p.ingredients & ingredients]
            for one in products:
                for other in products:
                    if one.product_id >= other.product_id or one.ingredients & other.ingredients:
                        continue
                    with subtests.test(drug_class=name, pair=(one.product_name, other.product_name)):
                        found = of_code(clinic.findings(patient, one, other), "duplicate_therapy")
                        if self.counts(one) and self.counts(other):
                            assert {f.product_id for f in found} == {one.product_id, other.product_id}
                            assert {f.severity for f in found} == {"warn"}
                            assert f"duplicate:{name}" in {f.rule for f in found}
                        else:
                            assert found == []

    def test_classes_of_their_own_are_no_duplicates(self, clinic: Clinic) -> None:
        """One product of each class, of those that have no ingredient or class in common."""
        patient = clinic.patient()
        chosen: list[Product] = []
        for product in clinic.products.values():
            kin = product.ingredients | {
                i for members in clinic.members.values() if members & product.ingredients for i in members
            }
            if product.ingredients and not any(kin & other.ingredients for other in chosen):
                chosen.append(product)
        assert len(chosen) > 50
        assert of_code(clinic.findings(patient, *chosen), "duplicate_therapy") == []

    @staticmethod
    def counts(product: Product) -> bool:
        low_dose_aspirin = product.active_ingredient == "Aspirin" and (product.mg["Aspirin"] or 0) <= 150
        return product.route == "systemic" and not low_dose_aspirin
