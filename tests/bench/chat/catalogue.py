"""A large catalogue, made in the database: brands with their variants, many of them of the same ingredients.

Every product is a variant of a brand. Most brands contain what a product of the seed contains, so that the
clinical rules and the complaints find thousands of them; the others contain invented ingredients. Brands are
as uneven as real ones: a few have hundreds of variants, most have some. Nothing is drawn at random: the same
size is always the same catalogue.
"""

from __future__ import annotations

import psycopg

# Two thirds of the brands contain what a product of the seed contains. A hundredth of the products are
# further variants of the seed's own brands, under the first word of their names.
_MAKE = """
create temporary table made as
with numbered as (
  select
    n, mod(n, 100) = 0 as of_seed_brand,
    -- The share of the brands that lie below: its power makes the first ones large.
    floor(power(pg_temp.share(n, 1), 1.7) * greatest(%(count)s / 8, 20))::integer as brand
  from generate_series(1, %(count)s) as n
),
seed as (
  select row_number() over (order by product_id) - 1 as place, count(*) over () as places, p.*
  from public.products as p
),
branded as (
  select
    b.n, b.brand, b.of_seed_brand, s.product_id as template,
    case
      when b.of_seed_brand then split_part(s.product_name, ' ', 1)
      else initcap(pg_temp.brand(b.brand))
    end as word,
    b.of_seed_brand or pg_temp.share(b.brand, 2) < 0.65 as is_known,
    (array['', '', '', 'Plus', 'Forte', 'SR', 'DS', 'D', 'MD', 'LS', 'Kid', 'Max', 'XR', 'Duo', 'Cold', 'AM'])
      [1 + floor(pg_temp.share(b.n, 3) * 16)::integer] as suffix,
    (array[0.5, 1, 1, 1, 1, 2])[1 + floor(pg_temp.share(b.n, 4) * 6)::integer] as factor,
    (array[5, 10, 20, 25, 40, 50, 100, 150, 200, 250, 500])
      [1 + floor(pg_temp.share(b.n, 5) * 11)::integer] as mg
  from numbered as b
  join seed as s on s.place = case
    when b.of_seed_brand then mod(b.n / 100, s.places)
    else floor(pg_temp.share(b.brand, 6) * s.places)::integer
  end
)
select
  'GEN' || lpad(b.n::text, 6, '0') as product_id, b.brand, b.word, b.template, b.is_known,
  case
    when not b.is_known then initcap(pg_temp.brand(200000 + mod(b.brand, 1200))) || 'ine'
    else p.active_ingredient
  end as active_ingredient,
  case
    when not b.is_known then b.mg || ' mg'
    when p.strength ~ '^[0-9]+ mg$'
      then trim_scale(split_part(p.strength, ' ', 1)::numeric * b.factor) || ' mg'
    else p.strength
  end as strength,
  case when p.strength ~ '^[0-9]+ mg$' then b.factor else 1 end as factor,
  b.mg, b.suffix, p.form, p.pack_unit, p.units_per_pack, p.unit, p.package_size,
  round((10 + pg_temp.share(b.n, 7) * 400)::numeric, 2) as price,
  p.min_age_years, p.prescription_required, p.schedule, p.category,
  'Maker ' || floor(pg_temp.share(b.brand, 8) * 200) as manufacturer
from branded as b
join public.products as p on p.product_id = b.template;

alter table made add column product_name text;
update made set product_name = concat_ws(
  ' ', word, nullif(suffix, ''), substring(strength from '^[0-9.]+'),
  case when form not in ('tablet', 'capsule', 'device') then initcap(form) end
);
analyze made;
"""

# Gone with the session.
_HELP = """
create function pg_temp.share(p_number bigint, p_salt bigint) returns double precision
language sql immutable as $$
  select (pg_catalog.hashint8extended(p_number, p_salt) & 1073741823) / 1073741824.0;
$$;

-- A word of three syllables and an ending; another for every number under 64 ^ 3.
create function pg_temp.brand(p_number integer) returns text
language sql immutable as $$
  select s[1 + d / 4096] || s[1 + (d / 64) % 64] || s[1 + d % 64]
    || (array['', '', 'x', 'l', 'n', 'r', 't', 's'])[1 + p_number % 8]
  from (values (
    array['ba', 'be', 'bi', 'co', 'cla', 'ce', 'da', 'de', 'do', 'dri', 'e', 'fa', 'fe', 'flo', 'ga', 'ge',
      'gli', 'go', 'ha', 'i', 'ja', 'ke', 'ki', 'la', 'le', 'lo', 'lu', 'ma', 'me', 'mi', 'mo', 'mu', 'na',
      'ne', 'ni', 'no', 'o', 'pa', 'pe', 'pra', 'pro', 'qui', 'ra', 're', 'ri', 'ro', 'sa', 'se', 'si', 'so',
      'ste', 'su', 'ta', 'te', 'ti', 'tra', 'tri', 'u', 'va', 've', 'vi', 'xa', 'za', 'zo'],
    ((p_number::bigint * 40503 + 12345) % 262144)::integer
  )) as t (s, d);
$$;
"""

_WRITE = """
-- As the importer does: names are indexed once, at the end.
alter table public.products disable trigger products_named_on_insert;
alter table public.product_aliases disable trigger product_aliases_named_on_insert;
insert into public.products (
  product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit, package_size,
  price, min_age_years, prescription_required, schedule, category, manufacturer
)
select
  product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit, package_size,
  price, min_age_years, prescription_required, schedule, category, manufacturer
from made;
insert into public.ingredients (ingredient) select distinct active_ingredient from made where not is_known;
insert into public.product_ingredients (product_id, ingredient, position, strength, mg_per_unit)
select m.product_id, pi.ingredient, pi.position, pi.strength, pi.mg_per_unit * m.factor
from made as m
join public.product_ingredients as pi on pi.product_id = m.template
where m.is_known
union all
select product_id, active_ingredient, 1, strength, mg from made where not is_known;
insert into public.product_aliases (product_id, alias)
select product_id, lower(word) from made where brand % 5 < 3;
alter table public.products enable trigger products_named_on_insert;
alter table public.product_aliases enable trigger product_aliases_named_on_insert;
select private.refresh_product_names(array(select product_id from made));
-- Two lots of each; one product in fifteen is out of stock.
insert into public.product_batches (product_id, lot, expiry, quantity)
select product_id, 'LOT-' || product_id || '-' || l.number, current_date + 365 * l.number, 20 + l.number
from made
cross join (values (1), (2)) as l (number)
where hashtext(product_id) % 15 <> 0;
drop table made;
"""


def make(connection: psycopg.Connection, count: int) -> None:
    """Add `count` products to the seeded catalogue, with names, aliases and stock, and gather statistics."""
    connection.execute(_HELP)
    psycopg.ClientCursor(connection).execute(_MAKE, {"count": count})
    connection.execute(_WRITE)
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
