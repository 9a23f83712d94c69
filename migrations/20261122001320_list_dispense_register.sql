-- The register of Schedule H1 sales as the staff reads it, and shows it to an inspector.

create index dispense_register_product_id_idx on public.dispense_register (product_id, register_id);
create index dispense_register_entered_at_idx on public.dispense_register (entered_at);

-- Entries, the latest first, with the lots that the packs came from: {entries, next_cursor}. The filter is {patient_id,
-- product_id, since, until}, each optional; the days are in UTC, both included.
-- definer: whoever is staff reads all of it, and the lots beside it; the policies would ask that row by row.
create function public.list_dispense_register(
  p_filter jsonb default '{}', p_limit integer default 100, p_before bigint default null
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 100), 1), 500);
  v_patient_id text := p_filter ->> 'patient_id';
  v_product_id text := p_filter ->> 'product_id';
  v_since timestamptz := (p_filter ->> 'since')::date::timestamp at time zone 'UTC';
  v_until timestamptz := ((p_filter ->> 'until')::date + 1)::timestamp at time zone 'UTC';
  v_rows jsonb;
begin
  perform private.require_staff();
  select jsonb_agg(to_jsonb(page) order by page.register_id desc)
  into v_rows
  from (
    select r.register_id, r.entry, r.entered_at, r.order_id, r.line, r.patient_id, r.patient_name, r.prescriber,
      r.product_id, r.product_name, r.packs, r.units,
      coalesce((
        select jsonb_agg(b.lot order by b.expiry, b.lot)
        from public.order_allocations as a
        join public.product_batches as b using (batch_id)
        where a.order_id = r.order_id and a.line = r.line
      ), '[]') as lots
    from public.dispense_register as r
    where (v_patient_id is null or r.patient_id = v_patient_id)
      and (v_product_id is null or r.product_id = v_product_id)
      and (v_since is null or r.entered_at >= v_since)
      and (v_until is null or r.entered_at < v_until)
      and (p_before is null or r.register_id < p_before)
    order by r.register_id desc
    limit v_limit + 1
  ) as page;
  return jsonb_build_object(
    'entries', coalesce(v_rows - v_limit, '[]'),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) -> 'register_id' end
  );
end;
$$;

grant execute on function public.list_dispense_register(jsonb, integer, bigint) to authenticated;
