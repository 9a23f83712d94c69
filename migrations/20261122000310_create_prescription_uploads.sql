-- Uploaded prescriptions: the private bucket, who may put what into it, and the way from a file to a prescription.
--
-- An upload is opened here first, which gives it a place in storage; then the file is put there, by nobody else and
-- nowhere else; then the upload is finished, which makes the prescription. Whatever fails on the way leaves at most
-- a file that belongs to no prescription and that its sender may remove, never a prescription without its file.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (
  'prescriptions', 'prescriptions', false, 10485760,
  array['image/jpeg', 'image/png', 'image/webp', 'application/pdf']
)
on conflict (id) do update
set public = false, file_size_limit = excluded.file_size_limit, allowed_mime_types = excluded.allowed_mime_types;

insert into public.rate_limits (kind, most, per_seconds)
values ('upload_attempt', 60, 3600);

create table public.prescription_uploads (
  upload_id uuid not null default gen_random_uuid(),
  patient_id text not null,
  -- Who sent it: the patient, or staff for them. No foreign key: the record outlives the account.
  uploaded_by uuid not null,
  -- Below the patient's own folder; nothing of it comes from the sender.
  file_path text not null,
  content_type text not null,
  -- Bytes, as announced until it is finished.
  size integer not null,
  -- Of the file, in hex; unknown before it was seen.
  sha256 text,
  -- Of the request that sends the file; kept until its answer is.
  idempotency_key text,
  prescription_id text,
  -- What a program read in it, and which: `text` of a document, `model` of a picture.
  extracted_text text not null default '',
  created_at timestamptz not null default now(),
  -- Until then the file may be put in its place and the upload be finished.
  expires_at timestamptz not null,
  constraint prescription_uploads_pkey primary key (upload_id),
  constraint prescription_uploads_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint prescription_uploads_prescription_id_fkey
    foreign key (prescription_id) references public.prescriptions (prescription_id) on delete set null,
  constraint prescription_uploads_file_path_key unique (file_path),
  constraint prescription_uploads_prescription_id_key unique (prescription_id),
  constraint prescription_uploads_key_key unique (uploaded_by, idempotency_key),
  constraint prescription_uploads_own_folder check (starts_with(file_path, patient_id || '/')),
  constraint prescription_uploads_size_range check (size between 1 and 10485760),
  constraint prescription_uploads_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint prescription_uploads_text_length check (length(extracted_text) <= 20000)
);

create index prescription_uploads_patient_id_idx on public.prescription_uploads (patient_id);
create index prescription_uploads_sha256_idx on public.prescription_uploads (sha256);
create index prescription_uploads_unfinished_idx on public.prescription_uploads (uploaded_by, expires_at)
  where prescription_id is null;

alter table public.prescription_uploads enable row level security;
grant select on public.prescription_uploads to authenticated;
grant select, insert, update, delete on public.prescription_uploads to service_role;

create policy prescription_uploads_read_own_or_staff on public.prescription_uploads
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- The files: a patient reads their own, a pharmacist all, and whoever sent one may see it. They are put only where an
-- upload of one's own is open, and never replaced; removed only while they belong to no prescription.
create policy prescriptions_read_own_or_pharmacist on storage.objects
  for select to authenticated
  using (
    bucket_id = 'prescriptions'
    and (
      (storage.foldername(name))[1] = (select private.current_patient_id())
      or (select private.current_staff_role()) = 'pharmacist'
      or exists (
        select from public.prescription_uploads as u
        where u.file_path = objects.name and u.uploaded_by = (select auth.uid())
      )
    )
  );

create policy prescriptions_put_where_opened on storage.objects
  for insert to authenticated
  with check (
    bucket_id = 'prescriptions'
    and exists (
      select from public.prescription_uploads as u
      where u.file_path = objects.name
        and u.uploaded_by = (select auth.uid())
        and u.prescription_id is null
        and u.expires_at > now()
    )
  );

create policy prescriptions_remove_unfinished on storage.objects
  for delete to authenticated
  using (
    bucket_id = 'prescriptions'
    and exists (
      select from public.prescription_uploads as u
      where u.file_path = objects.name and u.uploaded_by = (select auth.uid()) and u.prescription_id is null
    )
  );

-- definer: callers see only objects that the policies show them.
create function private.is_stored(p_file_path text)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (select from storage.objects where bucket_id = 'prescriptions' and name = p_file_path);
$$;

-- Ties a prescription to its file. It must be there, be the patient's own and belong to no other prescription.
-- definer: whoever may make a prescription need not be able to write uploads.
create function private.tie_file()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.prescription_uploads
  set prescription_id = new.prescription_id
  where file_path = new.file_path
    and patient_id = new.patient_id
    and (prescription_id is null or prescription_id = new.prescription_id);
  if not found or not private.is_stored(new.file_path) then
    perform private.fail(422, 'invalid_file_path', 'There is no such file of this patient.');
  end if;
  return null;
end;
$$;

create trigger prescriptions_tied_to_file after insert or update of file_path on public.prescriptions
  for each row when (new.file_path is not null)
  execute function private.tie_file();

-- The request that an idempotency key stands for.
create function private.upload_request(p_patient_id text, p_sha256 text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_array('upload_prescription', p_patient_id, p_sha256);
$$;

-- {prescription_id, status, extracted_text, items}
create function private.upload_answer(p_upload public.prescription_uploads)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'prescription_id', (p_upload).prescription_id,
    'status', (select status from public.prescriptions where prescription_id = (p_upload).prescription_id),
    'extracted_text', (p_upload).extracted_text,
    'items', private.suggestions_json((p_upload).prescription_id)
  );
$$;

-- Says whether a file may be looked at on behalf of a patient: the caller's own, or one named by staff. Returns
-- {patient_id, answer}, the latter for a request that was answered before. Fails with 401, 403, 404, with 409 and
-- 422 for the key, with 429 after too many.
-- definer: counters and keys are written by nobody directly.
create function public.admit_upload(p_patient_id text, p_sha256 text, p_idempotency_key text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_answer jsonb := private.recall_answer(p_idempotency_key, private.upload_request(v_patient_id, p_sha256));
begin
  if v_answer is null then
    perform private.take_rate('upload_attempt', v_patient_id);
  end if;
  return jsonb_build_object('patient_id', v_patient_id, 'answer', v_answer);
end;
$$;

-- Opens an upload: {upload_id, patient_id, file_path, content_type, size, expires_at, left_over}. `left_over` are
-- files of the caller's earlier uploads that never became prescriptions: to be removed. With `p_sha256` the file
-- follows at once, otherwise within two hours. A request that was answered meanwhile gets {answer}.
-- definer: uploads are written by nobody directly; the patient is the caller's own, or named by staff.
create function public.open_upload(
  p_patient_id text, p_content_type text, p_size integer, p_sha256 text default null,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_ending text := case p_content_type
    when 'image/jpeg' then 'jpg' when 'image/png' then 'png' when 'image/webp' then 'webp' when 'application/pdf' then 'pdf'
  end;
  v_request jsonb := case
    when p_sha256 is null then jsonb_build_array('open_upload', v_patient_id, p_content_type, p_size)
    else private.upload_request(v_patient_id, p_sha256)
  end;
  v_upload public.prescription_uploads;
  v_answer jsonb;
begin
  if v_ending is null then
    perform private.fail(415, 'unsupported_file', 'Send a photo (JPEG, PNG or WebP) or a PDF of the prescription.');
  end if;
  v_answer := private.recall_answer(p_idempotency_key, v_request);
  if v_answer is not null then
    return case when p_sha256 is null then v_answer else jsonb_build_object('answer', v_answer) end;
  end if;
  perform private.take_rate('upload', v_patient_id);

  -- What ended on the way gives its key back after a minute, longer than any request lasts.
  update public.prescription_uploads
  set idempotency_key = null, expires_at = least(expires_at, now())
  where uploaded_by = auth.uid() and idempotency_key = p_idempotency_key and created_at < now() - interval '1 minute';
  delete from public.prescription_uploads
  where uploaded_by = auth.uid() and prescription_id is null
    and expires_at < now() and created_at < now() - interval '3 hours' and not private.is_stored(file_path);

  insert into public.prescription_uploads
    (upload_id, patient_id, uploaded_by, file_path, content_type, size, sha256, idempotency_key, expires_at)
  select
    id, v_patient_id, auth.uid(), format('%s/%s.%s', v_patient_id, id, v_ending), p_content_type, p_size, p_sha256,
    case when p_sha256 is not null then p_idempotency_key end, now() + case when p_sha256 is null then interval '2 hours' else interval '10 minutes' end
  from gen_random_uuid() as id
  on conflict on constraint prescription_uploads_key_key do nothing
  returning * into v_upload;
  if v_upload.upload_id is null then
    perform private.fail(409, 'request_in_progress', 'The same request is still being worked on.');
  end if;

  v_answer := jsonb_build_object(
    'upload_id', v_upload.upload_id, 'patient_id', v_patient_id, 'file_path', v_upload.file_path,
    'content_type', v_upload.content_type, 'size', v_upload.size, 'expires_at', v_upload.expires_at,
    'left_over', coalesce((
      select jsonb_agg(u.file_path)
      from public.prescription_uploads as u
      where u.uploaded_by = auth.uid() and u.prescription_id is null and u.expires_at < now()
        and private.is_stored(u.file_path)
    ), '[]')
  );
  if p_sha256 is null then
    perform private.keep_answer(p_idempotency_key, v_request, v_answer);
  end if;
  return v_answer;
exception
  when check_violation or not_null_violation then
    perform private.fail(422, 'invalid_upload', 'A file has 1 to 10,485,760 bytes.');
end;
$$;

-- The caller's own upload, locked. Fails with 404.
create function private.own_upload(p_upload_id uuid)
returns public.prescription_uploads
language plpgsql
set search_path = ''
as $$
declare
  v_upload public.prescription_uploads;
begin
  select * into v_upload
  from public.prescription_uploads
  where upload_id = p_upload_id and uploaded_by = auth.uid()
  for no key update;
  if v_upload.upload_id is null then
    perform private.fail(404, 'upload_not_found', 'There is no such upload.');
  end if;
  return v_upload;
end;
$$;

-- An upload that waits for its file: {upload_id, file_path, content_type, size, answer}, the latter when it is finished.
-- Fails with 404, with 409 when its time is over.
-- definer: the row is locked while it is looked at.
create function public.find_upload(p_upload_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_upload public.prescription_uploads := private.own_upload(p_upload_id);
begin
  if v_upload.prescription_id is null and v_upload.expires_at < now() then
    perform private.fail(409, 'upload_expired', 'The time for this upload is over. Please start again.');
  end if;
  return jsonb_build_object(
    'upload_id', v_upload.upload_id, 'file_path', v_upload.file_path, 'content_type', v_upload.content_type,
    'size', v_upload.size, 'answer', case when v_upload.prescription_id is not null then private.upload_answer(v_upload) end
  );
end;
$$;

-- Makes the prescription of an upload whose file is in its place: {prescription_id, status, extracted_text, items}.
-- `p_lines` are what was read, as private.suggest_items takes it; `p_read_by` is `text` or `model`. Finishing twice
-- gives the same answer. Fails with 404, 409 (upload_expired, file_missing), 422.
-- definer: prescriptions and uploads are written by nobody directly; the upload is the caller's own.
create function public.finish_upload(
  p_upload_id uuid, p_size integer, p_sha256 text, p_text text default '', p_lines jsonb default '[]',
  p_read_by text default 'text'
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_upload public.prescription_uploads := private.own_upload(p_upload_id);
  v_prescription_id text;
  v_answer jsonb;
begin
  if v_upload.prescription_id is not null then
    return private.upload_answer(v_upload);
  end if;
  perform private.require_patient(v_upload.patient_id);
  if v_upload.expires_at < now() then
    perform private.fail(409, 'upload_expired', 'The time for this upload is over. Please start again.');
  end if;
  if not private.is_stored(v_upload.file_path) then
    perform private.fail(409, 'file_missing', 'The file of this upload has not arrived yet.');
  end if;
  if coalesce(v_upload.sha256 <> p_sha256, p_sha256 is null) then
    perform private.fail(422, 'invalid_upload', 'This is not the file that was announced.');
  end if;

  update public.prescription_uploads
  set size = p_size, sha256 = p_sha256, extracted_text = coalesce(p_text, ''), idempotency_key = null
  where upload_id = p_upload_id;
  insert into public.prescriptions (patient_id, file_path)
  values (v_upload.patient_id, v_upload.file_path)
  returning prescription_id into v_prescription_id;
  perform private.suggest_items(v_prescription_id, p_lines, p_read_by = 'text');
  perform private.audit_of(
    'upload_prescription', v_prescription_id, jsonb_build_object('sha256', p_sha256, 'size', p_size), v_upload.patient_id
  );

  select private.upload_answer(u) into v_answer from public.prescription_uploads as u where upload_id = p_upload_id;
  perform private.keep_answer(
    v_upload.idempotency_key, private.upload_request(v_upload.patient_id, p_sha256), v_answer
  );
  return v_answer;
exception
  when check_violation or not_null_violation then
    perform private.fail(422, 'invalid_upload', 'Size, hash or text of the file are not possible.');
end;
$$;

-- Gives an upload up: nothing more is put in its place or made of it, and its key is free again.
-- definer: uploads are written by nobody directly; the upload is the caller's own.
create function public.abandon_upload(p_upload_id uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_upload public.prescription_uploads := private.own_upload(p_upload_id);
begin
  if v_upload.prescription_id is not null then
    perform private.fail(409, 'upload_finished', 'This upload is a prescription already.');
  end if;
  if private.is_stored(v_upload.file_path) or v_upload.sha256 is null then
    update public.prescription_uploads
    set expires_at = least(expires_at, now()), idempotency_key = null
    where upload_id = p_upload_id;
  else
    delete from public.prescription_uploads where upload_id = p_upload_id;
  end if;
end;
$$;

-- Where the file of a prescription is: {file_path, content_type, size, uploaded_at, extracted_text}, for its patient
-- and for pharmacists, whose looking is recorded. Fails with 401, 403, 404.
-- definer: the audit log is written by nobody directly.
create function public.prescription_file(p_prescription_id text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.current_patient_id();
  v_prescription public.prescriptions;
  v_upload public.prescription_uploads;
begin
  if v_patient_id is null then
    perform private.require_pharmacist();
  end if;
  select * into v_prescription from public.prescriptions where prescription_id = p_prescription_id;
  if v_prescription.prescription_id is null or v_prescription.patient_id <> v_patient_id then
    perform private.fail(404, 'prescription_not_found', 'There is no such prescription.');
  end if;
  select * into v_upload from public.prescription_uploads where prescription_id = p_prescription_id;
  if v_upload.upload_id is null then
    perform private.fail(404, 'no_file', 'This prescription was handed in without a file.');
  end if;
  if v_patient_id is null then
    perform private.audit_of('open_prescription_file', p_prescription_id, '{}', v_prescription.patient_id);
  end if;
  return jsonb_build_object(
    'file_path', v_upload.file_path, 'content_type', v_upload.content_type, 'size', v_upload.size,
    'uploaded_at', v_upload.created_at, 'extracted_text', v_upload.extracted_text
  );
end;
$$;

-- The file of a prescription as lists show it, or null. Staff also sees which other prescriptions came with the very
-- same file, whoever's they are.
create function private.file_json(p_prescription_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'content_type', u.content_type, 'size', u.size, 'uploaded_at', u.created_at,
    'uploaded_by', case
      when u.uploaded_by = (select p.user_id from public.patients as p where p.patient_id = u.patient_id)
        then 'patient' else 'staff'
    end,
    'same_as', case when private.is_staff() then coalesce((
      select jsonb_agg(other.prescription_id order by other.created_at, other.prescription_id)
      from public.prescription_uploads as other
      where other.sha256 = u.sha256 and other.prescription_id <> u.prescription_id
    ), '[]') end
  ))
  from public.prescription_uploads as u
  where u.prescription_id = p_prescription_id;
$$;

-- One prescription as pharmacists and its patient see it.
create or replace function private.prescription_json(p_prescription public.prescriptions)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select to_jsonb(p_prescription) - 'file_path' || jsonb_build_object(
    'items', coalesce((
      select jsonb_agg(jsonb_build_object(
        'ingredient', i.ingredient, 'strength', i.strength, 'units', i.units, 'repeats', i.repeats,
        'dispensed_units', i.dispensed_units, 'dosage_frequency', i.dosage_frequency, 'units_per_dose', i.units_per_dose
      ) order by i.prescription_item_id)
      from public.prescription_items as i
      where i.prescription_id = (p_prescription).prescription_id
    ), '[]'),
    'suggested_items', private.suggestions_json((p_prescription).prescription_id),
    'file', private.file_json((p_prescription).prescription_id)
  );
$$;

grant execute on function private.file_json(text) to authenticated;

grant execute on function
  public.admit_upload(text, text, text),
  public.open_upload(text, text, integer, text, text),
  public.find_upload(uuid),
  public.finish_upload(uuid, integer, text, text, jsonb, text),
  public.abandon_upload(uuid),
  public.prescription_file(text)
to authenticated;
