-- What patients take regularly, when each of it runs out, whether they have given it up, and how well they keep to it.

-- The pharmacy's own rules for reminding; no clinical ones.
create table public.refill_settings (
  only_row boolean not null default true,
  -- A reminder so many days before run-out.
  lead_days integer[] not null default '{7, 3, 1}',
  -- Who has not bought again so long after run-out is not expected to go on.
  overdue_days integer not null default 14,
  -- The scan of a day begins at this time.
  scan_from time not null default '06:00',
  scan_time_zone text not null default 'Asia/Kolkata',
  constraint refill_settings_pkey primary key (only_row),
  constraint refill_settings_single check (only_row),
  constraint refill_settings_lead_days_positive check (cardinality(lead_days) > 0 and 1 <= all (lead_days)),
  constraint refill_settings_overdue_not_negative check (overdue_days >= 0)
);

insert into public.refill_settings default values;

-- What a patient has stopped taking, as they or the pharmacy say. Buying it again takes it back.
create table public.discontinued_medicines (
  discontinued_id bigint generated always as identity,
  patient_id text not null,
  composition text not null,
  reason text not null,
  discontinued_by uuid,
  discontinued_at timestamptz not null default now(),
  resumed_at timestamptz,
  constraint discontinued_medicines_pkey primary key (discontinued_id),
  constraint discontinued_medicines_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint discontinued_medicines_reason_length check (length(reason) between 3 and 500)
);

create unique index discontinued_medicines_once_idx on public.discontinued_medicines (patient_id, composition)
  where resumed_at is null;
create index discontinued_medicines_patient_id_idx on public.discontinued_medicines (patient_id);

alter table public.refill_settings enable row level security;
alter table public.discontinued_medicines enable row level security;
grant select on public.refill_settings to anon, authenticated;
grant select on public.discontinued_medicines to authenticated;
grant select, insert, update, delete on public.refill_settings, public.discontinued_medicines to service_role;
create policy refill_settings_read_all on public.refill_settings for select to anon, authenticated using (true);
create policy discontinued_medicines_read_own_or_staff on public.discontinued_medicines
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- So many days before run-out a medicine counts as due.
create function private.longest_lead()
returns integer
language sql
stable
set search_path = ''
as $$
  select max(lead) from public.refill_settings as s cross join lateral unnest(s.lead_days) as lead;
$$;

-- What these patients take regularly and have left, or had until lately; a row a composition. As-needed medicines
-- have no run-out and are not here.
--   run_out_on    the first day without
--   is_long_term  a medicine of a maintenance condition, prescribed with repeats, or one without prescription that
--                 was bought on several days of the last half year: what a reminder makes sense for
--   replaced_by   what took its place: newly bought or prescribed since this was last bought or prescribed, not
--                 taken beside it then, and the same at another strength, or with the same ingredient, or one of
--                 its class, for the same maintenance condition
create function private.medicines_taken(p_patient_ids text[], p_at timestamptz default now())
returns table (
  patient_id text, composition text, product_id text, packs integer, dosage_frequency text, units_per_dose numeric,
  last_bought_on date, run_out_on date, today date, is_long_term boolean, is_discontinued boolean, replaced_by text
)
language sql
stable
set search_path = ''
as $$
  with today as materialized (
    select id as patient_id, private.today_of(id, p_at) as day from unnest(p_patient_ids) as id
  ),
  supplies as materialized (
    select s.* from private.supplies_of(p_patient_ids) as s where s.days is not null
  ),
  prescribed as materialized (
    select
      rx.patient_id, i.ingredient || ' ' || i.strength as composition, i.ingredient as ingredients, i.repeats,
      rx.issued_on, rx.valid_until
    from today as t
    join public.prescriptions as rx using (patient_id)
    join public.prescription_items as i using (prescription_id)
    where rx.status in ('verified', 'expired') and rx.issued_on <= t.day
  ),
  chains as (
    select
      s.patient_id, s.composition, max(s.ends) as ends, max(s.bought_on) as last_bought_on,
      min(s.bought_on) filter (where s.bought_on > t.day - 180) as first_lately, t.day as today
    from supplies as s
    join today as t using (patient_id)
    group by s.patient_id, s.composition, t.day
  ),
  kept as materialized (
    select
      c.*, date '2000-01-01' + private.end_day(c.ends) as run_out_on, s.product_id, s.packs, s.dosage_frequency,
      s.units_per_dose, greatest(c.last_bought_on, rx.last_issued_on) as last_seen_on,
      rx.last_issued_on, coalesce(rx.repeats, 0) as repeats
    from chains as c
    -- Supplies of a chain end one after the other: the last one is the purchase that ends the chain.
    join supplies as s using (patient_id, composition, ends)
    cross join public.refill_settings as settings
    left join (
      select p.patient_id, p.composition, max(p.issued_on) as last_issued_on, max(p.repeats) as repeats
      from prescribed as p
      group by p.patient_id, p.composition
    ) as rx using (patient_id, composition)
    where c.ends >= c.today - date '2000-01-01' - settings.overdue_days - 1
  ),
  maintenance as materialized (
    select t.condition, ingredient
    from public.condition_terms as t
    cross join lateral unnest(t.ingredients) as ingredient
    where t.rule_set_id = private.active_rule_set_id() and t.kind = 'maintenance'
  ),
  parts as materialized (
    select b.composition, p.active_ingredient as ingredients, p.route, pi.ingredient
    from (select s.composition, min(s.product_id) as product_id from supplies as s group by s.composition) as b
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    union
    select r.composition, r.ingredients, null, part.ingredient
    from (select distinct p.composition, p.ingredients from prescribed as p) as r
    cross join lateral unnest(string_to_array(r.ingredients, '+')) as part (ingredient)
  ),
  alike as (
    select m.ingredient, m.ingredient as other from maintenance as m
    union
    select mine.ingredient, theirs.ingredient
    from maintenance as mine
    join maintenance as theirs using (condition)
    join public.drug_classes as a on a.ingredient = mine.ingredient
    join public.drug_classes as b on b.ingredient = theirs.ingredient and b.drug_class = a.drug_class
    where a.rule_set_id = private.active_rule_set_id() and b.rule_set_id = a.rule_set_id
  ),
  rivals as materialized (
    select mine.composition, theirs.composition as rival
    from parts as mine
    join alike as a on a.ingredient = mine.ingredient
    join parts as theirs on theirs.ingredient = a.other
    where mine.composition <> theirs.composition and coalesce(mine.route = theirs.route, true)
    union
    select mine.composition, theirs.composition
    from parts as mine
    join parts as theirs using (ingredients)
    where mine.composition <> theirs.composition and coalesce(mine.route = theirs.route, true)
  ),
  evidence as (
    select s.patient_id, s.composition, s.bought_on as since, date '2000-01-01' + ceil(s.ends)::integer + 14 as until
    from supplies as s
    union all
    select p.patient_id, p.composition, p.issued_on, p.valid_until from prescribed as p
  ),
  replaced as (
    select r.patient_id, r.composition, min(r.rival) as rival
    from (
      select k.patient_id, k.composition, v.rival
      from kept as k
      join rivals as v on v.composition = k.composition
      join evidence as e on e.patient_id = k.patient_id and e.composition = v.rival
      where e.since <= k.today
      group by k.patient_id, k.composition, v.rival, k.last_seen_on
      having max(e.since) > k.last_seen_on
        and not bool_or(k.last_bought_on between e.since and e.until)
    ) as r
    group by r.patient_id, r.composition
  )
  select
    k.patient_id, k.composition, k.product_id, k.packs, k.dosage_frequency, k.units_per_dose, k.last_bought_on,
    k.run_out_on, k.today,
    k.repeats > 0
      or k.composition in (
        select p.composition from parts as p where p.ingredient in (select m.ingredient from maintenance as m)
      )
      or not product.prescription_required and k.first_lately < k.last_bought_on,
    exists (
      select from public.discontinued_medicines as d
      where d.patient_id = k.patient_id and d.composition = k.composition and d.resumed_at is null
        and (k.last_issued_on > private.today_of(d.patient_id, d.discontinued_at)) is not true
    ),
    r.rival
  from kept as k
  join public.products as product on product.product_id = k.product_id
  left join replaced as r on r.patient_id = k.patient_id and r.composition = k.composition
  cross join public.refill_settings as settings
  where k.run_out_on >= k.today - settings.overdue_days;
$$;

-- The proportion of days covered, in the last 90 and 180 days up to today: the share of days with supply, counted
-- from the first purchase when that was later. A day counts when there is supply on any part of it. Null for what
-- was not bought yet. (PQA: PDC with early refills carried over.)
create function private.adherence(p_patient_ids text[], p_at timestamptz default now())
returns table (patient_id text, composition text, pdc_90 numeric, pdc_180 numeric)
language sql
stable
set search_path = ''
as $$
  with today as materialized (
    select id as patient_id, private.today_of(id, p_at) as day from unnest(p_patient_ids) as id
  ),
  covered as (
    select
      s.patient_id, s.composition, t.day as today, s.bought_on,
      date '2000-01-01' + private.end_day(s.ends) as until,
      greatest(
        date '2000-01-01' + floor(round(s.starts, 6))::integer,
        -- The day on which one supply ends and the next begins counts once.
        lag(date '2000-01-01' + private.end_day(s.ends)) over (partition by s.patient_id, s.composition order by s.ends)
      ) as since
    from private.supplies_of(p_patient_ids) as s
    join today as t using (patient_id)
    where s.days is not null and s.bought_on <= t.day
  )
  select
    p.patient_id, p.composition,
    max(p.share) filter (where p.days = 90), max(p.share) filter (where p.days = 180)
  from (
    select
      c.patient_id, c.composition, span.days,
      round(
        sum(greatest(least(c.until, c.today + 1) - greatest(c.since, c.today - span.days + 1), 0))::numeric
        / (c.today + 1 - greatest(min(c.bought_on), c.today - span.days + 1)), 4
      ) as share
    from covered as c
    cross join (values (90), (180)) as span (days)
    group by c.patient_id, c.composition, c.today, span.days
  ) as p
  group by p.patient_id, p.composition;
$$;
