"""The shelf of one product in SQL: ordering from it as a patient, changing it as staff, reading it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.database.people import Person, acting_as

Json = dict[str, Any]


@dataclass(frozen=True)
class Shelf:
    """One product, which is in no order when the test begins."""

    database: psycopg.Connection
    patient: Person
    staff: Person
    product_id: str

    def call(self, person: Person, function: str, *arguments: object) -> Json:
        """What a function of ours answers this person. Raises psycopg.DatabaseError for its refusals; they
        undo only the call."""
        given = [Jsonb(value) if isinstance(value, dict) else value for value in arguments]
        places = ", ".join(["%s"] * len(given))
        with self.database.transaction(), acting_as(self.database, person):
            row = self.database.execute(f"select public.{function}({places})".encode(), given).fetchone()
        assert row is not None
        answer: Json = row[0]
        return answer

    def refused(self, person: Person, function: str, *arguments: object) -> tuple[int, str, Any]:
        """Status, code and further members of a refusal."""
        try:
            answer = self.call(person, function, *arguments)
        except psycopg.DatabaseError as refusal:
            if not (refusal.sqlstate or "").startswith("PT"):
                raise
            members = json.loads(refusal.diag.message_hint or "null")
            return int((refusal.sqlstate or "")[2:]), str(refusal.diag.message_primary), members
        raise AssertionError(f"{function} was not refused: {answer}")

    def receive(self, lot: str, packs: int, days: int = 400) -> int:
        """The lot's batch_id."""
        delivery = {"lot": lot, "expiry": self.day(days), "packs": packs}
        batch_id: int = self.call(self.staff, "receive_lot", self.product_id, delivery)["batch_id"]
        return batch_id

    def correct(self, batch_id: int, **correction: object) -> Json:
        return self.call(
            self.staff, "correct_lot", self.product_id, batch_id, {"reason": "for this test", **correction}
        )

    def set_status(self, batch_id: int, status: str, person: Person | None = None) -> Json:
        return self.call(
            person or self.staff, "set_lot_status", self.product_id, batch_id, status, "for this test"
        )

    def order(self, packs: int, product_id: str | None = None) -> Json:
        """What became of an order of so many packs."""
        item = {"product_id": product_id or self.product_id, "quantity": packs}
        return self.call(self.patient, "create_order", {"items": [item]})

    def placed(self, packs: int) -> str:
        answer = self.order(packs)
        assert answer["outcome"] == "placed", answer
        order_id: str = answer["order"]["order_id"]
        return order_id

    def cancel(self, order_id: str) -> None:
        self.call(self.patient, "cancel_order", order_id)

    def put(self, batch_id: int, column: str, value: object) -> None:
        """Past every function, as the owner of the database."""
        self.database.execute(
            f"update public.product_batches set {column} = %s where batch_id = %s".encode(), [value, batch_id]
        )

    def commit(self) -> None:
        """What a commit would make happen happens now."""
        self.database.execute("set constraints all immediate")
        self.database.execute("set constraints all deferred")

    def day(self, days: int) -> str:
        row = self.database.execute("select (private.today() + %s::int)::text", [days]).fetchone()
        assert row is not None
        return str(row[0])

    def lot(self, batch_id: int) -> Json:
        inventory = self.call(self.staff, "product_inventory", self.product_id)
        found: Json = next(lot for lot in inventory["batches"] if lot["batch_id"] == batch_id)
        return found

    def sellable(self) -> int:
        row = self.database.execute(
            "select public.stock_quantity(p) from public.products as p where product_id = %s",
            [self.product_id],
        ).fetchone()
        assert row is not None
        return int(row[0])

    def allocations(self, order_id: str) -> dict[str, int]:
        """Packs of an order by lot."""
        rows = self.database.execute(
            "select b.lot, a.packs from public.order_allocations as a join public.product_batches as b "
            "using (batch_id) where a.order_id = %s",
            [order_id],
        )
        return dict(rows.fetchall())

    def entries(self, batch_id: int) -> list[tuple[str, int, str | None]]:
        """The ledger of a lot, oldest first: (kind, change, order)."""
        return self.database.execute(
            """
            select kind, change, order_id from public.stock_movements
            where batch_id = %s order by movement_id
            """,
            [batch_id],
        ).fetchall()

    def errors(self) -> list[tuple[Any, ...]]:
        """Lots of any product whose entries do not add up to their quantity, or not in every row."""
        return self.database.execute(
            """
            select b.batch_id, b.quantity, sum(m.change)
            from public.product_batches as b
            left join (
              select
                batch_id, change, quantity_after,
                sum(change) over (partition by batch_id order by movement_id) as added_up
              from public.stock_movements
            ) as m using (batch_id)
            group by b.batch_id
            having b.quantity <> coalesce(sum(m.change), 0)
              or bool_or(m.quantity_after <> m.added_up)
            """
        ).fetchall()
