-- Several carts verified in one pass: what may be offered for a complaint, or instead of a refused medicine, is
-- judged product by product, each as if it were ordered alone. A line's basket says which lines are taken together;
-- an order is one basket. Nobody can say so in the items of an order: only the database's own functions ask for it.

alter type private.cart_line add attribute basket smallint;

drop function private.read_cart(text, jsonb, text);

-- Reads a cart [{product_id, packs, dosage_frequency?, units_per_dose?}]; the same product twice is one line, with
-- the larger of its directions. Products that do not exist are left out: verify_items reports them. With `p_is_apart`
-- every line is a basket of its own.
create function private.read_cart(
  p_patient_id text, p_items jsonb, p_except_order text default null, p_is_apart boolean default false
)
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
      case when p_is_apart then 0 else coalesce(sum(a.packs * p.units_per_pack) over (
        partition by private.composition(p) order by a.position rows between unbounded preceding and 1 preceding
      ), 0) end as units_before
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
    coalesce(cover.is_pending, false) or not_read.exists,
    case when p_is_apart then l.line else 1 end
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

-- Cart with cart, and cart with what is being taken; the pair is looked up in either order. Two medicines that
-- are both on verified prescriptions wait for the pharmacist instead of being stopped, contraindicated pairs
-- excepted: long-term therapy is not interrupted by a shop. For the same reason a prescribed medicine is not
-- refused because of an unprescribed one beside it in the cart: that one is, by the same rule.
create or replace function private.findings_of_interaction(
  p_cart private.cart_line[], p_active private.active_medicine[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with lines as (
    select c.basket, c.line, c.product_id, p.product_name, private.composition(p) as composition, pi.ingredient,
      coalesce(c.units_left, 0) > 0 as is_prescribed
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
  ),
  others as (
    select l.basket, l.line, l.ingredient, l.product_name, l.composition, l.is_prescribed from lines as l
    union all
    select null, null, a.ingredient, a.product_name, a.composition, a.is_prescribed
    from unnest(p_active) as a
  ),
  pairs as (
    select
      l.line, l.product_name, o.product_name as other_name, r.ingredient_a, r.ingredient_b, r.severity, r.action,
      r.effect, r.source, bool_or(l.is_prescribed and o.is_prescribed) as both_prescribed,
      bool_and(l.is_prescribed and not o.is_prescribed and o.line is not null) as other_is_refused
    from lines as l
    join others as o
      on o.line is distinct from l.line and o.composition <> l.composition and coalesce(o.basket, l.basket) = l.basket
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

-- The same product again is a refill; another with the same ingredient, or a systemic one of the same class,
-- warns. What is applied locally or inhaled is exempt, and so is aspirin in the dose against clots.
create or replace function private.findings_of_duplicate(
  p_cart private.cart_line[], p_active private.active_medicine[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with lines as (
    select c.basket, c.line, c.product_id, p.product_name, pi.ingredient
    from unnest(p_cart) as c
    join public.products as p using (product_id)
    join public.product_ingredients as pi using (product_id)
    where p.route = 'systemic' and not (pi.ingredient = 'Aspirin' and coalesce(pi.mg_per_unit, 999) <= 150)
  ),
  others as (
    select l.basket, l.line, l.product_id, l.product_name, l.ingredient from lines as l
    union all
    select null, null, a.product_id, a.product_name, a.ingredient
    from unnest(p_active) as a
    where a.route = 'systemic' and not (a.ingredient = 'Aspirin' and coalesce(a.mg_per_unit, 999) <= 150)
  ),
  hits as (
    select l.line, l.product_name, o.product_name as other_name, l.ingredient as shared, 0 as rank
    from lines as l
    join others as o
      on o.product_id is distinct from l.product_id and o.ingredient = l.ingredient
      and coalesce(o.basket, l.basket) = l.basket
    union all
    select l.line, l.product_name, o.product_name, mine.drug_class, 1
    from lines as l
    join others as o
      on o.product_id is distinct from l.product_id and o.ingredient <> l.ingredient
      and coalesce(o.basket, l.basket) = l.basket
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
create or replace function private.findings_of_dose(
  p_cart private.cart_line[], p_active private.active_medicine[], p_rule_set_id bigint
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with lines as (
    select
      c.basket, c.line, p.product_name, private.composition(p) as composition, pi.ingredient, pi.mg_per_unit,
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
    select d.basket, d.ingredient, greatest(sum(d.in_cart), max(d.taken)) as mg
    from (
      select l.basket, l.ingredient, l.composition, l.mg_per_unit * l.units_per_day, null from lines as l
      union all
      select b.basket, a.ingredient, a.composition, null, a.mg_per_day
      from unnest(p_active) as a
      cross join (select distinct l.basket from lines as l) as b
      where a.route = 'systemic'
    ) as d (basket, ingredient, composition, in_cart, taken)
    group by d.basket, d.ingredient, d.composition
  ),
  summed as (
    select d.basket, d.ingredient, sum(d.mg) as mg from daily as d group by d.basket, d.ingredient
  )
  select
    l.line, 'max_daily_dose', 'block', null, lim.max_daily_mg::text,
    format('%s: together %s mg of %s a day, the most is %s mg.',
      l.product_name, trim_scale(round(s.mg, 2)), l.ingredient, trim_scale(lim.max_daily_mg)),
    'limit:' || l.ingredient, lim.source, false, null::bigint
  from lines as l
  join summed as s using (basket, ingredient)
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
create or replace function private.findings_of_quantity(
  p_patient_id text, p_cart private.cart_line[], p_rule_set_id bigint, p_except_order text
)
returns setof private.finding
language sql
stable
set search_path = ''
as $$
  with sales as (
    select c.basket, c.line, c.product_id, c.packs from unnest(p_cart) as c
    union all
    select b.basket, null, i.product_id, i.packs
    from (select distinct c.basket from unnest(p_cart) as c) as b
    cross join public.orders as o
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
    group by sales.basket, lim.ingredient, lim.otc_units_per_7_days, lim.otc_packs_per_7_days, lim.source
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

-- The findings of every line of a cart, each basket by itself, overrides applied. Without an active rule set
-- (`p_rule_set_id` null) nothing clinical is passed.
create function private.find_findings(
  p_patient public.patients, p_rule_set_id bigint, p_cart private.cart_line[], p_order_id text default null
)
returns private.finding[]
language plpgsql
stable
set search_path = ''
as $$
declare
  v_age integer := private.age_today((p_patient).age_years, (p_patient).age_recorded_on);
  v_active private.active_medicine[];
  v_stated private.stated_allergy[];
begin
  v_active := array(select a from private.active_medicines((p_patient).patient_id, p_rule_set_id, p_order_id) as a);
  v_stated := array(select s from private.stated_allergies((p_patient).allergies, p_rule_set_id) as s);

  return private.apply_overrides((p_patient).patient_id, array(
    select f from private.findings_of_stock(p_cart) as f where p_order_id is null
    union all select f from private.findings_of_prescription(p_cart) as f
    union all select f from private.findings_of_allergy(p_cart, v_stated, p_rule_set_id) as f
    union all select f from private.findings_of_unknown_allergy(p_cart, v_stated) as f
    union all select f from private.findings_of_interaction(p_cart, v_active, p_rule_set_id) as f
    union all select f from private.findings_of_condition(p_cart, (p_patient).conditions, p_rule_set_id) as f
    union all select f from private.findings_of_age(p_cart, v_age, p_rule_set_id) as f
    union all select f from private.findings_of_duplicate(p_cart, v_active, p_rule_set_id) as f
    union all select f from private.findings_of_dose(p_cart, v_active, p_rule_set_id) as f
    union all select f from private.findings_of_quantity((p_patient).patient_id, p_cart, p_rule_set_id, p_order_id) as f
    union all select f from private.findings_of_refill((p_patient).patient_id, p_cart, p_order_id) as f
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

-- Verifies a cart [{product_id, packs, dosage_frequency?, units_per_dose?}] for a patient:
-- {rule_set, findings: [{product_id, product_name, code, severity, grade, subject, message, rule, rule_set,
--   source, waits, overridden}], checks: [{check, product_id, result: clear|warned|blocked|not_done}],
--   questions: profile fields that must be answered before an order is placed}.
-- With an order given, its items are verified as if it had not been placed yet, and as having their stock.
create or replace function private.verify_items(p_patient_id text, p_items jsonb, p_order_id text default null)
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
  v_cart private.cart_line[];
  v_findings private.finding[];
begin
  select * into v_rule_set from public.rule_sets where status = 'active';
  select * into v_patient from public.patients where patient_id = p_patient_id;
  v_age := private.age_today(v_patient.age_years, v_patient.age_recorded_on);
  v_cart := private.read_cart(p_patient_id, p_items, p_order_id);
  v_findings := private.find_findings(v_patient, v_rule_set.rule_set_id, v_cart, p_order_id);

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

-- What verification says of one pack of each of these products, each ordered alone. A product that does not exist
-- is left out.
create function private.verify_apart(p_patient_id text, p_product_ids text[])
returns table (product_id text, is_blocked boolean, is_warned boolean)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_patient public.patients;
  v_cart private.cart_line[] := private.read_cart(p_patient_id, (
    select coalesce(jsonb_agg(jsonb_build_object('product_id', id, 'packs', 1)), '[]') from unnest(p_product_ids) as id
  ), p_is_apart => true);
  v_findings private.finding[];
begin
  select * into v_patient from public.patients as p where p.patient_id = p_patient_id;
  v_findings := private.find_findings(v_patient, private.active_rule_set_id(), v_cart);
  return query
  select c.product_id, coalesce(bool_or(f.severity = 'block'), false), count(f.line) > 0
  from unnest(v_cart) as c
  left join unnest(v_findings) as f using (line)
  group by c.product_id;
end;
$$;

grant execute on function
  private.read_cart(text, jsonb, text, boolean),
  private.find_findings(public.patients, bigint, private.cart_line[], text),
  private.verify_apart(text, text[])
to service_role;
