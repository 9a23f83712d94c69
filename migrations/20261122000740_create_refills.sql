-- Refills as patients and staff meet them: the patient's own list with what a reorder would be, the reorder itself,
-- and what staff does with alerts.

-- {pdc_90, pdc_180} of each of these patients' medicines, by composition.
create function private.adherence_json(p_patient_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(a.composition, jsonb_build_object('pdc_90', a.pdc_90, 'pdc_180', a.pdc_180)), '{}')
  from private.adherence(array[p_patient_id]) as a;
$$;

-- What a patient takes regularly, what runs out first first: {refills: [{product_id, product_name, package_size,
-- dosage_frequency, units_per_dose, last_bought_on, run_out_on, days_left, status, reminders, replaced_by, alert_id,
-- snoozed_until, pdc_90, pdc_180, reorder}], count}. The status is
--   supplied, due (within the longest lead time), overdue; discontinued or replaced when no longer reminded of.
-- `reorder` is {quantity (packs), price, line_total, advice, available, reason, warnings, awaits_pharmacist}: what
-- verification says now of ordering that much.
-- definer: verification reads lots and rules for the patient, who is the caller's own, or named by staff.
create function public.list_refills(p_patient_id text default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_items jsonb;
  v_adherence jsonb := private.adherence_json(v_patient_id);
begin
  select coalesce(jsonb_agg(jsonb_build_object(
    'product_id', m.product_id, 'packs', private.packs_to_refill(v_patient_id, p, m.packs)
  ) order by m.run_out_on, m.product_id), '[]')
  into v_items
  from private.medicines_taken(array[v_patient_id]) as m
  join public.products as p using (product_id);

  return (
    select jsonb_build_object('refills', coalesce(jsonb_agg(jsonb_build_object(
      'product_id', m.product_id, 'product_name', p.product_name, 'package_size', p.package_size,
      'dosage_frequency', m.dosage_frequency, 'units_per_dose', m.units_per_dose,
      'last_bought_on', m.last_bought_on, 'run_out_on', m.run_out_on, 'days_left', m.run_out_on - m.today,
      'status', case
        when m.is_discontinued then 'discontinued'
        when m.replaced_by is not null then 'replaced'
        when m.run_out_on <= m.today then 'overdue'
        when m.run_out_on <= m.today + private.longest_lead() then 'due'
        else 'supplied'
      end,
      'reminders', m.is_long_term and not m.is_discontinued and m.replaced_by is null,
      'replaced_by', m.replaced_by,
      'alert_id', alert.alert_id, 'snoozed_until', alert.snoozed_until,
      'pdc_90', v_adherence -> m.composition -> 'pdc_90', 'pdc_180', v_adherence -> m.composition -> 'pdc_180',
      'reorder', jsonb_build_object(
        'quantity', (item.item ->> 'packs')::integer, 'price', p.price,
        'line_total', (item.item ->> 'packs')::integer * p.price,
        'advice', outlook.advice, 'available', outlook.can_order, 'reason', outlook.reason,
        'warnings', jsonb_path_query_array(outlook.findings, '$[*] ? (@.severity == "warn")'),
        'awaits_pharmacist', outlook.awaits_pharmacist
      )
    ) order by m.run_out_on, m.product_id), '[]'), 'count', count(*))
    from private.medicines_taken(array[v_patient_id]) as m
    join public.products as p using (product_id)
    join jsonb_array_elements(v_items) as item (item) on item.item ->> 'product_id' = m.product_id
    join private.refill_outlook(v_patient_id, v_items) as outlook on outlook.product_id = m.product_id
    left join public.refill_alerts as alert
      on alert.patient_id = v_patient_id and alert.composition = m.composition
      and alert.run_out_on = m.run_out_on and alert.status = 'open'
  );
end;
$$;

-- Proposes to buy again what the patient takes regularly: {items: [{product_id, quantity?}]}, each with the packs of
-- last time where no quantity is given; without items everything that is due or overdue. Returns
-- {outcome: proposed | refused, card, questions, trace_id}: an ordinary proposal, verified, to be confirmed like any
-- other. It has a conversation of its own, which is not the patient's open one: a "yes" in the chat is about what
-- was said there.
-- definer: proposals are written by nobody directly; the patient is the caller's own, or named by staff.
create function public.propose_refill(
  p_request jsonb default '{}', p_patient_id text default null, p_idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_request jsonb := jsonb_build_array('propose_refill', v_patient_id, p_request);
  v_answer jsonb;
  v_trace_id uuid := gen_random_uuid();
  v_items jsonb;
  v_prepared jsonb;
  v_conversation public.conversations;
begin
  if jsonb_typeof(p_request) is distinct from 'object' or length(p_request::text) > 65536 then
    perform private.fail(422, 'invalid_request', 'A refill names its items, or none.');
  end if;
  v_answer := private.recall_answer(p_idempotency_key, v_request);
  if v_answer is not null then
    return v_answer;
  end if;

  v_items := case when p_request ? 'items' then private.items_of_request(p_request) end;
  if p_request ? 'items' then
    -- The form is checked with a pack where none is named; how many it will be is filled in below.
    perform private.require_items((
      select jsonb_agg('{"packs": 1}'::jsonb || a.item) from jsonb_array_elements(v_items) as a (item)
    ));
  end if;
  select jsonb_agg(jsonb_build_object(
    'product_id', m.product_id,
    'packs', coalesce(wanted.item -> 'packs', to_jsonb(private.packs_to_refill(v_patient_id, p, m.packs)))
  ) order by m.run_out_on, m.product_id)
  into v_items
  from private.medicines_taken(array[v_patient_id]) as m
  join public.products as p using (product_id)
  left join jsonb_array_elements(v_items) as wanted (item) on wanted.item ->> 'product_id' = m.product_id
  where case when p_request ? 'items' then wanted.item is not null else
    m.is_long_term and not m.is_discontinued and m.replaced_by is null
      and m.run_out_on <= m.today + private.longest_lead()
  end;
  if jsonb_array_length(v_items) is distinct from coalesce(jsonb_array_length(p_request -> 'items'), jsonb_array_length(v_items)) then
    perform private.fail(404, 'not_a_refill', 'Not all of this is among the medicines that are taken regularly.');
  end if;
  if v_items is null then
    perform private.fail(404, 'nothing_to_refill', 'Nothing runs out soon.');
  end if;

  insert into public.conversations (conversation_id, patient_id, last_turn_at)
  values (gen_random_uuid(), v_patient_id, '-infinity')
  returning * into v_conversation;
  v_prepared := private.prepare_proposal(v_patient_id, v_items);
  v_answer := private.propose(v_conversation, v_items, v_prepared) || jsonb_build_object('trace_id', v_trace_id);
  perform private.record_decision(
    v_trace_id, v_patient_id, v_conversation.conversation_id, 'refill',
    jsonb_build_object('items', v_items, 'by', auth.uid()), v_answer ->> 'outcome', v_prepared -> 'verification'
  );
  perform private.keep_answer(p_idempotency_key, v_request, v_answer);
  return v_answer;
end;
$$;

-- Notes that a patient has stopped taking a medicine they bought: no more reminders of it, under whichever brand,
-- until it is bought or prescribed again. Clinical checks still count what was bought. Returns {product_id, status}.
-- definer: nobody writes the table directly; the patient is the caller's own, or named by staff.
create function public.discontinue_medicine(p_product_id text, p_reason text, p_patient_id text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_composition text;
begin
  select m.composition into v_composition
  from private.medicines_taken(array[v_patient_id]) as m
  join public.products as p on p.product_id = p_product_id
  where m.composition = p.composition;
  if v_composition is null then
    perform private.fail(404, 'not_a_refill', 'This is none of the medicines that are taken regularly.');
  end if;
  perform private.discontinue(v_patient_id, v_composition, p_reason);
  return jsonb_build_object('product_id', p_product_id, 'status', 'discontinued');
end;
$$;

create function private.discontinue(p_patient_id text, p_composition text, p_reason text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if coalesce(length(btrim(p_reason)), 0) not between 3 and 500 then
    perform private.fail(422, 'reason_required', 'Please give a reason of 3 to 500 characters.');
  end if;
  insert into public.discontinued_medicines (patient_id, composition, reason, discontinued_by)
  values (p_patient_id, p_composition, btrim(p_reason), auth.uid())
  on conflict (patient_id, composition) where resumed_at is null do nothing;
  perform private.audit(
    'medicine.discontinued', p_patient_id,
    jsonb_build_object('composition', p_composition, 'reason', btrim(p_reason))
  );
  perform private.refresh_refill_alerts(array[p_patient_id]);
end;
$$;

-- One alert as staff sees it.
create function private.refill_alert_json(p_alert public.refill_alerts, p_adherence jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'alert_id', (p_alert).alert_id,
    'patient_id', (p_alert).patient_id, 'patient_name', patient.name,
    'product_id', product.product_id, 'product_name', product.product_name, 'quantity', (p_alert).packs,
    'run_out_on', (p_alert).run_out_on, 'days_left', (p_alert).run_out_on - today.day,
    'status', case
      when (p_alert).status = 'open' and (p_alert).snoozed_until > today.day then 'snoozed' else (p_alert).status
    end,
    'closed_reason', (p_alert).closed_reason, 'closed_at', (p_alert).closed_at,
    'snoozed_until', (p_alert).snoozed_until, 'reason', (p_alert).staff_reason,
    'advice', (p_alert).advice, 'last_reminder', (p_alert).reminded_lead, 'reminded_at', (p_alert).reminded_at,
    'pdc_90', p_adherence -> 'pdc_90', 'pdc_180', p_adherence -> 'pdc_180',
    'created_at', (p_alert).created_at
  )
  from public.patients as patient, public.products as product
  cross join (select private.today_of((p_alert).patient_id) as day) as today
  where patient.patient_id = (p_alert).patient_id and product.product_id = (p_alert).product_id;
$$;

-- Alerts, what runs out first first: {alerts, next_cursor}. `p_status` is open (not snoozed), snoozed, closed or all.
-- definer: supplies of all patients are read for staff, without asking for each row whose it is.
create function public.list_refill_alerts(
  p_status text default 'open', p_patient_id text default null, p_limit integer default 200, p_after bigint default null
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 200), 1), 500);
  v_alerts jsonb;
begin
  perform private.require_staff();
  if p_status not in ('open', 'snoozed', 'closed', 'all') then
    perform private.fail(422, 'invalid_status', 'The status is open, snoozed, closed or all.');
  end if;
  with page as materialized (
    select a, (a).patient_id, (a).composition, (a).run_out_on, (a).alert_id
    from public.refill_alerts as a
    where (p_patient_id is null or a.patient_id = p_patient_id)
      and (p_after is null or (a.run_out_on, a.alert_id) > (
        select b.run_out_on, b.alert_id from public.refill_alerts as b where b.alert_id = p_after
      ))
      and case p_status
        when 'open' then a.status = 'open' and (a.snoozed_until > private.today_of(a.patient_id)) is not true
        when 'snoozed' then a.status = 'open' and a.snoozed_until > private.today_of(a.patient_id)
        when 'closed' then a.status = 'closed'
        else true
      end
    order by a.run_out_on, a.alert_id
    limit v_limit + 1
  )
  select coalesce(jsonb_agg(private.refill_alert_json(p.a, to_jsonb(kept)) order by p.run_out_on, p.alert_id), '[]')
  into v_alerts
  from page as p
  left join private.adherence(array(select distinct page.patient_id from page)) as kept
    on kept.patient_id = p.patient_id and kept.composition = p.composition;

  return jsonb_build_object(
    'alerts', v_alerts - v_limit,
    'next_cursor', case when jsonb_array_length(v_alerts) > v_limit then v_alerts -> (v_limit - 1) -> 'alert_id' end
  );
end;
$$;

-- Puts an alert off or ends it: {decision: snooze, until, reason} or {decision: dismiss, reason, discontinued?}.
-- A dismissed alert stays so for this run-out date; with `discontinued` the medicine is not reminded of any more at
-- all. Returns the alert.
-- definer: alerts are written by nobody directly; the caller must be staff.
create function public.decide_refill_alert(p_alert_id bigint, p_decision jsonb)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_alert public.refill_alerts;
  v_reason text := btrim(p_decision ->> 'reason');
  v_until date;
begin
  perform private.require_staff();
  if coalesce(length(v_reason), 0) not between 3 and 500 then
    perform private.fail(422, 'reason_required', 'Please give a reason of 3 to 500 characters.');
  end if;
  select * into v_alert from public.refill_alerts where alert_id = p_alert_id for no key update;
  if v_alert.alert_id is null then
    perform private.fail(404, 'alert_not_found', 'There is no such alert.');
  end if;
  if v_alert.status = 'closed' then
    perform private.fail(409, 'alert_closed', format('The alert is already closed: %s.', v_alert.closed_reason));
  end if;

  if p_decision ->> 'decision' = 'snooze' then
    v_until := (p_decision ->> 'until')::date;
    if (v_until > private.today_of(v_alert.patient_id) and v_until <= private.today_of(v_alert.patient_id) + 90) is not true then
      perform private.fail(422, 'invalid_date', 'An alert is put off until a day within the next 90.');
    end if;
    update public.refill_alerts set snoozed_until = v_until, staff_reason = v_reason, reminded_lead = null
    where alert_id = p_alert_id
    returning * into v_alert;
  elsif p_decision ->> 'decision' = 'dismiss' then
    update public.refill_alerts
    set status = 'closed', closed_reason = 'dismissed', closed_at = now(), staff_reason = v_reason
    where alert_id = p_alert_id
    returning * into v_alert;
  else
    perform private.fail(422, 'invalid_decision', 'The decision is snooze or dismiss.');
  end if;
  perform private.withdraw_reminders(array[p_alert_id]);
  perform private.audit('refill_alert.' || (p_decision ->> 'decision'), v_alert.patient_id, jsonb_build_object(
    'alert_id', p_alert_id, 'composition', v_alert.composition, 'run_out_on', v_alert.run_out_on,
    'until', v_until, 'reason', v_reason
  ));
  if (p_decision ->> 'discontinued')::boolean then
    perform private.discontinue(v_alert.patient_id, v_alert.composition, v_reason);
  end if;
  return private.refill_alert_json(
    v_alert, private.adherence_json(v_alert.patient_id) -> v_alert.composition
  );
exception
  when invalid_text_representation or invalid_datetime_format or datetime_field_overflow then
    perform private.fail(422, 'invalid_date', 'An alert is put off until a day within the next 90.');
end;
$$;

-- The next slice of a scan that staff asks for: begins one when none is under way; with `p_scan_id` goes on with that.
-- definer: alerts are written by nobody directly; the caller must be staff.
create function public.trigger_refill_scan(p_scan_id bigint default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_staff();
  return private.take_scan_step('now', p_scan_id, 2000, 100);
end;
$$;

grant execute on function
  private.adherence_json(text),
  private.discontinue(text, text, text),
  private.refill_alert_json(public.refill_alerts, jsonb)
to service_role;
grant execute on function
  public.list_refills(text),
  public.propose_refill(jsonb, text, text),
  public.discontinue_medicine(text, text, text),
  public.list_refill_alerts(text, text, integer, bigint),
  public.decide_refill_alert(bigint, jsonb),
  public.trigger_refill_scan(bigint)
to authenticated;
