-- Staff looks for what was checked and decided: of a patient, of an order, with an outcome, with a finding.

-- Findings are in few decisions; only those are in the index, so an ordinary turn pays nothing for it.
create index decisions_findings_idx on public.decisions using gin (findings jsonb_path_ops)
  where findings <> '[]';
create index decisions_outcome_idx on public.decisions (outcome, decision_id);

-- Decisions, the latest first: {decisions, next_cursor}. The filter is {patient_id, order_id, outcome, code, kind, since,
-- until}, each optional; `code` is that of a finding, `since` and `until` are days in UTC, both included.
-- definer: whoever is staff sees every decision, and behind the policies no index could be used for what is in one.
create function public.search_decisions(p_filter jsonb default '{}', p_limit integer default 50, p_before bigint default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 200);
  v_patient_id text := p_filter ->> 'patient_id';
  v_order_id text := regexp_replace(p_filter ->> 'order_id', '-[0-9]{1,4}$', '');
  v_outcome text := p_filter ->> 'outcome';
  v_kind text := p_filter ->> 'kind';
  v_code text := p_filter ->> 'code';
  v_since timestamptz := (p_filter ->> 'since')::date::timestamp at time zone 'UTC';
  v_until timestamptz := ((p_filter ->> 'until')::date + 1)::timestamp at time zone 'UTC';
  v_rows jsonb;
begin
  perform private.require_staff();
  -- Written with what is asked for alone, so that each question has its index.
  execute format(
    $query$
      select jsonb_agg(to_jsonb(page) order by page.decision_id desc)
      from (
        select d.decision_id, d.trace_id, d.patient_id, p.name as patient_name, d.kind, d.outcome,
          d.rule_set_version as rule_set, d.findings, d.order_id, d.decided_at
        from public.decisions as d
        join public.patients as p using (patient_id)
        where %s
        order by d.decision_id desc
        limit $9
      ) as page
    $query$,
    concat_ws(
      ' and ', 'true',
      case when p_before is not null then 'd.decision_id < $8' end,
      case when v_patient_id is not null then 'd.patient_id = $1' end,
      case when v_order_id is not null then 'd.order_id = $2' end,
      case when v_outcome is not null then 'd.outcome = $3' end,
      case when v_kind is not null then 'd.kind = $4' end,
      case when v_code is not null then
        $code$d.findings <> '[]' and d.findings @> jsonb_build_array(jsonb_build_object('code', $5))$code$
      end,
      case when v_since is not null then 'd.decided_at >= $6' end,
      case when v_until is not null then 'd.decided_at < $7' end
    )
  )
  into v_rows
  using v_patient_id, v_order_id, v_outcome, v_kind, v_code, v_since, v_until, p_before, v_limit + 1;
  return jsonb_build_object(
    'decisions', coalesce(v_rows - v_limit, '[]'),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) -> 'decision_id' end
  );
end;
$$;

grant execute on function public.search_decisions(jsonb, integer, bigint) to authenticated;
