"""What a prescription covers: its ingredient at its strength, while it is valid, until it is used up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from tests.clinical.clinic import Clinic, Finding, Line, Patient
from tests.database.people import Person, acting_as, staff

METFORMIN_500, METFORMIN_1000, METFORMIN_GLIMEPIRIDE = "MED003", "MED036", "MED037"
WARFARIN, ASPIRIN, CARBAMAZEPINE, CIPROFLOXACIN = "MED046", "MED028", "MED075", "MED020"
ISOSORBIDE, SILDENAFIL, TRAMADOL, ALPRAZOLAM = "MED051", "MED052", "MED070", "MED071"
METHYLPHENIDATE, CEFIXIME, DOLO, CLOPIDOGREL, OMEPRAZOLE = "MED077", "MED060", "MED001", "MED045", "MED006"
DAY = timedelta(days=1)


def about(findings: list[Finding], product_id: str, *codes: str) -> list[tuple[str, str, bool]]:
    """(code, severity, waits) of the findings on a product that a prescription decides."""
    codes = codes or ("prescription_required", "quantity_limit", "schedule_x")
    return [(f.code, f.severity, f.waits) for f in findings if f.product_id == product_id and f.code in codes]


REFUSED = [("prescription_required", "block", False)]
AWAITED = [("prescription_required", "warn", True)]
TOO_MANY = [("quantity_limit", "block", False)]


class TestCover:
    def test_every_prescription_product_needs_one_and_no_other_does(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        for product in clinic.products.values():
            expected = {"OTC": [], "X": [("schedule_x", "block", False)]}.get(product.schedule, REFUSED)
            assert about(clinic.findings(patient, product), product.product_id) == expected, product

    def test_each_is_covered_by_its_own_composition_only(self, clinic: Clinic) -> None:
        """Every prescription product against every prescription for one of them."""
        sold = [p for p in clinic.products.values() if p.schedule in {"H", "H1"}]
        for prescribed in sold:
            patient = clinic.patient()
            clinic.prescribe(patient, prescribed)
            uncovered = {
                f.product_id for f in clinic.findings(patient, *sold) if f.code == "prescription_required"
            }
            assert uncovered == {p.product_id for p in sold if p.composition != prescribed.composition}

    def test_a_combination_is_no_single_ingredient_and_no_strength_another(self, clinic: Clinic) -> None:
        metformins = [METFORMIN_500, METFORMIN_1000, METFORMIN_GLIMEPIRIDE]
        for prescribed in metformins:
            patient = clinic.patient()
            clinic.prescribe(patient, clinic.products[prescribed])
            for asked in metformins:
                expected = [] if asked == prescribed else REFUSED
                assert about(clinic.findings(patient, asked), asked) == expected

    def test_another_brand_of_the_composition_is_covered(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500])
        brand = clinic.copy_of(clinic.products[METFORMIN_500])
        assert about(clinic.findings(patient, brand), brand.product_id) == []

    @pytest.mark.parametrize("status", ["rejected", "expired"])
    def test_a_rejected_or_expired_prescription_covers_nothing(self, clinic: Clinic, status: str) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500], status=status)
        assert about(clinic.findings(patient, METFORMIN_500), METFORMIN_500) == REFUSED

    @pytest.mark.parametrize(
        ("issued", "ends", "covers"), [(0, 0, True), (-30, 0, True), (-30, -1, False), (1, 30, False)]
    )
    def test_a_prescription_covers_from_its_first_to_its_last_day(
        self, clinic: Clinic, issued: int, ends: int, covers: bool
    ) -> None:
        patient = clinic.patient()
        today = clinic.today
        clinic.prescribe(
            patient, clinic.products[METFORMIN_500], issued=today + issued * DAY, ends=today + ends * DAY
        )
        found = about(clinic.findings(patient, METFORMIN_500), METFORMIN_500)
        assert found == ([] if covers else REFUSED)

    def test_anothers_prescription_covers_nothing(self, clinic: Clinic) -> None:
        clinic.prescribe(clinic.patient(), clinic.products[METFORMIN_500])
        assert about(clinic.findings(clinic.patient(), METFORMIN_500), METFORMIN_500) == REFUSED

    def test_schedule_x_is_never_sold(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METHYLPHENIDATE])
        clinic.upload(patient)
        for found in (
            clinic.findings(patient, METHYLPHENIDATE),
            clinic.findings(patient, Line(METHYLPHENIDATE, 1, "once_daily")),
        ):
            assert about(found, METHYLPHENIDATE) == [("schedule_x", "block", False)]
        assert clinic.place(patient, METHYLPHENIDATE)["outcome"] == "changed"


class TestUnits:
    """Metformin 500 mg comes in packs of 30."""

    @pytest.mark.parametrize(
        ("units", "packs", "allowed"),
        [
            (30, 1, True),
            (30, 2, False),
            (31, 2, True),
            (31, 3, False),
            (60, 2, True),
            (1, 1, True),
            (1, 2, False),
        ],
    )
    def test_one_pack_is_rounded_up_and_no_more(
        self, clinic: Clinic, units: int, packs: int, allowed: bool
    ) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500], units=units, repeats=0)
        found = about(clinic.findings(patient, Line(METFORMIN_500, packs)), METFORMIN_500)
        assert found == ([] if allowed else TOO_MANY)

    def test_it_is_filled_once_and_as_often_as_it_repeats(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500], units=30, repeats=2)
        outcomes = [clinic.place(patient, METFORMIN_500)["outcome"] for _ in range(4)]
        assert outcomes == ["placed", "placed", "placed", "changed"]
        assert about(clinic.findings(patient, METFORMIN_500), METFORMIN_500) == REFUSED

    def test_a_rounded_up_pack_uses_the_prescription_up(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500], units=40, repeats=0)
        assert clinic.place(patient, Line(METFORMIN_500, 2))["outcome"] == "placed"
        assert clinic.place(patient, METFORMIN_500)["outcome"] == "changed"

    def test_several_prescriptions_add_up_and_the_first_to_end_is_used_first(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        product = clinic.products[METFORMIN_500]
        later = clinic.prescribe(patient, product, units=30, repeats=0, ends=clinic.today + 90 * DAY)
        sooner = clinic.prescribe(patient, product, units=30, repeats=0, ends=clinic.today + 5 * DAY)

        assert about(clinic.findings(patient, Line(METFORMIN_500, 3)), METFORMIN_500) == TOO_MANY
        assert clinic.place(patient, METFORMIN_500)["outcome"] == "placed"
        assert (dispensed(clinic, sooner), dispensed(clinic, later)) == (30, 0)
        assert clinic.place(patient, METFORMIN_500)["outcome"] == "placed"
        assert (dispensed(clinic, sooner), dispensed(clinic, later)) == (30, 30)

    def test_two_brands_draw_on_the_same_prescription(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        original = clinic.products[CEFIXIME]
        brand = clinic.copy_of(original)
        clinic.prescribe(patient, original, units=10, repeats=0)

        assert clinic.place(patient, original, brand)["outcome"] == "changed"
        assert clinic.place(patient, brand)["outcome"] == "placed"
        assert clinic.place(patient, original)["outcome"] == "changed"

    def test_the_same_product_on_two_lines_draws_on_it_twice(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500], units=30, repeats=0)
        assert about(clinic.findings(patient, METFORMIN_500, METFORMIN_500), METFORMIN_500) == TOO_MANY

    def test_cancelling_gives_the_units_back(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        prescription = clinic.prescribe(patient, clinic.products[METFORMIN_500], units=30, repeats=0)
        order = clinic.place(patient, METFORMIN_500)["order"]
        assert dispensed(clinic, prescription) == 30

        cancel(clinic, patient, order["order_id"])

        assert dispensed(clinic, prescription) == 0
        assert clinic.place(patient, METFORMIN_500)["outcome"] == "placed"

    def test_the_prescribers_directions_stand(self, clinic: Clinic) -> None:
        """Other directions sent with the cart switch no check off and end no supply early."""
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products["MED099"], dosage_frequency="once_daily")
        for stated in ("as_needed", "once_weekly"):
            found = clinic.findings(patient, Line("MED099", 1, stated))
            assert "weekly" in {f.subject for f in found if f.code == "max_daily_dose"}

        clinic.prescribe(patient, clinic.products[ALPRAZOLAM])
        placed = clinic.place(patient, Line(ALPRAZOLAM, 1, "as_needed"))
        assert placed["order"]["items"][0]["dosage_frequency"] == "once_daily"
        again = clinic.findings(patient, Line(ALPRAZOLAM, 1, "as_needed"))
        assert about(again, ALPRAZOLAM, "refill_too_soon") == [("refill_too_soon", "block", False)]


class TestPending:
    def test_an_upload_that_nobody_has_read_lets_the_order_wait(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.upload(patient)
        assert about(clinic.findings(patient, METFORMIN_500), METFORMIN_500) == AWAITED
        assert clinic.place(patient, METFORMIN_500)["order"]["status"] == "awaiting_pharmacist"

    def test_a_pending_prescription_lets_wait_what_it_names(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[METFORMIN_500], status="pending")
        found = clinic.findings(patient, METFORMIN_500, WARFARIN)
        assert about(found, METFORMIN_500) == AWAITED
        assert about(found, WARFARIN) == REFUSED

    def test_nothing_is_used_dispensed_or_announced_while_it_waits(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        prescription = clinic.prescribe(patient, clinic.products[CEFIXIME], status="pending")
        order = clinic.place(patient, CEFIXIME)["order"]

        assert dispensed(clinic, prescription) == 0
        assert register(clinic, order["order_id"]) == []
        assert announced(clinic, order["order_id"]) == []

    def test_verifying_it_confirms_the_order_and_rejecting_it_cancels(self, clinic: Clinic) -> None:
        for review, status, entries in (
            ({"decision": "verify"}, "confirmed", ["dispensed"]),
            ({"decision": "reject", "reason": "not signed"}, "cancelled", []),
        ):
            patient = clinic.patient()
            prescription = clinic.prescribe(patient, clinic.products[CEFIXIME], status="pending")
            order = clinic.place(patient, CEFIXIME)["order"]
            with pharmacist(clinic):
                clinic.run(
                    "select public.review_prescription(%s, %s::jsonb)", prescription, json.dumps(review)
                )
            assert status_of(clinic, order["order_id"]) == status
            assert [entry for entry, *_ in register(clinic, order["order_id"])] == entries


class TestLongTermTherapy:
    """Two medicines both on verified prescriptions wait for the pharmacist instead of being stopped."""

    def prescribed(self, clinic: Clinic, *product_ids: str, **terms: object) -> Patient:
        patient = clinic.patient()
        for product_id in product_ids:
            clinic.prescribe(patient, clinic.products[product_id], **terms)  # type: ignore[arg-type]
        return patient

    @pytest.mark.parametrize("cart", [[WARFARIN], [CARBAMAZEPINE], [WARFARIN, CARBAMAZEPINE]])
    def test_a_major_pair_on_prescriptions_waits(self, clinic: Clinic, cart: list[str]) -> None:
        patient = self.prescribed(clinic, WARFARIN, CARBAMAZEPINE)
        found = clinic.findings(patient, *cart)
        for product_id in cart:
            assert about(found, product_id, "interaction") == [("interaction", "warn", True)]
        assert clinic.place(patient, *cart)["order"]["status"] == "awaiting_pharmacist"

    def test_a_contraindicated_pair_stays_refused(self, clinic: Clinic) -> None:
        patient = self.prescribed(clinic, ISOSORBIDE, SILDENAFIL)
        for cart in ([ISOSORBIDE], [SILDENAFIL], [ISOSORBIDE, SILDENAFIL]):
            found = clinic.findings(patient, *cart)
            for product_id in cart:
                assert about(found, product_id, "interaction") == [("interaction", "block", False)]

    def test_every_pair_of_the_rules_waits_or_stays_as_its_rule_says(self, clinic: Clinic) -> None:
        for rule in clinic.rules("interaction_rules"):
            pair = [
                next(p for p in clinic.containing(rule[mine]) if rule[other] not in p.ingredients)
                for mine, other in (("ingredient_a", "ingredient_b"), ("ingredient_b", "ingredient_a"))
            ]
            if {p.schedule for p in pair} & {"OTC", "X"}:
                continue
            patient = self.prescribed(clinic, *(p.product_id for p in pair))
            name = f"interaction:{rule['ingredient_a']}+{rule['ingredient_b']}"
            found = [f for f in clinic.findings(patient, *pair) if f.rule == name]
            waits = rule["action"] == "block" and rule["severity"] != "contraindicated"
            expected = ("warn" if waits else rule["action"], waits)
            assert [(f.severity, f.waits) for f in found] == [expected] * 2, name

    def test_a_prescribed_medicine_does_not_excuse_an_unprescribed_one(self, clinic: Clinic) -> None:
        patient = self.prescribed(clinic, WARFARIN)
        for cart in ([ASPIRIN], [WARFARIN, ASPIRIN], [ASPIRIN, WARFARIN]):
            assert about(clinic.findings(patient, *cart), ASPIRIN, "interaction") == [
                ("interaction", "block", False)
            ]
        assert clinic.place(patient, WARFARIN)["order"]["status"] == "confirmed"

    def test_a_course_bought_on_prescription_counts_as_prescribed(self, clinic: Clinic) -> None:
        """Ciprofloxacin without repeats is no long-term medicine, but it is on a verified prescription."""
        patient = self.prescribed(clinic, WARFARIN)
        clinic.prescribe(patient, clinic.products[CIPROFLOXACIN], repeats=0)
        clinic.bought(patient, clinic.products[CIPROFLOXACIN], days_ago=1)
        assert about(clinic.findings(patient, WARFARIN), WARFARIN, "interaction") == [
            ("interaction", "warn", True)
        ]

    def test_so_does_another_brand_of_the_prescribed_medicine(self, clinic: Clinic) -> None:
        patient = self.prescribed(clinic, WARFARIN, CARBAMAZEPINE)
        brand = clinic.copy_of(clinic.products[CARBAMAZEPINE])
        clinic.bought(patient, brand, days_ago=1)
        assert about(clinic.findings(patient, WARFARIN), WARFARIN, "interaction") == [
            ("interaction", "warn", True)
        ]

    def test_a_prescribed_medicine_waits_for_a_condition(self, clinic: Clinic) -> None:
        patient = clinic.patient(conditions=["heart disease"])
        clinic.prescribe(patient, clinic.products["MED067"])
        assert about(clinic.findings(patient, "MED067"), "MED067", "condition") == [
            ("condition", "warn", True)
        ]


class TestOverrides:
    RULE = "interaction:Carbamazepine+Warfarin"

    def waiting(
        self, clinic: Clinic, *, warfarin_days: int = 100, carbamazepine_days: int = 50
    ) -> tuple[Patient, str]:
        patient = clinic.patient()
        for product_id, days in ((WARFARIN, warfarin_days), (CARBAMAZEPINE, carbamazepine_days)):
            clinic.prescribe(patient, clinic.products[product_id], ends=clinic.today + days * DAY)
        return patient, clinic.place(patient, WARFARIN)["order"]["order_id"]

    def test_an_override_lets_the_order_go_and_stays_on_it(self, clinic: Clinic) -> None:
        patient, order_id = self.waiting(clinic)
        override(clinic, patient, self.RULE)

        assert status_of(clinic, order_id) == "confirmed"
        (finding,) = (f for f in clinic.findings(patient, CARBAMAZEPINE) if f.rule == self.RULE)
        assert (finding.severity, finding.waits) == ("warn", False)
        assert finding.overridden is not None
        assert finding.overridden["reason"] == "INR is checked weekly"
        (warnings,) = clinic.rows("select warnings from public.order_items where order_id = %s", order_id)
        assert [w["overridden"]["reason"] for w in warnings["warnings"] if w["rule"] == self.RULE] == [
            "INR is checked weekly"
        ]

    @pytest.mark.parametrize(("warfarin_days", "carbamazepine_days"), [(100, 50), (50, 100)])
    def test_it_lasts_until_either_prescription_ends(
        self, clinic: Clinic, warfarin_days: int, carbamazepine_days: int
    ) -> None:
        patient, _ = self.waiting(clinic, warfarin_days=warfarin_days, carbamazepine_days=carbamazepine_days)
        assert override(clinic, patient, self.RULE)["valid_until"] == str(clinic.today + 50 * DAY)

    def test_after_its_last_day_the_pair_waits_again(self, clinic: Clinic) -> None:
        for days, waits in ((0, False), (-1, True)):
            patient, _ = self.waiting(clinic)
            clinic.run(
                """
                insert into public.overrides
                  (patient_id, rule, reason, overridden_by, overridden_at, valid_until)
                select %s, %s, 'looked at', user_id, now() - interval '90 days', %s
                from public.staff where role = 'pharmacist' limit 1
                """,
                patient.patient_id,
                self.RULE,
                clinic.today + days * DAY,
            )
            found = about(clinic.findings(patient, WARFARIN), WARFARIN, "interaction")
            assert found == [("interaction", "warn", waits)]

    def test_it_lets_nothing_pass_for_another_patient_or_another_pair(self, clinic: Clinic) -> None:
        patient, _ = self.waiting(clinic)
        other, _ = self.waiting(clinic)
        override(clinic, patient, self.RULE)
        clinic.prescribe(patient, clinic.products[CLOPIDOGREL])

        assert about(clinic.findings(other, WARFARIN), WARFARIN, "interaction") == [
            ("interaction", "warn", True)
        ]
        assert sorted(about(clinic.findings(patient, WARFARIN), WARFARIN, "interaction")) == [
            ("interaction", "warn", False),
            ("interaction", "warn", True),
        ]

    def test_a_contraindicated_pair_has_none(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        for rule in clinic.rules("interaction_rules"):
            if rule["severity"] == "contraindicated":
                name = f"interaction:{rule['ingredient_a']}+{rule['ingredient_b']}"
                with pytest.raises(psycopg.Error, match="contraindicated"):
                    override(clinic, patient, name)

    @pytest.mark.parametrize(
        "rule",
        ["allergy:penicillin", "limit:Paracetamol", "schedule:X", "product:MED001", "rule_set:none", "", "x"],
    )
    def test_nothing_but_an_interaction_or_condition_has_one(self, clinic: Clinic, rule: str) -> None:
        with pytest.raises(psycopg.Error, match="not_overridable"):
            override(clinic, clinic.patient(), rule)

    def test_even_a_forged_one_lets_no_contraindicated_pair_pass(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[ISOSORBIDE], clinic.products[SILDENAFIL])
        clinic.run(
            """
            insert into public.overrides (patient_id, rule, reason, overridden_by, valid_until)
            select %s, 'interaction:Isosorbide Mononitrate+Sildenafil', 'forged', user_id, current_date + 30
            from public.staff where role = 'pharmacist' limit 1
            """,
            patient.patient_id,
        )
        found = about(clinic.findings(patient, SILDENAFIL), SILDENAFIL, "interaction")
        assert found == [("interaction", "block", False)]

    def test_only_a_pharmacist_overrides(self, clinic: Clinic) -> None:
        patient, _ = self.waiting(clinic)
        for person in (
            staff(clinic.connection, "admin"),
            Person("patient", "authenticated", user_id=patient.user_id),
        ):
            with pytest.raises(psycopg.Error, match="not_a_pharmacist"), acting_as(clinic.connection, person):
                clinic.run("select public.override_finding(%s, %s, 'because')", patient.patient_id, self.RULE)


class TestRegister:
    def test_an_h1_sale_is_entered_and_its_cancellation_reverses_it(self, clinic: Clinic) -> None:
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[CEFIXIME])
        order = clinic.place(patient, Line(CEFIXIME, 1), DOLO)["order"]
        entry = ("Dr. Test", CEFIXIME, 1, 10)
        assert register(clinic, order["order_id"]) == [("dispensed", *entry)]

        for _ in range(2):
            cancel(clinic, patient, order["order_id"])
            assert register(clinic, order["order_id"]) == [("dispensed", *entry), ("reversed", *entry)]

    def test_every_h1_product_is_entered_and_no_other(self, clinic: Clinic) -> None:
        for product in clinic.products.values():
            if product.schedule not in {"H", "H1"}:
                continue
            patient = clinic.patient()
            clinic.prescribe(patient, product, dosage_frequency="once_weekly")
            placed = clinic.place(patient, product)
            assert placed["outcome"] == "placed", product
            entries = register(clinic, placed["order"]["order_id"])
            assert bool(entries) is (product.schedule == "H1"), product


class TestRace:
    def test_two_confirmations_race_for_the_last_repeat(self, clinic_database: str) -> None:
        """The loser waits for the winner's commit, verifies again and finds the prescription used up."""
        outcomes: list[tuple[str, list[str]]] = []
        with committed_patient(clinic_database, METFORMIN_500) as patient:
            start = threading.Barrier(2)

            def confirm() -> None:
                with psycopg.connect(clinic_database) as connection, connection.transaction():
                    clinic = Clinic(connection)
                    start.wait(10)
                    placed = clinic.place(patient, METFORMIN_500)
                    codes = [rejected["code"] for rejected in placed["prepared"]["rejected"]]
                    outcomes.append((placed["outcome"], codes))

            racers = [threading.Thread(target=confirm) for _ in range(2)]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join(30)

        assert sorted(outcomes) == [("changed", ["prescription_required"]), ("placed", [])]


def dispensed(clinic: Clinic, prescription_id: str) -> int:
    return int(
        clinic.value(
            "select sum(dispensed_units) from public.prescription_items where prescription_id = %s",
            prescription_id,
        )
    )


def register(clinic: Clinic, order_id: str) -> list[tuple[object, ...]]:
    rows = clinic.rows(
        """
        select entry, prescriber, product_id, packs, units from public.dispense_register
        where order_id = %s order by register_id
        """,
        order_id,
    )
    return [tuple(row.values()) for row in rows]


def announced(clinic: Clinic, order_id: str) -> list[str]:
    rows = clinic.rows("select event_type from public.outbox_events where order_id = %s", order_id)
    return [row["event_type"] for row in rows]


def status_of(clinic: Clinic, order_id: str) -> str:
    return str(clinic.value("select status from public.orders where order_id = %s", order_id))


def cancel(clinic: Clinic, patient: Patient, order_id: str) -> None:
    with acting_as(clinic.connection, Person("patient", "authenticated", user_id=patient.user_id)):
        clinic.run("select public.cancel_order(%s)", order_id)


@contextmanager
def pharmacist(clinic: Clinic) -> Iterator[None]:
    with acting_as(clinic.connection, staff(clinic.connection, "pharmacist")):
        yield


def override(clinic: Clinic, patient: Patient, rule: str) -> dict[str, object]:
    with pharmacist(clinic):
        made: dict[str, object] = clinic.value(
            "select public.override_finding(%s, %s, 'INR is checked weekly')", patient.patient_id, rule
        )
    return made


@contextmanager
def committed_patient(database_url: str, product_id: str) -> Iterator[Patient]:
    """A patient with one fill left, seen by other connections. What they ordered is cancelled in the end; the
    ledger of the shelf keeps it."""
    with psycopg.connect(database_url) as connection:
        clinic = Clinic(connection)
        patient = clinic.patient()
        clinic.prescribe(patient, clinic.products[product_id], repeats=0)
        connection.commit()
        try:
            yield patient
        finally:
            for row in clinic.rows(
                "select order_id from public.orders where patient_id = %s", patient.patient_id
            ):
                cancel(clinic, patient, row["order_id"])
            connection.commit()
