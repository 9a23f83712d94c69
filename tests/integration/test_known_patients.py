"""Patients whom the pharmacy knew before: their record is theirs, and nobody gets it by typing an address."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from tests.running_stack import RunningStack

PASSWORD = "monsoon-7"


@dataclass
class Known:
    patient_id: str
    email: str

    def form(self) -> dict[str, object]:
        return {
            "name": "Somebody Else",
            "email": self.email,
            "phone": "+919812345678",
            "password": PASSWORD,
            "age": 20,
            "gender": "Other",
            "allergies": ["Dust", "penicillin"],
        }


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def known(database: psycopg.Connection) -> Known:
    """Imported, with an age and an allergy, and without an account."""
    email = f"imported.{secrets.token_hex(6)}@example.com"
    row = database.execute(
        """
        insert into public.patients (name, email, age_years, age_recorded_on, allergies)
        values ('Meena Patil', %s, 61, current_date, '{Penicillin}')
        returning patient_id
        """,
        [email],
    ).fetchone()
    assert row is not None
    return Known(row[0], email)


def accounts_of(database: psycopg.Connection, email: str) -> int:
    row = database.execute("select count(*) from auth.users where email = %s", [email]).fetchone()
    assert row is not None
    return int(row[0])


def sign_up_at_auth(stack: RunningStack, email: str) -> str:
    """Past our registration, as anybody can who knows the project's public key."""
    answer = httpx.post(
        f"{stack.supabase_url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        json={"email": email, "password": PASSWORD},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def answer_the_email(database: psycopg.Connection, email: str, *, sent: str = "confirmation_sent_at") -> None:
    """What Auth writes down when somebody has followed the link that it sent."""
    database.execute(
        f"""
        update auth.users set {sent} = now() - interval '1 hour', email_confirmed_at = now() where email = %s
        """.encode(),
        [email],
    )


def owner(database: psycopg.Connection, known: Known) -> object:
    row = database.execute(
        "select user_id from public.patients where patient_id = %s", [known.patient_id]
    ).fetchone()
    assert row is not None
    return row[0]


def test_without_an_answered_e_mail_no_account_is_made(
    stack: RunningStack, database: psycopg.Connection, known: Known
) -> None:
    with stack.api() as api:
        for email in (known.email, known.email.upper()):
            answer = api.post("/api/auth/register", json={**known.form(), "email": email})
            assert (answer.status_code, answer.json()["code"]) == (409, "record_exists")
            assert isinstance(answer.json()["error"], str)
            assert "set-cookie" not in answer.headers

    assert accounts_of(database, known.email) == 0
    assert owner(database, known) is None


def test_an_account_made_past_us_gets_nothing_of_the_record(
    stack: RunningStack, database: psycopg.Connection, known: Known
) -> None:
    token = sign_up_at_auth(stack, known.email)

    with stack.api() as api:
        assert api.post("/api/auth/register", json=known.form()).status_code == 409
        signing_in = api.post("/api/auth/login", json={"email": known.email, "password": PASSWORD})
        assert signing_in.status_code == 403
    with stack.rest(token) as rest:
        refused = rest.post("/rpc/register_patient", json={"p_name": "Meena"})
        assert (refused.status_code, refused.json()["message"]) == (409, "record_exists")
        assert rest.get("/patients").json() == []
    assert owner(database, known) is None


@pytest.mark.parametrize("sent", ["confirmation_sent_at", "invited_at"])
def test_who_has_answered_the_e_mail_gets_the_record_as_it_is(
    stack: RunningStack, database: psycopg.Connection, known: Known, sent: str
) -> None:
    sign_up_at_auth(stack, known.email)
    answer_the_email(database, known.email, sent=sent)

    with stack.api() as api:
        registered = api.post("/api/auth/register", json=known.form())
        assert registered.status_code == 201, registered.text
        assert (registered.json()["patient_id"], registered.json()["name"]) == (
            known.patient_id,
            "Meena Patil",
        )
        me = api.get("/api/patients/me").json()
        again = api.post("/api/auth/register", json=known.form())

    assert (me["age"], me["phone"], me["gender"]) == (61, "+919812345678", "Other")
    assert me["allergies"] == ["Penicillin", "Dust"]  # nothing is lost by registering
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    actions = database.execute(
        "select action, actor_role from public.audit_log where patient_id = %s", [known.patient_id]
    ).fetchall()
    assert ("record_claimed", "patient") in actions


def test_an_address_that_was_changed_since_is_not_the_one_that_was_answered_for(
    stack: RunningStack, database: psycopg.Connection, known: Known
) -> None:
    own = f"{secrets.token_hex(6)}@example.com"
    sign_up_at_auth(stack, own)
    answer_the_email(database, own)
    database.execute(
        "update auth.users set email = %s, email_change_sent_at = now() where email = %s", [known.email, own]
    )

    with stack.api() as api:
        assert api.post("/api/auth/register", json=known.form()).status_code == 409
    assert owner(database, known) is None


def test_a_record_that_has_its_owner_is_taken(
    stack: RunningStack, database: psycopg.Connection, known: Known
) -> None:
    sign_up_at_auth(stack, known.email)
    answer_the_email(database, known.email)
    with stack.api() as api:
        api.post("/api/auth/register", json=known.form())
        theirs = owner(database, known)

        other = api.post("/api/auth/register", json={**known.form(), "password": "guessed-7"})

    assert (other.status_code, other.json()["code"]) == (409, "email_taken")
    assert owner(database, known) == theirs is not None
