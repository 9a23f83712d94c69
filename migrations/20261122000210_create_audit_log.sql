-- Who changed what about whom, and what it was before. Added to, never changed.

create table public.audit_log (
  audit_id bigint generated always as identity,
  happened_at timestamptz not null default now(),
  -- Null for what the pharmacy's own services do. No foreign key: a record outlives the account it names.
  actor uuid,
  actor_role text not null,
  action text not null,
  patient_id text,
  -- {field: {from, to}}, or what else the action is about.
  details jsonb not null default '{}',
  constraint audit_log_pkey primary key (audit_id),
  constraint audit_log_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint audit_log_actor_role_known check (actor_role in ('patient', 'admin', 'pharmacist', 'service'))
);

create index audit_log_patient_id_idx on public.audit_log (patient_id, audit_id desc);

alter table public.audit_log enable row level security;

grant select on public.audit_log to authenticated;
grant select, insert on public.audit_log to service_role;

create policy audit_log_read_staff on public.audit_log
  for select to authenticated
  using ((select private.is_staff()));

create trigger audit_log_append_only before update or delete or truncate on public.audit_log
  for each statement execute function private.refuse_change();

-- Records, in the transaction of the change itself, what the caller did.
create function private.audit(p_action text, p_patient_id text default null, p_details jsonb default '{}')
returns void
language sql
set search_path = ''
as $$
  insert into public.audit_log (actor, actor_role, action, patient_id, details)
  values (
    auth.uid(),
    case when auth.uid() is null then 'service' else coalesce(private.current_staff_role(), 'patient') end,
    p_action, p_patient_id, p_details
  );
$$;
