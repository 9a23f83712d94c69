-- What the partner reports: stored under its id before it acts, and acting only forwards.

create table public.webhook_events (
  webhook_id text not null,
  event jsonb not null,
  order_id text not null,
  status text not null,
  -- By the partner's clock; never in our future.
  happened_at timestamptz not null,
  received_at timestamptz not null default now(),
  deliveries integer not null default 1,
  attempts integer not null default 0,
  -- pending: stored, could not be applied yet; applied: moved the order; unchanged: it was there already, or
  -- further; late: something newer or final is known; conflict: cannot be true together with what we did, for
  -- people to settle; unknown_order.
  outcome text not null default 'pending',
  error text,
  correlation_id text not null default private.correlation_id(),
  constraint webhook_events_pkey primary key (webhook_id),
  constraint webhook_events_webhook_id_length check (length(webhook_id) between 1 and 255),
  constraint webhook_events_status_known check (
    status in ('accepted', 'packed', 'shipped', 'delivered', 'failed', 'cancelled')
  ),
  constraint webhook_events_outcome_known check (
    outcome in ('pending', 'applied', 'unchanged', 'late', 'conflict', 'unknown_order')
  )
);

create index webhook_events_order_id_idx on public.webhook_events (order_id, happened_at desc);
create index webhook_events_pending_idx on public.webhook_events (attempts, received_at) where outcome = 'pending';

-- How often the partner is asked to deliver an order that failed, and how long after.
create table public.fulfilment_policy (
  only_row boolean not null default true,
  most_tries smallint not null default 2,
  retry_after interval not null default '15 minutes',
  constraint fulfilment_policy_pkey primary key (only_row),
  constraint fulfilment_policy_single check (only_row),
  constraint fulfilment_policy_tries_positive check (most_tries > 0)
);

insert into public.fulfilment_policy default values;

alter table public.webhook_events enable row level security;
alter table public.fulfilment_policy enable row level security;

grant select on public.webhook_events to authenticated;
grant select, insert, update, delete on public.webhook_events, public.fulfilment_policy to service_role;

create policy webhook_events_read_staff on public.webhook_events
  for select to authenticated using ((select private.is_staff()));

-- Which status may follow which, whoever changes it. Nothing goes back; what was shipped is not cancelled. An order
-- that failed may be tried again by staff (`confirmed`), turn out well after all, or be given up.
create or replace function private.may_become(p_from text, p_to text)
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
    when 'failed' then array['confirmed', 'processing', 'shipped', 'delivered', 'cancelled']
    else '{}'
  end);
$$;

-- When the goods left: from then on they are not on a shelf that a cancellation could put them back to.
alter table public.orders add column shipped_at timestamptz;

create function private.note_shipping()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.shipped_at := coalesce(new.shipped_at, now());
  return new;
end;
$$;

create trigger orders_note_shipping before update of status on public.orders
  for each row when (new.status in ('shipped', 'delivered'))
  execute function private.note_shipping();

-- What waits in the outbox is kept true. An order that left `failed` needs no second request any more that nobody
-- has sent yet; one that staff confirms anew does.
create function private.keep_announcements_true()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.outbox_events
  set annulled_at = now()
  where order_id = new.order_id and event_type = 'order.confirmed' and claims = 0
    and num_nonnulls(delivered_at, dead_at, annulled_at) = 0;
  if new.status = 'confirmed' then
    perform private.announce_order('order.confirmed', new);
  end if;
  return null;
end;
$$;

create trigger orders_keep_announcements_true after update of status on public.orders
  for each row when (old.status = 'failed' and new.status <> 'failed')
  execute function private.keep_announcements_true();

-- Goods of a cancelled order that had left the shelf do not come back by themselves; what arrives is received.
create function private.forget_shipped_packs(p_order public.orders)
returns void
language sql
set search_path = ''
as $$
  with lost as (
    delete from public.order_allocations
    where order_id = (p_order).order_id and (p_order).shipped_at is not null
    returning line, batch_id, packs
  )
  insert into public.fulfilment_logs (order_id, direction, webhook_id, subject, outcome, detail, correlation_id)
  select
    (p_order).order_id, 'out', (p_order).order_id, 'order.cancelled', 'not_restocked',
    jsonb_build_object('lots', jsonb_agg(to_jsonb(lost))), private.correlation_id()
  from lost
  having count(*) > 0;
$$;

-- Cancels an order before it is shipped, or after it failed: the patient's own, or any for staff.
-- definer: stock and prescriptions are written for a patient who may not write them.
create or replace function public.cancel_order(p_order_id text, p_reason text default null)
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
  if not private.may_become(v_order.status, 'cancelled') then
    perform private.fail(409, 'order_not_cancellable', format('The order is already %s.', v_order.status));
  end if;
  perform private.forget_shipped_packs(v_order);
  return private.order_json(private.cancel(v_order, coalesce(nullif(btrim(p_reason), ''), 'Cancelled on request.')));
end;
$$;

-- How far along the way a status is; the others lie beside it.
create function private.fulfilment_rank(p_status text)
returns integer
language sql
immutable
set search_path = ''
as $$
  select array_position(array['confirmed', 'processing', 'shipped', 'delivered'], p_status);
$$;

-- The delivery failed. The order stays, with its packs and its prescription; the partner is asked once more unless
-- the goods had left or it was asked often enough, and the patient is told which (by the trigger on the status).
create function private.fail_order(p_order public.orders)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_policy public.fulfilment_policy;
  v_tries integer := (
    select count(*) from public.outbox_events
    where order_id = (p_order).order_id and event_type = 'order.confirmed' and annulled_at is null
  );
begin
  select * into v_policy from public.fulfilment_policy;
  if v_tries < v_policy.most_tries and (p_order).shipped_at is null then
    perform private.announce_order('order.confirmed', p_order);
    update public.outbox_events
    set available_at = now() + v_policy.retry_after
    where order_id = (p_order).order_id and event_type = 'order.confirmed' and claims = 0
      and num_nonnulls(delivered_at, dead_at, annulled_at) = 0;
  end if;
  if (p_order).status = 'failed' then
    perform private.tell_of_order_now(p_order);
  else
    update public.orders
    set status = 'failed', status_reason = 'It could not be delivered.'
    where order_id = (p_order).order_id;
  end if;
end;
$$;

-- The partner gave the order up: everything is put back. It need not be told what it told us.
create function private.cancel_for_partner(p_order public.orders)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.forget_shipped_packs(p_order);
  perform private.cancel(p_order, 'The warehouse could not supply it.');
  update public.outbox_events
  set annulled_at = now()
  where order_id = (p_order).order_id and event_type = 'order.cancelled' and claims = 0
    and num_nonnulls(delivered_at, dead_at, annulled_at) = 0;
end;
$$;

-- Lets one stored event act on its order. Forward only: what is behind the order's status, or older than the
-- failure that it would undo, changes nothing.
create function private.apply_webhook(p_webhook public.webhook_events)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_order public.orders;
  v_target text := case
    when (p_webhook).status in ('accepted', 'packed') then 'processing' else (p_webhook).status
  end;
  v_tracking text := (p_webhook).event -> 'data' ->> 'tracking_number';
  -- The latest that the partner has told and we have believed.
  v_known_until timestamptz := (
    select max(w.happened_at) from public.webhook_events as w
    where w.order_id = (p_webhook).order_id and w.outcome = 'applied' and w.webhook_id <> (p_webhook).webhook_id
  );
  v_outcome text;
begin
  -- Locked in the order in which placing and cancelling lock.
  perform from public.patients
  where patient_id = (select patient_id from public.orders where order_id = (p_webhook).order_id)
  for no key update;
  select * into v_order from public.orders where order_id = (p_webhook).order_id for no key update;
  if v_order.order_id is null then
    return 'unknown_order';
  end if;

  v_outcome := case
    when v_order.status = 'awaiting_pharmacist' then 'conflict'
    when v_order.status = 'cancelled' then
      case when v_target in ('shipped', 'delivered') then 'conflict' else 'late' end
    when v_order.status = 'delivered' then case when v_target = 'delivered' then 'unchanged' else 'late' end
    when v_target = 'cancelled' then case when v_order.status = 'shipped' then 'conflict' else 'applied' end
    when v_target = 'failed' or v_order.status = 'failed' then
      case when (p_webhook).happened_at < v_known_until then 'late' else 'applied' end
    when private.fulfilment_rank(v_target) <= private.fulfilment_rank(v_order.status) then 'unchanged'
    else 'applied'
  end;

  if v_tracking is not null and v_order.tracking_number is null and v_outcome in ('applied', 'unchanged', 'late') then
    update public.orders set tracking_number = v_tracking where order_id = v_order.order_id
    returning * into v_order;
  end if;
  if v_outcome = 'applied' then
    if v_target = 'cancelled' then
      perform private.cancel_for_partner(v_order);
    elsif v_target = 'failed' then
      perform private.fail_order(v_order);
    else
      update public.orders set status = v_target, status_reason = null where order_id = v_order.order_id;
    end if;
  end if;

  insert into public.fulfilment_logs (order_id, direction, webhook_id, subject, outcome, detail, correlation_id)
  values (
    v_order.order_id, 'in', (p_webhook).webhook_id, (p_webhook).status, v_outcome,
    jsonb_strip_nulls(jsonb_build_object(
      'from', v_order.status, 'reason', (p_webhook).event -> 'data' -> 'reason', 'happened_at', (p_webhook).happened_at
    )),
    (p_webhook).correlation_id
  );
  return v_outcome;
end;
$$;

-- Applies a stored event and notes what came of it. What fails (a lock that is held too long, a fault of ours)
-- stays pending and is tried again; the partner need not care.
create function private.try_webhook(p_webhook_id text)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_webhook public.webhook_events;
  v_outcome text;
  v_error text;
begin
  select * into v_webhook from public.webhook_events where webhook_id = p_webhook_id for update;
  if v_webhook.outcome not in ('pending', 'unknown_order') then
    return v_webhook.outcome;
  end if;
  begin
    v_outcome := private.apply_webhook(v_webhook);
  exception
    when others then
      v_outcome := 'pending';
      v_error := sqlstate || ' ' || sqlerrm;
  end;
  update public.webhook_events
  set outcome = v_outcome, error = left(v_error, 500), attempts = attempts + 1
  where webhook_id = p_webhook_id;
  return v_outcome;
end;
$$;

-- Takes a webhook whose signature has been verified: {type, timestamp, data: {order_id, status, tracking_number?,
-- reason?}}. Returns {outcome, duplicate}. The same id with another content is 409.
-- definer: it moves orders, stock and prescriptions through functions that nobody may call.
create function public.receive_webhook(p_webhook_id text, p_event jsonb)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_stored public.webhook_events;
begin
  -- The partner is answered within a second, whoever holds the order.
  perform set_config('lock_timeout', '250ms', true);
  insert into public.webhook_events as w (webhook_id, event, order_id, status, happened_at)
  values (
    p_webhook_id, p_event, p_event -> 'data' ->> 'order_id', p_event -> 'data' ->> 'status',
    least((p_event ->> 'timestamp')::timestamptz, now())
  )
  on conflict on constraint webhook_events_pkey do update set deliveries = w.deliveries + 1
  returning * into v_stored;
  if v_stored.event <> p_event then
    perform private.fail(409, 'webhook_id_reused', 'This webhook-id has come before, with another content.');
  end if;
  return jsonb_build_object(
    'outcome', private.try_webhook(p_webhook_id), 'duplicate', v_stored.deliveries > 1
  );
exception
  when lock_not_available then
    -- The same event is being stored at this moment; whether that succeeds is not known yet.
    perform private.fail(409, 'webhook_in_progress', 'This webhook is just being recorded.');
end;
$$;

-- Applies what is stored and still pending: {outcome: number}.
-- definer: as above.
create function public.apply_pending_webhooks()
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_outcomes jsonb;
begin
  perform set_config('lock_timeout', '2s', true);
  select coalesce(jsonb_object_agg(outcome, number), '{}')
  into v_outcomes
  from (
    select private.try_webhook(p.webhook_id) as outcome, count(*) as number
    from (
      select webhook_id from public.webhook_events
      where outcome = 'pending'
      order by attempts, received_at
      limit 100
      for update skip locked
    ) as p
    group by 1
  ) as tried;
  return v_outcomes;
end;
$$;

grant execute on function public.receive_webhook(text, jsonb), public.apply_pending_webhooks() to service_role;
