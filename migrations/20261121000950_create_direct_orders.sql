-- Orders without a conversation: placing them directly or from a card, the answer kept for a repeated request,
-- and what staff sees of orders and does with their status. Uploading a prescription is here as well: with it
-- a patient may order before a pharmacist has read it.

-- The first answer to a request that named a key, for the next 24 hours. Every new key removes some that are
-- older, so the table needs no cleaner of its own.
create table public.idempotency_keys (
  user_id uuid not null,
  key text not null,
  request_hash text not null,
  response jsonb not null,
  created_at timestamptz not null default now(),
  constraint idempotency_keys_pkey primary key (user_id, key),
  constraint idempotency_keys_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
  constraint idempotency_keys_key_length check (length(key) between 1 and 255)
);

create index idempotency_keys_created_at_idx on public.idempotency_keys (created_at);

alter table public.idempotency_keys enable row level security;
grant select, insert, update, delete on public.idempotency_keys to service_role;

create function private.request_hash(p_request jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
  select encode(sha256(convert_to(p_request::text, 'UTF8')), 'hex');
$$;

-- The answer that the caller's request with this key got before, or null for a first one, which then holds the
-- key until its transaction ends. Fails with 409 while another holds it, with 422 when the key came with
-- another request. Without a key every request is a first one.
create function private.recall_answer(p_key text, p_request jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_kept public.idempotency_keys;
begin
  if p_key is null then
    return null;
  end if;
  if length(p_key) not between 1 and 255 then
    perform private.fail(422, 'invalid_idempotency_key', 'An idempotency key has 1 to 255 characters.');
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended(auth.uid() || ' ' || p_key, 0)) then
    perform private.fail(409, 'request_in_progress', 'The same request is still being worked on.');
  end if;
  select * into v_kept
  from public.idempotency_keys
  where user_id = auth.uid() and key = p_key and created_at > now() - interval '24 hours';
  if v_kept.request_hash <> private.request_hash(p_request) then
    perform private.fail(422, 'idempotency_key_reused', 'This idempotency key was used for another request.');
  end if;
  return v_kept.response;
end;
$$;

-- Keeps an answer in the transaction that made it true.
create function private.keep_answer(p_key text, p_request jsonb, p_response jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_key is null then
    return;
  end if;
  delete from public.idempotency_keys
  where (user_id, key) in (
    select user_id, key from public.idempotency_keys
    where created_at <= now() - interval '24 hours'
    limit 100
    for update skip locked
  );
  insert into public.idempotency_keys (user_id, key, request_hash, response)
  values (auth.uid(), p_key, private.request_hash(p_request), p_response)
  -- An answer older than a day that another transaction is about to remove.
  on conflict on constraint idempotency_keys_pkey do update
  set request_hash = excluded.request_hash, response = excluded.response, created_at = excluded.created_at;
end;
$$;

-- The items of a request {items: [{product_id, quantity}], dosage?} or {product_id, quantity, dosage?} as
-- verification reads them. `dosage` is for all of them: a frequency, or {dosage_frequency, units_per_dose}.
create function private.items_of_request(p_request jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_items jsonb := coalesce(p_request -> 'items', jsonb_build_array(p_request));
  v_dosage jsonb := coalesce(p_request -> 'dosage', 'null');
begin
  if jsonb_typeof(v_items) <> 'array' then
    perform private.fail(422, 'no_items', 'An order needs at least one item.');
  end if;
  if jsonb_typeof(v_dosage) = 'string' then
    v_dosage := jsonb_build_object('dosage_frequency', v_dosage);
  end if;
  if jsonb_typeof(v_dosage) not in ('object', 'null') then
    perform private.fail(422, 'invalid_dosage', 'The dosage is a frequency, or a frequency with units per dose.');
  end if;
  return (
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'product_id', a.item -> 'product_id', 'packs', a.item -> 'quantity',
      'dosage_frequency', v_dosage -> 'dosage_frequency', 'units_per_dose', v_dosage -> 'units_per_dose'
    )) order by a.position)
    from jsonb_array_elements(v_items) with ordinality as a (item, position)
  );
end;
$$;

-- What an order that was not placed is called: only when nothing but the stock is missing may the same order
-- work later.
create function private.refusal_of(p_findings jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when bool_and(f.finding ->> 'code' = 'out_of_stock') then 'out_of_stock' else 'refused'
  end
  from jsonb_array_elements(p_findings) as f (finding)
  where f.finding ->> 'severity' = 'block';
$$;

-- Places the items of a request as they are, at today's prices.
create function private.order_directly(p_patient_id text, p_request jsonb, p_placed_by text, p_trace_id uuid)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_items jsonb := private.items_of_request(p_request);
  v_placed jsonb;
  v_prepared jsonb;
  v_outcome text;
begin
  perform private.require_items(v_items);
  v_placed := private.place_order(p_patient_id, v_items, null, p_placed_by);
  v_prepared := v_placed -> 'prepared';
  v_outcome := case v_placed ->> 'outcome'
    when 'placed' then 'placed'
    when 'questions' then 'profile_incomplete'
    else private.refusal_of(v_prepared -> 'verification' -> 'findings')
  end;
  perform private.record_decision(
    p_trace_id, p_patient_id, null, 'order', jsonb_build_object('items', v_items, 'by', auth.uid()), v_outcome,
    v_prepared -> 'verification', v_placed -> 'order' ->> 'order_id'
  );
  return jsonb_build_object(
    'outcome', v_outcome, 'order', v_placed -> 'order', 'questions', v_prepared -> 'questions',
    'findings', v_prepared -> 'verification' -> 'findings', 'rejected_items', v_prepared -> 'rejected'
  );
end;
$$;

-- Confirms one exact proposal of the patient, whichever conversation it was made in.
create function private.order_from_proposal(
  p_patient_id text, p_request jsonb, p_placed_by text, p_trace_id uuid
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_proposal public.proposals;
  v_conversation public.conversations;
  v_confirmed jsonb := '{"outcome": "nothing_open"}';
  v_card jsonb;
  v_findings jsonb;
  v_outcome text;
begin
  if (
    p_request ->> 'proposal_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
    and jsonb_typeof(p_request -> 'digest') = 'string'
  ) is not true then
    perform private.fail(422, 'invalid_request', 'A proposal is named by its id and its digest.');
  end if;

  select * into v_proposal
  from public.proposals
  where proposal_id = (p_request ->> 'proposal_id')::uuid and patient_id = p_patient_id;
  if v_proposal.proposal_id is null then
    perform private.fail(404, 'proposal_not_found', 'There is no such proposal.');
  end if;
  -- What is said in a conversation and this come one after the other.
  select * into v_conversation
  from public.conversations where conversation_id = v_proposal.conversation_id
  for no key update;

  if v_proposal.digest = p_request ->> 'digest' then
    v_confirmed := private.confirm(
      v_conversation, v_proposal.proposal_id, v_proposal.digest, p_trace_id, p_placed_by
    );
  end if;
  v_card := v_confirmed -> 'card';
  if v_confirmed ->> 'outcome' = 'nothing_open' then
    select private.proposal_card(p) into v_card
    from public.proposals as p
    where p.conversation_id = v_conversation.conversation_id and p.status = 'open';
    perform private.record_decision(
      p_trace_id, p_patient_id, v_conversation.conversation_id, 'confirm',
      jsonb_build_object('proposal_id', v_proposal.proposal_id, 'by', auth.uid()), 'nothing_open'
    );
  end if;

  select findings into v_findings from public.decisions where trace_id = p_trace_id;
  v_outcome := case
    when v_confirmed ->> 'outcome' in ('placed', 'placed_before') then 'placed'
    when v_confirmed ->> 'outcome' = 'questions' then 'profile_incomplete'
    when v_card ->> 'type' = 'safety_alert' then private.refusal_of(v_findings)
    when v_confirmed ->> 'outcome' = 'expired' then 'proposal_expired'
    else 'proposal_changed'
  end;
  return jsonb_build_object(
    'outcome', v_outcome, 'card', v_card, 'questions', v_confirmed -> 'questions',
    'findings', v_findings, 'rejected_items', v_card -> 'rejected_items',
    'order', case when v_outcome = 'placed' then (
      select private.order_json(o) from public.orders as o where o.order_id = v_card ->> 'order_id'
    ) end
  );
end;
$$;

-- Places an order: {items: [{product_id, quantity}], dosage?}, {product_id, quantity, dosage?} or {proposal_id,
-- digest}. Returns {outcome, trace_id, order, findings, rejected_items, questions, card}; the outcome is
--   placed              order: it. A proposal placed before answers with the same order.
--   out_of_stock        findings: only the stock is missing
--   refused             findings: why; rejected_items: per product, with alternatives
--   profile_incomplete  questions: what to complete first
--   proposal_changed, proposal_expired   card: what may be confirmed instead, or null
-- A refusal is an answer and no error, because its decision, its key and a new proposal must stay stored.
-- definer: orders, stock and decisions are written by nobody directly; the patient is the caller's own, or
-- named by staff.
create function public.create_order(
  p_request jsonb, p_patient_id text default null, p_idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_placed_by text := case when private.current_patient_id() = v_patient_id then 'patient' else 'staff' end;
  v_trace_id uuid := gen_random_uuid();
  v_request jsonb := jsonb_build_array('create_order', v_patient_id, p_request);
  v_answer jsonb;
begin
  if jsonb_typeof(p_request) is distinct from 'object' or length(p_request::text) > 65536 then
    perform private.fail(422, 'invalid_request', 'An order names its items, or a proposal.');
  end if;
  v_answer := private.recall_answer(p_idempotency_key, v_request);
  if v_answer is not null then
    return v_answer;
  end if;

  if p_request ? 'proposal_id' then
    v_answer := private.order_from_proposal(v_patient_id, p_request, v_placed_by, v_trace_id);
  else
    v_answer := private.order_directly(v_patient_id, p_request, v_placed_by, v_trace_id);
  end if;
  v_answer := v_answer || jsonb_build_object('trace_id', v_trace_id);
  perform private.keep_answer(p_idempotency_key, v_request, v_answer);
  return v_answer;
end;
$$;

-- Which status may follow which, whoever changes it. Nothing goes back; what was shipped is not cancelled.
create function private.may_become(p_from text, p_to text)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select p_to = any (case p_from
    when 'awaiting_pharmacist' then array['confirmed', 'cancelled']
    when 'confirmed' then array['processing', 'shipped', 'delivered', 'cancelled', 'failed']
    when 'processing' then array['shipped', 'delivered', 'cancelled', 'failed']
    when 'shipped' then array['delivered', 'failed']
    else '{}'
  end);
$$;

create function private.refuse_illegal_status()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if not private.may_become(old.status, new.status) then
    perform private.fail(
      409, 'illegal_status_change', format('An order that is %s cannot become %s.', old.status, new.status)
    );
  end if;
  return new;
end;
$$;

create trigger orders_status_machine before update of status on public.orders
  for each row when (old.status is distinct from new.status)
  execute function private.refuse_illegal_status();

create index orders_placed_at_idx on public.orders (placed_at desc, order_id desc);

-- One line of an order as staff sees it, under an id of its own: "ORD076-1".
create function private.order_line_json(p_order public.orders, p_item public.order_items)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'order_id', format('%s-%s', (p_item).order_id, (p_item).line),
    'patient_id', (p_order).patient_id,
    'patient_name', patient.name,
    'product_id', (p_item).product_id,
    'product_name', product.product_name,
    'quantity', (p_item).packs,
    'total_price', (p_item).line_total,
    'purchase_date', to_char((p_order).placed_at at time zone 'UTC', 'YYYY-MM-DD'),
    'dosage_frequency', (p_item).dosage_frequency,
    'status', (p_order).status
  )
  from public.patients as patient, public.products as product
  where patient.patient_id = (p_order).patient_id and product.product_id = (p_item).product_id;
$$;

grant execute on function private.order_line_json(public.orders, public.order_items) to authenticated;

create function private.require_staff()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if auth.uid() is null then
    perform private.fail(401, 'unauthenticated', 'Please sign in first.');
  end if;
  if not private.is_staff() then
    perform private.fail(403, 'not_staff', 'Only staff may do this.');
  end if;
end;
$$;

grant execute on function private.require_staff() to authenticated;

-- All orders, a row a line, newest first: {orders, count, pending, delivered, next_cursor}. The three numbers
-- count lines over all pages; pending is what is still on its way to the patient. `p_before` is the id of a row.
create function public.list_order_lines(p_limit integer default 200, p_before text default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 200), 1), 500);
  v_before text := substring(p_before from '^(.*)-[0-9]{1,4}$');
  v_before_line smallint := substring(p_before from '-([0-9]{1,4})$')::smallint;
  v_rows jsonb;
begin
  perform private.require_staff();
  select jsonb_agg(page.row order by page.placed_at desc, page.order_id desc, page.line)
  into v_rows
  from (
    select o.placed_at, o.order_id, i.line, private.order_line_json(o, i) as row
    from public.orders as o
    join public.order_items as i using (order_id)
    where p_before is null
      or (o.placed_at, o.order_id) < (select b.placed_at, b.order_id from public.orders as b where b.order_id = v_before)
      or o.order_id = v_before and i.line > v_before_line
    order by o.placed_at desc, o.order_id desc, i.line
    limit v_limit + 1
  ) as page;
  return (
    select jsonb_build_object(
      'orders', coalesce(v_rows - v_limit, '[]'),
      'count', count(*),
      'pending', count(*) filter (where o.status not in ('delivered', 'cancelled', 'failed')),
      'delivered', count(*) filter (where o.status = 'delivered'),
      'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'order_id' end
    )
    from public.orders as o
    join public.order_items as i using (order_id)
  );
end;
$$;

-- Moves an order on by hand, named by its own id or that of one of its lines; returns the line's row. What waits
-- for a pharmacist leaves that only by a review or by being cancelled. The status it has already changes nothing.
-- definer: orders are written by nobody directly; the caller must be staff.
create function public.set_order_status(p_order_id text, p_status text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_order_id text := regexp_replace(p_order_id, '-[0-9]{1,4}$', '');
  v_line smallint := coalesce(substring(p_order_id from '-([0-9]{1,4})$'), '1')::smallint;
  v_order public.orders;
  v_item public.order_items;
begin
  perform private.require_staff();
  if (p_status in ('confirmed', 'processing', 'shipped', 'delivered', 'cancelled')) is not true then
    perform private.fail(422, 'invalid_status', 'The status is confirmed, processing, shipped, delivered or cancelled.');
  end if;
  select * into v_order from public.orders where order_id = v_order_id;
  select * into v_item from public.order_items where order_id = v_order_id and line = v_line;
  if v_item.order_id is null then
    perform private.fail(404, 'order_not_found', 'There is no such order.');
  end if;

  perform from public.patients where patient_id = v_order.patient_id for no key update;
  select * into v_order from public.orders where order_id = v_order_id for no key update;
  if p_status = 'cancelled' then
    perform public.cancel_order(v_order_id, 'Cancelled by the pharmacy.');
  elsif v_order.status = 'awaiting_pharmacist' then
    perform private.fail(409, 'order_awaits_pharmacist', 'The order waits for a pharmacist''s review.');
  elsif v_order.status <> p_status then
    update public.orders set status = p_status where order_id = v_order_id;
  end if;
  select * into v_order from public.orders where order_id = v_order_id;
  return private.order_line_json(v_order, v_item);
end;
$$;

-- Hands in a prescription for a pharmacist to read: the file's place in storage, below the patient's own folder,
-- and what it may say, which unlocks nothing before it is verified. Returns the pending prescription.
-- definer: prescriptions are written by nobody directly; the patient is the caller's own.
create function public.submit_prescription(
  p_file_path text default null, p_items jsonb default '[]', p_idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient();
  v_request jsonb := jsonb_build_array('submit_prescription', p_file_path, p_items);
  v_answer jsonb;
  v_prescription public.prescriptions;
begin
  if jsonb_typeof(p_items) is distinct from 'array' or jsonb_array_length(p_items) > 20 then
    perform private.fail(422, 'invalid_items', 'A prescription has at most 20 items.');
  end if;
  if exists (select from jsonb_array_elements(p_items) as a (item) where jsonb_typeof(a.item) <> 'object') then
    perform private.fail(422, 'invalid_items', 'Each item is an object.');
  end if;
  if p_file_path is not null and (
    not starts_with(p_file_path, v_patient_id || '/') or p_file_path ~ '(^|/)\.\.?(/|$)' or length(p_file_path) > 500
  ) then
    perform private.fail(422, 'invalid_file_path', 'The file is not in the patient''s own folder.');
  end if;
  v_answer := private.recall_answer(p_idempotency_key, v_request);
  if v_answer is not null then
    return v_answer;
  end if;

  insert into public.prescriptions (patient_id, file_path)
  values (v_patient_id, p_file_path)
  returning * into v_prescription;
  insert into public.prescription_items
    (prescription_id, ingredient, strength, units, repeats, dosage_frequency, units_per_dose)
  select
    v_prescription.prescription_id, nullif(btrim(i.ingredient), ''), nullif(btrim(i.strength), ''), i.units, coalesce(i.repeats, 0),
    i.dosage_frequency, coalesce(i.units_per_dose, 1)
  from jsonb_to_recordset(p_items) as i (
    ingredient text, strength text, units integer, repeats smallint, dosage_frequency text, units_per_dose numeric
  );
  v_answer := private.prescription_json(v_prescription);
  perform private.keep_answer(p_idempotency_key, v_request, v_answer);
  return v_answer;
exception
  when check_violation or not_null_violation or foreign_key_violation or unique_violation
    or invalid_text_representation or numeric_value_out_of_range then
    perform private.fail(422, 'invalid_items', 'Each item needs ingredient, strength, units and directions.');
end;
$$;

-- Every version of the rules, the newest first.
create function public.list_rule_sets()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  perform private.require_staff();
  return coalesce((
    select jsonb_agg(
      to_jsonb(r) - 'rule_set_id' order by r.imported_at desc, r.rule_set_id desc
    )
    from public.rule_sets as r
  ), '[]');
end;
$$;

grant execute on function
  public.create_order(jsonb, text, text),
  public.list_order_lines(integer, text),
  public.set_order_status(text, text),
  public.submit_prescription(text, jsonb, text),
  public.list_rule_sets()
to authenticated;
