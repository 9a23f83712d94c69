-- Buyers of the crowd, each with one cart of one to four lines that may be sold to them, in the schema `bench`.

create schema bench;

-- People with an account: one in four has told of allergies, two in five of conditions, each in their own words.
insert into auth.users (id, email)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n || '@bench.example'
from generate_series(1, current_setting('bench.buyers')::integer) as n;

update public.patients as p
set
  user_id = ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  allergies = case n % 8 when 0 then array['Penicillin'] when 1 then array['sulfa drugs', 'Latex'] else '{}' end,
  conditions = case n % 5 when 0 then array['diabetes', 'hypertension'] when 1 then array['asthma'] else '{}' end
from generate_series(1, current_setting('bench.buyers')::integer) as n
where p.patient_id = 'BEN' || lpad(n::text, 7, '0');

-- Nobody goes away because a shelf is empty, and one lot serves a line: what is sold first expires first.
insert into public.product_batches (product_id, lot, expiry, quantity)
select product_id, 'BENCH-' || n, current_date + n, 1000000
from public.products
cross join generate_series(1, 2) as n;

create table bench.carts (
  turn bigint generated always as identity primary key,
  user_id uuid not null,
  patient_id text not null,
  -- As a request names them, and as verification reads them.
  request jsonb not null,
  items jsonb not null,
  -- What is written down of the verification, and what the caller is answered.
  verification jsonb,
  answer jsonb
);

-- Two things without a prescription for each, and for every second one a fill of a prescription.
insert into bench.carts (user_id, patient_id, request, items)
select
  ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'BEN' || lpad(n::text, 7, '0'),
  jsonb_build_object('items', jsonb_agg(jsonb_build_object('product_id', w.product_id, 'quantity', w.packs) order by w.line)),
  jsonb_agg(jsonb_build_object('product_id', w.product_id, 'packs', w.packs) order by w.line)
from generate_series(1, current_setting('bench.buyers')::integer) as n
cross join lateral (
  select 2 + t.place as line, t.product_id, 1 + (n + t.place) % 2 as packs
  from (
    select p.product_id, row_number() over (order by hashtextextended(p.product_id, n)) as place
    from public.products as p
    where p.schedule = 'OTC'
  ) as t
  where t.place <= 1 + n % 3
  union all
  select 1, (array_agg(p.product_id order by p.product_id))[1], 1
  from public.prescription_items as i
  join public.products as p on p.active_ingredient = i.ingredient and p.strength = i.strength
  where i.prescription_id = 'BEN' || n and n % 2 = 0
  group by i.prescription_item_id
  having i.prescription_item_id = (
    select min(j.prescription_item_id) from public.prescription_items as j where j.prescription_id = 'BEN' || n
  )
) as w
group by n
order by n;

analyze;

update bench.carts set verification = private.verify_items(patient_id, items);

delete from bench.carts
where verification -> 'findings' @> '[{"severity": "block"}]' or verification -> 'findings' @> '[{"waits": true}]'
  or verification -> 'questions' <> '[]';

-- Numbered without gaps, in no particular order of the buyers.
create table bench.turns as
select row_number() over (order by hashtextextended(patient_id, 0)) as turn, user_id, patient_id, request, items, verification
from bench.carts;
alter table bench.turns add primary key (turn);
create table bench.turns_made as select count(*) as carts from bench.turns;
create sequence bench.next_turn;

-- The order of the next cart, as its buyer places it.
create function bench.order_verified()
returns text
language plpgsql
as $$
declare
  v_number bigint := nextval('bench.next_turn');
  v_turn bench.turns;
  v_answer jsonb;
begin
  select * into strict v_turn from bench.turns where turn = v_number;
  perform
    set_config('request.jwt.claims', jsonb_build_object('sub', v_turn.user_id, 'role', 'authenticated')::text, true),
    set_config('request.jwt.claim.sub', v_turn.user_id::text, true);
  v_answer := public.create_order(v_turn.request, null, 'bench ' || v_turn.turn);
  if v_answer ->> 'outcome' <> 'placed' then
    raise 'not placed: %', v_answer;
  end if;
  return v_answer -> 'order' ->> 'order_id';
end;
$$;
