-- An address is limited in the passwords it gets wrong. Behind one address may be a household, a hospital or all
-- customers of a mobile network: who signs in rightly uses up nothing that their neighbours need. An account is
-- limited in every attempt.

-- Takes back the latest count of somebody.
create function private.return_rate(p_kind text, p_identity text)
returns void
language sql
set search_path = ''
as $$
  update public.rate_counters
  set taken_at = trim_array(taken_at, 1)
  where kind = p_kind and identity = p_identity and cardinality(taken_at) > 0;
$$;

-- Takes back what take_sign_in counted for an address, once the password has proved right.
-- definer: counters are written by nobody directly; the caller shows the accounts function's key.
create function public.return_sign_in(p_key text, p_address text)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform private.require_function_key('accounts', p_key);
  perform private.return_rate('sign_in_address', private.hash_of(coalesce(p_address, '')));
end;
$$;

grant execute on function public.return_sign_in(text, text) to anon;
