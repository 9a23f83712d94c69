-- The thousandth patient and the thousandth prescription: lpad cuts what is longer, so "1000" became "100" again.
-- At least three digits, and all that there are.

alter table public.patients alter column patient_id
  set default 'PAT' || regexp_replace(lpad(nextval('public.patient_number')::text, 15, '0'), '^0{1,12}', '');

alter table public.prescriptions alter column prescription_id
  set default 'RX' || regexp_replace(lpad(nextval('public.prescription_number')::text, 15, '0'), '^0{1,12}', '');
