"""Registering, signing in and out: no web, no cloud, only the gateways."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from functions.accounts.guard import Guard
from functions.accounts.models import (
    Credentials,
    Registered,
    Registration,
    SignedInPatient,
    SignedInStaff,
    StaffCredentials,
)
from shared.auth import Accounts, EmailTaken
from shared.database import Gateway
from shared.errors import Conflict, FieldError, Forbidden, Invalid, InvalidCredentials, NexusError, NotFound
from shared.identity import Session

ActingAs = Callable[[str], Gateway]
"""The database as the holder of an access token."""

REFUSAL_SECONDS = 0.5
"""Refusals take this long, or a multiple of it: Auth takes longer over an account that exists."""

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class RecordExists(Conflict):
    code = "record_exists"
    sentence = "The pharmacy already has your record under this e-mail. Please ask us to open your account."


def register(
    accounts: Accounts, acting_as: ActingAs, guard: Guard, form: Registration, *, staff_domain: str
) -> tuple[Registered, Session]:
    """Create the account and the patient. Raises EmailTaken, RecordExists, EmailNotConfirmed, Invalid,
    TooManyRequests or Unavailable.

    These are two steps in two services. If the second fails, the account is left without a patient; the
    same person registering again (same e-mail, same password) finds it and only the second step is done.
    A patient whom the pharmacy knows by this e-mail gets that record only by having answered an e-mail: where
    Auth sends none, no account is made.
    """
    if form.email.endswith(f"@{staff_domain}"):
        raise Invalid(errors=[FieldError("email", "belongs to the staff")])
    if guard.has_record(form.email) and not accounts.confirms_emails():
        guard.count_sign_in(form.email)  # a guess at an e-mail like any other
        raise RecordExists()
    session = _new_or_unfinished_account(accounts, acting_as, guard, form)
    patient = acting_as(session.access_token).rpc(
        "register_patient",
        {
            "p_name": form.name,
            "p_phone": form.phone,
            "p_age": form.age,
            "p_gender": form.gender,
            "p_allergies": form.allergies,
            "p_preferred_language": form.preferred_language,
        },
    )
    registered = Registered(
        patient_id=patient["patient_id"], name=patient["name"], token=session.access_token
    )
    return registered, session


def sign_in_patient(
    accounts: Accounts, acting_as: ActingAs, guard: Guard, credentials: Credentials
) -> tuple[SignedInPatient, Session]:
    """Raises InvalidCredentials, TooManyRequests, or Forbidden for an account that is no patient's."""
    session = _sign_in(accounts, guard, credentials.email, credentials.password.get_secret_value())
    database = acting_as(session.access_token)
    patient = _own_profile(database)
    if patient is None:
        if database.rpc("staff_profile"):
            raise Forbidden("This is a staff account. Please use the staff sign-in.", code="staff_account")
        raise Forbidden("Your registration is not finished. Please register again.", code="not_registered")
    signed_in = SignedInPatient(
        patient_id=patient["patient_id"],
        name=patient["name"],
        token=session.access_token,
        refresh_token=session.refresh_token,
        expires_in=session.expires_in,
    )
    return signed_in, session


def sign_in_staff(
    accounts: Accounts, acting_as: ActingAs, guard: Guard, credentials: StaffCredentials, *, staff_domain: str
) -> tuple[SignedInStaff, Session]:
    """Raises InvalidCredentials, TooManyRequests, or Forbidden for an account that is not the staff's."""
    username = credentials.username.lower()
    email = f"{username}@{staff_domain}"
    if not _USERNAME.fullmatch(username):
        guard.count_sign_in(email)
        raise InvalidCredentials()
    session = _sign_in(accounts, guard, email, credentials.password.get_secret_value())
    staff = acting_as(session.access_token).rpc("staff_profile")
    if staff is None:
        raise Forbidden("This account is not a staff account.", code="not_staff")
    signed_in = SignedInStaff(
        token=session.access_token,
        name=staff["name"],
        role=staff["role"],
        message=f"Welcome, {staff['name']}.",
    )
    return signed_in, session


def _sign_in(accounts: Accounts, guard: Guard, email: str, password: str) -> Session:
    guard.count_sign_in(email)
    with _refusing_in_even_time():
        session = accounts.sign_in(email, password)
    guard.password_was_right()
    return session


@contextmanager
def _refusing_in_even_time() -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except NexusError:
        elapsed = time.monotonic() - started
        time.sleep(math.ceil(elapsed / REFUSAL_SECONDS) * REFUSAL_SECONDS - elapsed)
        raise


def _new_or_unfinished_account(
    accounts: Accounts, acting_as: ActingAs, guard: Guard, form: Registration
) -> Session:
    password = form.password.get_secret_value()
    try:
        return accounts.sign_up(form.email, password)
    except EmailTaken as taken:
        try:
            session = _sign_in(accounts, guard, form.email, password)  # a guess at a password like any other
        except InvalidCredentials:
            raise taken from None
        if _own_profile(acting_as(session.access_token)) is not None:
            raise
        return session


def _own_profile(database: Gateway) -> dict[str, Any] | None:
    try:
        patient: dict[str, Any] = database.rpc("patient_profile", {"p_patient_id": None})
    except (Forbidden, NotFound):
        return None
    return patient
