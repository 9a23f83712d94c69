-- A conversation may go on for years: it is read page by page, the latest page first.

drop function public.get_conversation(uuid);

-- What was said in a conversation: {conversation_id, messages: the latest so many, oldest first, next_cursor: for
-- what was said before them}. Another's looks like one that does not exist.
create function public.get_conversation(
  p_conversation_id uuid, p_limit integer default 200, p_before bigint default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 200), 1), 500);
  v_ids bigint[];
  v_messages jsonb;
begin
  -- Row-level security decides whose it is.
  if not exists (select from public.messages where conversation_id = p_conversation_id) then
    perform private.fail(404, 'conversation_not_found', 'There is no such conversation.');
  end if;
  v_ids := array(
    select message_id from public.messages
    where conversation_id = p_conversation_id and (p_before is null or message_id < p_before)
    order by message_id desc
    limit v_limit + 1
  );
  select coalesce(jsonb_agg(jsonb_build_object(
    'role', role, 'language', language, 'body', body, 'reply', reply, 'card', card,
    'trace_id', trace_id, 'created_at', created_at
  ) order by message_id), '[]')
  into v_messages
  from public.messages
  where message_id = any (v_ids[1:v_limit]);
  return jsonb_build_object(
    'conversation_id', p_conversation_id, 'messages', v_messages,
    'next_cursor', case when cardinality(v_ids) > v_limit then v_ids[v_limit]::text end
  );
end;
$$;

grant execute on function public.get_conversation(uuid, integer, bigint) to authenticated;
