-- Names in Devanagari: people write the vowels of a Latin name in many ways ("पैन", "पॅन"), and one letter for j and z.

-- What is heard of a word in either script: long and short vowels alike, those that the scripts disagree on gone.
create function private.heard_key(p_text text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select regexp_replace(
    regexp_replace(
      regexp_replace(
        translate(private.sound_key(translate(p_text, 'जझ', 'सस')), 'jeu', 'sao'),
        '(?<=.)a', '', 'g'
      ),
      '(.)\1+', '\1', 'g'
    ),
    '(?<=.)[io]+\M', '', 'g'
  );
$$;

grant execute on function private.heard_key(text) to anon, authenticated, service_role;

alter table public.catalogue_words
  add column heard text collate "C" not null generated always as (private.heard_key(word)) stored,
  add column bones text collate "C" not null
    generated always as (private.consonants(private.heard_key(word))) stored;

create index catalogue_words_bones_idx on public.catalogue_words (bones);

-- Words of the catalogue that sound like one that is in none of its names: at most four, the nearest only. In a
-- short word two letters are half of it: there, letters that differ count as well ("since" is not zinc).
create or replace function private.similar_words(p_word text)
returns table (word text, distance integer)
language sql
stable
set search_path = ''
as $$
  with said as (
    select
      private.sound_key(p_word) as sound, private.heard_key(p_word) as heard,
      private.consonants(private.heard_key(p_word)) as bones,
      p_word ~ U&'[\0900-\097f]' as is_devanagari
  ),
  near as (
    select
      c.word,
      case
        -- In a long name vowels and neighbours that changed places are slips: "glimiperide", "metfromin".
        when c.consonants = private.consonants(said.sound) and length(c.consonants) >= 5
          then least(extensions.levenshtein(c.sound, said.sound), 1)
        else extensions.levenshtein(c.sound, said.sound)
          + case when length(p_word) <= 5 then greatest(extensions.levenshtein(c.word, p_word) - 1, 0) else 0 end
      end as distance,
      extensions.levenshtein(c.word, p_word) as letters
    from said
    join public.catalogue_words as c
      on c.word operator(extensions.%) p_word or c.sound operator(extensions.%) said.sound
    where private.sounds_like(said.sound, c.sound) and c.word !~ '[0-9]'
    union all
    select c.word, case when c.sound = said.sound then 0 else 1 end, 0
    from said
    join public.catalogue_words as c on c.consonants = private.consonants(said.sound)
    where not said.is_devanagari and length(c.consonants) >= 5 and c.word !~ '[0-9]'
    union all
    -- The same vowels too, and long enough: a name as it is written in Devanagari.
    select c.word, case when c.heard = said.heard and length(c.bones) >= 3 then 0 else 1 end, 0
    from said
    join public.catalogue_words as c on c.bones = said.bones
    where said.is_devanagari
      and c.word !~ '[0-9]'
      and (length(c.bones) >= 3 or (c.heard = said.heard and length(c.bones) = 2))
  )
  -- The nearest of each script: a name that is known in Devanagari has its variants under its Latin spelling.
  select n.word, min(n.distance)
  from near as n
  where n.distance = (
    select min(every.distance) from near as every
    where (every.word ~ U&'[\0900-\097f]') = (n.word ~ U&'[\0900-\097f]')
  )
  group by n.word
  order by min(n.letters), n.word
  limit 4;
$$;
