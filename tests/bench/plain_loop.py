"""What the scan is compared with: the same prediction in plain Python, one patient after the other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg

Alert = tuple[str, str, date]
"""Patient, composition, first day without."""

_INDIA = ZoneInfo("Asia/Kolkata")
_DOSES_A_DAY = {"once_daily": Fraction(1), "twice_daily": Fraction(2)}


def alerts_of(patient_id: str, lines: Iterable[dict[str, Any]], today: date) -> list[Alert]:
    """`lines` in the order of purchase: composition, bought_at, units, units_per_dose, dosage_frequency."""
    ends: dict[str, Fraction] = {}
    for line in lines:
        doses = _DOSES_A_DAY.get(line["dosage_frequency"])
        if doses is None:
            continue
        bought = Fraction(line["bought_at"].astimezone(_INDIA).date().toordinal())
        start = max(bought, ends.get(line["composition"], bought))
        ends[line["composition"]] = start + line["units"] / (Fraction(line["units_per_dose"]) * doses)
    found = [(patient_id, name, date.fromordinal(math.ceil(end))) for name, end in ends.items()]
    return [alert for alert in found if -14 <= (alert[2] - today).days <= 7]


def over_the_gateway(base_url: str, key: str, patient_ids: list[str]) -> list[Alert]:
    """As a function would do it: a request for the orders of each patient, and one for the alerts."""
    today = datetime.now(_INDIA).date()
    found: list[Alert] = []
    headers = {"apikey": key, "Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{base_url}/rest/v1", headers=headers, timeout=60) as client:
        for patient_id in patient_ids:
            orders = client.get(
                "/orders",
                params={
                    "select": "placed_at,order_items(packs,units_per_dose,dosage_frequency,"
                    "products(product_id,composition,units_per_pack))",
                    "patient_id": f"eq.{patient_id}",
                    "status": "not.in.(cancelled,failed)",
                    "order": "placed_at,order_id",
                },
            ).json()
            lines = [
                {
                    "composition": item["products"]["composition"],
                    "bought_at": datetime.fromisoformat(order["placed_at"]),
                    "units": item["packs"] * item["products"]["units_per_pack"],
                    "units_per_dose": item["units_per_dose"],
                    "dosage_frequency": item["dosage_frequency"],
                    "product_id": item["products"]["product_id"],
                }
                for order in orders
                for item in order["order_items"]
            ]
            product_of = {line["composition"]: line["product_id"] for line in lines}
            alerts = alerts_of(patient_id, lines, today)
            if alerts:
                client.post(
                    "/refill_alerts",
                    headers={"Prefer": "return=minimal"},
                    json=[
                        {
                            "patient_id": patient_id,
                            "composition": composition,
                            "product_id": product_of[composition],
                            "packs": 1,
                            "run_out_on": str(run_out),
                        }
                        for _, composition, run_out in alerts
                    ],
                ).raise_for_status()
            found += alerts
    return found


def over_a_connection(database_url: str, patient_ids: list[str]) -> list[Alert]:
    """The same with a connection to the database itself, which no function has."""
    today = datetime.now(_INDIA).date()
    found: list[Alert] = []
    with psycopg.connect(database_url) as connection:
        for patient_id in patient_ids:
            rows = connection.execute(
                """
                select p.composition, p.product_id, o.placed_at, i.packs * p.units_per_pack, i.units_per_dose,
                  i.dosage_frequency
                from public.orders as o
                join public.order_items as i using (order_id)
                join public.products as p using (product_id)
                where o.patient_id = %s and o.status not in ('cancelled', 'failed')
                order by o.placed_at, o.order_id
                """,
                [patient_id],
            ).fetchall()
            names = ("composition", "product_id", "bought_at", "units", "units_per_dose", "dosage_frequency")
            lines = [dict(zip(names, row, strict=True)) for row in rows]
            product_of = {line["composition"]: line["product_id"] for line in lines}
            alerts = alerts_of(patient_id, lines, today)
            for _, composition, run_out in alerts:
                connection.execute(
                    """
                    insert into public.refill_alerts (patient_id, composition, product_id, packs, run_out_on)
                    values (%s, %s, %s, 1, %s) on conflict do nothing
                    """,
                    [patient_id, composition, product_of[composition], run_out],
                )
            connection.commit()
            found += alerts
    return found
