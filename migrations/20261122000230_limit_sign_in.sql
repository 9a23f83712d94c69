-- Signing in: ten times a minute an account and an address, whether or not the account exists.
--
-- Who signs in is nobody yet, so the count cannot be tied to a caller. If everybody could ask for it, anybody could
-- use up another's attempts without even trying a password, from addresses of their own invention, and fill the
-- table with made-up accounts. Therefore only our own function may count, and shows a key of its own for it. The key
-- opens nothing else: it reads and writes no patient, unlike the service key, which no function for users holds.

-- Hashes of the keys by which functions show that it is they who ask. Two for one function while a key is changed.
create table public.function_keys (
  function_name text not null,
  key_hash text not null,
  created_at timestamptz not null default now(),
  constraint function_keys_pkey primary key (function_name, key_hash),
  constraint function_keys_hash_form check (key_hash ~ '^[0-9a-f]{64}$')
);

alter table public.function_keys enable row level security;
grant select, insert, update, delete on public.function_keys to service_role;

create function private.hash_of(p_text text)
returns text
language sql
immutable
set search_path = ''
as $$
  select encode(sha256(convert_to(p_text, 'UTF8')), 'hex');
$$;

create function private.require_function_key(p_function_name text, p_key text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not exists (
    select from public.function_keys
    where function_name = p_function_name and key_hash = private.hash_of(p_key)
  ) then
    perform private.fail(403, 'unknown_function_key', 'Only the pharmacy''s own functions may ask this.');
  end if;
end;
$$;

insert into public.rate_limits (kind, most, per_seconds)
values
  ('sign_in_address', 10, 60),
  ('sign_in_account', 10, 60);

-- Counts an attempt to sign in, before the password is looked at. An address that has used its attempts up does not
-- reach the account: no more rows than that come from one place, and what is refused uses nobody's attempts up.
-- Accounts and addresses are kept as hashes.
-- definer: counters are written by nobody directly; the caller shows the accounts function's key.
create function public.take_sign_in(p_key text, p_account text, p_address text)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_function_key('accounts', p_key);
  perform private.take_rate('sign_in_address', private.hash_of(coalesce(p_address, '')));
  perform private.take_rate('sign_in_account', private.hash_of(lower(coalesce(p_account, ''))));
end;
$$;

grant execute on function public.take_sign_in(text, text, text) to anon;
