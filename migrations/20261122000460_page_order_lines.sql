-- All orders for staff, at any number of them: a page starts at its place in the index, and counting asks no row whose
-- it is.

-- All orders, a row a line, newest first: {orders, count, pending, delivered, next_cursor}. The three numbers
-- count lines over all pages; pending is what is still on its way to the patient. `p_before` is the id of a row; after
-- one that does not exist there is nothing.
-- definer: whoever is staff sees every order; the policies would find that out once more for each line that is counted.
create or replace function public.list_order_lines(p_limit integer default 200, p_before text default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 200), 1), 500);
  v_before_line smallint := substring(p_before from '-([0-9]{1,4})$')::smallint;
  v_placed_at timestamptz := 'infinity';
  v_order_id text := '';
  v_rows jsonb;
begin
  perform private.require_staff();
  if p_before is not null then
    select placed_at, order_id into v_placed_at, v_order_id
    from public.orders where order_id = substring(p_before from '^(.*)-[0-9]{1,4}$');
  end if;
  select jsonb_agg(page.row order by page.placed_at desc, page.order_id desc, page.line)
  into v_rows
  from (
    select o.placed_at, o.order_id, i.line, private.order_line_json(o, i) as row
    from public.orders as o
    join public.order_items as i using (order_id)
    where (o.placed_at, o.order_id) <= (v_placed_at, v_order_id)
      and (o.order_id <> v_order_id or i.line > v_before_line)
    order by o.placed_at desc, o.order_id desc, i.line
    limit v_limit + 1
  ) as page;
  return (
    select jsonb_build_object(
      'orders', coalesce(v_rows - v_limit, '[]'),
      'count', coalesce(sum(lines.n), 0),
      'pending', coalesce(sum(lines.n) filter (where lines.status not in ('delivered', 'cancelled', 'failed')), 0),
      'delivered', coalesce(sum(lines.n) filter (where lines.status = 'delivered'), 0),
      'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'order_id' end
    )
    from (
      select o.status, count(*) as n
      from public.orders as o
      join public.order_items as i using (order_id)
      group by o.status
    ) as lines
  );
end;
$$;
