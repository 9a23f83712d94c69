-- Patients and staff: who somebody is, and what the rest of the database may conclude from it.

create sequence public.patient_number;

create table public.patients (
  patient_id text not null default 'PAT' || lpad(nextval('public.patient_number')::text, 3, '0'),
  user_id uuid,
  name text not null,
  email text not null,
  phone text,
  -- The age as it was given, and when: the age of today follows from both (private.age_today).
  age_years smallint,
  age_recorded_on date,
  gender text,
  -- null: never asked; empty: asked, none known.
  allergies text[],
  conditions text[],
  preferred_language text not null default 'en',
  preferred_store text,
  created_at timestamptz not null default now(),
  constraint patients_pkey primary key (patient_id),
  constraint patients_user_id_key unique (user_id),
  constraint patients_user_id_fkey foreign key (user_id) references auth.users (id) on delete set null,
  constraint patients_email_key unique (email),
  constraint patients_email_lower check (email = lower(email)),
  constraint patients_name_length check (length(name) between 1 and 200),
  constraint patients_age_range check (age_years between 0 and 130),
  constraint patients_age_has_date check ((age_years is null) = (age_recorded_on is null)),
  constraint patients_gender_known check (gender in ('Male', 'Female', 'Other')),
  constraint patients_language_known check (preferred_language in ('en', 'hi', 'mr'))
);

alter sequence public.patient_number owned by public.patients.patient_id;

create table public.staff (
  user_id uuid not null,
  username text not null,
  name text not null,
  role text not null,
  created_at timestamptz not null default now(),
  constraint staff_pkey primary key (user_id),
  constraint staff_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
  constraint staff_username_key unique (username),
  constraint staff_role_known check (role in ('admin', 'pharmacist'))
);

-- definer: policies of every table ask this; with the caller's rights they would ask themselves in a circle.
create function private.current_patient_id()
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select patient_id from public.patients where user_id = (select auth.uid());
$$;

-- definer: as above.
create function private.current_staff_role()
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select role from public.staff where user_id = (select auth.uid());
$$;

create function private.is_staff()
returns boolean
language sql
stable
set search_path = ''
as $$
  select private.current_staff_role() is not null;
$$;

grant execute on function private.current_patient_id(), private.current_staff_role(), private.is_staff()
  to anon, authenticated, service_role;

create function private.age_today(p_age_years smallint, p_recorded_on date)
returns integer
language sql
stable
set search_path = ''
as $$
  select p_age_years + extract(year from age(private.today(), p_recorded_on))::integer;
$$;

alter table public.patients enable row level security;
alter table public.staff enable row level security;

grant select on public.patients, public.staff to authenticated;
grant select, insert, update, delete on public.patients, public.staff to service_role;

create policy patients_read_own_or_staff on public.patients
  for select to authenticated
  using (user_id = (select auth.uid()) or (select private.is_staff()));

create policy staff_read_own_or_admin on public.staff
  for select to authenticated
  using (user_id = (select auth.uid()) or (select private.current_staff_role()) = 'admin');

-- The patient that a call is about: the caller's own, or any for staff. Fails with 401 without identity, 403
-- for somebody else's, 404 for one that does not exist (told to staff only).
-- definer: callers may not read the rows that tell these cases apart.
create function private.require_patient(p_patient_id text default null)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_own text := private.current_patient_id();
begin
  if auth.uid() is null then
    perform private.fail(401, 'unauthenticated', 'Please sign in first.');
  end if;
  if v_own is not null and coalesce(nullif(p_patient_id, ''), v_own) = v_own then
    return v_own;
  end if;
  if not private.is_staff() then
    if v_own is null then
      perform private.fail(403, 'not_a_patient', 'This account has no patient profile.');
    end if;
    perform private.fail(403, 'forbidden', 'You may only act for yourself.');
  end if;
  if nullif(p_patient_id, '') is null then
    perform private.fail(403, 'not_a_patient', 'This is a staff account: name the patient it is about.');
  end if;
  if not exists (select from public.patients where patient_id = p_patient_id) then
    perform private.fail(404, 'patient_not_found', 'There is no such patient.');
  end if;
  return p_patient_id;
end;
$$;

grant execute on function private.require_patient(text) to authenticated, service_role;

-- {patient_id, name, email, phone, age, gender, preferred_store, allergies, conditions, preferred_language}
create function private.patient_json(p_patient public.patients)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'patient_id', (p_patient).patient_id,
    'name', (p_patient).name,
    'email', (p_patient).email,
    'phone', (p_patient).phone,
    'age', private.age_today((p_patient).age_years, (p_patient).age_recorded_on),
    'gender', (p_patient).gender,
    'preferred_store', (p_patient).preferred_store,
    'allergies', to_jsonb((p_patient).allergies),
    'conditions', to_jsonb((p_patient).conditions),
    'preferred_language', (p_patient).preferred_language
  );
$$;

grant execute on function private.patient_json(public.patients), private.age_today(smallint, date)
  to authenticated, service_role;

-- Makes the signed-in account a patient. A repeated call returns the profile that is there.
-- definer: nobody may insert patients directly, or they could choose their own id and owner.
create function public.register_patient(
  p_name text,
  p_phone text default null,
  p_age integer default null,
  p_gender text default null,
  p_allergies text[] default null,
  p_preferred_language text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_email text := lower(auth.jwt() ->> 'email');
  v_patient public.patients;
begin
  if v_user_id is null or v_email is null then
    perform private.fail(401, 'unauthenticated', 'Please sign in first.');
  end if;
  if private.is_staff() then
    perform private.fail(409, 'is_staff', 'A staff account cannot be a patient as well.');
  end if;

  insert into public.patients as p
    (user_id, name, email, phone, age_years, age_recorded_on, gender, allergies, preferred_language)
  values (
    v_user_id, btrim(p_name), v_email, nullif(btrim(p_phone), ''), p_age,
    case when p_age is not null then private.today() end,
    initcap(nullif(btrim(p_gender), '')), private.clean_list(p_allergies), coalesce(p_preferred_language, 'en')
  )
  on conflict (user_id) do nothing
  returning * into v_patient;

  if v_patient.patient_id is null then
    select * into v_patient from public.patients where user_id = v_user_id;
  end if;
  return private.patient_json(v_patient) || '{"prescription_uploaded": false}';
exception
  when unique_violation then
    perform private.fail(409, 'email_taken', 'An account with this e-mail already exists.');
  when check_violation or not_null_violation or numeric_value_out_of_range then
    perform private.fail(422, 'invalid_profile', 'A value of the profile is not allowed.');
end;
$$;

-- Stated allergies and conditions as a clean list: trimmed, no blanks, and "none" in its usual spellings is
-- an empty list, never an entry. Null stays null: never asked.
create function private.clean_list(p_values text[])
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
  ), '{}') end;
$$;

-- {username, name, role} of the caller, or null for somebody who is no staff.
create function public.staff_profile()
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object('username', username, 'name', name, 'role', role)
  from public.staff
  where user_id = (select auth.uid());
$$;

grant execute on function
  public.register_patient(text, text, integer, text, text[], text),
  public.staff_profile()
to authenticated;
