-- What a queued notification is when its time has come: by which channel, to whom, or not at all.

-- A telephone number as the channels want it ("+919876543210"), or null. Ten digits alone are Indian.
create function private.e164(p_phone text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when digits ~ '^[6-9][0-9]{9}$' then '+91' || digits
    when digits ~ '^0[6-9][0-9]{9}$' then '+91' || substr(digits, 2)
    when digits ~ '^\+[1-9][0-9]{7,14}$' then digits
  end
  from (select regexp_replace(p_phone, '[\s().-]', '', 'g')) as cleaned (digits);
$$;

-- Ends a notification that will not be sent, with its event.
create function private.drop_notification(p_notification_id uuid, p_status text)
returns void
language sql
set search_path = ''
as $$
  with dropped as (
    update public.notifications set status = p_status where notification_id = p_notification_id
  ),
  annulled as (
    update public.outbox_events
    set annulled_at = now(), lease_token = null, leased_until = null
    where notification_id = p_notification_id
    returning correlation_id
  )
  insert into public.notification_attempts (notification_id, channel, outcome, correlation_id)
  select p_notification_id, 'none', p_status, correlation_id from annulled;
$$;

-- The notification of an event that the caller has claimed, out of the channels that this deployment has:
--   {state: send, channel, address, language, kind, arguments}
--   {state: waiting | superseded | expired | unwanted | undeliverable | stale}   nothing to send, all is settled
-- The channel is the patient's own choice; where that is impossible, or has refused the address, e-mail and then
-- the others. `console` needs no address.
create function public.prepare_notification(p_event_id uuid, p_lease_token uuid, p_channels text[])
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_event public.outbox_events;
  v_notification public.notifications;
  v_patient public.patients;
  v_choice text;
  v_quiet_until timestamptz;
  v_way record;
begin
  select * into v_event
  from public.outbox_events
  where event_id = p_event_id and lease_token = p_lease_token
    and num_nonnulls(delivered_at, dead_at, annulled_at) = 0
  for update;
  select * into v_notification from public.notifications where notification_id = v_event.notification_id for update;
  if v_notification.status is distinct from 'queued' then
    return '{"state": "stale"}';
  end if;
  select * into v_patient from public.patients where patient_id = v_notification.patient_id;
  v_choice := coalesce(
    (select channel from public.notification_preferences where patient_id = v_patient.patient_id), 'email'
  );

  if v_choice = 'none' then
    perform private.drop_notification(v_notification.notification_id, 'unwanted');
    return '{"state": "unwanted"}';
  end if;
  if now() > v_notification.not_before + (
    select keeps_for from public.notification_kinds where kind = v_notification.kind
  ) then
    perform private.drop_notification(v_notification.notification_id, 'expired');
    return '{"state": "expired"}';
  end if;
  if exists (
    select from public.notifications as later
    where later.subject = v_notification.subject and later.patient_id = v_notification.patient_id
      and later.created_at > v_notification.created_at
      and later.not_before <= now() and later.status in ('queued', 'sent')
  ) then
    perform private.drop_notification(v_notification.notification_id, 'superseded');
    return '{"state": "superseded"}';
  end if;

  v_quiet_until := private.after_quiet_hours(v_patient.patient_id, now());
  if v_quiet_until > now() then
    update public.outbox_events
    set available_at = v_quiet_until, lease_token = null, leased_until = null, claims = claims - 1
    where event_id = p_event_id;
    return '{"state": "waiting"}';
  end if;

  select way.* into v_way
  from (values
    ('email', v_patient.email),
    ('sms', private.e164(v_patient.phone)),
    ('whatsapp', private.e164(v_patient.phone)),
    ('console', '')
  ) as way (channel, address)
  where way.channel = any (p_channels) and way.address is not null
    and not exists (
      select from public.notification_attempts as a
      where a.notification_id = v_notification.notification_id and a.channel = way.channel and a.outcome = 'refused'
    )
  order by way.channel = v_choice desc, array_position(array['email', 'sms', 'whatsapp', 'console'], way.channel)
  limit 1;
  if v_way.channel is null then
    perform private.drop_notification(v_notification.notification_id, 'undeliverable');
    return '{"state": "undeliverable"}';
  end if;
  return jsonb_build_object(
    'state', 'send', 'channel', v_way.channel, 'address', v_way.address, 'language', v_patient.preferred_language,
    'kind', v_notification.kind, 'arguments', v_notification.arguments
  );
end;
$$;

grant execute on function
  private.e164(text),
  private.drop_notification(uuid, text),
  public.prepare_notification(uuid, uuid, text[])
to service_role;
