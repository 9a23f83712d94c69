-- The shelf and orders whose delivery failed: until the goods leave, their packs are on the shelf and theirs; once
-- they have left they do not come back, not even into the ledger, and whoever may have them is named by a recall.

-- Packs of each lot in orders that have not left yet.
create or replace function private.reserved_packs(p_batch_ids bigint[])
returns table (batch_id bigint, packs integer)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
    select a.batch_id, sum(a.packs)::integer
    from public.order_allocations as a
    join public.orders as o using (order_id)
    where a.batch_id = any (p_batch_ids) and private.is_here(o)
    group by a.batch_id;
end;
$$;

-- Whether the packs of an order are still on our shelf.
create function private.is_here(p_order public.orders)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (p_order).status in ('awaiting_pharmacist', 'confirmed', 'processing')
    or (p_order).status = 'failed' and (p_order).shipped_at is null;
end;
$$;

grant execute on function private.is_here(public.orders) to authenticated, service_role;

-- Changes what a lot, locked by the caller, holds. Packs that orders have are not there to be corrected away:
-- such an order is cancelled first.
create or replace function private.correct_quantity(p_lot public.product_batches, p_change integer, p_reason text)
returns public.product_batches
language plpgsql
set search_path = ''
as $$
declare
  v_lot public.product_batches := p_lot;
  v_reserved integer := coalesce((select packs from private.reserved_packs(array[(p_lot).batch_id])), 0);
begin
  if p_change = 0 then
    return v_lot;
  end if;
  if v_lot.quantity + p_change < 0 then
    perform private.fail(
      409, 'below_reserved',
      format('Only %s packs of lot %s are free; %s more are in orders.', v_lot.quantity, v_lot.lot, v_reserved),
      jsonb_build_object('quantity', v_lot.quantity, 'reserved', v_reserved, 'orders', (
        select coalesce(jsonb_agg(o.order_id order by o.order_id), '[]')
        from public.order_allocations as a
        join public.orders as o using (order_id)
        where a.batch_id = v_lot.batch_id and private.is_here(o)
      ))
    );
  end if;
  update public.product_batches set quantity = quantity + p_change
  where batch_id = v_lot.batch_id
  returning * into v_lot;
  perform private.note_movement(v_lot.batch_id, p_change, 'corrected', p_reason => p_reason);
  return v_lot;
end;
$$;

-- What is taken back from an order that has left is no restocking: the packs are gone, and their sale stands.
-- definer: as it was.
create or replace function private.note_allocation()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op in ('UPDATE', 'DELETE') and not exists (
    select from public.orders where order_id = old.order_id and shipped_at is not null
  ) then
    perform private.note_movement(old.batch_id, old.packs, 'restocked', old.order_id);
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    perform private.note_movement(new.batch_id, -new.packs, 'sold', new.order_id);
  end if;
  return null;
end;
$$;

-- Packs of a recalled lot are not sent out by hand, nor once more after a delivery failed. What the partner reports
-- has happened, and is believed; so is staff about goods that had left before.
-- definer: as it was.
create or replace function private.refuse_recalled_packs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_lots text := (
    select string_agg(b.lot, ', ' order by b.lot)
    from public.order_allocations as a
    join public.product_batches as b using (batch_id)
    where a.order_id = new.order_id and b.status = 'recalled'
  );
begin
  if v_lots is not null and private.is_staff()
    and not (old.shipped_at is not null and new.status in ('shipped', 'delivered')) then
    perform private.fail(
      409, 'order_has_recalled_packs',
      format('Order %s has packs of a recalled lot (%s): cancel it.', new.order_id, v_lots)
    );
  end if;
  return new;
end;
$$;

drop trigger orders_leave_without_recalled_packs on public.orders;
create trigger orders_leave_without_recalled_packs before update of status on public.orders
  for each row when (
    old.status in ('awaiting_pharmacist', 'confirmed', 'processing', 'failed')
    and new.status in ('confirmed', 'processing', 'shipped', 'delivered')
  )
  execute function private.refuse_recalled_packs();

-- Who got packs of a lot, or will: the latest order first: {batch, recipients: [{patient_id, name, phone, email,
-- order_id, status, packs, ordered_at, shipped_at, delivered_at, left_us}], count, packs, open_orders, next_cursor}.
-- `count`, `packs` and `open_orders` are of all pages; an order that has not left us can still be cancelled. Read from
-- the ledger: what was cancelled before it left went back into the lot and is not here, what was cancelled after is.
create or replace function public.lot_recipients(
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
  with sold as (
    select m.order_id, -sum(m.change) as packs
    from public.stock_movements as m
    where m.batch_id = p_batch_id and m.order_id is not null
    group by m.order_id
    having sum(m.change) < 0
  ),
  page as (
    select o, s.packs
    from sold as s
    join public.orders as o using (order_id)
    where p_before is null or (o.placed_at, o.order_id) < (
      select b.placed_at, b.order_id from public.orders as b where b.order_id = p_before
    )
    order by o.placed_at desc, o.order_id desc
    limit v_limit + 1
  )
  select
    (
      select jsonb_agg(
        jsonb_build_object(
          'patient_id', pt.patient_id, 'name', pt.name, 'phone', pt.phone, 'email', pt.email,
          'order_id', (p.o).order_id, 'status', (p.o).status, 'packs', p.packs, 'ordered_at', (p.o).placed_at,
          'shipped_at', coalesce((p.o).shipped_at, private.step_taken_at((p.o).order_id, 'shipped')),
          'delivered_at', private.step_taken_at((p.o).order_id, 'delivered'),
          'left_us', not private.is_here(p.o)
        ) order by (p.o).placed_at desc, (p.o).order_id desc
      )
      from page as p
      join public.patients as pt on pt.patient_id = (p.o).patient_id
    ),
    (
      select jsonb_build_object(
        'count', count(*), 'packs', coalesce(sum(s.packs), 0),
        'open_orders', count(*) filter (where private.is_here(o))
      )
      from sold as s
      join public.orders as o using (order_id)
    )
  into v_rows, v_totals;
  return v_totals || jsonb_build_object(
    'batch', private.lot_json(v_lot),
    'recipients', coalesce(v_rows - v_limit, '[]'),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'order_id' end
  );
end;
$$;

-- Of the partial index the planner can make nothing any more: orders are asked one by one.
drop index public.orders_not_left_idx;
