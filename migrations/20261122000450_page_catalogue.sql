-- The catalogue page by page: pages that neither repeat nor skip a product, at any size, whatever cursor is sent.

create index products_category_lower_idx on public.products (lower(category), product_id);

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
    -- Scored once a word, not once for each of its products.
    with hits as materialized (
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
    ranked as materialized (
      -- Rounded, because sums of floating numbers depend on their order, and pages must agree on theirs.
      select best.product_id, round(sum(best.score)::numeric, 4) as score
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

-- One product: what lists show, and schedule, form, units_per_pack, unit, strength, alternatives: at most twenty
-- products with the same ingredients, those of the same strength and form first, then the cheaper. Each says its own
-- strength, form and stock, for another strength is no substitute.
create or replace function public.product_detail(p_product_id text)
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
      select jsonb_agg(jsonb_build_object(
        'product_id', (other.p).product_id, 'product_name', (other.p).product_name,
        'strength', (other.p).strength, 'form', (other.p).form, 'price', (other.p).price,
        'package_size', (other.p).package_size, 'prescription_required', (other.p).prescription_required,
        'stock_quantity', public.stock_quantity(other.p)
      ) order by other.place)
      from (
        select p, row_number() over (
          order by (p.strength, p.form) <> (v_product.strength, v_product.form), p.price, p.product_id
        ) as place
        from public.products as p
        where p.active_ingredient = v_product.active_ingredient
          and p.active_ingredient <> '-'
          and p.product_id <> v_product.product_id
        order by place
        limit 20
      ) as other
    ), '[]')
  );
end;
$$;
