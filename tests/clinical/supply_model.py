"""How long a patient's supplies last and what they are taking, in plain Python: the pharmacy's own words on
carry-over, wash-out and as-needed medicines, worked out without looking at the SQL."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

DOSES_A_DAY = {
    "once_daily": Fraction(1),
    "twice_daily": Fraction(2),
    "three_times_daily": Fraction(3),
    "four_times_daily": Fraction(4),
    "alternate_days": Fraction(1, 2),
    "once_weekly": Fraction(1, 7),
}
"""What is not here is taken as needed."""

EPOCH = date(2000, 1, 1)
AS_NEEDED_DAYS = 30
USUAL_WASHOUT_DAYS = 14
LONG_WASHOUT_DAYS = {"Carbamazepine": 28, "Phenytoin": 28, "Fluoxetine": 35}


@dataclass(frozen=True)
class Purchase:
    """One line of an order of the past."""

    composition: str
    ingredients: frozenset[str]
    bought_on: date
    units: int
    units_per_dose: Fraction
    dosage_frequency: str
    status: str = "delivered"

    @property
    def counts(self) -> bool:
        return self.status not in {"cancelled", "failed"}

    @property
    def days(self) -> Fraction | None:
        """How long it lasts as directed; None where it is taken as needed."""
        doses = DOSES_A_DAY.get(self.dosage_frequency)
        return None if doses is None else self.units / (self.units_per_dose * doses)


@dataclass(frozen=True)
class Supply:
    """A purchase in its chain; both ends in days after the given day zero."""

    purchase: Purchase
    starts: Fraction
    ends: Fraction


def chain(purchases: Iterable[Purchase], day_zero: date) -> list[Supply]:
    """The supplies of one composition, in the order in which they were bought."""
    supplies: list[Supply] = []
    end = None
    for purchase in sorted(purchases, key=lambda p: p.bought_on):
        if not purchase.counts or purchase.days is None:
            continue
        bought = Fraction((purchase.bought_on - day_zero).days)
        start = bought if end is None else max(bought, end)
        end = start + purchase.days
        supplies.append(Supply(purchase, start, end))
    return supplies


def taken_today(purchases: Iterable[Purchase], today: date) -> set[tuple[str, str]]:
    """(ingredient, composition) of what was bought and still acts."""
    purchases = [purchase for purchase in purchases if purchase.counts]
    taken = set()
    for composition in {purchase.composition for purchase in purchases}:
        mine = [purchase for purchase in purchases if purchase.composition == composition]
        supplies = chain(mine, today)
        as_needed = [purchase.bought_on for purchase in mine if purchase.days is None]
        for ingredient in mine[0].ingredients:
            last_days = []
            if supplies:
                run_out = math.ceil(supplies[-1].ends)
                washout = LONG_WASHOUT_DAYS.get(ingredient, USUAL_WASHOUT_DAYS)
                last_days.append(today + timedelta(days=run_out + washout))
            if as_needed:
                last_days.append(max(as_needed) + timedelta(days=AS_NEEDED_DAYS))
            if today <= max(last_days):
                taken.add((ingredient, composition))
    return taken


def run_out(purchases: Iterable[Purchase]) -> date | None:
    """The first day without; None for what was never bought to be taken regularly."""
    supplies = chain(purchases, EPOCH)
    return EPOCH + timedelta(days=math.ceil(supplies[-1].ends)) if supplies else None


def days_covered(purchases: Iterable[Purchase]) -> set[date]:
    """Every day on any part of which there is supply."""
    return {
        EPOCH + timedelta(days=day)
        for supply in chain(purchases, EPOCH)
        for day in range(math.floor(supply.starts), math.ceil(supply.ends))
    }
