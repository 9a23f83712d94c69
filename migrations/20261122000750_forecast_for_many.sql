-- The forecast, so that one plan serves one patient as well as thousands. A planner cannot know how many patients an
-- array will name: lists that are joined with each other come from a function that declares many rows, and what can
-- be had by grouping is not joined at all.

-- As before, and with the time zone in which the days are counted.
drop function private.supplies_of(text[], text);

create function private.supplies_of(p_patient_ids text[], p_except_order text default null)
returns table (
  patient_id text, composition text, product_id text, order_id text, packs integer, dosage_frequency text,
  units_per_dose numeric, bought_on date, days numeric, starts numeric, ends numeric, time_zone text
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
      (o.placed_at at time zone z.time_zone)::date as bought_on, z.time_zone
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
    c.days, c.ends - c.days, case when c.days is not null then c.ends end, c.time_zone
  from chained as c;
$$;

-- That a medicine was taken from one day to another, and how that is known: by a regular purchase, until two weeks
-- after its supply, or by a verified prescription, as long as it is or was valid.
create type private.evidence as (
  patient_id text, composition text, ingredients text, route text, since date, until date, today date,
  -- Of a purchase.
  ends numeric, product_id text, packs integer, dosage_frequency text, units_per_dose numeric,
  prescription_required boolean,
  -- Of a prescription.
  issued_on date, repeats smallint
);

create function private.evidence_of_taking(p_patient_ids text[], p_at timestamptz)
returns setof private.evidence
language sql
stable
rows 20000
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
  select
    s.patient_id, s.composition, p.active_ingredient, p.route, s.bought_on,
    date '2000-01-01' + private.end_day(s.ends) + 14, (p_at at time zone s.time_zone)::date,
    s.ends, s.product_id, s.packs, s.dosage_frequency, s.units_per_dose, p.prescription_required,
    null::date, null::smallint
  from private.supplies_of(p_patient_ids) as s
  join public.products as p using (product_id)
  where s.days is not null
  union all
  select
    rx.patient_id, i.ingredient || ' ' || i.strength, i.ingredient, 'systemic', rx.issued_on, rx.valid_until, null,
    null, null, null, null, null, null, rx.issued_on, i.repeats
  from public.prescriptions as rx
  join public.prescription_items as i using (prescription_id)
  where rx.patient_id = any (p_patient_ids)
    and rx.status in ('verified', 'expired')
    and rx.issued_on <= (p_at at time zone 'UTC' + interval '14 hours')::date;
$$;

-- Pairs of the active rule set's ingredients that one patient does not take together: each with itself, and those of
-- one class for the same maintenance condition.
create function private.alike_ingredients()
returns table (ingredient text, other text)
language sql
stable
set search_path = ''
as $$
  with maintenance as (
    select t.condition, ingredient
    from public.condition_terms as t
    cross join lateral unnest(t.ingredients) as ingredient
    where t.rule_set_id = private.active_rule_set_id() and t.kind = 'maintenance'
  )
  select m.ingredient, m.ingredient from maintenance as m
  union
  select mine.ingredient, theirs.ingredient
  from maintenance as mine
  join maintenance as theirs using (condition)
  join public.drug_classes as a on a.ingredient = mine.ingredient
  join public.drug_classes as b on b.ingredient = theirs.ingredient and b.drug_class = a.drug_class
  where a.rule_set_id = private.active_rule_set_id() and b.rule_set_id = a.rule_set_id;
$$;

-- As before, and with `p_days_back` also of what ran out longer ago than the pharmacy waits for a refill.
drop function private.medicines_taken(text[], timestamptz);

-- What these patients take regularly and have left, or had until lately; a row a composition. As-needed medicines
-- have no run-out and are not here.
--   run_out_on    the first day without
--   is_long_term  a medicine of a maintenance condition, prescribed with repeats, or one without prescription that
--                 was bought on several days of the last half year: what a reminder makes sense for
--   replaced_by   what took its place: newly bought or prescribed since this was last bought or prescribed, not
--                 taken beside it then, and the same at another strength, or with the same ingredient, or one of
--                 its class, for the same maintenance condition
create function private.medicines_taken(
  p_patient_ids text[], p_at timestamptz default now(), p_days_back integer default null
)
returns table (
  patient_id text, composition text, product_id text, packs integer, dosage_frequency text, units_per_dose numeric,
  last_bought_on date, run_out_on date, today date, is_long_term boolean, is_discontinued boolean, replaced_by text
)
language sql
stable
set search_path = ''
as $$
  with evidence as materialized (
    select e, (e).* from private.evidence_of_taking(p_patient_ids, p_at) as e
  ),
  medicines as (
    select
      e.patient_id, e.composition, max(e.today) as today,
      max(e.ends) as ends, max(e.since) filter (where e.ends is not null) as last_bought_on,
      max(e.since) as last_seen_on, max(e.issued_on) as last_issued_on, max(e.repeats) as repeats,
      min(e.since) filter (where e.since > e.today - 180) as first_lately,
      -- Supplies of a chain end one after the other: the one that ends last was bought last.
      (array_agg(e.e order by e.ends desc nulls last))[1] as last_bought
    from evidence as e
    group by e.patient_id, e.composition
  ),
  kept as materialized (
    select m.*, date '2000-01-01' + private.end_day(m.ends) as run_out_on
    from medicines as m
    cross join public.refill_settings as settings
    where m.ends > m.today - date '2000-01-01' - coalesce(p_days_back, settings.overdue_days) - 1
  ),
  alike as materialized (
    select a.ingredient, a.other from private.alike_ingredients() as a
  ),
  parts as materialized (
    select distinct e.composition, e.ingredients, e.route, part.ingredient
    from evidence as e
    cross join lateral unnest(string_to_array(e.ingredients, '+')) as part (ingredient)
  ),
  rivals as materialized (
    select mine.composition, theirs.composition as rival
    from parts as mine
    join alike as a on a.ingredient = mine.ingredient
    join parts as theirs on theirs.ingredient = a.other and theirs.route = mine.route
    where mine.composition <> theirs.composition
    union
    select mine.composition, theirs.composition
    from parts as mine
    join parts as theirs on theirs.ingredients = mine.ingredients and theirs.route = mine.route
    where mine.composition <> theirs.composition
  ),
  replaced as materialized (
    select r.patient_id, r.composition, min(r.rival) as rival
    from (
      select k.patient_id, k.composition, e.composition as rival
      from kept as k
      join evidence as e on e.patient_id = k.patient_id
      join rivals as v on v.composition = k.composition and v.rival = e.composition
      group by k.patient_id, k.composition, e.composition, k.last_seen_on
      having max(e.since) > k.last_seen_on
        and not bool_or(k.last_bought_on between e.since and e.until)
    ) as r
    group by r.patient_id, r.composition
  )
  select
    k.patient_id, k.composition, (k.last_bought).product_id, (k.last_bought).packs, (k.last_bought).dosage_frequency,
    (k.last_bought).units_per_dose, k.last_bought_on, k.run_out_on, k.today,
    k.repeats > 0
      or string_to_array((k.last_bought).ingredients, '+') && (select array_agg(a.ingredient) from alike as a)
      or not (k.last_bought).prescription_required and k.first_lately < k.last_bought_on,
    exists (
      select from public.discontinued_medicines as d
      where d.patient_id = k.patient_id and d.composition = k.composition and d.resumed_at is null
        and (k.last_issued_on > private.today_of(d.patient_id, d.discontinued_at)) is not true
    ),
    r.rival
  from kept as k
  left join replaced as r on r.patient_id = k.patient_id and r.composition = k.composition
  cross join public.refill_settings as settings
  where k.run_out_on >= k.today - coalesce(p_days_back, settings.overdue_days);
$$;

create or replace function private.adherence(p_patient_ids text[], p_at timestamptz default now())
returns table (patient_id text, composition text, pdc_90 numeric, pdc_180 numeric)
language sql
stable
set search_path = ''
as $$
  with covered as (
    select
      s.patient_id, s.composition, (p_at at time zone s.time_zone)::date as today, s.bought_on,
      date '2000-01-01' + private.end_day(s.ends) as until,
      greatest(
        date '2000-01-01' + floor(round(s.starts, 6))::integer,
        -- The day on which one supply ends and the next begins counts once.
        lag(date '2000-01-01' + private.end_day(s.ends)) over (partition by s.patient_id, s.composition order by s.ends)
      ) as since
    from private.supplies_of(p_patient_ids) as s
    where s.days is not null and s.bought_on <= (p_at at time zone s.time_zone)::date
  ),
  shares as (
    select
      c.patient_id, c.composition, span.days,
      round(
        sum(greatest(least(c.until, c.today + 1) - greatest(c.since, c.today - span.days + 1), 0))::numeric
        / (c.today + 1 - greatest(min(c.bought_on), c.today - span.days + 1)), 4
      ) as share
    from covered as c
    cross join (values (90), (180)) as span (days)
    group by c.patient_id, c.composition, c.today, span.days
  )
  select
    s.patient_id, s.composition,
    max(s.share) filter (where s.days = 90), max(s.share) filter (where s.days = 180)
  from shares as s
  group by s.patient_id, s.composition;
$$;

grant execute on function
  private.supplies_of(text[], text),
  private.evidence_of_taking(text[], timestamptz),
  private.alike_ingredients(),
  private.medicines_taken(text[], timestamptz, integer)
to service_role;
