-- "We are trying again" is said of an order only when a second request to the partner waits for its time; a first one
-- that is still on its way is none.

create or replace function private.tell_of_order_now(p_order public.orders)
returns void
language sql
set search_path = ''
as $$
  select private.queue_notification(
    (p_order).patient_id, 'order.' || (p_order).status, 'order:' || (p_order).order_id,
    jsonb_strip_nulls(jsonb_build_object(
      'order_id', (p_order).order_id,
      'tracking_number', (p_order).tracking_number,
      'retrying', (p_order).status = 'failed' and exists (
        select from public.outbox_events as e
        where e.order_id = (p_order).order_id and e.event_type = 'order.confirmed'
          and e.claims = 0 and e.available_at > now()
          and num_nonnulls(e.delivered_at, e.dead_at, e.annulled_at) = 0
      )
    )),
    format('order.%s:%s:%s', (p_order).status, (p_order).order_id, (
      select count(*) from public.notifications as n
      where n.subject = 'order:' || (p_order).order_id and n.kind = 'order.' || (p_order).status
    ))
  );
$$;
