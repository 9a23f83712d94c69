-- The shelf as staff sees it: stock by product and by lot, what runs low, what expires soon.
--
-- Of a lot, `quantity` is what no order has; `reserved` are the packs of orders that have not left yet; `on_shelf`,
-- both together, is what somebody who counts the shelf finds.

create table public.inventory_defaults (
  only_row boolean not null default true,
  low_stock_threshold integer not null,
  near_expiry_days integer not null,
  constraint inventory_defaults_pkey primary key (only_row),
  constraint inventory_defaults_single check (only_row),
  constraint inventory_defaults_threshold_range check (low_stock_threshold between 0 and 1000000),
  constraint inventory_defaults_days_range check (near_expiry_days between 1 and 3650)
);

insert into public.inventory_defaults (low_stock_threshold, near_expiry_days) values (20, 90);

-- A product is low when no more packs than this can be sold; without a row the default counts.
create table public.stock_thresholds (
  product_id text not null,
  low_stock_threshold integer not null,
  constraint stock_thresholds_pkey primary key (product_id),
  constraint stock_thresholds_product_id_fkey
    foreign key (product_id) references public.products (product_id) on delete cascade,
  constraint stock_thresholds_range check (low_stock_threshold between 0 and 1000000)
);

alter table public.product_batches
  -- Why it is held or recalled.
  add column status_reason text,
  add column status_changed_at timestamptz;

create index product_batches_expiry_idx on public.product_batches (expiry, batch_id) where quantity > 0;
create index orders_not_left_idx on public.orders (order_id)
  where status in ('awaiting_pharmacist', 'confirmed', 'processing');

alter table public.inventory_defaults enable row level security;
alter table public.stock_thresholds enable row level security;

grant select on public.inventory_defaults, public.stock_thresholds to authenticated;
grant select, insert, update, delete on public.inventory_defaults, public.stock_thresholds to service_role;

create policy inventory_defaults_read_staff on public.inventory_defaults
  for select to authenticated using ((select private.is_staff()));
create policy stock_thresholds_read_staff on public.stock_thresholds
  for select to authenticated using ((select private.is_staff()));

-- A recalled lot stays recalled: no function, present or future, brings it back.
create function private.refuse_unrecall()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform private.fail(409, 'lot_recalled', format('Lot %s is recalled, and stays so.', old.lot));
  return null;
end;
$$;

create trigger product_batches_recall_is_final before update of status on public.product_batches
  for each row when (old.status = 'recalled' and new.status <> 'recalled')
  execute function private.refuse_unrecall();

-- Packs of each lot in orders that have not left yet.
create function private.reserved_packs(p_batch_ids bigint[])
returns table (batch_id bigint, packs integer)
language sql
stable
set search_path = ''
as $$
  select a.batch_id, sum(a.packs)::integer
  from public.order_allocations as a
  join public.orders as o using (order_id)
  where a.batch_id = any (p_batch_ids) and o.status in ('awaiting_pharmacist', 'confirmed', 'processing')
  group by a.batch_id;
$$;

-- One lot: {batch_id, product_id, lot, expiry, days_left, status, status_reason, status_changed_at, sellable,
-- quantity, reserved, on_shelf, received_at}.
create function private.lot_json(p_lot public.product_batches, p_reserved integer)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'batch_id', (p_lot).batch_id, 'product_id', (p_lot).product_id, 'lot', (p_lot).lot, 'expiry', (p_lot).expiry,
    'days_left', (p_lot).expiry - private.today(), 'status', (p_lot).status,
    'status_reason', (p_lot).status_reason, 'status_changed_at', (p_lot).status_changed_at,
    'sellable', (p_lot).status = 'available' and (p_lot).expiry > private.today(),
    'quantity', (p_lot).quantity, 'reserved', coalesce(p_reserved, 0),
    'on_shelf', (p_lot).quantity + coalesce(p_reserved, 0), 'received_at', (p_lot).received_at
  );
$$;

create function private.lot_json(p_lot public.product_batches)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select private.lot_json(p_lot, (select packs from private.reserved_packs(array[(p_lot).batch_id])));
$$;

-- Stock of products: {product_id, product_name, category, package_size, price, stock_quantity, reserved, held,
-- recalled, expired, expiring, next_expiry, low_stock, low_stock_threshold}; numbers are packs, `stock_quantity`
-- is what can be sold, `expiring` the part of it within the near-expiry days, `next_expiry` the first date of it.
create function private.inventory_of(p_product_ids text[])
returns table (product_id text, stock jsonb)
language sql
stable
set search_path = ''
as $$
  with lots as (
    select b.* from public.product_batches as b where b.product_id = any (p_product_ids)
  ),
  totals as (
    select
      l.product_id,
      sum(l.quantity) filter (where l.status = 'available' and l.expiry > private.today()) as sellable,
      sum(r.packs) as reserved,
      sum(l.quantity) filter (where l.status = 'held') as held,
      sum(l.quantity) filter (where l.status = 'recalled') as recalled,
      sum(l.quantity) filter (where l.status = 'available' and l.expiry <= private.today()) as expired,
      sum(l.quantity) filter (
        where l.status = 'available' and l.expiry > private.today()
          and l.expiry <= private.today() + (select near_expiry_days from public.inventory_defaults)
      ) as expiring,
      min(l.expiry) filter (
        where l.status = 'available' and l.quantity > 0 and l.expiry > private.today()
      ) as next_expiry
    from lots as l
    left join private.reserved_packs(array(select batch_id from lots)) as r using (batch_id)
    group by l.product_id
  )
  select
    p.product_id,
    jsonb_build_object(
      'product_id', p.product_id, 'product_name', p.product_name, 'category', p.category,
      'package_size', p.package_size, 'price', p.price,
      'stock_quantity', coalesce(t.sellable, 0), 'reserved', coalesce(t.reserved, 0),
      'held', coalesce(t.held, 0), 'recalled', coalesce(t.recalled, 0), 'expired', coalesce(t.expired, 0),
      'expiring', coalesce(t.expiring, 0), 'next_expiry', t.next_expiry,
      'low_stock', coalesce(t.sellable, 0) <= limits.low_stock_threshold,
      'low_stock_threshold', limits.low_stock_threshold
    )
  from public.products as p
  left join totals as t using (product_id)
  cross join lateral (
    select coalesce(
      (select s.low_stock_threshold from public.stock_thresholds as s where s.product_id = p.product_id),
      (select d.low_stock_threshold from public.inventory_defaults as d)
    ) as low_stock_threshold
  ) as limits
  where p.product_id = any (p_product_ids);
$$;

-- Stock of all products, or of those that run low, by product id: {products, count, next_cursor, defaults}.
create function public.list_inventory(
  p_limit integer default 100, p_after text default null, p_low_stock boolean default false
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 100), 1), 500);
  v_ids text[];
  v_products jsonb;
begin
  perform private.require_staff();
  if coalesce(p_low_stock, false) then
    v_ids := array(
      select p.product_id
      from public.products as p
      left join public.stock_thresholds as s using (product_id)
      left join (
        select b.product_id, sum(b.quantity) as packs
        from public.product_batches as b
        where b.status = 'available' and b.quantity > 0 and b.expiry > private.today()
          and b.product_id > coalesce(p_after, '')
        group by b.product_id
      ) as sellable using (product_id)
      where p.product_id > coalesce(p_after, '')
        and coalesce(sellable.packs, 0)
          <= coalesce(s.low_stock_threshold, (select d.low_stock_threshold from public.inventory_defaults as d))
      order by p.product_id
      limit v_limit + 1
    );
  else
    v_ids := array(
      select p.product_id from public.products as p
      where p.product_id > coalesce(p_after, '')
      order by p.product_id
      limit v_limit + 1
    );
  end if;
  select coalesce(jsonb_agg(i.stock order by i.product_id), '[]')
  into v_products
  from private.inventory_of(v_ids[1:v_limit]) as i;
  return jsonb_build_object(
    'products', v_products,
    'count', jsonb_array_length(v_products),
    'next_cursor', case when cardinality(v_ids) > v_limit then v_ids[v_limit] end,
    'defaults', (
      select jsonb_build_object('low_stock_threshold', low_stock_threshold, 'near_expiry_days', near_expiry_days)
      from public.inventory_defaults
    )
  );
end;
$$;

-- Stock of one product with its lots, the first to expire first; empty lots only while they are of interest:
-- held, recalled, or with packs in orders that have not left.
create function public.product_inventory(p_product_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_stock jsonb;
begin
  perform private.require_staff();
  select stock into v_stock from private.inventory_of(array[p_product_id]);
  if v_stock is null then
    perform private.fail(404, 'product_not_found', 'There is no such product.');
  end if;
  return v_stock || jsonb_build_object('batches', coalesce((
    select jsonb_agg(private.lot_json(b, r.packs) order by b.expiry, b.batch_id)
    from public.product_batches as b
    left join private.reserved_packs(
      array(select batch_id from public.product_batches where product_id = p_product_id)
    ) as r using (batch_id)
    where b.product_id = p_product_id and (b.quantity > 0 or b.status <> 'available' or r.packs > 0)
  ), '[]'));
end;
$$;

-- Lots with packs left that expire within so many days, the first first; recalled ones are not for sale anyway.
-- With `p_expired` also those that have expired and wait to be taken away: {batches, count, days, next_cursor}.
create function public.expiring_lots(
  p_days integer default null, p_expired boolean default false, p_limit integer default 100,
  p_after bigint default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 100), 1), 500);
  v_days integer := least(greatest(coalesce(
    p_days, (select near_expiry_days from public.inventory_defaults)
  ), 0), 3650);
  v_ids bigint[];
  v_lots jsonb;
begin
  perform private.require_staff();
  v_ids := array(
    select b.batch_id
    from public.product_batches as b
    where b.quantity > 0 and b.status <> 'recalled'
      and b.expiry <= private.today() + v_days
      and (coalesce(p_expired, false) or b.expiry > private.today())
      and (p_after is null or (b.expiry, b.batch_id) > (
        select a.expiry, a.batch_id from public.product_batches as a where a.batch_id = p_after
      ))
    order by b.expiry, b.batch_id
    limit v_limit + 1
  );
  select coalesce(jsonb_agg(
    private.lot_json(b, r.packs) || jsonb_build_object('product_name', p.product_name)
    order by b.expiry, b.batch_id
  ), '[]')
  into v_lots
  from public.product_batches as b
  join public.products as p using (product_id)
  left join private.reserved_packs(v_ids[1:v_limit]) as r using (batch_id)
  where b.batch_id = any (v_ids[1:v_limit]);
  return jsonb_build_object(
    'batches', v_lots, 'count', jsonb_array_length(v_lots), 'days', v_days,
    'next_cursor', case when cardinality(v_ids) > v_limit then v_ids[v_limit]::text end
  );
end;
$$;

-- Every pack that came or went, of a product or of one of its lots, the latest first: {movements, count,
-- next_cursor}.
create function public.list_stock_movements(
  p_product_id text, p_batch_id bigint default null, p_limit integer default 100, p_before bigint default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 100), 1), 500);
  v_lots bigint[];
  v_rows jsonb;
begin
  perform private.require_staff();
  v_lots := array(
    select batch_id from public.product_batches
    where product_id = p_product_id and (p_batch_id is null or batch_id = p_batch_id)
  );
  if v_lots = '{}' and (
    p_batch_id is not null or not exists (select from public.products where product_id = p_product_id)
  ) then
    perform private.fail(404, 'lot_not_found', 'There is no such product or lot.');
  end if;
  select jsonb_agg(page.row order by page.movement_id desc)
  into v_rows
  from (
    select m.movement_id, jsonb_build_object(
      'movement_id', m.movement_id, 'batch_id', m.batch_id, 'lot', b.lot, 'change', m.change,
      'quantity_after', m.quantity_after, 'kind', m.kind, 'order_id', m.order_id, 'reason', m.reason,
      'moved_at', m.moved_at, 'moved_by', m.moved_by_name
    ) as row
    from public.stock_movements as m
    join public.product_batches as b using (batch_id)
    where m.batch_id = any (v_lots) and (p_before is null or m.movement_id < p_before)
    order by m.movement_id desc
    limit v_limit + 1
  ) as page;
  return jsonb_build_object(
    'movements', coalesce(v_rows - v_limit, '[]'),
    'count', least(coalesce(jsonb_array_length(v_rows), 0), v_limit),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'movement_id' end
  );
end;
$$;

grant execute on function
  public.list_inventory(integer, text, boolean),
  public.product_inventory(text),
  public.expiring_lots(integer, boolean, integer, bigint),
  public.list_stock_movements(text, bigint, integer, bigint)
to authenticated;
-- The functions above run with the caller's rights; row-level security still decides.
grant execute on function
  private.reserved_packs(bigint[]),
  private.lot_json(public.product_batches, integer),
  private.lot_json(public.product_batches),
  private.inventory_of(text[])
to authenticated;
