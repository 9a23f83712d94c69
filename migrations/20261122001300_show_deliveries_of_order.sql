-- An order's way to the warehouse and back, for staff: what was written to the outbox, what passed between us and the
-- partner, what the patient was told.

-- How it stands with an event: delivered, dead, annulled, or waiting for its next attempt.
create function private.event_state(p_event public.outbox_events)
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when (p_event).delivered_at is not null then 'delivered'
    when (p_event).dead_at is not null then 'dead'
    when (p_event).annulled_at is not null then 'annulled'
    else 'waiting'
  end;
$$;

-- {order_id, events, exchanges, notifications}, each in the order of happening. `p_order_id` is that of an order or of
-- one of its lines.
-- definer: the outbox is closed to everybody, as it holds what goes to the partner; here staff sees of it what concerns
-- one order, without its content.
create function public.order_deliveries(p_order_id text)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_order_id text := regexp_replace(p_order_id, '-[0-9]{1,4}$', '');
begin
  perform private.require_staff();
  if not exists (select from public.orders where order_id = v_order_id) then
    perform private.fail(404, 'order_not_found', 'There is no such order.');
  end if;
  return jsonb_build_object(
    'order_id', v_order_id,
    'events', coalesce((
      select jsonb_agg(jsonb_build_object(
        'event_id', e.event_id, 'event_type', e.event_type, 'state', private.event_state(e), 'attempts', e.attempts,
        'last_error', e.last_error, 'created_at', e.created_at, 'available_at', e.available_at,
        'ended_at', coalesce(e.delivered_at, e.dead_at, e.annulled_at), 'correlation_id', e.correlation_id
      ) order by e.position)
      from public.outbox_events as e
      where e.order_id = v_order_id and e.notification_id is null
    ), '[]'),
    'exchanges', coalesce((
      select jsonb_agg(jsonb_build_object(
        'direction', l.direction, 'subject', l.subject, 'outcome', l.outcome, 'webhook_id', l.webhook_id,
        'attempt', l.detail -> 'attempt', 'http_status', l.detail -> 'http_status', 'ms', l.detail -> 'ms',
        'reason', l.detail -> 'reason', 'logged_at', l.logged_at
      ) order by l.log_id)
      from public.fulfilment_logs as l
      where l.order_id = v_order_id
    ), '[]'),
    'notifications', coalesce((
      select jsonb_agg(jsonb_build_object(
        'kind', n.kind, 'status', n.status, 'channel', n.channel, 'created_at', n.created_at,
        'not_before', n.not_before, 'sent_at', n.sent_at
      ) order by n.created_at, n.kind)
      from public.notifications as n
      where n.subject = 'order:' || v_order_id
    ), '[]')
  );
end;
$$;

grant execute on function public.order_deliveries(text) to authenticated;
