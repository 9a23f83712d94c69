-- The scan: all patients' alerts, then the reminders that are due, in slices that each are one transaction. Where it
-- has got to is a row here, so that whoever comes next goes on from there.

create table public.refill_scans (
  scan_id bigint generated always as identity,
  -- The day it is for, in the pharmacy's own time zone.
  scan_day date not null,
  started_by text not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  -- abandoned: another day had begun before it came to its end.
  outcome text,
  stage text not null default 'alerts',
  -- The last patient of this stage that is done.
  position text not null default '',
  scanned integer not null default 0,
  alerts_created integer not null default 0,
  alerts_closed integer not null default 0,
  reminders integer not null default 0,
  -- Patients left out because something about them could not be worked out.
  failures integer not null default 0,
  constraint refill_scans_pkey primary key (scan_id),
  constraint refill_scans_started_by_known check (started_by in ('schedule', 'staff')),
  constraint refill_scans_stage_known check (stage in ('alerts', 'reminders')),
  constraint refill_scans_outcome_known check (outcome in ('completed', 'abandoned')),
  constraint refill_scans_finished_complete check ((finished_at is null) = (outcome is null))
);

-- At most one is under way.
create unique index refill_scans_one_running_idx on public.refill_scans ((true)) where finished_at is null;
create index refill_scans_day_idx on public.refill_scans (scan_day, scan_id);

alter table public.refill_scans enable row level security;
grant select on public.refill_scans to authenticated;
grant select, insert, update, delete on public.refill_scans to service_role;
create policy refill_scans_read_staff on public.refill_scans
  for select to authenticated using ((select private.is_staff()));

-- The packs a reorder would be: as many as last time, or as many as the prescriptions still allow.
create function private.packs_to_refill(p_patient_id text, p_product public.products, p_last_packs integer)
returns integer
language sql
stable
set search_path = ''
as $$
  select case
    when (p_product).prescription_required and sum(c.units_left) > 0
      then least(p_last_packs, ceil(sum(c.units_left)::numeric / (p_product).units_per_pack)::integer)
    else p_last_packs
  end
  from private.covering_items(p_patient_id, p_product) as c
  where c.status = 'verified' and c.units_left > 0;
$$;

-- What ordering these items [{product_id, packs}] would meet, by the verification that an order goes through. For
-- each product what to do (advice), whether it could be ordered, the reason against it as verification puts it, its
-- findings, and whether a pharmacist would look at the order first. The advice:
--   reorder         nothing stands against it
--   renew           the prescription has ended or has no repeats left
--   upload          it needs a prescription and there never was one
--   out_of_stock    there is not enough
--   too_soon        too much of the supply is left
--   ask_pharmacist  anything else that is refused
create function private.refill_outlook(p_patient_id text, p_items jsonb)
returns table (
  product_id text, advice text, can_order boolean, reason text, findings jsonb, awaits_pharmacist boolean
)
language sql
stable
set search_path = ''
as $$
  with verified as (
    select private.verify_items(p_patient_id, p_items) -> 'findings' as findings
  ),
  found as (
    select f.finding ->> 'product_id' as product_id, f.finding
    from verified
    cross join lateral jsonb_array_elements(verified.findings) as f (finding)
  )
  select
    p.product_id,
    case
      when worst.finding is null then
        case when f.findings @> '[{"code": "refill_too_soon"}]' then 'too_soon' else 'reorder' end
      when worst.finding ->> 'code' = 'refill_too_soon' then 'too_soon'
      when worst.finding ->> 'code' = 'out_of_stock' then 'out_of_stock'
      when worst.finding ->> 'code' = 'prescription_required'
        or worst.finding ->> 'rule' = 'schedule:' || p.schedule and worst.finding ->> 'code' = 'quantity_limit'
        then case when exists (
          select from public.prescriptions as rx
          join public.prescription_items as i using (prescription_id)
          where rx.patient_id = p_patient_id and rx.status in ('verified', 'expired')
            and i.ingredient = p.active_ingredient and i.strength = p.strength
        ) then 'renew' else 'upload' end
      else 'ask_pharmacist'
    end,
    worst.finding is null, worst.finding ->> 'message', f.findings, f.findings @> '[{"waits": true}]'
  from jsonb_array_elements(p_items) as a (item)
  join public.products as p on p.product_id = a.item ->> 'product_id'
  cross join lateral (
    select coalesce(jsonb_agg(x.finding - array['product_id', 'product_name']), '[]') as findings
    from found as x
    where x.product_id = p.product_id
  ) as f
  left join lateral (
    select x.finding
    from found as x
    where x.product_id = p.product_id and x.finding ->> 'severity' = 'block'
    order by private.finding_rank(x.finding ->> 'code')
    limit 1
  ) as worst on true;
$$;

-- The lead time that is due so many days before run-out, unless a reminder as near was sent: null when none is.
create function private.lead_due(p_days_left integer, p_reminded_lead smallint)
returns smallint
language sql
stable
set search_path = ''
as $$
  select min(lead)::smallint
  from public.refill_settings as s
  cross join lateral unnest(s.lead_days) as lead
  where p_days_left <= lead
  having (min(lead) >= p_reminded_lead) is not true;
$$;

-- Queues the reminders of one patient that are due; returns how many. Medicines that share their day and their advice
-- share a reminder. While verification would call a refill too soon, nobody is asked to order one: that reminder
-- comes when it is time.
create function private.remind_of_refills(p_patient_id text, p_at timestamptz default now())
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_today date := private.today_of(p_patient_id, p_at);
  v_items jsonb;
  v_reminder record;
  v_notification_id uuid;
  v_count integer := 0;
begin
  perform from public.refill_alerts as a
  where a.patient_id = p_patient_id and a.status = 'open'
  order by a.patient_id, a.alert_id
  for no key update;

  select jsonb_agg(jsonb_build_object(
    'product_id', a.product_id, 'packs', private.packs_to_refill(p_patient_id, p, a.packs)
  ) order by a.alert_id)
  into v_items
  from public.refill_alerts as a
  join public.products as p using (product_id)
  where a.patient_id = p_patient_id and a.status = 'open'
    and (a.snoozed_until > v_today) is not true
    and private.lead_due(a.run_out_on - v_today, a.reminded_lead) is not null;
  if v_items is null then
    return 0;
  end if;

  update public.refill_alerts as a
  set advice = o.advice
  from private.refill_outlook(p_patient_id, v_items) as o
  where a.patient_id = p_patient_id and a.status = 'open' and a.product_id = o.product_id
    and a.advice is distinct from o.advice;

  for v_reminder in
    select
      a.run_out_on - v_today as days_left, a.advice, array_agg(a.alert_id order by a.alert_id) as alert_ids,
      (array_agg(a.snoozed_until order by a.alert_id))[1] as snoozed_until
    from public.refill_alerts as a
    where a.patient_id = p_patient_id and a.status = 'open' and a.advice <> 'too_soon'
      and (a.snoozed_until > v_today) is not true
      and private.lead_due(a.run_out_on - v_today, a.reminded_lead) is not null
    group by a.run_out_on, a.advice
    order by a.run_out_on, a.advice
  loop
    v_notification_id := private.queue_notification(
      p_patient_id, 'refill.due', 'refill:' || v_reminder.alert_ids[1],
      private.reminder_arguments(v_reminder.alert_ids, v_reminder.days_left, v_reminder.advice),
      -- An alert is reminded of once a lead time, and anew after it was put off: its first alert names the reminder.
      concat_ws(
        ':', 'refill.due', v_reminder.alert_ids[1], private.lead_due(v_reminder.days_left, null), v_reminder.snoozed_until
      ),
      p_at
    );
    update public.refill_alerts
    set reminded_lead = private.lead_due(v_reminder.days_left, null), reminded_at = p_at, notification_id = v_notification_id
    where alert_id = any (v_reminder.alert_ids);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

-- The alerts of the next patients. What is wrong with one patient's data must not hold up everybody's scan: a slice
-- that fails is taken patient by patient, and whoever fails alone is left out and counted.
create function private.scan_alerts(p_scan public.refill_scans, p_limit integer, p_at timestamptz)
returns public.refill_scans
language plpgsql
set search_path = ''
as $$
declare
  v_patient_ids text[] := array(
    select patient_id from public.patients where patient_id > (p_scan).position order by patient_id limit p_limit
  );
  v_patient_id text;
  v_part record;
begin
  if v_patient_ids = '{}' then
    p_scan.stage := 'reminders';
    p_scan.position := '';
    return p_scan;
  end if;
  begin
    select * into v_part from private.refresh_refill_alerts(v_patient_ids, p_at);
    p_scan.alerts_created := p_scan.alerts_created + v_part.created;
    p_scan.alerts_closed := p_scan.alerts_closed + v_part.closed;
  exception when data_exception or integrity_constraint_violation or raise_exception then
    foreach v_patient_id in array v_patient_ids loop
      begin
        select * into v_part from private.refresh_refill_alerts(array[v_patient_id], p_at);
        p_scan.alerts_created := p_scan.alerts_created + v_part.created;
        p_scan.alerts_closed := p_scan.alerts_closed + v_part.closed;
      exception when data_exception or integrity_constraint_violation or raise_exception then
        p_scan.failures := p_scan.failures + 1;
        raise warning 'The refill scan left out %: %', v_patient_id, sqlstate;
      end;
    end loop;
  end;
  p_scan.scanned := p_scan.scanned + cardinality(v_patient_ids);
  p_scan.position := v_patient_ids[cardinality(v_patient_ids)];
  return p_scan;
end;
$$;

-- The reminders of the next patients who are due one; after the last of them the scan is complete.
create function private.scan_reminders(p_scan public.refill_scans, p_limit integer, p_at timestamptz)
returns public.refill_scans
language plpgsql
set search_path = ''
as $$
declare
  v_patient_ids text[] := array(
    select a.patient_id
    from public.refill_alerts as a
    where a.status = 'open' and a.patient_id > (p_scan).position
      -- Nobody's day is further ahead than this; whose day is not so far is sorted out there.
      and private.lead_due(a.run_out_on - (p_at at time zone 'UTC' + interval '14 hours')::date, a.reminded_lead) is not null
    group by a.patient_id
    order by a.patient_id
    limit p_limit
  );
  v_patient_id text;
begin
  if v_patient_ids = '{}' then
    p_scan.finished_at := clock_timestamp();
    p_scan.outcome := 'completed';
    return p_scan;
  end if;
  foreach v_patient_id in array v_patient_ids loop
    begin
      p_scan.reminders := p_scan.reminders + private.remind_of_refills(v_patient_id, p_at);
    exception when data_exception or integrity_constraint_violation or raise_exception then
      p_scan.failures := p_scan.failures + 1;
      raise warning 'The refill scan could not remind %: %', v_patient_id, sqlstate;
    end;
    p_scan.position := v_patient_id;
  end loop;
  return p_scan;
end;
$$;

-- Does the next slice of a scan and returns where it stands: {state: running | finished | idle, scan_id, stage,
-- scanned, alerts_created, alerts_closed, reminders, failures}. Whoever calls at the same time waits for the slice
-- and does the one after it, so each is done once.
--   p_start    what to do when none is under way: 'if_due' begins one when the day has none yet, 'now' always
--   p_scan_id  to go on with this scan and no other
create function private.take_scan_step(
  p_start text, p_scan_id bigint, p_patients integer, p_reminders integer, p_at timestamptz default now()
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_day date;
  v_is_time boolean;
  v_scan public.refill_scans;
begin
  select
    (p_at at time zone s.scan_time_zone)::date, (p_at at time zone s.scan_time_zone)::time >= s.scan_from
  into v_day, v_is_time
  from public.refill_settings as s;

  if p_scan_id is not null then
    select * into v_scan from public.refill_scans where scan_id = p_scan_id for update;
  end if;
  while v_scan.scan_id is null loop
    select * into v_scan from public.refill_scans where finished_at is null for update;
    if v_scan.scan_day < v_day then
      update public.refill_scans set finished_at = now(), outcome = 'abandoned' where scan_id = v_scan.scan_id;
      v_scan := null;
    end if;
    exit when v_scan.scan_id is not null;
    if p_start = 'if_due' and (
      not v_is_time
      or exists (
        select from public.refill_scans
        where scan_day = v_day and outcome = 'completed' and started_by = 'schedule'
      )
    ) then
      return '{"state": "idle"}';
    end if;
    -- Whoever begins one at the same moment wins; then that one is ours as well.
    insert into public.refill_scans (scan_day, started_by)
    values (v_day, case p_start when 'now' then 'staff' else 'schedule' end)
    on conflict do nothing
    returning * into v_scan;
  end loop;

  if v_scan.finished_at is null then
    v_scan := case v_scan.stage
      when 'alerts' then private.scan_alerts(v_scan, p_patients, p_at)
      else private.scan_reminders(v_scan, p_reminders, p_at)
    end;
    update public.refill_scans
    set
      finished_at = v_scan.finished_at, outcome = v_scan.outcome, stage = v_scan.stage, position = v_scan.position,
      scanned = v_scan.scanned, alerts_created = v_scan.alerts_created, alerts_closed = v_scan.alerts_closed,
      reminders = v_scan.reminders, failures = v_scan.failures
    where scan_id = v_scan.scan_id;
  end if;
  return jsonb_build_object(
    'state', case when v_scan.finished_at is null then 'running' else 'finished' end,
    'scan_id', v_scan.scan_id, 'stage', v_scan.stage, 'scanned', v_scan.scanned,
    'alerts_created', v_scan.alerts_created, 'alerts_closed', v_scan.alerts_closed,
    'reminders', v_scan.reminders, 'failures', v_scan.failures
  );
end;
$$;

grant execute on function
  private.finding_rank(text),
  private.packs_to_refill(text, public.products, integer),
  private.refill_outlook(text, jsonb),
  private.lead_due(integer, smallint),
  private.remind_of_refills(text, timestamptz),
  private.scan_alerts(public.refill_scans, integer, timestamptz),
  private.scan_reminders(public.refill_scans, integer, timestamptz),
  private.take_scan_step(text, bigint, integer, integer, timestamptz)
to service_role;

-- The next slice of the day's scan, for the function that the schedule wakes; it begins the scan when it is due, or
-- with p_start = 'now' at once.
create function public.advance_refill_scan(
  p_start text default 'if_due', p_scan_id bigint default null,
  p_patients integer default 2000, p_reminders integer default 200
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if (p_start in ('if_due', 'now') and p_patients between 1 and 20000 and p_reminders between 1 and 2000) is not true then
    perform private.fail(422, 'invalid_request', 'A scan begins if_due or now, with 1 to 20000 patients a slice.');
  end if;
  return private.take_scan_step(p_start, p_scan_id, p_patients, p_reminders);
end;
$$;

grant execute on function public.advance_refill_scan(text, bigint, integer, integer) to service_role;
