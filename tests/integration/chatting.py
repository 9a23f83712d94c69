"""Talking to the running pharmacy as a patient, and arranging the shelf for a test."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import psycopg

from tests.running_stack import RunningStack

Json = dict[str, Any]


@dataclass
class Conversation:
    """One conversation of whoever the client is signed in as, apart from all their others."""

    api: httpx.Client
    conversation_id: str = field(default_factory=lambda: str(uuid4()))

    def post(self, message: str, language: str = "en") -> httpx.Response:
        body = {"message": message, "language": language, "conversation_id": self.conversation_id}
        return self.api.post("/api/chat", json=body)

    def say(self, message: str, language: str = "en") -> Json:
        """The answer, with an empty card where there is none."""
        answer = self.post(message, language)
        assert answer.status_code == 200, answer.text
        said: Json = answer.json()
        assert said["reply"]
        return {**said, "card_data": said["card_data"] or {"type": None}}

    def card(self, message: str) -> Json:
        card: Json = self.say(message)["card_data"]
        return card


def lines(card: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What a card would sell: (product id, packs) of each line."""
    return [(item["product_id"], item["qty"]) for item in card.get("items", [])]


def rejected(card: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(item["product_id"], item["code"]) for item in card.get("rejected_items", [])}


def orders(api: httpx.Client) -> list[str]:
    return [order["order_id"] for order in api.get("/api/orders").json()["orders"]]


def stock(api: httpx.Client, product_id: str) -> int:
    quantity: int = api.get(f"/api/products/{product_id}").json()["stock_quantity"]
    return quantity


def new_patient_token(
    stack: RunningStack,
    *,
    age: int | None = 30,
    allergies: Sequence[str] | None = (),
    conditions: Sequence[str] | None = (),
) -> str:
    """An access token of a patient nobody else is using; by default nothing forbids a sale."""
    user_id = uuid4()
    email = f"{user_id}@example.com"
    with psycopg.connect(stack.database_url) as database:
        database.execute("insert into auth.users (id, email) values (%s, %s)", [user_id, email])
        database.execute(
            """
            insert into public.patients
              (user_id, name, email, age_years, age_recorded_on, allergies, conditions)
            values (%(user)s, 'Test Patient', %(email)s, %(age)s::smallint,
              case when %(age)s::smallint is not null then current_date end, %(allergies)s, %(conditions)s)
            """,
            {
                "user": user_id,
                "email": email,
                "age": age,
                "allergies": None if allergies is None else list(allergies),
                "conditions": None if conditions is None else list(conditions),
            },
        )
    return token(stack, user_id, email)


def token(stack: RunningStack, user_id: UUID, email: str) -> str:
    now = int(time.time())
    claims = {
        "sub": str(user_id),
        "email": email,
        "role": "authenticated",
        "aud": "authenticated",
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims, stack.jwt_secret, algorithm="HS256")


@contextmanager
def new_patient(stack: RunningStack, **profile: Any) -> Iterator[httpx.Client]:
    with stack.api(new_patient_token(stack, **profile)) as api:
        yield api


@contextmanager
def changed(stack: RunningStack, table: str, column: str, value: object, product_id: str) -> Iterator[None]:
    """A column of a product's rows with another value for as long as the test lasts."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        select = f"select ctid, {column} from public.{table} where product_id = %s"
        key = "batch_id" if table == "product_batches" else "product_id"
        before = database.execute(select.replace("ctid", key).encode(), [product_id]).fetchall()
        database.execute(
            f"update public.{table} set {column} = %s where product_id = %s".encode(), [value, product_id]
        )
        try:
            yield
        finally:
            for row, old in before:
                database.execute(
                    f"update public.{table} set {column} = %s where {key} = %s".encode(), [old, row]
                )


@contextmanager
def shelf(
    stack: RunningStack, product_id: str, lots: Mapping[str, tuple[int, int, str]]
) -> Iterator[psycopg.Connection]:
    """The product in exactly these lots, {lot: (packs, days until expiry, status)}; put back afterwards."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        before = database.execute(
            "select batch_id, quantity from public.product_batches where product_id = %s", [product_id]
        ).fetchall()
        database.execute("update public.product_batches set quantity = 0 where product_id = %s", [product_id])
        for lot, (packs, days, status) in lots.items():
            database.execute(
                """
                insert into public.product_batches (product_id, lot, quantity, expiry, status)
                values (%s, %s, %s, current_date + %s::int, %s)
                """,
                [product_id, lot, packs, days, status],
            )
        try:
            yield database
        finally:
            database.execute(
                "update public.product_batches set quantity = 0 where product_id = %s", [product_id]
            )
            for batch_id, quantity in before:
                database.execute(
                    "update public.product_batches set quantity = %s where batch_id = %s",
                    [quantity, batch_id],
                )
