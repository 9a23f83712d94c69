-- Nobody has more than a dozen complaints at a time. What may be offered is verified for each, so a message that
-- repeats one four hundred times would keep the database busy for seconds.
create or replace function private.find_terms(p_words text[], p_is_vocabulary boolean[])
returns table (first integer, length integer, distance integer, condition text, kind text, ingredients text[])
language sql
stable
set search_path = ''
as $$
  with recursive terms as materialized (
    select * from private.find_every_term(p_words, p_is_vocabulary)
  ),
  chosen as (
    (
      select t.first, t.first + t.length as ends, 1 as place
      from terms as t
      order by t.first, t.length desc
      limit 1
    )
    union all
    select next.first, next.ends, c.place + 1
    from chosen as c
    cross join lateral (
      select t.first, t.first + t.length as ends
      from terms as t
      where t.first >= c.ends
      order by t.first, t.length desc
      limit 1
    ) as next
    where c.place < 12
  )
  select t.*
  from chosen as c
  join terms as t on t.first = c.first and t.first + t.length = c.ends;
$$;
