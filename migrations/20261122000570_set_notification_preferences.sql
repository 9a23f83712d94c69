-- How a patient wants to be told, asked and changed by the patient, or by staff for them.

-- {channel, time_zone, quiet_from, quiet_until} of the caller, or of any patient for staff.
create function public.notification_preferences(p_patient_id text default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
begin
  return (
    select jsonb_build_object(
      'channel', coalesce(p.channel, 'email'), 'time_zone', coalesce(p.time_zone, 'Asia/Kolkata'),
      'quiet_from', to_char(coalesce(p.quiet_from, '21:00'), 'HH24:MI'),
      'quiet_until', to_char(coalesce(p.quiet_until, '09:00'), 'HH24:MI')
    )
    from (select v_patient_id as patient_id) as one
    left join public.notification_preferences as p using (patient_id)
  );
end;
$$;

-- Sets them, all at once, and returns them. What waits already goes by the new ones.
-- definer: preferences are written by nobody directly; the patient is the caller's own, or named by staff.
create function public.set_notification_preferences(
  p_channel text, p_time_zone text, p_quiet_from time, p_quiet_until time, p_patient_id text default null
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
begin
  if not exists (select from pg_catalog.pg_timezone_names where name = p_time_zone) then
    perform private.fail(422, 'unknown_time_zone', 'There is no such time zone.');
  end if;
  insert into public.notification_preferences (patient_id, channel, time_zone, quiet_from, quiet_until)
  values (v_patient_id, p_channel, p_time_zone, p_quiet_from, p_quiet_until)
  on conflict on constraint notification_preferences_pkey do update
  set channel = excluded.channel, time_zone = excluded.time_zone,
    quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until;
  return public.notification_preferences(v_patient_id);
exception
  when check_violation or not_null_violation then
    perform private.fail(422, 'invalid_preferences', 'The channel is email, sms, whatsapp or none.');
end;
$$;

grant execute on function
  public.notification_preferences(text),
  public.set_notification_preferences(text, text, time, time, text)
to authenticated;
