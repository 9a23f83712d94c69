-- What placing is compared with: the same rows written by hand, in tables that are the same but for their triggers,
-- and nothing verified. It is as short as it can be made: one call, a statement a table.

create schema by_hand;

create function by_hand.mirror(p_tables text[])
returns void
language plpgsql
as $$
declare
  v_table text;
  v_foreign record;
begin
  foreach v_table in array p_tables loop
    execute format('create table by_hand.%1$I (like public.%1$I including all)', v_table);
    execute format(
      'insert into by_hand.%1$I (%2$s) overriding system value select %2$s from public.%1$I', v_table, (
        select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = ('public.' || v_table)::regclass and attnum > 0 and not attisdropped and attgenerated = ''
      )
    );
    perform setval(
      pg_get_serial_sequence('by_hand.' || v_table, attname), nextval(pg_get_serial_sequence('public.' || v_table, attname))
    )
    from pg_attribute
    where attrelid = ('public.' || v_table)::regclass and attidentity <> '';
  end loop;
  for v_foreign in
    select c.conrelid::regclass as table_name, t.relname, c.conname, pg_get_constraintdef(c.oid) as definition,
      f.relname as other
    from pg_constraint as c
    join pg_class as t on t.oid = c.conrelid
    join pg_class as f on f.oid = c.confrelid
    where c.contype = 'f' and t.relnamespace = 'public'::regnamespace and t.relname = any (p_tables)
      and f.relnamespace = 'public'::regnamespace
  loop
    execute format(
      'alter table by_hand.%I add constraint %I %s', v_foreign.relname, v_foreign.conname,
      case when v_foreign.other = any (p_tables)
        then regexp_replace(v_foreign.definition, 'REFERENCES (public\.)?', 'REFERENCES by_hand.')
        else v_foreign.definition
      end
    );
  end loop;
end;
$$;

select by_hand.mirror(string_to_array(current_setting('bench.tables'), ' '));

create function by_hand.place(p_turn bench.turns)
returns text
language plpgsql
as $$
declare
  c_order_id text;
  c_trace_id constant uuid := gen_random_uuid();
  c_notification_id constant uuid := gen_random_uuid();
  v_total numeric;
  v_lines jsonb;
  v_is_prescribed boolean;
begin
  -- In one order, or two that want the same lots would wait for each other.
  perform
  from by_hand.product_batches
  where product_id in (select a.item ->> 'product_id' from jsonb_array_elements(p_turn.items) as a (item))
    and status = 'available' and quantity > 0
  order by product_id, expiry, batch_id
  for no key update;

  select
    sum((a.item ->> 'packs')::integer * p.price), bool_or(p.prescription_required),
    jsonb_agg(jsonb_build_object(
      'product_id', p.product_id, 'product_name', p.product_name, 'quantity', a.item -> 'packs',
      'unit_price', p.price, 'line_total', (a.item ->> 'packs')::integer * p.price,
      'package_size', p.package_size, 'dosage_frequency', 'as_needed', 'units_per_dose', 1, 'warnings', '[]'::jsonb
    ) order by a.line)
  into v_total, v_is_prescribed, v_lines
  from jsonb_array_elements(p_turn.items) with ordinality as a (item, line)
  join public.products as p on p.product_id = a.item ->> 'product_id';

  update by_hand.order_counter set last_number = last_number + 1
  returning 'ORD' || lpad(last_number::text, greatest(3, length(last_number::text)), '0') into c_order_id;

  insert into by_hand.orders (order_id, patient_id, status, total, placed_by)
  values (c_order_id, p_turn.patient_id, 'confirmed', v_total, 'patient');

  insert into by_hand.order_items (order_id, line, product_id, packs, unit_price, dosage_frequency, units_per_dose, warnings)
  select
    c_order_id, a.line, a.item ->> 'product_id', (a.item ->> 'quantity')::integer, (a.item ->> 'unit_price')::numeric,
    a.item ->> 'dosage_frequency', 1, '[]'
  from jsonb_array_elements(v_lines) with ordinality as a (item, line);

  with taken as (
    select distinct on (a.line) b.batch_id, a.line, (a.item ->> 'quantity')::integer as packs
    from jsonb_array_elements(v_lines) with ordinality as a (item, line)
    join by_hand.product_batches as b on b.product_id = a.item ->> 'product_id'
    where b.status = 'available' and b.quantity >= (a.item ->> 'quantity')::integer
    order by a.line, b.expiry, b.batch_id
  ),
  reduced as (
    update by_hand.product_batches as b
    set quantity = b.quantity - t.packs
    from taken as t
    where b.batch_id = t.batch_id
    returning b.batch_id, b.quantity, t.line, t.packs
  ),
  moved as (
    insert into by_hand.stock_movements (batch_id, change, quantity_after, kind, order_id, moved_by, moved_by_name)
    select batch_id, -packs, quantity, 'sold', c_order_id, p_turn.user_id, p_turn.patient_id from reduced
  )
  insert into by_hand.order_allocations (order_id, line, batch_id, packs)
  select c_order_id, line, batch_id, packs from reduced;

  if v_is_prescribed then
    with used as (
      select distinct on (l.line) l.line, i.prescription_item_id, l.packs * p.units_per_pack as units
      from by_hand.order_items as l
      join public.products as p using (product_id)
      join public.prescriptions as r on r.patient_id = p_turn.patient_id
      join by_hand.prescription_items as i
        on i.prescription_id = r.prescription_id and i.ingredient = p.active_ingredient and i.strength = p.strength
      where l.order_id = c_order_id and p.prescription_required
      order by l.line, i.prescription_item_id
    ),
    booked as (
      update by_hand.prescription_items as i set dispensed_units = i.dispensed_units + u.units
      from used as u
      where i.prescription_item_id = u.prescription_item_id
    )
    insert into by_hand.prescription_uses (order_id, line, prescription_item_id, units)
    select c_order_id, line, prescription_item_id, units from used;
  end if;

  insert into by_hand.notifications (notification_id, patient_id, kind, subject, arguments, dedupe_key, not_before)
  values (
    c_notification_id, p_turn.patient_id, 'order.confirmed', 'order:' || c_order_id,
    jsonb_build_object('order_id', c_order_id, 'retrying', false), 'order.confirmed:' || c_order_id || ':0', now()
  );
  insert into by_hand.outbox_events (event_type, order_id, payload, notification_id, correlation_id)
  values
    ('notification', null, '{}', c_notification_id, gen_random_uuid()::text),
    ('order.confirmed', c_order_id, jsonb_build_object(
      'order_id', c_order_id, 'ship_to', p_turn.patient_id, 'items', p_turn.items
    ), null, gen_random_uuid()::text);

  insert into by_hand.decisions
    (trace_id, patient_id, kind, request, outcome, rule_set_version, findings, checks, order_id)
  values (
    c_trace_id, p_turn.patient_id, 'order', jsonb_build_object('items', p_turn.items, 'by', p_turn.user_id), 'placed',
    p_turn.verification ->> 'rule_set', p_turn.verification -> 'findings', p_turn.verification -> 'checks', c_order_id
  );

  insert into by_hand.idempotency_keys (user_id, key, request_hash, response)
  values (
    p_turn.user_id, 'bench ' || p_turn.turn, encode(sha256(convert_to(p_turn.request::text, 'UTF8')), 'hex'),
    jsonb_build_object(
      'outcome', 'placed', 'trace_id', c_trace_id, 'findings', p_turn.verification -> 'findings',
      'questions', '[]'::jsonb, 'rejected_items', '[]'::jsonb, 'order', jsonb_build_object(
        'order_id', c_order_id, 'status', 'confirmed', 'status_reason', null, 'total_price', v_total,
        'placed_at', now(), 'tracking', null, 'items', v_lines
      )
    )
  );
  return c_order_id;
end;
$$;

-- Nothing keeps a cart from being placed by hand again.
create sequence bench.next_by_hand;

create function bench.order_by_hand()
returns text
language plpgsql
as $$
declare
  v_number bigint := nextval('bench.next_by_hand');
  v_turn bench.turns;
begin
  select * into strict v_turn from bench.turns where turn = 1 + (v_number - 1) % (select carts from bench.turns_made);
  v_turn.turn := v_number;
  return by_hand.place(v_turn);
end;
$$;

analyze;
