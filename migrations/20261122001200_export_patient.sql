-- Everything that is stored about one patient, found by the catalogue: a table that holds patients' rows, itself or
-- over its foreign keys, is part of it without anybody having to remember.

-- The condition under which a row (alias `t`) of a table belongs to the patient $1; null for a table of nobody's.
create function private.rows_of_patient(p_table regclass, p_alias text default 't')
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_key record;
  v_above text;
  v_conditions text[] := '{}';
begin
  if exists (
    select from pg_catalog.pg_attribute where attrelid = p_table and attname = 'patient_id' and not attisdropped
  ) then
    return format('%I.patient_id = $1', p_alias);
  end if;
  for v_key in
    select k.confrelid::regclass as parent, string_agg(
      format('%I.%I = %I.%I', p_alias, mine.attname, p_alias || 'p', theirs.attname), ' and '
    ) as joined
    from pg_catalog.pg_constraint as k
    join pg_catalog.pg_class as c on c.oid = k.confrelid and c.relnamespace = 'public'::regnamespace
    cross join lateral unnest(k.conkey, k.confkey) as pair (mine, theirs)
    join pg_catalog.pg_attribute as mine on mine.attrelid = k.conrelid and mine.attnum = pair.mine
    join pg_catalog.pg_attribute as theirs on theirs.attrelid = k.confrelid and theirs.attnum = pair.theirs
    where k.conrelid = p_table and k.contype = 'f' and k.confrelid <> k.conrelid
    group by k.oid, k.confrelid, k.conname
    order by k.conname
  loop
    v_above := private.rows_of_patient(v_key.parent, p_alias || 'p');
    if v_above is not null then
      v_conditions := v_conditions || format(
        'exists (select from %s as %I where %s and (%s))', v_key.parent, p_alias || 'p', v_key.joined, v_above
      );
    end if;
  end loop;
  return array_to_string(nullif(v_conditions, '{}'), ' or ');
end;
$$;

-- {table: [row, ...]} of the patient, tables without a row left out.
create function private.stored_about(p_patient_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_table record;
  v_rows jsonb;
  v_found jsonb := '{}';
begin
  for v_table in
    select c.oid::regclass as id, c.relname as name, private.rows_of_patient(c.oid::regclass) as condition
    from pg_catalog.pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname
  loop
    continue when v_table.condition is null;
    execute format('select jsonb_agg(to_jsonb(t)) from %s as t where %s', v_table.id, v_table.condition)
      into v_rows using p_patient_id;
    if v_rows is not null then
      v_found := v_found || jsonb_build_object(v_table.name, v_rows);
    end if;
  end loop;
  -- What no key of the database leads to.
  select jsonb_agg(to_jsonb(w)) into v_rows
  from public.webhook_events as w
  join public.orders as o using (order_id)
  where o.patient_id = p_patient_id;
  if v_rows is not null then
    v_found := v_found || jsonb_build_object('webhook_events', v_rows);
  end if;
  select jsonb_agg(to_jsonb(k)) into v_rows
  from public.idempotency_keys as k
  join public.patients as p using (user_id)
  where p.patient_id = p_patient_id;
  if v_rows is not null then
    v_found := v_found || jsonb_build_object('idempotency_keys', v_rows);
  end if;
  return v_found;
end;
$$;

-- For the patient, or an admin for them; that it was taken is recorded.
-- definer: the caller does not see every table that holds something about them.
create function public.export_patient(p_patient_id text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_own_or_admin(p_patient_id);
begin
  perform private.audit('patient_exported', v_patient_id);
  return jsonb_build_object(
    'patient_id', v_patient_id,
    'exported_at', now(),
    'tables', private.stored_about(v_patient_id),
    -- Their addresses: GET /api/prescriptions/{id}/file shows each while there is one.
    'files', coalesce((
      select jsonb_agg(jsonb_build_object(
        'prescription_id', u.prescription_id, 'content_type', u.content_type, 'size', u.size, 'sent_at', u.created_at
      ) order by u.created_at)
      from public.prescription_uploads as u
      where u.patient_id = v_patient_id
    ), '[]')
  );
end;
$$;

-- The patient that somebody may ask about everything: oneself, or for an admin any there is.
-- definer: reads patients and staff, whoever asks.
create function private.require_own_or_admin(p_patient_id text)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
begin
  if v_patient_id is distinct from private.current_patient_id()
    and private.current_staff_role() is distinct from 'admin'
  then
    perform private.fail(403, 'forbidden', 'Only an admin may do this for a patient.');
  end if;
  return v_patient_id;
end;
$$;

grant execute on function public.export_patient(text) to authenticated;
