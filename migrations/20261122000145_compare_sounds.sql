-- The comparisons of sounds that every verification makes, a few hundred each time: written out where they are made,
-- because a call of private.sounds_like costs more than what it does. They decide as before.

alter table public.condition_terms
  add column condition_sound text not null generated always as (private.sound_key(condition)) stored;

-- Each stated condition with what the rules call it ("CKD" is kidney disease; "severe kidney disease" is both that
-- and kidney disease); one that nothing knows has no condition. Short words must sound alike, long ones nearly.
create or replace function private.stated_conditions(p_conditions text[], p_rule_set_id bigint)
returns setof private.stated_condition
language sql
stable
set search_path = ''
as $$
  with known as (
    select r.condition, r.condition_sound as sound from public.condition_rules as r where r.rule_set_id = p_rule_set_id
    union
    select s.condition, s.sound from public.condition_synonyms as s
    union
    select t.condition, t.condition_sound
    from public.condition_terms as t
    where t.rule_set_id = p_rule_set_id
  )
  select c.stated, k.condition
  from unnest(p_conditions) as c (stated)
  left join lateral (
    select distinct known.condition
    from private.spoken(c.stated) as s
    join known
      on s.sound = known.sound
      or (
        length(known.sound) >= 6 and s.sound <> ''
        and extensions.levenshtein_less_equal(
          left(s.sound, 60), left(known.sound, 60), case when length(known.sound) >= 8 then 2 else 1 end
        ) <= case when length(known.sound) >= 8 then 2 else 1 end
      )
  ) as k on true;
$$;

-- Which rules a stated allergy calls up: the terms, classes, ingredients and products it names, spelt as people
-- spell ("penicilin", "sulfa drugs", "पेनिसिलिन"). One spelling error is forgiven, two in long words. A brand stands
-- for its ingredients ("brufen" for ibuprofen and all that an allergy to it means). An ingredient without a term of
-- its own warns of the others of its class: cross-reactivity that nobody has written a rule for is asked about.
create or replace function private.allergy_targets(p_allergy text, p_rule_set_id bigint)
returns table (matches text, target text, action text, reason text, term text)
language sql
stable
set search_path = ''
as $$
  with spoken as (
    select * from private.spoken(p_allergy)
  ),
  spelt as (
    select sound from spoken
    union
    select regexp_replace(sound, 's$', '') from spoken
  ),
  named as (
    select i.ingredient, i.sound
    from spelt as s
    join public.ingredients as i on i.sound operator(extensions.%) s.sound and private.sounds_like(s.sound, i.sound)
    union
    select i.ingredient, i.sound
    from spoken as s
    join public.product_names as n on n.name_key = s.name
    join public.product_ingredients as pi using (product_id)
    join public.ingredients as i using (ingredient)
    -- "rabeprazole" is the ingredient, not what else is in the product of that name.
    where not exists (select from public.ingredients as same where same.sound = s.sound)
  ),
  terms as (
    select r.*
    from public.allergy_rules as r
    where r.rule_set_id = p_rule_set_id and (
      exists (select from spelt as s where (
        s.sound = r.term_sound or (
          length(r.term_sound) >= 4 and s.sound <> ''
          and extensions.levenshtein_less_equal(
            left(s.sound, 60), left(r.term_sound, 60), case when length(r.term_sound) >= 8 then 2 else 1 end
          ) <= case when length(r.term_sound) >= 8 then 2 else 1 end
        )
      ))
      or exists (select from named as n where n.sound = r.term_sound)
    )
  )
  select t.matches, t.target, t.action, t.reason, t.term
  from terms as t
  union
  select 'class', c.drug_class, 'block', 'stated allergy', lower(c.drug_class)
  from public.drug_classes as c
  where c.rule_set_id = p_rule_set_id and exists (select from spelt as s where (
    s.sound = c.class_sound or (
      length(c.class_sound) >= 4 and s.sound <> ''
      and extensions.levenshtein_less_equal(
        left(s.sound, 60), left(c.class_sound, 60), case when length(c.class_sound) >= 8 then 2 else 1 end
      ) <= case when length(c.class_sound) >= 8 then 2 else 1 end
    )
  ))
  union
  select 'ingredient', n.ingredient, 'block', 'stated allergy', lower(n.ingredient)
  from named as n
  union
  select 'class', c.drug_class, 'warn', 'same class as a stated allergy', lower(n.ingredient)
  from named as n
  join public.drug_classes as c on c.rule_set_id = p_rule_set_id and c.ingredient = n.ingredient
  where not exists (select from terms as t where t.term_sound = n.sound);
$$;
