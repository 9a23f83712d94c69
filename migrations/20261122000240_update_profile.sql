-- A patient's profile is changed here and nowhere else. What is said is stored; what is not said stays. An allergy
-- that a new list lacks stays in force until a pharmacist has agreed to remove it.

alter table public.patients
  add constraint patients_store_known check (
    preferred_store in ('Netmeds', 'Apollo Pharmacy', 'MedPlus', 'Pharmeasy', 'Local Pharmacy')
  ),
  add constraint patients_phone_length check (length(phone) <= 40) not valid,
  add constraint patients_allergies_bounded check (
    cardinality(allergies) <= 100 and length(array_to_string(allergies, '')) <= 10000
  ) not valid;

create table public.allergy_removals (
  removal_id bigint generated always as identity,
  patient_id text not null,
  -- As it stands in the patient's list.
  allergy text not null,
  requested_by uuid not null,
  requested_at timestamptz not null default now(),
  -- withdrawn: the patient has named the allergy again.
  status text not null default 'pending',
  decided_by uuid,
  decided_at timestamptz,
  reason text,
  constraint allergy_removals_pkey primary key (removal_id),
  constraint allergy_removals_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint allergy_removals_decided_by_fkey foreign key (decided_by) references public.staff (user_id),
  constraint allergy_removals_status_known check (status in ('pending', 'removed', 'kept', 'withdrawn')),
  constraint allergy_removals_decision_complete check (
    status not in ('removed', 'kept') or (decided_by is not null and decided_at is not null and reason is not null)
  ),
  constraint allergy_removals_reason_given check (length(btrim(reason)) between 3 and 1000)
);

create unique index allergy_removals_pending_key on public.allergy_removals (patient_id, allergy)
  where status = 'pending';
create index allergy_removals_status_idx on public.allergy_removals (status, removal_id);
create index allergy_removals_decided_by_idx on public.allergy_removals (decided_by);

alter table public.allergy_removals enable row level security;

grant select on public.allergy_removals to authenticated;
grant select, insert, update on public.allergy_removals to service_role;

create policy allergy_removals_read_own_or_staff on public.allergy_removals
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- Stated allergies and conditions as a clean list: trimmed, no blanks, and "none" in its usual spellings is an empty
-- list, never an entry. Null stays null: never asked. As before, but a text in a script of which normalise_name keeps
-- nothing stays as it was written: nobody here can read it, so it is no "none" but something to ask about.
create or replace function private.clean_list(p_values text[])
returns text[]
language sql
immutable
set search_path = ''
as $$
  select case when p_values is null then null else coalesce((
    select array_agg(distinct btrim(v) order by btrim(v))
    from unnest(p_values) as v
    where private.normalise_name(v) not in
      ('', 'none', 'no', 'nil', 'na', 'n a', 'no allergies', 'none known', 'no known allergies', 'nahi', 'नहीं', 'नाही')
      or private.normalise_name(v) = '' and v ~ '[^\x01-\x7f]'
  ), '{}') end;
$$;

-- What makes two stated allergies the same one.
create function private.allergy_key(p_allergy text)
returns text
language sql
immutable
set search_path = ''
as $$
  select coalesce(nullif(private.normalise_name(p_allergy), ''), lower(btrim(p_allergy)));
$$;

create function private.allergy_keys(p_allergies text[])
returns text[]
language sql
immutable
set search_path = ''
as $$
  select coalesce(array_agg(private.allergy_key(a)), '{}') from unnest(p_allergies) as a;
$$;

create function private.removal_json(p_removal public.allergy_removals)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'removal_id', (p_removal).removal_id,
    'patient_id', (p_removal).patient_id,
    'patient_name', p.name,
    'allergy', (p_removal).allergy,
    'requested_at', (p_removal).requested_at,
    'requested_by', case when (p_removal).requested_by = p.user_id then 'patient' else 'staff' end,
    'status', (p_removal).status,
    'decided_at', (p_removal).decided_at,
    'reason', (p_removal).reason
  )
  from public.patients as p
  where p.patient_id = (p_removal).patient_id;
$$;

grant execute on function private.removal_json(public.allergy_removals) to authenticated;

-- The flat patient, as before, with the allergies whose removal waits for a pharmacist: they still stand.
create or replace function public.patient_profile(p_patient_id text default null)
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
      exists (select from public.prescriptions as rx where rx.patient_id = p.patient_id),
      'allergies_to_remove', array(
        select r.allergy from public.allergy_removals as r
        where r.patient_id = p.patient_id and r.status = 'pending'
        order by r.removal_id
      )
    )
    from public.patients as p
    where p.patient_id = v_patient_id
  );
end;
$$;

-- What a new list of allergies makes of the one that stands. A list without an entry says nothing, "none" says that
-- none are known. New ones are added at once; for those that the list lacks, a removal is requested.
create function private.restate_allergies(p_patient public.patients, p_said jsonb)
returns text[]
language plpgsql
set search_path = ''
as $$
declare
  v_said text[] := private.clean_list(private.text_array(p_said));
  v_said_keys text[] := private.allergy_keys(v_said);
  v_standing_keys text[] := private.allergy_keys((p_patient).allergies);
  v_withdrawn jsonb;
  v_requested jsonb;
begin
  if private.allergy_keys(private.text_array(p_said)) <@ array[''] then
    return (p_patient).allergies;
  end if;
  if (p_patient).allergies is null then
    return v_said;
  end if;

  with withdrawn as (
    update public.allergy_removals set status = 'withdrawn', decided_at = now()
    where patient_id = (p_patient).patient_id and status = 'pending' and private.allergy_key(allergy) = any (v_said_keys)
    returning allergy
  )
  select jsonb_agg(allergy) into v_withdrawn from withdrawn;
  with requested as (
    insert into public.allergy_removals (patient_id, allergy, requested_by)
    select (p_patient).patient_id, standing, auth.uid()
    from unnest((p_patient).allergies) as standing
    where private.allergy_key(standing) <> all (v_said_keys)
    on conflict (patient_id, allergy) where status = 'pending' do nothing
    returning allergy
  )
  select jsonb_agg(allergy) into v_requested from requested;
  if v_withdrawn is not null or v_requested is not null then
    perform private.audit(
      'allergy_removal_requested', (p_patient).patient_id,
      jsonb_strip_nulls(jsonb_build_object('requested', v_requested, 'withdrawn', v_withdrawn))
    );
  end if;

  return (p_patient).allergies || array(
    select said from unnest(v_said) as said where private.allergy_key(said) <> all (v_standing_keys)
  );
end;
$$;

-- Changes a profile: {name, phone, gender, allergies, preferred_store}, each only if it is said; null removes a
-- phone, a gender or a store. Returns the flat patient.
-- definer: patients are written by nobody directly; the patient is the caller's own, or named by staff.
create function public.update_patient(p_changes jsonb, p_patient_id text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_before public.patients;
  v_after public.patients;
begin
  if (
    jsonb_typeof(p_changes) = 'object'
    and jsonb_typeof(coalesce(p_changes -> 'name', '""')) = 'string'
    and jsonb_typeof(coalesce(p_changes -> 'phone', 'null')) in ('string', 'null')
    and jsonb_typeof(coalesce(p_changes -> 'gender', 'null')) in ('string', 'null')
    and jsonb_typeof(coalesce(p_changes -> 'preferred_store', 'null')) in ('string', 'null')
    and jsonb_typeof(coalesce(p_changes -> 'allergies', 'null')) in ('array', 'null')
    and length(p_changes::text) <= 65536
  ) is not true then
    perform private.fail(422, 'invalid_profile', 'A value of the profile is not allowed.');
  end if;

  select * into v_before from public.patients where patient_id = v_patient_id for no key update;
  update public.patients
  set
    name = case when p_changes ? 'name' then btrim(p_changes ->> 'name') else name end,
    phone = case when p_changes ? 'phone' then btrim(p_changes ->> 'phone') else phone end,
    gender = case when p_changes ? 'gender' then p_changes ->> 'gender' else gender end,
    preferred_store = case when p_changes ? 'preferred_store' then p_changes ->> 'preferred_store' else preferred_store end,
    allergies = private.restate_allergies(v_before, p_changes -> 'allergies')
  where patient_id = v_patient_id
  returning * into v_after;

  if v_after is distinct from v_before then
    perform private.audit('patient_updated', v_patient_id, (
      select jsonb_object_agg(b.key, jsonb_build_object('from', b.value, 'to', to_jsonb(v_after) -> b.key))
      from jsonb_each(to_jsonb(v_before)) as b
      where b.value <> to_jsonb(v_after) -> b.key
    ));
  end if;
  return public.patient_profile(v_patient_id);
exception
  when check_violation or not_null_violation then
    perform private.fail(422, 'invalid_profile', 'A value of the profile is not allowed.');
end;
$$;

-- Removals of allergies by status, oldest first: [{removal_id, patient_id, patient_name, allergy, requested_at,
-- requested_by: patient | staff, status, decided_at, reason}].
create function public.list_allergy_removals(p_status text default 'pending')
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
  perform private.require_staff();
  return coalesce((
    select jsonb_agg(private.removal_json(r) order by r.removal_id)
    from (
      select * from public.allergy_removals where status = p_status order by removal_id limit 200
    ) as r
  ), '[]');
end;
$$;

-- Ends a request: `remove` takes the allergy off the patient's list, `keep` leaves it there. Either way with a reason.
-- definer: patients are written by nobody directly; the caller must be a pharmacist.
create function public.decide_allergy_removal(p_removal_id bigint, p_decision text, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_pharmacist uuid := private.require_pharmacist();
  v_removal public.allergy_removals;
begin
  if (p_decision in ('remove', 'keep')) is not true then
    perform private.fail(422, 'invalid_decision', 'The decision is remove or keep.');
  end if;
  if (length(btrim(p_reason)) between 3 and 1000) is not true then
    perform private.fail(422, 'reason_required', 'A decision about an allergy needs a reason.');
  end if;
  select * into v_removal from public.allergy_removals where removal_id = p_removal_id;
  if v_removal.removal_id is null then
    perform private.fail(404, 'removal_not_found', 'There is no such request.');
  end if;
  perform from public.patients where patient_id = v_removal.patient_id for no key update;
  select * into v_removal from public.allergy_removals where removal_id = p_removal_id for no key update;
  if v_removal.status <> 'pending' then
    perform private.fail(409, 'removal_decided', 'This request is not open any more.');
  end if;

  update public.allergy_removals
  set
    status = case p_decision when 'remove' then 'removed' else 'kept' end,
    decided_by = v_pharmacist, decided_at = now(), reason = btrim(p_reason)
  where removal_id = p_removal_id
  returning * into v_removal;
  if p_decision = 'remove' then
    update public.patients set allergies = array_remove(allergies, v_removal.allergy)
    where patient_id = v_removal.patient_id;
  end if;
  perform private.audit(
    'allergy_removal_decided', v_removal.patient_id,
    jsonb_build_object('allergy', v_removal.allergy, 'decision', p_decision, 'reason', v_removal.reason)
  );
  return private.removal_json(v_removal);
end;
$$;

grant execute on function
  public.update_patient(jsonb, text),
  public.list_allergy_removals(text),
  public.decide_allergy_removal(bigint, text, text)
to authenticated;
