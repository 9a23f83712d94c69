-- How often somebody may do something. The limits are data, the counting happens in the transaction of what is
-- counted: there is no round trip of its own, and what fails is not counted.

create table public.rate_limits (
  kind text not null,
  most integer not null,
  per_seconds integer not null,
  -- False only on a laptop that was started with RATE_LIMITS=off.
  enforced boolean not null default true,
  constraint rate_limits_pkey primary key (kind),
  constraint rate_limits_most_range check (most between 1 and 1000),
  constraint rate_limits_period_range check (per_seconds between 1 and 86400)
);

insert into public.rate_limits (kind, most, per_seconds)
values
  ('chat', 60, 60),
  ('upload', 20, 3600);

-- When somebody did something lately: at most as many times as the limit has, so that a period may begin at any
-- moment and never holds more than its limit.
create table public.rate_counters (
  kind text not null,
  identity text not null,
  taken_at timestamptz[] not null,
  expires_at timestamptz not null,
  constraint rate_counters_pkey primary key (kind, identity),
  constraint rate_counters_kind_fkey foreign key (kind) references public.rate_limits (kind) on delete cascade,
  constraint rate_counters_identity_length check (length(identity) between 1 and 100)
);

create index rate_counters_expires_at_idx on public.rate_counters (expires_at);

alter table public.rate_limits enable row level security;
alter table public.rate_counters enable row level security;

grant select on public.rate_limits to authenticated;
grant select, insert, update, delete on public.rate_limits, public.rate_counters to service_role;

create policy rate_limits_read_staff on public.rate_limits
  for select to authenticated
  using ((select private.is_staff()));

-- Counts one more, or fails with 429 `rate_limited` and the seconds to wait in `retry_after`. The first count of
-- a period removes some counters that ran out, so the table needs no cleaner of its own.
create function private.take_rate(p_kind text, p_identity text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_limit public.rate_limits;
  v_period interval;
  v_now timestamptz := clock_timestamp();
  v_count integer;
  v_free_at timestamptz;
begin
  select * into strict v_limit from public.rate_limits where kind = p_kind;
  if not v_limit.enforced then
    return;
  end if;
  v_period := make_interval(secs => v_limit.per_seconds);

  insert into public.rate_counters as c (kind, identity, taken_at, expires_at)
  values (p_kind, p_identity, array[v_now], v_now + v_period)
  on conflict on constraint rate_counters_pkey do update
  set
    taken_at = array(select t from unnest(c.taken_at) as t where t > v_now - v_period order by t) || v_now,
    expires_at = excluded.expires_at
  where (select count(*) from unnest(c.taken_at) as t where t > v_now - v_period) < v_limit.most
  returning cardinality(c.taken_at) into v_count;

  if v_count is null then
    select t + v_period into v_free_at
    from public.rate_counters as c, unnest(c.taken_at) as t
    where c.kind = p_kind and c.identity = p_identity
    order by t desc
    offset v_limit.most - 1
    limit 1;
    perform private.fail(
      429, 'rate_limited', 'That was too often. Please wait a moment.',
      jsonb_build_object('retry_after', greatest(1, ceil(extract(epoch from v_free_at - v_now))))
    );
  end if;

  if v_count = 1 then
    delete from public.rate_counters
    where (kind, identity) in (
      select kind, identity from public.rate_counters
      where expires_at < v_now
      limit 100
      for update skip locked
    );
  end if;
end;
$$;

-- Counts something that the caller does, for the patient it is about, before the work on it begins. Within a
-- function that stores something, `perform private.take_rate(kind, patient)` does the same without a call.
-- definer: counters are written by nobody directly; the patient is the caller's own, or named by staff.
create function public.take_rate(p_kind text, p_patient_id text default null)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
begin
  if (p_kind in ('chat', 'upload')) is not true then
    perform private.fail(422, 'unknown_limit', 'There is no such limit.');
  end if;
  perform private.take_rate(p_kind, v_patient_id);
end;
$$;

grant execute on function public.take_rate(text, text) to authenticated;
