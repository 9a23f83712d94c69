"""Allergies as people write them: the spellings that must reach a rule, and those that must reach none."""

from __future__ import annotations

import pytest

from tests.clinical.clinic import Clinic, Finding

AUGMENTIN, CEPHALEXIN, CEFIXIME, COTRIMOXAZOLE = "MED002", "MED061", "MED060", "MED063"
IBUPROFEN, DICLOFENAC_GEL, NAPROXEN, ASPIRIN = "MED012", "MED023", "MED069", "MED028"
FUROSEMIDE, BETADINE, BANDAGE, MASK = "MED050", "MED022", "MED032", "MED105"
CETIRIZINE, LEVOCETIRIZINE, CIPROFLOXACIN, ROSUVASTATIN = "MED005", "MED054", "MED020", "MED047"
METFORMIN, DOLO = "MED003", "MED001"

PENICILLIN_LIKE = {AUGMENTIN: "block", CEPHALEXIN: "block", CEFIXIME: "warn"}
SULFA_LIKE = {COTRIMOXAZOLE: "block", FUROSEMIDE: "warn"}
NSAID_LIKE = {IBUPROFEN: "block", DICLOFENAC_GEL: "block", NAPROXEN: "block", ASPIRIN: "block"}


def allergy_findings(clinic: Clinic, stated: list[str], *products: str) -> list[Finding]:
    found = clinic.findings(clinic.patient(allergies=stated), *products)
    return [finding for finding in found if finding.code == "allergy"]


def severities(findings: list[Finding]) -> dict[str, str]:
    return {finding.product_id: finding.severity for finding in findings}


@pytest.mark.parametrize(
    "stated",
    [
        *("Penicillin", "penicillins", "Penicillins", "PENICILLIN", "penicilin", "pencillin", "penecillin"),
        *("penicillin injection", "allergic to penicillin", "I get rash from penicillin."),
        *("पेनिसिलिन", "पेनिसिलीन", "Augmentin", "novamox", "amoxycillin", "amoxicilin"),
    ],
)
def test_penicillin_however_it_is_written(clinic: Clinic, stated: str) -> None:
    found = allergy_findings(clinic, [stated], *PENICILLIN_LIKE, METFORMIN, DOLO)
    assert severities(found) == PENICILLIN_LIKE


@pytest.mark.parametrize(
    "stated",
    ["Sulfa", "sulfa drugs", "Sulfa-drugs", "sulpha", "sulfa medicines", "सल्फा", "सल्फ़ा", "सल्फा ड्रग्स"],
)
def test_sulfa_however_it_is_written(clinic: Clinic, stated: str) -> None:
    found = allergy_findings(clinic, [stated], *SULFA_LIKE, METFORMIN, DOLO)
    assert severities(found) == SULFA_LIKE


@pytest.mark.parametrize(
    "stated",
    [
        *("NSAIDs", "nsaid", "NSAID medicines", "aspirin", "asprin", "Ecosprin", "एस्पिरिन"),
        *("ibuprofen", "ibuprofin", "brufen", "Brufen tablets", "ब्रूफेन", "combiflam", "diclofenac gel"),
    ],
)
def test_painkillers_however_they_are_written(clinic: Clinic, stated: str) -> None:
    """A brand means its ingredient, and all that an allergy to the ingredient means."""
    found = allergy_findings(clinic, [stated], *NSAID_LIKE, METFORMIN)
    assert severities(found) == NSAID_LIKE


def test_a_brand_means_each_of_its_ingredients(clinic: Clinic) -> None:
    assert severities(allergy_findings(clinic, ["combiflam"], DOLO)) == {DOLO: "block"}


@pytest.mark.parametrize(
    ("stated", "relative"),
    [
        ("cetirizine", LEVOCETIRIZINE),
        ("Okacet", LEVOCETIRIZINE),
        ("moxifloxacin", CIPROFLOXACIN),
        ("atorvastatin", ROSUVASTATIN),
    ],
)
def test_an_ingredient_without_a_term_warns_of_its_class(clinic: Clinic, stated: str, relative: str) -> None:
    (finding,) = allergy_findings(clinic, [stated], relative)
    assert (finding.severity, finding.waits) == ("warn", False)
    assert "same class" in finding.source


def test_several_allergies_in_one_text_are_all_heard(clinic: Clinic) -> None:
    found = allergy_findings(clinic, ["penicillin and sulfa, also latex"], AUGMENTIN, COTRIMOXAZOLE, BANDAGE)
    assert severities(found) == {AUGMENTIN: "block", COTRIMOXAZOLE: "block", BANDAGE: "warn"}


def test_each_allergy_has_a_finding_of_its_own(clinic: Clinic) -> None:
    found = allergy_findings(clinic, ["penicillin", "amoxicillin"], AUGMENTIN)
    assert [finding.subject for finding in found] == ["amoxicillin", "penicillin"]


@pytest.mark.parametrize(
    "stated", ["ceftum", "mangoes", "Painkillers", "ಪೆನಿಸಿಲಿನ್", "xyzzy", "some injection", "?!", "धूल"]
)
def test_an_unknown_allergy_waits_on_prescription_items_and_warns_on_others(
    clinic: Clinic, stated: str
) -> None:
    found = allergy_findings(clinic, [stated], METFORMIN, DOLO, MASK)

    assert [(f.product_id, f.severity, f.waits, f.rule, f.subject) for f in found] == [
        (METFORMIN, "warn", True, "allergy:unrecognised", stated),
        (DOLO, "warn", False, "allergy:unrecognised", stated),
    ]


@pytest.mark.parametrize(
    "stated",
    [
        *("none", "None", "NO", "no.", "nil", "N/A", "", "   ", "none known", "No known allergies"),
        *("nahi", "नहीं", "नाही"),
    ],
)
def test_none_is_an_answer_and_no_allergy(clinic: Clinic, stated: str) -> None:
    assert clinic.value("select private.clean_list(%s)", [stated]) == []


def test_an_answer_never_given_stays_unknown(clinic: Clinic) -> None:
    assert clinic.value("select private.clean_list(null)") is None


# Names that reach what they do not name: near in sound or of the same stem, and all of it on the safe side.
TOLERATED = {
    ("azithromycin", "erythromycin"),
    ("erythromycin", "azithromycin"),
    ("calcium carbonate", "cholecalciferol"),
    ("calcium channel blockers", "calcium carbonate"),
    ("calcium channel blockers", "cholecalciferol"),
    # Named by the brand of that name.
    ("cotrimoxazole", "sulfamethoxazole"),
    ("cotrimoxazole", "trimethoprim"),
}


def test_no_name_of_a_medicine_reaches_what_it_does_not_name(clinic: Clinic) -> None:
    """All terms, classes and ingredients as stated allergies, against everything that each calls up."""
    terms = {rule["term"] for rule in clinic.rules("allergy_rules")}
    ingredients = {row["ingredient"] for row in clinic.rows("select ingredient from public.ingredients")}
    called_up = clinic.rows(
        """
        select distinct s.stated, t.term
        from unnest(%s::text[]) as s (stated)
        cross join lateral private.allergy_targets(s.stated, private.active_rule_set_id()) as t
        """,
        sorted(terms | ingredients | clinic.members.keys()),
    )
    assert len(called_up) > 150

    foreign = {
        (row["stated"].lower(), row["term"])
        for row in called_up
        if row["term"].removesuffix("s") not in row["stated"].lower().removesuffix("s")
    }

    assert sorted(foreign ^ TOLERATED) == []


@pytest.mark.parametrize(
    "stated",
    [
        *(
            "egg",
            "milk",
            "dust",
            "pollen",
            "shellfish",
            "seafood",
            "nuts",
            "wheat",
            "honey",
            "banana",
            "tomato",
        ),
        *("bee sting", "cats", "smoke", "perfume", "soap", "nickel", "lidocaine", "xylocaine", "quinine"),
        *(
            "vancomycin",
            "gentamicin",
            "cefuroxime",
            "ceftriaxone",
            "tinidazole",
            "nimesulide",
            "mefenamic acid",
        ),
        *("heparin", "lithium", "valproate", "lamotrigine", "gold"),
    ],
)
def test_what_the_rules_do_not_know_is_taken_for_nothing_else(clinic: Clinic, stated: str) -> None:
    assert (
        clinic.rows("select * from private.allergy_targets(%s, private.active_rule_set_id())", stated) == []
    )
