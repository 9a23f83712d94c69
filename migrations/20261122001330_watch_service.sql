-- How the service has been doing, for staff: what was decided and refused hour by hour, how the outbox stands, what the
-- partner and the patients were told.

-- All are written in the order of time: a few pages of index tell which blocks hold the last hours.
create index outbox_events_created_at_idx on public.outbox_events using brin (created_at);
create index fulfilment_logs_logged_at_idx on public.fulfilment_logs using brin (logged_at);
create index webhook_events_received_at_idx on public.webhook_events using brin (received_at);

-- The last `p_hours`: {since, until, hours, refusals, outbox, notifications, reports}. `hours` has a row for each, from
-- the first to the one that is not over.
-- definer: the outbox is closed to everybody; only numbers of it are told here.
create function public.service_overview(p_hours integer default 24)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_until timestamptz := date_trunc('hour', now());
  v_since timestamptz := v_until - make_interval(hours => least(greatest(coalesce(p_hours, 24), 1), 168) - 1);
begin
  perform private.require_staff();
  return jsonb_build_object(
    'since', v_since,
    'until', now(),
    'hours', (
      with decided as (
        select date_trunc('hour', d.decided_at) as hour, d.outcome, count(*) as n
        from public.decisions as d
        where d.decided_at >= v_since and d.kind <> 'say'
        group by 1, 2
      ),
      delivered as (
        select date_trunc('hour', l.logged_at) as hour,
          count(*) filter (where l.outcome = 'delivered') as delivered,
          count(*) filter (where l.outcome <> 'delivered') as failed
        from public.fulfilment_logs as l
        where l.logged_at >= v_since and l.direction = 'out'
        group by 1
      )
      select jsonb_agg(jsonb_build_object(
        'hour', h.hour,
        'decisions', coalesce(
          (select jsonb_object_agg(d.outcome, d.n) from decided as d where d.hour = h.hour), '{}'
        ),
        'delivered', coalesce(l.delivered, 0),
        'failed', coalesce(l.failed, 0)
      ) order by h.hour)
      from generate_series(v_since, v_until, interval '1 hour') as h (hour)
      left join delivered as l using (hour)
    ),
    'refusals', coalesce((
      select jsonb_agg(to_jsonb(counted) order by counted.blocked + counted.warned desc, counted.code)
      from (
        select f ->> 'code' as code,
          count(*) filter (where f ->> 'severity' = 'block') as blocked,
          count(*) filter (where f ->> 'severity' <> 'block') as warned
        from public.decisions as d
        cross join jsonb_array_elements(d.findings) as f
        where d.decided_at >= v_since and d.findings <> '[]'
        group by 1
      ) as counted
    ), '[]'),
    'outbox', (
      select jsonb_build_object(
        'waiting', (
          select count(*) from public.outbox_events
          where delivered_at is null and dead_at is null and annulled_at is null
        ),
        'overdue', (
          select count(*) from public.outbox_events
          where delivered_at is null and dead_at is null and annulled_at is null
            and available_at < now() - interval '2 minutes'
        ),
        'dead', (select count(*) from public.outbox_events where dead_at is not null),
        'written', count(*),
        'delivered', count(*) filter (where e.delivered_at is not null),
        'median_seconds', percentile_cont(0.5) within group (
          order by extract(epoch from e.delivered_at - e.created_at)
        ) filter (where e.delivered_at is not null and e.notification_id is null)
      )
      from public.outbox_events as e
      where e.created_at >= v_since
    ),
    'notifications', coalesce((
      select jsonb_object_agg(counted.status, counted.n)
      from (
        select n.status, count(*) as n from public.notifications as n where n.created_at >= v_since group by n.status
      ) as counted
    ), '{}'),
    'reports', coalesce((
      select jsonb_object_agg(counted.outcome, counted.n)
      from (
        select w.outcome, count(*) as n from public.webhook_events as w where w.received_at >= v_since group by w.outcome
      ) as counted
    ), '{}')
  );
end;
$$;

-- Events of the outbox without their content, the latest first: {events, next_cursor}. `p_state` is waiting, dead,
-- delivered, annulled or null for all.
-- definer: as above.
create function public.list_outbox(p_state text default null, p_limit integer default 50, p_before bigint default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 200);
  v_rows jsonb;
begin
  perform private.require_staff();
  execute format(
    $query$
      select jsonb_agg(to_jsonb(page) order by page.position desc)
      from (
        select e.position, e.event_id, e.event_type, e.destination, e.order_id, private.event_state(e) as state,
          e.attempts, e.last_error, e.created_at, e.available_at,
          coalesce(e.delivered_at, e.dead_at, e.annulled_at) as ended_at, e.correlation_id
        from public.outbox_events as e
        where (%s) and ($1 is null or e.position < $1)
        order by e.position desc
        limit $2
      ) as page
    $query$,
    case p_state
      when 'waiting' then 'e.delivered_at is null and e.dead_at is null and e.annulled_at is null'
      when 'dead' then 'e.dead_at is not null'
      when 'delivered' then 'e.delivered_at is not null'
      when 'annulled' then 'e.annulled_at is not null'
      else 'true'
    end
  )
  into v_rows
  using p_before, v_limit + 1;
  return jsonb_build_object(
    'events', coalesce(v_rows - v_limit, '[]'),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) -> 'position' end
  );
end;
$$;

grant execute on function public.service_overview(integer), public.list_outbox(text, integer, bigint) to authenticated;
