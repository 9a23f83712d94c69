"""A pharmacy to try the clinical rules in: patients, prescriptions and purchases made up for one case, in a
transaction that is undone. The catalogue and the rules are those of the database."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row, dict_row

Json = dict[str, Any]


@dataclass(frozen=True)
class Product:
    """A product of the catalogue; `mg` are the milligrams of each ingredient in one unit."""

    product_id: str
    product_name: str
    active_ingredient: str
    strength: str
    units_per_pack: int
    schedule: str
    route: str
    min_age_years: int | None
    mg: dict[str, Decimal | None]

    @property
    def ingredients(self) -> frozenset[str]:
        return frozenset(self.mg)

    @property
    def composition(self) -> str:
        return (
            self.product_id if self.active_ingredient == "-" else f"{self.active_ingredient} {self.strength}"
        )


@dataclass(frozen=True)
class Finding:
    """A finding as verification reports it."""

    product_id: str
    product_name: str | None
    code: str
    severity: str
    grade: str | None
    subject: str | None
    message: str
    rule: str
    rule_set: str | None
    source: str
    waits: bool
    overridden: Json | None = None


@dataclass(frozen=True)
class Line:
    """One line of a cart. Directions are left out where they are not stated."""

    product_id: str
    packs: int = 1
    dosage_frequency: str | None = None
    units_per_dose: Decimal | float | None = None

    def json(self) -> Json:
        line: Json = {"product_id": self.product_id, "packs": self.packs}
        if self.dosage_frequency is not None:
            line["dosage_frequency"] = self.dosage_frequency
        if self.units_per_dose is not None:
            line["units_per_dose"] = float(self.units_per_dose)
        return line


@dataclass(frozen=True)
class Patient:
    patient_id: str
    user_id: UUID


class Clinic:
    """Everything here happens in the transaction of the connection, as the owner of the database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._mark = uuid4().hex[:8]
        self._numbers = itertools.count(1)

    # The catalogue and the rules in force.

    @cached_property
    def products(self) -> dict[str, Product]:
        with self.connection.cursor(row_factory=class_row(Product)) as cursor:
            cursor.execute(
                """
                select p.product_id, p.product_name, p.active_ingredient, p.strength, p.units_per_pack,
                  p.schedule, p.route, p.min_age_years,
                  coalesce((
                    select json_object_agg(pi.ingredient, pi.mg_per_unit::text)
                    from public.product_ingredients as pi where pi.product_id = p.product_id
                  ), '{}') as mg
                from public.products as p
                order by p.product_id
                """
            )
            found = cursor.fetchall()
        return {
            p.product_id: Product(
                **{
                    **p.__dict__,
                    "mg": {i: Decimal(mg) if mg else None for i, mg in p.mg.items()},
                }
            )
            for p in found
        }

    @cached_property
    def members(self) -> dict[str, frozenset[str]]:
        """The ingredients of each drug class."""
        classes: dict[str, set[str]] = {}
        for row in self.rules("drug_classes"):
            classes.setdefault(row["drug_class"], set()).add(row["ingredient"])
        return {name: frozenset(ingredients) for name, ingredients in classes.items()}

    @property
    def version(self) -> str:
        """The rule set in force."""
        return str(self.value("select version from public.rule_sets where status = 'active'"))

    def rules(self, table: str) -> list[Json]:
        """The rows of one kind of rule, of the set in force."""
        return self.rows(f"select * from public.{table} where rule_set_id = private.active_rule_set_id()")

    def containing(self, ingredient: str) -> list[Product]:
        """The products with an ingredient, those of it alone first."""
        found = [p for p in self.products.values() if ingredient in p.ingredients]
        return sorted(found, key=lambda p: (len(p.ingredients), p.product_id))

    # People and what happened to them.

    def patient(
        self,
        *,
        age: int | None = 40,
        allergies: Sequence[str] | None = (),
        conditions: Sequence[str] | None = (),
        time_zone: str = "UTC",
    ) -> Patient:
        """Somebody whose days are those of the tests, unless `time_zone` says otherwise."""
        made = Patient(self._new_id("PAT"), uuid4())
        self.run("insert into auth.users (id, email) values (%s, %s)", made.user_id, f"{made.user_id}@test")
        self.run(
            """
            insert into public.patients
              (patient_id, user_id, name, email, age_years, age_recorded_on, allergies, conditions)
            values (
              %s, %s, 'Somebody', %s, %s, case when %s::integer is not null then current_date end, %s, %s
            )
            """,
            made.patient_id,
            made.user_id,
            f"{made.user_id}@test",
            age,
            age,
            None if allergies is None else list(allergies),
            None if conditions is None else list(conditions),
        )
        self.run(
            "insert into public.notification_preferences (patient_id, time_zone) values (%s, %s)",
            made.patient_id,
            time_zone,
        )
        return made

    def prescribe(
        self,
        patient: Patient,
        *products: Product,
        units: int | None = None,
        repeats: int = 5,
        dosage_frequency: str = "once_daily",
        units_per_dose: Decimal | float = 1,
        status: str = "verified",
        issued: date | None = None,
        ends: date | None = None,
    ) -> str:
        """A prescription over these products, of one pack a fill unless `units` says otherwise."""
        today = self.today
        prescription_id = self._new_id("RX")
        self.run(
            """
            insert into public.prescriptions
              (prescription_id, patient_id, status, prescriber, issued_on, valid_until)
            values (%s, %s, %s, 'Dr. Test', %s, %s)
            """,
            prescription_id,
            patient.patient_id,
            status,
            issued or today - timedelta(days=10),
            ends or today + timedelta(days=170),
        )
        for product in products:
            self.run(
                """
                insert into public.prescription_items
                  (prescription_id, ingredient, strength, units, repeats, dosage_frequency, units_per_dose)
                values (%s, %s, %s, %s, %s, %s, %s)
                """,
                prescription_id,
                product.active_ingredient,
                product.strength,
                units or product.units_per_pack,
                repeats,
                dosage_frequency,
                units_per_dose,
            )
        return prescription_id

    def upload(self, patient: Patient) -> str:
        """A prescription that nobody has read yet."""
        prescription_id = self._new_id("RX")
        self.run(
            "insert into public.prescriptions (prescription_id, patient_id) values (%s, %s)",
            prescription_id,
            patient.patient_id,
        )
        return prescription_id

    def bought(
        self,
        patient: Patient,
        product: Product,
        *,
        days_ago: float = 0,
        placed_at: datetime | None = None,
        packs: int = 1,
        dosage_frequency: str = "once_daily",
        units_per_dose: Decimal | float = 1,
        status: str = "delivered",
    ) -> str:
        """An order of the past; whole days ago means the same time of day. `placed_at` names the moment."""
        order_id = self._new_id("ORD")
        self.run(
            """
            insert into public.orders (order_id, patient_id, status, total, placed_at)
            values (%s, %s, %s, 1, coalesce(%s, now() - make_interval(secs => %s)))
            """,
            order_id,
            patient.patient_id,
            status,
            placed_at,
            days_ago * 86_400,
        )
        self.run(
            """
            insert into public.order_items
              (order_id, line, product_id, packs, unit_price, dosage_frequency, units_per_dose)
            values (%s, 1, %s, %s, 1, %s, %s)
            """,
            order_id,
            product.product_id,
            packs,
            dosage_frequency,
            units_per_dose,
        )
        return order_id

    def copy_of(self, product: Product) -> Product:
        """Another brand of the same composition, with stock of its own."""
        brand = self._new_id("MED")
        for table, values in (
            ("products", {"product_id": brand, "product_name": f"Brand {brand}"}),
            ("product_ingredients", {"product_id": brand}),
        ):
            self.run(
                f"""
                insert into public.{table} ({self._stored_columns(table)})
                select {self._stored_columns(table, "(copied)")}
                from (
                  select jsonb_populate_record(t, %s::jsonb) as copied
                  from public.{table} as t where t.product_id = %s
                ) as original
                """,
                json.dumps(values),
                product.product_id,
            )
        self.stock(brand, 1000)
        copied = Product(**{**product.__dict__, "product_id": brand, "product_name": f"Brand {brand}"})
        self.products[brand] = copied
        return copied

    def stock(self, product_id: str, packs: int) -> None:
        self.run(
            """
            insert into public.product_batches (product_id, lot, expiry, quantity)
            values (%s, %s, current_date + 365, %s)
            """,
            product_id,
            self._new_id("LOT"),
            packs,
        )

    def _new_id(self, kind: str) -> str:
        """Ids of one clinic sort in the order in which they were made."""
        return f"TEST-{kind}-{self._mark}-{next(self._numbers):06}"

    def _stored_columns(self, table: str, of: str = "") -> str:
        names = self.rows(
            """
            select a.attname as name from pg_catalog.pg_attribute as a
            where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            order by a.attnum
            """,
            f"public.{table}",
        )
        return ", ".join(f"{of}.{row['name']}" if of else row["name"] for row in names)

    # Asking.

    def verification(self, patient: Patient, lines: Iterable[Line | Product | str]) -> Json:
        """What private.verify_items says: {rule_set, findings, checks, questions}."""
        items = json.dumps([as_line(line).json() for line in lines])
        verified: Json = self.value("select private.verify_items(%s, %s::jsonb)", patient.patient_id, items)
        return verified

    def findings(self, patient: Patient, *lines: Line | Product | str) -> list[Finding]:
        return [Finding(**finding) for finding in self.verification(patient, lines)["findings"]]

    def place(self, patient: Patient, *lines: Line | Product | str) -> Json:
        """Orders these items as they are: {outcome, prepared, order}."""
        items = json.dumps([as_line(line).json() for line in lines])
        placed: Json = self.value(
            "select private.place_order(%s, %s::jsonb, null)", patient.patient_id, items
        )
        return placed

    @cached_property
    def today(self) -> date:
        today: date = self.value("select current_date")
        return today

    def today_of(self, patient_id: str) -> date:
        """The day it is where the patient is."""
        day: date = self.value("select private.today_of(%s)", patient_id)
        return day

    def run(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)

    def value(self, statement: str, *values: object) -> Any:
        row = self.connection.execute(statement, values).fetchone()
        return row[0] if row else None

    def rows(self, statement: str, *values: object) -> list[Json]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, values).fetchall()


def as_line(line: Line | Product | str) -> Line:
    if isinstance(line, Line):
        return line
    return Line(line if isinstance(line, str) else line.product_id)
