-- Patients whom the pharmacy knew before they had an account (imported ones) get their record by registering with its
-- e-mail, but only if Auth has seen that the e-mail is theirs: a record holds prescriptions, and anybody can type an
-- address.

create index patients_without_account_idx on public.patients (email) where user_id is null;

-- Whether an account's owner has answered an e-mail to its address. Where Auth asks for no answer it marks addresses
-- as confirmed as well, but has never sent anything there.
-- definer: accounts are Auth's own table.
create function private.has_answered_email(p_user_id uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from auth.users
    where id = p_user_id
      and email_confirmed_at > least(confirmation_sent_at, invited_at)
      -- The address that was answered for, not one put in its place since.
      and email_change_sent_at is null
  );
$$;

-- Whether an e-mail is that of a patient without an account, and no account has shown that it is theirs. Asked before
-- an account is made that could not have the record.
-- definer: patients and accounts are read for somebody who is nobody yet; the caller shows the function's key.
create function public.has_unclaimed_record(p_key text, p_email text)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform private.require_function_key('accounts', p_key);
  return exists (select from public.patients where email = lower(p_email) and user_id is null)
    and not exists (
      select from auth.users as u where u.email = lower(p_email) and private.has_answered_email(u.id)
    );
end;
$$;

grant execute on function public.has_unclaimed_record(text, text) to anon;

-- Makes the signed-in account a patient: a new one, or the one that the pharmacy knows by the account's e-mail. Of a
-- known one everything stays, and what was missing or is a further allergy is added. A repeated call returns the
-- profile that is there.
-- definer: nobody may insert patients directly, or they could choose their own id and owner.
create or replace function public.register_patient(
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
  -- What Auth says now; a token may be an hour old.
  v_email text := (select lower(email) from auth.users where id = auth.uid());
  v_known public.patients;
begin
  if v_user_id is null or v_email is null then
    perform private.fail(401, 'unauthenticated', 'Please sign in first.');
  end if;
  if private.is_staff() then
    perform private.fail(409, 'is_staff', 'A staff account cannot be a patient as well.');
  end if;
  if private.current_patient_id() is not null then
    return public.patient_profile();
  end if;

  select * into v_known from public.patients where email = v_email for no key update;
  if v_known.user_id is not null then
    perform private.fail(409, 'email_taken', 'An account with this e-mail already exists.');
  elsif v_known.patient_id is null then
    insert into public.patients
      (user_id, name, email, phone, age_years, age_recorded_on, gender, allergies, preferred_language)
    values (
      v_user_id, btrim(p_name), v_email, nullif(btrim(p_phone), ''), p_age,
      case when p_age is not null then private.today() end,
      initcap(nullif(btrim(p_gender), '')), private.clean_list(p_allergies), coalesce(p_preferred_language, 'en')
    );
    perform private.audit('patient_registered', private.current_patient_id());
  elsif private.has_answered_email(v_user_id) then
    update public.patients
    set
      user_id = v_user_id,
      phone = coalesce(phone, nullif(btrim(p_phone), '')),
      age_recorded_on = case when age_years is null and p_age is not null then private.today() else age_recorded_on end,
      age_years = coalesce(age_years, p_age),
      gender = coalesce(gender, initcap(nullif(btrim(p_gender), ''))),
      allergies = case when allergies is null then private.clean_list(p_allergies) else allergies || array(
        select said from unnest(private.clean_list(p_allergies)) as said
        where private.allergy_key(said) <> all (private.allergy_keys(allergies))
      ) end
    where patient_id = v_known.patient_id;
    perform private.audit('record_claimed', v_known.patient_id);
  else
    perform private.fail(
      409, 'record_exists', 'The pharmacy already has your record under this e-mail. Please ask us to open your account.'
    );
  end if;
  return public.patient_profile();
exception
  -- The same person in two windows: the other has finished first.
  when unique_violation then
    if private.current_patient_id() is not null then
      return public.patient_profile();
    end if;
    perform private.fail(409, 'email_taken', 'An account with this e-mail already exists.');
  when check_violation or not_null_violation or numeric_value_out_of_range then
    perform private.fail(422, 'invalid_profile', 'A value of the profile is not allowed.');
end;
$$;
