-- A large pharmacy's patients, each with ten lines of orders: two long-term medicines bought month by month, some
-- late and some early, and now and then something as needed. Everything follows from the patient's number.

insert into public.patients (patient_id, name, email, age_years, age_recorded_on, allergies, conditions)
select 'BEN' || lpad(n::text, 7, '0'), 'Somebody', n || '@bench.example', 30 + n %% 50, current_date, '{}', '{}'
from generate_series(1, %(patients)s) as n;

insert into public.prescriptions (prescription_id, patient_id, status, prescriber, issued_on, valid_until)
select 'BEN' || n, 'BEN' || lpad(n::text, 7, '0'), 'verified', 'Dr. B. Bench', current_date - 150, current_date - 150 + 90 * (1 + n %% 3)
from generate_series(1, %(patients)s) as n;

insert into public.prescription_items
  (prescription_id, ingredient, strength, units, repeats, dispensed_units, dosage_frequency)
select 'BEN' || n, p.active_ingredient, p.strength, 90, 5, 90 * (n %% 7), 'once_daily'
from generate_series(1, %(patients)s) as n
cross join generate_series(0, 1) as medicine
join public.products as p on p.product_id = (
  array['MED003', 'MED004', 'MED010', 'MED016', 'MED017', 'MED019', 'MED043', 'MED045', 'MED050', 'MED051']
)[1 + (n * 3 + medicine * 5) %% 10];

insert into public.orders (order_id, patient_id, status, total, placed_at, placed_by)
select
  'BEN' || lpad((n * 6 + visit)::text, 9, '0'), 'BEN' || lpad(n::text, 7, '0'),
  case when (n + visit) %% 50 = 0 then 'cancelled' else 'delivered' end, 100,
  date_trunc('day', now()) - make_interval(
    days => case when visit < 4 then 1 + (3 - visit) * (27 + n %% 11) + n * 7 %% 31 else 1 + (visit - 3) * 40 + n %% 17 end,
    hours => (n * 13 + visit) %% 24
  ),
  'import'
from generate_series(1, %(patients)s) as n
cross join generate_series(0, 5) as visit;

insert into public.order_items (order_id, line, product_id, packs, unit_price, dosage_frequency)
select
  'BEN' || lpad((n * 6 + visit)::text, 9, '0'), 1 + medicine,
  case when visit < 4 then (
    array['MED003', 'MED004', 'MED010', 'MED016', 'MED017', 'MED019', 'MED043', 'MED045', 'MED050', 'MED051']
  )[1 + (n * 3 + medicine * 5) %% 10] else (array['MED001', 'MED021', 'MED005', 'MED012'])[1 + (n + visit) %% 4] end,
  1 + n %% 2, 10,
  case when visit < 4 then (array['once_daily', 'twice_daily', 'once_daily'])[1 + (n + medicine) %% 3] else 'as_needed' end
from generate_series(1, %(patients)s) as n
cross join generate_series(0, 5) as visit
cross join generate_series(0, 1) as medicine
where visit < 4 or medicine = 0;

analyze;
