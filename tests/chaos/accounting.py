"""After a storm: was anything lost, done twice, or left in a state that nobody could explain?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from tests.chaos.storm import PRODUCT, Storm

_ENDS = ("delivered", "cancelled")


@dataclass
class Account:
    """What is counted, in the order in which it is shown, and what is wrong."""

    counts: dict[str, int | str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, name: str, found: int, expected: int = 0) -> None:
        self.counts[name] = found
        if found != expected:
            self.wrong.append(f"{name}: {found} instead of {expected}")

    def table(self) -> str:
        width = max(len(name) for name in self.counts)
        return "\n".join(f"  {name:<{width}}  {number!s:>7}" for name, number in self.counts.items())


def account(database: psycopg.Connection, storm: Storm, taken: list[tuple[str, int, str]]) -> Account:
    """Count everything. Nothing is wrong exactly when `wrong` is empty."""
    orders = sorted(storm.orders)

    def number(query: str) -> int:
        row = database.execute(query.encode(), {"orders": orders, "product": PRODUCT}).fetchone()
        assert row is not None
        return int(row[0] or 0)

    found = Account()
    found.counts["orders placed"] = len(orders)
    found.counts["cancelled by their patients"] = len(storm.cancelled)
    found.counts["dispatchers killed"] = storm.killed
    found.counts["deliveries that reached the partner"] = sum(deliveries for _, deliveries, _ in taken)
    found.counts["of them repetitions"] = sum(deliveries - 1 for _, deliveries, _ in taken)
    found.counts["attempts that failed"] = number(
        "select count(*) from public.fulfilment_logs"
        " where order_id = any (%(orders)s) and direction = 'out' and outcome in ('waiting', 'dead')"
    )
    found.counts["events redriven from the dead"] = storm.redriven
    found.counts["reports taken"] = number(
        "select count(*) from public.webhook_events where order_id = any (%(orders)s)"
    )
    found.counts["of them repeated"] = number(
        "select sum(deliveries - 1) from public.webhook_events where order_id = any (%(orders)s)"
    )
    found.counts["of them late or out of order"] = number(
        "select count(*) from public.webhook_events"
        " where order_id = any (%(orders)s) and outcome in ('late', 'unchanged')"
    )
    found.counts["of them for people to settle"] = number(
        "select count(*) from public.webhook_events"
        " where order_id = any (%(orders)s) and outcome = 'conflict'"
    )
    for end in _ENDS:
        found.counts[f"orders {end}"] = number(
            f"select count(*) from public.orders where order_id = any (%(orders)s) and status = '{end}'"
        )
    _nothing_lost(found, database, number, storm, taken)
    _nothing_twice(found, number, storm, taken)
    return found


def _nothing_lost(
    found: Account,
    database: psycopg.Connection,
    number: Callable[[str], int],
    storm: Storm,
    taken: list[tuple[str, int, str]],
) -> None:
    """Every order reached the partner and came to an end; nothing waits anywhere."""
    reached = {order_id for _, _, order_id in taken}
    found.expect("orders that never reached the partner", len(set(storm.orders) - reached))
    delivered = database.execute(
        "select event_id::text from public.outbox_events"
        " where order_id = any (%s) and delivered_at is not null",
        [sorted(storm.orders)],
    ).fetchall()
    found.expect(
        "events called delivered that the partner does not have",
        len({event_id for (event_id,) in delivered} - {webhook_id for webhook_id, _, _ in taken}),
    )
    found.expect(
        "events still in the outbox",
        number(
            "select count(*) from public.outbox_events where order_id = any (%(orders)s)"
            " and num_nonnulls(delivered_at, annulled_at) = 0"
        ),
    )
    found.expect(
        "reports not applied",
        number(
            "select count(*) from public.webhook_events"
            " where order_id = any (%(orders)s) and outcome in ('pending', 'unknown_order')"
        ),
    )
    found.expect(
        "orders that came to no end",
        number(
            "select count(*) from public.orders"
            " where order_id = any (%(orders)s) and status not in ('delivered', 'cancelled')"
        ),
    )
    cancelled = database.execute(
        "select count(*) from public.orders where order_id = any (%s) and status <> 'cancelled'",
        [sorted(storm.cancelled)],
    ).fetchone()
    found.expect("cancellations that were forgotten", cancelled[0] if cancelled else -1)
    found.expect(
        "notifications neither sent nor overtaken",
        number(
            "select count(*) from public.notifications"
            " where subject in (select 'order:' || o from unnest(%(orders)s::text[]) as o)"
            " and status not in ('sent', 'superseded')"
        ),
    )


def _nothing_twice(
    found: Account, number: Callable[[str], int], storm: Storm, taken: list[tuple[str, int, str]]
) -> None:
    """Each event acted once, each step was taken once, and the shelf adds up."""
    found.expect("events that acted twice at the partner", len(taken) - len({row[0] for row in taken}))
    found.expect(
        "reports that acted twice",
        number(
            """
            select count(*) from (
              select webhook_id from public.fulfilment_logs
              where order_id = any (%(orders)s) and direction = 'in' group by webhook_id having count(*) > 1
            ) as twice
            """
        ),
    )
    found.expect(
        "steps taken twice",
        number(
            """
            select count(*) from (
              select subject, details -> 'status' as step from public.audit_log
              where subject = any (%(orders)s) and action = 'order_status'
              group by 1, 2 having count(*) > 1
            ) as twice
            """
        ),
    )
    found.expect(
        "requests for one order beyond the two tries",
        number(
            """
            select count(*) from (
              select order_id from public.outbox_events
              where order_id = any (%(orders)s)
                and event_type = 'order.confirmed' and delivered_at is not null
              group by 1 having count(*) > 2
            ) as many
            """
        ),
    )
    now = number("select sum(quantity) from public.product_batches where product_id = %(product)s")
    sold = number(
        "select sum(i.packs) from public.order_items as i join public.orders as o using (order_id)"
        " where o.order_id = any (%(orders)s) and o.status <> 'cancelled'"
    )
    found.expect("packs too few or too many on the shelf", storm.stock_before - sold - now)
