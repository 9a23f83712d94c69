-- A pharmacist's recorded decision to let a major finding pass for one patient. It names the rule, the reason
-- and the person, lasts until either prescription ends, and shows on every order it applied to.

create table public.overrides (
  override_id bigint generated always as identity,
  patient_id text not null,
  -- As findings name their rule: "interaction:Aspirin+Warfarin".
  rule text not null,
  subject text,
  reason text not null,
  overridden_by uuid not null,
  overridden_at timestamptz not null default now(),
  valid_until date not null,
  constraint overrides_pkey primary key (override_id),
  constraint overrides_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint overrides_overridden_by_fkey foreign key (overridden_by) references public.staff (user_id),
  constraint overrides_reason_given check (length(btrim(reason)) between 3 and 1000)
);

create index overrides_patient_id_idx on public.overrides (patient_id, rule, valid_until);
create index overrides_overridden_by_idx on public.overrides (overridden_by);

alter table public.overrides enable row level security;

grant select on public.overrides to authenticated;
grant select, insert on public.overrides to service_role;

create policy overrides_read_own_or_staff on public.overrides
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- Registers and records are added to, never changed: not by the service, not by the owner of the table.
create function private.refuse_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception using errcode = '42501', message = format('%s is append-only', tg_table_name);
end;
$$;

create trigger decisions_append_only before update or delete or truncate on public.decisions
  for each statement execute function private.refuse_change();
create trigger dispense_register_append_only before update or delete or truncate on public.dispense_register
  for each statement execute function private.refuse_change();
create trigger overrides_append_only before update or delete or truncate on public.overrides
  for each statement execute function private.refuse_change();
