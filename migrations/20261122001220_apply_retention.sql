-- What is not needed any more is forgotten, after periods that are data. A schedule calls this once a day; it works
-- in bounded steps and may be called as often as one likes.

create table public.retention_periods (
  kind text not null,
  keeps_for interval not null,
  what text not null,
  constraint retention_periods_pkey primary key (kind),
  constraint retention_periods_positive check (keeps_for >= interval '1 hour')
);

insert into public.retention_periods (kind, keeps_for, what) values
  ('conversations', '1 year', 'conversations with their messages and proposals, after their last turn'),
  ('decision_details', '3 years', 'what was asked, found and checked in a decision; that and how it was decided stays'),
  ('unfinished_uploads', '1 day', 'files of uploads that nobody finished, after their time is over'),
  ('unused_files', '1 year', 'files of prescriptions that were rejected, or that nobody has come back to'),
  ('used_files', '3 years', 'files of prescriptions that orders have used'),
  ('notifications', '1 year', 'what patients were told, and the attempts to'),
  ('webhook_bodies', '90 days', 'the words of the partner''s reports; that and how they were applied stays'),
  ('rate_counters', '1 day', 'counters that ran out'),
  ('idempotency_keys', '1 day', 'answers kept for repeated requests');

alter table public.retention_periods enable row level security;
grant select on public.retention_periods to authenticated;
grant select, insert, update, delete on public.retention_periods to service_role;

create policy retention_periods_read_staff on public.retention_periods
  for select to authenticated
  using ((select private.is_staff()));

create index conversations_last_turn_at_idx on public.conversations (last_turn_at);
create index decisions_detailed_idx on public.decisions (decided_at) where request <> '{}' or checks <> '[]';
create index prescription_uploads_created_at_idx on public.prescription_uploads (created_at);
create index notifications_created_at_idx on public.notifications (created_at);
create index webhook_events_worded_idx on public.webhook_events (received_at) where event <> '{}';

-- Everything before this moment is over its time.
create function private.retained_since(p_kind text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select now() - keeps_for from public.retention_periods where kind = p_kind;
$$;

-- The uploads whose files have had their time.
create function private.uploads_to_forget(p_most integer)
returns uuid[]
language sql
stable
set search_path = ''
as $$
  select array(
    select u.upload_id
    from public.prescription_uploads as u
    left join public.prescriptions as p using (prescription_id)
    where case
      when p.prescription_id is null then u.expires_at < private.retained_since('unfinished_uploads')
      when exists (
        select from public.prescription_items as i
        join public.prescription_uses as used using (prescription_item_id)
        where i.prescription_id = p.prescription_id
      ) then greatest(u.created_at, p.valid_until) < private.retained_since('used_files')
      else greatest(u.created_at, p.valid_until) < private.retained_since('unused_files')
    end
    order by u.created_at
    limit p_most
  );
$$;

-- Forgets up to so many of each kind. {forgotten: {kind: number}, more: whether to call again, files: what Storage
-- still has to remove}.
-- definer: emptying records is nobody's right, but for this.
create function public.apply_retention(p_most integer default 1000)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_most integer := greatest(1, least(p_most, 10000));
  v_conversations integer;
  v_decisions integer;
  v_files integer;
  v_notifications integer;
  v_webhooks integer;
  v_counters integer;
  v_keys integer;
begin
  perform set_config('nexus.forgetting', 'on', true);

  delete from public.conversations where conversation_id in (
    select conversation_id from public.conversations
    where last_turn_at < private.retained_since('conversations')
    order by last_turn_at limit v_most for update skip locked
  );
  get diagnostics v_conversations = row_count;

  update public.decisions set request = '{}', findings = '[]', checks = '[]' where decision_id in (
    select decision_id from public.decisions
    where decided_at < private.retained_since('decision_details') and (request <> '{}' or checks <> '[]')
    order by decided_at limit v_most
  );
  get diagnostics v_decisions = row_count;

  v_files := private.forget_files(private.uploads_to_forget(v_most));

  -- One that is still to be sent is not old news but a fault, which others look after.
  delete from public.notifications where notification_id in (
    select notification_id from public.notifications
    where created_at < private.retained_since('notifications') and status <> 'queued'
    order by created_at limit v_most for update skip locked
  );
  get diagnostics v_notifications = row_count;

  update public.webhook_events set event = '{}', error = null where webhook_id in (
    select webhook_id from public.webhook_events
    where received_at < private.retained_since('webhook_bodies') and event <> '{}' and outcome <> 'pending'
    order by received_at limit v_most for update skip locked
  );
  get diagnostics v_webhooks = row_count;

  delete from public.rate_counters where (kind, identity) in (
    select kind, identity from public.rate_counters
    where expires_at < private.retained_since('rate_counters')
    limit v_most for update skip locked
  );
  get diagnostics v_counters = row_count;

  delete from public.idempotency_keys where (user_id, key) in (
    select user_id, key from public.idempotency_keys
    where created_at < private.retained_since('idempotency_keys')
    limit v_most for update skip locked
  );
  get diagnostics v_keys = row_count;

  -- What was being written while somebody was erased.
  perform private.erase_rows(patient_id, null)
  from public.patients
  where erased_at > now() - interval '2 days';

  perform set_config('nexus.forgetting', 'off', true);
  return jsonb_build_object(
    'forgotten', jsonb_build_object(
      'conversations', v_conversations,
      'decision_details', v_decisions,
      'files', v_files,
      'notifications', v_notifications,
      'webhook_bodies', v_webhooks,
      'rate_counters', v_counters,
      'idempotency_keys', v_keys
    ),
    'more', v_most <= greatest(
      v_conversations, v_decisions, v_files, v_notifications, v_webhooks, v_counters, v_keys
    ),
    'files', (
      select coalesce(jsonb_agg(file_path), '[]')
      from (select file_path from public.file_removals order by due_at limit 100) as due
    )
  );
end;
$$;

-- Storage has removed these.
create function public.files_removed(p_file_paths text[])
returns void
language sql
set search_path = ''
as $$
  delete from public.file_removals where file_path = any (p_file_paths);
$$;

grant execute on function public.apply_retention(integer), public.files_removed(text[]) to service_role;
