"""Acting in SQL as somebody: the role and the claims that PostgREST sets for a request of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg


@dataclass(frozen=True)
class Person:
    """Somebody at the door of the database. A guest has neither account nor profile."""

    name: str
    role: str
    user_id: UUID | None = None
    patient_id: str | None = None
    email: str | None = None


GUEST = Person("anon", "anon")


def patient(database: psycopg.Connection, name: str, email: str) -> Person:
    row = database.execute(
        "select user_id, patient_id from public.patients where email = %s", [email]
    ).fetchone()
    assert row is not None, email
    return Person(name, "authenticated", user_id=row[0], patient_id=row[1], email=email)


def staff(database: psycopg.Connection, username: str) -> Person:
    row = database.execute("select user_id from public.staff where username = %s", [username]).fetchone()
    assert row is not None, username
    return Person(username, "authenticated", user_id=row[0])


@contextmanager
def acting_as(database: psycopg.Connection, person: Person) -> Iterator[None]:
    """Everything inside happens with the rights of this person; an error undoes what happened inside."""
    claims = {
        "role": person.role,
        "sub": str(person.user_id) if person.user_id else None,
        "email": person.email,
    }
    with database.transaction():
        database.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        # The form in which older gateways, and the laptop's, hand over single claims.
        database.execute("select set_config('request.jwt.claim.sub', %s, true)", [claims["sub"] or ""])
        database.execute("select set_config('request.jwt.claim.role', %s, true)", [person.role])
        database.execute(f"set local role {person.role}")
        yield
        database.execute("reset role")
