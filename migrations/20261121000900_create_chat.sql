-- A chat turn in two calls: chat_context reads everything the agent needs to understand the message,
-- chat_turn verifies, acts and stores the turn in one transaction.

-- Words of the catalogue that sound like one that is in none of its names: at most three, the nearest only. In a
-- short word two letters are half of it: there, letters that differ count as well ("since" is not zinc).
create function private.similar_words(p_word text)
returns table (word text, distance integer)
language sql
stable
set search_path = ''
as $$
  with said as (
    select private.sound_key(p_word) as sound
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
    -- Devanagari spells the vowels of a Latin name in many ways, its consonants in one.
    select c.word, case when c.sound = said.sound then 0 else 1 end, 0
    from said
    join public.catalogue_words as c on c.consonants = private.consonants(said.sound)
    where length(c.consonants) >= case when p_word ~ U&'[\0900-\097f]' then 3 else 5 end and c.word !~ '[0-9]'
  )
  select n.word, min(n.distance)
  from near as n
  where n.distance = (select min(every.distance) from near as every)
  group by n.word
  order by min(n.letters), n.word
  limit 3;
$$;

-- The products a message may mean. `p_words` are the words of the message in normalised form; `p_is_vocabulary`
-- marks those that belong to the language (strips, please, ...) and are never taken for a misspelt name.
-- Every run of up to five words is looked up as a name ("dolo 650"), as the beginning of names ("dolo"), and
-- with the spaces elsewhere ("o r s"). A word the catalogue does not know is replaced by those that sound like
-- it; `distance` counts the sounds changed that way. What to make of that is the agent's decision.
create function private.find_mentions(p_words text[], p_is_vocabulary boolean[])
returns table (first integer, length integer, kind text, distance integer, product_id text)
language sql
stable
set search_path = ''
as $$
  with recursive spelt as (
    select w.position::integer as position, w.word, 0 as distance, v.is_vocabulary or w.word ~ '^[0-9.]+$' as is_vocabulary
    from unnest(p_words) with ordinality as w (word, position)
    join unnest(p_is_vocabulary) with ordinality as v (is_vocabulary, position) using (position)
    union all
    select w.position::integer, c.word, c.distance, false
    from unnest(p_words) with ordinality as w (word, position)
    join unnest(p_is_vocabulary) with ordinality as v (is_vocabulary, position) using (position)
    cross join lateral private.similar_words(w.word) as c
    where not v.is_vocabulary
      and length(w.word) between 4 and 40
      and w.word !~ '[0-9]'
      -- A name known in Devanagari has its variants under its Latin spelling.
      and (
        w.word ~ U&'[\0900-\097f]' or not exists (select from public.catalogue_words as k where k.word = w.word)
      )
  ),
  runs as (
    select s.position as first, 1 as length, s.word as name, s.distance, s.is_vocabulary as only_vocabulary
    from spelt as s
    union all
    select r.first, r.length + 1, r.name || ' ' || s.word, r.distance + s.distance, r.only_vocabulary and s.is_vocabulary
    from runs as r
    join spelt as s on s.position = r.first + r.length
    where r.length < 5
  ),
  named as (
    select r.first, r.length, n.kind, r.distance, n.product_id
    from runs as r
    join public.product_names as n on n.joined = replace(r.name, ' ', '')
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
      limit 20
    ) as n
    where not r.only_vocabulary and length(r.name) >= 3
  )
  select first, length, kind, min(distance), product_id
  from named
  group by first, length, kind, product_id;
$$;

-- How people put a complaint besides the phrases of the rule sets: words about it, no rules.
create table public.complaint_phrases (
  phrase_key text not null,
  condition text not null,
  constraint complaint_phrases_pkey primary key (phrase_key)
);

insert into public.complaint_phrases (phrase_key, condition)
select private.normalise_name(phrase), c.condition
from (values
  ('headache', array['head hurts', 'head is paining', 'head is aching', 'sar dard', 'sar dukh', 'sir dukh', 'sar bahut dukh', 'sir bahut dukh', 'सिर दुख', 'सर दर्द', 'सर दुख', 'doke dukhi', 'doka dukhtay', 'डोके दुखत', 'डोकं दुखत', 'migraine']),
  ('fever', array['running a temperature', 'feverish', 'body is hot', 'bukhaar', 'taap aala', 'ताप आला', 'ताप आलाय', 'अंग गरम']),
  ('cold', array['nose is running', 'running nose', 'nose running', 'blocked nose', 'stuffy nose', 'naak beh', 'nak beh', 'zukam', 'jukam', 'नाक बह', 'नाक गळत', 'sardi zukam']),
  ('cough', array['coughing', 'khasi', 'khansee', 'sore throat', 'gala kharab', 'gale mein kharash', 'गला खराब', 'घसा दुखत', 'खोकला येत']),
  ('acidity', array['indigestion', 'burning stomach', 'pet mein jalan', 'seene mein jalan', 'khatti dakar', 'पेट में जलन', 'पोटात जळजळ', 'jaljal']),
  ('diarrhoea', array['upset stomach', 'pet kharab', 'potty', 'पेट खराब', 'पोट बिघडले', 'loosemotion']),
  ('constipation', array['constipated', 'no motion', 'pet saaf nahi', 'पेट साफ नहीं', 'पोट साफ होत नाही', 'pot saf hot nahi']),
  ('body pain', array['body hurts', 'back hurts', 'backache', 'joint pain', 'muscle pain', 'badan dard', 'kamar dard', 'बदन दर्द', 'कमर दर्द', 'अंगदुखी', 'कंबर दुखत']),
  ('allergy', array['itchy', 'hives', 'sneezes', 'khujli', 'खुजली', 'खाज येते']),
  ('hypertension', array['pressure', 'high pressure', 'bp ki goli', 'प्रेशर'])
) as c (condition, phrases)
cross join unnest(c.phrases) as phrase
on conflict do nothing;

alter table public.complaint_phrases enable row level security;
grant select on public.complaint_phrases to anon, authenticated;
grant select, insert, update, delete on public.complaint_phrases to service_role;
create policy complaint_phrases_read_all on public.complaint_phrases for select to anon, authenticated using (true);

-- The conditions and symptoms a message names, in the words of the rule set in force and as people put them.
create function private.find_terms(p_words text[])
returns table (first integer, length integer, condition text, kind text, ingredients text[])
language sql
stable
set search_path = ''
as $$
  select distinct s.first, l.length, t.condition, t.kind, t.ingredients
  from generate_series(1, cardinality(p_words)) as s (first)
  cross join generate_series(1, 4) as l (length)
  join public.condition_terms as t
    on t.rule_set_id = private.active_rule_set_id()
    and (
      array_to_string(p_words[s.first : s.first + l.length - 1], ' ') = any (t.phrase_keys)
      or t.condition = (
        select c.condition from public.complaint_phrases as c
        where c.phrase_key = array_to_string(p_words[s.first : s.first + l.length - 1], ' ')
      )
    )
  where s.first + l.length - 1 <= cardinality(p_words);
$$;

-- The patient's own long-term medicines, as products: what verified, valid prescriptions name and what was bought
-- in the last 180 days to be taken regularly; of one composition the product bought last. With ingredients given,
-- only those that contain one of them, also what is taken as needed: an inhaler is an asthma medicine.
create function private.own_medicines(p_patient_id text, p_ingredients text[] default null)
returns setof text
language sql
stable
set search_path = ''
as $$
  with bought as (
    select distinct on (private.composition(p)) private.composition(p) as composition, p.product_id
    from public.orders as o
    join public.order_items as i using (order_id)
    join public.products as p using (product_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where o.patient_id = p_patient_id
      and o.status not in ('cancelled', 'failed')
      and (f.doses_per_day is not null or p_ingredients is not null)
      and o.placed_at > now() - interval '180 days'
    order by private.composition(p), o.placed_at desc
  ),
  prescribed as (
    select distinct i.ingredient, i.strength
    from public.prescriptions as rx
    join public.prescription_items as i using (prescription_id)
    where rx.patient_id = p_patient_id
      and rx.status = 'verified'
      and private.today() between rx.issued_on and rx.valid_until
  ),
  own as (
    select b.product_id from bought as b
    union
    select p.product_id
    from prescribed as r
    cross join lateral (
      select q.product_id
      from public.products as q
      where q.active_ingredient = r.ingredient and q.strength = r.strength
      order by q.product_id
      limit 1
    ) as p
    where not exists (select from bought as b where b.composition = r.ingredient || ' ' || r.strength)
  )
  select o.product_id
  from own as o
  where p_ingredients is null
    or exists (
      select from public.product_ingredients as pi
      where pi.product_id = o.product_id and pi.ingredient = any (p_ingredients)
    );
$$;

-- OTC products for a symptom that nothing blocks for this patient, in stock: those without a warning first, then
-- what holds nothing else besides, then the cheaper. Options to choose from, never a choice.
create function private.symptom_options(p_patient_id text, p_ingredients text[])
returns setof text
language sql
stable
set search_path = ''
as $$
  with candidates as (
    select
      p.product_id, p.price,
      (select count(*) from public.product_ingredients as every where every.product_id = p.product_id) - count(*) as besides
    from public.products as p
    join public.product_ingredients as pi using (product_id)
    where p.schedule = 'OTC' and pi.ingredient = any (p_ingredients)
    group by p.product_id
    order by besides, p.price, p.product_id
    limit 12
  ),
  verified as (
    select c.product_id, c.price, c.besides, private.verify_items(p_patient_id, jsonb_build_array(
      jsonb_build_object('product_id', c.product_id, 'packs', 1)
    )) -> 'findings' as findings
    from candidates as c
  )
  select v.product_id
  from verified as v
  where not v.findings @> '[{"severity": "block"}]'
  order by jsonb_array_length(v.findings) > 0, v.besides, v.price, v.product_id
  limit 5;
$$;

-- What the rules say about taking these products, together and with what the patient takes: findings, each pair
-- once. The answer to "can I take ibuprofen with my warfarin?".
create function private.advice(p_patient_id text, p_product_ids text[])
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(distinct f.finding - array['product_id', 'waits']), '[]')
  from jsonb_array_elements(private.verify_items(p_patient_id, (
    select jsonb_agg(jsonb_build_object('product_id', id, 'packs', 1)) from unnest(p_product_ids[1:6]) as id
  )) -> 'findings') as f (finding)
  where f.finding ->> 'code' in ('allergy', 'interaction', 'condition', 'age', 'duplicate_therapy', 'schedule_x');
$$;

-- What the agent must know of a product and of this patient's history with it.
create function private.candidate_json(p_patient_id text, p_product public.products)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'product_id', (p_product).product_id,
    'product_name', (p_product).product_name,
    'active_ingredient', (p_product).active_ingredient,
    'manufacturer', (p_product).manufacturer,
    'strength', (p_product).strength,
    'form', (p_product).form,
    'pack_unit', (p_product).pack_unit,
    'units_per_pack', (p_product).units_per_pack,
    'unit', (p_product).unit,
    'package_size', (p_product).package_size,
    'price', (p_product).price,
    'schedule', (p_product).schedule,
    'stock_quantity', public.stock_quantity(p_product),
    'on_prescription', exists (
      select from private.covering_items(p_patient_id, p_product) as c where c.status = 'verified'
    ),
    'last_bought_at', bought.placed_at,
    'last_packs', bought.packs,
    'units_per_day', coalesce(prescribed.units_per_day, bought.units_per_day)
  )
  from (select) as one
  left join lateral (
    select o.placed_at, i.packs, i.units_per_dose * f.doses_per_day as units_per_day
    from public.order_items as i
    join public.orders as o using (order_id)
    join public.dosage_frequencies as f using (dosage_frequency)
    where o.patient_id = p_patient_id
      and i.product_id = (p_product).product_id
      and o.status not in ('cancelled', 'failed')
    order by o.placed_at desc
    limit 1
  ) as bought on true
  left join lateral (
    select c.units_per_dose * f.doses_per_day as units_per_day
    from private.covering_items(p_patient_id, p_product) as c
    join public.dosage_frequencies as f using (dosage_frequency)
    where c.status = 'verified'
    limit 1
  ) as prescribed on true;
$$;

-- The conversation a message belongs to: the one named, else the patient's latest of the last twelve hours,
-- else a new one. Somebody else's id is as good as none.
create function private.find_conversation(p_patient_id text, p_conversation_id uuid)
returns public.conversations
language plpgsql
stable
set search_path = ''
as $$
declare
  v_conversation public.conversations;
begin
  if p_conversation_id is not null then
    select * into v_conversation from public.conversations where conversation_id = p_conversation_id;
    if v_conversation.patient_id <> p_patient_id then
      perform private.fail(404, 'conversation_not_found', 'There is no such conversation.');
    end if;
  else
    select * into v_conversation
    from public.conversations
    where patient_id = p_patient_id and last_turn_at > now() - interval '12 hours'
    order by last_turn_at desc
    limit 1;
  end if;
  if v_conversation.conversation_id is null then
    v_conversation.conversation_id := coalesce(p_conversation_id, gen_random_uuid());
    v_conversation.patient_id := p_patient_id;
    v_conversation.state := '{}';
  end if;
  return v_conversation;
end;
$$;

-- First call of a turn. `p_words` are the words of the message, [[word, is vocabulary], ...]; `p_wants` says what
-- else the message may be about: {usual: the own medicines, advice: what the rules say}. Returns
-- {patient: {patient_id, preferred_language}, conversation_id, state, proposal | null, last_order | null,
--  mentions: [{first, length, kind, distance, product_id}], terms: [{first, length, condition, kind, products}],
--  usual: [product_id], advice: [finding], products: {id: candidate}}. Writes nothing.
-- definer: stock and the words of the catalogue are read for the patient, who is always the caller's own.
create function public.chat_context(
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
  v_mentions jsonb;
  v_terms jsonb;
  v_usual jsonb := '[]';
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

  v_words := array(
    select w.word ->> 0 from jsonb_array_elements(p_words) with ordinality as w (word, n) where n <= 400 order by n
  );
  select coalesce(jsonb_agg(to_jsonb(m) order by m.first, m.length desc, m.distance), '[]')
  into v_mentions
  from private.find_mentions(
    v_words,
    array(
      select (w.word ->> 1)::boolean
      from jsonb_array_elements(p_words) with ordinality as w (word, n) where n <= 400 order by n
    )
  ) as m;

  select coalesce(jsonb_agg(jsonb_build_object(
    'first', t.first, 'length', t.length, 'condition', t.condition, 'kind', t.kind,
    'products', array(
      select own from private.own_medicines(v_patient_id, t.ingredients) as own where t.kind = 'maintenance'
      union all
      select option from private.symptom_options(v_patient_id, t.ingredients) as option where t.kind = 'symptom'
    )
  ) order by t.first, t.length desc), '[]')
  into v_terms
  from private.find_terms(v_words) as t;

  if (p_wants -> 'usual')::boolean then
    v_usual := to_jsonb(array(select own from private.own_medicines(v_patient_id) as own));
  end if;

  select coalesce(jsonb_object_agg(p.product_id, private.candidate_json(v_patient_id, p)), '{}')
  into v_products
  from public.products as p
  where p.product_id in (
    select m.mention ->> 'product_id' from jsonb_array_elements(v_mentions) as m (mention)
    union all
    select jsonb_array_elements_text(t.term -> 'products') from jsonb_array_elements(v_terms) as t (term)
    union all
    select jsonb_array_elements_text(v_usual)
    union all
    select i.item ->> 'product_id' from jsonb_array_elements(v_proposal.items) as i (item)
  );

  return jsonb_build_object(
    'patient', jsonb_build_object(
      'patient_id', v_patient_id, 'preferred_language', v_patient.preferred_language
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
      private.advice(v_patient_id, array(select distinct m.mention ->> 'product_id'
        from jsonb_array_elements(v_mentions) as m (mention) where m.mention ->> 'kind' <> 'stem'))
    else '[]' end,
    'products', v_products
  );
end;
$$;

-- The card of a proposal that is stored, as it was shown; what was left out of it is not kept.
create function private.proposal_card(p_proposal public.proposals)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'type', 'order_confirmation',
    'proposal_id', (p_proposal).proposal_id,
    'digest', (p_proposal).digest,
    'expires_at', (p_proposal).expires_at,
    'items', (p_proposal).items,
    'total', (p_proposal).total,
    'product_id', (p_proposal).items -> 0 -> 'product_id',
    'product_name', (p_proposal).items -> 0 -> 'product_name',
    'price', (p_proposal).items -> 0 -> 'price',
    'quantity', (p_proposal).items -> 0 -> 'qty',
    'warnings', (
      select coalesce(jsonb_agg(w.warning || jsonb_build_object(
        'product_id', i.item -> 'product_id', 'product_name', i.item -> 'product_name'
      ) order by i.position), '[]')
      from jsonb_array_elements((p_proposal).items) with ordinality as i (item, position)
      cross join lateral jsonb_array_elements(i.item -> 'warnings') as w (warning)
    ),
    'awaits_pharmacist', (p_proposal).items @> '[{"warnings": [{"waits": true}]}]'
  );
$$;

-- Replaces the open proposal of a conversation by one for these items and returns {outcome, card, questions}:
-- `proposed` with an order_confirmation, or `refused` with a safety_alert when nothing may be sold.
create function private.propose(p_conversation public.conversations, p_items jsonb, p_prepared jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_proposal public.proposals;
begin
  update public.proposals set status = 'superseded'
  where conversation_id = (p_conversation).conversation_id and status = 'open';

  if p_prepared -> 'items' = '[]' then
    return jsonb_build_object('outcome', 'refused', 'card', jsonb_build_object(
      'type', 'safety_alert', 'rejected_items', p_prepared -> 'rejected'
    ));
  end if;

  insert into public.proposals (conversation_id, patient_id, request, items, total, digest)
  values (
    (p_conversation).conversation_id, (p_conversation).patient_id,
    (
      select jsonb_agg(a.item order by a.position)
      from jsonb_array_elements(p_items) with ordinality as a (item, position)
      where p_prepared -> 'items' @> jsonb_build_array(jsonb_build_object('product_id', a.item -> 'product_id'))
    ),
    p_prepared -> 'items', (p_prepared ->> 'total')::numeric, p_prepared ->> 'digest'
  )
  returning * into v_proposal;

  return jsonb_build_object(
    'outcome', 'proposed',
    'questions', p_prepared -> 'questions',
    'card', private.proposal_card(v_proposal) || case when p_prepared -> 'rejected' <> '[]' then
      jsonb_build_object('rejected_items', p_prepared -> 'rejected') else '{}' end
  );
end;
$$;

-- Confirms one exact proposal. Places it once; repeated, it answers with the same order. What has changed or
-- expired since it was shown gives a new card instead of an order.
create function private.confirm(
  p_conversation public.conversations, p_proposal_id uuid, p_digest text, p_trace_id uuid, p_placed_by text
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_proposal public.proposals;
  v_placed jsonb;
  v_outcome text;
begin
  select * into v_proposal
  from public.proposals
  where proposal_id = p_proposal_id and conversation_id = (p_conversation).conversation_id
  for update;

  if v_proposal.status = 'placed' then
    return jsonb_build_object('outcome', 'placed_before', 'card', private.order_status_card(v_proposal.order_id));
  end if;
  if v_proposal.status is distinct from 'open' or v_proposal.digest is distinct from p_digest then
    return jsonb_build_object('outcome', 'nothing_open', 'card', null);
  end if;

  if v_proposal.expires_at <= now() then
    v_outcome := 'expired';
    v_placed := jsonb_build_object(
      'prepared', private.prepare_proposal((p_conversation).patient_id, v_proposal.request)
    );
  else
    v_placed := private.place_order(
      (p_conversation).patient_id, v_proposal.request, v_proposal.digest, p_placed_by
    );
    v_outcome := v_placed ->> 'outcome';
  end if;

  perform private.record_decision(
    p_trace_id, (p_conversation).patient_id, (p_conversation).conversation_id, 'confirm',
    jsonb_build_object('proposal_id', p_proposal_id, 'items', v_proposal.request), v_outcome,
    v_placed -> 'prepared' -> 'verification', v_placed -> 'order' ->> 'order_id'
  );

  if v_outcome = 'placed' then
    update public.proposals set status = 'placed', order_id = v_placed -> 'order' ->> 'order_id'
    where proposal_id = p_proposal_id;
    return jsonb_build_object(
      'outcome', 'placed', 'card', private.order_status_card(v_placed -> 'order' ->> 'order_id')
    );
  end if;
  return private.propose(p_conversation, v_proposal.request, v_placed -> 'prepared')
    || jsonb_build_object('outcome', v_outcome);
end;
$$;

create function private.order_status_card(p_order_id text)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'type', 'order_status',
    'status', o.status,
    'order_id', o.order_id,
    'total', o.total,
    'items', (
      select jsonb_agg(jsonb_build_object(
        'product_id', i.product_id, 'product_name', p.product_name, 'qty', i.packs,
        'price', i.unit_price, 'line_total', i.line_total
      ) order by i.line)
      from public.order_items as i
      join public.products as p using (product_id)
      where i.order_id = o.order_id
    )
  )
  from public.orders as o
  where o.order_id = p_order_id;
$$;

-- Completes what was never asked for: {age: years} or {allergies: [...]} or {conditions: [...]}. What is stored
-- already stays as it is.
create function private.complete_profile(p_patient_id text, p_answers jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.patients
  set
    age_recorded_on = case when age_years is null and p_answers ? 'age' then private.today() else age_recorded_on end,
    age_years = coalesce(age_years, (p_answers ->> 'age')::smallint),
    allergies = coalesce(allergies, private.clean_list(private.text_array(p_answers -> 'allergies'))),
    conditions = coalesce(conditions, private.clean_list(private.text_array(p_answers -> 'conditions')))
  where patient_id = p_patient_id;
exception
  when check_violation or numeric_value_out_of_range or invalid_text_representation then
    perform private.fail(422, 'invalid_profile', 'A value of the profile is not allowed.');
end;
$$;

create function private.text_array(p_values jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
  select case when jsonb_typeof(p_values) = 'array' then array(select jsonb_array_elements_text(p_values)) end;
$$;

-- Fails with 422 unless a turn has the form that chat_turn describes. The message is the patient's own; the rest
-- comes from our function, but anyone signed in may call chat_turn, so nothing of it is believed unseen.
create function private.require_turn(p_turn jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_uuid constant text := '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
  v_card jsonb := coalesce(p_turn -> 'card', 'null');
begin
  if (
    jsonb_typeof(p_turn) = 'object'
    and p_turn ->> 'act' in ('say', 'propose', 'confirm', 'decline', 'answer')
    and p_turn ->> 'language' in ('en', 'hi', 'mr')
    and p_turn ->> 'conversation_id' ~ v_uuid
    and p_turn ->> 'trace_id' ~ v_uuid
    and jsonb_typeof(p_turn -> 'message') = 'string'
    and length(p_turn ->> 'message') between 1 and 2000
    and (p_turn ->> 'proposal_id' is null or p_turn ->> 'proposal_id' ~ v_uuid)
    and jsonb_typeof(coalesce(p_turn -> 'state', '{}')) = 'object'
    and jsonb_typeof(coalesce(p_turn -> 'profile', '{}')) = 'object'
    -- What is said in our name offers choices or help; only placing an order makes an order's card.
    and (v_card = 'null' or v_card ->> 'type' in ('clarification', 'emergency', 'order_tracking'))
    and length(p_turn::text) <= 65536
  ) is not true then
    perform private.fail(422, 'invalid_turn', 'This turn has not the expected form.');
  end if;
end;
$$;

-- Second call of a turn: acts, and stores the turn with its decision. `p_turn`:
--   act       say (nothing happens to orders) | propose {items} | confirm {proposal_id, digest} | decline
--             | answer {profile}
--   message, language, conversation_id, trace_id; interpretation (for the record);
--   state     what to remember for the next turn; reply, card: what is said, for `say`
-- Returns {outcome, card, questions?, conversation_id}. Nothing is placed except by `confirm`.
-- definer: nobody may write these tables directly; the patient is always the caller's own.
create function public.chat_turn(p_turn jsonb, p_patient_id text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
  v_placed_by text := case when private.current_patient_id() = v_patient_id then 'patient' else 'staff' end;
  v_trace_id uuid;
  v_act text := p_turn ->> 'act';
  v_state jsonb := coalesce(p_turn -> 'state', '{}');
  v_conversation public.conversations;
  v_items jsonb;
  v_prepared jsonb;
  v_result jsonb;
begin
  perform private.require_turn(p_turn);
  v_trace_id := (p_turn ->> 'trace_id')::uuid;

  -- The turns of one conversation are taken one after the other.
  insert into public.conversations (conversation_id, patient_id)
  values ((p_turn ->> 'conversation_id')::uuid, v_patient_id)
  on conflict (conversation_id) do update set last_turn_at = now()
  where conversations.patient_id = v_patient_id
  returning * into v_conversation;
  if v_conversation.conversation_id is null then
    perform private.fail(404, 'conversation_not_found', 'There is no such conversation.');
  end if;

  insert into public.messages (conversation_id, patient_id, trace_id, role, language, body)
  values (
    v_conversation.conversation_id, v_patient_id, v_trace_id, 'patient', p_turn ->> 'language', p_turn ->> 'message'
  );

  if v_act = 'answer' then
    perform private.complete_profile(v_patient_id, p_turn -> 'profile');
  end if;

  if v_act in ('propose', 'answer') then
    v_items := case v_act
      when 'propose' then p_turn -> 'items'
      else (
        select request from public.proposals
        where conversation_id = v_conversation.conversation_id and status = 'open'
      )
    end;
    if v_act = 'answer' and v_items is null then
      v_result := '{"outcome": "noted", "card": null}';
    else
      perform private.require_items(v_items);
      v_prepared := private.prepare_proposal(v_patient_id, v_items);
      v_result := private.propose(v_conversation, v_items, v_prepared);
      perform private.record_decision(
        v_trace_id, v_patient_id, v_conversation.conversation_id, v_act,
        jsonb_build_object('items', v_items, 'interpretation', p_turn -> 'interpretation'),
        v_result ->> 'outcome', v_prepared -> 'verification'
      );
    end if;
  elsif v_act = 'confirm' then
    v_result := private.confirm(
      v_conversation, (p_turn ->> 'proposal_id')::uuid, p_turn ->> 'digest', v_trace_id, v_placed_by
    );
  else
    if v_act = 'decline' then
      update public.proposals set status = 'declined'
      where conversation_id = v_conversation.conversation_id and status = 'open';
    end if;
    v_result := jsonb_build_object('outcome', 'said', 'card', p_turn -> 'card');
    perform private.record_decision(
      v_trace_id, v_patient_id, v_conversation.conversation_id, v_act,
      jsonb_build_object('interpretation', p_turn -> 'interpretation'), 'said'
    );
  end if;

  -- A card whose profile is incomplete asks for the first thing missing; the next message answers it.
  if coalesce(v_result -> 'questions', '[]') <> '[]' then
    v_state := v_state || jsonb_build_object('awaiting', jsonb_build_object(
      'kind', 'profile', 'field', v_result -> 'questions' -> 0
    ));
  end if;

  update public.conversations set state = v_state, last_turn_at = now()
  where conversation_id = v_conversation.conversation_id;

  insert into public.messages (conversation_id, patient_id, trace_id, role, language, reply, card)
  values (
    v_conversation.conversation_id, v_patient_id, v_trace_id, 'assistant', p_turn ->> 'language',
    jsonb_build_object('outcome', v_result -> 'outcome', 'questions', v_result -> 'questions', 'said', p_turn -> 'reply'),
    nullif(v_result -> 'card', 'null')
  );

  return v_result || jsonb_build_object('conversation_id', v_conversation.conversation_id);
end;
$$;

-- What was said in a conversation, oldest first. Another's looks like one that does not exist.
create function public.get_conversation(p_conversation_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_messages jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'role', role, 'language', language, 'body', body, 'reply', reply, 'card', card,
    'trace_id', trace_id, 'created_at', created_at
  ) order by message_id)
  into v_messages
  from public.messages
  where conversation_id = p_conversation_id;
  if v_messages is null then
    perform private.fail(404, 'conversation_not_found', 'There is no such conversation.');
  end if;
  return jsonb_build_object('conversation_id', p_conversation_id, 'messages', v_messages);
end;
$$;

-- What was checked and decided in one turn.
create function public.get_decisions(p_trace_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_decisions jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'kind', kind, 'request', request, 'outcome', outcome, 'rule_set', rule_set_version, 'findings', findings,
    'checks', checks, 'order_id', order_id, 'decided_at', decided_at
  ) order by decision_id)
  into v_decisions
  from public.decisions
  where trace_id = p_trace_id;
  if v_decisions is null then
    perform private.fail(404, 'decision_not_found', 'There is no such decision.');
  end if;
  return jsonb_build_object('trace_id', p_trace_id, 'decisions', v_decisions);
end;
$$;

-- Verifies a cart [{product_id, packs}] for the caller without proposing or storing anything.
-- definer: as chat_context.
create function public.verify_cart(p_items jsonb, p_patient_id text default null)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient(p_patient_id);
begin
  perform private.require_items(p_items);
  return private.verify_items(v_patient_id, p_items);
end;
$$;

grant execute on function
  public.chat_context(jsonb, text, uuid, jsonb),
  public.chat_turn(jsonb, text),
  public.get_conversation(uuid),
  public.get_decisions(uuid),
  public.verify_cart(jsonb, text)
to authenticated;
