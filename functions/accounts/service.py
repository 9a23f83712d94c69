"""Registering, signing in, reading profiles: no web, no cloud, only the two gateways."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from functions.accounts.models import (
    Credentials,
    Patient,
    Registered,
    Registration,
    SignedInPatient,
    SignedInStaff,
    StaffCredentials,
)
from shared.auth import Accounts, EmailTaken
from shared.database import Gateway
from shared.errors import FieldError, Forbidden, Invalid, InvalidCredentials, NotFound
from shared.identity import Session

ActingAs = Callable[[str], Gateway]
"""The database as the holder of an access token."""

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def register(
    accounts: Accounts, acting_as: ActingAs, form: Registration, *, staff_domain: str
) -> tuple[Registered, Session]:
    """Create the account and the patient. Raises EmailTaken, Invalid or Unavailable.

    These are two steps in two services. If the second fails, the account is left without a patient; the
    same person registering again (same e-mail, same password) finds it and only the second step is done.
    """
    if form.email.endswith(f"@{staff_domain}"):
        raise Invalid(errors=[FieldError("email", "belongs to the staff")])
    session = _new_or_unfinished_account(accounts, acting_as, form)
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
    accounts: Accounts, acting_as: ActingAs, credentials: Credentials
) -> tuple[SignedInPatient, Session]:
    """Raises InvalidCredentials, or Forbidden for an account that is no patient's."""
    session = accounts.sign_in(credentials.email, credentials.password.get_secret_value())
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
    accounts: Accounts, acting_as: ActingAs, credentials: StaffCredentials, *, staff_domain: str
) -> tuple[SignedInStaff, Session]:
    """Raises InvalidCredentials, or Forbidden for an account that is not the staff's."""
    username = credentials.username.lower()
    if not _USERNAME.fullmatch(username):
        raise InvalidCredentials()
    session = accounts.sign_in(f"{username}@{staff_domain}", credentials.password.get_secret_value())
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


def profile(database: Gateway, patient_id: str | None = None) -> Patient:
    """A patient, by default the caller's own. Raises Forbidden for another's, NotFound for nobody's."""
    return Patient.model_validate(database.rpc("patient_profile", {"p_patient_id": patient_id}))


def _new_or_unfinished_account(accounts: Accounts, acting_as: ActingAs, form: Registration) -> Session:
    password = form.password.get_secret_value()
    try:
        return accounts.sign_up(form.email, password)
    except EmailTaken as taken:
        try:
            session = accounts.sign_in(form.email, password)
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
