-- Finding products: the list of the catalogue with its fuzzy search, and one product.

-- One page of the catalogue: {"products": [...], "next": id of the last product when there are more, or null}.
-- With a query the products that match its words best come first; each word may be a beginning ("crose"),
-- misspelt ("paracetmol") or spelt by ear. Pages of a search are cut from the same ranking by position.
create function public.search_products(
  p_query text default null,
  p_category text default null,
  p_limit integer default 200,
  p_after text default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
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
        and (p_after is null or p.product_id > p_after)
      order by p.product_id
      limit v_limit + 1
    ) as page;
  else
    with hits as (
      select asked.position, w.word, private.word_score(asked.word, w.word, w.sound) as score
      from unnest(v_words[1:8]) with ordinality as asked (word, position)
      cross join lateral (
        -- A range serves the index where a pattern of a variable would not; a beginning fits so many words at most.
        (
          select c.word, c.sound from public.catalogue_words as c
          where c.word >= asked.word and c.word < asked.word || U&'\+10ffff'
          order by c.word
          limit 50
        )
        union
        select c.word, c.sound from public.catalogue_words as c
        where length(asked.word) >= 4
          and (c.word operator(extensions.%) asked.word or c.sound operator(extensions.%) private.sound_key(asked.word))
      ) as w
    ),
    ranked as (
      select best.product_id, sum(best.score) as score
      from (
        select pw.product_id, h.position, max(h.score) as score
        from hits as h
        join public.product_words as pw using (word)
        where h.score >= 0.4
        group by pw.product_id, h.position
      ) as best
      group by best.product_id
      having count(*) = cardinality(v_words[1:8])
    ),
    numbered as (
      select p, row_number() over (order by r.score desc, p.product_id) as place
      from ranked as r
      join public.products as p using (product_id)
      where p_category is null or lower(p.category) = lower(p_category)
    )
    select jsonb_agg(private.product_json(page.p) order by page.place)
    into v_rows
    from (
      select p, place
      from numbered
      where place > coalesce((select n.place from numbered as n where (n.p).product_id = p_after), 0)
      order by place
      limit v_limit + 1
    ) as page;
  end if;

  return jsonb_build_object(
    'products', coalesce(v_rows - v_limit, '[]'),
    'next', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'product_id' end
  );
end;
$$;

-- How well an asked word fits a word of the catalogue, 0 to 1: itself, its beginning, its sound, its letters.
create function private.word_score(p_asked text, p_word text, p_sound text)
returns real
language sql
immutable
set search_path = ''
as $$
  select greatest(
    case
      when p_word = p_asked then 1
      when starts_with(p_word, p_asked) then 0.9
      when length(p_asked) >= 4 and p_sound = private.sound_key(p_asked) then 0.85
    end,
    extensions.similarity(p_word, p_asked),
    extensions.similarity(p_sound, private.sound_key(p_asked))
  );
$$;

-- One product: what lists show, and schedule, form, units_per_pack, unit, strength, alternatives (the other
-- products with the same composition, cheaper first).
create function public.product_detail(p_product_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_product public.products;
begin
  select * into v_product from public.products where product_id = p_product_id;
  if v_product.product_id is null then
    perform private.fail(404, 'product_not_found', 'There is no such product.');
  end if;
  return private.product_json(v_product) || jsonb_build_object(
    'schedule', v_product.schedule,
    'form', v_product.form,
    'strength', v_product.strength,
    'units_per_pack', v_product.units_per_pack,
    'unit', v_product.unit,
    'alternatives', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'product_id', p.product_id, 'product_name', p.product_name,
          'price', p.price, 'package_size', p.package_size
        ) order by p.price, p.product_id
      )
      from public.products as p
      where p.active_ingredient = v_product.active_ingredient
        and p.active_ingredient <> '-'
        and p.product_id <> v_product.product_id
    ), '[]')
  );
end;
$$;

grant execute on function
  public.search_products(text, text, integer, text),
  public.product_detail(text),
  private.word_score(text, text, text)
to anon, authenticated, service_role;
