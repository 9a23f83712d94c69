"""Writes patients, their prescriptions and what they bought before.

All of it is added once. From then on the database is the truth: a patient changes a profile, a pharmacist
verifies a prescription, an order moves on, and a repeated import leaves that alone.
"""

from __future__ import annotations

from psycopg import Connection

from infra.importer.database import copy_rows, count
from infra.importer.outcome import Outcome
from infra.importer.rows import Patient, Prescription, PrescriptionItem, Purchase
from infra.importer.tables import Folder, Sheet

# Also when a file is absent: what follows asks what is new.
_STAGING = """
create temporary table new_prescription_items (prescription_item_id bigint primary key) on commit drop;
create temporary table new_orders (order_id text primary key) on commit drop;
"""

_ADD_PATIENTS = """
insert into public.patients (
  patient_id, name, email, phone, age_years, age_recorded_on, gender,
  allergies, conditions, preferred_language
)
select
  patient_id, name, email, phone, age, case when age is not null then current_date end, gender,
  private.clean_list(allergies), private.clean_list(conditions), preferred_language
from incoming_patients
on conflict (patient_id) do nothing
"""

_ADD_PRESCRIPTIONS = """
insert into public.prescriptions (prescription_id, patient_id, status, prescriber, issued_on, valid_until)
select
  prescription_id, patient_id, status, prescriber,
  current_date - issued_days_ago, current_date - issued_days_ago + valid_days
from incoming_prescriptions
on conflict (prescription_id) do nothing
"""

# A prescription that has items keeps them: a pharmacist may have corrected them.
_ADD_PRESCRIPTION_ITEMS = """
with written as (
  insert into public.prescription_items (
    prescription_id, ingredient, strength, units, repeats, dosage_frequency, units_per_dose
  )
  select prescription_id, ingredient, strength, units, repeats, dosage_frequency, units_per_dose
  from incoming_prescription_items as i
  where not exists (select from public.prescription_items as p where p.prescription_id = i.prescription_id)
  order by i.position
  returning prescription_item_id
)
insert into new_prescription_items (prescription_item_id) select prescription_item_id from written
"""

_ADD_ORDERS = """
with written as (
  insert into public.orders (order_id, patient_id, status, total, placed_at, placed_by)
  select
    i.order_id, min(i.patient_id), min(i.status), sum(i.packs * p.price),
    -- Ten in the morning, and never in the future.
    least(((current_date - min(i.days_ago)) + time '10:00') at time zone 'utc', now()), 'import'
  from incoming_purchases as i
  join public.products as p using (product_id)
  group by i.order_id
  on conflict (order_id) do nothing
  returning order_id
)
insert into new_orders (order_id) select order_id from written
"""

_ADD_ORDER_ITEMS = """
insert into public.order_items (
  order_id, line, product_id, packs, unit_price, dosage_frequency, units_per_dose
)
select
  i.order_id, row_number() over (partition by i.order_id order by i.position), i.product_id, i.packs, p.price,
  i.dosage_frequency, i.units_per_dose
from incoming_purchases as i
join new_orders using (order_id)
join public.products as p using (product_id)
"""

# What was bought since the issue date has used the prescription. Orders placed here record that themselves.
_COUNT_DISPENSED = """
update public.prescription_items as item
set dispensed_units = item.dispensed_units + bought.units
from (
  select i.prescription_item_id, sum(oi.packs * p.units_per_pack) as units
  from public.prescription_items as i
  join public.prescriptions as rx using (prescription_id)
  join public.orders as o using (patient_id)
  join public.order_items as oi using (order_id)
  join public.products as p using (product_id)
  where o.placed_by = 'import'
    and o.status not in ('cancelled', 'failed')
    and (o.placed_at at time zone 'utc')::date >= rx.issued_on
    and p.active_ingredient = i.ingredient
    and p.strength = i.strength
    and (
      exists (select from new_orders as n where n.order_id = o.order_id)
      or exists (
        select from new_prescription_items as n where n.prescription_item_id = i.prescription_item_id
      )
    )
  group by i.prescription_item_id
) as bought
where bought.prescription_item_id = item.prescription_item_id
"""

# Numbers given from now on follow the imported ones.
_ADVANCE_PATIENT_NUMBER = """
select setval('public.patient_number', taken.highest)
from (
  select max(substr(patient_id, 4)::bigint) as highest
  from public.patients where patient_id ~ '^PAT[0-9]{1,15}$'
) as taken, public.patient_number as current
where taken.highest > case when current.is_called then current.last_value else 0 end
"""
_ADVANCE_PRESCRIPTION_NUMBER = """
select setval('public.prescription_number', taken.highest)
from (
  select max(substr(prescription_id, 3)::bigint) as highest
  from public.prescriptions where prescription_id ~ '^RX[0-9]{1,15}$'
) as taken, public.prescription_number as current
where taken.highest > case when current.is_called then current.last_value else 0 end
"""
_ADVANCE_ORDER_NUMBER = """
update public.order_counter set last_number = taken.highest
from (
  select max(substr(order_id, 4)::bigint) as highest from new_orders where order_id ~ '^ORD[0-9]{1,15}$'
) as taken
where taken.highest > last_number
"""


def write_people(connection: Connection, folder: Folder) -> list[Outcome]:
    """Add the patients, prescriptions, items and purchases that are not there yet."""
    connection.execute(_STAGING)
    outcomes = []
    if folder.patients.present:
        outcomes.append(_write_patients(connection, folder.patients))
    if folder.prescriptions.present:
        outcomes.append(_write_prescriptions(connection, folder.prescriptions))
    if folder.prescription_items.present:
        outcomes.append(_write_prescription_items(connection, folder.prescription_items))
    if folder.order_history.present:
        outcomes.append(_write_purchases(connection, folder.order_history))
    connection.execute(_COUNT_DISPENSED)
    return outcomes


def _write_patients(connection: Connection, sheet: Sheet[Patient]) -> Outcome:
    connection.execute("""
        create temporary table incoming_patients (
          patient_id text, name text, age smallint, gender text, email text, phone text, allergies text[],
          conditions text[], preferred_language text
        ) on commit drop
    """)
    copy_rows(
        connection,
        "incoming_patients",
        (
            (
                row.patient_id,
                row.name,
                row.age,
                row.gender,
                row.email,
                row.phone,
                row.allergies,
                row.conditions,
                row.preferred_language,
            )
            for row in sheet.rows
        ),
    )
    added = connection.execute(_ADD_PATIENTS).rowcount
    connection.execute(_ADVANCE_PATIENT_NUMBER)
    return Outcome("patients", len(sheet.rows), added)


def _write_prescriptions(connection: Connection, sheet: Sheet[Prescription]) -> Outcome:
    connection.execute("""
        create temporary table incoming_prescriptions (
          prescription_id text, patient_id text, status text, issued_days_ago integer, valid_days integer,
          prescriber text
        ) on commit drop
    """)
    copy_rows(
        connection,
        "incoming_prescriptions",
        (
            (
                row.prescription_id,
                row.patient_id,
                row.status,
                row.issued_days_ago,
                row.valid_days,
                row.prescriber,
            )
            for row in sheet.rows
        ),
    )
    added = connection.execute(_ADD_PRESCRIPTIONS).rowcount
    connection.execute(_ADVANCE_PRESCRIPTION_NUMBER)
    return Outcome("prescriptions", len(sheet.rows), added)


def _write_prescription_items(connection: Connection, sheet: Sheet[PrescriptionItem]) -> Outcome:
    connection.execute("""
        create temporary table incoming_prescription_items (
          position integer, prescription_id text, ingredient text, strength text, units integer,
          repeats smallint, dosage_frequency text, units_per_dose numeric
        ) on commit drop
    """)
    copy_rows(
        connection,
        "incoming_prescription_items",
        (
            (
                line,
                row.prescription_id,
                row.ingredient,
                row.strength,
                row.units,
                row.repeats,
                row.dosage_frequency,
                row.units_per_dose,
            )
            for line, row in sheet
        ),
    )
    added = connection.execute(_ADD_PRESCRIPTION_ITEMS).rowcount
    return Outcome("prescription items", len(sheet.rows), added)


def _write_purchases(connection: Connection, sheet: Sheet[Purchase]) -> Outcome:
    connection.execute("""
        create temporary table incoming_purchases (
          position integer, order_id text, patient_id text, product_id text, packs integer, days_ago integer,
          dosage_frequency text, units_per_dose numeric, status text
        ) on commit drop
    """)
    copy_rows(
        connection,
        "incoming_purchases",
        (
            (
                line,
                row.order_id,
                row.patient_id,
                row.product_id,
                row.packs,
                row.days_ago,
                row.dosage_frequency,
                row.units_per_dose,
                row.status,
            )
            for line, row in sheet
        ),
    )
    connection.execute(_ADD_ORDERS)
    added = connection.execute(_ADD_ORDER_ITEMS).rowcount
    connection.execute(_ADVANCE_ORDER_NUMBER)
    orders = count(connection, "select count(*) from new_orders")
    return Outcome("purchases", len(sheet.rows), added, note=f"{orders:,} orders" if orders else "")
