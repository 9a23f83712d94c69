-- Patients are told of what becomes of their orders and prescriptions, whoever it was that moved them.

-- Queues what a patient hears of an order's present status. Each status is told each time it is reached.
create function private.tell_of_order_now(p_order public.orders)
returns void
language sql
set search_path = ''
as $$
  select private.queue_notification(
    (p_order).patient_id, 'order.' || (p_order).status, 'order:' || (p_order).order_id,
    jsonb_strip_nulls(jsonb_build_object(
      'order_id', (p_order).order_id,
      'tracking_number', (p_order).tracking_number,
      -- Whether the partner will be asked again.
      'retrying', (p_order).status = 'failed' and exists (
        select from public.outbox_events as e
        where e.order_id = (p_order).order_id and e.event_type = 'order.confirmed'
          and num_nonnulls(e.delivered_at, e.dead_at, e.annulled_at) = 0
      )
    )),
    format('order.%s:%s:%s', (p_order).status, (p_order).order_id, (
      select count(*) from public.notifications as n
      where n.subject = 'order:' || (p_order).order_id and n.kind = 'order.' || (p_order).status
    ))
  );
$$;

create function private.tell_of_order()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform private.tell_of_order_now(new);
  return null;
end;
$$;

-- What was imported happened long ago.
create trigger orders_tell_when_placed after insert on public.orders
  for each row when (new.status = 'confirmed' and new.placed_by <> 'import')
  execute function private.tell_of_order();

create trigger orders_tell_when_moved after update of status on public.orders
  for each row when (
    old.status is distinct from new.status
    and new.status in ('confirmed', 'shipped', 'delivered', 'failed', 'cancelled')
  )
  execute function private.tell_of_order();

create function private.tell_of_prescription()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform private.queue_notification(
    new.patient_id, 'prescription.' || new.status, 'prescription:' || new.prescription_id,
    jsonb_build_object('prescription_id', new.prescription_id),
    format('prescription.%s:%s', new.status, new.prescription_id)
  );
  return null;
end;
$$;

create trigger prescriptions_tell_when_reviewed after update of status on public.prescriptions
  for each row when (old.status = 'pending' and new.status in ('verified', 'rejected'))
  execute function private.tell_of_prescription();

grant execute on function
  private.tell_of_order_now(public.orders), private.tell_of_order(), private.tell_of_prescription() to service_role;
