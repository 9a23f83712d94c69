-- From a verified cart to a proposal, and from a confirmed proposal to an order.

-- Fails with 422 unless the items are a list of 1 to 20 lines {product_id, packs, dosage_frequency?,
-- units_per_dose?}, the numbers being JSON numbers.
create function private.require_items(p_items jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_most integer := (select lines_per_order from public.sale_limits);
begin
  if p_items is null or jsonb_typeof(p_items) <> 'array' or jsonb_array_length(p_items) = 0 then
    perform private.fail(422, 'no_items', 'An order needs at least one item.');
  end if;
  if jsonb_array_length(p_items) > v_most then
    perform private.fail(422, 'too_many_lines', format('An order has at most %s lines.', v_most));
  end if;
  if exists (
    select from jsonb_array_elements(p_items) as a (item)
    where coalesce(jsonb_typeof(a.item), '') <> 'object'
      or coalesce(jsonb_typeof(a.item -> 'product_id'), '') <> 'string'
      or coalesce(jsonb_typeof(a.item -> 'packs'), '') <> 'number'
      or a.item ->> 'packs' !~ '^[1-9][0-9]{0,3}$'
      or coalesce(jsonb_typeof(a.item -> 'units_per_dose'), 'null') not in ('number', 'null')
      or a.item ->> 'units_per_dose' !~ '^(?!0+(\.0+)?$)[0-9]{1,4}(\.[0-9]{1,3})?$'
      or coalesce(jsonb_typeof(a.item -> 'dosage_frequency'), 'null') not in ('string', 'null')
      or (a.item ->> 'dosage_frequency') not in (select f.dosage_frequency from public.dosage_frequencies as f)
  ) then
    perform private.fail(422, 'invalid_item', 'Each item needs a product and a number of packs from 1 to 9999.');
  end if;
end;
$$;

-- The order in which reasons are told: the graver first.
create function private.finding_rank(p_code text)
returns integer
language sql
immutable
set search_path = ''
as $$
  select coalesce(array_position(array[
    'rules_unavailable', 'not_found', 'schedule_x', 'allergy', 'interaction', 'condition', 'age', 'max_daily_dose',
    'prescription_required', 'quantity_limit', 'refill_too_soon', 'duplicate_therapy', 'out_of_stock'
  ], p_code), 99);
$$;

-- What may be offered instead of an OTC product: same use, in stock, nothing that verification blocks for this
-- patient, cheaper first. For what needs a prescription there is none: that is the prescriber's choice.
create function private.alternatives(p_patient_id text, p_product_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with blocked as (
    select p, private.active_rule_set_id() as rule_set_id
    from public.products as p
    where p.product_id = p_product_id and p.schedule = 'OTC'
  ),
  same_use as (
    select distinct other.ingredient
    from blocked as b
    join public.product_ingredients as pi on pi.product_id = (b.p).product_id
    join public.condition_terms as t on t.rule_set_id = b.rule_set_id and pi.ingredient = any (t.ingredients)
    cross join lateral unnest(t.ingredients) as other (ingredient)
    union
    select pi.ingredient
    from blocked as b
    join public.product_ingredients as pi on pi.product_id = (b.p).product_id
  ),
  candidates as (
    select p
    from public.products as p
    join public.product_ingredients as pi using (product_id)
    join same_use as u on u.ingredient = pi.ingredient
    where p.schedule = 'OTC' and p.product_id <> p_product_id
    group by p.product_id, p
    -- Every ingredient of it must be of that use, or a cough syrup would stand in for an allergy tablet.
    having count(*) = (select count(*) from public.product_ingredients as every where every.product_id = (p).product_id)
    order by p.price, p.product_id
    limit 10
  ),
  safe as (
    select p
    from candidates
    where not private.verify_items(p_patient_id, jsonb_build_array(
      jsonb_build_object('product_id', (p).product_id, 'packs', 1)
    )) -> 'findings' @> '[{"severity": "block"}]'
    limit 3
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'product_id', (p).product_id, 'product_name', (p).product_name,
    'price', (p).price, 'package_size', (p).package_size
  ) order by (p).price, (p).product_id), '[]')
  from safe;
$$;

-- Verifies the items and says what may be sold of them:
-- {items: what the card shows, total, digest, rejected, verification, waits, questions}.
-- The digest is over patient, items, prices and what was warned of: any change of these is another proposal.
create function private.prepare_proposal(p_patient_id text, p_items jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_all jsonb := private.verify_items(p_patient_id, p_items);
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
  v_verified := case
    when v_kept = p_items then v_all
    when v_kept = '[]' then '{"findings": [], "checks": []}'::jsonb || jsonb_build_object(
      'rule_set', v_all -> 'rule_set', 'questions', v_all -> 'questions')
    else private.verify_items(p_patient_id, v_kept)
  end;

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
  from unnest(private.read_cart(p_patient_id, v_kept)) as c
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

-- Writes down what was checked and what came of it.
create function private.record_decision(
  p_trace_id uuid, p_patient_id text, p_conversation_id uuid, p_kind text, p_request jsonb, p_outcome text,
  p_verification jsonb default null, p_order_id text default null
)
returns void
language sql
set search_path = ''
as $$
  insert into public.decisions
    (trace_id, patient_id, conversation_id, kind, request, outcome, rule_set_version, findings, checks, order_id)
  values (
    p_trace_id, p_patient_id, p_conversation_id, p_kind, coalesce(p_request, '{}'), p_outcome,
    p_verification ->> 'rule_set', coalesce(p_verification -> 'findings', '[]'),
    coalesce(p_verification -> 'checks', '[]'), p_order_id
  );
$$;

-- Verifies again under locks and places the order, all in the caller's transaction.
-- Returns {outcome, prepared, order}; outcome is `placed`, `questions` (the profile must be completed first) or
-- `changed` (not what the digest was given for, or something may not be sold; nothing was placed). Without a
-- digest the items are ordered as they are, at today's prices.
-- Locks, always in this order, so that two orders can wait for each other but never in a circle: the patient,
-- the lots by product and expiry, last the order counter.
create function private.place_order(
  p_patient_id text, p_items jsonb, p_digest text, p_placed_by text default 'patient'
)
returns jsonb
language plpgsql
set search_path = ''
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
  perform private.use_prescriptions(v_order);
  if v_order.status = 'confirmed' then
    perform private.announce_order('order.confirmed', v_order);
  end if;

  return jsonb_build_object('outcome', 'placed', 'prepared', v_prepared, 'order', private.order_json(v_order));
end;
$$;

-- Takes the packs of an order from the lots that expire first. The lots are locked and verified by the caller;
-- the check constraint on quantity is the last wall.
create function private.take_stock(p_order_id text)
returns void
language sql
set search_path = ''
as $$
  with shelf as (
    select
      b.batch_id, i.line, i.packs, b.quantity,
      sum(b.quantity) over (partition by b.product_id order by b.expiry, b.batch_id) - b.quantity as before
    from public.order_items as i
    join public.product_batches as b using (product_id)
    where i.order_id = p_order_id and b.status = 'available' and b.quantity > 0 and b.expiry > private.today()
  ),
  taken as (
    select batch_id, line, least(quantity, packs - before)::integer as packs
    from shelf
    where before < packs
  ),
  reduced as (
    update public.product_batches as b
    set quantity = b.quantity - t.packs
    from taken as t
    where b.batch_id = t.batch_id
  )
  insert into public.order_allocations (order_id, line, batch_id, packs)
  select p_order_id, line, batch_id, packs from taken;
$$;

-- Uses up the prescription items that cover the lines, the one that ends first first, and writes Schedule H1
-- lines into the register. What waits for a pharmacist uses nothing yet.
create function private.use_prescriptions(p_order public.orders)
returns void
language sql
set search_path = ''
as $$
  with needed as (
    select
      i.line, i.packs, i.packs * p.units_per_pack as units, p,
      -- Lines of one medicine draw on the same prescriptions, one after the other.
      sum(i.packs * p.units_per_pack) over (partition by private.composition(p) order by i.line)
        - i.packs * p.units_per_pack as starts
    from public.order_items as i
    join public.products as p using (product_id)
    where i.order_id = (p_order).order_id and p.prescription_required
      -- An order that waited may have used some of its prescriptions when it was placed.
      and not exists (
        select from public.prescription_uses as u where u.order_id = i.order_id and u.line = i.line
      )
  ),
  covers as (
    select
      n.line, n.starts, n.starts + n.units as ends, c.prescription_item_id,
      sum(c.units_left) over chain - c.units_left as item_starts,
      -- A pack is not cut: what the last one holds beyond the prescription is booked on the last item.
      case when row_number() over (partition by n.line order by c.position desc) = 1 then 2147483647
        else sum(c.units_left) over chain end as item_ends
    from needed as n
    cross join lateral (
      select k.*, row_number() over () as position
      from private.covering_items((p_order).patient_id, n.p) as k
      where k.status = 'verified' and k.units_left > 0
    ) as c
    window chain as (partition by n.line order by c.position)
  ),
  used as (
    select line, prescription_item_id, (least(ends, item_ends) - greatest(starts, item_starts))::integer as units
    from covers
    where least(ends, item_ends) > greatest(starts, item_starts)
  ),
  booked as (
    update public.prescription_items as i
    set dispensed_units = i.dispensed_units + u.units
    from (select prescription_item_id, sum(units) as units from used group by prescription_item_id) as u
    where i.prescription_item_id = u.prescription_item_id
  ),
  noted as (
    insert into public.prescription_uses (order_id, line, prescription_item_id, units)
    select (p_order).order_id, line, prescription_item_id, units from used
  )
  insert into public.dispense_register
    (order_id, line, patient_id, patient_name, prescriber, product_id, product_name, packs, units)
  select
    (p_order).order_id, n.line, pt.patient_id, pt.name, rx.prescriber, (n.p).product_id, (n.p).product_name, n.packs, n.units
  from needed as n
  join public.patients as pt on pt.patient_id = (p_order).patient_id
  join lateral (
    select r.prescriber
    from used as u
    join public.prescription_items as i using (prescription_item_id)
    join public.prescriptions as r using (prescription_id)
    where u.line = n.line
    limit 1
  ) as rx on true
  where (n.p).schedule = 'H1';
$$;

-- Puts what the partner must hear into the outbox, in the order's own transaction.
create function private.announce_order(p_event_type text, p_order public.orders)
returns void
language sql
set search_path = ''
as $$
  insert into public.outbox_events (event_type, order_id, payload)
  select p_event_type, (p_order).order_id, jsonb_build_object(
    'order_id', (p_order).order_id,
    -- A reference the partner resolves through its own channel; no name or address leaves with the event.
    'ship_to', (p_order).patient_id,
    'items', (
      select jsonb_agg(jsonb_build_object('product_id', i.product_id, 'quantity', i.packs) order by i.line)
      from public.order_items as i
      where i.order_id = (p_order).order_id
    )
  );
$$;
