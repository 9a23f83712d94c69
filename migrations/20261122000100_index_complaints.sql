-- Complaints and conditions as people say and spell them: every phrase indexed, its words by sound, so that
-- "asidity", "feever" and "डोकेदूखी" are heard, and so that no message reads the phrases of the rule sets one by one.

-- The phrases of the rule sets, one row each, without their spaces: "loose motion" and "loosemotion" are one.
create table public.condition_phrases (
  rule_set_id bigint not null,
  condition text not null,
  phrase_key text collate "C" not null,
  joined text collate "C" not null generated always as (replace(phrase_key, ' ', '')) stored,
  constraint condition_phrases_pkey primary key (rule_set_id, condition, phrase_key),
  constraint condition_phrases_condition_fkey foreign key (rule_set_id, condition)
    references public.condition_terms (rule_set_id, condition) on delete cascade on update cascade
);

create index condition_phrases_joined_idx on public.condition_phrases (joined);

alter table public.complaint_phrases
  add column joined text collate "C" not null generated always as (replace(phrase_key, ' ', '')) stored;

create index complaint_phrases_joined_idx on public.complaint_phrases (joined);

-- The distinct words of both. Words of phrases that are gone stay: a word alone finds nothing.
create table public.complaint_words (
  word text collate "C" not null,
  sound text collate "C" not null,
  consonants text collate "C" not null generated always as (private.consonants(sound)) stored,
  constraint complaint_words_pkey primary key (word)
);

create index complaint_words_sound_idx on public.complaint_words (sound);

-- Words that may stand inside a phrase and change nothing: "sir mein bahut dard".
create table public.complaint_fillers (
  word text collate "C" not null,
  constraint complaint_fillers_pkey primary key (word)
);

insert into public.complaint_fillers (word)
select distinct private.normalise_name(word)
from unnest(array[
  'a', 'the', 'my', 'is', 'am', 'are', 'been', 'very', 'so', 'really', 'too', 'bad', 'badly', 'quite', 'bit',
  'little', 'slight', 'mild', 'lot', 'constant', 'getting', 'having', 'from', 'since', 'in', 'me', 'mein',
  'main', 'mai', 'ka', 'ki', 'ko', 'se', 'to', 'bhi', 'hi', 'bahut', 'bohot', 'bahot', 'boht', 'bht', 'kafi',
  'kaafi', 'thoda', 'thodi', 'zyada', 'jyada', 'jada', 'mera', 'meri', 'mere', 'mujhe', 'kal', 'aaj', 'raat',
  'subah', 'roz', 'में', 'मे', 'का', 'की', 'को', 'से', 'तो', 'भी', 'ही', 'बहुत', 'काफी', 'थोडा', 'थोडी',
  'ज्यादा', 'मेरा', 'मेरी', 'मेरे', 'मुझे', 'कल', 'आज', 'रोज', 'khup', 'khoop', 'phar', 'far', 'jara', 'maza',
  'mazi', 'maze', 'majha', 'majhi', 'majhe', 'mala', 'la', 'pan', 'aata', 'ata', 'खूप', 'फार', 'जरा', 'थोडं',
  'माझा', 'माझी', 'माझे', 'माझं', 'मला', 'ला', 'पण', 'आता', 'काल', 'सारखं', 'सारखी', 'सारखे'
]) as word;

create function private.learn_complaint_words(p_phrases text[])
returns void
language sql
set search_path = ''
as $$
  insert into public.complaint_words (word, sound)
  select w.word, private.sound_key(w.word)
  from (select distinct string_to_table(phrase, ' ') as word from unnest(p_phrases) as phrase) as w
  where w.word <> '' and not exists (select from public.complaint_words as k where k.word = w.word)
  on conflict (word) do nothing;
$$;

create function private.condition_terms_indexed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  delete from public.condition_phrases as k
  using changed as c
  where k.rule_set_id = c.rule_set_id and k.condition = c.condition;

  insert into public.condition_phrases (rule_set_id, condition, phrase_key)
  select distinct c.rule_set_id, c.condition, phrase
  from changed as c, unnest(c.phrase_keys) as phrase
  where phrase <> '';

  perform private.learn_complaint_words(array(select phrase from changed, unnest(phrase_keys) as phrase));
  return null;
end;
$$;

create trigger condition_terms_indexed_on_insert after insert on public.condition_terms
  referencing new table as changed for each statement execute function private.condition_terms_indexed();
create trigger condition_terms_indexed_on_update after update on public.condition_terms
  referencing new table as changed for each statement execute function private.condition_terms_indexed();

create function private.complaint_phrases_indexed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform private.learn_complaint_words(array(select phrase_key from changed));
  return null;
end;
$$;

create trigger complaint_phrases_indexed_on_insert after insert on public.complaint_phrases
  referencing new table as changed for each statement execute function private.complaint_phrases_indexed();
create trigger complaint_phrases_indexed_on_update after update on public.complaint_phrases
  referencing new table as changed for each statement execute function private.complaint_phrases_indexed();

-- What is there already.
insert into public.condition_phrases (rule_set_id, condition, phrase_key)
select distinct t.rule_set_id, t.condition, phrase
from public.condition_terms as t, unnest(t.phrase_keys) as phrase
where phrase <> '';
select private.learn_complaint_words(array(
  select phrase_key from public.condition_phrases union select phrase_key from public.complaint_phrases
));

alter table public.condition_phrases enable row level security;
alter table public.complaint_words enable row level security;
alter table public.complaint_fillers enable row level security;
grant select on public.condition_phrases, public.complaint_words, public.complaint_fillers to anon, authenticated;
grant select, insert, update, delete on
  public.condition_phrases, public.complaint_words, public.complaint_fillers
to service_role;
create policy condition_phrases_read_all on public.condition_phrases for select to anon, authenticated using (true);
create policy complaint_words_read_all on public.complaint_words for select to anon, authenticated using (true);
create policy complaint_fillers_read_all on public.complaint_fillers for select to anon, authenticated using (true);

-- Whether a written word is another one after a slip of the hand: a letter left out or too many, two that changed
-- places, or another vowel, in a long word two. Another consonant is another word: "pleasure" is no pressure.
create function private.is_slip(p_said text, p_known text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case extensions.levenshtein_less_equal(left(p_said, 60), left(p_known, 60), 2)
    when 1 then length(p_said) <> length(p_known) or private.consonants(p_said) = private.consonants(p_known)
    when 2 then (length(p_known) >= 10 and private.consonants(p_said) = private.consonants(p_known)) or exists (
      select from generate_series(1, length(p_known) - 1) as i
      where overlay(p_known placing reverse(substr(p_known, i, 2)) from i for 2) = p_said
    )
    else false
  end;
$$;

drop function private.find_terms(text[]);

-- The conditions and symptoms a message names, in the words of the rule set in force and as people put them:
-- exactly, with the spaces elsewhere, with words of `complaint_fillers` in between, or misspelt. A word of no phrase
-- stands for those of the same sound, and one that is no language either (`p_is_vocabulary`) for those a slip away;
-- what the catalogue knows as a word is spelt as meant. `distance` counts the slips.
create function private.find_terms(p_words text[], p_is_vocabulary boolean[])
returns table (first integer, length integer, distance integer, condition text, kind text, ingredients text[])
language sql
stable
set search_path = ''
-- Index look-ups whatever the words are; making a plan for each message takes longer than the look-ups.
set plan_cache_mode = 'force_generic_plan'
as $$
  with recursive said as (
    select w.position::integer as position, w.word collate "C" as word, v.is_vocabulary
    from unnest(p_words) with ordinality as w (word, position)
    join unnest(p_is_vocabulary) with ordinality as v (is_vocabulary, position) using (position)
  ),
  misspelt as (
    select s.*, private.sound_key(s.word) as sound
    from said as s
    where length(s.word) between 3 and 40
      and s.word !~ '[0-9]'
      and not exists (select from public.complaint_words as same where same.word = s.word)
      and not exists (select from public.catalogue_words as same where same.word = s.word)
  ),
  spelt as (
    select s.position, s.word, 0 as distance, false as is_weak
    from said as s
    union all
    -- By ear. A short sound has too many spellings: alone it is no complaint.
    select m.position, k.word, 0, length(k.sound) < 5
    from misspelt as m
    join public.complaint_words as k on k.sound = m.sound
    -- By ear these are one letter, in English two: "fewer" is no fever.
    where (m.word ~ 'w') = (k.word ~ 'w')
      and (length(k.sound) >= 5 or extensions.levenshtein(m.word, k.word) <= 1)
    union all
    -- By a slip of the hand, which keeps the first letter; the range serves the index.
    select m.position, k.word, 1, false
    from misspelt as m
    join public.complaint_words as k on k.word >= left(m.word, 1) and k.word < left(m.word, 1) || U&'\+10ffff'
    where not m.is_vocabulary
      and k.sound <> m.sound
      and length(k.word) >= 7
      and extensions.levenshtein_less_equal(m.word, k.word, 2) <= 2
      and private.is_slip(m.word, k.word)
  ),
  in_force as materialized (
    select private.active_rule_set_id() as rule_set_id
  ),
  phrases as not materialized (
    select k.joined, k.condition from public.complaint_phrases as k
    union all
    select k.joined, k.condition
    from public.condition_phrases as k
    where k.rule_set_id = (select i.rule_set_id from in_force as i)
  ),
  -- A run goes on only while some phrase begins so.
  runs as (
    select
      s.position as first, 1 as length, s.word as joined, s.distance, s.is_weak,
      1 as words, 0 as skipped, false as ends_in_filler
    from spelt as s
    where exists (select from phrases as k where k.joined >= s.word and k.joined < s.word || U&'\+10ffff')
    union all
    select
      r.first, r.length + 1, r.joined || next.word, r.distance + next.distance, r.is_weak or next.is_weak,
      r.words + 1 - next.skipped, r.skipped + next.skipped, next.skipped = 1
    from runs as r
    cross join lateral (
      select s.word, s.distance, s.is_weak, 0 as skipped
      from spelt as s
      where s.position = r.first + r.length
        and exists (
          select from phrases as k
          where k.joined >= r.joined || s.word and k.joined < r.joined || s.word || U&'\+10ffff'
        )
      union all
      select '', 0, false, 1
      from public.complaint_fillers as f
      where f.word = p_words[r.first + r.length] and r.skipped < 3
    ) as next
    where r.words < 6
  ),
  named as (
    select r.first, r.length, r.distance, c.condition
    from runs as r
    join phrases as c on c.joined = r.joined
    where not r.ends_in_filler and (r.words > 1 or not r.is_weak)
  )
  select n.first, n.length, min(n.distance), t.condition, t.kind, t.ingredients
  from named as n
  cross join in_force as i
  join public.condition_terms as t on t.rule_set_id = i.rule_set_id and t.condition = n.condition
  group by n.first, n.length, t.condition, t.kind, t.ingredients;
$$;

grant execute on function
  private.learn_complaint_words(text[]), private.is_slip(text, text), private.find_terms(text[], boolean[])
to service_role;
