-- Alerts: one a patient, medicine and run-out date, whatever repeats or overlaps. The scan opens and closes them;
-- buying closes them at once; staff may put one off or dismiss it. And the reminders that come of them.

create table public.refill_alerts (
  alert_id bigint generated always as identity,
  patient_id text not null,
  composition text not null,
  -- What was bought last, and how many packs.
  product_id text not null,
  packs integer not null,
  run_out_on date not null,
  status text not null default 'open',
  -- refilled: bought again; recalculated: an order of the chain was cancelled, say; lapsed: not bought again long
  -- after run-out.
  closed_reason text,
  closed_at timestamptz,
  -- Staff wants to hear of it again on this day.
  snoozed_until date,
  staff_reason text,
  -- The lead time of the last reminder, in days, and when it was queued.
  reminded_lead smallint,
  reminded_at timestamptz,
  notification_id uuid,
  -- What a reorder met when it was last looked at: see private.refill_outlook.
  advice text,
  created_at timestamptz not null default now(),
  constraint refill_alerts_pkey primary key (alert_id),
  constraint refill_alerts_once unique (patient_id, composition, run_out_on),
  constraint refill_alerts_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint refill_alerts_product_id_fkey foreign key (product_id) references public.products (product_id),
  constraint refill_alerts_notification_id_fkey
    foreign key (notification_id) references public.notifications (notification_id) on delete set null,
  constraint refill_alerts_status_known check (status in ('open', 'closed')),
  constraint refill_alerts_closed_reason_known check (closed_reason in (
    'refilled', 'recalculated', 'discontinued', 'replaced', 'lapsed', 'dismissed'
  )),
  constraint refill_alerts_closed_complete check ((status = 'closed') = (closed_reason is not null and closed_at is not null))
);

create index refill_alerts_open_idx on public.refill_alerts (patient_id, alert_id) where status = 'open';
create index refill_alerts_due_idx on public.refill_alerts (run_out_on, alert_id);
create index refill_alerts_product_id_idx on public.refill_alerts (product_id);
create index refill_alerts_notification_id_idx on public.refill_alerts (notification_id);

alter table public.refill_alerts enable row level security;
grant select on public.refill_alerts to authenticated;
grant select, insert, update, delete on public.refill_alerts to service_role;
create policy refill_alerts_read_own_or_staff on public.refill_alerts
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- The arguments of the reminder of these alerts, which share their day and their advice.
create function private.reminder_arguments(p_alert_ids bigint[], p_days_left integer, p_advice text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object('days_left', p_days_left, 'advice', p_advice, 'run_out_on', min(a.run_out_on))
    || case when count(*) = 1 then jsonb_build_object('product', min(p.product_name))
      else jsonb_build_object('products', jsonb_agg(p.product_name order by a.alert_id)) end
  from public.refill_alerts as a
  join public.products as p using (product_id)
  where a.alert_id = any (p_alert_ids);
$$;

-- Takes these alerts out of the reminders that have not left yet; one about nothing any more does not leave.
create function private.withdraw_reminders(p_alert_ids bigint[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_reminder record;
begin
  for v_reminder in
    select
      n.notification_id, (n.arguments ->> 'days_left')::integer as days_left, n.arguments ->> 'advice' as advice,
      array(
        select a.alert_id from public.refill_alerts as a
        where a.notification_id = n.notification_id and a.status = 'open' and a.alert_id <> all (p_alert_ids)
        order by a.alert_id
      ) as still_open
    from public.notifications as n
    where n.status = 'queued' and n.notification_id in (
      select a.notification_id from public.refill_alerts as a where a.alert_id = any (p_alert_ids)
    )
    order by n.notification_id
  loop
    if v_reminder.still_open = '{}' then
      -- Locked in the order in which the dispatcher does; by now it may have left.
      perform from public.outbox_events where notification_id = v_reminder.notification_id for update;
      perform private.drop_notification(n.notification_id, 'superseded')
      from public.notifications as n
      where n.notification_id = v_reminder.notification_id and n.status = 'queued';
    else
      update public.notifications
      set arguments = private.reminder_arguments(v_reminder.still_open, v_reminder.days_left, v_reminder.advice)
      where notification_id = v_reminder.notification_id and status = 'queued';
    end if;
  end loop;
end;
$$;

-- Brings the alerts of these patients in line with their supplies: opens what runs out within the longest lead
-- time, closes what was bought again, given up or let lapse, and opens again what an undone purchase had closed.
-- What staff dismissed stays so. Touches only what changed. Returns how many were opened for the first time, and
-- how many closed.
create function private.refresh_refill_alerts(p_patient_ids text[], p_at timestamptz default now())
returns table (created integer, closed integer)
language plpgsql
set search_path = ''
as $$
declare
  v_closed bigint[];
  v_created integer;
begin
  -- Before anything is read, and always in this order: a purchase that closes one of them meanwhile waits, or is seen.
  perform from public.refill_alerts as a
  where a.patient_id = any (p_patient_ids) and a.status = 'open'
  order by a.patient_id, a.alert_id
  for no key update;

  with settings as (
    select s.overdue_days, private.longest_lead() as longest_lead from public.refill_settings as s
  ),
  open as materialized (
    select a.* from public.refill_alerts as a where a.patient_id = any (p_patient_ids) and a.status = 'open'
  ),
  medicines as materialized (
    select m.* from private.medicines_taken(p_patient_ids, p_at) as m
  ),
  due as materialized (
    select m.*
    from medicines as m
    cross join settings as s
    where m.is_long_term and not m.is_discontinued and m.replaced_by is null and m.run_out_on <= m.today + s.longest_lead
  ),
  outdated as (
    select
      o.alert_id,
      case
        when m.composition is null and o.run_out_on < private.today_of(o.patient_id, p_at) - s.overdue_days then 'lapsed'
        when m.is_discontinued then 'discontinued'
        when m.run_out_on > o.run_out_on then 'refilled'
        when m.replaced_by is not null then 'replaced'
        else 'recalculated'
      end as reason
    from open as o
    cross join settings as s
    left join medicines as m on m.patient_id = o.patient_id and m.composition = o.composition
    where (
      m.run_out_on = o.run_out_on and m.is_long_term and not m.is_discontinued and m.replaced_by is null
    ) is not true
  ),
  closing as (
    update public.refill_alerts as a
    set status = 'closed', closed_reason = o.reason, closed_at = p_at
    from outdated as o
    where a.alert_id = o.alert_id
    returning a.alert_id
  ),
  opening as (
    insert into public.refill_alerts (patient_id, composition, product_id, packs, run_out_on)
    select d.patient_id, d.composition, d.product_id, d.packs, d.run_out_on
    from due as d
    where not exists (
      select from public.refill_alerts as a
      where a.patient_id = d.patient_id and a.composition = d.composition and a.run_out_on = d.run_out_on
    )
    order by d.patient_id, d.composition
    on conflict on constraint refill_alerts_once do nothing
    returning alert_id
  ),
  reopening as (
    update public.refill_alerts as a
    set status = 'open', closed_reason = null, closed_at = null, product_id = d.product_id, packs = d.packs
    from due as d
    where a.patient_id = d.patient_id and a.composition = d.composition and a.run_out_on = d.run_out_on
      and a.status = 'closed' and a.closed_reason <> 'dismissed'
    returning a.alert_id
  )
  select array(select c.alert_id from closing as c), (select count(*) from opening)
  into v_closed, v_created;

  perform private.withdraw_reminders(v_closed);
  return query select v_created, cardinality(v_closed);
end;
$$;

-- Buying a medicine closes its alerts at once and takes back that it was discontinued; the next scan works out the
-- new run-out. An as-needed purchase says nothing about the regular supply.
create function private.note_purchases()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_closed bigint[];
begin
  if not exists (select from public.refill_alerts where status = 'open')
    and not exists (select from public.discontinued_medicines where resumed_at is null) then
    return null;
  end if;

  perform from public.refill_alerts as a
  where a.status = 'open' and a.patient_id in (
    select o.patient_id from bought as b join public.orders as o using (order_id)
  )
  order by a.patient_id, a.alert_id
  for no key update;

  with purchases as (
    select distinct on (o.patient_id, p.composition) o.patient_id, p.composition, o.placed_at
    from bought as b
    join public.orders as o using (order_id)
    join public.products as p using (product_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where f.doses_per_day is not null and o.status not in ('cancelled', 'failed', 'returned')
    order by o.patient_id, p.composition, o.placed_at desc
  ),
  resumed as (
    update public.discontinued_medicines as d
    set resumed_at = p.placed_at
    from purchases as p
    where d.patient_id = p.patient_id and d.composition = p.composition
      and d.resumed_at is null and d.discontinued_at <= p.placed_at
  ),
  closing as (
    update public.refill_alerts as a
    set status = 'closed', closed_reason = 'refilled', closed_at = now()
    from purchases as p
    where a.patient_id = p.patient_id and a.composition = p.composition
      and a.status = 'open' and a.created_at <= p.placed_at
    returning a.alert_id
  )
  select array(select c.alert_id from closing as c) into v_closed;
  perform private.withdraw_reminders(v_closed);
  return null;
end;
$$;

create trigger order_items_close_refill_alerts after insert on public.order_items
  referencing new table as bought for each statement execute function private.note_purchases();

grant execute on function
  private.today_of(text, timestamptz),
  private.longest_lead(),
  private.supplies_of(text[], text),
  private.medicines_taken(text[], timestamptz),
  private.adherence(text[], timestamptz),
  private.reminder_arguments(bigint[], integer, text),
  private.withdraw_reminders(bigint[]),
  private.refresh_refill_alerts(text[], timestamptz),
  private.note_purchases()
to service_role;
