-- Recalling a lot, and finding everybody who got packs of it. A recall cannot be undone.

-- Who got packs of a lot, the latest first: {batch, recipients: [{patient_id, name, phone, email, order_id, status,
-- packs, ordered_at, shipped_at, delivered_at, left_us}], count, packs, open_orders, next_cursor}. `count`, `packs`
-- and `open_orders` are of all pages; an order that has not left us can still be cancelled. What was cancelled
-- before it left went back into the lot and is not here.
create function public.lot_recipients(
  p_product_id text, p_batch_id bigint, p_limit integer default 100, p_before text default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 100), 1), 500);
  v_lot public.product_batches;
  v_rows jsonb;
  v_totals jsonb;
begin
  perform private.require_staff();
  select * into v_lot from public.product_batches where batch_id = p_batch_id and product_id = p_product_id;
  if v_lot.batch_id is null then
    perform private.fail(404, 'lot_not_found', 'There is no such lot of this product.');
  end if;
  select jsonb_agg(page.row order by page.placed_at desc, page.order_id desc)
  into v_rows
  from (
    select o.placed_at, o.order_id, jsonb_build_object(
      'patient_id', pt.patient_id, 'name', pt.name, 'phone', pt.phone, 'email', pt.email,
      'order_id', o.order_id, 'status', o.status, 'packs', a.packs, 'ordered_at', o.placed_at,
      'shipped_at', private.step_taken_at(o.order_id, 'shipped'),
      'delivered_at', private.step_taken_at(o.order_id, 'delivered'),
      'left_us', o.status not in ('awaiting_pharmacist', 'confirmed', 'processing')
    ) as row
    from public.order_allocations as a
    join public.orders as o using (order_id)
    join public.patients as pt using (patient_id)
    where a.batch_id = p_batch_id
      and (p_before is null or (o.placed_at, o.order_id) < (
        select b.placed_at, b.order_id from public.orders as b where b.order_id = p_before
      ))
    order by o.placed_at desc, o.order_id desc
    limit v_limit + 1
  ) as page;
  select jsonb_build_object(
    'count', count(*), 'packs', coalesce(sum(a.packs), 0),
    'open_orders', count(*) filter (where o.status in ('awaiting_pharmacist', 'confirmed', 'processing'))
  )
  into v_totals
  from public.order_allocations as a
  join public.orders as o using (order_id)
  where a.batch_id = p_batch_id;
  return v_totals || jsonb_build_object(
    'batch', private.lot_json(v_lot),
    'recipients', coalesce(v_rows - v_limit, '[]'),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'order_id' end
  );
end;
$$;

-- When an order reached a status, as far as it was recorded.
create function private.step_taken_at(p_order_id text, p_status text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select min(happened_at) from public.audit_log
  where subject = p_order_id and action = 'order_status' and details -> 'status' ->> 'to' = p_status;
$$;

-- Recalls a lot, which leaves the sellable stock at once and for good. Returns who got packs of it, as lot_recipients.
-- definer: as receive_lot.
create function public.recall_lot(p_product_id text, p_batch_id bigint, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform public.set_lot_status(p_product_id, p_batch_id, 'recalled', p_reason);
  return public.lot_recipients(p_product_id, p_batch_id);
end;
$$;

grant execute on function
  public.lot_recipients(text, bigint, integer, text),
  public.recall_lot(text, bigint, text)
to authenticated;
grant execute on function private.step_taken_at(text, text) to authenticated;
