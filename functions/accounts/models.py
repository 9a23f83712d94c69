"""What the account routes take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)

from shared.openapi import Problem
from shared.text import CLEAN, Line, Shown, without_control_characters


def _blank_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _capitalised(value: object) -> object:
    return value.strip().capitalize() if isinstance(value, str) else value


def _no_booleans(value: object) -> object:
    """Python counts True as 1; as an age it is a mistake."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _split_at_commas(value: object) -> object:
    return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _storable(password: SecretStr) -> SecretStr:
    without_control_characters(password.get_secret_value())
    return password


def _within_bcrypts_reach(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value().encode()) > 72:
        raise ValueError("must be at most 72 bytes long")  # what follows would not count
    return password


_REFUSED = r"\s\x00-\x1f\x7f-\x9f@<>,;"
_EMAIL = rf"^[^{_REFUSED}]+@[^{_REFUSED}]+\.[^.{_REFUSED}]+$"
_PHONE = r"^\+?[0-9][0-9 ()-]{5,19}$"

Email = Annotated[
    Line,
    StringConstraints(max_length=254, to_lower=True, pattern=_EMAIL),
    Shown(_EMAIL),
]
"""Checked for shape only: whether it reaches anyone, only a message to it can tell."""

Phone = Annotated[Line, StringConstraints(pattern=_PHONE), Shown(_PHONE)]

Password = Annotated[SecretStr, Field(min_length=1, max_length=200), AfterValidator(_storable), CLEAN]

NewPassword = Annotated[
    SecretStr,
    Field(min_length=6, max_length=72),
    AfterValidator(_storable),
    AfterValidator(_within_bcrypts_reach),
    CLEAN,
]

Gender = Annotated[
    Literal["Male", "Female", "Other"] | None, BeforeValidator(_capitalised), BeforeValidator(_blank_is_unset)
]

Allergies = Annotated[
    list[Annotated[Line, StringConstraints(min_length=1, max_length=100)]] | None,
    Field(
        max_length=50,
        description="null: not asked yet; empty: none known. Comma-separated text is accepted too.",
    ),
    BeforeValidator(_split_at_commas),
    BeforeValidator(_blank_is_unset),
]


class Registration(BaseModel):
    name: Annotated[Line, StringConstraints(min_length=1, max_length=200)] = Field(examples=["Kavita Joshi"])
    email: Email = Field(examples=["kavita@example.com"])
    phone: Phone = Field(examples=["+919876543210"])
    password: NewPassword = Field(examples=["monsoon-in-pune-7"])
    age: Annotated[
        Annotated[int, Field(ge=0, le=130)] | None,
        BeforeValidator(_no_booleans),
        BeforeValidator(_blank_is_unset),
    ] = None
    gender: Gender = None
    allergies: Allergies = None
    preferred_language: Annotated[Literal["en", "hi", "mr"] | None, BeforeValidator(_blank_is_unset)] = None


class Registered(BaseModel):
    patient_id: str = Field(examples=["PAT012"])
    name: str
    token: str = Field(description="Access token, for `Authorization: Bearer`; also set as a cookie")


class Credentials(BaseModel):
    email: Email = Field(examples=["anjali@example.com"])
    password: Password = Field(examples=["nexus-demo-2026"])


class SignedInPatient(Registered):
    refresh_token: str
    expires_in: int = Field(description="Seconds the token is good for", examples=[3600])


class StaffCredentials(BaseModel):
    username: Annotated[Line, StringConstraints(min_length=1, max_length=100)] = Field(
        examples=["pharmacist"]
    )
    password: Password = Field(examples=["pharma123"])


class SignedInStaff(BaseModel):
    authenticated: Literal[True] = True
    token: str = Field(description="Access token, for `Authorization: Bearer`; also set as a cookie")
    name: str
    role: str = Field(examples=["admin", "pharmacist"])
    message: str = Field(examples=["Welcome, Asha."])


class SignInProblem(Problem):
    authenticated: Literal[False] = Field(examples=[False])


class Patient(BaseModel):
    """A patient's profile. `allergies` and `conditions`: null when never asked, empty when none are known."""

    model_config = ConfigDict(extra="ignore")

    patient_id: str = Field(examples=["PAT012"])
    name: str
    email: str
    phone: str | None
    age: int | None
    gender: str | None = Field(examples=["Female"])
    preferred_store: str | None
    allergies: list[str] | None
    conditions: list[str] | None
    preferred_language: str
    prescription_uploaded: bool
