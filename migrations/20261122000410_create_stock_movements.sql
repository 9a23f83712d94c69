-- The ledger of the shelf: every pack that came, went or was miscounted. The changes of a lot add up to its
-- quantity, whichever function changes it:
--   * what is allocated to an order, or taken back from it, is written as it happens;
--   * receiving and correcting write their own entry (private.note_movement);
--   * when a transaction commits, a lot whose quantity is not what its entries say gets one more, `unexplained`.

create table public.stock_movements (
  movement_id bigint generated always as identity,
  batch_id bigint not null,
  change integer not null,
  quantity_after integer not null,
  kind text not null,
  order_id text,
  reason text,
  moved_by uuid default auth.uid(),
  moved_by_name text default private.actor_name(),
  moved_at timestamptz not null default clock_timestamp(),
  constraint stock_movements_pkey primary key (movement_id),
  constraint stock_movements_batch_id_fkey foreign key (batch_id) references public.product_batches (batch_id),
  constraint stock_movements_order_id_fkey foreign key (order_id) references public.orders (order_id),
  constraint stock_movements_kind_known check (
    kind in ('opening', 'received', 'sold', 'restocked', 'corrected', 'unexplained')
  ),
  constraint stock_movements_order_named check ((kind in ('sold', 'restocked')) = (order_id is not null)),
  constraint stock_movements_correction_has_reason check (kind <> 'corrected' or reason is not null),
  constraint stock_movements_changes_something check (change <> 0)
);

create index stock_movements_batch_id_idx on public.stock_movements (batch_id, movement_id desc);
create index stock_movements_order_id_idx on public.stock_movements (order_id) where order_id is not null;

alter table public.stock_movements enable row level security;

grant select on public.stock_movements to authenticated, service_role;

create policy stock_movements_read_staff on public.stock_movements
  for select to authenticated using ((select private.is_staff()));

create trigger stock_movements_append_only before update or delete or truncate on public.stock_movements
  for each statement execute function private.refuse_change();

-- What the entries of a lot add up to. The last one says it, because entries of one lot are written one after
-- the other, under the lock of its row.
create function private.noted_quantity(p_batch_id bigint)
returns integer
language sql
stable
set search_path = ''
as $$
  select coalesce((
    select quantity_after from public.stock_movements
    where batch_id = p_batch_id order by movement_id desc limit 1
  ), 0);
$$;

-- Writes an entry; the packs themselves are moved by the caller, who holds the lock of the lot.
create function private.note_movement(
  p_batch_id bigint, p_change integer, p_kind text, p_order_id text default null, p_reason text default null
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.stock_movements (batch_id, change, quantity_after, kind, order_id, reason)
  values (
    p_batch_id, p_change, private.noted_quantity(p_batch_id) + p_change, p_kind, p_order_id, p_reason
  );
end;
$$;

-- definer: so are all three trigger functions below, because the ledger is written by nobody directly and
-- what a commit adds is added with the rights of whoever commits.
create function private.note_new_lots()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.stock_movements (batch_id, change, quantity_after, kind, moved_by, moved_by_name)
  select batch_id, quantity, quantity, 'opening', null, null from added where quantity <> 0 order by batch_id;
  return null;
end;
$$;

create function private.note_allocation()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op in ('UPDATE', 'DELETE') then
    perform private.note_movement(old.batch_id, old.packs, 'restocked', old.order_id);
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    perform private.note_movement(new.batch_id, -new.packs, 'sold', new.order_id);
  end if;
  return null;
end;
$$;

create function private.settle_stock()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_quantity integer;
  v_noted integer;
begin
  select quantity into v_quantity from public.product_batches where batch_id = new.batch_id for no key update;
  v_noted := private.noted_quantity(new.batch_id);
  if v_quantity <> v_noted then
    perform private.note_movement(new.batch_id, v_quantity - v_noted, 'unexplained');
  end if;
  return null;
end;
$$;

create trigger product_batches_noted_on_insert after insert on public.product_batches
  referencing new table as added for each statement execute function private.note_new_lots();

create trigger order_allocations_noted after insert or update or delete on public.order_allocations
  for each row execute function private.note_allocation();

create constraint trigger product_batches_settled after update of quantity on public.product_batches
  deferrable initially deferred
  for each row when (old.quantity is distinct from new.quantity)
  execute function private.settle_stock();

create constraint trigger stock_movements_settled after insert on public.stock_movements
  deferrable initially deferred
  for each row when (new.kind in ('sold', 'restocked'))
  execute function private.settle_stock();

-- What was on the shelf and what was sold before there was a ledger.
insert into public.stock_movements
  (batch_id, change, quantity_after, kind, order_id, moved_by, moved_by_name, moved_at)
select
  m.batch_id, m.change, sum(m.change) over (partition by m.batch_id order by m.moved_at, m.order_id nulls first),
  m.kind, m.order_id, null, null, m.moved_at
from (
  select
    b.batch_id, b.quantity + coalesce((
      select sum(a.packs) from public.order_allocations as a where a.batch_id = b.batch_id
    ), 0) as change,
    'opening' as kind, null as order_id,
    least(b.received_at, (
      select min(o.placed_at)
      from public.order_allocations as a
      join public.orders as o using (order_id)
      where a.batch_id = b.batch_id
    )) as moved_at
  from public.product_batches as b
  union all
  select a.batch_id, -a.packs, 'sold', a.order_id, o.placed_at
  from public.order_allocations as a
  join public.orders as o using (order_id)
) as m
where m.change <> 0
order by m.batch_id, m.moved_at, m.order_id nulls first;
