-- What staff does to the shelf: receiving lots, counting and correcting them, holding and releasing them.
--
-- What stops a sale may be done by any staff at once; what lets one happen again (releasing a lot, a later expiry)
-- is for a pharmacist.

-- A lot number as it is compared: two spellings of one lot would be two lots, and a recall would miss one.
create function private.lot_number(p_lot text)
returns text
language sql
immutable
set search_path = ''
as $$
  select upper(btrim(regexp_replace(normalize(p_lot, nfkc), '\s+', ' ', 'g')));
$$;

-- The text of a reason, or 422.
create function private.require_reason(p_reason text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  if coalesce(length(btrim(p_reason)), 0) not between 3 and 500 then
    perform private.fail(422, 'reason_required', 'Say why, in 3 to 500 characters.');
  end if;
  return btrim(p_reason);
end;
$$;

-- A day of an argument, or null when it is none.
create function private.read_day(p_day jsonb)
returns date
language plpgsql
immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_day) = 'string' and p_day #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
    return (p_day #>> '{}')::date;
  end if;
  return null;
exception
  when datetime_field_overflow then
    return null;
end;
$$;

-- A whole number of an argument within a range, or null when it is none.
create function private.read_number(p_number jsonb, p_least integer, p_most integer)
returns integer
language sql
immutable
set search_path = ''
as $$
  select case when jsonb_typeof(p_number) = 'number' and p_number #>> '{}' ~ '^-?[0-9]{1,9}$'
    and (p_number #>> '{}')::integer between p_least and p_most then (p_number #>> '{}')::integer end;
$$;

-- Fails with 422 unless this may be the expiry of a lot that is on the shelf. What ends today is not sold.
create function private.require_expiry(p_expiry date)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if p_expiry is null or p_expiry > private.today() + 3653 then
    perform private.fail(422, 'invalid_expiry', 'The expiry is a day (YYYY-MM-DD) within the next ten years.');
  end if;
end;
$$;

-- A lot of the product, its row locked; 404 when there is none.
create function private.require_lot(p_product_id text, p_batch_id bigint)
returns public.product_batches
language plpgsql
set search_path = ''
as $$
declare
  v_lot public.product_batches;
begin
  select * into v_lot
  from public.product_batches
  where batch_id = p_batch_id and product_id = p_product_id
  for no key update;
  if v_lot.batch_id is null then
    perform private.fail(404, 'lot_not_found', 'There is no such lot of this product.');
  end if;
  return v_lot;
end;
$$;

create function private.audit_lot(p_action text, p_lot public.product_batches, p_details jsonb)
returns void
language sql
set search_path = ''
as $$
  select private.audit_of(
    p_action, format('%s/%s', (p_lot).product_id, (p_lot).lot),
    jsonb_build_object('batch_id', (p_lot).batch_id) || p_details
  );
$$;

-- Books a delivery: {lot, expiry, packs, note?}. More of a lot that is here is added to it, and stays held with it;
-- a lot has one expiry, and what is recalled or expired is turned away at the door. Returns the lot.
-- definer: lots are written by nobody directly; the caller must be staff.
create function public.receive_lot(p_product_id text, p_delivery jsonb, p_idempotency_key text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_request jsonb := jsonb_build_array('receive_lot', p_product_id, p_delivery);
  v_number text := private.lot_number(p_delivery ->> 'lot');
  v_expiry date := private.read_day(p_delivery -> 'expiry');
  v_packs integer := private.read_number(p_delivery -> 'packs', 1, 100000);
  v_note text := nullif(btrim(p_delivery ->> 'note'), '');
  v_lot public.product_batches;
  v_answer jsonb;
begin
  perform private.require_staff();
  if v_packs is null or coalesce(length(v_number), 0) not between 1 and 50 or v_number ~ '[[:cntrl:]]'
    or length(v_note) > 500 then
    perform private.fail(422, 'invalid_delivery', 'A delivery has a lot of 1 to 50 characters and 1 to 100000 packs.');
  end if;
  perform private.require_expiry(v_expiry);
  v_answer := private.recall_answer(p_idempotency_key, v_request);
  if v_answer is not null then
    return v_answer;
  end if;
  if not exists (select from public.products where product_id = p_product_id) then
    perform private.fail(404, 'product_not_found', 'There is no such product.');
  end if;
  if v_expiry <= private.today() then
    perform private.fail(422, 'lot_expired', 'This lot has expired: send it back.');
  end if;

  insert into public.product_batches (product_id, lot, expiry, quantity)
  select p_product_id, coalesce((
    -- A lot that came another way may be written otherwise.
    select lot from public.product_batches
    where product_id = p_product_id and private.lot_number(lot) = v_number
    order by batch_id limit 1
  ), v_number), v_expiry, 0
  on conflict on constraint product_batches_lot_key do nothing;
  select * into v_lot
  from public.product_batches
  where product_id = p_product_id and private.lot_number(lot) = v_number
  order by batch_id limit 1
  for no key update;

  if v_lot.status = 'recalled' then
    perform private.fail(409, 'lot_recalled', format('Lot %s is recalled: send it back.', v_lot.lot));
  end if;
  if v_lot.expiry <> v_expiry then
    perform private.fail(
      409, 'lot_has_other_expiry', format('Lot %s is here with the expiry %s.', v_lot.lot, v_lot.expiry),
      jsonb_build_object('batch', private.lot_json(v_lot))
    );
  end if;
  update public.product_batches set quantity = quantity + v_packs
  where batch_id = v_lot.batch_id
  returning * into v_lot;
  perform private.note_movement(v_lot.batch_id, v_packs, 'received', p_reason => v_note);
  v_answer := private.lot_json(v_lot);
  perform private.keep_answer(p_idempotency_key, v_request, v_answer);
  return v_answer;
exception
  when numeric_value_out_of_range then
    perform private.fail(422, 'invalid_delivery', 'So many packs of one lot cannot be.');
end;
$$;

-- Changes what a lot, locked by the caller, holds. Packs that orders have are not there to be corrected away:
-- such an order is cancelled first.
create function private.correct_quantity(p_lot public.product_batches, p_change integer, p_reason text)
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
        where a.batch_id = v_lot.batch_id and o.status in ('awaiting_pharmacist', 'confirmed', 'processing')
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

-- Corrects one lot, with a reason, by exactly one of: {change} packs found (+) or lost (-); {counted} packs on the
-- shelf, those in orders included; {expiry} as printed. Returns the lot.
-- definer: as receive_lot.
create function public.correct_lot(
  p_product_id text, p_batch_id bigint, p_correction jsonb, p_idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_request jsonb := jsonb_build_array('correct_lot', p_product_id, p_batch_id, p_correction);
  v_change integer := private.read_number(p_correction -> 'change', -1000000, 1000000);
  v_counted integer := private.read_number(p_correction -> 'counted', 0, 1000000);
  v_expiry date := private.read_day(p_correction -> 'expiry');
  v_reason text;
  v_lot public.product_batches;
  v_answer jsonb;
begin
  perform private.require_staff();
  if jsonb_typeof(p_correction) is distinct from 'object'
    or (p_correction ? 'change')::integer + (p_correction ? 'counted')::integer + (p_correction ? 'expiry')::integer <> 1
    or num_nonnulls(v_change, v_counted, v_expiry) <> 1 or v_change = 0 then
    perform private.fail(422, 'invalid_correction', 'A correction is a change, a count or an expiry.');
  end if;
  v_reason := private.require_reason(p_correction ->> 'reason');
  v_answer := private.recall_answer(p_idempotency_key, v_request);
  if v_answer is not null then
    return v_answer;
  end if;

  v_lot := private.require_lot(p_product_id, p_batch_id);
  if v_expiry is null then
    v_lot := private.correct_quantity(v_lot, coalesce(v_change, v_counted - v_lot.quantity - coalesce(
      (select packs from private.reserved_packs(array[p_batch_id])), 0
    )), v_reason);
  elsif v_expiry <> v_lot.expiry then
    perform private.require_expiry(v_expiry);
    if v_expiry > v_lot.expiry then
      perform private.require_pharmacist();
    end if;
    perform private.audit_lot('lot_expiry', v_lot, jsonb_build_object(
      'expiry', jsonb_build_object('from', v_lot.expiry, 'to', v_expiry), 'reason', v_reason
    ));
    update public.product_batches set expiry = v_expiry where batch_id = p_batch_id returning * into v_lot;
  end if;
  v_answer := private.lot_json(v_lot);
  perform private.keep_answer(p_idempotency_key, v_request, v_answer);
  return v_answer;
end;
$$;

-- Holds (`held`), releases (`available`) or recalls (`recalled`, for good) a lot, with a reason. A lot that is so already
-- stays as it is. Returns the lot.
-- definer: as receive_lot.
create function public.set_lot_status(p_product_id text, p_batch_id bigint, p_status text, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_reason text;
  v_lot public.product_batches;
begin
  perform private.require_staff();
  if (p_status in ('available', 'held', 'recalled')) is not true then
    perform private.fail(422, 'invalid_status', 'A lot is available, held or recalled.');
  end if;
  if p_status = 'available' then
    perform private.require_pharmacist();
  end if;
  v_reason := private.require_reason(p_reason);

  v_lot := private.require_lot(p_product_id, p_batch_id);
  if v_lot.status <> p_status then
    perform private.audit_lot('lot_status', v_lot, jsonb_build_object(
      'status', jsonb_build_object('from', v_lot.status, 'to', p_status), 'reason', v_reason
    ));
    update public.product_batches
    set status = p_status, status_reason = v_reason, status_changed_at = now()
    where batch_id = p_batch_id
    returning * into v_lot;
  end if;
  return private.lot_json(v_lot);
end;
$$;

-- Sets what a product is judged by and what was counted of it: {low_stock_threshold?: packs, or null for the
-- default; counts?: [{batch_id, counted}], reason?}. Counts are of the shelf, packs in orders included, and need
-- the reason. All or nothing. Returns the product's inventory.
-- definer: as receive_lot.
create function public.set_product_inventory(p_product_id text, p_changes jsonb)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_counts jsonb := coalesce(nullif(p_changes -> 'counts', 'null'), '[]');
  v_threshold integer := private.read_number(p_changes -> 'low_stock_threshold', 0, 1000000);
  v_reason text;
  v_count record;
  v_lot public.product_batches;
begin
  perform private.require_staff();
  if jsonb_typeof(p_changes) is distinct from 'object' or jsonb_typeof(v_counts) <> 'array'
    or jsonb_array_length(v_counts) > 500
    or (v_threshold is null and coalesce(p_changes -> 'low_stock_threshold', 'null') <> 'null')
    or not (p_changes ? 'low_stock_threshold' or v_counts <> '[]') then
    perform private.fail(422, 'invalid_inventory', 'Give a low_stock_threshold, or counts of at most 500 lots.');
  end if;
  if not exists (select from public.products where product_id = p_product_id) then
    perform private.fail(404, 'product_not_found', 'There is no such product.');
  end if;

  if p_changes ? 'low_stock_threshold' then
    perform private.set_threshold(p_product_id, v_threshold);
  end if;
  if v_counts <> '[]' then
    v_reason := private.require_reason(p_changes ->> 'reason');
    if (select count(distinct c.item -> 'batch_id') from jsonb_array_elements(v_counts) as c (item))
      <> jsonb_array_length(v_counts) then
      perform private.fail(422, 'invalid_inventory', 'A count names a lot once.');
    end if;
    -- Lots are locked in the order in which placing locks them.
    perform from public.product_batches where product_id = p_product_id order by expiry, batch_id for no key update;
    for v_count in
      select
        private.read_number(c.item -> 'batch_id', 1, 999999999) as batch_id,
        private.read_number(c.item -> 'counted', 0, 1000000) as counted
      from jsonb_array_elements(v_counts) as c (item)
    loop
      if num_nulls(v_count.batch_id, v_count.counted) > 0 then
        perform private.fail(422, 'invalid_inventory', 'A count names a lot and the packs that were counted.');
      end if;
      v_lot := private.require_lot(p_product_id, v_count.batch_id);
      perform private.correct_quantity(v_lot, v_count.counted - v_lot.quantity - coalesce(
        (select packs from private.reserved_packs(array[v_count.batch_id])), 0
      ), v_reason);
    end loop;
  end if;
  return public.product_inventory(p_product_id);
end;
$$;

create function private.set_threshold(p_product_id text, p_threshold integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_before integer := (
    select low_stock_threshold from public.stock_thresholds where product_id = p_product_id for update
  );
begin
  if v_before is not distinct from p_threshold then
    return;
  end if;
  if p_threshold is null then
    delete from public.stock_thresholds where product_id = p_product_id;
  else
    insert into public.stock_thresholds (product_id, low_stock_threshold) values (p_product_id, p_threshold)
    on conflict on constraint stock_thresholds_pkey do update set low_stock_threshold = excluded.low_stock_threshold;
  end if;
  perform private.audit_of('low_stock_threshold', p_product_id, jsonb_build_object(
    'low_stock_threshold', jsonb_build_object('from', v_before, 'to', p_threshold)
  ));
end;
$$;

-- Sets what counts for products without a threshold of their own, and what "soon" means for expiries. Returns
-- {low_stock_threshold, near_expiry_days}.
-- definer: as receive_lot.
create function public.set_inventory_defaults(p_low_stock_threshold integer, p_near_expiry_days integer)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_before public.inventory_defaults;
  v_after public.inventory_defaults;
begin
  perform private.require_staff();
  select * into v_before from public.inventory_defaults for no key update;
  update public.inventory_defaults
  set low_stock_threshold = p_low_stock_threshold, near_expiry_days = p_near_expiry_days
  returning * into v_after;
  if v_after is distinct from v_before then
    perform private.audit_of('inventory_defaults', null, jsonb_build_object(
      'from', to_jsonb(v_before) - 'only_row', 'to', to_jsonb(v_after) - 'only_row'
    ));
  end if;
  return to_jsonb(v_after) - 'only_row';
exception
  when check_violation or not_null_violation then
    perform private.fail(422, 'invalid_inventory', 'A threshold is 0 to 1000000 packs, near expiry 1 to 3650 days.');
end;
$$;

grant execute on function
  public.receive_lot(text, jsonb, text),
  public.correct_lot(text, bigint, jsonb, text),
  public.set_lot_status(text, bigint, text, text),
  public.set_product_inventory(text, jsonb),
  public.set_inventory_defaults(integer, integer)
to authenticated;
