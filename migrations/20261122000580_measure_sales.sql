-- What operations looks at: events that are dead, and how many orders and refusals there were since it last looked.

-- Events that have used up their attempts, the oldest first.
create function public.dead_events(p_limit integer default 100)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'event_id', d.event_id, 'event_type', d.event_type, 'order_id', d.order_id, 'error', d.last_error,
    'created_at', d.created_at, 'dead_at', d.dead_at
  ) order by d.dead_at, d.position), '[]')
  from (
    select * from public.outbox_events
    where dead_at is not null
    order by dead_at, position
    limit least(greatest(p_limit, 1), 1000)
  ) as d;
$$;

-- Until when sales have been counted. Locked while counting, so that each moment is counted once.
create table public.sales_measured (
  only_row boolean not null default true,
  until timestamptz not null default now(),
  constraint sales_measured_pkey primary key (only_row),
  constraint sales_measured_single check (only_row)
);

insert into public.sales_measured default values;

alter table public.sales_measured enable row level security;
grant select, insert, update, delete on public.sales_measured to service_role;

create index decisions_decided_at_idx on public.decisions (decided_at);

-- Orders placed and refusals decided since the last call: {orders, refusals: {code: decisions that refused for it}}.
-- The last half minute is left for the next call: what was decided in it may not be committed yet.
create function public.measure_sales()
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_until timestamptz := now() - interval '30 seconds';
  v_since timestamptz;
begin
  select until into v_since from public.sales_measured for update;
  if v_until <= v_since then
    return '{"orders": 0, "refusals": {}}';
  end if;
  update public.sales_measured set until = v_until;
  return jsonb_build_object(
    'orders', (
      select count(*) from public.orders
      where placed_at > v_since and placed_at <= v_until and placed_by <> 'import'
    ),
    'refusals', coalesce((
      select jsonb_object_agg(refused.code, refused.number)
      from (
        select f.finding ->> 'code' as code, count(distinct d.decision_id) as number
        from public.decisions as d
        cross join lateral jsonb_array_elements(d.findings) as f (finding)
        where d.decided_at > v_since and d.decided_at <= v_until and f.finding ->> 'severity' = 'block'
        group by 1
      ) as refused
    ), '{}')
  );
end;
$$;

grant execute on function public.dead_events(integer), public.measure_sales() to service_role;
