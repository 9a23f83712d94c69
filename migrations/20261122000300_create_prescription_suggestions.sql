-- What a program read on an uploaded prescription: suggestions for the pharmacist, who decides. Nothing else looks
-- at them; the items of a prescription are those that a pharmacist verified.

create table public.prescription_suggestions (
  prescription_id text not null,
  position smallint not null,
  -- The words on the prescription.
  said text not null,
  -- Composition and directions as far as they were understood, in the form of a prescription item.
  ingredient text,
  strength text,
  units integer,
  dosage_frequency text,
  units_per_dose numeric,
  -- Every word of it was understood, and it names one medicine of the catalogue.
  is_certain boolean not null,
  -- What else it may be: "Paracetamol 500 mg".
  options text[] not null default '{}',
  constraint prescription_suggestions_pkey primary key (prescription_id, position),
  constraint prescription_suggestions_prescription_id_fkey
    foreign key (prescription_id) references public.prescriptions (prescription_id) on delete cascade,
  constraint prescription_suggestions_dosage_frequency_fkey
    foreign key (dosage_frequency) references public.dosage_frequencies (dosage_frequency),
  constraint prescription_suggestions_said_length check (length(said) between 1 and 400),
  constraint prescription_suggestions_units_range check (units between 1 and 100000),
  constraint prescription_suggestions_dose_range check (units_per_dose > 0 and units_per_dose <= 9999),
  constraint prescription_suggestions_certain_complete check (
    not is_certain
    or (ingredient is not null and strength is not null and units is not null
      and dosage_frequency is not null and units_per_dose is not null)
  )
);

alter table public.prescription_suggestions enable row level security;
grant select on public.prescription_suggestions to authenticated;
grant select, insert, update, delete on public.prescription_suggestions to service_role;

create policy prescription_suggestions_read_own_or_staff on public.prescription_suggestions
  for select to authenticated
  using (
    exists (
      select from public.prescriptions as p
      where p.prescription_id = prescription_suggestions.prescription_id
        and (p.patient_id = (select private.current_patient_id()) or (select private.is_staff()))
    )
  );

-- Strengths as people write them: "500mg" and "500 mg" are one.
create function private.strength_key(p_strength text)
returns text
language sql
immutable
set search_path = ''
as $$
  select replace(lower(p_strength), ' ', '');
$$;

-- The medicine that one line names. `p_words` are its words in normalised form, `p_is_vocabulary` marks those that
-- belong to the language of prescriptions, `p_strength` is the strength it gives, if any. One row: the composition
-- as far as it is clear, whether it is beyond doubt, and what else it may be.
create function private.medicine_on_line(p_words text[], p_is_vocabulary boolean[], p_strength text)
returns table (ingredient text, strength text, is_certain boolean, options text[])
language sql
stable
set search_path = ''
as $$
  with mentions as materialized (
    select m.first, m.length, m.kind, m.distance, p.product_id, p.active_ingredient, p.strength
    from private.find_mentions(p_words, p_is_vocabulary) as m
    join public.products as p using (product_id)
    where p.active_ingredient <> '-'
  ),
  best as (
    select first, length, kind = 'stem' as is_stem, distance
    from mentions
    order by distance, length desc, kind = 'stem', first
    limit 1
  ),
  named as (
    select distinct
      m.active_ingredient, m.strength,
      -- The line gives the strength, or the whole name of a product, of which a number may be part.
      coalesce(private.strength_key(m.strength) = private.strength_key(p_strength), false)
        or m.kind = 'name' and (
          p_strength is null
          or substring(p_strength from '^[0-9.]+') = any (p_words[m.first : m.first + m.length - 1])
        ) as fits
    from mentions as m
    join best as b using (first, length, distance)
    where b.is_stem = (m.kind = 'stem')
  ),
  -- Where any fits what is said of the strength, the others are out of the question.
  left_over as (
    select distinct n.active_ingredient, n.strength, n.fits
    from named as n
    where n.fits or not exists (select from named as other where other.fits)
  ),
  counted as (
    select
      count(*) as compositions, count(distinct l.active_ingredient) as ingredients, bool_and(l.fits) as fits,
      min(l.active_ingredient) as ingredient, min(l.strength) as strength,
      (array_agg(l.active_ingredient || ' ' || l.strength order by l.active_ingredient, l.strength))[1:5] as options
    from left_over as l
  )
  select
    case when c.ingredients = 1 then c.ingredient end,
    case when c.compositions = 1 and c.fits then c.strength end,
    c.compositions = 1 and c.fits and b.distance = 0 and not b.is_stem and not exists (
      -- A word besides the name that may change everything: "stop", "SR", a second name, a stray number.
      select from unnest(p_words, p_is_vocabulary) with ordinality as w (word, is_vocabulary, position)
      where not w.is_vocabulary and w.position not between b.first and b.first + b.length - 1
    ),
    case when c.compositions > 1 or not c.fits or b.distance > 0 then c.options else '{}' end
  from counted as c
  cross join best as b;
$$;

-- Stores what lines of a prescription may mean: [{said, words, is_vocabulary, strength, dosage_frequency,
-- units_per_dose, units, is_clear}]. `p_may_be_certain` is false for what a model read.
create function private.suggest_items(p_prescription_id text, p_lines jsonb, p_may_be_certain boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if jsonb_typeof(p_lines) is distinct from 'array' or jsonb_array_length(p_lines) > 40 then
    perform private.fail(422, 'invalid_lines', 'A prescription has at most 40 lines that name medicines.');
  end if;
  insert into public.prescription_suggestions
    (prescription_id, position, said, ingredient, strength, units, dosage_frequency, units_per_dose, is_certain, options)
  select
    p_prescription_id, row_number() over (order by l.position), left(l.said, 400), m.ingredient,
    coalesce(m.strength, l.strength), l.units, l.dosage_frequency, l.units_per_dose,
    p_may_be_certain and l.is_clear and coalesce(m.is_certain, false)
      and num_nonnulls(l.units, l.dosage_frequency, l.units_per_dose) = 3
      -- The same medicine twice is a question: one of them may be the old dose.
      and count(*) over (partition by m.ingredient) = 1,
    coalesce(m.options, '{}')
  from (
    select a.position, r.*
    from jsonb_array_elements(p_lines) with ordinality as a (line, position)
    cross join lateral jsonb_to_record(a.line) as r (
      said text, words text[], is_vocabulary boolean[], strength text, dosage_frequency text, units_per_dose numeric,
      units integer, is_clear boolean
    )
    where cardinality(r.words) between 1 and 60 and cardinality(r.words) = cardinality(r.is_vocabulary)
  ) as l
  left join lateral private.medicine_on_line(l.words, l.is_vocabulary, l.strength) as m on true
  order by l.position
  limit 20;
exception
  when check_violation or not_null_violation or foreign_key_violation or invalid_text_representation
    or numeric_value_out_of_range or invalid_parameter_value then
    perform private.fail(422, 'invalid_lines', 'Each line has its words, and directions that are known.');
end;
$$;

create function private.suggestions_json(p_prescription_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'said', s.said, 'ingredient', s.ingredient, 'strength', s.strength, 'units', s.units, 'repeats', 0,
    'dosage_frequency', s.dosage_frequency, 'units_per_dose', s.units_per_dose,
    'is_certain', s.is_certain, 'options', s.options
  ) order by s.position), '[]')
  from public.prescription_suggestions as s
  where s.prescription_id = p_prescription_id;
$$;

grant execute on function private.suggestions_json(text) to authenticated;

-- Takes the pharmacist's reading of a prescription over. Without items of its own the review stands on those the
-- prescription came with, or on what was suggested for it, if nothing of that is in doubt. Fails with 422 when it is
-- incomplete or has ended.
create or replace function private.verify_prescription(
  p_prescription public.prescriptions, p_review jsonb, p_pharmacist uuid
)
returns public.prescriptions
language plpgsql
set search_path = ''
as $$
declare
  v_prescription public.prescriptions;
  v_id text := (p_prescription).prescription_id;
  v_items jsonb := coalesce(p_review -> 'items', '[]');
begin
  if jsonb_typeof(v_items) <> 'array' or v_items = '[]' then
    v_items := '[]';
    if not exists (select from public.prescription_items where prescription_id = v_id) then
      v_items := private.suggestions_json(v_id);
      if v_items = '[]' or v_items @> '[{"is_certain": false}]' then
        perform private.fail(
          422, 'items_required', 'A verified prescription names what was prescribed.',
          jsonb_build_object('suggested_items', v_items)
        );
      end if;
    end if;
  else
    delete from public.prescription_items where prescription_id = v_id;
  end if;
  insert into public.prescription_items
    (prescription_id, ingredient, strength, units, repeats, dosage_frequency, units_per_dose)
  select
    v_id, i.ingredient, i.strength, i.units, coalesce(i.repeats, 0), i.dosage_frequency, coalesce(i.units_per_dose, 1)
  from jsonb_to_recordset(v_items) as i (
    ingredient text, strength text, units integer, repeats smallint, dosage_frequency text, units_per_dose numeric
  );

  update public.prescriptions
  set
    status = 'verified',
    prescriber = coalesce(nullif(btrim(p_review ->> 'prescriber'), ''), prescriber),
    issued_on = coalesce((p_review ->> 'issued_on')::date, issued_on),
    valid_until = coalesce((p_review ->> 'valid_until')::date, valid_until),
    reviewed_by = p_pharmacist,
    reviewed_at = now()
  where prescription_id = v_id
  returning * into v_prescription;
  if v_prescription.issued_on > private.today() or v_prescription.valid_until < private.today() then
    perform private.fail(422, 'prescription_not_valid', 'The prescription is not valid today.');
  end if;
  return v_prescription;
exception
  when check_violation or not_null_violation or foreign_key_violation or unique_violation
    or invalid_text_representation or numeric_value_out_of_range or datetime_field_overflow
    or invalid_parameter_value
    or invalid_datetime_format then
    perform private.fail(
      422, 'invalid_review', 'Prescriber, dates and each item with ingredient, strength, units and directions are needed.'
    );
end;
$$;
