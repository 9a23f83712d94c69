-- Supplies of any number of patients in one pass, in days of each patient's own time zone. Verification asks for
-- one patient, the refill scan for thousands: both read the same chain.

-- Products of one composition are one medicine. Kept with the product, because every purchase asks for it.
alter table public.products add column composition text not null generated always as (
  case when active_ingredient = '-' then product_id else active_ingredient || ' ' || strength end
) stored;

create or replace function private.composition(p_product public.products)
returns text
language sql
immutable
set search_path = ''
as $$
  select (p_product).composition;
$$;

-- The day it is for a patient.
create function private.today_of(p_patient_id text, p_at timestamptz default now())
returns date
language sql
stable
set search_path = ''
as $$
  select (p_at at time zone private.patient_time_zone(p_patient_id))::date;
$$;

-- Supplies as a chain for each patient and composition, one row a purchase: a supply starts when it is bought or
-- when the one before ends, whichever is later. With cum(n) the days of the first n supplies, the n-th ends at
-- cum(n) + max over k <= n of (bought(k) - cum(k - 1)), which is the recursion without recursing.
-- As-needed purchases have no end that follows from the directions: their `days` are null. What was returned,
-- cancelled or failed was no supply. `starts` and `ends` are days after 2000-01-01.
create function private.supplies_of(p_patient_ids text[], p_except_order text default null)
returns table (
  patient_id text, composition text, product_id text, order_id text, packs integer, dosage_frequency text,
  units_per_dose numeric, bought_on date, days numeric, starts numeric, ends numeric
)
language sql
stable
set search_path = ''
-- One plan for one patient and for thousands; making one each time costs more than it runs for one.
set plan_cache_mode = 'force_generic_plan'
as $$
  with zones as materialized (
    select id as patient_id, private.patient_time_zone(id) as time_zone from unnest(p_patient_ids) as id
  ),
  lines as (
    select
      o.patient_id, i.product_id, o.order_id, i.packs, i.dosage_frequency, i.units_per_dose, o.placed_at,
      (o.placed_at at time zone z.time_zone)::date as bought_on
    from zones as z
    join public.orders as o using (patient_id)
    join public.order_items as i using (order_id)
    where o.order_id is distinct from p_except_order
      and o.status not in ('cancelled', 'failed', 'returned')
  ),
  bought as (
    select
      l.*, p.composition, (l.bought_on - date '2000-01-01') as day,
      l.packs * p.units_per_pack / (l.units_per_dose * f.doses_per_day) as days
    from lines as l
    join public.products as p using (product_id)
    join public.dosage_frequencies as f using (dosage_frequency)
  ),
  counted as (
    select b.*, sum(b.days) over chain as cumulated
    from bought as b
    window chain as (partition by b.patient_id, b.composition order by b.placed_at, b.order_id, b.product_id)
  ),
  chained as (
    select
      c.*, c.cumulated + max(c.day - c.cumulated + c.days) filter (where c.days is not null) over chain as ends
    from counted as c
    window chain as (partition by c.patient_id, c.composition order by c.placed_at, c.order_id, c.product_id)
  )
  select
    c.patient_id, c.composition, c.product_id, c.order_id, c.packs, c.dosage_frequency, c.units_per_dose, c.bought_on,
    c.days, c.ends - c.days, case when c.days is not null then c.ends end
  from chained as c;
$$;

-- The same of one patient.
create or replace function private.supplies(p_patient_id text, p_except_order text)
returns table (
  composition text, product_id text, order_id text, bought_on date, days numeric, starts numeric, ends numeric
)
language sql
stable
set search_path = ''
as $$
  select s.composition, s.product_id, s.order_id, s.bought_on, s.days, s.starts, s.ends
  from private.supplies_of(array[p_patient_id], p_except_order) as s;
$$;

-- What the patient is taking now: long-term items of verified, valid prescriptions, and purchases until the
-- wash-out after run-out has passed; an as-needed purchase counts 30 days. What was bought counts as prescribed
-- where a verified prescription is for it, under whichever brand it was sold.
create or replace function private.active_medicines(p_patient_id text, p_rule_set_id bigint, p_except_order text)
returns setof private.active_medicine
language sql
stable
set search_path = ''
as $$
  with maintenance as (
    select distinct unnest(ingredients) as ingredient
    from public.condition_terms
    where rule_set_id = p_rule_set_id and kind = 'maintenance'
  ),
  prescribed as (
    select
      i.ingredient as active_ingredient, i.strength, i.ingredient || ' ' || i.strength as composition,
      part.ingredient, i.units_per_dose * private.doses_on_a_day(f.doses_per_day) as units_per_day,
      i.repeats > 0 or part.ingredient in (select m.ingredient from maintenance as m) as is_long_term
    from public.prescriptions as rx
    join public.prescription_items as i using (prescription_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    cross join lateral regexp_split_to_table(i.ingredient, '\+') as part (ingredient)
    where rx.patient_id = p_patient_id
      and rx.status = 'verified'
      and private.today() between rx.issued_on and rx.valid_until
  ),
  bought as (
    select
      s.composition,
      (array_agg(s.product_id order by s.bought_on desc, s.order_id desc))[1] as product_id,
      (array_agg(s.units_per_dose order by s.bought_on desc, s.order_id desc)
        filter (where s.days is not null))[1] as units_per_dose,
      (array_agg(f.doses_per_day order by s.bought_on desc, s.order_id desc)
        filter (where s.days is not null))[1] as doses_per_day,
      date '2000-01-01' + private.end_day(max(s.ends)) as run_out,
      max(s.bought_on) filter (where s.days is null) + 30 as as_needed_until
    from private.supplies_of(array[p_patient_id], p_except_order) as s
    join public.dosage_frequencies as f using (dosage_frequency)
    group by s.composition
  )
  select
    pi.ingredient, b.composition, b.product_id, p.product_name, p.route, pi.mg_per_unit,
    pi.mg_per_unit * b.units_per_dose * private.doses_on_a_day(b.doses_per_day),
    b.composition in (select r.composition from prescribed as r)
  from bought as b
  join public.products as p using (product_id)
  join public.product_ingredients as pi using (product_id)
  left join public.washout_periods as w on w.ingredient = pi.ingredient
  cross join (select private.today_of(p_patient_id) as day) as today
  where today.day <= greatest(b.run_out + coalesce(w.days, 14), b.as_needed_until)
  union all
  select
    r.ingredient, r.composition, same.product_id, coalesce(same.product_name, r.composition),
    coalesce(same.route, 'systemic'), same.mg_per_unit, same.mg_per_unit * r.units_per_day, true
  from prescribed as r
  left join lateral (
    select p.product_id, p.product_name, p.route, pi.mg_per_unit
    from public.products as p
    join public.product_ingredients as pi on pi.product_id = p.product_id and pi.ingredient = r.ingredient
    where p.active_ingredient = r.active_ingredient and p.strength = r.strength
    order by p.product_id
    limit 1
  ) as same on true
  where r.is_long_term;
$$;

-- Less than the set share of the current supply is used: warned of, and refused for Schedule H1.
create or replace function private.findings_of_refill(p_patient_id text, p_cart private.cart_line[], p_except_order text)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with latest as (
    select distinct on (s.composition) s.composition, s.starts, s.ends, s.days
    from private.supplies_of(array[p_patient_id], p_except_order) as s
    where s.days is not null
    order by s.composition, s.ends desc
  ),
  today as materialized (
    select private.today_of(p_patient_id) - date '2000-01-01' as day
  )
  select
    c.line, 'refill_too_soon', case when p.schedule = 'H1' then 'block' else 'warn' end, null,
    (private.end_day(l.ends) - t.day)::text,
    format('The supply of %s lasts %s more days.', p.product_name, private.end_day(l.ends) - t.day),
    'sale_limits:refill_used_share', 'House rule: a refill is due when 75% of the supply is used', false, null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  join latest as l on l.composition = private.composition(p)
  cross join public.sale_limits as s
  cross join today as t
  where t.day - l.starts < s.refill_used_share * l.days;
$$;
