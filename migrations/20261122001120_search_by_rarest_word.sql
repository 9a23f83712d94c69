-- A search costs what it finds, not what the catalogue holds: how a word sounds is worked out once and not for every
-- word that it is compared with, and products are looked for under the rarest of the asked words; whether they have
-- the others too is asked of those products only.

create index product_words_of_product_idx on public.product_words (product_id, word);
drop index public.product_words_product_id_idx;

-- How well an asked word fits a word of the catalogue, 0 to 1: itself, its beginning, its sound, its letters. Without
-- settings of its own, so that the planner puts it into the query; its body was read when it was made.
create function private.word_score(p_asked text, p_asked_sound text, p_word text, p_sound text)
returns real
language sql
immutable
return greatest(
  case
    when p_word = p_asked then 1
    when starts_with(p_word, p_asked) then 0.9
    when length(p_asked) >= 4 and p_sound = p_asked_sound then 0.85
  end,
  extensions.similarity(p_word, p_asked),
  extensions.similarity(p_sound, p_asked_sound)
);

-- One page of the catalogue: {"products": [...], "next": id of the last product when there are more, or null}.
-- With a query the products that match its words best come first; each word may be a beginning ("crose"),
-- misspelt ("paracetmol") or spelt by ear. A search goes on after the product that `p_after` names; one that is not
-- among its results has nothing after it.
create or replace function public.search_products(
  p_query text default null,
  p_category text default null,
  p_limit integer default 200,
  p_after text default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 200), 1), 200);
  v_words text[] := regexp_split_to_array(private.normalise_name(left(coalesce(p_query, ''), 200)), ' ');
  v_rows jsonb;
begin
  if v_words = array[''] then
    select jsonb_agg(private.product_json(page.p) order by (page.p).product_id)
    into v_rows
    from (
      select p
      from public.products as p
      where (p_category is null or lower(p.category) = lower(p_category))
        and p.product_id > coalesce(p_after, '')
      order by p.product_id
      limit v_limit + 1
    ) as page;
  else
    v_words := v_words[1:8];
    with asked as materialized (
      select a.word, a.position, case when length(a.word) >= 4 then private.sound_key(a.word) end as sound
      from unnest(v_words) with ordinality as a (word, position)
    ),
    -- Scored once a word, not once for each of its products.
    scored as materialized (
      select
        asked.position, w.word,
        private.word_score(asked.word, coalesce(asked.sound, private.sound_key(asked.word)), w.word, w.sound) as score
      from asked
      cross join lateral (
        -- A range serves the index where a pattern of a variable would not; a beginning fits so many words at most.
        (
          select c.word, c.sound from public.catalogue_words as c
          where c.word >= asked.word and c.word < asked.word || U&'\+10ffff'
          order by c.word
          limit 50
        )
        union
        select c.word, c.sound from public.catalogue_words as c where c.word operator(extensions.%) asked.word
          and asked.sound is not null
        union
        select c.word, c.sound from public.catalogue_words as c where c.sound operator(extensions.%) asked.sound
      ) as w
    ),
    hits as materialized (
      select s.position, s.word, s.score from scored as s where s.score >= 0.4
    ),
    rarest as materialized (
      -- Counted no further than tells rare from common.
      select h.position
      from hits as h
      cross join lateral (
        select count(*) as products
        from (select from public.product_words as pw where pw.word = h.word limit 4000) as capped
      ) as c
      where cardinality(v_words) > 1
      group by h.position
      order by sum(c.products), h.position
      limit 1
    ),
    found as materialized (
      select pw.product_id, max(h.score) as score
      from hits as h
      join public.product_words as pw using (word)
      where h.position = coalesce((select r.position from rarest as r), 1)
      group by pw.product_id
    ),
    others as (
      select best.product_id, sum(best.score) as score, count(*) as positions
      from (
        select f.product_id, h.position, max(h.score) as score
        from found as f
        -- By product: a common word has too many.
        cross join lateral (
          select pw.word from public.product_words as pw where pw.product_id = f.product_id offset 0
        ) as its
        join hits as h on h.word = its.word
        where cardinality(v_words) > 1 and h.position <> (select r.position from rarest as r)
        group by f.product_id, h.position
      ) as best
      group by best.product_id
    ),
    ranked as materialized (
      -- Rounded, because sums of floating numbers depend on their order, and pages must agree on theirs.
      select f.product_id, round((f.score + coalesce(o.score, 0))::numeric, 4) as score
      from found as f
      left join others as o using (product_id)
      where coalesce(o.positions, 0) + 1 = cardinality(v_words)
    ),
    page as (
      select r.product_id, r.score
      from ranked as r
      where (p_category is null or exists (
          select from public.products as p
          where p.product_id = r.product_id and lower(p.category) = lower(p_category)
        ))
        and (p_after is null or (-r.score, r.product_id) > (
          select -c.score, c.product_id from ranked as c where c.product_id = p_after
        ))
      order by r.score desc, r.product_id
      limit v_limit + 1
    )
    select jsonb_agg(private.product_json(p) order by page.score desc, page.product_id)
    into v_rows
    from page
    join public.products as p using (product_id);
  end if;

  return jsonb_build_object(
    'products', coalesce(v_rows - v_limit, '[]'),
    'next', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'product_id' end
  );
end;
$$;

drop function private.word_score(text, text, text);

grant execute on function private.word_score(text, text, text, text) to anon, authenticated, service_role;
