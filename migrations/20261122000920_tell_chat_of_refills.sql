-- "When do my medicines run out?" in the chat: the list of refills comes with the context, only when it is asked for,
-- because all of the patient's medicines are verified for it.

-- As before, and with `refills` as private.refills_json gives them when `p_wants` has {"refills": true}.
-- definer: counters are written by nobody directly; the patient is always the caller's own, or named by staff.
create or replace function public.chat_context(
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
  v_context jsonb;
begin
  perform private.take_rate('chat', v_patient_id);
  v_context := private.chat_context(p_words, v_patient_id, p_conversation_id, p_wants);
  if p_wants @> '{"refills": true}' then
    v_context := v_context || private.refills_json(v_patient_id);
  end if;
  return v_context;
end;
$$;

-- As before; what is said in our name may also be a list of refills.
create or replace function private.require_turn(p_turn jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_uuid constant text := '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
  v_card jsonb := coalesce(p_turn -> 'card', 'null');
begin
  if (
    jsonb_typeof(p_turn) = 'object'
    and p_turn ->> 'act' in ('say', 'propose', 'confirm', 'decline', 'answer')
    and p_turn ->> 'language' in ('en', 'hi', 'mr')
    and p_turn ->> 'conversation_id' ~ v_uuid
    and p_turn ->> 'trace_id' ~ v_uuid
    and jsonb_typeof(p_turn -> 'message') = 'string'
    and length(p_turn ->> 'message') between 1 and 2000
    and (p_turn ->> 'proposal_id' is null or p_turn ->> 'proposal_id' ~ v_uuid)
    and jsonb_typeof(coalesce(p_turn -> 'state', '{}')) = 'object'
    and jsonb_typeof(coalesce(p_turn -> 'profile', '{}')) = 'object'
    -- What is said in our name offers choices or help or tells what was; only placing an order makes an order's card.
    and (v_card = 'null' or v_card ->> 'type' in ('clarification', 'emergency', 'order_tracking', 'refill_list'))
    and length(p_turn::text) <= 65536
  ) is not true then
    perform private.fail(422, 'invalid_turn', 'This turn has not the expected form.');
  end if;
end;
$$;
