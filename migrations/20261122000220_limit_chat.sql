-- The chat's limit, inside the two calls that a turn makes anyway.

insert into public.rate_limits (kind, most, per_seconds)
values
  -- A turn is stored later than it began, so those of two minutes may be stored in one. This limit is met only by
  -- who calls chat_turn without chat_context.
  ('chat_turn', 120, 60);

-- What chat_context did, and still does behind the count; it reads only, for whoever may be asked about.
alter function public.chat_context(jsonb, text, uuid, jsonb) set schema private;
revoke execute on function private.chat_context(jsonb, text, uuid, jsonb) from authenticated;

-- First call of a turn: counts the message, then returns what private.chat_context does. What is too often is
-- refused here, before a model is asked.
-- definer: counters are written by nobody directly; the patient is always the caller's own, or named by staff.
create function public.chat_context(
  p_words jsonb,
  p_patient_id text default null,
  p_conversation_id uuid default null,
  p_wants jsonb default '{}'
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
begin
  perform private.take_rate('chat', v_patient_id);
  return private.chat_context(p_words, v_patient_id, p_conversation_id, p_wants);
end;
$$;

grant execute on function public.chat_context(jsonb, text, uuid, jsonb) to authenticated;

create function private.count_chat_turn()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform private.take_rate('chat_turn', new.patient_id);
  return new;
end;
$$;

create trigger messages_limited before insert on public.messages
  for each row when (new.role = 'patient')
  execute function private.count_chat_turn();
