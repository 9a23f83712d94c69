-- Clinical rules as versioned data. A rule set is imported as a draft, validated, activated and rolled back as
-- a whole; at most one is active, and without an active one nothing clinical is passed.

create table public.rule_sets (
  rule_set_id bigint generated always as identity,
  version text not null,
  status text not null default 'draft',
  source text not null,
  imported_at timestamptz not null default now(),
  activated_at timestamptz,
  constraint rule_sets_pkey primary key (rule_set_id),
  constraint rule_sets_version_key unique (version),
  constraint rule_sets_status_known check (status in ('draft', 'active', 'retired'))
);

create unique index rule_sets_one_active_idx on public.rule_sets (status) where status = 'active';

create table public.drug_classes (
  rule_set_id bigint not null,
  drug_class text not null,
  ingredient text not null,
  class_sound text not null generated always as (private.sound_key(drug_class)) stored,
  constraint drug_classes_pkey primary key (rule_set_id, ingredient, drug_class),
  constraint drug_classes_rule_set_id_fkey
    foreign key (rule_set_id) references public.rule_sets (rule_set_id) on delete cascade
);

-- What a stated allergy blocks or warns of: a class, an ingredient or one product.
create table public.allergy_rules (
  rule_set_id bigint not null,
  term text not null,
  matches text not null,
  target text not null,
  action text not null,
  reason text not null,
  term_sound text not null generated always as (private.sound_key(term)) stored,
  constraint allergy_rules_pkey primary key (rule_set_id, term, matches, target),
  constraint allergy_rules_rule_set_id_fkey
    foreign key (rule_set_id) references public.rule_sets (rule_set_id) on delete cascade,
  constraint allergy_rules_matches_known check (matches in ('class', 'ingredient', 'product')),
  constraint allergy_rules_action_known check (action in ('block', 'warn'))
);

-- One row a pair; the check keeps the pair in one order, so that a pair cannot be stated twice.
create table public.interaction_rules (
  rule_set_id bigint not null,
  ingredient_a text not null,
  ingredient_b text not null,
  severity text not null,
  action text not null,
  effect text not null,
  source text not null,
  constraint interaction_rules_pkey primary key (rule_set_id, ingredient_a, ingredient_b),
  constraint interaction_rules_rule_set_id_fkey
    foreign key (rule_set_id) references public.rule_sets (rule_set_id) on delete cascade,
  constraint interaction_rules_pair_ordered check (ingredient_a collate "C" < ingredient_b collate "C"),
  constraint interaction_rules_severity_known check (severity in ('contraindicated', 'major', 'moderate', 'minor')),
  constraint interaction_rules_action_known check (action in ('block', 'warn')),
  constraint interaction_rules_contraindicated_blocks check (severity <> 'contraindicated' or action = 'block')
);

create table public.condition_rules (
  rule_set_id bigint not null,
  ingredient text not null,
  condition text not null,
  condition_sound text not null generated always as (private.sound_key(condition)) stored,
  action text not null,
  effect text not null,
  source text not null,
  constraint condition_rules_pkey primary key (rule_set_id, ingredient, condition),
  constraint condition_rules_rule_set_id_fkey
    foreign key (rule_set_id) references public.rule_sets (rule_set_id) on delete cascade,
  constraint condition_rules_action_known check (action in ('block', 'warn'))
);

create table public.ingredient_limits (
  rule_set_id bigint not null,
  ingredient text not null,
  max_daily_mg numeric,
  min_age_years smallint,
  weekly_only boolean not null default false,
  -- Most that may be sold without a prescription in 7 days, over all products: in units, or in packs.
  otc_units_per_7_days integer,
  otc_packs_per_7_days integer,
  source text not null,
  constraint ingredient_limits_pkey primary key (rule_set_id, ingredient),
  constraint ingredient_limits_rule_set_id_fkey
    foreign key (rule_set_id) references public.rule_sets (rule_set_id) on delete cascade,
  constraint ingredient_limits_dose_positive check (max_daily_mg > 0),
  constraint ingredient_limits_age_range check (min_age_years between 0 and 130),
  constraint ingredient_limits_one_cap check (otc_units_per_7_days is null or otc_packs_per_7_days is null)
);

-- What is taken for what: the medicines of a condition or symptom, and phrases people use for it.
create table public.condition_terms (
  rule_set_id bigint not null,
  condition text not null,
  kind text not null,
  ingredients text[] not null,
  phrases text[] not null,
  phrase_keys text[] not null generated always as (private.normalise_names(phrases)) stored,
  constraint condition_terms_pkey primary key (rule_set_id, condition),
  constraint condition_terms_rule_set_id_fkey
    foreign key (rule_set_id) references public.rule_sets (rule_set_id) on delete cascade,
  constraint condition_terms_kind_known check (kind in ('maintenance', 'symptom'))
);

-- How often a medicine is taken; null where no daily use follows from it.
create table public.dosage_frequencies (
  dosage_frequency text not null,
  doses_per_day numeric,
  constraint dosage_frequencies_pkey primary key (dosage_frequency),
  constraint dosage_frequencies_positive check (doses_per_day > 0)
);

insert into public.dosage_frequencies (dosage_frequency, doses_per_day)
values
  ('once_daily', 1),
  ('twice_daily', 2),
  ('three_times_daily', 3),
  ('four_times_daily', 4),
  ('alternate_days', 0.5),
  ('once_weekly', 1 / 7.0),
  ('as_needed', null);

-- A version that is or was in force says for ever what was checked: only a draft may be changed.
create function private.refuse_change_of_rules()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from public.rule_sets
    where rule_set_id = coalesce(new.rule_set_id, old.rule_set_id) and status <> 'draft'
  ) then
    raise exception using errcode = '42501', message = 'the rules of a version that was in force do not change';
  end if;
  return coalesce(new, old);
end;
$$;

create trigger drug_classes_fixed before insert or update or delete on public.drug_classes
  for each row execute function private.refuse_change_of_rules();
create trigger allergy_rules_fixed before insert or update or delete on public.allergy_rules
  for each row execute function private.refuse_change_of_rules();
create trigger interaction_rules_fixed before insert or update or delete on public.interaction_rules
  for each row execute function private.refuse_change_of_rules();
create trigger condition_rules_fixed before insert or update or delete on public.condition_rules
  for each row execute function private.refuse_change_of_rules();
create trigger ingredient_limits_fixed before insert or update or delete on public.ingredient_limits
  for each row execute function private.refuse_change_of_rules();
create trigger condition_terms_fixed before insert or update or delete on public.condition_terms
  for each row execute function private.refuse_change_of_rules();

alter table public.rule_sets enable row level security;
alter table public.drug_classes enable row level security;
alter table public.allergy_rules enable row level security;
alter table public.interaction_rules enable row level security;
alter table public.condition_rules enable row level security;
alter table public.ingredient_limits enable row level security;
alter table public.condition_terms enable row level security;
alter table public.dosage_frequencies enable row level security;

-- The rules are no secret: everybody may see what was checked and against which source.
grant select on
  public.rule_sets, public.drug_classes, public.allergy_rules, public.interaction_rules,
  public.condition_rules, public.ingredient_limits, public.condition_terms, public.dosage_frequencies
to anon, authenticated;
grant select, insert, update, delete on
  public.rule_sets, public.drug_classes, public.allergy_rules, public.interaction_rules,
  public.condition_rules, public.ingredient_limits, public.condition_terms, public.dosage_frequencies
to service_role;

create policy rule_sets_read_all on public.rule_sets for select to anon, authenticated using (true);
create policy drug_classes_read_all on public.drug_classes for select to anon, authenticated using (true);
create policy allergy_rules_read_all on public.allergy_rules for select to anon, authenticated using (true);
create policy interaction_rules_read_all on public.interaction_rules for select to anon, authenticated using (true);
create policy condition_rules_read_all on public.condition_rules for select to anon, authenticated using (true);
create policy ingredient_limits_read_all on public.ingredient_limits for select to anon, authenticated using (true);
create policy condition_terms_read_all on public.condition_terms for select to anon, authenticated using (true);
create policy dosage_frequencies_read_all on public.dosage_frequencies for select to anon, authenticated using (true);

create function private.active_rule_set_id()
returns bigint
language sql
stable
set search_path = ''
as $$
  select rule_set_id from public.rule_sets where status = 'active';
$$;

-- Why a rule set may not be put in force: kinds of rules it lacks, and ingredients nobody can contain.
create function private.rule_set_problems(p_rule_set_id bigint)
returns setof text
language sql
stable
set search_path = ''
as $$
  select 'has no ' || kind.name
  from (values
    ('drug classes', exists (select from public.drug_classes where rule_set_id = p_rule_set_id)),
    ('allergy rules', exists (select from public.allergy_rules where rule_set_id = p_rule_set_id)),
    ('interaction rules', exists (select from public.interaction_rules where rule_set_id = p_rule_set_id)),
    ('condition rules', exists (select from public.condition_rules where rule_set_id = p_rule_set_id)),
    ('ingredient limits', exists (select from public.ingredient_limits where rule_set_id = p_rule_set_id)),
    ('condition terms', exists (select from public.condition_terms where rule_set_id = p_rule_set_id))
  ) as kind (name, is_there)
  where not kind.is_there
  union all
  select distinct 'names the unknown ingredient ' || named.ingredient
  from (
    select ingredient from public.drug_classes where rule_set_id = p_rule_set_id
    union select ingredient_a from public.interaction_rules where rule_set_id = p_rule_set_id
    union select ingredient_b from public.interaction_rules where rule_set_id = p_rule_set_id
    union select ingredient from public.condition_rules where rule_set_id = p_rule_set_id
    union select ingredient from public.ingredient_limits where rule_set_id = p_rule_set_id
    union select target from public.allergy_rules where rule_set_id = p_rule_set_id and matches = 'ingredient'
    union select unnest(ingredients) from public.condition_terms where rule_set_id = p_rule_set_id
  ) as named
  where not exists (select from public.ingredients as i where i.ingredient = named.ingredient)
  union all
  select 'has an allergy rule for the unknown ' || r.matches || ' ' || r.target
  from public.allergy_rules as r
  where r.rule_set_id = p_rule_set_id
    and case r.matches
      when 'class' then not exists (
        select from public.drug_classes as c where c.rule_set_id = p_rule_set_id and c.drug_class = r.target
      )
      when 'product' then not exists (select from public.products as p where p.product_id = r.target)
      else false
    end;
$$;

-- Makes a rule set the one in force. Rolling back is activating the earlier one again.
create function private.activate_rule_set(p_version text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
begin
  select rule_set_id into v_id from public.rule_sets where version = p_version for update;
  if v_id is null then
    perform private.fail(404, 'rule_set_not_found', format('There is no rule set %s.', p_version));
  end if;
  if exists (select from private.rule_set_problems(v_id)) then
    perform private.fail(422, 'rule_set_invalid', format('Rule set %s %s.', p_version, (
      select string_agg(problem, ', ') from private.rule_set_problems(v_id) as problem
    )));
  end if;
  update public.rule_sets set status = 'retired' where status = 'active' and rule_set_id <> v_id;
  update public.rule_sets set status = 'active', activated_at = now() where rule_set_id = v_id;
  return v_id;
end;
$$;

grant execute on function private.active_rule_set_id() to anon, authenticated, service_role;
grant execute on function private.activate_rule_set(text) to service_role;
