-- What a patient is told outside the conversation. It is queued in the transaction it is about and leaves through
-- the outbox like everything else; words, channel and language are chosen when it is sent.

create table public.notification_kinds (
  kind text not null,
  -- Unsent after this long it is no news any more and is dropped.
  keeps_for interval not null,
  constraint notification_kinds_pkey primary key (kind)
);

insert into public.notification_kinds (kind, keeps_for) values
  ('order.confirmed', '2 days'),
  ('order.shipped', '3 days'),
  ('order.delivered', '3 days'),
  ('order.failed', '7 days'),
  ('order.cancelled', '7 days'),
  ('prescription.verified', '7 days'),
  ('prescription.rejected', '7 days'),
  ('refill.due', '3 days');

-- How a patient wants to be told; without a row: by e-mail, in Indian time, at night not at all.
create table public.notification_preferences (
  patient_id text not null,
  channel text not null default 'email',
  time_zone text not null default 'Asia/Kolkata',
  -- Local time; the same time twice means no quiet hours.
  quiet_from time not null default '21:00',
  quiet_until time not null default '09:00',
  constraint notification_preferences_pkey primary key (patient_id),
  constraint notification_preferences_patient_id_fkey
    foreign key (patient_id) references public.patients (patient_id) on delete cascade,
  constraint notification_preferences_channel_known check (channel in ('email', 'sms', 'whatsapp', 'none'))
);

create table public.notifications (
  notification_id uuid not null default gen_random_uuid(),
  patient_id text not null,
  kind text not null,
  -- What it is about, such as an order: of two that wait, only the later is news.
  subject text not null,
  -- What the template needs.
  arguments jsonb not null default '{}',
  -- Whoever queues the same key again gets the first one.
  dedupe_key text not null,
  not_before timestamptz not null,
  status text not null default 'queued',
  -- By which channel it was sent, and when.
  channel text,
  sent_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  constraint notifications_pkey primary key (notification_id),
  constraint notifications_dedupe_key_key unique (dedupe_key),
  constraint notifications_patient_id_fkey
    foreign key (patient_id) references public.patients (patient_id) on delete cascade,
  constraint notifications_kind_fkey foreign key (kind) references public.notification_kinds (kind),
  constraint notifications_arguments_object check (jsonb_typeof(arguments) = 'object'),
  constraint notifications_arguments_size check (length(arguments::text) <= 8192),
  -- sent; superseded: a later one about the same said more; expired: too late to be news; unwanted: the patient
  -- wants none; undeliverable: every channel and attempt failed.
  constraint notifications_status_known check (
    status in ('queued', 'sent', 'superseded', 'expired', 'unwanted', 'undeliverable')
  ),
  constraint notifications_sent_complete check ((status = 'sent') = (sent_at is not null and channel is not null))
);

create index notifications_patient_id_idx on public.notifications (patient_id, created_at desc);
create index notifications_subject_idx on public.notifications (subject, created_at);
create index notifications_kind_idx on public.notifications (kind);

alter table public.outbox_events add column notification_id uuid;
alter table public.outbox_events add constraint outbox_events_notification_id_fkey
  foreign key (notification_id) references public.notifications (notification_id) on delete cascade;
alter table public.outbox_events add constraint outbox_events_notification_id_key unique (notification_id);

alter table public.notification_kinds enable row level security;
alter table public.notification_preferences enable row level security;
alter table public.notifications enable row level security;

grant select on public.notification_preferences, public.notifications to authenticated;
grant select, insert, update, delete on
  public.notification_kinds, public.notification_preferences, public.notifications
to service_role;

create policy notification_preferences_read_own_or_staff on public.notification_preferences
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));
create policy notifications_read_own_or_staff on public.notifications
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- The time zone in which a patient's days begin and end.
create function private.patient_time_zone(p_patient_id text)
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(
    (select time_zone from public.notification_preferences where patient_id = p_patient_id), 'Asia/Kolkata'
  );
$$;

-- The moment itself, or the end of the patient's quiet hours when it falls into them.
create function private.after_quiet_hours(p_patient_id text, p_at timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  with preference as (
    select
      coalesce(p.time_zone, 'Asia/Kolkata') as time_zone,
      coalesce(p.quiet_from, '21:00') as quiet_from,
      coalesce(p.quiet_until, '09:00') as quiet_until
    from (select p_patient_id as patient_id) as one
    left join public.notification_preferences as p using (patient_id)
  ),
  here as (
    select *, p_at at time zone time_zone as moment from preference
  )
  select case
    when quiet_from < quiet_until and moment::time >= quiet_from and moment::time < quiet_until
      or quiet_from > quiet_until and moment::time < quiet_until
      then (moment::date + quiet_until) at time zone time_zone
    when quiet_from > quiet_until and moment::time >= quiet_from
      then (moment::date + 1 + quiet_until) at time zone time_zone
    else p_at
  end
  from here;
$$;

-- Queues a notification, once a key; returns its id, also when it was there already. It leaves with the
-- transaction that queues it, not before `p_not_before`, and never in the patient's quiet hours.
create function private.queue_notification(
  p_patient_id text, p_kind text, p_subject text, p_arguments jsonb, p_key text, p_not_before timestamptz default now()
)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_notification_id uuid;
begin
  insert into public.notifications (patient_id, kind, subject, arguments, dedupe_key, not_before)
  values (p_patient_id, p_kind, p_subject, coalesce(p_arguments, '{}'), p_key, coalesce(p_not_before, now()))
  on conflict on constraint notifications_dedupe_key_key do nothing
  returning notification_id into v_notification_id;
  if v_notification_id is null then
    return (select notification_id from public.notifications where dedupe_key = p_key);
  end if;

  insert into public.outbox_events (event_type, payload, notification_id, available_at)
  values (
    'notification', '{}', v_notification_id,
    private.after_quiet_hours(p_patient_id, greatest(coalesce(p_not_before, now()), now()))
  );
  return v_notification_id;
end;
$$;

grant execute on function
  private.patient_time_zone(text),
  private.after_quiet_hours(text, timestamptz),
  private.queue_notification(text, text, text, jsonb, text, timestamptz)
to service_role;
