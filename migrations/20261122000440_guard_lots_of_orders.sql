-- An order has exactly its packs, from lots that may be sold, whatever happens to lots while it is placed or waits.

-- Allocates what the lines of an order still lack, from the lots that expire first. Only lots that this transaction
-- has locked count, in the state they have under the lock: one that is held or recalled meanwhile is not taken,
-- and one that arrives meanwhile is not fought for. Returns whether every line has its packs.
create function private.allocate(p_order_id text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_lots bigint[] := array(
    select b.batch_id
    from public.product_batches as b
    where b.product_id in (select i.product_id from public.order_items as i where i.order_id = p_order_id)
      and b.status = 'available' and b.quantity > 0 and b.expiry > private.today()
    order by b.product_id, b.expiry, b.batch_id
    for no key update
  );
begin
  with needed as (
    select i.line, i.product_id, i.packs - coalesce((
      select sum(a.packs) from public.order_allocations as a where a.order_id = i.order_id and a.line = i.line
    ), 0) as packs
    from public.order_items as i
    where i.order_id = p_order_id
  ),
  shelf as (
    select
      b.batch_id, n.line, n.packs, b.quantity,
      sum(b.quantity) over (partition by b.product_id order by b.expiry, b.batch_id) - b.quantity as before
    from needed as n
    join public.product_batches as b using (product_id)
    where b.batch_id = any (v_lots) and n.packs > 0
  ),
  taken as (
    select batch_id, line, least(quantity, packs - before)::integer as packs
    from shelf
    where before < packs
  ),
  reduced as (
    update public.product_batches as b
    set quantity = b.quantity - t.packs
    from taken as t
    where b.batch_id = t.batch_id
  )
  insert into public.order_allocations as a (order_id, line, batch_id, packs)
  select p_order_id, line, batch_id, packs from taken
  on conflict on constraint order_allocations_pkey do update set packs = a.packs + excluded.packs;

  return not exists (
    select from public.order_items as i
    where i.order_id = p_order_id and i.packs <> coalesce((
      select sum(a.packs) from public.order_allocations as a where a.order_id = i.order_id and a.line = i.line
    ), 0)
  );
end;
$$;

-- Takes the packs of an order that is being placed. Verification has just counted them; if they are not there any
-- more, because a lot went or came in between, nothing is placed and trying again is right.
create or replace function private.take_stock(p_order_id text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not private.allocate(p_order_id) then
    perform private.fail(409, 'stock_changed', 'The stock has just changed. Please try again.');
  end if;
end;
$$;

-- An order that waited for a pharmacist has not left the shelf: packs whose lot was held, recalled or has expired
-- meanwhile are exchanged before it is confirmed. When there are no others, somebody has to cancel it.
-- definer: as the functions that confirm orders.
create function private.exchange_unsellable_packs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform
  from public.product_batches
  where product_id in (select i.product_id from public.order_items as i where i.order_id = new.order_id)
  order by product_id, expiry, batch_id
  for no key update;

  with gone as (
    delete from public.order_allocations as a
    using public.product_batches as b
    where a.order_id = new.order_id and b.batch_id = a.batch_id
      and (b.status <> 'available' or b.expiry <= private.today())
    returning a.batch_id, a.packs
  )
  update public.product_batches as b
  set quantity = b.quantity + g.packs
  from gone as g
  where b.batch_id = g.batch_id;

  if found and not private.allocate(new.order_id) then
    perform private.fail(409, 'order_lacks_stock', format(
      'Order %s has packs that may no longer be sold, and there are not enough others: cancel it first.', new.order_id
    ));
  end if;
  return new;
end;
$$;

create trigger orders_confirmed_with_sellable_packs before update of status on public.orders
  for each row when (old.status = 'awaiting_pharmacist' and new.status = 'confirmed')
  execute function private.exchange_unsellable_packs();

-- Packs of a recalled lot are not sent out by hand. What the partner reports has happened, and is believed.
-- definer: as above.
create function private.refuse_recalled_packs()
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
  if v_lots is not null and private.is_staff() then
    perform private.fail(
      409, 'order_has_recalled_packs',
      format('Order %s has packs of a recalled lot (%s): cancel it.', new.order_id, v_lots)
    );
  end if;
  return new;
end;
$$;

create trigger orders_leave_without_recalled_packs before update of status on public.orders
  for each row when (
    old.status in ('awaiting_pharmacist', 'confirmed', 'processing')
    and new.status in ('processing', 'shipped', 'delivered')
  )
  execute function private.refuse_recalled_packs();
