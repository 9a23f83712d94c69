-- What products are made of, once for the thousands that share it: who asks for an ingredient or for a complaint
-- reads the few hundred compositions and then the products he needs, not all that contain it.

create table public.compositions (
  -- As the products have it: "Amoxicillin+Clavulanic Acid".
  active_ingredient text not null,
  joined text collate "C" not null
    generated always as (replace(private.normalise_name(active_ingredient), ' ', '')) stored,
  ingredients text[] not null generated always as (string_to_array(active_ingredient, '+')) stored,
  constraint compositions_pkey primary key (active_ingredient)
);

create index compositions_joined_idx on public.compositions (joined);
create index compositions_ingredients_idx on public.compositions using gin (ingredients);

-- A composition that no product has any more does no harm: it leads to none.
create function private.compositions_kept()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into public.compositions (active_ingredient)
  select distinct active_ingredient from changed where active_ingredient <> '-'
  on conflict (active_ingredient) do nothing;
  return null;
end;
$$;

create trigger compositions_kept_on_insert after insert on public.products
  referencing new table as changed for each statement execute function private.compositions_kept();
create trigger compositions_kept_on_update after update on public.products
  referencing new table as changed for each statement execute function private.compositions_kept();

insert into public.compositions (active_ingredient)
select distinct active_ingredient from public.products where active_ingredient <> '-';

alter table public.compositions enable row level security;
grant select on public.compositions to anon, authenticated;
grant select, insert, update, delete on public.compositions to service_role;
create policy compositions_read_all on public.compositions for select to anon, authenticated using (true);

-- The first product of a composition and strength is read without sorting all of them.
drop index public.products_composition_idx;
create index products_composition_idx on public.products (active_ingredient, strength, product_id);
create index products_variants_idx on public.products (active_ingredient, strength, form, price, product_id);
-- The cheapest that need no prescription.
create index products_otc_price_idx on public.products (active_ingredient, price, product_id) where schedule = 'OTC';
-- A name without its spaces, each with its products in order.
drop index public.product_names_joined_idx;
create index product_names_joined_idx on public.product_names (joined, product_id);
-- Stock is added up from the index alone.
drop index public.product_batches_fefo_idx;
create index product_batches_fefo_idx on public.product_batches (product_id, expiry, batch_id) include (quantity)
  where status = 'available' and quantity > 0;

-- The cheapest three of every strength and form of a composition: what its name stands for, when thousands have it.
create function private.variants_of(p_active_ingredient text)
returns table (product_id text)
language sql
stable
set search_path = ''
as $$
  with recursive kinds as (
    (
      select p.strength, p.form
      from public.products as p
      where p.active_ingredient = p_active_ingredient
      order by p.strength, p.form
      limit 1
    )
    union all
    select next.strength, next.form
    from kinds as k
    cross join lateral (
      select p.strength, p.form
      from public.products as p
      where p.active_ingredient = p_active_ingredient and (p.strength, p.form) > (k.strength, k.form)
      order by p.strength, p.form
      limit 1
    ) as next
  )
  select cheapest.product_id
  from kinds as k
  cross join lateral (
    select p.product_id
    from public.products as p
    where p.active_ingredient = p_active_ingredient and p.strength = k.strength and p.form = k.form
    order by p.price, p.product_id
    limit 3
  ) as cheapest;
$$;

grant execute on function private.compositions_kept(), private.variants_of(text) to service_role;
