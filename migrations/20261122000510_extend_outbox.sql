-- The outbox as a queue: events are claimed for a while, settled one by one, tried again by a schedule that is data,
-- and set aside when the schedule has ended.

-- How long to wait before each attempt; there are as many attempts as rows.
create table public.delivery_delays (
  destination text not null,
  attempt smallint not null,
  delay interval not null,
  constraint delivery_delays_pkey primary key (destination, attempt),
  constraint delivery_delays_destination_known check (destination in ('partner', 'notification')),
  constraint delivery_delays_attempt_positive check (attempt > 0),
  constraint delivery_delays_delay_not_negative check (delay >= '0')
);

insert into public.delivery_delays (destination, attempt, delay) values
  ('partner', 1, '0 seconds'),
  ('partner', 2, '5 seconds'),
  ('partner', 3, '5 minutes'),
  ('partner', 4, '30 minutes'),
  ('partner', 5, '2 hours'),
  ('partner', 6, '5 hours'),
  ('partner', 7, '10 hours'),
  ('partner', 8, '10 hours'),
  ('notification', 1, '0 seconds'),
  ('notification', 2, '30 seconds'),
  ('notification', 3, '5 minutes'),
  ('notification', 4, '30 minutes'),
  ('notification', 5, '2 hours');

-- The id of the request that is being answered, as the gateway in front of the database hands it over.
create function private.correlation_id()
returns text
language sql
set search_path = ''
as $$
  select coalesce(
    substring(
      nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-request-id'
      from '^[A-Za-z0-9_-][A-Za-z0-9._-]{7,99}$'
    ),
    gen_random_uuid()::text
  );
$$;

alter table public.outbox_events
  -- The order in which events were written. Those of one order are written under its lock, so for them it is
  -- also the order in which they became visible.
  add column position bigint generated always as identity,
  add column destination text not null
    generated always as (case when notification_id is null then 'partner' else 'notification' end) stored,
  add column correlation_id text not null default private.correlation_id(),
  -- Claims count what a dispatcher took on, attempts what it came back from: a dispatcher that is killed uses up
  -- no attempt, but an event that keeps killing dispatchers does not go on for ever.
  add column claims integer not null default 0,
  add column lease_token uuid,
  add column leased_until timestamptz,
  add column last_error text,
  add column dead_at timestamptz,
  -- When the dead-letter queue got its copy.
  add column dead_letter_at timestamptz,
  -- Not to be delivered any more, because something later made it untrue.
  add column annulled_at timestamptz,
  add constraint outbox_events_one_end check (num_nonnulls(delivered_at, dead_at, annulled_at) <= 1);

alter table public.outbox_events add constraint outbox_events_position_key unique (position);

drop index public.outbox_events_due_idx;
create index outbox_events_due_idx on public.outbox_events (available_at, position)
  where delivered_at is null and dead_at is null and annulled_at is null;
create index outbox_events_open_of_order_idx on public.outbox_events (order_id, position)
  where delivered_at is null and dead_at is null and annulled_at is null;
create index outbox_events_dead_idx on public.outbox_events (dead_at) where dead_at is not null;

-- What passed between us and the partner about an order.
create table public.fulfilment_logs (
  log_id bigint generated always as identity,
  order_id text not null,
  direction text not null,
  -- The webhook-id, the same over all attempts.
  webhook_id text not null,
  -- `order.confirmed`, ... outwards; `accepted`, ... inwards.
  subject text not null,
  outcome text not null,
  -- Such as {attempt, http_status, ms, error} or {from, to, reason}.
  detail jsonb not null default '{}',
  correlation_id text not null,
  logged_at timestamptz not null default clock_timestamp(),
  constraint fulfilment_logs_pkey primary key (log_id),
  constraint fulfilment_logs_order_id_fkey
    foreign key (order_id) references public.orders (order_id) on delete cascade,
  constraint fulfilment_logs_direction_known check (direction in ('out', 'in'))
);

create index fulfilment_logs_order_id_idx on public.fulfilment_logs (order_id, log_id);

-- Each attempt to tell a patient something.
create table public.notification_attempts (
  attempt_id bigint generated always as identity,
  notification_id uuid not null,
  channel text not null,
  outcome text not null,
  -- Such as {attempt, ms, error, provider_id}; never the address or the words.
  detail jsonb not null default '{}',
  correlation_id text not null,
  attempted_at timestamptz not null default clock_timestamp(),
  constraint notification_attempts_pkey primary key (attempt_id),
  constraint notification_attempts_notification_id_fkey
    foreign key (notification_id) references public.notifications (notification_id) on delete cascade
);

create index notification_attempts_notification_id_idx on public.notification_attempts (notification_id);

alter table public.delivery_delays enable row level security;
alter table public.fulfilment_logs enable row level security;
alter table public.notification_attempts enable row level security;

grant select on public.fulfilment_logs, public.notification_attempts to authenticated;
grant select, insert, update, delete on public.delivery_delays to service_role;
grant select, insert on public.fulfilment_logs, public.notification_attempts to service_role;

create policy fulfilment_logs_read_staff on public.fulfilment_logs
  for select to authenticated using ((select private.is_staff()));
create policy notification_attempts_read_staff on public.notification_attempts
  for select to authenticated using ((select private.is_staff()));

-- How often an event is attempted at most.
create function private.most_attempts(p_destination text)
returns integer
language sql
stable
set search_path = ''
as $$
  select count(*)::integer from public.delivery_delays where destination = p_destination;
$$;

-- Sets an event aside after its last attempt; its notification can reach nobody any more.
create function private.bury_event(p_event_id uuid, p_error text)
returns void
language sql
set search_path = ''
as $$
  with buried as (
    update public.outbox_events
    set dead_at = now(), lease_token = null, leased_until = null, last_error = p_error
    where event_id = p_event_id
    returning notification_id
  )
  update public.notifications as n
  set status = 'undeliverable'
  from buried as b
  where n.notification_id = b.notification_id and n.status = 'queued';
$$;

-- Takes up to `p_limit` due events for `p_lease_seconds`: nobody else gets them before that is over. Events of
-- one order go out one after the other; one that waits for its next attempt holds back those behind it.
-- Returns [{event_id, lease_token, event_type, destination, order_id, notification_id, payload, attempt,
-- correlation_id, created_at}], the longest due first.
create function public.claim_events(p_limit integer, p_lease_seconds numeric)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  -- A dispatcher that dies this often over one event dies of it.
  c_most_claims constant integer := 25;
  v_events jsonb;
begin
  perform private.bury_event(e.event_id, 'Its dispatchers died.')
  from (
    select event_id from public.outbox_events
    where delivered_at is null and dead_at is null and annulled_at is null
      and claims >= c_most_claims and leased_until <= now()
    for update skip locked
  ) as e;

  with due as (
    select e.event_id
    from public.outbox_events as e
    where e.delivered_at is null and e.dead_at is null and e.annulled_at is null
      and e.available_at <= now()
      and (e.leased_until is null or e.leased_until <= now())
      and not exists (
        select from public.outbox_events as earlier
        where earlier.order_id = e.order_id and earlier.position < e.position
          and earlier.delivered_at is null and earlier.dead_at is null and earlier.annulled_at is null
      )
    order by e.available_at, e.position
    limit least(greatest(p_limit, 0), 100)
    for update skip locked
  ),
  claimed as (
    update public.outbox_events as e
    set
      claims = e.claims + 1,
      lease_token = gen_random_uuid(),
      leased_until = now() + make_interval(secs => p_lease_seconds::double precision)
    from due
    where e.event_id = due.event_id
    returning e.*
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'event_id', event_id, 'lease_token', lease_token, 'event_type', event_type, 'destination', destination,
    'order_id', order_id, 'notification_id', notification_id, 'payload', payload, 'attempt', attempts + 1,
    'correlation_id', correlation_id, 'created_at', created_at
  ) order by available_at, position), '[]')
  into v_events
  from claimed;
  return v_events;
end;
$$;

-- Says how a claimed event ended: {delivered: bool, error?, retry_after? (seconds), log: {...}}.
-- A delivery counts whoever reports it. A failure counts only from the holder of the lease: another may be at it
-- by now. Returns {state: delivered | waiting | dead | stale, retry_in? (seconds)}.
create function public.settle_event(p_event_id uuid, p_lease_token uuid, p_result jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_event public.outbox_events;
  v_delivered boolean := (p_result ->> 'delivered')::boolean;
  v_state text;
  v_pause interval;
begin
  select * into v_event from public.outbox_events where event_id = p_event_id for update;
  v_state := case
    when v_event.event_id is null or num_nonnulls(v_event.delivered_at, v_event.dead_at, v_event.annulled_at) > 0 then 'stale'
    when v_delivered then 'delivered'
    when v_event.lease_token is distinct from p_lease_token then 'stale'
    when v_event.attempts + 1 >= private.most_attempts(v_event.destination) then 'dead'
    else 'waiting'
  end;

  if v_event.order_id is not null then
    insert into public.fulfilment_logs (order_id, direction, webhook_id, subject, outcome, detail, correlation_id)
    values (
      v_event.order_id, 'out', p_event_id::text, v_event.event_type, v_state,
      coalesce(p_result -> 'log', '{}') || jsonb_build_object('attempt', v_event.attempts + 1), v_event.correlation_id
    );
  end if;

  if v_event.notification_id is not null then
    insert into public.notification_attempts (notification_id, channel, outcome, detail, correlation_id)
    values (
      v_event.notification_id, coalesce(p_result -> 'log' ->> 'channel', 'none'),
      coalesce(p_result -> 'log' ->> 'outcome', v_state),
      coalesce(p_result -> 'log', '{}') - array['channel', 'outcome']
        || jsonb_build_object('attempt', v_event.attempts + 1),
      v_event.correlation_id
    );
  end if;

  if v_state = 'delivered' then
    update public.outbox_events
    set delivered_at = now(), attempts = attempts + 1, lease_token = null, leased_until = null, last_error = null
    where event_id = p_event_id;
    update public.notifications
    set status = 'sent', sent_at = now(), channel = p_result -> 'log' ->> 'channel'
    where notification_id = v_event.notification_id;
  elsif v_state in ('waiting', 'dead') then
    -- Spread, so that what failed together does not come back together; and as late as the receiver asked for,
    -- within the longest pause of the schedule.
    select greatest(
      max(delay) filter (where attempt = v_event.attempts + 2) * (1 + 0.2 * random()),
      least(make_interval(secs => coalesce((p_result ->> 'retry_after')::double precision, 0)), max(delay))
    )
    into v_pause
    from public.delivery_delays
    where destination = v_event.destination;

    update public.outbox_events
    set
      attempts = attempts + 1, lease_token = null, leased_until = null, last_error = left(p_result ->> 'error', 500),
      available_at = now() + coalesce(v_pause, '0')
    where event_id = p_event_id;
    if v_state = 'dead' then
      perform private.bury_event(p_event_id, left(p_result ->> 'error', 500));
    end if;
  end if;
  return jsonb_build_object('state', v_state, 'retry_in', extract(epoch from v_pause));
end;
$$;

-- What the dead-letter queue has not heard of: [{event_id, event_type, order_id, error}]; with `p_sent`, notes that
-- it has now.
create function public.dead_letters(p_sent uuid[] default '{}')
returns jsonb
language sql
set search_path = ''
as $$
  with told as (
    update public.outbox_events set dead_letter_at = now()
    where event_id = any (p_sent) and dead_at is not null
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'event_id', d.event_id, 'event_type', d.event_type, 'order_id', d.order_id, 'error', d.last_error,
    'correlation_id', d.correlation_id
  )), '[]')
  from (
    select * from public.outbox_events
    where dead_at is not null and dead_letter_at is null and event_id <> all (p_sent)
    order by dead_at
    limit 100
  ) as d;
$$;

-- Gives dead events a whole schedule anew: those named, or all. What an order has outlived is annulled instead: a
-- confirmation of an order that is cancelled, or on its way already. Returns {redriven: [event_id], annulled: [...]}.
create function public.redrive_events(p_event_ids uuid[] default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_redriven jsonb;
  v_annulled jsonb;
begin
  with outlived as (
    update public.outbox_events as e
    set dead_at = null, annulled_at = now()
    from public.orders as o
    where e.dead_at is not null and (p_event_ids is null or e.event_id = any (p_event_ids))
      and o.order_id = e.order_id and e.event_type = 'order.confirmed'
      and o.status in ('cancelled', 'shipped', 'delivered')
    returning e.event_id
  )
  select coalesce(jsonb_agg(event_id), '[]') into v_annulled from outlived;

  with again as (
    update public.outbox_events
    set dead_at = null, dead_letter_at = null, attempts = 0, claims = 0, available_at = now(), last_error = null
    where dead_at is not null and (p_event_ids is null or event_id = any (p_event_ids))
    returning event_id, notification_id
  ),
  waiting as (
    update public.notifications as n
    set status = 'queued'
    from again as a
    where n.notification_id = a.notification_id and n.status = 'undeliverable'
  )
  select coalesce(jsonb_agg(event_id), '[]') into v_redriven from again;
  return jsonb_build_object('redriven', v_redriven, 'annulled', v_annulled);
end;
$$;

-- How the outbox stands: {open, due, leased, dead, lag_seconds: how long the oldest due event has been due}.
create function public.outbox_state()
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'open', count(*),
    'due', count(*) filter (where available_at <= now()),
    'leased', count(*) filter (where leased_until > now()),
    'dead', (select count(*) from public.outbox_events where dead_at is not null),
    'lag_seconds', coalesce(extract(epoch from now() - min(available_at) filter (where available_at <= now())), 0)
  )
  from public.outbox_events
  where delivered_at is null and dead_at is null and annulled_at is null;
$$;

grant execute on function
  private.correlation_id(),
  private.most_attempts(text),
  private.bury_event(uuid, text),
  public.claim_events(integer, numeric),
  public.settle_event(uuid, uuid, jsonb),
  public.dead_letters(uuid[]),
  public.redrive_events(uuid[]),
  public.outbox_state()
to service_role;
