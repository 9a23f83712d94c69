"""Writes products with their ingredients, aliases and opening stock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from infra.importer.database import copy_rows, count
from infra.importer.outcome import Outcome
from infra.importer.progress import Progress
from infra.importer.rows import Medicine
from infra.importer.tables import Sheet

_REPORT_EVERY_ROWS = 5_000

_STAGING = """
create temporary table incoming_products (
  product_id text not null,
  product_name text not null,
  active_ingredient text not null,
  strength text not null,
  form text not null,
  pack_unit text not null,
  units_per_pack integer not null,
  unit text not null,
  package_size text not null,
  price numeric(10, 2) not null,
  min_age_years smallint,
  prescription_required boolean not null,
  schedule text not null,
  category text not null,
  manufacturer text not null,
  stock_packs integer not null
) on commit drop;
create temporary table incoming_ingredients (
  product_id text not null,
  ingredient text not null,
  position smallint not null,
  strength text not null,
  mg_per_unit numeric
) on commit drop;
create temporary table incoming_aliases (product_id text not null, alias text not null) on commit drop;
create temporary table written_products (product_id text primary key, is_new boolean not null) on commit drop;
"""

# Statistics, so that the joins below are planned for what the tables hold.
_ANALYZE = "analyze incoming_products; analyze incoming_ingredients; analyze incoming_aliases;"

_UPSERT_PRODUCTS = """
with written as (
  insert into public.products as p (
    product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit,
    package_size, price, min_age_years, prescription_required, schedule, category, manufacturer
  )
  select
    product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit,
    package_size, price, min_age_years, prescription_required, schedule, category, manufacturer
  from incoming_products
  on conflict (product_id) do update set
    product_name = excluded.product_name,
    active_ingredient = excluded.active_ingredient,
    strength = excluded.strength,
    form = excluded.form,
    pack_unit = excluded.pack_unit,
    units_per_pack = excluded.units_per_pack,
    unit = excluded.unit,
    package_size = excluded.package_size,
    price = excluded.price,
    min_age_years = excluded.min_age_years,
    prescription_required = excluded.prescription_required,
    schedule = excluded.schedule,
    category = excluded.category,
    manufacturer = excluded.manufacturer
  where (
    p.product_name, p.active_ingredient, p.strength, p.form, p.pack_unit, p.units_per_pack, p.unit,
    p.package_size, p.price, p.min_age_years, p.prescription_required, p.schedule, p.category, p.manufacturer
  ) is distinct from (
    excluded.product_name, excluded.active_ingredient, excluded.strength, excluded.form, excluded.pack_unit,
    excluded.units_per_pack, excluded.unit, excluded.package_size, excluded.price, excluded.min_age_years,
    excluded.prescription_required, excluded.schedule, excluded.category, excluded.manufacturer
  )
  -- xmax is 0 in a row version that replaced none: the row is new.
  returning p.product_id, p.xmax = 0 as is_new
)
insert into written_products (product_id, is_new) select product_id, is_new from written
"""

_ADD_INGREDIENTS = """
insert into public.ingredients (ingredient)
select distinct ingredient from incoming_ingredients
on conflict (ingredient) do nothing
"""

_SYNC_PRODUCT_INGREDIENTS = """
with gone as (
  delete from public.product_ingredients as pi
  using incoming_products as p
  where p.product_id = pi.product_id
    and not exists (
      select from incoming_ingredients as i
      where i.product_id = pi.product_id and i.ingredient = pi.ingredient
    )
  returning pi.product_id
),
written as (
  insert into public.product_ingredients as pi (product_id, ingredient, position, strength, mg_per_unit)
  select product_id, ingredient, position, strength, mg_per_unit from incoming_ingredients
  on conflict (product_id, ingredient) do update set
    position = excluded.position, strength = excluded.strength, mg_per_unit = excluded.mg_per_unit
  where (pi.position, pi.strength, pi.mg_per_unit)
    is distinct from (excluded.position, excluded.strength, excluded.mg_per_unit)
  returning pi.product_id
)
insert into written_products (product_id, is_new)
select product_id, false from gone union select product_id, false from written
on conflict (product_id) do nothing
"""

_SYNC_ALIASES = """
with gone as (
  delete from public.product_aliases as pa
  using incoming_products as p
  where p.product_id = pa.product_id
    and not exists (
      select from incoming_aliases as i
      where i.product_id = pa.product_id and i.alias = pa.alias
    )
  returning pa.product_id
),
written as (
  insert into public.product_aliases as pa (product_id, alias)
  select product_id, alias from incoming_aliases
  on conflict (product_id, alias) do nothing
  returning pa.product_id
)
insert into written_products (product_id, is_new)
select product_id, false from gone union select product_id, false from written
on conflict (product_id) do nothing
"""

# The index of names is kept by triggers, statement by statement: once for the products of an import and again
# for their aliases. The import does without them and builds it once at the end, in half the time. Until it
# commits, the tables are locked against other writers, not against readers or orders.
_DISABLE_NAME_TRIGGERS = """
alter table public.products disable trigger products_named_on_insert;
alter table public.products disable trigger products_named_on_update;
alter table public.product_aliases disable trigger product_aliases_named_on_insert;
alter table public.product_aliases disable trigger product_aliases_named_on_delete;
"""
_ENABLE_NAME_TRIGGERS = _DISABLE_NAME_TRIGGERS.replace(" disable ", " enable ")
_INDEX_NAMES = "select private.refresh_product_names(array(select product_id from written_products))"

# A price list knows no lots. Until the shelf is counted, what is in stock stands in two opening lots, one of
# which expires first, so that first-expiry-first-out has something to choose from the first day on; both are
# far enough off that neither runs out of date before the count. Lots that exist are never touched: they are
# the truth about stock, the file is not.
_ADD_OPENING_LOTS = """
with opening as (
  select product_id, stock_packs, (stock_packs + 1) / 2 as first_half
  from incoming_products as p
  where not exists (select from public.product_batches as b where b.product_id = p.product_id)
)
insert into public.product_batches (product_id, lot, expiry, quantity)
select
  o.product_id, 'OPENING-' || o.product_id || '-' || l.number, (current_date + l.shelf_life)::date, l.quantity
from opening as o
cross join lateral (
  values
    (1, interval '1 year', o.first_half),
    (2, interval '2 years', o.stock_packs - o.first_half)
) as l (number, shelf_life, quantity)
where l.quantity > 0
order by o.product_id, l.number
"""


def write_medicines(connection: Connection, sheet: Sheet[Medicine], progress: Progress) -> Outcome:
    """Bring the catalogue to what the sheet says; products that it does not name stay as they are."""
    connection.execute(_STAGING)
    copy_rows(connection, "incoming_products", _product_tuples(sheet, progress))
    copy_rows(connection, "incoming_ingredients", _ingredient_tuples(sheet))
    copy_rows(
        connection,
        "incoming_aliases",
        ((row.product_id, alias) for row in sheet.rows for alias in row.aliases),
    )
    connection.execute(_ANALYZE)
    progress.announce("writing products")
    connection.execute(_DISABLE_NAME_TRIGGERS)
    connection.execute(_UPSERT_PRODUCTS)
    connection.execute(_ADD_INGREDIENTS)
    connection.execute(_SYNC_PRODUCT_INGREDIENTS)
    connection.execute(_SYNC_ALIASES)
    connection.execute(_ENABLE_NAME_TRIGGERS)
    if count(connection, "select count(*) from written_products"):
        progress.announce("indexing the names of products")
        connection.execute(_INDEX_NAMES)
    progress.announce("opening lots")
    lots = connection.execute(_ADD_OPENING_LOTS).rowcount
    added = count(connection, "select count(*) from written_products where is_new")
    changed = count(connection, "select count(*) from written_products where not is_new")
    return Outcome("medicines", len(sheet.rows), added, changed, f"{lots:,} opening lots" if lots else "")


def _product_tuples(sheet: Sheet[Medicine], progress: Progress) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(sheet.rows, start=1):
        yield (
            row.product_id,
            row.product_name,
            row.active_ingredient,
            row.strength,
            row.form,
            row.pack_unit,
            row.units_per_pack,
            row.unit,
            row.package_size,
            row.price_inr,
            row.min_age_years,
            row.prescription_required,
            row.schedule,
            row.category,
            row.manufacturer,
            row.stock_packs,
        )
        if number % _REPORT_EVERY_ROWS == 0:
            progress.report(f"sending medicines: {number:,} of {len(sheet.rows):,}")


def _ingredient_tuples(sheet: Sheet[Medicine]) -> Iterator[tuple[Any, ...]]:
    for row in sheet.rows:
        for position, (ingredient, strength) in enumerate(
            zip(row.ingredients, row.strengths, strict=True), start=1
        ):
            yield row.product_id, ingredient, position, strength.printed, strength.mg_per_unit
