-- The first call of a turn at any size of the catalogue: a name that thousands of products answer to stands for
-- some of them, chosen so that every strength and form is among them, and what is told of a product is read for all
-- of them at once.

drop function private.find_mentions(text[], boolean[]);

-- The products a message may mean. `p_words` are the words of the message in normalised form; `p_is_vocabulary`
-- marks those that belong to the language (strips, please, ...) and are never taken for a misspelt name.
-- Every run of up to five words is looked up as a name ("dolo 650"), as the beginning of names ("dolo"), and
-- with the spaces elsewhere ("o r s"). A word the catalogue does not know is replaced by those that sound like
-- it; `distance` counts the sounds changed that way. What to make of that is the agent's decision.
-- Of what a run may mean at most 30 products are told: what the patient has bought first, then what is prescribed,
-- then the cheaper of every composition, strength and form in turn.
create function private.find_mentions(p_words text[], p_is_vocabulary boolean[], p_patient_id text default null)
returns table (first integer, length integer, kind text, distance integer, product_id text)
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
  spelt as (
    select s.position, s.word, 0 as distance, s.is_vocabulary or s.word ~ '^[0-9.]+$' as is_vocabulary
    from said as s
    union all
    select s.position, c.word, c.distance, false
    from said as s
    cross join lateral private.similar_words(s.word) as c
    where not s.is_vocabulary
      -- Vowel signs aside a name in Devanagari is short: "पॅन".
      and length(s.word) between case when s.word ~ U&'[\0900-\097f]' then 3 else 4 end and 40
      and s.word !~ '[0-9]'
      -- A name known in Devanagari has its variants under its Latin spelling.
      and (
        s.word ~ U&'[\0900-\097f]' or not exists (select from public.catalogue_words as k where k.word = s.word)
      )
  ),
  -- A run goes on only while some name begins so.
  runs as (
    select
      s.position as first, 1 as length, s.word as name, s.word as joined, s.distance, s.is_vocabulary as only_vocabulary
    from spelt as s
    where exists (
      select from public.product_names as n where n.joined >= s.word and n.joined < s.word || U&'\+10ffff'
    )
    union all
    select
      r.first, r.length + 1, r.name || ' ' || s.word, r.joined || s.word, r.distance + s.distance,
      r.only_vocabulary and s.is_vocabulary
    from runs as r
    join spelt as s on s.position = r.first + r.length
    where r.length < 5
      and exists (
        select from public.product_names as n
        where n.joined >= r.joined || s.word and n.joined < r.joined || s.word || U&'\+10ffff'
      )
  ),
  bought as (
    select distinct i.product_id
    from public.orders as o
    join public.order_items as i using (order_id)
    where o.patient_id = p_patient_id and o.status not in ('cancelled', 'failed')
  ),
  prescribed as (
    select distinct i.ingredient, i.strength
    from public.prescriptions as rx
    join public.prescription_items as i using (prescription_id)
    where rx.patient_id = p_patient_id
      and rx.status = 'verified'
      and private.today() between rx.issued_on and rx.valid_until
  ),
  named as (
    select r.first, r.length, n.kind, r.distance, n.product_id
    from runs as r
    cross join lateral (
      select k.kind, k.product_id
      from public.product_names as k
      where k.joined = r.joined and k.kind <> 'ingredient'
      order by k.product_id
      limit 1000
    ) as n
    where not (r.only_vocabulary and r.length = 1) or n.kind = 'alias'
    union all
    select r.first, r.length, 'ingredient', r.distance, v.product_id
    from runs as r
    join public.compositions as c on c.joined = r.joined
    cross join lateral private.variants_of(c.active_ingredient) as v
    where not (r.only_vocabulary and r.length = 1)
    union all
    -- The patient's own are told however many others there are.
    select r.first, r.length, n.kind, r.distance, n.product_id
    from bought as b
    join public.product_names as n using (product_id)
    join runs as r on r.joined = n.joined
    where not (r.only_vocabulary and r.length = 1) or n.kind = 'alias'
    union all
    select r.first, r.length, 'stem', r.distance, n.product_id
    from runs as r
    cross join lateral (
      select k.product_id
      from public.product_names as k
      -- "!" follows the space: a range that the index serves, where a pattern of a variable would not be.
      where k.name_key >= r.name || ' ' and k.name_key < r.name || '!' and k.kind <> 'ingredient'
      order by k.name_key
      limit 200
    ) as n
    where not r.only_vocabulary and length(r.name) >= 3
  ),
  nearest as (
    select n.first, n.length, n.kind, min(n.distance) as distance, n.product_id
    from named as n
    group by n.first, n.length, n.kind, n.product_id
  ),
  placed as (
    select
      n.*, p.price, b.product_id is not null as is_bought, r.ingredient is not null as is_prescribed,
      row_number() over (
        partition by n.first, n.length, n.kind, n.distance, p.active_ingredient, p.strength, p.form
        order by b.product_id is null, p.price, n.product_id
      ) as place
    from nearest as n
    -- One look-up each, however many the planner expects.
    cross join lateral (
      select q.active_ingredient, q.strength, q.form, q.price
      from public.products as q
      where q.product_id = n.product_id
      limit 1
    ) as p
    left join bought as b using (product_id)
    left join prescribed as r on r.ingredient = p.active_ingredient and r.strength = p.strength
  ),
  chosen as (
    select
      p.*, row_number() over (
        partition by p.first, p.length, p.kind
        order by not p.is_bought, p.distance, not p.is_prescribed, p.place, p.price, p.product_id
      ) as rank
    from placed as p
  )
  select c.first, c.length, c.kind, c.distance, c.product_id
  from chosen as c
  where c.rank <= 30;
$$;

drop function private.candidate_json(text, public.products);

-- What the agent must know of these products and of this patient's history with them: {id: candidate}.
create function private.candidates_json(p_patient_id text, p_product_ids text[])
returns jsonb
language sql
stable
set search_path = ''
as $$
  with stock as (
    select b.product_id, sum(b.quantity)::integer as packs
    from public.product_batches as b
    where b.product_id = any (p_product_ids)
      and b.status = 'available' and b.quantity > 0 and b.expiry > private.today()
    group by b.product_id
  ),
  prescribed as (
    select distinct on (i.ingredient, i.strength)
      i.ingredient, i.strength, i.units_per_dose * f.doses_per_day as units_per_day
    from public.prescriptions as rx
    join public.prescription_items as i using (prescription_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where rx.patient_id = p_patient_id
      and rx.status = 'verified'
      and private.today() between rx.issued_on and rx.valid_until
    order by i.ingredient, i.strength, rx.valid_until, i.prescription_item_id
  ),
  bought as (
    select distinct on (i.product_id)
      i.product_id, o.placed_at, i.packs, i.units_per_dose * f.doses_per_day as units_per_day
    from public.orders as o
    join public.order_items as i using (order_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where o.patient_id = p_patient_id
      and i.product_id = any (p_product_ids)
      and o.status not in ('cancelled', 'failed')
    order by i.product_id, o.placed_at desc
  )
  select coalesce(jsonb_object_agg(p.product_id, jsonb_build_object(
    'product_id', p.product_id,
    'product_name', p.product_name,
    'active_ingredient', p.active_ingredient,
    'manufacturer', p.manufacturer,
    'strength', p.strength,
    'form', p.form,
    'pack_unit', p.pack_unit,
    'units_per_pack', p.units_per_pack,
    'unit', p.unit,
    'package_size', p.package_size,
    'price', p.price,
    'schedule', p.schedule,
    'stock_quantity', coalesce(stock.packs, 0),
    'on_prescription', prescribed.ingredient is not null,
    'last_bought_at', bought.placed_at,
    'last_packs', bought.packs,
    'units_per_day', coalesce(prescribed.units_per_day, bought.units_per_day)
  )), '{}')
  from public.products as p
  left join stock using (product_id)
  left join prescribed on prescribed.ingredient = p.active_ingredient and prescribed.strength = p.strength
  left join bought using (product_id)
  where p.product_id = any (p_product_ids);
$$;

-- One product for each medicine that a message names: the one whose name is said, else what the patient takes.
create function private.named_products(p_mentions jsonb, p_products jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
  with mentions as (
    select m.*, p_products -> m.product_id as product
    from jsonb_to_recordset(p_mentions)
      as m (first integer, length integer, kind text, distance integer, product_id text)
    where m.kind <> 'stem'
  )
  select array(
    select distinct on (m.first) m.product_id
    from mentions as m
    where not exists (
      select from mentions as wider
      where wider.first <= m.first and wider.first + wider.length >= m.first + m.length and wider.length > m.length
    )
    order by
      m.first, m.distance, m.kind <> 'name', m.product -> 'last_bought_at' = 'null',
      m.product -> 'on_prescription' = 'false', m.product_id
  );
$$;

-- First call of a turn. `p_words` are the words of the message, [[word, is vocabulary], ...]; `p_wants` says what
-- else the message may be about: {usual: the own medicines, advice: what the rules say}. Returns
-- {patient: {patient_id, name, preferred_language}, conversation_id, state, proposal | null, last_order | null,
--  mentions: [{first, length, kind, distance, product_id}],
--  terms: [{first, length, distance, condition, kind, products}],
--  usual: [product_id], advice: [finding], products: {id: candidate}}. Writes nothing.
-- definer: stock and the words of the catalogue are read for the patient, who is always the caller's own.
create or replace function public.chat_context(
  p_words jsonb,
  p_patient_id text default null,
  p_conversation_id uuid default null,
  p_wants jsonb default '{}'
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_patient public.patients;
  v_conversation public.conversations := private.find_conversation(v_patient_id, p_conversation_id);
  v_proposal public.proposals;
  v_words text[];
  v_is_vocabulary boolean[];
  v_mentions jsonb;
  v_terms jsonb;
  v_usual text[] := '{}';
  v_products jsonb;
begin
  if jsonb_typeof(p_words) is distinct from 'array' or length(p_words::text) > 65536 or exists (
    select from jsonb_array_elements(p_words) as w (word)
    where jsonb_typeof(w.word) <> 'array' or jsonb_typeof(w.word -> 0) <> 'string' or jsonb_typeof(w.word -> 1) <> 'boolean'
  ) then
    perform private.fail(422, 'invalid_words', 'The words are a list of [text, is vocabulary].');
  end if;
  select * into v_patient from public.patients where patient_id = v_patient_id;
  select * into v_proposal
  from public.proposals
  where conversation_id = v_conversation.conversation_id and status in ('open', 'placed')
  order by created_at desc
  limit 1;

  select array_agg(w.word ->> 0 order by n), array_agg((w.word ->> 1)::boolean order by n)
  into v_words, v_is_vocabulary
  from jsonb_array_elements(p_words) with ordinality as w (word, n)
  where n <= 400;

  with terms as materialized (
    select * from private.find_terms(v_words, v_is_vocabulary)
  ),
  mentions as (
    select m.*
    from private.find_mentions(v_words, v_is_vocabulary, v_patient_id) as m
    -- What is a complaint as it stands is no misspelt medicine.
    where not exists (
      select from terms as t
      where t.distance < m.distance
        and m.first >= t.first and m.first + m.length <= t.first + t.length
    )
  )
  select
    coalesce((
      select jsonb_agg(to_jsonb(m) order by m.first, m.length desc, m.distance, m.kind, m.product_id) from mentions as m
    ), '[]'),
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'first', t.first, 'length', t.length, 'distance', t.distance, 'condition', t.condition, 'kind', t.kind,
        'products', array(
          select own from private.own_medicines(v_patient_id, t.ingredients) as own where t.kind = 'maintenance'
          union all
          select option from private.symptom_options(v_patient_id, t.ingredients) as option where t.kind = 'symptom'
        )
      ) order by t.first, t.length desc, t.condition)
      from terms as t
    ), '[]')
  into v_mentions, v_terms;

  if (p_wants -> 'usual')::boolean then
    v_usual := array(select own from private.own_medicines(v_patient_id) as own);
  end if;

  v_products := private.candidates_json(v_patient_id, array(
    select m.mention ->> 'product_id' from jsonb_array_elements(v_mentions) as m (mention)
    union
    select jsonb_array_elements_text(t.term -> 'products') from jsonb_array_elements(v_terms) as t (term)
    union
    select unnest(v_usual)
    union
    select i.item ->> 'product_id' from jsonb_array_elements(v_proposal.items) as i (item)
  ));

  return jsonb_build_object(
    'patient', jsonb_build_object(
      'patient_id', v_patient_id, 'name', v_patient.name, 'preferred_language', v_patient.preferred_language
    ),
    'conversation_id', v_conversation.conversation_id,
    'state', v_conversation.state,
    'proposal', case when v_proposal.proposal_id is not null then jsonb_build_object(
      'proposal_id', v_proposal.proposal_id, 'digest', v_proposal.digest, 'status', v_proposal.status,
      'items', v_proposal.items, 'order_id', v_proposal.order_id
    ) end,
    'last_order', (
      select private.order_json(o)
      from public.orders as o
      where o.patient_id = v_patient_id
      order by o.placed_at desc, o.order_id desc
      limit 1
    ),
    'mentions', v_mentions,
    'terms', v_terms,
    'usual', v_usual,
    'advice', case when (p_wants -> 'advice')::boolean then
      private.advice(v_patient_id, private.named_products(v_mentions, v_products))
    else '[]' end,
    'products', v_products
  );
end;
$$;

grant execute on function
  private.find_mentions(text[], boolean[], text), private.candidates_json(text, text[]),
  private.named_products(jsonb, jsonb)
to service_role;
