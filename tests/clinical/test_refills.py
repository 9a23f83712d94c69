"""What is told of a medicine that is bought again, of two that do the same, and of more than may be sold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.clinical.clinic import Clinic, Finding, Json, Line

PHENYTOIN, ALPRAZOLAM, LEVOTHYROXINE, METFORMIN = "MED076", "MED071", "MED019", "MED003"
ASPIRIN, IBUPROFEN, DICLOFENAC_GEL, NAPROXEN = "MED028", "MED012", "MED023", "MED069"
DOLO_650, DOLO_500, CROCIN_650, COMBIFLAM = "MED001", "MED033", "MED034", "MED068"
PREDNISOLONE, BUDESONIDE_INHALER, CLOTRIMAZOLE_CREAM, FLUCONAZOLE = "MED059", "MED058", "MED092", "MED065"
OMEPRAZOLE, PANTOPRAZOLE, ORS, BANDAGE = "MED006", "MED081", "MED021", "MED032"


def too_soon(findings: list[Finding]) -> list[str]:
    return [finding.severity for finding in findings if finding.code == "refill_too_soon"]


def duplicates(findings: list[Finding]) -> set[tuple[str, str | None]]:
    return {(f.product_id, f.subject) for f in findings if f.code == "duplicate_therapy"}


class TestRefillTooSoon:
    """A bottle of 100 tablets, one a day: each day is one hundredth of the supply."""

    @pytest.mark.parametrize(
        ("used", "expected"), [(1, ["warn"]), (74, ["warn"]), (75, []), (76, []), (300, [])]
    )
    def test_it_is_due_when_three_quarters_are_used(
        self, clinic: Clinic, used: int, expected: list[str]
    ) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[PHENYTOIN])
        clinic.bought(patient, clinic.products[PHENYTOIN], days_ago=used)
        assert too_soon(clinic.findings(patient, PHENYTOIN)) == expected

    @pytest.mark.parametrize(("percent", "expected"), [("74.9", ["warn"]), ("75", []), ("75.1", [])])
    def test_to_a_tenth_of_a_percent(self, clinic: Clinic, percent: str, expected: list[str]) -> None:
        """749, 750 and 751 days of a supply of a thousand: a bottle of 100, a tenth of a tablet a day."""
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[PHENYTOIN])
        clinic.bought(
            patient,
            clinic.products[PHENYTOIN],
            days_ago=int(Decimal(percent) * 10),
            units_per_dose=Decimal("0.1"),
        )
        assert too_soon(clinic.findings(patient, PHENYTOIN)) == expected

    @pytest.mark.parametrize(("used", "expected"), [(11, ["block"]), (12, [])])
    def test_schedule_h1_is_refused(self, clinic: Clinic, used: int, expected: list[str]) -> None:
        """Fifteen tablets: three quarters are 11.25 days."""
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[ALPRAZOLAM])
        clinic.bought(patient, clinic.products[ALPRAZOLAM], days_ago=used)
        assert too_soon(clinic.findings(patient, ALPRAZOLAM)) == expected

    def test_every_h1_product_is_refused_the_day_after(self, clinic: Clinic) -> None:
        for product in clinic.products.values():
            if product.schedule not in {"H1", "H"}:
                continue
            patient = clinic.patient()
            clinic.prescribe(patient, product)
            clinic.bought(patient, product, days_ago=0.001, packs=2)
            expected = ["block" if product.schedule == "H1" else "warn"]
            assert too_soon(clinic.findings(patient, product)) == expected, product

    def test_carried_over_supplies_count(self, clinic: Clinic) -> None:
        """Two bottles bought a week apart last 200 days; on day 150 the second is half used."""
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[PHENYTOIN])
        for days_ago in (150, 143):
            clinic.bought(patient, clinic.products[PHENYTOIN], days_ago=days_ago)
        assert too_soon(clinic.findings(patient, PHENYTOIN)) == ["warn"]

    def test_another_brand_is_the_same_supply_and_another_strength_is_not(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[DOLO_650], days_ago=1)
        assert too_soon(clinic.findings(patient, CROCIN_650)) == ["warn"]
        assert too_soon(clinic.findings(patient, DOLO_500)) == []

    @pytest.mark.parametrize("status", ["cancelled", "failed"])
    def test_what_never_arrived_may_be_ordered_again(self, clinic: Clinic, status: str) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[DOLO_650], days_ago=1, status=status)
        assert too_soon(clinic.findings(patient, DOLO_650)) == []

    def test_as_needed_has_no_due_date(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[DOLO_650], days_ago=1, dosage_frequency="as_needed")
        assert too_soon(clinic.findings(patient, DOLO_650)) == []


class TestDuplicateTherapy:
    def test_the_same_ingredient_under_another_name_warns_on_both(self, clinic: Clinic) -> None:
        found = duplicates(clinic.findings(clinic.patient(), DOLO_650, COMBIFLAM))
        assert found == {(DOLO_650, "Combiflam"), (COMBIFLAM, "Dolo 650")}

    def test_the_same_class_warns(self, clinic: Clinic) -> None:
        found = clinic.findings(clinic.patient(), OMEPRAZOLE, PANTOPRAZOLE)
        assert {f.rule for f in found if f.code == "duplicate_therapy"} == {
            "duplicate:Proton pump inhibitors"
        }

    def test_it_warns_of_what_is_being_taken(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.bought(patient, clinic.products[OMEPRAZOLE], days_ago=1)
        assert duplicates(clinic.findings(patient, PANTOPRAZOLE)) == {(PANTOPRAZOLE, "Omeprazole 20mg")}

    def test_the_same_product_again_is_a_refill(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN])
        clinic.bought(patient, clinic.products[METFORMIN], days_ago=25)
        assert duplicates(clinic.findings(patient, METFORMIN)) == set()

    @pytest.mark.parametrize(
        "pair",
        [
            (ASPIRIN, IBUPROFEN),
            (ASPIRIN, NAPROXEN),
            (DICLOFENAC_GEL, IBUPROFEN),
            (BUDESONIDE_INHALER, PREDNISOLONE),
            (CLOTRIMAZOLE_CREAM, FLUCONAZOLE),
            (ORS, BANDAGE),
        ],
    )
    def test_topical_inhaled_and_low_dose_aspirin_are_exempt(
        self, clinic: Clinic, pair: tuple[str, str]
    ) -> None:
        assert duplicates(clinic.findings(clinic.patient(), *pair)) == set()
        taking = clinic.patient()
        clinic.bought(taking, clinic.products[pair[1]], days_ago=1)
        assert duplicates(clinic.findings(taking, pair[0])) == set()

    def test_it_never_refuses(self, clinic: Clinic) -> None:
        found = clinic.findings(clinic.patient(), *clinic.products.values())
        assert {f.severity for f in found if f.code == "duplicate_therapy"} == {"warn"}


class TestStock:
    def test_more_than_there_is_is_refused(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.run("update public.product_batches set quantity = 0 where product_id = %s", ORS)
        clinic.stock(ORS, 3)
        for packs, expected in ((3, []), (4, ["block"])):
            found = clinic.findings(patient, Line(ORS, packs))
            assert [f.severity for f in found if f.code == "out_of_stock"] == expected

    @pytest.mark.parametrize(
        "change",
        ["status = 'held'", "status = 'recalled'", "expiry = current_date", "expiry = current_date - 1"],
    )
    def test_expired_held_and_recalled_lots_are_none(self, clinic: Clinic, change: str) -> None:
        clinic.run(f"update public.product_batches set {change} where product_id = 'MED021'")
        found = clinic.findings(clinic.patient(), ORS)
        assert [f.severity for f in found if f.code == "out_of_stock"] == ["block"]


class TestUnknownProfile:
    @pytest.mark.parametrize(
        ("unknown", "question"),
        [({"age": None}, "age"), ({"allergies": None}, "allergies"), ({"conditions": None}, "conditions")],
    )
    def test_what_was_never_asked_is_asked_before_the_first_order(
        self, clinic: Clinic, unknown: Json, question: str
    ) -> None:
        patient = clinic.patient(**unknown)
        assert clinic.verification(patient, [ORS])["questions"] == [question]
        assert clinic.place(patient, ORS)["outcome"] == "questions"
        assert (
            clinic.value("select count(*) from public.orders where patient_id = %s", patient.patient_id) == 0
        )

    def test_a_check_without_its_answer_is_recorded_as_not_done(self, clinic: Clinic) -> None:
        patient = clinic.patient(age=None, allergies=None, conditions=None)
        checks = clinic.verification(patient, [DOLO_650])["checks"]
        not_done = {check["check"] for check in checks if check["result"] == "not_done"}
        assert not_done == {"age", "allergy", "condition", "max_daily_dose"}
