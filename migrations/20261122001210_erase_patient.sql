-- Erasing a patient: what makes them a person goes, what the law wants kept stays.
--
-- Kept: the register of Schedule H1 sales as it stands, with the name (Drugs Rules 1945, rule 65(3)(h)); orders with
-- their lines, lots and prices, which are the invoices, and the prescription items they used up, under the patient's
-- number alone; and that somebody was erased. The account, the profile, every message, file and reminder go.

alter table public.patients add column erased_at timestamptz;

-- Files that nothing leads to any more. Storage's own interface removes them, in a transaction of its own.
create table public.file_removals (
  file_path text not null,
  due_at timestamptz not null default now(),
  constraint file_removals_pkey primary key (file_path)
);

alter table public.file_removals enable row level security;
grant select, insert, update, delete on public.file_removals to service_role;

-- Records stay append-only, for everybody and the owner of the tables. Only what is forgotten by law or by the
-- retention periods may be emptied, by the functions that say so, and never the registers.
create or replace function private.refuse_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and tg_table_name in ('decisions', 'audit_log', 'overrides')
    and current_setting('nexus.forgetting', true) = 'on'
  then
    return null;
  end if;
  raise exception using errcode = '42501', message = format('%s is append-only', tg_table_name);
end;
$$;

-- Removes a patient's files from what is stored, and has Storage remove them.
create function private.forget_files(p_upload_ids uuid[])
returns integer
language sql
set search_path = ''
as $$
  with gone as (
    delete from public.prescription_uploads where upload_id = any (p_upload_ids) returning file_path, prescription_id
  ),
  untied as (
    update public.prescriptions as p set file_path = null
    from gone where p.prescription_id = gone.prescription_id
  ),
  queued as (
    insert into public.file_removals (file_path) select file_path from gone on conflict do nothing
  )
  select count(*)::integer from gone;
$$;

-- Every table that holds rows of patients is dealt with here, by deleting, emptying or keeping;
-- tests/database/test_personal_data.py finds one that is not.
create function private.erase_rows(p_patient_id text, p_user_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('nexus.forgetting', 'on', true);

  -- Messages and proposals go with their conversations, attempts and undelivered news with their notifications.
  delete from public.conversations where patient_id = p_patient_id;
  delete from public.notifications where patient_id = p_patient_id and notification_id not in (
    select notification_id from public.refill_alerts where notification_id is not null and patient_id <> p_patient_id
  );
  delete from public.notification_preferences where patient_id = p_patient_id;
  delete from public.refill_alerts where patient_id = p_patient_id;
  delete from public.discontinued_medicines where patient_id = p_patient_id;
  delete from public.allergy_removals where patient_id = p_patient_id;
  delete from public.rate_counters where identity = p_patient_id;

  perform private.forget_files(array(
    select upload_id from public.prescription_uploads where patient_id = p_patient_id
  ));
  -- Of prescriptions, what orders have used up.
  delete from public.prescription_suggestions as s
  using public.prescriptions as p
  where p.prescription_id = s.prescription_id and p.patient_id = p_patient_id;
  delete from public.prescription_items as i
  using public.prescriptions as p
  where p.prescription_id = i.prescription_id and p.patient_id = p_patient_id
    and not exists (
      select from public.prescription_uses as u where u.prescription_item_id = i.prescription_item_id
    );
  delete from public.prescriptions as p
  where p.patient_id = p_patient_id
    and not exists (select from public.prescription_items as i where i.prescription_id = p.prescription_id);
  update public.prescriptions set review_reason = null where patient_id = p_patient_id;

  update public.orders set status_reason = null, tracking_number = null where patient_id = p_patient_id;
  update public.order_items as i set warnings = '[]'
  from public.orders as o
  where o.order_id = i.order_id and o.patient_id = p_patient_id;
  update public.fulfilment_logs as l set detail = '{}'
  from public.orders as o
  where o.order_id = l.order_id and o.patient_id = p_patient_id;
  update public.webhook_events as w set event = '{}', error = null
  from public.orders as o
  where o.order_id = w.order_id and o.patient_id = p_patient_id;

  update public.decisions set request = '{}', findings = '[]', checks = '[]' where patient_id = p_patient_id;
  update public.overrides set reason = 'erased', subject = null where patient_id = p_patient_id;
  update public.audit_log set details = '{}' where patient_id = p_patient_id;
  update public.audit_log set actor = null where actor = p_user_id;

  update public.patients
  set
    user_id = null,
    name = 'Erased patient',
    email = lower(p_patient_id) || '@erased.invalid',
    phone = null,
    age_years = null,
    age_recorded_on = null,
    gender = null,
    allergies = null,
    conditions = null,
    preferred_language = 'en',
    preferred_store = null,
    erased_at = coalesce(erased_at, now())
  where patient_id = p_patient_id;
  delete from public.idempotency_keys where user_id = p_user_id;
  delete from auth.users where id = p_user_id;

  perform set_config('nexus.forgetting', 'off', true);
end;
$$;

-- For the patient, or an admin for them; for good, so the number is said twice. What is under way must come to its end first: a medicine must
-- not be on its way to somebody whom nobody knows any more. Erasing again changes nothing.
-- definer: nobody may delete any of this directly.
create function public.erase_patient(p_patient_id text, p_confirm text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_own_or_admin(p_patient_id);
  v_patient public.patients;
begin
  if p_confirm is distinct from v_patient_id then
    perform private.fail(422, 'not_confirmed', 'Repeat the number of the patient who is to be erased.');
  end if;
  select * into v_patient
  from public.patients
  where patient_id = v_patient_id
  for update; -- whoever writes about this patient right now is done first, or waits
  if exists (
    select from public.orders
    where patient_id = v_patient.patient_id
      and status in ('awaiting_pharmacist', 'confirmed', 'processing', 'shipped')
  ) then
    perform private.fail(409, 'orders_under_way', 'There are orders under way. Cancel them or wait until they arrive.');
  end if;
  if v_patient.erased_at is null then
    perform private.audit('patient_erased', v_patient.patient_id); -- first: it names the account, which then goes
    perform private.erase_rows(v_patient.patient_id, v_patient.user_id);
  end if;
  return (
    select jsonb_build_object(
      'patient_id', p.patient_id,
      'erased_at', p.erased_at,
      'kept', jsonb_build_object(
        'orders', (select count(*) from public.orders as o where o.patient_id = p.patient_id),
        'register_entries', (select count(*) from public.dispense_register as r where r.patient_id = p.patient_id)
      )
    )
    from public.patients as p
    where p.patient_id = v_patient.patient_id
  );
end;
$$;

grant execute on function public.erase_patient(text, text) to authenticated;
