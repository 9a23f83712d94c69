-- Who moved an order, when, from what to what: every step is in the audit log, whichever function takes it.

-- The name under which the caller works here: a user name of the staff, or the patient's id. Kept with the
-- record, because accounts go and records stay.
-- definer: the log is written with whatever rights its cause has.
create function private.actor_name()
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(
    (select username from public.staff where user_id = (select auth.uid())), private.current_patient_id()
  );
$$;

grant execute on function private.actor_name() to service_role;

alter table public.audit_log
  add column actor_name text,
  -- What it was done to, when that is no patient: an order, a lot.
  add column subject text;
alter table public.audit_log alter column actor_name set default private.actor_name();

create index audit_log_subject_idx on public.audit_log (subject, audit_id);

-- Records what the caller did to something with an id of its own.
create function private.audit_of(p_action text, p_subject text, p_details jsonb, p_patient_id text default null)
returns void
language sql
set search_path = ''
as $$
  insert into public.audit_log (actor, actor_role, action, subject, patient_id, details)
  values (
    auth.uid(),
    case when auth.uid() is null then 'service' else coalesce(private.current_staff_role(), 'patient') end,
    p_action, p_subject, p_patient_id, jsonb_strip_nulls(p_details)
  );
$$;

-- definer: orders are moved with the rights of several roles, none of which may call what this calls.
create function private.audit_order_status()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.audit_of(
    'order_status', new.order_id,
    jsonb_build_object(
      'status', jsonb_build_object('from', old.status, 'to', new.status),
      'reason', case when new.status_reason is distinct from old.status_reason then new.status_reason end
    ),
    new.patient_id
  );
  return null;
end;
$$;

create trigger orders_status_audited after update of status on public.orders
  for each row when (old.status is distinct from new.status)
  execute function private.audit_order_status();

-- What became of an order (named by its own id or that of one of its lines), oldest first: {order_id, placed_at,
-- placed_by, changes: [{from, to, changed_at, changed_by, role, reason}]}.
create function public.order_history(p_order_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_order_id text := regexp_replace(p_order_id, '-[0-9]{1,4}$', '');
  v_order public.orders;
begin
  perform private.require_staff();
  select * into v_order from public.orders where order_id = v_order_id;
  if v_order.order_id is null then
    perform private.fail(404, 'order_not_found', 'There is no such order.');
  end if;
  return jsonb_build_object(
    'order_id', v_order.order_id, 'placed_at', v_order.placed_at, 'placed_by', v_order.placed_by,
    'changes', coalesce((
      select jsonb_agg(jsonb_build_object(
        'from', l.details -> 'status' -> 'from', 'to', l.details -> 'status' -> 'to',
        'changed_at', l.happened_at, 'changed_by', l.actor_name, 'role', l.actor_role,
        'reason', l.details -> 'reason'
      ) order by l.audit_id)
      from public.audit_log as l
      where l.subject = v_order_id and l.action = 'order_status'
    ), '[]')
  );
end;
$$;

grant execute on function public.order_history(text) to authenticated;
