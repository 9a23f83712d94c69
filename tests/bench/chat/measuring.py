"""Plays the conversations against one database and notes how long each turn took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import jwt
import psycopg

from functions.chat import service
from functions.chat.state import Message
from shared.database import Database, Gateway
from tests.bench.chat.gateways import Direct, Timed
from tests.bench.chat.messages import Dialogue, dialogues
from tests.bench.chat.work import Work

WARM_UP = 2
"""Rounds that are not counted: connections, plans and caches."""


@dataclass(frozen=True)
class Sample:
    """One turn, in milliseconds."""

    kind: str
    message: str
    whole: float
    context: float
    """`chat_context`, the first round trip."""
    turn: float
    """`chat_turn`, the second."""


Connect = Callable[[UUID], Gateway]


def through_postgrest(url: str, publishable_key: str, jwt_secret: str) -> Connect:
    database = Database(url=url, publishable_key=publishable_key, timeout_seconds=60)

    def connect(user_id: UUID) -> Gateway:
        claims = {
            "sub": str(user_id),
            "role": "authenticated",
            "aud": "authenticated",
            "exp": time.time() + 3600,
        }
        return database.acting_as(jwt.encode(claims, jwt_secret, algorithm="HS256"))

    return connect


def in_sql(connection: psycopg.Connection) -> Connect:
    return lambda user_id: Direct(connection, user_id)


def measure(
    admin: psycopg.Connection, connect: Connect, rounds: int, work: Work | None = None
) -> tuple[list[Sample], float]:
    """Every turn of every conversation, `rounds` times, and the mean processor time of a turn. `admin` may do
    anything and registers newcomers.
    """
    said = list(dialogues(*_names(admin)))
    samples: list[Sample] = []
    before = 0.0
    for number in range(WARM_UP + rounds):
        if number == WARM_UP:
            before = work.so_far() if work else 0.0
        for dialogue in said:
            played = _play(dialogue, connect(_user(admin, dialogue.patient)))
            samples += played if number >= WARM_UP else []
    spent = work.so_far() - before if work else 0.0
    return samples, spent / len(samples)


def _play(dialogue: Dialogue, gateway: Gateway) -> list[Sample]:
    conversation = uuid4()
    samples = []
    for text in dialogue.turns:
        timed = Timed(gateway)
        message = Message(text=text, language="en", trace_id=uuid4(), conversation_id=conversation)
        started = time.perf_counter()
        service.answer(timed, message)
        whole = (time.perf_counter() - started) * 1000
        took = {name: sum(ms for called, ms in timed.calls if called == name) for name, _ in timed.calls}
        samples.append(
            Sample(dialogue.kind, text, whole, took.get("chat_context", 0.0), took.get("chat_turn", 0.0))
        )
    return samples


def _names(admin: psycopg.Connection) -> tuple[Sequence[str], Sequence[str]]:
    """Brands, from those with most variants to single ones, and whole names; all without prescription."""
    brands = admin.execute(
        """
        select lower(split_part(product_name, ' ', 1)) as brand
        from public.products
        where schedule = 'OTC' and length(split_part(product_name, ' ', 1)) > 5
        group by brand order by count(*) desc, brand
        """
    ).fetchall()
    products = admin.execute(
        "select lower(product_name) from public.products"
        " where schedule = 'OTC' order by md5(product_id) limit 20"
    ).fetchall()
    some = [brands[place * len(brands) // 5][0] for place in range(5)]
    return some, [name for (name,) in products]


def _user(admin: psycopg.Connection, email: str | None) -> UUID:
    """The account of a demo patient, or of somebody new who may buy everything."""
    if email is None:
        return _newcomer(admin)
    row = admin.execute("select user_id from public.patients where email = %s", [email]).fetchone()
    assert row is not None, email
    return UUID(str(row[0]))


def _newcomer(admin: psycopg.Connection) -> UUID:
    user_id = uuid4()
    email = f"{user_id}@example.com"
    admin.execute("insert into auth.users (id, email) values (%s, %s)", [user_id, email])
    admin.execute(
        """
        insert into public.patients (user_id, name, email, age_years, age_recorded_on, allergies, conditions)
        values (%s, 'Newcomer', %s, 30, current_date, '{}', '{}')
        """,
        [user_id, email],
    )
    return user_id
