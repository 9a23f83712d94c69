-- Conversations with their proposals, orders with what they took from which lot, and the outbox.

create table public.conversations (
  conversation_id uuid not null,
  patient_id text not null,
  -- What the agent must remember between turns (an open question, what is already understood).
  state jsonb not null default '{}',
  created_at timestamptz not null default now(),
  last_turn_at timestamptz not null default now(),
  constraint conversations_pkey primary key (conversation_id),
  constraint conversations_patient_id_fkey foreign key (patient_id) references public.patients (patient_id)
);

create index conversations_patient_id_idx on public.conversations (patient_id, last_turn_at desc);

create table public.messages (
  message_id bigint generated always as identity,
  conversation_id uuid not null,
  patient_id text not null,
  trace_id uuid not null,
  role text not null,
  language text not null,
  -- The patient's own words; of the assistant the message key with its arguments, which the reply catalogues
  -- turn into the words of the language.
  body text,
  reply jsonb,
  card jsonb,
  created_at timestamptz not null default clock_timestamp(),
  constraint messages_pkey primary key (message_id),
  constraint messages_conversation_id_fkey
    foreign key (conversation_id) references public.conversations (conversation_id) on delete cascade,
  constraint messages_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint messages_role_known check (role in ('patient', 'assistant')),
  constraint messages_language_known check (language in ('en', 'hi', 'mr')),
  constraint messages_body_length check (length(body) <= 2000)
);

create index messages_conversation_id_idx on public.messages (conversation_id, message_id);
create index messages_patient_id_idx on public.messages (patient_id);
create index messages_trace_id_idx on public.messages (trace_id);

create table public.orders (
  order_id text not null,
  patient_id text not null,
  status text not null,
  total numeric(12, 2) not null,
  placed_at timestamptz not null default now(),
  placed_by text not null default 'patient',
  tracking_number text,
  -- Why it was cancelled or failed, in words for the patient.
  status_reason text,
  constraint orders_pkey primary key (order_id),
  constraint orders_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint orders_total_not_negative check (total >= 0),
  constraint orders_placed_by_known check (placed_by in ('patient', 'staff', 'import')),
  constraint orders_status_known check (status in (
    'awaiting_pharmacist', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled', 'failed'
  ))
);

create index orders_patient_id_idx on public.orders (patient_id, placed_at desc, order_id desc);

create table public.order_items (
  order_id text not null,
  line smallint not null,
  product_id text not null,
  packs integer not null,
  unit_price numeric(10, 2) not null,
  line_total numeric(12, 2) not null generated always as (packs * unit_price) stored,
  dosage_frequency text not null default 'as_needed',
  units_per_dose numeric not null default 1,
  -- What was warned of when it was sold: findings as verification returned them.
  warnings jsonb not null default '[]',
  constraint order_items_pkey primary key (order_id, line),
  constraint order_items_product_key unique (order_id, product_id),
  constraint order_items_order_id_fkey foreign key (order_id) references public.orders (order_id) on delete cascade,
  constraint order_items_product_id_fkey foreign key (product_id) references public.products (product_id),
  constraint order_items_dosage_frequency_fkey
    foreign key (dosage_frequency) references public.dosage_frequencies (dosage_frequency),
  constraint order_items_packs_positive check (packs > 0),
  constraint order_items_dose_positive check (units_per_dose > 0)
);

create index order_items_product_id_idx on public.order_items (product_id);

-- Which lot each line was served from: a recall finds its patients, a cancellation puts the packs back.
create table public.order_allocations (
  order_id text not null,
  line smallint not null,
  batch_id bigint not null,
  packs integer not null,
  constraint order_allocations_pkey primary key (order_id, line, batch_id),
  constraint order_allocations_line_fkey
    foreign key (order_id, line) references public.order_items (order_id, line) on delete cascade,
  constraint order_allocations_batch_id_fkey foreign key (batch_id) references public.product_batches (batch_id),
  constraint order_allocations_packs_positive check (packs > 0)
);

create index order_allocations_batch_id_idx on public.order_allocations (batch_id);

-- Which prescription item each line used up, in units: given back when the order is cancelled.
create table public.prescription_uses (
  order_id text not null,
  line smallint not null,
  prescription_item_id bigint not null,
  units integer not null,
  constraint prescription_uses_pkey primary key (order_id, line, prescription_item_id),
  constraint prescription_uses_line_fkey
    foreign key (order_id, line) references public.order_items (order_id, line) on delete cascade,
  constraint prescription_uses_item_fkey
    foreign key (prescription_item_id) references public.prescription_items (prescription_item_id),
  constraint prescription_uses_units_positive check (units > 0)
);

create index prescription_uses_item_idx on public.prescription_uses (prescription_item_id);

-- The register of Schedule H1 sales (Drugs Rules 1945, rule 65(3)(h)): written with the order, kept three years.
-- A cancelled order adds a row that reverses it; nothing is ever changed.
create table public.dispense_register (
  register_id bigint generated always as identity,
  order_id text not null,
  line smallint not null,
  patient_id text not null,
  patient_name text not null,
  prescriber text not null,
  product_id text not null,
  product_name text not null,
  packs integer not null,
  units integer not null,
  entry text not null default 'dispensed',
  entered_at timestamptz not null default now(),
  constraint dispense_register_pkey primary key (register_id),
  constraint dispense_register_line_key unique (order_id, line, entry),
  constraint dispense_register_entry_known check (entry in ('dispensed', 'reversed')),
  constraint dispense_register_order_id_fkey foreign key (order_id) references public.orders (order_id),
  constraint dispense_register_patient_id_fkey foreign key (patient_id) references public.patients (patient_id)
);

create index dispense_register_patient_id_idx on public.dispense_register (patient_id);

create table public.proposals (
  proposal_id uuid not null default gen_random_uuid(),
  conversation_id uuid not null,
  patient_id text not null,
  status text not null default 'open',
  -- What was asked for, as verification reads it, and the exact content the patient sees: items with packs,
  -- prices and warnings. The digest is over the latter.
  request jsonb not null,
  items jsonb not null,
  total numeric(12, 2) not null,
  digest text not null,
  expires_at timestamptz not null default now() + interval '30 minutes',
  order_id text,
  created_at timestamptz not null default now(),
  constraint proposals_pkey primary key (proposal_id),
  constraint proposals_conversation_id_fkey
    foreign key (conversation_id) references public.conversations (conversation_id) on delete cascade,
  constraint proposals_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint proposals_order_id_fkey foreign key (order_id) references public.orders (order_id),
  constraint proposals_order_id_key unique (order_id),
  constraint proposals_status_known check (status in ('open', 'placed', 'declined', 'superseded')),
  constraint proposals_placed_has_order check ((status = 'placed') = (order_id is not null))
);

create unique index proposals_one_open_idx on public.proposals (conversation_id) where status = 'open';
create index proposals_conversation_id_idx on public.proposals (conversation_id, created_at desc);
create index proposals_patient_id_idx on public.proposals (patient_id);

-- What an order must cause outside, written in the order's own transaction and delivered at least once.
create table public.outbox_events (
  event_id uuid not null default gen_random_uuid(),
  event_type text not null,
  order_id text,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  available_at timestamptz not null default now(),
  attempts integer not null default 0,
  delivered_at timestamptz,
  constraint outbox_events_pkey primary key (event_id),
  constraint outbox_events_order_id_fkey foreign key (order_id) references public.orders (order_id)
);

create index outbox_events_order_id_idx on public.outbox_events (order_id);
create index outbox_events_due_idx on public.outbox_events (available_at) where delivered_at is null;

-- What was checked, against which rules, with what result. Append only.
create table public.decisions (
  decision_id bigint generated always as identity,
  trace_id uuid not null,
  patient_id text not null,
  conversation_id uuid,
  kind text not null,
  request jsonb not null,
  outcome text not null,
  rule_set_version text,
  findings jsonb not null default '[]',
  checks jsonb not null default '[]',
  order_id text,
  decided_at timestamptz not null default clock_timestamp(),
  constraint decisions_pkey primary key (decision_id),
  constraint decisions_patient_id_fkey foreign key (patient_id) references public.patients (patient_id),
  constraint decisions_order_id_fkey foreign key (order_id) references public.orders (order_id)
);

create index decisions_trace_id_idx on public.decisions (trace_id);
create index decisions_patient_id_idx on public.decisions (patient_id, decided_at desc);
create index decisions_order_id_idx on public.decisions (order_id);

-- One row, one number: order numbers have no gaps because the row is locked until the order commits. It is
-- taken last, so that the lock lasts only as long as writing the order.
create table public.order_counter (
  only_row boolean not null default true,
  last_number bigint not null,
  constraint order_counter_pkey primary key (only_row),
  constraint order_counter_single check (only_row)
);

insert into public.order_counter (last_number) values (0);

create function private.next_order_id()
returns text
language sql
set search_path = ''
as $$
  update public.order_counter set last_number = last_number + 1
  returning 'ORD' || lpad(last_number::text, greatest(3, length(last_number::text)), '0');
$$;

alter table public.conversations enable row level security;
alter table public.messages enable row level security;
alter table public.orders enable row level security;
alter table public.order_items enable row level security;
alter table public.order_allocations enable row level security;
alter table public.prescription_uses enable row level security;
alter table public.dispense_register enable row level security;
alter table public.proposals enable row level security;
alter table public.outbox_events enable row level security;
alter table public.decisions enable row level security;
alter table public.order_counter enable row level security;

-- Patients read their own; everything is written by the functions that verify first.
grant select on
  public.conversations, public.messages, public.orders, public.order_items, public.order_allocations,
  public.prescription_uses, public.dispense_register, public.proposals, public.decisions
to authenticated;
grant select, insert, update, delete on
  public.conversations, public.messages, public.orders, public.order_items, public.order_allocations,
  public.prescription_uses, public.proposals, public.outbox_events, public.order_counter
to service_role;
-- Registers and decisions are added to, never changed, not even by the service.
grant select, insert on public.dispense_register, public.decisions to service_role;

create policy conversations_read_own_or_staff on public.conversations
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));
create policy messages_read_own_or_staff on public.messages
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));
create policy orders_read_own_or_staff on public.orders
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));
create policy order_items_read_own_or_staff on public.order_items
  for select to authenticated
  using (exists (
    select from public.orders as o
    where o.order_id = order_items.order_id
      and (o.patient_id = (select private.current_patient_id()) or (select private.is_staff()))
  ));
create policy order_allocations_read_staff on public.order_allocations
  for select to authenticated using ((select private.is_staff()));
create policy prescription_uses_read_staff on public.prescription_uses
  for select to authenticated using ((select private.is_staff()));
create policy dispense_register_read_staff on public.dispense_register
  for select to authenticated using ((select private.is_staff()));
create policy proposals_read_own_or_staff on public.proposals
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));
create policy decisions_read_own_or_staff on public.decisions
  for select to authenticated
  using (patient_id = (select private.current_patient_id()) or (select private.is_staff()));

-- One order as the API shows it.
create function private.order_json(p_order public.orders)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'order_id', (p_order).order_id,
    'status', (p_order).status,
    'status_reason', (p_order).status_reason,
    'total_price', (p_order).total,
    'placed_at', (p_order).placed_at,
    'tracking', case when (p_order).tracking_number is not null
      then jsonb_build_object('tracking_number', (p_order).tracking_number) end,
    'items', (
      select jsonb_agg(
        jsonb_build_object(
          'product_id', i.product_id,
          'product_name', p.product_name,
          'quantity', i.packs,
          'unit_price', i.unit_price,
          'line_total', i.line_total,
          'package_size', p.package_size,
          'dosage_frequency', i.dosage_frequency,
          'units_per_dose', i.units_per_dose,
          'warnings', i.warnings
        ) order by i.line
      )
      from public.order_items as i
      join public.products as p using (product_id)
      where i.order_id = (p_order).order_id
    )
  );
$$;

grant execute on function private.order_json(public.orders) to authenticated, service_role;

-- The caller's own orders, newest first: {orders, count, next_cursor}.
create function public.list_orders(p_limit integer default 50, p_before text default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_patient_id text := private.require_patient();
  v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 200);
  v_rows jsonb;
begin
  select jsonb_agg(private.order_json(page.o) order by (page.o).placed_at desc, (page.o).order_id desc)
  into v_rows
  from (
    select o
    from public.orders as o
    where o.patient_id = v_patient_id
      and (p_before is null or (o.placed_at, o.order_id) < (
        select b.placed_at, b.order_id from public.orders as b
        where b.order_id = p_before and b.patient_id = v_patient_id
      ))
    order by o.placed_at desc, o.order_id desc
    limit v_limit + 1
  ) as page;
  return jsonb_build_object(
    'orders', coalesce(v_rows - v_limit, '[]'),
    'count', least(coalesce(jsonb_array_length(v_rows), 0), v_limit),
    'next_cursor', case when jsonb_array_length(v_rows) > v_limit then v_rows -> (v_limit - 1) ->> 'order_id' end
  );
end;
$$;

-- One order: of the caller, or any for staff. Another's looks like one that does not exist.
create function public.get_order(p_order_id text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_order public.orders;
begin
  select * into v_order from public.orders where order_id = p_order_id;
  if v_order.order_id is null then
    perform private.fail(404, 'order_not_found', 'There is no such order.');
  end if;
  return private.order_json(v_order);
end;
$$;

grant execute on function public.list_orders(integer, text), public.get_order(text) to authenticated;

-- For the health endpoint: answers when the database does.
create function public.health_check()
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'database', true,
    'rule_set', (select version from public.rule_sets where status = 'active'),
    'catalogue', exists (select from public.products)
  );
$$;

grant execute on function public.health_check() to anon, authenticated;
