-- The partner is not asked to send what has left already, nor what may not be sold any more.

-- An order that is on its way needs no request for it any more, whether one was tried or not: whoever moved it, by a
-- report of the partner or by hand, knows more than the outbox.
create function private.annul_needless_requests()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.outbox_events
  set annulled_at = now(), lease_token = null, leased_until = null
  where order_id = new.order_id and event_type = 'order.confirmed'
    and num_nonnulls(delivered_at, dead_at, annulled_at) = 0;
  return null;
end;
$$;

create trigger orders_annul_needless_requests after update of status on public.orders
  for each row when (old.status is distinct from new.status and new.status in ('shipped', 'delivered'))
  execute function private.annul_needless_requests();

grant execute on function private.annul_needless_requests() to service_role;

-- The delivery failed. The order stays, with its packs and its prescription; the partner is asked once more unless
-- the goods had left, it was asked often enough, or a lot of the order has been held, recalled or has expired. The
-- patient is told which (by the trigger on the status).
create or replace function private.fail_order(p_order public.orders)
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
  if v_tries < v_policy.most_tries and (p_order).shipped_at is null and not exists (
    select from public.order_allocations as a
    join public.product_batches as b using (batch_id)
    where a.order_id = (p_order).order_id and (b.status <> 'available' or b.expiry <= private.today())
  ) then
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
