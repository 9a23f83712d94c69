"""What an order takes: packs from the lots that expire first, and nothing when it is not placed."""

from __future__ import annotations

from tests.clinical.clinic import Clinic, Line, Patient, Product

ORS = "MED021"
SOON, LATER = 3, 1000


def brand(clinic: Clinic) -> Product:
    """A product with two lots of its own: a few packs that expire soon, and many that expire later."""
    product = clinic.copy_of(clinic.products[ORS])
    clinic.run(
        """
        insert into public.product_batches (product_id, lot, expiry, quantity)
        values (%s, 'SOON', current_date + 30, %s)
        """,
        product.product_id,
        SOON,
    )
    return product


def shelf(clinic: Clinic, product: Product) -> list[int]:
    """Packs of each lot, the one that expires first first."""
    rows = clinic.rows(
        "select quantity from public.product_batches where product_id = %s order by expiry",
        product.product_id,
    )
    return [row["quantity"] for row in rows]


def taken(clinic: Clinic, patient: Patient) -> list[int]:
    """Packs that the patient's orders have of each lot, the one that expires first first."""
    rows = clinic.rows(
        """
        select sum(a.packs)::integer as packs
        from public.order_allocations as a
        join public.orders as o using (order_id)
        join public.product_batches as b using (batch_id)
        where o.patient_id = %s
        group by b.batch_id, b.expiry
        order by b.expiry
        """,
        patient.patient_id,
    )
    return [row["packs"] for row in rows]


def test_packs_leave_the_shelf_from_the_lot_that_expires_first(clinic: Clinic) -> None:
    product, patient = brand(clinic), clinic.patient()

    placed = clinic.place(patient, Line(product.product_id, packs=SOON + 2))

    assert placed["outcome"] == "placed"
    assert shelf(clinic, product) == [0, LATER - 2]
    assert taken(clinic, patient) == [SOON, 2]


def test_an_order_that_one_lot_serves_leaves_the_others_alone(clinic: Clinic) -> None:
    product, patient = brand(clinic), clinic.patient()

    clinic.place(patient, Line(product.product_id, packs=SOON - 1))

    assert shelf(clinic, product) == [1, LATER]
    assert taken(clinic, patient) == [SOON - 1]


def test_the_same_product_in_two_lines_is_taken_for_both(clinic: Clinic) -> None:
    product, patient = brand(clinic), clinic.patient()

    clinic.place(patient, Line(product.product_id, packs=2), Line(product.product_id, packs=2))

    assert shelf(clinic, product) == [0, LATER - 1]


def test_an_order_that_is_not_placed_takes_nothing(clinic: Clinic) -> None:
    product, patient = brand(clinic), clinic.patient()

    refused = clinic.place(patient, Line(product.product_id, packs=SOON + LATER + 1))

    assert refused["outcome"] == "changed"
    assert shelf(clinic, product) == [SOON, LATER]
    assert taken(clinic, patient) == []
