-- The clinical verification of a cart. One function, private.verify_items, answers for the card, for a direct
-- order and again inside the placing transaction; each check below returns findings and nothing else.
--
-- A finding blocks or warns. `waits` marks one that lets the order be placed but not shipped before a
-- pharmacist has seen it. A check that cannot run asks or refuses; it never passes.

-- Limits that are the pharmacy's own and no clinical rule.
create table public.sale_limits (
  only_row boolean not null default true,
  otc_packs_per_line integer not null default 10,
  otc_window_days integer not null default 7,
  lines_per_order integer not null default 20,
  -- Share of the current supply that must be used up before a refill counts as due.
  refill_used_share numeric not null default 0.75,
  constraint sale_limits_pkey primary key (only_row),
  constraint sale_limits_single check (only_row)
);

insert into public.sale_limits default values;

-- How long after run-out a medicine still acts on others; 14 days for all that are not listed.
create table public.washout_periods (
  ingredient text not null,
  days integer not null,
  source text not null,
  constraint washout_periods_pkey primary key (ingredient),
  constraint washout_periods_days_positive check (days > 0)
);

insert into public.washout_periods (ingredient, days, source)
values
  ('Carbamazepine', 28, 'Enzyme induction wears off over about four weeks (FSRH: drug interactions)'),
  ('Phenytoin', 28, 'Enzyme induction wears off over about four weeks (FSRH: drug interactions)'),
  ('Fluoxetine', 35, 'FDA label: fluoxetine, five weeks because of norfluoxetine');

alter table public.sale_limits enable row level security;
alter table public.washout_periods enable row level security;
grant select on public.sale_limits, public.washout_periods to anon, authenticated;
grant select, insert, update, delete on public.sale_limits, public.washout_periods to service_role;
create policy sale_limits_read_all on public.sale_limits for select to anon, authenticated using (true);
create policy washout_periods_read_all on public.washout_periods for select to anon, authenticated using (true);

-- One line of a cart with its directions: as prescribed, else as ordered, else as bought before, else unknown.
-- The prescriber's come first: who could state others could talk the dose and refill checks away.
create type private.cart_line as (
  line smallint,
  product_id text,
  packs integer,
  dosage_frequency text,
  units_per_dose numeric,
  -- Units that the patient's verified, valid prescriptions still allow, less what earlier lines take of them;
  -- null where none covers the product.
  units_left integer,
  -- A prescription that covers it was uploaded and waits for a pharmacist.
  is_pending boolean
);

-- A medicine the patient is taking, one row an ingredient.
create type private.active_medicine as (
  ingredient text,
  composition text,
  product_id text,
  product_name text,
  route text,
  mg_per_unit numeric,
  mg_per_day numeric,
  is_prescribed boolean
);

create type private.finding as (
  line smallint,
  code text,
  severity text,
  -- The rule's own grade, where it has one: contraindicated, major, moderate, minor.
  grade text,
  -- What it is about besides the product: the allergy, the other medicine, the condition, a number.
  subject text,
  message text,
  rule text,
  source text,
  waits boolean,
  -- The pharmacist's override that let it pass, if one did.
  override_id bigint
);

-- Products with the same ingredients at the same strength are one medicine to a prescription and to a supply.
create function private.composition(p_product public.products)
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when (p_product).active_ingredient = '-' then (p_product).product_id
    else (p_product).active_ingredient || ' ' || (p_product).strength
  end;
$$;

-- Doses on a day on which it is taken: a weekly dose is swallowed on one day, not spread over seven.
create function private.doses_on_a_day(p_doses_per_day numeric)
returns numeric
language sql
immutable
set search_path = ''
as $$
  select case when p_doses_per_day < 1 then 1 else p_doses_per_day end;
$$;

-- The day on which a supply ends. A seventh is not exact: 10 tablets, 2 a week, last 35 days and not a trifle
-- more, which would make it 36.
create function private.end_day(p_ends numeric)
returns integer
language sql
immutable
set search_path = ''
as $$
  select ceil(round(p_ends, 6))::integer;
$$;

-- Supplies of a patient, one row a purchase, as a chain: a supply starts when it is bought or when the one
-- before ends, whichever is later. With cum(n) the days of the first n supplies, the n-th ends at
-- cum(n) + max over k <= n of (bought(k) - cum(k - 1)), which is the recursion without recursing.
-- As-needed purchases have no end that follows from the directions: `days` is null.
create function private.supplies(p_patient_id text, p_except_order text)
returns table (
  composition text, product_id text, order_id text, bought_on date, days numeric, starts numeric, ends numeric
)
language sql
stable
set search_path = ''
as $$
  with bought as (
    select
      private.composition(p) as composition, i.product_id, o.order_id, o.placed_at,
      (o.placed_at at time zone 'UTC')::date as bought_on,
      i.packs * p.units_per_pack / (i.units_per_dose * f.doses_per_day) as days
    from public.orders as o
    join public.order_items as i using (order_id)
    join public.products as p using (product_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where o.patient_id = p_patient_id
      and o.order_id is distinct from p_except_order
      and o.status not in ('cancelled', 'failed')
  ),
  counted as (
    select
      b.*, (b.bought_on - date '2000-01-01') as day,
      sum(b.days) over chain as cumulated
    from bought as b
    window chain as (partition by b.composition order by b.placed_at, b.order_id, b.product_id)
  )
  select
    c.composition, c.product_id, c.order_id, c.bought_on, c.days,
    c.cumulated - c.days + max(c.day - c.cumulated + c.days) filter (where c.days is not null) over chain as starts,
    case when c.days is not null then
      c.cumulated + max(c.day - c.cumulated + c.days) filter (where c.days is not null) over chain
    end as ends
  from counted as c
  window chain as (partition by c.composition order by c.placed_at, c.order_id, c.product_id);
$$;

-- What the patient is taking now: long-term items of verified, valid prescriptions, and purchases until the
-- wash-out after run-out has passed; an as-needed purchase counts 30 days. What was bought counts as prescribed
-- where a verified prescription is for it, under whichever brand it was sold.
create function private.active_medicines(p_patient_id text, p_rule_set_id bigint, p_except_order text)
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
      (array_agg(i.units_per_dose * private.doses_on_a_day(f.doses_per_day) order by s.bought_on desc, s.order_id desc)
        filter (where s.days is not null))[1] as units_per_day,
      date '2000-01-01' + private.end_day(max(s.ends)) as run_out,
      max(s.bought_on) filter (where s.days is null) + 30 as as_needed_until
    from private.supplies(p_patient_id, p_except_order) as s
    join public.order_items as i using (order_id, product_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    group by s.composition
  )
  select
    pi.ingredient, b.composition, b.product_id, p.product_name, p.route, pi.mg_per_unit,
    pi.mg_per_unit * b.units_per_day, b.composition in (select r.composition from prescribed as r)
  from bought as b
  join public.products as p using (product_id)
  join public.product_ingredients as pi using (product_id)
  left join public.washout_periods as w on w.ingredient = pi.ingredient
  where private.today() <= greatest(b.run_out + coalesce(w.days, 14), b.as_needed_until)
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

-- The prescription items that cover a product, first to end first, with the units left on each; what the
-- excepted order used counts as left.
create function private.covering_items(p_patient_id text, p_product public.products, p_except_order text default null)
returns table (
  prescription_item_id bigint, prescription_id text, status text, prescriber text,
  units_left integer, dosage_frequency text, units_per_dose numeric
)
language sql
stable
set search_path = ''
as $$
  select
    i.prescription_item_id, rx.prescription_id, rx.status, rx.prescriber,
    i.units * (1 + i.repeats) - i.dispensed_units + coalesce((
      select sum(u.units)
      from public.prescription_uses as u
      where u.order_id = p_except_order and u.prescription_item_id = i.prescription_item_id
    ), 0)::integer,
    i.dosage_frequency, i.units_per_dose
  from public.prescriptions as rx
  join public.prescription_items as i using (prescription_id)
  where rx.patient_id = p_patient_id
    and i.ingredient = (p_product).active_ingredient
    and i.strength = (p_product).strength
    and (rx.status = 'pending' or rx.status = 'verified' and private.today() between rx.issued_on and rx.valid_until)
  order by rx.valid_until, i.prescription_item_id;
$$;

-- Reads a cart [{product_id, packs, dosage_frequency?, units_per_dose?}]; the same product twice is one line, with
-- the larger of its directions. Products that do not exist are left out: verify_items reports them.
create function private.read_cart(p_patient_id text, p_items jsonb, p_except_order text default null)
returns private.cart_line[]
language sql
stable
set search_path = ''
as $$
  with asked as (
    select
      min(a.position) as position, a.item ->> 'product_id' as product_id, sum((a.item ->> 'packs')::integer) as packs,
      (array_agg(f.dosage_frequency order by f.doses_per_day desc nulls last, f.dosage_frequency))[1] as dosage_frequency,
      max((a.item ->> 'units_per_dose')::numeric) as units_per_dose
    from jsonb_array_elements(p_items) with ordinality as a (item, position)
    left join public.dosage_frequencies as f on f.dosage_frequency = a.item ->> 'dosage_frequency'
    group by a.item ->> 'product_id'
  ),
  lines as (
    select
      row_number() over (order by a.position)::smallint as line, p, a.packs, a.dosage_frequency, a.units_per_dose,
      -- Two brands of one medicine draw on the same prescription.
      coalesce(sum(a.packs * p.units_per_pack) over (
        partition by private.composition(p) order by a.position rows between unbounded preceding and 1 preceding
      ), 0) as units_before
    from asked as a
    join public.products as p using (product_id)
  )
  select coalesce(array_agg(row(
    l.line, (l.p).product_id, l.packs,
    coalesce(cover.dosage_frequency, l.dosage_frequency, bought.dosage_frequency),
    case
      when cover.dosage_frequency is not null then cover.units_per_dose
      when l.dosage_frequency is not null then coalesce(l.units_per_dose, 1)
      else bought.units_per_dose
    end,
    case when cover.units_left is not null then greatest(cover.units_left - l.units_before, 0) end,
    coalesce(cover.is_pending, false) or not_read.exists
  )::private.cart_line order by l.line), '{}')
  from lines as l
  left join lateral (
    select
      sum(greatest(c.units_left, 0)) filter (where c.status = 'verified')::integer as units_left,
      bool_or(c.status = 'pending') as is_pending,
      (array_agg(c.dosage_frequency) filter (where c.status = 'verified'))[1] as dosage_frequency,
      (array_agg(c.units_per_dose) filter (where c.status = 'verified'))[1] as units_per_dose
    from private.covering_items(p_patient_id, l.p, p_except_order) as c
  ) as cover on true
  left join lateral (
    select i.dosage_frequency, i.units_per_dose
    from public.orders as o
    join public.order_items as i using (order_id)
    where o.patient_id = p_patient_id and i.product_id = (l.p).product_id
      and o.order_id is distinct from p_except_order and o.status not in ('cancelled', 'failed')
    order by o.placed_at desc
    limit 1
  ) as bought on true
  cross join lateral (
    -- An upload nobody has read yet may cover anything that needs a prescription; a pharmacist will tell.
    select (l.p).prescription_required and exists (
      select from public.prescriptions as rx
      where rx.patient_id = p_patient_id and rx.status = 'pending'
        and not exists (select from public.prescription_items as i where i.prescription_id = rx.prescription_id)
    ) as exists
  ) as not_read;
$$;

-- The runs of one to three words in a text, as written and as they sound.
create function private.spoken(p_text text)
returns table (name text, sound text)
language sql
stable
set search_path = ''
as $$
  with words as (
    select
      array_agg(w.word order by w.position) as words,
      array_agg(private.sound_key(w.word) order by w.position) as sounds
    from regexp_split_to_table(private.normalise_name(left(p_text, 500)), ' ') with ordinality as w (word, position)
  )
  select
    array_to_string(words.words[n.first : n.first + n.length - 1], ' '),
    array_to_string(words.sounds[n.first : n.first + n.length - 1], ' ')
  from words, lateral (
    select f as first, l as length
    from generate_series(1, cardinality(words.words)) as f, generate_series(1, 3) as l
    where f + l - 1 <= cardinality(words.words)
  ) as n;
$$;


-- Which rules a stated allergy calls up: the terms, classes, ingredients and products it names, spelt as people
-- spell ("penicilin", "sulfa drugs", "पेनिसिलिन"). One spelling error is forgiven, two in long words. A brand stands
-- for its ingredients ("brufen" for ibuprofen and all that an allergy to it means). An ingredient without a term of
-- its own warns of the others of its class: cross-reactivity that nobody has written a rule for is asked about.
create function private.allergy_targets(p_allergy text, p_rule_set_id bigint)
returns table (matches text, target text, action text, reason text, term text)
language sql
stable
set search_path = ''
as $$
  with spoken as (
    select * from private.spoken(p_allergy)
  ),
  spelt as (
    select sound from spoken
    union
    select regexp_replace(sound, 's$', '') from spoken
  ),
  named as (
    select i.ingredient, i.sound
    from spelt as s
    join public.ingredients as i on i.sound operator(extensions.%) s.sound and private.sounds_like(s.sound, i.sound)
    union
    select i.ingredient, i.sound
    from spoken as s
    join public.product_names as n on n.name_key = s.name
    join public.product_ingredients as pi using (product_id)
    join public.ingredients as i using (ingredient)
    -- "rabeprazole" is the ingredient, not what else is in the product of that name.
    where not exists (select from public.ingredients as same where same.sound = s.sound)
  ),
  terms as (
    select r.*
    from public.allergy_rules as r
    where r.rule_set_id = p_rule_set_id and (
      exists (select from spelt as s where private.sounds_like(s.sound, r.term_sound))
      or exists (select from named as n where n.sound = r.term_sound)
    )
  )
  select t.matches, t.target, t.action, t.reason, t.term
  from terms as t
  union
  select 'class', c.drug_class, 'block', 'stated allergy', lower(c.drug_class)
  from public.drug_classes as c
  where c.rule_set_id = p_rule_set_id and exists (select from spelt as s where private.sounds_like(s.sound, c.class_sound))
  union
  select 'ingredient', n.ingredient, 'block', 'stated allergy', lower(n.ingredient)
  from named as n
  union
  select 'class', c.drug_class, 'warn', 'same class as a stated allergy', lower(n.ingredient)
  from named as n
  join public.drug_classes as c on c.rule_set_id = p_rule_set_id and c.ingredient = n.ingredient
  where not exists (select from terms as t where t.term_sound = n.sound);
$$;

create type private.stated_allergy as (
  allergy text,
  matches text,
  target text,
  action text,
  reason text,
  term text
);

-- Each stated allergy with the rules it calls up; one that calls up none has no target.
create function private.stated_allergies(p_allergies text[], p_rule_set_id bigint)
returns setof private.stated_allergy
language sql
stable
set search_path = ''
as $$
  select a.allergy, t.matches, t.target, t.action, t.reason, t.term
  from unnest(p_allergies) as a (allergy)
  left join lateral private.allergy_targets(a.allergy, p_rule_set_id) as t on true;
$$;

create function private.findings_of_stock(p_cart private.cart_line[])
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  select
    c.line, 'out_of_stock', 'block', null, stock.packs::text,
    case when stock.packs = 0 then format('%s is out of stock.', p.product_name)
      else format('Only %s of %s are in stock.', stock.packs, p.product_name) end,
    'stock', 'Stock on hand', false, null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  cross join lateral (select public.stock_quantity(p) as packs) as stock
  where stock.packs < c.packs;
$$;

-- Schedule X is not sold at all; what needs a prescription needs units left on a verified one, or one that
-- waits for the pharmacist. The last pack may exceed what is left: packs are not cut.
create function private.findings_of_prescription(p_cart private.cart_line[])
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  select
    c.line,
    case
      when p.schedule = 'X' then 'schedule_x'
      when coalesce(c.units_left, 0) > 0 and not c.is_pending then 'quantity_limit'
      else 'prescription_required'
    end,
    case when c.is_pending and p.schedule <> 'X' then 'warn' else 'block' end,
    null,
    case when c.units_left > 0 then ceil(c.units_left::numeric / p.units_per_pack)::text end,
    case
      when p.schedule = 'X' then format('%s is a Schedule X medicine and is not sold here.', p.product_name)
      when c.is_pending then format('The prescription for %s waits for our pharmacist.', p.product_name)
      when c.units_left > 0 then format('The prescription for %s allows %s more.', p.product_name,
        ceil(c.units_left::numeric / p.units_per_pack))
      else format('%s needs a valid prescription.', p.product_name)
    end,
    'schedule:' || p.schedule, 'Drugs Rules 1945, Schedule ' || p.schedule,
    c.is_pending and p.schedule <> 'X', null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  where p.prescription_required
    and (p.schedule = 'X' or c.packs > ceil(coalesce(c.units_left, 0)::numeric / p.units_per_pack));
$$;

-- Per ingredient of each product: what a stated allergy blocks or warns of. An allergy that nothing matches
-- makes prescription items wait for a pharmacist and warns on the others.
create function private.findings_of_allergy(
  p_cart private.cart_line[], p_stated private.stated_allergy[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with stated as (
    select * from unnest(p_stated)
  ),
  hits as (
    select c.line, p.product_name, s.allergy, s.action, s.reason, s.term, coalesce(pi.ingredient, p.product_name) as through
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    left join public.product_ingredients as pi using (product_id)
    join stated as s on
      s.matches = 'product' and s.target = p.product_id
      or s.matches = 'ingredient' and s.target = pi.ingredient
      or s.matches = 'class' and exists (
        select from public.drug_classes as d
        where d.rule_set_id = p_rule_set_id and d.ingredient = pi.ingredient and d.drug_class = s.target
      )
  )
  select distinct on (h.line, h.allergy)
    h.line, 'allergy', h.action, null, h.allergy,
    format('%s contains %s; stated allergy: %s (%s).', h.product_name, h.through, h.allergy, h.reason),
    'allergy:' || h.term, h.reason, false, null::bigint
  from hits as h
  order by h.line, h.allergy, h.action, h.term, h.reason, h.through
$$;

create function private.findings_of_unknown_allergy(p_cart private.cart_line[], p_stated private.stated_allergy[])
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  select
    c.line, 'allergy', 'warn', null, a.allergy,
    format('The stated allergy "%s" is not known to our rules.', a.allergy),
    'allergy:unrecognised', 'A stated allergy that cannot be checked is not passed over', p.prescription_required, null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  cross join unnest(p_stated) as a
  where a.target is null
    and exists (select from public.product_ingredients as pi where pi.product_id = p.product_id);
$$;

-- Cart with cart, and cart with what is being taken; the pair is looked up in either order. Two medicines that
-- are both on verified prescriptions wait for the pharmacist instead of being stopped, contraindicated pairs
-- excepted: long-term therapy is not interrupted by a shop. For the same reason a prescribed medicine is not
-- refused because of an unprescribed one beside it in the cart: that one is, by the same rule.
create function private.findings_of_interaction(
  p_cart private.cart_line[], p_active private.active_medicine[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with lines as (
    select c.line, c.product_id, p.product_name, private.composition(p) as composition, pi.ingredient,
      coalesce(c.units_left, 0) > 0 as is_prescribed
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
  ),
  others as (
    select l.line, l.ingredient, l.product_name, l.composition, l.is_prescribed from lines as l
    union all
    select null, a.ingredient, a.product_name, a.composition, a.is_prescribed
    from unnest(p_active) as a
  ),
  pairs as (
    select
      l.line, l.product_name, o.product_name as other_name, r.ingredient_a, r.ingredient_b, r.severity, r.action,
      r.effect, r.source, bool_or(l.is_prescribed and o.is_prescribed) as both_prescribed,
      bool_and(l.is_prescribed and not o.is_prescribed and o.line is not null) as other_is_refused
    from lines as l
    join others as o on o.line is distinct from l.line and o.composition <> l.composition
    join public.interaction_rules as r
      on r.rule_set_id = p_rule_set_id
      and r.ingredient_a = least(l.ingredient collate "C", o.ingredient collate "C")
      and r.ingredient_b = greatest(l.ingredient collate "C", o.ingredient collate "C")
    group by l.line, l.product_name, o.product_name, r.ingredient_a, r.ingredient_b, r.severity, r.action, r.effect, r.source
  ),
  judged as (
    select p.*, p.action = 'block' and p.both_prescribed and p.severity <> 'contraindicated' as waits
    from pairs as p
  )
  select distinct on (j.line, j.ingredient_a, j.ingredient_b)
    j.line, 'interaction', case when j.waits or j.other_is_refused then 'warn' else j.action end, j.severity, j.other_name,
    format('%s with %s: %s.', j.product_name, j.other_name, j.effect),
    format('interaction:%s+%s', j.ingredient_a, j.ingredient_b), j.source, j.waits, null::bigint
  from judged as j
  order by j.line, j.ingredient_a, j.ingredient_b, j.waits, j.other_is_refused, j.other_name;
$$;

-- What people call the conditions that rules name, in three scripts.
create table public.condition_synonyms (
  condition text not null,
  phrase text not null,
  sound text not null generated always as (private.sound_key(phrase)) stored,
  constraint condition_synonyms_pkey primary key (condition, phrase)
);

insert into public.condition_synonyms (condition, phrase)
select c.condition, phrase
from (values
  ('pregnancy', array['pregnant', 'expecting', 'with child', 'garbhavati', 'garbhvati', 'गर्भवती', 'गर्भावस्था', 'गरोदर', 'गर्भार', 'गर्भारपण']),
  ('kidney disease', array['kidney', 'kidney problem', 'kidneys', 'ckd', 'renal', 'nephropathy', 'किडनी', 'गुर्दे', 'गुर्दा', 'मूत्रपिंड']),
  ('severe kidney disease', array['dialysis', 'kidney failure', 'renal failure', 'esrd', 'डायलिसिस']),
  ('liver disease', array['liver', 'liver problem', 'cirrhosis', 'hepatitis', 'jaundice', 'लिवर', 'यकृत', 'पीलिया', 'कावीळ']),
  ('peptic ulcer', array['ulcer', 'ulcers', 'stomach ulcer', 'gastric ulcer', 'अल्सर']),
  ('heart disease', array['heart', 'cardiac', 'heart attack', 'angina', 'heart failure', 'heart problem', 'दिल', 'हृदय', 'हृदयरोग']),
  ('hypertension', array['bp', 'high bp', 'blood pressure', 'high blood pressure', 'बीपी', 'ब्लड प्रेशर', 'रक्तदाब', 'उच्च रक्तचाप']),
  ('asthma', array['asthmatic', 'asthama', 'asma', 'wheezing', 'copd', 'दमा', 'अस्थमा']),
  ('epilepsy', array['epileptic', 'fits', 'seizure', 'seizures', 'mirgi', 'मिर्गी', 'फिट', 'अपस्मार']),
  ('depression', array['depressed', 'डिप्रेशन', 'नैराश्य', 'अवसाद']),
  ('diabetes', array['diabetic', 'sugar', 'शुगर', 'मधुमेह', 'डायबिटीज', 'डायबिटीस'])
) as c (condition, phrases)
cross join unnest(c.phrases) as phrase;

alter table public.condition_synonyms enable row level security;
grant select on public.condition_synonyms to anon, authenticated;
grant select, insert, update, delete on public.condition_synonyms to service_role;
create policy condition_synonyms_read_all on public.condition_synonyms for select to anon, authenticated using (true);

create type private.stated_condition as (stated text, condition text);

-- Each stated condition with what the rules call it ("CKD" is kidney disease; "severe kidney disease" is both that
-- and kidney disease); one that nothing knows has no condition. Short words must sound alike, long ones nearly.
create function private.stated_conditions(p_conditions text[], p_rule_set_id bigint)
returns setof private.stated_condition
language sql
stable
set search_path = ''
as $$
  with known as (
    select r.condition, r.condition_sound as sound from public.condition_rules as r where r.rule_set_id = p_rule_set_id
    union
    select s.condition, s.sound from public.condition_synonyms as s
    union
    select t.condition, private.sound_key(t.condition)
    from public.condition_terms as t
    where t.rule_set_id = p_rule_set_id
  )
  select c.stated, k.condition
  from unnest(p_conditions) as c (stated)
  left join lateral (
    select distinct known.condition
    from private.spoken(c.stated) as s
    join known on s.sound = known.sound or (length(known.sound) >= 6 and private.sounds_like(s.sound, known.sound))
  ) as k on true;
$$;

-- A condition nothing knows makes what has condition rules wait for a pharmacist, and warns where none is needed.
-- Prescribed therapy waits instead of being stopped, except against a rule on pregnancy.
create function private.findings_of_condition(p_cart private.cart_line[], p_conditions text[], p_rule_set_id bigint)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with stated as (
    select * from private.stated_conditions(p_conditions, p_rule_set_id)
  ),
  hits as (
    select
      c.line, p.product_name, r.*, s.stated,
      r.action = 'block' and r.condition = 'pregnancy' as is_contraindicated,
      r.action = 'block' and r.condition <> 'pregnancy' and coalesce(c.units_left, 0) > 0 as waits
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    join public.condition_rules as r on r.rule_set_id = p_rule_set_id and r.ingredient = pi.ingredient
    join stated as s on s.condition = r.condition
  )
  (
    select distinct on (h.line, h.ingredient)
      h.line, 'condition', case when h.waits then 'warn' else h.action end,
      case when h.is_contraindicated then 'contraindicated' end, h.stated,
      format('%s with %s: %s.', h.product_name, h.stated, h.effect),
      format('condition:%s+%s', h.ingredient, h.condition), h.source, h.waits, null::bigint
    from hits as h
    order by h.line, h.ingredient, h.action, h.waits, h.condition
  )
  union all
  select
    c.line, 'condition', 'warn', null, s.stated,
    format('The stated condition "%s" is not known to our rules.', s.stated),
    'condition:unrecognised', 'A stated condition that cannot be checked is not passed over',
    p.prescription_required, null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  cross join stated as s
  where s.condition is null
    and exists (
      select from public.product_ingredients as pi
      join public.condition_rules as r on r.rule_set_id = p_rule_set_id and r.ingredient = pi.ingredient
      where pi.product_id = p.product_id
    );
$$;

create function private.findings_of_age(p_cart private.cart_line[], p_age integer, p_rule_set_id bigint)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with ages as (
    select c.line, p.product_name, p.min_age_years as least_age, 'product:' || p.product_id as rule,
      'Label of ' || p.product_name as source
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    union all
    select c.line, p.product_name, l.min_age_years, 'limit:' || l.ingredient, l.source
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    join public.ingredient_limits as l on l.rule_set_id = p_rule_set_id and l.ingredient = pi.ingredient
  )
  select distinct on (a.line)
    a.line, 'age', 'block', null, a.least_age::text,
    format('%s is not for anyone under %s years.', a.product_name, a.least_age), a.rule, a.source, false, null::bigint
  from ages as a
  where p_age < a.least_age
  order by a.line, a.least_age desc, a.rule;
$$;

-- The same product again is a refill; another with the same ingredient, or a systemic one of the same class,
-- warns. What is applied locally or inhaled is exempt, and so is aspirin in the dose against clots.
create function private.findings_of_duplicate(
  p_cart private.cart_line[], p_active private.active_medicine[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with lines as (
    select c.line, c.product_id, p.product_name, pi.ingredient
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    where p.route = 'systemic' and not (pi.ingredient = 'Aspirin' and coalesce(pi.mg_per_unit, 999) <= 150)
  ),
  others as (
    select l.line, l.product_id, l.product_name, l.ingredient from lines as l
    union all
    select null, a.product_id, a.product_name, a.ingredient
    from unnest(p_active) as a
    where a.route = 'systemic' and not (a.ingredient = 'Aspirin' and coalesce(a.mg_per_unit, 999) <= 150)
  ),
  hits as (
    select l.line, l.product_name, o.product_name as other_name, l.ingredient as shared, 0 as rank
    from lines as l
    join others as o on o.product_id is distinct from l.product_id and o.ingredient = l.ingredient
    union all
    select l.line, l.product_name, o.product_name, mine.drug_class, 1
    from lines as l
    join others as o on o.product_id is distinct from l.product_id and o.ingredient <> l.ingredient
    join public.drug_classes as mine on mine.rule_set_id = p_rule_set_id and mine.ingredient = l.ingredient
    join public.drug_classes as theirs
      on theirs.rule_set_id = p_rule_set_id and theirs.ingredient = o.ingredient and theirs.drug_class = mine.drug_class
  )
  select distinct on (h.line, h.other_name)
    h.line, 'duplicate_therapy', 'warn', null, h.other_name,
    format('%s and %s both contain %s.', h.product_name, h.other_name,
      case when h.rank = 0 then h.shared else 'one of: ' || h.shared end),
    'duplicate:' || h.shared, case when h.rank = 0 then 'Same ingredient' else 'Same class' end, false, null::bigint
  from hits as h
  order by h.line, h.other_name, h.rank, h.shared;
$$;

-- Milligrams of each ingredient on a day of taking, over the whole cart and what is being taken besides. Lines without known
-- directions add nothing: the check is recorded as not done for them. A weekly-only medicine with directions
-- more often than weekly is refused; a combination that holds a little of it (calcium with vitamin D) is not.
create function private.findings_of_dose(
  p_cart private.cart_line[], p_active private.active_medicine[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with lines as (
    select c.line, p.product_name, private.composition(p) as composition, pi.ingredient, pi.mg_per_unit,
      c.units_per_dose * private.doses_on_a_day(f.doses_per_day) as units_per_day, f.doses_per_day,
      p.active_ingredient = pi.ingredient as is_alone
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    left join public.dosage_frequencies as f using (dosage_frequency)
    where p.route = 'systemic'
  ),
  daily as (
    -- The same medicine prescribed, bought and ordered is taken once: the larger of the directions counts.
    select d.ingredient, greatest(sum(d.in_cart), max(d.taken)) as mg
    from (
      select l.ingredient, l.composition, l.mg_per_unit * l.units_per_day as in_cart, null as taken from lines as l
      union all
      select a.ingredient, a.composition, null, a.mg_per_day from unnest(p_active) as a where a.route = 'systemic'
    ) as d (ingredient, composition, in_cart, taken)
    group by d.ingredient, d.composition
  ),
  summed as (
    select d.ingredient, sum(d.mg) as mg from daily as d group by d.ingredient
  )
  select
    l.line, 'max_daily_dose', 'block', null, lim.max_daily_mg::text,
    format('%s: together %s mg of %s a day, the most is %s mg.',
      l.product_name, trim_scale(round(s.mg, 2)), l.ingredient, trim_scale(lim.max_daily_mg)),
    'limit:' || l.ingredient, lim.source, false, null::bigint
  from lines as l
  join summed as s using (ingredient)
  join public.ingredient_limits as lim on lim.rule_set_id = p_rule_set_id and lim.ingredient = l.ingredient
  where s.mg > lim.max_daily_mg and l.units_per_day is not null
  union all
  select
    l.line, 'max_daily_dose', 'block', null, 'weekly',
    format('%s is taken once a week, never daily.', l.product_name), 'limit:' || l.ingredient, lim.source, false, null::bigint
  from lines as l
  join public.ingredient_limits as lim on lim.rule_set_id = p_rule_set_id and lim.ingredient = l.ingredient
  where lim.weekly_only and l.is_alone and l.doses_per_day > 1 / 7.0;
$$;

-- Packs a line, and the ingredient's cap over all products without prescription in the last days.
create function private.findings_of_quantity(
  p_patient_id text, p_cart private.cart_line[], p_rule_set_id bigint, p_except_order text
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with sales as (
    select c.line, c.product_id, c.packs from unnest(p_cart) as c
    union all
    select null, i.product_id, i.packs
    from public.orders as o
    join public.order_items as i using (order_id)
    cross join public.sale_limits as s
    where o.patient_id = p_patient_id
      and o.order_id is distinct from p_except_order
      and o.status not in ('cancelled', 'failed')
      and o.placed_at > now() - make_interval(days => s.otc_window_days)
  ),
  caps as (
    select
      lim.ingredient, lim.otc_units_per_7_days, lim.otc_packs_per_7_days, lim.source,
      sum(sales.packs * p.units_per_pack) as units, sum(sales.packs) as packs, array_agg(sales.line) as lines
    from sales
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    join public.ingredient_limits as lim on lim.rule_set_id = p_rule_set_id and lim.ingredient = pi.ingredient
    where p.schedule = 'OTC'
    group by lim.ingredient, lim.otc_units_per_7_days, lim.otc_packs_per_7_days, lim.source
  )
  select
    c.line, 'quantity_limit', 'block', null, s.otc_packs_per_line::text,
    format('At most %s packs of %s in one order.', s.otc_packs_per_line, p.product_name),
    'sale_limits:otc_packs_per_line', 'House rule', false, null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  cross join public.sale_limits as s
  where p.schedule = 'OTC' and c.packs > s.otc_packs_per_line
  union all
  select
    c.line, 'quantity_limit', 'block', null, coalesce(caps.otc_units_per_7_days, caps.otc_packs_per_7_days)::text,
    format('At most %s of %s in 7 days without a prescription.',
      coalesce(caps.otc_units_per_7_days || ' units', caps.otc_packs_per_7_days || ' packs'), caps.ingredient),
    'limit:' || caps.ingredient, caps.source, false, null::bigint
  from unnest(p_cart) as c
  join caps on c.line = any (caps.lines)
  where caps.units > caps.otc_units_per_7_days or caps.packs > caps.otc_packs_per_7_days;
$$;

-- Less than the set share of the current supply is used: warned of, and refused for Schedule H1.
create function private.findings_of_refill(p_patient_id text, p_cart private.cart_line[], p_except_order text)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with latest as (
    select distinct on (s.composition) s.composition, s.starts, s.ends, s.days
    from private.supplies(p_patient_id, p_except_order) as s
    where s.days is not null
    order by s.composition, s.ends desc
  )
  select
    c.line, 'refill_too_soon', case when p.schedule = 'H1' then 'block' else 'warn' end, null,
    (private.end_day(l.ends) - (private.today() - date '2000-01-01'))::text,
    format('The supply of %s lasts %s more days.', p.product_name,
      private.end_day(l.ends) - (private.today() - date '2000-01-01')),
    'sale_limits:refill_used_share', 'House rule: a refill is due when 75% of the supply is used', false, null::bigint
  from unnest(p_cart) as c
  join public.products as p using (product_id)
  join latest as l on l.composition = private.composition(p)
  cross join public.sale_limits as s
  where (private.today() - date '2000-01-01') - l.starts < s.refill_used_share * l.days;
$$;

-- A pharmacist's valid override turns a refusal, or the wait for a pharmacist, into a warning that carries it.
-- Contraindicated findings have no override.
create function private.apply_overrides(p_patient_id text, p_findings private.finding[])
returns private.finding[]
language sql
stable
set search_path = ''
as $$
  select coalesce(array_agg(row(
    f.line, f.code, case when o.override_id is null then f.severity else 'warn' end, f.grade, f.subject, f.message,
    f.rule, f.source, f.waits and o.override_id is null, o.override_id
  )::private.finding), '{}')
  from unnest(p_findings) as f
  left join lateral (
    select v.override_id
    from public.overrides as v
    where v.patient_id = p_patient_id
      and v.rule = f.rule
      and (f.rule not in ('allergy:unrecognised', 'condition:unrecognised') or v.subject = f.subject)
      and v.valid_until >= private.today()
      and f.grade is distinct from 'contraindicated'
      and f.code in ('interaction', 'condition', 'allergy')
    order by v.override_id desc
    limit 1
  ) as o on true;
$$;

-- Verifies a cart [{product_id, packs, dosage_frequency?, units_per_dose?}] for a patient:
-- {rule_set, findings: [{product_id, product_name, code, severity, grade, subject, message, rule, rule_set,
--   source, waits, overridden}], checks: [{check, product_id, result: clear|warned|blocked|not_done}],
--   questions: profile fields that must be answered before an order is placed}.
-- With an order given, its items are verified as if it had not been placed yet, and as having their stock.
create function private.verify_items(p_patient_id text, p_items jsonb, p_order_id text default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_rule_set public.rule_sets;
  v_patient public.patients;
  v_age integer;
  v_cart private.cart_line[];
  v_active private.active_medicine[];
  v_stated private.stated_allergy[];
  v_findings private.finding[];
begin
  select * into v_rule_set from public.rule_sets where status = 'active';
  select * into v_patient from public.patients where patient_id = p_patient_id;
  v_age := private.age_today(v_patient.age_years, v_patient.age_recorded_on);
  v_cart := private.read_cart(p_patient_id, p_items, p_order_id);
  v_active := array(select a from private.active_medicines(p_patient_id, v_rule_set.rule_set_id, p_order_id) as a);

  v_stated := array(select s from private.stated_allergies(v_patient.allergies, v_rule_set.rule_set_id) as s);

  v_findings := array(
    select f from private.findings_of_stock(v_cart) as f where p_order_id is null
    union all select f from private.findings_of_prescription(v_cart) as f
    union all select f from private.findings_of_allergy(v_cart, v_stated, v_rule_set.rule_set_id) as f
    union all select f from private.findings_of_unknown_allergy(v_cart, v_stated) as f
    union all select f from private.findings_of_interaction(v_cart, v_active, v_rule_set.rule_set_id) as f
    union all select f from private.findings_of_condition(v_cart, v_patient.conditions, v_rule_set.rule_set_id) as f
    union all select f from private.findings_of_age(v_cart, v_age, v_rule_set.rule_set_id) as f
    union all select f from private.findings_of_duplicate(v_cart, v_active, v_rule_set.rule_set_id) as f
    union all select f from private.findings_of_dose(v_cart, v_active, v_rule_set.rule_set_id) as f
    union all select f from private.findings_of_quantity(p_patient_id, v_cart, v_rule_set.rule_set_id, p_order_id) as f
    union all select f from private.findings_of_refill(p_patient_id, v_cart, p_order_id) as f
    -- Without rules nothing with an ingredient can be checked, and nothing at all against an allergy.
    union all
    select row(c.line, 'rules_unavailable', 'block', null, null,
      'Our clinical rules are not available right now; nothing was ordered.', 'rule_set:none',
      'A check that cannot run refuses', false, null)::private.finding
    from unnest(v_cart) as c
    where v_rule_set.rule_set_id is null
      and (
        exists (select from public.product_ingredients as pi where pi.product_id = c.product_id)
        or cardinality(v_patient.allergies) > 0
      )
  );

  v_findings := private.apply_overrides(p_patient_id, v_findings);

  return jsonb_build_object(
    'rule_set', v_rule_set.version,
    'findings', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'product_id', p.product_id, 'product_name', p.product_name, 'code', f.code, 'severity', f.severity,
          'grade', f.grade, 'subject', f.subject, 'message', f.message, 'rule', f.rule,
          'rule_set', v_rule_set.version, 'source', f.source, 'waits', f.waits
        ) || case when o.override_id is not null then jsonb_build_object('overridden', jsonb_build_object(
          'reason', o.reason, 'at', o.overridden_at, 'valid_until', o.valid_until
        )) else '{}' end order by f.line, f.severity, f.code, f.rule, f.subject
      )
      from unnest(v_findings) as f
      join unnest(v_cart) as c using (line)
      join public.products as p using (product_id)
      left join public.overrides as o using (override_id)
    ), '[]') || coalesce((
      select jsonb_agg(jsonb_build_object(
        'product_id', a.item ->> 'product_id', 'product_name', null, 'code', 'not_found', 'severity', 'block',
        'grade', null, 'subject', null, 'message', 'There is no such product.', 'rule', 'catalogue',
        'rule_set', v_rule_set.version, 'source', 'Catalogue', 'waits', false
      ))
      from jsonb_array_elements(p_items) as a (item)
      where not exists (select from public.products as p where p.product_id = a.item ->> 'product_id')
    ), '[]'),
    'checks', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'check', k.code, 'product_id', c.product_id,
        'result', case
          when k.code in ('allergy') and v_patient.allergies is null then 'not_done'
          when k.code in ('condition') and v_patient.conditions is null then 'not_done'
          when k.code = 'age' and v_age is null then 'not_done'
          when k.code = 'max_daily_dose' and (c.dosage_frequency is null or c.dosage_frequency = 'as_needed') then 'not_done'
          when v_rule_set.rule_set_id is null then 'not_done'
          else coalesce((
            select case min(f.severity) when 'block' then 'blocked' else 'warned' end
            from unnest(v_findings) as f where f.line = c.line and f.code = k.code
            having count(*) > 0
          ), 'clear')
        end
      ) order by c.line, k.position), '[]')
      from unnest(v_cart) as c
      cross join unnest(array[
        'prescription_required', 'schedule_x', 'allergy', 'interaction', 'condition', 'age', 'duplicate_therapy',
        'max_daily_dose', 'quantity_limit', 'refill_too_soon', 'out_of_stock'
      ]) with ordinality as k (code, position)
    ),
    'questions', to_jsonb(array_remove(array[
      case when v_age is null then 'age' end,
      case when v_patient.allergies is null then 'allergies' end,
      case when v_patient.conditions is null then 'conditions' end
    ], null))
  );
end;
$$;

grant execute on all functions in schema private to service_role;
