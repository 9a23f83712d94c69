"""The limits as people meet them: how many, what the refusal says, and that it is theirs alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from uuid import uuid4

import httpx
import psycopg
import pytest

from infra.local.limits import apply_rate_limits
from infra.local.settings import Keys, StackError, load_settings
from tests.contract.people import newcomer
from tests.integration.chatting import new_patient_token
from tests.running_stack import RunningStack


@pytest.fixture(autouse=True)
def limits(stack: RunningStack) -> Iterator[psycopg.Connection]:
    """Enforced, as in every stage but this stack; nothing counted so far."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute("update public.rate_limits set enforced = true")
        database.execute("delete from public.rate_counters")
        yield database
        database.execute("update public.rate_limits set enforced = false")


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 429, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.json()["code"] == "rate_limited"
    assert isinstance(answer.json()["error"], str)


def use_up(database: psycopg.Connection, kind: str, left: int, identity: str) -> None:
    """Leave somebody so many of a limit."""
    database.execute(
        """
        insert into public.rate_counters (kind, identity, taken_at, expires_at)
        select
          kind, %(identity)s, array_fill(now(), array[most - %(left)s]),
          now() + make_interval(secs => per_seconds)
        from public.rate_limits where kind = %(kind)s
        """,
        {"kind": kind, "left": left, "identity": identity},
    )


def counted(database: psycopg.Connection, kind: str) -> int:
    row = database.execute(
        "select coalesce(sum(cardinality(taken_at)), 0) from public.rate_counters where kind = %s", [kind]
    ).fetchone()
    assert row is not None
    return int(row[0])


# --- chat -------------------------------


def test_the_sixty_first_message_of_a_minute_is_refused_with_a_reply(
    stack: RunningStack, limits: psycopg.Connection
) -> None:
    with stack.api(new_patient_token(stack)) as patient, stack.api(new_patient_token(stack)) as another:
        patient_id = patient.get("/api/patients/me").json()["patient_id"]
        use_up(limits, "chat", left=2, identity=patient_id)

        said = [patient.post("/api/chat", json={"message": "hello"}) for _ in range(3)]

        assert [answer.status_code for answer in said] == [200, 200, 429]
        assert_refused(said[2])
        assert said[2].json()["reply"]
        assert said[2].json()["card_data"] is None
        assert another.post("/api/chat", json={"message": "hello"}).status_code == 200


def test_however_many_are_sent_at_once(stack: RunningStack, limits: psycopg.Connection) -> None:
    token = new_patient_token(stack)
    with stack.api(token) as patient:
        use_up(limits, "chat", left=3, identity=patient.get("/api/patients/me").json()["patient_id"])

        def say(_: int) -> int:
            body = {"message": "hello", "conversation_id": str(uuid4())}
            return patient.post("/api/chat", json=body).status_code

        with ThreadPoolExecutor(8) as crowd:
            statuses = sorted(crowd.map(say, range(8)))

    assert statuses == [200] * 3 + [429] * 5


def test_a_refused_message_is_neither_stored_nor_counted(
    stack: RunningStack, limits: psycopg.Connection
) -> None:
    with stack.api(new_patient_token(stack)) as patient:
        patient_id = patient.get("/api/patients/me").json()["patient_id"]
        use_up(limits, "chat", left=0, identity=patient_id)

        assert patient.post("/api/chat", json={"message": "hello"}).status_code == 429

    (messages,) = limits.execute(
        "select count(*) from public.messages where patient_id = %s", [patient_id]
    ).fetchone() or (None,)
    assert messages == 0
    assert counted(limits, "chat") == 60


def test_past_the_functions_turns_are_limited_too(stack: RunningStack, limits: psycopg.Connection) -> None:
    token = new_patient_token(stack)
    with stack.api(token) as patient, stack.rest(token) as rest:
        patient_id = patient.get("/api/patients/me").json()["patient_id"]
        use_up(limits, "chat", left=0, identity=patient_id)
        use_up(limits, "chat_turn", left=1, identity=patient_id)

        def take() -> httpx.Response:
            turn = {"act": "say", "language": "en", "message": "hi", "conversation_id": str(uuid4())}
            return rest.post("/rpc/chat_turn", json={"p_turn": {**turn, "trace_id": str(uuid4())}})

        assert rest.post("/rpc/chat_context", json={"p_words": []}).status_code == 429
        assert [take().status_code for _ in range(2)] == [200, 429]


def test_an_order_is_never_refused_for_being_often(stack: RunningStack, limits: psycopg.Connection) -> None:
    with stack.api(new_patient_token(stack)) as patient:
        use_up(limits, "chat", left=0, identity=patient.get("/api/patients/me").json()["patient_id"])

        answer = patient.post("/api/orders", json={"items": [{"product_id": "MED021", "quantity": 1}]})

    assert answer.status_code == 201, answer.text


# --- signing in -------------------------------


def sign_in(stack: RunningStack, email: str, password: str = "wrong") -> httpx.Response:
    with stack.api() as api:
        # What a client says of its own address counts for nothing.
        claimed = {"X-Forwarded-For": f"203.0.113.{secrets.randbelow(250)}"}
        return api.post("/api/auth/login", json={"email": email, "password": password}, headers=claimed)


def test_the_eleventh_wrong_attempt_from_an_address_is_refused_whoever_it_is_for(stack: RunningStack) -> None:
    answers = [sign_in(stack, f"nobody-{number}@example.com") for number in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert_refused(answers[10])
    staff = httpx.post(
        f"{stack.api_url}/api/admin/login", json={"username": "admin", "password": "nexus2026"}, timeout=60
    )
    assert_refused(staff)
    assert staff.json()["authenticated"] is False


def test_who_signs_in_rightly_leaves_the_address_to_the_others(
    stack: RunningStack, limits: psycopg.Connection
) -> None:
    """A hospital's ward behind one address; and it makes guessing no cheaper."""
    for email in [newcomer(stack).email for _ in range(12)]:
        assert sign_in(stack, email, "monsoon-7").status_code == 200
    assert counted(limits, "sign_in_address") == 0

    own = newcomer(stack).email
    for number in range(3):
        sign_in(stack, f"nobody-{number}@example.com")
        assert sign_in(stack, own, "monsoon-7").status_code == 200
    assert counted(limits, "sign_in_address") == 3


@pytest.mark.parametrize("known", [True, False], ids=["an account", "no account"])
def test_the_eleventh_attempt_at_an_account_is_refused_wherever_it_comes_from(
    stack: RunningStack, limits: psycopg.Connection, known: bool
) -> None:
    email = newcomer(stack).email if known else f"{secrets.token_hex(6)}@example.com"
    use_up(limits, "sign_in_account", left=2, identity=hashlib.sha256(email.encode()).hexdigest())
    statuses = []
    for _ in range(3):
        limits.execute("delete from public.rate_counters where kind = 'sign_in_address'")  # from elsewhere
        answer = sign_in(stack, email.upper())
        statuses.append(answer.status_code)

    assert statuses == [401] * 2 + [429]
    assert_refused(answer)
    limits.execute("delete from public.rate_counters where kind = 'sign_in_address'")
    assert sign_in(stack, email, "monsoon-7").status_code == 429  # not even with the right password
    assert sign_in(stack, "anjali@example.com", "nexus-demo-2026").status_code == 200


def test_an_address_that_is_refused_uses_nobodys_attempts_up(
    stack: RunningStack, limits: psycopg.Connection
) -> None:
    for number in range(10):
        sign_in(stack, f"nobody-{number}@example.com")
    before = counted(limits, "sign_in_account")

    for _ in range(5):
        assert sign_in(stack, "anjali@example.com").status_code == 429

    assert counted(limits, "sign_in_account") == before == 10


@pytest.mark.parametrize("key", ["", "guessed", None])
def test_nobody_but_the_function_can_use_attempts_up(
    stack: RunningStack, limits: psycopg.Connection, key: str | None
) -> None:
    asked = {"p_key": key, "p_account": "anjali@example.com", "p_address": "203.0.113.7"}
    with stack.rest() as guest, stack.rest(new_patient_token(stack)) as patient:
        answers = [client.post("/rpc/take_sign_in", json=asked) for client in (guest, patient)]
        returned = {"p_key": key, "p_address": "203.0.113.7"}
        answers += [client.post("/rpc/return_sign_in", json=returned) for client in (guest, patient)]
        answers.append(guest.post("/rpc/has_unclaimed_record", json={"p_key": key, "p_email": "a@b.example"}))

    assert {answer.status_code for answer in answers} <= {401, 403}
    assert counted(limits, "sign_in_account") == 0


def test_no_account_and_no_address_can_be_read_from_the_counters(
    stack: RunningStack, limits: psycopg.Connection
) -> None:
    sign_in(stack, "anjali@example.com")

    stored = str(limits.execute("select identity from public.rate_counters").fetchall())

    assert "anjali" not in stored
    assert "127.0.0.1" not in stored


def test_a_refusal_takes_as_long_for_an_account_as_for_none(stack: RunningStack) -> None:
    email = newcomer(stack).email

    known = [sign_in(stack, email).elapsed.total_seconds() for _ in range(3)]
    unknown = [sign_in(stack, "nobody@example.com").elapsed.total_seconds() for _ in range(3)]

    # Without the wait: a few milliseconds against the hundred that comparing a password costs.
    assert min(known + unknown) >= 0.5
    assert abs(min(known) - min(unknown)) < 0.1


# --- the laptop's switch -------------------------------


def test_the_switch_is_carried_into_the_database(
    stack: RunningStack, limits: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(load_settings(), external_database_url=stack.database_url)
    keys = Keys(*(["x"] * len(fields(Keys))))

    for switch, enforced in (("off", {False}), ("on", {True}), ("off", {False}), ("", {True})):
        monkeypatch.setenv("RATE_LIMITS", switch)
        apply_rate_limits(settings, keys)
        assert {row for (row,) in limits.execute("select enforced from public.rate_limits")} == enforced
    monkeypatch.setenv("RATE_LIMITS", "sometimes")
    with pytest.raises(StackError, match="on or off"):
        apply_rate_limits(settings, keys)
    limits.execute("delete from public.function_keys where key_hash = encode(sha256('x'), 'hex')")
