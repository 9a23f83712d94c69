-- What a patient states in the chat about themselves counts at once, asked or not: it decides what is safe.

-- Adds {age: years}, {allergies: [...]}, {conditions: [...]} to the profile. An age that is known stays; allergies
-- and conditions are only ever added here ("none" fills what was never asked and removes nothing).
create or replace function private.complete_profile(p_patient_id text, p_answers jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_allergies constant text[] := private.clean_list(private.text_array(p_answers -> 'allergies'));
  v_conditions constant text[] := private.clean_list(private.text_array(p_answers -> 'conditions'));
begin
  update public.patients
  set
    age_recorded_on = case when age_years is null and p_answers ? 'age' then private.today() else age_recorded_on end,
    age_years = coalesce(age_years, (p_answers ->> 'age')::smallint),
    allergies = private.added(allergies, v_allergies),
    conditions = private.added(conditions, v_conditions)
  where patient_id = p_patient_id;
exception
  when check_violation or numeric_value_out_of_range or invalid_text_representation then
    perform private.fail(422, 'invalid_profile', 'A value of the profile is not allowed.');
end;
$$;

-- What was known and what is new, each once however it is written; null stays "never asked".
create function private.added(p_known text[], p_new text[])
returns text[]
language sql
immutable
set search_path = ''
as $$
  select case
    when p_new is null then p_known
    else coalesce(p_known, '{}') || array(
      select n from unnest(p_new) as n
      where private.normalise_name(n) <> all (private.normalise_names(coalesce(p_known, '{}')))
    )
  end;
$$;

-- Second call of a turn: acts, and stores the turn with its decision. `p_turn`:
--   act       say (nothing happens to orders) | propose {items} | confirm {proposal_id, digest} | decline
--             | answer
--   profile   what the patient states of themselves; it is recorded before anything is verified
--   message, language, conversation_id, trace_id; interpretation (for the record);
--   state     what to remember for the next turn; reply, card: what is said, for `say`
-- Returns {outcome, card, questions?, conversation_id}. Nothing is placed except by `confirm`.
-- definer: nobody may write these tables directly; the patient is always the caller's own.
create or replace function public.chat_turn(p_turn jsonb, p_patient_id text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_placed_by text := case when private.current_patient_id() = v_patient_id then 'patient' else 'staff' end;
  v_trace_id uuid;
  v_act text := p_turn ->> 'act';
  v_state jsonb := coalesce(p_turn -> 'state', '{}');
  v_conversation public.conversations;
  v_items jsonb;
  v_prepared jsonb;
  v_result jsonb;
begin
  perform private.require_turn(p_turn);
  v_trace_id := (p_turn ->> 'trace_id')::uuid;

  -- The turns of one conversation are taken one after the other.
  insert into public.conversations (conversation_id, patient_id)
  values ((p_turn ->> 'conversation_id')::uuid, v_patient_id)
  on conflict (conversation_id) do update set last_turn_at = now()
  where conversations.patient_id = v_patient_id
  returning * into v_conversation;
  if v_conversation.conversation_id is null then
    perform private.fail(404, 'conversation_not_found', 'There is no such conversation.');
  end if;

  insert into public.messages (conversation_id, patient_id, trace_id, role, language, body)
  values (
    v_conversation.conversation_id, v_patient_id, v_trace_id, 'patient', p_turn ->> 'language', p_turn ->> 'message'
  );

  if coalesce(p_turn -> 'profile', '{}') <> '{}' then
    perform private.complete_profile(v_patient_id, p_turn -> 'profile');
  end if;

  if v_act in ('propose', 'answer') then
    v_items := case v_act
      when 'propose' then p_turn -> 'items'
      else (
        select request from public.proposals
        where conversation_id = v_conversation.conversation_id and status = 'open'
      )
    end;
    if v_act = 'answer' and v_items is null then
      v_result := '{"outcome": "noted", "card": null}';
    else
      perform private.require_items(v_items);
      v_prepared := private.prepare_proposal(v_patient_id, v_items);
      v_result := private.propose(v_conversation, v_items, v_prepared);
      perform private.record_decision(
        v_trace_id, v_patient_id, v_conversation.conversation_id, v_act,
        jsonb_build_object('items', v_items, 'interpretation', p_turn -> 'interpretation'),
        v_result ->> 'outcome', v_prepared -> 'verification'
      );
    end if;
  elsif v_act = 'confirm' then
    v_result := private.confirm(
      v_conversation, (p_turn ->> 'proposal_id')::uuid, p_turn ->> 'digest', v_trace_id, v_placed_by
    );
  else
    if v_act = 'decline' then
      update public.proposals set status = 'declined'
      where conversation_id = v_conversation.conversation_id and status = 'open';
    end if;
    v_result := jsonb_build_object('outcome', 'said', 'card', p_turn -> 'card');
    perform private.record_decision(
      v_trace_id, v_patient_id, v_conversation.conversation_id, v_act,
      jsonb_build_object('interpretation', p_turn -> 'interpretation'), 'said'
    );
  end if;

  -- A card whose profile is incomplete asks for the first thing missing; the next message answers it.
  if coalesce(v_result -> 'questions', '[]') <> '[]' then
    v_state := v_state || jsonb_build_object('awaiting', jsonb_build_object(
      'kind', 'profile', 'field', v_result -> 'questions' -> 0
    ));
  end if;

  update public.conversations set state = v_state, last_turn_at = now()
  where conversation_id = v_conversation.conversation_id;

  insert into public.messages (conversation_id, patient_id, trace_id, role, language, reply, card)
  values (
    v_conversation.conversation_id, v_patient_id, v_trace_id, 'assistant', p_turn ->> 'language',
    jsonb_build_object('outcome', v_result -> 'outcome', 'questions', v_result -> 'questions', 'said', p_turn -> 'reply'),
    nullif(v_result -> 'card', 'null')
  );

  return v_result || jsonb_build_object('conversation_id', v_conversation.conversation_id);
end;
$$;
