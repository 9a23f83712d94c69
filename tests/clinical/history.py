"""What patients bought: as the model reads it from the database, and made up at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from hypothesis import strategies as st

from tests.clinical.clinic import Clinic, Json, Patient
from tests.clinical.supply_model import Purchase

METFORMIN, CARBAMAZEPINE, FLUOXETINE = "MED003", "MED075", "MED074"
COMBIFLAM, DOLO_650 = "MED068", "MED001"
MEDICINES = (METFORMIN, CARBAMAZEPINE, FLUOXETINE, COMBIFLAM, DOLO_650)


def history(clinic: Clinic, patient_id: str) -> list[Purchase]:
    rows = clinic.rows(
        """
        select i.product_id, i.packs, i.units_per_dose, i.dosage_frequency, o.status,
          (o.placed_at at time zone private.patient_time_zone(o.patient_id))::date as bought_on
        from public.orders as o join public.order_items as i using (order_id)
        where o.patient_id = %s
        order by o.placed_at
        """,
        patient_id,
    )
    return [
        Purchase(
            composition=(product := clinic.products[row["product_id"]]).composition,
            ingredients=product.ingredients,
            bought_on=row["bought_on"],
            units=row["packs"] * product.units_per_pack,
            units_per_dose=Fraction(row["units_per_dose"]),
            dosage_frequency=row["dosage_frequency"],
            status=row["status"],
        )
        for row in rows
    ]


def patients(clinic: Clinic) -> Iterator[str]:
    for row in clinic.rows("select patient_id from public.patients order by patient_id"):
        yield row["patient_id"]


def histories(max_size: int = 8) -> st.SearchStrategy[list[Json]]:
    """Purchases of the last months, as arguments of `live`."""
    return st.lists(
        st.fixed_dictionaries(
            {
                "product": st.sampled_from(MEDICINES),
                "days_ago": st.integers(0, 120),
                "packs": st.integers(1, 4),
                "dosage_frequency": st.sampled_from(
                    [
                        "once_daily",
                        "twice_daily",
                        "three_times_daily",
                        "alternate_days",
                        "once_weekly",
                        "as_needed",
                    ]
                ),
                "units_per_dose": st.sampled_from([0.5, 1, 2, 3]),
                "status": st.sampled_from(["delivered", "shipped", "confirmed", "cancelled", "failed"]),
            }
        ),
        max_size=max_size,
        # Two purchases of a medicine on one day have no order that both sides could know.
        unique_by=lambda bought: (bought["product"], bought["days_ago"]),
    )


def live(clinic: Clinic, purchases: Sequence[Json], time_zone: str = "UTC") -> Patient:
    """A patient with this history."""
    patient = clinic.patient(time_zone=time_zone)
    for bought in purchases:
        how = {name: value for name, value in bought.items() if name != "product"}
        clinic.bought(patient, clinic.products[bought["product"]], **how)
    return patient
