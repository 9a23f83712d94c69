-- Placing an order in fewer steps. What is verified stays the same, to the letter; it is only found out once:
--   * the cart is read once, for the verification and for the card;
--   * a check against what was stated is left out where nothing was stated;
--   * plans are made once a connection, not once an order;
--   * what is asked for every row is a part of the query and no function of its own (the short functions below).

-- Functions of one expression that the planner puts into the query that calls them. It does so only without settings
-- of their own; they need none, because their bodies are read when they are made, with every name resolved.
create or replace function private.today()
returns date
language sql
stable
return (now() at time zone 'UTC')::date;

create or replace function private.doses_on_a_day(p_doses_per_day numeric)
returns numeric
language sql
immutable
return case when p_doses_per_day < 1 then 1 else p_doses_per_day end;

create or replace function private.end_day(p_ends numeric)
returns integer
language sql
immutable
return ceil(round(p_ends, 6))::integer;

create or replace function private.composition(p_product public.products)
returns text
language sql
immutable
return (p_product).composition;

-- A row of private.supplies_of of one patient: the chains are worked out once, for what the patient takes and for how
-- long it lasts.
create type private.supply as (
  composition text, product_id text, order_id text, dosage_frequency text, units_per_dose numeric, bought_on date,
  days numeric, starts numeric, ends numeric
);

create function private.supplies_to_verify(p_patient_id text, p_except_order text)
returns private.supply[]
language sql
stable
set search_path = ''
as $$
  select array(
    select row(
      s.composition, s.product_id, s.order_id, s.dosage_frequency, s.units_per_dose, s.bought_on, s.days, s.starts, s.ends
    )::private.supply
    from private.supplies_of(array[p_patient_id], p_except_order) as s
  );
$$;

drop function private.active_medicines(text, bigint, text);
drop function private.findings_of_refill(text, private.cart_line[], text);

-- What the patient is taking now: long-term items of verified, valid prescriptions, and purchases until the
-- wash-out after run-out has passed; an as-needed purchase counts 30 days. What was bought counts as prescribed
-- where a verified prescription is for it, under whichever brand it was sold.
create function private.active_medicines(p_patient_id text, p_rule_set_id bigint, p_supplies private.supply[])
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
    from unnest(p_supplies) as s
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
create function private.findings_of_refill(
  p_patient_id text, p_cart private.cart_line[], p_supplies private.supply[]
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with latest as (
    select distinct on (s.composition) s.composition, s.starts, s.ends, s.days
    from unnest(p_supplies) as s
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

-- The findings of every line of a cart, each basket by itself, overrides applied. Without an active rule set
-- (`p_rule_set_id` null) nothing clinical is passed.
create or replace function private.find_findings(
  p_patient public.patients, p_rule_set_id bigint, p_cart private.cart_line[], p_order_id text default null
)
returns private.finding[]
language plpgsql
stable
set search_path = ''
as $$
declare
  v_age integer := private.age_today((p_patient).age_years, (p_patient).age_recorded_on);
  v_supplies private.supply[];
  v_active private.active_medicine[];
  v_stated private.stated_allergy[] := '{}';
begin
  v_supplies := private.supplies_to_verify((p_patient).patient_id, p_order_id);
  v_active := array(select a from private.active_medicines((p_patient).patient_id, p_rule_set_id, v_supplies) as a);
  if cardinality((p_patient).allergies) > 0 then
    v_stated := array(select s from private.stated_allergies((p_patient).allergies, p_rule_set_id) as s);
  end if;

  return private.apply_overrides((p_patient).patient_id, array(
    select f from private.findings_of_stock(p_cart) as f where p_order_id is null
    union all select f from private.findings_of_prescription(p_cart) as f
    union all select f from private.findings_of_allergy(p_cart, v_stated, p_rule_set_id) as f
      where cardinality(v_stated) > 0
    union all select f from private.findings_of_unknown_allergy(p_cart, v_stated) as f
      where cardinality(v_stated) > 0
    union all select f from private.findings_of_interaction(p_cart, v_active, p_rule_set_id) as f
    union all select f from private.findings_of_condition(p_cart, (p_patient).conditions, p_rule_set_id) as f
      where cardinality((p_patient).conditions) > 0
    union all select f from private.findings_of_age(p_cart, v_age, p_rule_set_id) as f
    union all select f from private.findings_of_duplicate(p_cart, v_active, p_rule_set_id) as f
    union all select f from private.findings_of_dose(p_cart, v_active, p_rule_set_id) as f
    union all select f from private.findings_of_quantity((p_patient).patient_id, p_cart, p_rule_set_id, p_order_id) as f
    union all select f from private.findings_of_refill((p_patient).patient_id, p_cart, v_supplies) as f
    -- Without rules nothing with an ingredient can be checked, and nothing at all against an allergy.
    union all
    select row(c.line, 'rules_unavailable', 'block', null, null,
      'Our clinical rules are not available right now; nothing was ordered.', 'rule_set:none',
      'A check that cannot run refuses', false, null)::private.finding
    from unnest(p_cart) as c
    where p_rule_set_id is null
      and (
        exists (select from public.product_ingredients as pi where pi.product_id = c.product_id)
        or cardinality((p_patient).allergies) > 0
      )
  ));
end;
$$;

-- As private.verify_items says, of a cart that has been read already.
create function private.verify_cart(
  p_patient_id text, p_items jsonb, p_cart private.cart_line[], p_order_id text default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Index look-ups for a cart of any size; a plan for each cart takes longer to make than to run, and may be worse.
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_rule_set public.rule_sets;
  v_patient public.patients;
  v_age integer;
  v_findings private.finding[];
begin
  select * into v_rule_set from public.rule_sets where status = 'active';
  select * into v_patient from public.patients where patient_id = p_patient_id;
  v_age := private.age_today(v_patient.age_years, v_patient.age_recorded_on);
  v_findings := private.find_findings(v_patient, v_rule_set.rule_set_id, p_cart, p_order_id);

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
      join unnest(p_cart) as c using (line)
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
          when worst.severity is null then 'clear'
          when worst.severity = 'block' then 'blocked'
          else 'warned'
        end
      ) order by c.line, k.position), '[]')
      from unnest(p_cart) as c
      cross join unnest(array[
        'prescription_required', 'schedule_x', 'allergy', 'interaction', 'condition', 'age', 'duplicate_therapy',
        'max_daily_dose', 'quantity_limit', 'refill_too_soon', 'out_of_stock'
      ]) with ordinality as k (code, position)
      left join (
        select f.line, f.code, min(f.severity) as severity from unnest(v_findings) as f group by f.line, f.code
      ) as worst on worst.line = c.line and worst.code = k.code
    ),
    'questions', to_jsonb(array_remove(array[
      case when v_age is null then 'age' end,
      case when v_patient.allergies is null then 'allergies' end,
      case when v_patient.conditions is null then 'conditions' end
    ], null))
  );
end;
$$;

-- Verifies a cart [{product_id, packs, dosage_frequency?, units_per_dose?}] for a patient:
-- {rule_set, findings: [{product_id, product_name, code, severity, grade, subject, message, rule, rule_set,
--   source, waits, overridden}], checks: [{check, product_id, result: clear|warned|blocked|not_done}],
--   questions: profile fields that must be answered before an order is placed}.
-- With an order given, its items are verified as if it had not been placed yet, and as having their stock.
create or replace function private.verify_items(p_patient_id text, p_items jsonb, p_order_id text default null)
returns jsonb
language sql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
  select private.verify_cart(p_patient_id, p_items, private.read_cart(p_patient_id, p_items, p_order_id), p_order_id);
$$;

-- Verifies the items and says what may be sold of them:
-- {items: what the card shows, total, digest, rejected, verification, waits, questions}.
-- The digest is over patient, items, prices and what was warned of: any change of these is another proposal.
create or replace function private.prepare_proposal(p_patient_id text, p_items jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_cart private.cart_line[] := private.read_cart(p_patient_id, p_items);
  v_all jsonb := private.verify_cart(p_patient_id, p_items, v_cart);
  v_kept jsonb;
  v_verified jsonb;
  v_rejected jsonb;
  v_items jsonb;
  v_total numeric(12, 2);
  v_digest_items jsonb;
begin
  select coalesce(jsonb_agg(a.item order by a.position), '[]')
  into v_kept
  from jsonb_array_elements(p_items) with ordinality as a (item, position)
  where not v_all -> 'findings' @> jsonb_build_array(
    jsonb_build_object('product_id', a.item -> 'product_id', 'severity', 'block')
  );

  -- What is left is verified by itself: a finding that only concerned a rejected item has gone with it.
  if v_kept = p_items then
    v_verified := v_all;
  elsif v_kept = '[]' then
    v_cart := '{}';
    v_verified := '{"findings": [], "checks": []}'::jsonb || jsonb_build_object(
      'rule_set', v_all -> 'rule_set', 'questions', v_all -> 'questions'
    );
  else
    v_cart := private.read_cart(p_patient_id, v_kept);
    v_verified := private.verify_cart(p_patient_id, v_kept, v_cart);
  end if;

  select coalesce(jsonb_agg(r.reason order by r.rank, r.product_id), '[]')
  into v_rejected
  from (
    select distinct on (f.finding ->> 'product_id', f.finding ->> 'code')
      f.finding ->> 'product_id' as product_id,
      private.finding_rank(f.finding ->> 'code') as rank,
      jsonb_build_object(
        'product_id', f.finding -> 'product_id', 'product_name', f.finding -> 'product_name',
        'reason', f.finding -> 'message', 'code', f.finding -> 'code',
        'severity', coalesce(f.finding ->> 'grade', 'block'), 'subject', f.finding -> 'subject',
        'source', f.finding -> 'source', 'rule', f.finding -> 'rule', 'rule_set', f.finding -> 'rule_set',
        'alternatives', private.alternatives(p_patient_id, f.finding ->> 'product_id')
      ) as reason
    from jsonb_array_elements(v_all -> 'findings') as f (finding)
    where f.finding ->> 'severity' = 'block'
    order by f.finding ->> 'product_id', f.finding ->> 'code',
      f.finding ->> 'grade' is distinct from 'contraindicated'
  ) as r;

  select
    coalesce(jsonb_agg(
      jsonb_build_object(
        'product_id', p.product_id, 'product_name', p.product_name, 'qty', c.packs, 'price', p.price,
        'line_total', c.packs * p.price, 'package_size', p.package_size,
        'prescription_required', p.prescription_required,
        'dosage_frequency', coalesce(c.dosage_frequency, 'as_needed'), 'units_per_dose', coalesce(c.units_per_dose, 1),
        'warnings', w.warnings
      ) order by c.line
    ), '[]'),
    coalesce(sum(c.packs * p.price), 0),
    coalesce(jsonb_agg(
      jsonb_build_array(p.product_id, c.packs, p.price, w.digest_of) order by c.line
    ), '[]')
  into v_items, v_total, v_digest_items
  from unnest(v_cart) as c
  join public.products as p using (product_id)
  cross join lateral (
    select
      coalesce(jsonb_agg(f.finding - array['product_id', 'product_name']), '[]') as warnings,
      coalesce(jsonb_agg(jsonb_build_array(f.finding -> 'code', f.finding -> 'rule', f.finding -> 'rule_set')), '[]')
        as digest_of
    from jsonb_array_elements(v_verified -> 'findings') as f (finding)
    where f.finding ->> 'product_id' = p.product_id
  ) as w;

  return jsonb_build_object(
    'items', v_items,
    'total', v_total,
    'digest', encode(sha256(convert_to(
      jsonb_build_array(p_patient_id, v_digest_items, v_total)::text, 'UTF8'
    )), 'hex'),
    'rejected', v_rejected,
    'waits', v_verified -> 'findings' @> '[{"waits": true}]',
    'questions', v_verified -> 'questions',
    'verification', jsonb_build_object(
      'rule_set', v_all -> 'rule_set', 'findings', v_all -> 'findings',
      'checks', v_all -> 'checks', 'kept_findings', v_verified -> 'findings'
    )
  );
end;
$$;

-- Verifies again under locks and places the order, all in the caller's transaction.
-- Returns {outcome, prepared, order}; outcome is `placed`, `questions` (the profile must be completed first) or
-- `changed` (not what the digest was given for, or something may not be sold; nothing was placed). Without a
-- digest the items are ordered as they are, at today's prices.
-- Locks, always in this order, so that two orders can wait for each other but never in a circle: the patient,
-- the lots by product and expiry, last the order counter.
create or replace function private.place_order(
  p_patient_id text, p_items jsonb, p_digest text, p_placed_by text default 'patient'
)
returns jsonb
language plpgsql
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_prepared jsonb;
  v_order public.orders;
begin
  -- One patient's orders are placed one after the other: caps, repeats and supplies count over all of them.
  perform from public.patients where patient_id = p_patient_id for no key update;
  perform
  from public.product_batches
  where product_id in (select a.item ->> 'product_id' from jsonb_array_elements(p_items) as a (item))
    and status = 'available' and quantity > 0
  order by product_id, expiry, batch_id
  for no key update;

  v_prepared := private.prepare_proposal(p_patient_id, p_items);
  if v_prepared ->> 'digest' <> p_digest or v_prepared -> 'rejected' <> '[]' then
    return jsonb_build_object('outcome', 'changed', 'prepared', v_prepared);
  end if;
  if v_prepared -> 'questions' <> '[]' then
    return jsonb_build_object('outcome', 'questions', 'prepared', v_prepared);
  end if;

  insert into public.orders (order_id, patient_id, status, total, placed_by)
  values (
    private.next_order_id(), p_patient_id,
    case when (v_prepared ->> 'waits')::boolean then 'awaiting_pharmacist' else 'confirmed' end,
    (v_prepared ->> 'total')::numeric, p_placed_by
  )
  returning * into v_order;

  insert into public.order_items
    (order_id, line, product_id, packs, unit_price, dosage_frequency, units_per_dose, warnings)
  select
    v_order.order_id, a.line, a.item ->> 'product_id', (a.item ->> 'qty')::integer, (a.item ->> 'price')::numeric,
    a.item ->> 'dosage_frequency', (a.item ->> 'units_per_dose')::numeric, a.item -> 'warnings'
  from jsonb_array_elements(v_prepared -> 'items') with ordinality as a (item, line);

  perform private.take_stock(v_order.order_id);
  if v_prepared -> 'items' @> '[{"prescription_required": true}]' then
    perform private.use_prescriptions(v_order);
  end if;
  if v_order.status = 'confirmed' then
    perform private.announce_order('order.confirmed', v_order);
  end if;

  return jsonb_build_object('outcome', 'placed', 'prepared', v_prepared, 'order', private.order_json(v_order));
end;
$$;

grant execute on function
  private.supplies_to_verify(text, text),
  private.active_medicines(text, bigint, private.supply[]),
  private.findings_of_refill(text, private.cart_line[], private.supply[]),
  private.verify_cart(text, jsonb, private.cart_line[], text)
to service_role;
