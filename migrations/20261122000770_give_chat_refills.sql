-- What the chat needs of refills: the list that the API shows, inside a call of its own, and "my usual" without what
-- the patient has given up.

-- What public.list_refills returns, of any patient.
create function private.refills_json(p_patient_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_items jsonb;
  v_adherence jsonb := private.adherence_json(p_patient_id);
begin
  select coalesce(jsonb_agg(jsonb_build_object(
    'product_id', m.product_id, 'packs', private.packs_to_refill(p_patient_id, p, m.packs)
  ) order by m.run_out_on, m.product_id), '[]')
  into v_items
  from private.medicines_taken(array[p_patient_id]) as m
  join public.products as p using (product_id);

  return (
    select jsonb_build_object('refills', coalesce(jsonb_agg(jsonb_build_object(
      'product_id', m.product_id, 'product_name', p.product_name, 'package_size', p.package_size,
      'dosage_frequency', m.dosage_frequency, 'units_per_dose', m.units_per_dose,
      'last_bought_on', m.last_bought_on, 'run_out_on', m.run_out_on, 'days_left', m.run_out_on - m.today,
      'status', case
        when m.is_discontinued then 'discontinued'
        when m.replaced_by is not null then 'replaced'
        when m.run_out_on <= m.today then 'overdue'
        when m.run_out_on <= m.today + private.longest_lead() then 'due'
        else 'supplied'
      end,
      'reminders', m.is_long_term and not m.is_discontinued and m.replaced_by is null,
      'replaced_by', m.replaced_by,
      'alert_id', alert.alert_id, 'snoozed_until', alert.snoozed_until,
      'pdc_90', v_adherence -> m.composition -> 'pdc_90', 'pdc_180', v_adherence -> m.composition -> 'pdc_180',
      'reorder', jsonb_build_object(
        'quantity', (item.item ->> 'packs')::integer, 'price', p.price,
        'line_total', (item.item ->> 'packs')::integer * p.price,
        'advice', outlook.advice, 'available', outlook.can_order, 'reason', outlook.reason,
        'warnings', jsonb_path_query_array(outlook.findings, '$[*] ? (@.severity == "warn")'),
        'awaits_pharmacist', outlook.awaits_pharmacist
      )
    ) order by m.run_out_on, m.product_id), '[]'), 'count', count(*))
    from private.medicines_taken(array[p_patient_id]) as m
    join public.products as p using (product_id)
    join jsonb_array_elements(v_items) as item (item) on item.item ->> 'product_id' = m.product_id
    join private.refill_outlook(p_patient_id, v_items) as outlook on outlook.product_id = m.product_id
    left join public.refill_alerts as alert
      on alert.patient_id = p_patient_id and alert.composition = m.composition
      and alert.run_out_on = m.run_out_on and alert.status = 'open'
  );
end;
$$;

-- As before.
-- definer: verification reads lots and rules for the patient, who is the caller's own, or named by staff.
create or replace function public.list_refills(p_patient_id text default null)
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select private.refills_json(private.require_patient(p_patient_id));
$$;

-- The patient's own long-term medicines, as products: what verified, valid prescriptions name and what was bought
-- in the last 180 days to be taken regularly; of one composition the product bought last. With ingredients given,
-- only those that contain one of them, also what is taken as needed: an inhaler is an asthma medicine. Not what was
-- discontinued, and not what something else has taken the place of.
create or replace function private.own_medicines(p_patient_id text, p_ingredients text[] default null)
returns setof text
language sql
stable
set search_path = ''
as $$
  with given_up as materialized (
    select m.composition
    from private.medicines_taken(array[p_patient_id], now(), 180) as m
    where m.is_discontinued or m.replaced_by is not null
  ),
  bought as (
    select distinct on (p.composition) p.composition, p.product_id
    from public.orders as o
    join public.order_items as i using (order_id)
    join public.products as p using (product_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where o.patient_id = p_patient_id
      and o.status not in ('cancelled', 'failed', 'returned')
      and (f.doses_per_day is not null or p_ingredients is not null)
      and o.placed_at > now() - interval '180 days'
    order by p.composition, o.placed_at desc
  ),
  prescribed as (
    select distinct i.ingredient, i.strength
    from public.prescriptions as rx
    join public.prescription_items as i using (prescription_id)
    where rx.patient_id = p_patient_id
      and rx.status = 'verified'
      and private.today() between rx.issued_on and rx.valid_until
  ),
  own as (
    select b.product_id from bought as b
    union
    select p.product_id
    from prescribed as r
    cross join lateral (
      select q.product_id
      from public.products as q
      where q.active_ingredient = r.ingredient and q.strength = r.strength
      order by q.product_id
      limit 1
    ) as p
    where not exists (select from bought as b where b.composition = r.ingredient || ' ' || r.strength)
  )
  select o.product_id
  from own as o
  join public.products as p using (product_id)
  where p.composition not in (select g.composition from given_up as g)
    and (
      p_ingredients is null
      or exists (
        select from public.product_ingredients as pi
        where pi.product_id = o.product_id and pi.ingredient = any (p_ingredients)
      )
    );
$$;

grant execute on function private.refills_json(text) to service_role;
