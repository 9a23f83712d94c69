-- What happens to an order between placing and shipping: a pharmacist's review, and cancelling.

create function private.require_pharmacist()
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  if auth.uid() is null then
    perform private.fail(401, 'unauthenticated', 'Please sign in first.');
  end if;
  if private.current_staff_role() is distinct from 'pharmacist' then
    perform private.fail(403, 'not_a_pharmacist', 'Only a pharmacist may do this.');
  end if;
  return auth.uid();
end;
$$;

-- The items of an order as verification reads them.
create function private.items_of_order(p_order_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_agg(jsonb_build_object(
    'product_id', product_id, 'packs', packs, 'dosage_frequency', dosage_frequency, 'units_per_dose', units_per_dose
  ) order by line)
  from public.order_items
  where order_id = p_order_id;
$$;

-- Undoes what placing took: packs go back to their lots, units to their prescription items, and the register
-- gets a reversing entry. Packs of a lot recalled since go back to it and stay unsellable with it.
create function private.cancel(p_order public.orders, p_reason text)
returns public.orders
language plpgsql
set search_path = ''
as $$
declare
  v_order public.orders;
begin
  -- Lots are locked in the order in which placing locks them.
  perform
  from public.product_batches as b
  join public.order_allocations as a using (batch_id)
  where a.order_id = (p_order).order_id
  order by b.product_id, b.expiry, b.batch_id
  for no key update of b;

  update public.product_batches as b
  set quantity = b.quantity + a.packs
  from (
    select batch_id, sum(packs) as packs from public.order_allocations where order_id = (p_order).order_id group by batch_id
  ) as a
  where a.batch_id = b.batch_id;

  update public.prescription_items as i
  set dispensed_units = greatest(i.dispensed_units - u.units, 0)
  from (
    select prescription_item_id, sum(units) as units
    from public.prescription_uses where order_id = (p_order).order_id group by prescription_item_id
  ) as u
  where u.prescription_item_id = i.prescription_item_id;

  delete from public.order_allocations where order_id = (p_order).order_id;
  delete from public.prescription_uses where order_id = (p_order).order_id;

  insert into public.dispense_register
    (order_id, line, patient_id, patient_name, prescriber, product_id, product_name, packs, units, entry)
  select order_id, line, patient_id, patient_name, prescriber, product_id, product_name, packs, units, 'reversed'
  from public.dispense_register
  where order_id = (p_order).order_id and entry = 'dispensed'
  on conflict on constraint dispense_register_line_key do nothing;

  update public.orders set status = 'cancelled', status_reason = p_reason
  where order_id = (p_order).order_id
  returning * into v_order;

  -- The partner hears of it only if it ever heard of the order.
  if (p_order).status <> 'awaiting_pharmacist' then
    perform private.announce_order('order.cancelled', v_order);
  end if;
  return v_order;
end;
$$;

-- Cancels an order before it is shipped: the patient's own, or any for staff.
-- definer: stock and prescriptions are written for a patient who may not write them.
create function public.cancel_order(p_order_id text, p_reason text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_order public.orders;
begin
  select * into v_order from public.orders where order_id = p_order_id;
  if v_order.order_id is null
    or not (v_order.patient_id = private.current_patient_id() or private.is_staff()) is true then
    perform private.fail(404, 'order_not_found', 'There is no such order.');
  end if;
  perform from public.patients where patient_id = v_order.patient_id for no key update;
  select * into v_order from public.orders where order_id = p_order_id for no key update;
  if v_order.status = 'cancelled' then
    return private.order_json(v_order);
  end if;
  if v_order.status not in ('awaiting_pharmacist', 'confirmed', 'processing') then
    perform private.fail(409, 'order_not_cancellable', format('The order is already %s.', v_order.status));
  end if;
  return private.order_json(private.cancel(v_order, coalesce(nullif(btrim(p_reason), ''), 'Cancelled on request.')));
end;
$$;

-- Looks at a waiting order again. With nothing blocked and nothing left to wait for it is confirmed, its
-- prescriptions are used up and the partner is told; with a prescription gone it is cancelled; otherwise it
-- goes on waiting. Returns {outcome: confirmed | cancelled | waiting, order, findings}.
create function private.reconsider_order(p_order_id text, p_trace_id uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_order public.orders;
  v_verification jsonb;
  v_outcome text;
begin
  select * into v_order from public.orders where order_id = p_order_id for no key update;
  v_verification := private.verify_items(v_order.patient_id, private.items_of_order(p_order_id), p_order_id);

  if v_verification -> 'findings' @> '[{"severity": "block", "code": "prescription_required"}]' then
    v_order := private.cancel(v_order, 'The prescription was not accepted.');
    v_outcome := 'cancelled';
  elsif v_verification -> 'findings' @> '[{"severity": "block"}]'
    or v_verification -> 'findings' @> '[{"waits": true}]' then
    v_outcome := 'waiting';
  else
    update public.order_items as i
    set warnings = coalesce((
      select jsonb_agg(f.finding - array['product_id', 'product_name'])
      from jsonb_array_elements(v_verification -> 'findings') as f (finding)
      where f.finding ->> 'product_id' = i.product_id
    ), '[]')
    where i.order_id = p_order_id;
    update public.orders set status = 'confirmed' where order_id = p_order_id returning * into v_order;
    perform private.use_prescriptions(v_order);
    perform private.announce_order('order.confirmed', v_order);
    v_outcome := 'confirmed';
  end if;

  perform private.record_decision(
    p_trace_id, v_order.patient_id, null, 'review', jsonb_build_object('order_id', p_order_id, 'by', auth.uid()),
    v_outcome, v_verification, p_order_id
  );
  return jsonb_build_object(
    'outcome', v_outcome, 'order', private.order_json(v_order), 'findings', v_verification -> 'findings'
  );
end;
$$;

-- One prescription as pharmacists and its patient see it.
create function private.prescription_json(p_prescription public.prescriptions)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select to_jsonb(p_prescription) - 'file_path' || jsonb_build_object('items', coalesce((
    select jsonb_agg(jsonb_build_object(
      'ingredient', i.ingredient, 'strength', i.strength, 'units', i.units, 'repeats', i.repeats,
      'dispensed_units', i.dispensed_units, 'dosage_frequency', i.dosage_frequency, 'units_per_dose', i.units_per_dose
    ) order by i.prescription_item_id)
    from public.prescription_items as i
    where i.prescription_id = (p_prescription).prescription_id
  ), '[]'));
$$;

-- The caller's own prescriptions, newest first.
create function public.list_prescriptions()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient();
begin
  return (
    select coalesce(
      jsonb_agg(private.prescription_json(rx) order by rx.created_at desc, rx.prescription_id desc), '[]'
    )
    from public.prescriptions as rx
    where rx.patient_id = v_patient_id
  );
end;
$$;

-- What waits for a pharmacist, oldest first: {prescriptions, orders: [order with its findings]}.
-- definer: verification reads lots and rules for the caller, who must be staff.
create function public.review_queue()
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not private.is_staff() then
    perform private.fail(403, 'forbidden', 'Only staff may see this.');
  end if;
  return jsonb_build_object(
    'prescriptions', coalesce((
      select jsonb_agg(
        private.prescription_json(rx) || jsonb_build_object('patient_name', p.name, 'allergies', p.allergies)
        order by rx.created_at, rx.prescription_id
      )
      from public.prescriptions as rx
      join public.patients as p using (patient_id)
      where rx.status = 'pending'
    ), '[]'),
    'orders', coalesce((
      select jsonb_agg(
        private.order_json(o) || jsonb_build_object(
          'patient_id', o.patient_id, 'patient_name', p.name,
          'findings', private.verify_items(o.patient_id, private.items_of_order(o.order_id), o.order_id) -> 'findings'
        ) order by o.placed_at, o.order_id
      )
      from public.orders as o
      join public.patients as p using (patient_id)
      where o.status = 'awaiting_pharmacist'
    ), '[]')
  );
end;
$$;

-- Ends a review of a prescription: {prescription, orders: what became of the orders that waited for it}.
-- `p_review`: {decision: verify, prescriber, issued_on, valid_until, items: [{ingredient, strength, units,
-- repeats, dosage_frequency, units_per_dose}]} or {decision: reject, reason}.
-- definer: prescriptions and orders are written by nobody directly; the caller must be a pharmacist.
create function public.review_prescription(p_prescription_id text, p_review jsonb)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_pharmacist uuid := private.require_pharmacist();
  v_prescription public.prescriptions;
  v_trace_id uuid := gen_random_uuid();
  v_orders jsonb;
begin
  select * into v_prescription from public.prescriptions where prescription_id = p_prescription_id;
  if v_prescription.prescription_id is null then
    perform private.fail(404, 'prescription_not_found', 'There is no such prescription.');
  end if;
  perform from public.patients where patient_id = v_prescription.patient_id for no key update;
  select * into v_prescription from public.prescriptions where prescription_id = p_prescription_id for no key update;
  if v_prescription.status <> 'pending' then
    perform private.fail(409, 'prescription_reviewed', format('The prescription is already %s.', v_prescription.status));
  end if;

  if p_review ->> 'decision' = 'verify' then
    v_prescription := private.verify_prescription(v_prescription, p_review, v_pharmacist);
  elsif p_review ->> 'decision' = 'reject' then
    if coalesce(length(btrim(p_review ->> 'reason')), 0) < 3 then
      perform private.fail(422, 'reason_required', 'A rejection needs a reason.');
    end if;
    update public.prescriptions
    set status = 'rejected', reviewed_by = v_pharmacist, reviewed_at = now(), review_reason = btrim(p_review ->> 'reason')
    where prescription_id = p_prescription_id
    returning * into v_prescription;
  else
    perform private.fail(422, 'invalid_decision', 'The decision is verify or reject.');
  end if;

  perform private.record_decision(
    v_trace_id, v_prescription.patient_id, null, 'review_prescription',
    p_review || jsonb_build_object('prescription_id', p_prescription_id, 'by', v_pharmacist), v_prescription.status
  );
  select coalesce(jsonb_agg(private.reconsider_order(o.order_id, v_trace_id)), '[]')
  into v_orders
  from (
    select order_id from public.orders
    where patient_id = v_prescription.patient_id and status = 'awaiting_pharmacist'
    order by placed_at, order_id
  ) as o;
  return jsonb_build_object('prescription', private.prescription_json(v_prescription), 'orders', v_orders);
end;
$$;

-- Takes the pharmacist's reading of a prescription over. Fails with 422 when it is incomplete or has ended.
create function private.verify_prescription(p_prescription public.prescriptions, p_review jsonb, p_pharmacist uuid)
returns public.prescriptions
language plpgsql
set search_path = ''
as $$
declare
  v_prescription public.prescriptions;
  v_items jsonb := coalesce(p_review -> 'items', '[]');
begin
  if jsonb_typeof(v_items) <> 'array' or v_items = '[]' then
    -- The items it came with stand as they are, when it came with any.
    if not exists (
      select from public.prescription_items where prescription_id = (p_prescription).prescription_id
    ) then
      perform private.fail(422, 'items_required', 'A verified prescription names what was prescribed.');
    end if;
  else
    delete from public.prescription_items where prescription_id = (p_prescription).prescription_id;
    insert into public.prescription_items
      (prescription_id, ingredient, strength, units, repeats, dosage_frequency, units_per_dose)
    select
      (p_prescription).prescription_id, i.ingredient, i.strength, i.units, coalesce(i.repeats, 0),
      i.dosage_frequency, coalesce(i.units_per_dose, 1)
    from jsonb_to_recordset(v_items) as i (
      ingredient text, strength text, units integer, repeats smallint, dosage_frequency text, units_per_dose numeric
    );
  end if;

  update public.prescriptions
  set
    status = 'verified',
    prescriber = coalesce(nullif(btrim(p_review ->> 'prescriber'), ''), prescriber),
    issued_on = coalesce((p_review ->> 'issued_on')::date, issued_on),
    valid_until = coalesce((p_review ->> 'valid_until')::date, valid_until),
    reviewed_by = p_pharmacist,
    reviewed_at = now()
  where prescription_id = (p_prescription).prescription_id
  returning * into v_prescription;
  if v_prescription.issued_on > private.today() or v_prescription.valid_until < private.today() then
    perform private.fail(422, 'prescription_not_valid', 'The prescription is not valid today.');
  end if;
  return v_prescription;
exception
  when check_violation or not_null_violation or foreign_key_violation or unique_violation
    or invalid_text_representation or numeric_value_out_of_range or datetime_field_overflow
    or invalid_parameter_value
    or invalid_datetime_format then
    perform private.fail(
      422, 'invalid_review', 'Prescriber, dates and each item with ingredient, strength, units and directions are needed.'
    );
end;
$$;

-- Lets one major finding of a patient pass from now on, with a reason, until either prescription it is about
-- ends (30 days when none is). A contraindicated pair has no override. Orders that waited only for this go on.
-- Returns {override_id, valid_until, orders}.
-- definer: overrides are written by nobody directly; the caller must be a pharmacist.
create function public.override_finding(
  p_patient_id text, p_rule text, p_reason text, p_subject text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_pharmacist uuid := private.require_pharmacist();
  v_patient_id text := private.require_patient(p_patient_id);
  v_rule_set_id bigint := private.active_rule_set_id();
  v_ingredients text[];
  v_severity text;
  v_override public.overrides;
  v_trace_id uuid := gen_random_uuid();
  v_orders jsonb;
begin
  if coalesce(length(btrim(p_reason)), 0) < 3 then
    perform private.fail(422, 'reason_required', 'An override needs a reason.');
  end if;

  select array[r.ingredient_a, r.ingredient_b], r.severity into v_ingredients, v_severity
  from public.interaction_rules as r
  where r.rule_set_id = v_rule_set_id and format('interaction:%s+%s', r.ingredient_a, r.ingredient_b) = p_rule;
  if v_ingredients is null then
    select array[r.ingredient], case when r.condition = 'pregnancy' and r.action = 'block' then 'contraindicated' else 'major' end
    into v_ingredients, v_severity
    from public.condition_rules as r
    where r.rule_set_id = v_rule_set_id and format('condition:%s+%s', r.ingredient, r.condition) = p_rule;
  end if;
  if v_ingredients is null and p_rule in ('allergy:unrecognised', 'condition:unrecognised') and p_subject is not null then
    v_ingredients := '{}';
  end if;
  if v_ingredients is null then
    perform private.fail(422, 'not_overridable', 'Only an interaction or condition rule in force can be overridden.');
  end if;
  if v_severity = 'contraindicated' then
    perform private.fail(422, 'contraindicated', 'A contraindicated combination cannot be overridden.');
  end if;

  perform from public.patients where patient_id = v_patient_id for no key update;
  insert into public.overrides (patient_id, rule, subject, reason, overridden_by, valid_until)
  values (
    v_patient_id, p_rule, p_subject, btrim(p_reason), v_pharmacist,
    coalesce((
      select min(ends.last_day)
      from (
        -- A medicine on several prescriptions is covered until the last of them ends.
        select max(rx.valid_until) as last_day
        from public.prescriptions as rx
        join public.prescription_items as i using (prescription_id)
        cross join lateral regexp_split_to_table(i.ingredient, '\+') as part (ingredient)
        where rx.patient_id = v_patient_id and rx.status = 'verified' and rx.valid_until >= private.today()
          and part.ingredient = any (v_ingredients)
        group by part.ingredient
      ) as ends
    ), private.today() + 30)
  )
  returning * into v_override;
  perform private.record_decision(
    v_trace_id, v_patient_id, null, 'override',
    jsonb_build_object('rule', p_rule, 'subject', p_subject, 'reason', btrim(p_reason), 'by', v_pharmacist), 'overridden'
  );

  select coalesce(jsonb_agg(private.reconsider_order(o.order_id, v_trace_id)), '[]')
  into v_orders
  from (
    select order_id from public.orders
    where patient_id = v_patient_id and status = 'awaiting_pharmacist'
    order by placed_at, order_id
  ) as o;
  return jsonb_build_object(
    'override_id', v_override.override_id, 'valid_until', v_override.valid_until, 'orders', v_orders
  );
end;
$$;

-- Puts another rule set in force, or an earlier one back.
-- definer: rule sets are written by nobody directly; the caller must be a pharmacist.
create function public.activate_rule_set(p_version text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_pharmacist();
  perform private.activate_rule_set(p_version);
  return (
    select jsonb_build_object('version', version, 'status', status, 'activated_at', activated_at)
    from public.rule_sets where version = p_version
  );
end;
$$;

grant execute on function
  public.cancel_order(text, text),
  public.list_prescriptions(),
  public.review_queue(),
  public.review_prescription(text, jsonb),
  public.override_finding(text, text, text, text),
  public.activate_rule_set(text)
to authenticated;
-- The functions above that run with the caller's rights call these; row-level security still decides.
grant execute on function
  private.prescription_json(public.prescriptions),
  private.items_of_order(text)
to authenticated;
