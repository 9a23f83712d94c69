-- Schemas, default privileges and the few functions that every later file builds on.
--
-- `public` is what PostgREST exposes; `private` holds what only the database itself calls. Nothing is
-- granted by default: each file grants exactly what a role may do with what it creates.

create schema if not exists extensions;
create schema if not exists private;

create extension if not exists pg_trgm with schema extensions;
create extension if not exists fuzzystrmatch with schema extensions;

grant usage on schema public, extensions to anon, authenticated, service_role;
-- Policies call functions of `private` with the caller's own rights.
grant usage on schema private to anon, authenticated, service_role;

-- A hosted project grants everything in `public` to the API roles by default; here a table or a function is
-- closed until its file opens it.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;

-- Ends the transaction with an error that PostgREST turns into an HTTP answer: `PT404` becomes 404, the
-- message is the stable code, the detail one sentence for people, the hint machine-readable extra.
create function private.fail(p_status integer, p_code text, p_detail text, p_extra jsonb default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  raise exception using
    errcode = 'PT' || p_status,
    message = p_code,
    detail = p_detail,
    hint = coalesce(p_extra::text, '');
end;
$$;

-- Dates are days in UTC. `current_date` would be the day in a time zone that a client may choose.
create function private.today()
returns date
language sql
stable
set search_path = ''
as $$
  select (now() at time zone 'UTC')::date;
$$;

grant execute on function private.today() to anon, authenticated, service_role;

-- The form in which names are compared: lower case, punctuation as space, letters and digits apart
-- ("Dolo-650" and "dolo 650" are one name), a point only inside a number. Devanagari is kept as a range,
-- because its vowel signs are no letters to a regular expression; the nuqta goes, people leave it out.
create function private.normalise_name(p_text text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select btrim(regexp_replace(
    regexp_replace(
      regexp_replace(
        replace(lower(normalize(p_text, nfkc)), U&'\093c', ''),
        U&'[^a-z0-9.\0900-\097f]+|\\.(?![0-9])|[\0964\0965]', ' ', 'g'
      ),
      U&'(?<=[0-9])(?=[a-z\0900-\0965])|(?<=[a-z\0900-\0965])(?=[0-9])', ' ', 'g'
    ),
    '\s+', ' ', 'g'
  ));
$$;

create function private.normalise_names(p_texts text[])
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  select coalesce(array_agg(private.normalise_name(t)), '{}') from unnest(p_texts) as t;
$$;

-- What a name sounds like, for spellings by ear: "crosin" and "crocin", "azitromicin" and "azithromycin"
-- share a key. Devanagari is written in Latin letters first, so that both scripts meet here.
create function private.sound_key(p_text text)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  -- No name is longer; the work on a word without end would be without end as well.
  v_key text := left(private.normalise_name(left(p_text, 200)), 64);
  v_step text[];
begin
  v_key := translate(
    v_key,
    'अआाइईिीउऊुूएऐऍेैॅओऔऑोौॉकखगघचछजझटठतथडढदधणनञङंँपफबभमयरलळवशषसह्ः',
    'aaaiiiiuuuueeeeeeooooookkggccjjttttddddnnnnnnpfbbmyrllvssshX'
  );
  foreach v_step slice 1 in array array[
    ['X', ''], ['ph', 'f'], ['vh', 'v'], ['th', 't'], ['dh', 'd'], ['bh', 'b'], ['gh', 'g'], ['kh', 'k'], ['sh', 's'],
    ['tion\M', 'san'], ['ck|q', 'k'], ['x', 'ks'], ['c(?=[eiy])', 's'], ['c', 'k'], ['[yj](?![aeiou])', 'i'], ['y', 'i'], ['w', 'v'],
    ['z', 's'], ['ae|ee|ea', 'e'], ['oo', 'u'], ['([a-z])\1+', '\1'], ['(?<=[^ ]{3})e\M', '']
  ] loop
    v_key := regexp_replace(v_key, v_step[1], v_step[2], 'g');
  end loop;
  return v_key;
end;
$$;

create function private.consonants(p_sound text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select regexp_replace(p_sound, '[aeiou]', '', 'g');
$$;

-- Two sound keys that are the same word by ear or by a slip of the hand.
create function private.sounds_like(p_said text, p_known text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select p_said = p_known or (
    length(p_known) >= 4 and left(p_said, 60) <> ''
    and extensions.levenshtein_less_equal(
      left(p_said, 60), left(p_known, 60), case when length(p_known) >= 8 then 2 else 1 end
    ) <= case when length(p_known) >= 8 then 2 else 1 end
  );
$$;

grant execute on function private.fail(integer, text, text, jsonb) to anon, authenticated, service_role;
