-- The catalogue: products, what they contain, the names people call them by, and the lots on the shelf.

create table public.ingredients (
  ingredient text not null,
  sound text not null generated always as (private.sound_key(ingredient)) stored,
  constraint ingredients_pkey primary key (ingredient)
);

create index ingredients_sound_idx on public.ingredients (sound);
create index ingredients_sound_trigram_idx on public.ingredients using gin (sound extensions.gin_trgm_ops);

create table public.products (
  product_id text not null,
  product_name text not null,
  -- As printed: "Amoxicillin+Clavulanic Acid", "500 mg + 125 mg"; "-" where there is none (a bandage).
  active_ingredient text not null,
  strength text not null,
  form text not null,
  pack_unit text not null,
  units_per_pack integer not null,
  unit text not null,
  package_size text not null,
  price numeric(10, 2) not null,
  min_age_years smallint,
  prescription_required boolean not null,
  schedule text not null,
  category text not null,
  manufacturer text not null,
  description text,
  image_url text,
  -- How it reaches the body: what is put on the skin or inhaled is treated differently from what is swallowed.
  route text not null generated always as (
    case
      when form in ('gel', 'cream', 'ointment', 'lotion', 'solution') then 'topical'
      when form = 'inhaler' then 'inhaled'
      when form in ('eye drops', 'nasal spray', 'lozenge') then 'local'
      when form = 'device' then 'device'
      else 'systemic'
    end
  ) stored,
  constraint products_pkey primary key (product_id),
  constraint products_price_positive check (price >= 0),
  constraint products_units_positive check (units_per_pack > 0),
  constraint products_schedule_known check (schedule in ('OTC', 'H', 'H1', 'X')),
  constraint products_prescription_by_schedule check (prescription_required = (schedule <> 'OTC')),
  constraint products_min_age_range check (min_age_years between 0 and 130)
);

create index products_category_idx on public.products (category, product_id);
create index products_composition_idx on public.products (active_ingredient, strength);

create table public.product_ingredients (
  product_id text not null,
  ingredient text not null,
  position smallint not null,
  strength text not null,
  -- Milligrams of the ingredient in one unit (tablet, ml, g, dose); null where the strength is no mass.
  mg_per_unit numeric,
  constraint product_ingredients_pkey primary key (product_id, ingredient),
  constraint product_ingredients_product_id_fkey
    foreign key (product_id) references public.products (product_id) on delete cascade,
  constraint product_ingredients_ingredient_fkey foreign key (ingredient) references public.ingredients (ingredient),
  constraint product_ingredients_mg_positive check (mg_per_unit > 0)
);

create index product_ingredients_ingredient_idx on public.product_ingredients (ingredient);

create table public.product_aliases (
  product_id text not null,
  alias text not null,
  constraint product_aliases_pkey primary key (product_id, alias),
  constraint product_aliases_product_id_fkey
    foreign key (product_id) references public.products (product_id) on delete cascade
);

-- Everything a product answers to, in the form names are compared in. Kept by the triggers below.
create table public.product_names (
  name_key text collate "C" not null,
  product_id text not null,
  kind text not null,
  -- People put spaces where they like: "pan d" and "pand", "o r s" and "ors".
  joined text collate "C" not null generated always as (replace(name_key, ' ', '')) stored,
  constraint product_names_pkey primary key (name_key, product_id, kind),
  constraint product_names_product_id_fkey
    foreign key (product_id) references public.products (product_id) on delete cascade,
  constraint product_names_kind_known check (kind in ('name', 'alias', 'ingredient'))
);

create index product_names_joined_idx on public.product_names (joined);
create index product_names_product_id_idx on public.product_names (product_id);

-- The distinct words of those names. A look-up by similarity runs over these few thousand words and then
-- joins, so that its cost does not follow the size of the catalogue.
create table public.catalogue_words (
  word text collate "C" not null,
  sound text collate "C" not null,
  consonants text collate "C" not null generated always as (private.consonants(sound)) stored,
  constraint catalogue_words_pkey primary key (word)
);

create index catalogue_words_consonants_idx on public.catalogue_words (consonants);

create index catalogue_words_trigram_idx on public.catalogue_words using gin (word extensions.gin_trgm_ops);
create index catalogue_words_sound_idx on public.catalogue_words using gin (sound extensions.gin_trgm_ops);

create table public.product_words (
  word text collate "C" not null,
  product_id text not null,
  constraint product_words_pkey primary key (word, product_id),
  constraint product_words_word_fkey foreign key (word) references public.catalogue_words (word),
  constraint product_words_product_id_fkey
    foreign key (product_id) references public.products (product_id) on delete cascade
);

create index product_words_product_id_idx on public.product_words (product_id);

create table public.product_batches (
  batch_id bigint generated always as identity,
  product_id text not null,
  lot text not null,
  expiry date not null,
  quantity integer not null,
  status text not null default 'available',
  received_at timestamptz not null default now(),
  constraint product_batches_pkey primary key (batch_id),
  constraint product_batches_lot_key unique (product_id, lot),
  constraint product_batches_product_id_fkey foreign key (product_id) references public.products (product_id),
  constraint product_batches_quantity_not_negative check (quantity >= 0),
  constraint product_batches_status_known check (status in ('available', 'held', 'recalled'))
);

-- First expiry first out reads exactly in this order.
create index product_batches_fefo_idx on public.product_batches (product_id, expiry, batch_id)
  where status = 'available' and quantity > 0;

-- Rebuilds the names and words of the given products.
create function private.refresh_product_names(p_product_ids text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.product_names where product_id = any (p_product_ids);
  delete from public.product_words where product_id = any (p_product_ids);

  insert into public.product_names (name_key, product_id, kind)
  select distinct n.name_key, n.product_id, n.kind
  from (
    select private.normalise_name(product_name), product_id, 'name'
    from public.products where product_id = any (p_product_ids)
    union all
    select private.normalise_name(alias), product_id, 'alias'
    from public.product_aliases where product_id = any (p_product_ids)
    union all
    -- A combination is no variant of its single ingredient: only all of its ingredients together name it.
    select private.normalise_name(active_ingredient), product_id, 'ingredient'
    from public.products where product_id = any (p_product_ids) and active_ingredient <> '-'
  ) as n (name_key, product_id, kind)
  where n.name_key <> ''
  order by n.name_key, n.product_id;

  -- Sounds are costly: once for each word that is new, not for each of its products.
  with words as materialized (
    select distinct w.word, n.product_id
    from public.product_names as n, string_to_table(n.name_key, ' ') as w (word)
    where n.product_id = any (p_product_ids)
  ),
  new_words as (
    insert into public.catalogue_words (word, sound)
    select w.word, private.sound_key(w.word)
    from (select distinct word from words) as w
    where not exists (select from public.catalogue_words as c where c.word = w.word)
    on conflict (word) do nothing
  )
  insert into public.product_words (word, product_id)
  select word, product_id from words order by word, product_id;
end;
$$;

create function private.products_named()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform private.refresh_product_names(array(select distinct product_id from changed));
  return null;
end;
$$;

create trigger products_named_on_insert after insert on public.products
  referencing new table as changed for each statement execute function private.products_named();
create trigger products_named_on_update after update on public.products
  referencing new table as changed for each statement execute function private.products_named();
create trigger product_aliases_named_on_insert after insert on public.product_aliases
  referencing new table as changed for each statement execute function private.products_named();
create trigger product_aliases_named_on_delete after delete on public.product_aliases
  referencing old table as changed for each statement execute function private.products_named();

-- What may be sold today: lots that are available and do not expire today or before. PostgREST offers it as
-- the computed column `stock_quantity` of products; nothing stores it, so an expired lot leaves by itself.
-- definer: everybody may know how much there is, not the lots it is made of.
create function public.stock_quantity(public.products)
returns integer
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(sum(quantity), 0)::integer
  from public.product_batches
  where product_id = $1.product_id and status = 'available' and quantity > 0 and expiry > private.today();
$$;

alter table public.ingredients enable row level security;
alter table public.products enable row level security;
alter table public.product_ingredients enable row level security;
alter table public.product_aliases enable row level security;
alter table public.product_names enable row level security;
alter table public.catalogue_words enable row level security;
alter table public.product_words enable row level security;
alter table public.product_batches enable row level security;

grant select on
  public.ingredients, public.products, public.product_ingredients, public.product_aliases,
  public.product_names, public.catalogue_words, public.product_words
to anon, authenticated;
grant select on public.product_batches to authenticated;
grant select, insert, update, delete on
  public.ingredients, public.products, public.product_ingredients, public.product_aliases,
  public.product_names, public.catalogue_words, public.product_words, public.product_batches
to service_role;
grant execute on function public.stock_quantity(public.products) to anon, authenticated, service_role;
grant execute on function
  private.normalise_name(text), private.sound_key(text), private.refresh_product_names(text[])
to anon, authenticated, service_role;

create policy ingredients_read_all on public.ingredients for select to anon, authenticated using (true);
create policy products_read_all on public.products for select to anon, authenticated using (true);
create policy product_ingredients_read_all on public.product_ingredients for select to anon, authenticated using (true);
create policy product_aliases_read_all on public.product_aliases for select to anon, authenticated using (true);
create policy product_names_read_all on public.product_names for select to anon, authenticated using (true);
create policy catalogue_words_read_all on public.catalogue_words for select to anon, authenticated using (true);
create policy product_words_read_all on public.product_words for select to anon, authenticated using (true);
create policy product_batches_read_staff on public.product_batches
  for select to authenticated using ((select private.is_staff()));

-- The product as lists show it.
create function private.product_json(p_product public.products)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'product_id', (p_product).product_id,
    'product_name', (p_product).product_name,
    'active_ingredient', (p_product).active_ingredient,
    'manufacturer', (p_product).manufacturer,
    'price', (p_product).price,
    'category', (p_product).category,
    'prescription_required', (p_product).prescription_required,
    'package_size', (p_product).package_size,
    'description', coalesce(
      (p_product).description,
      concat_ws(' ', nullif((p_product).active_ingredient, '-'), nullif((p_product).strength, '-'), (p_product).form)
    ),
    'stock_quantity', public.stock_quantity(p_product),
    'image_url', (p_product).image_url
  );
$$;

grant execute on function private.product_json(public.products) to anon, authenticated, service_role;
