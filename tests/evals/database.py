"""The rows behind the conversations: what a turn changed, and how everything is put back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.evals.conversations import Before, Profile

KEPT = "evals_kept"
"""The schema that holds the copies of the tables; it is dropped in the end."""


@dataclass(frozen=True)
class Person:
    patient_id: str
    name: str
    email: str
    phone: str | None


@dataclass(frozen=True)
class OrderRow:
    order_id: str
    patient_id: str
    status: str
    total: Decimal
    items: dict[str, int]
    """Product -> packs."""
    prices: dict[str, Decimal]
    """Product -> price of one pack."""


@dataclass(frozen=True)
class Rows:
    """What a conversation can change, as it is after a turn."""

    orders: dict[str, OrderRow]
    """The orders that are not from the seed, of any patient."""
    stock: dict[str, int]
    """Product -> packs in all lots."""
    prices: dict[str, Decimal]
    outbox_events: int
    open_proposals: int


class Database:
    """The stack's database with the administrator's rights, as only an evaluation may use it."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self._connection = connection
        self._seeded_orders = [row["order_id"] for row in self._all("select order_id from public.orders")]

    def people(self) -> dict[str, Person]:
        rows = self._all("select patient_id, name, email, phone from public.patients")
        return {row["patient_id"]: Person(**row) for row in rows}

    def order_owners(self) -> dict[str, str]:
        """Order -> patient, of every order there is."""
        rows = self._all("select order_id, patient_id from public.orders")
        return {row["order_id"]: row["patient_id"] for row in rows}

    def rows(self) -> Rows:
        orders = self._all(
            """
            select o.order_id, o.patient_id, o.status, o.total,
                   jsonb_object_agg(i.product_id, i.packs) as items,
                   jsonb_object_agg(i.product_id, i.unit_price::text) as prices
              from public.orders o join public.order_items i using (order_id)
             where o.order_id <> all (%s)
             group by o.order_id
            """,
            [self._seeded_orders],
        )
        shelves = self._all(
            """
            select p.product_id, p.price,
                   coalesce(sum(b.quantity), 0)::int as packs
              from public.products p left join public.product_batches b using (product_id)
             group by p.product_id
            """
        )
        counts = self._all(
            """
            select (select count(*) from public.outbox_events) as events,
                   (select count(*) from public.proposals where status = 'open') as proposals
            """
        )[0]
        return Rows(
            orders={
                row["order_id"]: OrderRow(
                    **row | {"prices": {key: Decimal(price) for key, price in row["prices"].items()}}
                )
                for row in orders
            },
            stock={row["product_id"]: row["packs"] for row in shelves},
            prices={row["product_id"]: row["price"] for row in shelves},
            outbox_events=counts["events"],
            open_proposals=counts["proposals"],
        )

    def told(self, patient_id: str) -> Profile:
        """What the patient's own row says."""
        row = self._all(
            "select age_years as age, allergies, conditions from public.patients where patient_id = %s",
            [patient_id],
        )[0]
        return Profile(**row)

    def set_profile(self, patient_id: str, profile: Profile) -> None:
        columns: dict[str, LiteralString] = {
            "age": "update public.patients set age_years = %s, age_recorded_on = case when %s is not null "
            "then current_date end where patient_id = %s",
            "allergies": "update public.patients set allergies = %s where patient_id = %s",
            "conditions": "update public.patients set conditions = %s where patient_id = %s",
        }
        for name in profile.model_fields_set:
            value = getattr(profile, name)
            self._do(columns[name], [value, value, patient_id] if name == "age" else [value, patient_id])

    def prepare(self, before: Before) -> None:
        """Let happen what the turn says has happened before it."""
        if before.expire:
            self._do(
                "update public.proposals set created_at = created_at - interval '1 hour', "
                "expires_at = expires_at - interval '1 hour' where status = 'open'"
            )
        for product, price in before.prices.items():
            self._do("update public.products set price = %s where product_id = %s", [str(price), product])
        for product, packs in before.stock.items():
            self._do("update public.product_batches set quantity = 0 where product_id = %s", [product])
            self._do(
                "update public.product_batches set quantity = %s where batch_id = (select batch_id from "
                "public.product_batches where product_id = %s and status = 'available' "
                "order by expiry desc limit 1)",
                [packs, product],
            )
        if before.reject_prescription:
            self._do(
                "update public.prescriptions set status = 'rejected' where prescription_id = %s",
                [before.reject_prescription],
            )

    def keep(self) -> None:
        """Copy every table, to put back from."""
        self._do(f"drop schema if exists {KEPT} cascade")
        self._do(f"create schema {KEPT}")
        self._connection.execute(_KEEP)

    def put_back(self) -> None:
        """Make every table what it was when it was copied. The API must be idle."""
        self._connection.execute(_PUT_BACK)

    def forget(self, email: str) -> None:
        """Drop the copies, and the newcomer whom the evaluation registered."""
        self._do(f"drop schema if exists {KEPT} cascade")
        self._connection.execute(_FORGET.format(email=sql.Literal(email)))

    def _all(self, query: LiteralString, values: list[Any] | None = None) -> list[dict[str, Any]]:
        return self._connection.execute(query, values).fetchall()

    def _do(self, statement: LiteralString, values: list[Any] | None = None) -> None:
        self._connection.execute(statement, values)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        # Append-only tables and foreign keys are for the API's callers, not for putting rows back.
        connection.execute("set session_replication_role = replica")
        yield Database(connection)


def conversation_id() -> str:
    return str(uuid.uuid4())


_KEEP = sql.SQL(
    """
    do $$
    declare t text;
    begin
      for t in select table_name from information_schema.tables
                where table_schema = 'public' and table_type = 'BASE TABLE' loop
        execute format('create table {kept}.%I as table public.%I', t, t);
      end loop;
    end $$
    """
).format(kept=sql.Identifier(KEPT))

# No foreign key takes along what belongs to them: whoever restores a backup would find what points nowhere.
_FORGET = sql.SQL(
    """
    do $$
    declare t record;
    begin
      for t in
        select c.table_schema, c.table_name, c.column_name
        from information_schema.columns as c
        join information_schema.tables as b using (table_schema, table_name)
        where b.table_type = 'BASE TABLE'
          and (c.table_schema, c.column_name) in (('public', 'patient_id'), ('auth', 'user_id'))
          and c.table_name <> 'patients'
      loop
        execute format(
          'delete from %I.%I as t using public.patients as p
           where p.email = %L and t.%I::text in (p.patient_id, p.user_id::text)',
          t.table_schema, t.table_name, {email}, t.column_name
        );
      end loop;
      delete from public.patients where email = {email};
      delete from auth.users where email = {email};
    end $$
    """
)

# Only a table whose rows differ is written: most conversations touch five of them.
_PUT_BACK = sql.SQL(
    """
    do $$
    declare
      t text;
      columns text;
      changed boolean;
    begin
      for t in select table_name from information_schema.tables where table_schema = '{kept}' loop
        execute format(
          'select (select count(*) from public.%1$I) <> (select count(*) from {kept}.%1$I) or exists '
          '(select row_text from (select x::text row_text from public.%1$I x) a '
          'except all select x::text from {kept}.%1$I x)', t) into changed;
        if changed then
          select string_agg(quote_ident(column_name), ', ') into columns from information_schema.columns
           where table_schema = 'public' and table_name = t and is_generated = 'NEVER';
          execute format('delete from public.%I', t);
          execute format('insert into public.%1$I (%2$s) overriding system value '
                         'select %2$s from {kept}.%1$I', t, columns);
        end if;
      end loop;
    end $$
    """
).format(kept=sql.SQL(KEPT))
