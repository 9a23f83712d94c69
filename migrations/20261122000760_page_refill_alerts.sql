-- The staff's list over years of alerts: what is open must be found past all that is closed.

create index refill_alerts_status_idx on public.refill_alerts (status, run_out_on, alert_id);

-- Alerts, what runs out first first: {alerts, next_cursor}. `p_status` is open (not snoozed), snoozed, closed or all.
-- definer: supplies of all patients are read for staff, without asking for each row whose it is.
create or replace function public.list_refill_alerts(
  p_status text default 'open', p_patient_id text default null, p_limit integer default 200, p_after bigint default null
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 200), 1), 500);
  v_stored text := case p_status when 'all' then null when 'closed' then 'closed' else 'open' end;
  v_after public.refill_alerts;
  v_ids bigint[];
  v_alerts jsonb;
begin
  perform private.require_staff();
  if p_status not in ('open', 'snoozed', 'closed', 'all') then
    perform private.fail(422, 'invalid_status', 'The status is open, snoozed, closed or all.');
  end if;
  select * into v_after from public.refill_alerts where alert_id = p_after;

  -- Two statements, so that each has its index.
  if v_stored is null then
    v_ids := array(
      select a.alert_id
      from public.refill_alerts as a
      where (p_patient_id is null or a.patient_id = p_patient_id)
        and (p_after is null or (a.run_out_on, a.alert_id) > (v_after.run_out_on, v_after.alert_id))
      order by a.run_out_on, a.alert_id
      limit v_limit + 1
    );
  else
    v_ids := array(
      select a.alert_id
      from public.refill_alerts as a
      where a.status = v_stored
        and (p_patient_id is null or a.patient_id = p_patient_id)
        and (p_after is null or (a.run_out_on, a.alert_id) > (v_after.run_out_on, v_after.alert_id))
        and case
          when a.snoozed_until is null or p_status = 'closed' then p_status <> 'snoozed'
          else (a.snoozed_until > private.today_of(a.patient_id)) = (p_status = 'snoozed')
        end
      order by a.run_out_on, a.alert_id
      limit v_limit + 1
    );
  end if;

  select coalesce(jsonb_agg(private.refill_alert_json(a, to_jsonb(kept)) order by a.run_out_on, a.alert_id), '[]')
  into v_alerts
  from public.refill_alerts as a
  left join private.adherence(array(
    select distinct b.patient_id from public.refill_alerts as b where b.alert_id = any (v_ids)
  )) as kept on kept.patient_id = a.patient_id and kept.composition = a.composition
  where a.alert_id = any (v_ids);

  return jsonb_build_object(
    'alerts', v_alerts - v_limit,
    'next_cursor', case when jsonb_array_length(v_alerts) > v_limit then v_alerts -> (v_limit - 1) -> 'alert_id' end
  );
end;
$$;
