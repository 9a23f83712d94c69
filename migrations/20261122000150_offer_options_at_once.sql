-- What may be offered for a complaint, or instead of a refused medicine: the candidates by their compositions, and
-- one verification for all of them.

-- The cheapest products without prescription that hold one of these ingredients; `besides` counts what else they hold.
create function private.cheapest_with(p_ingredients text[], p_most integer)
returns table (product_id text, price numeric, besides integer)
language sql
stable
set search_path = ''
as $$
  select k.product_id, k.price, c.besides
  from (
    select
      o.active_ingredient,
      (select count(*) from unnest(o.ingredients) as i where i <> all (p_ingredients))::integer as besides
    from public.compositions as o
    where o.ingredients && p_ingredients
  ) as c
  cross join lateral (
    select p.product_id, p.price
    from public.products as p
    where p.active_ingredient = c.active_ingredient and p.schedule = 'OTC'
    order by p.price, p.product_id
    limit p_most
  ) as k;
$$;

-- OTC products for a symptom that nothing blocks for this patient, in stock: those without a warning first, then
-- what holds nothing else besides, then the cheaper. Options to choose from, never a choice.
create or replace function private.symptom_options(p_patient_id text, p_ingredients text[])
returns setof text
language sql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
  with candidates as materialized (
    select c.product_id, c.price, c.besides
    from private.cheapest_with(p_ingredients, 12) as c
    order by c.besides, c.price, c.product_id
    limit 12
  )
  select c.product_id
  from candidates as c
  join private.verify_apart(p_patient_id, array(select every.product_id from candidates as every)) as v using (product_id)
  where not v.is_blocked
  order by v.is_warned, c.besides, c.price, c.product_id
  limit 5;
$$;

-- What may be offered instead of an OTC product: same use, in stock, nothing that verification blocks for this
-- patient, cheaper first. For what needs a prescription there is none: that is the prescriber's choice.
create or replace function private.alternatives(p_patient_id text, p_product_id text)
returns jsonb
language sql
stable
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
as $$
  with own as (
    select pi.ingredient
    from public.products as p
    join public.product_ingredients as pi using (product_id)
    where p.product_id = p_product_id and p.schedule = 'OTC'
  ),
  same_use as materialized (
    select array(
      select o.ingredient from own as o
      union
      select unnest(t.ingredients)
      from public.condition_terms as t
      where t.rule_set_id = private.active_rule_set_id()
        and exists (select from own as o where o.ingredient = any (t.ingredients))
    ) as ingredients
  ),
  candidates as materialized (
    select c.product_id, c.price
    from same_use as u
    cross join lateral private.cheapest_with(u.ingredients, 11) as c
    -- Every ingredient of it must be of that use, or a cough syrup would stand in for an allergy tablet.
    where c.besides = 0 and c.product_id <> p_product_id
    order by c.price, c.product_id
    limit 10
  ),
  safe as (
    select c.product_id
    from candidates as c
    join private.verify_apart(p_patient_id, array(select every.product_id from candidates as every)) as v using (product_id)
    where not v.is_blocked
    order by c.price, c.product_id
    limit 3
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'product_id', p.product_id, 'product_name', p.product_name, 'price', p.price, 'package_size', p.package_size
  ) order by p.price, p.product_id), '[]')
  from safe
  join public.products as p using (product_id);
$$;

grant execute on function private.cheapest_with(text[], integer) to service_role;

-- Of phrases that share words the first counts, of those that start together the longest: "sir dard ki dawai" is a
-- headache, no "dard" and no "dard ki dawai".
alter function private.find_terms(text[], boolean[]) rename to find_every_term;

create function private.find_terms(p_words text[], p_is_vocabulary boolean[])
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
      select t.first, t.first + t.length as ends
      from terms as t
      order by t.first, t.length desc
      limit 1
    )
    union all
    select next.first, next.ends
    from chosen as c
    cross join lateral (
      select t.first, t.first + t.length as ends
      from terms as t
      where t.first >= c.ends
      order by t.first, t.length desc
      limit 1
    ) as next
  )
  select t.*
  from chosen as c
  join terms as t on t.first = c.first and t.first + t.length = c.ends;
$$;

grant execute on function private.find_terms(text[], boolean[]) to service_role;
