-- Prescriptions and what is left of them.

create sequence public.prescription_number;

create table public.prescriptions (
  prescription_id text not null default 'RX' || lpad(nextval('public.prescription_number')::text, 3, '0'),
  patient_id text not null,
  status text not null default 'pending',
  prescriber text,
  issued_on date,
  valid_until date,
  file_path text,
  reviewed_by uuid,
  reviewed_at timestamptz,
  review_reason text,
  created_at timestamptz not null default now(),
  constraint prescriptions_pkey primary key (prescription_id),
  constraint prescriptions_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint prescriptions_reviewed_by_fkey foreign key (reviewed_by) references public.staff (user_id),
  constraint prescriptions_status_known check (status in ('pending', 'verified', 'rejected', 'expired')),
  constraint prescriptions_verified_complete check (
    status <> 'verified' or (prescriber is not null and issued_on is not null and valid_until is not null)
  ),
  constraint prescriptions_validity_ordered check (valid_until >= issued_on)
);

alter sequence public.prescription_number owned by public.prescriptions.prescription_id;
create index prescriptions_patient_id_idx on public.prescriptions (patient_id, status);

-- An item covers its ingredient (or combination, as the catalogue writes it) at its strength. `units` is one
-- fill; it may be filled 1 + `repeats` times until the validity ends.
create table public.prescription_items (
  prescription_item_id bigint generated always as identity,
  prescription_id text not null,
  ingredient text not null,
  strength text not null,
  units integer not null,
  repeats smallint not null default 0,
  dispensed_units integer not null default 0,
  dosage_frequency text not null,
  units_per_dose numeric not null default 1,
  constraint prescription_items_pkey primary key (prescription_item_id),
  constraint prescription_items_composition_key unique (prescription_id, ingredient, strength),
  constraint prescription_items_prescription_id_fkey
    foreign key (prescription_id) references public.prescriptions (prescription_id) on delete cascade,
  constraint prescription_items_dosage_frequency_fkey
    foreign key (dosage_frequency) references public.dosage_frequencies (dosage_frequency),
  constraint prescription_items_units_positive check (units > 0),
  constraint prescription_items_repeats_range check (repeats between 0 and 24),
  constraint prescription_items_dose_positive check (units_per_dose > 0),
  -- Packs are not cut: the last one may exceed what was left, so there is no upper bound here; whether a pack
  -- may still be dispensed is decided in private.verify_items, under the lock of this row.
  constraint prescription_items_dispensed_not_negative check (dispensed_units >= 0)
);

alter table public.prescriptions enable row level security;
alter table public.prescription_items enable row level security;

grant select on public.prescriptions, public.prescription_items to authenticated;
grant select, insert, update, delete on public.prescriptions, public.prescription_items to service_role;

create policy prescriptions_read_own_or_staff on public.prescriptions
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

create policy prescription_items_read_own_or_staff on public.prescription_items
  for select to authenticated
  using (
    exists (
      select from public.prescriptions as p
      where p.prescription_id = prescription_items.prescription_id
        and (p.patient_id = (select private.current_patient_id()) or (select private.is_staff()))
    )
  );

-- The flat patient: the caller's own, or any for staff.
create function public.patient_profile(p_patient_id text default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  -- Asked first and by itself: in a condition on the rows it would not be asked at all where none are visible.
  v_patient_id text := private.require_patient(p_patient_id);
begin
  return (
    select private.patient_json(p) || jsonb_build_object(
      'prescription_uploaded',
      exists (select from public.prescriptions as rx where rx.patient_id = p.patient_id)
    )
    from public.patients as p
    where p.patient_id = v_patient_id
  );
end;
$$;

grant execute on function public.patient_profile(text) to authenticated;
