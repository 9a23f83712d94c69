-- What is allocated to an order is entered into the ledger in one statement for all its lots.

-- definer: as the other functions that write the ledger.
create function private.note_allocations()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.stock_movements (batch_id, change, quantity_after, kind, order_id, moved_by_name)
  select
    n.batch_id, -n.packs,
    private.noted_quantity(n.batch_id) - sum(n.packs) over (partition by n.batch_id order by n.order_id, n.line),
    'sold', n.order_id, (select private.actor_name())
  from noted as n
  order by n.order_id, n.line, n.batch_id;
  return null;
end;
$$;

-- One that is changed or taken back still is entered by itself.
drop trigger order_allocations_noted on public.order_allocations;
create trigger order_allocations_noted after update or delete on public.order_allocations
  for each row execute function private.note_allocation();
create trigger order_allocations_noted_on_insert after insert on public.order_allocations
  referencing new table as noted for each statement execute function private.note_allocations();

grant execute on function private.note_allocations() to service_role;
