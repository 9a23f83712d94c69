"""What the account routes take and give."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from shared.openapi import Problem
from shared.text import CLEAN, Line, Paragraph, Shown, without_control_characters

PREFERRED_STORES = ("Netmeds", "Apollo Pharmacy", "MedPlus", "Pharmeasy", "Local Pharmacy")


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _blank_is_unset(value: object) -> object:
    return None if _is_blank(value) else value


def _only_blanks_are_unset(value: object) -> object:
    return None if isinstance(value, list) and value and all(map(_is_blank, value)) else value


def _without_blanks(value: object) -> object:
    return [part for part in value if not _is_blank(part)] if isinstance(value, list) else value


def _capitalised(value: object) -> object:
    return value.strip().capitalize() if isinstance(value, str) else value


def _no_booleans(value: object) -> object:
    """Python counts True as 1; as an age it is a mistake."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _split_at_commas(value: object) -> object:
    return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _can_be_seen(name: str) -> str:
    """Joiners and marks alone leave a blank where a name should be."""
    if all(unicodedata.category(character)[0] in "CMZ" for character in name):
        raise ValueError("must not be blank")
    return name


def _store_as_written(value: object) -> object:
    if not isinstance(value, str):
        return value
    return next((store for store in PREFERRED_STORES if store.lower() == value.strip().lower()), value)


def _storable(password: SecretStr) -> SecretStr:
    without_control_characters(password.get_secret_value())
    return password


def _within_bcrypts_reach(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value().encode()) > 72:
        raise ValueError("must be at most 72 bytes long")  # what follows would not count
    return password


_REFUSED = r"\s\x00-\x1f\x7f-\x9f@<>,;"
_EMAIL = rf"^[^{_REFUSED}]+@[^{_REFUSED}]+\.[^.{_REFUSED}]+$"
_PHONE = r"^\+?(?:[ ().-]*[0-9]){6,15}[ ().-]*$"

Email = Annotated[
    Line,
    StringConstraints(max_length=254, to_lower=True, pattern=_EMAIL),
    Shown(_EMAIL),
]
"""Checked for shape only: whether it reaches anyone, only a message to it can tell."""

Name = Annotated[Line, StringConstraints(min_length=1, max_length=200), AfterValidator(_can_be_seen)]

Phone = Annotated[Line, StringConstraints(max_length=25, pattern=_PHONE), Shown(_PHONE)]
"""Six to fifteen digits, as far as a number reaches; which country's is not told."""

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
    BeforeValidator(_without_blanks),
    BeforeValidator(_only_blanks_are_unset),
    BeforeValidator(_split_at_commas),
    BeforeValidator(_blank_is_unset),
]

Store = Annotated[
    Literal["Netmeds", "Apollo Pharmacy", "MedPlus", "Pharmeasy", "Local Pharmacy"] | None,
    BeforeValidator(_store_as_written),
]


class Registration(BaseModel):
    name: Name = Field(examples=["Kavita Joshi"])
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


class RefreshRequest(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"refresh_token": "k3u2mx4qf6pz"}]})

    refresh_token: Annotated[Line, Field(max_length=2000)] | None = Field(
        default=None, description="Of the last sign-in or refresh; without it, the cookie's"
    )


class RenewedSession(BaseModel):
    token: str = Field(description="Access token, for `Authorization: Bearer`; also set as a cookie")
    refresh_token: str | None = Field(
        description="For the next time, if the request brought one in its body; a cookie stays out of reach"
    )
    expires_in: int = Field(description="Seconds the token is good for", examples=[3600])


class SignedOut(BaseModel):
    signed_out: Literal[True] = True


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
    allergies_to_remove: list[str] = Field(
        default=[],
        description="Those of `allergies` that a newer list lacked; they stand until a pharmacist has agreed",
    )


def _text_or_null(*, examples: list[str], **limits: Any) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", **limits}, {"type": "null"}], "examples": examples})


class ProfileChanges(BaseModel):
    """What a profile page sends. A field that is missing, blank or an empty list says nothing and changes
    nothing; `null` removes a phone, a gender or a store.
    """

    name: Annotated[Name, _text_or_null(maxLength=200, examples=["Anjali Mehta"])] = ""
    phone: Annotated[Phone | None, _text_or_null(maxLength=25, examples=["+919876543210"])] = None
    gender: Annotated[Gender, _text_or_null(enum=["Male", "Female", "Other", ""], examples=["Female"])] = None
    allergies: Annotated[
        Allergies,
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 50},
                    {"type": "string", "description": "The same, with commas between"},
                    {"type": "null"},
                ],
                "examples": [["Penicillin"]],
            }
        ),
    ] = Field(
        default=None,
        description="Further ones are added. One that is missing here stands until a pharmacist has agreed to"
        " remove it. `none` says that no allergies are known.",
    )
    preferred_store: Annotated[Store, _text_or_null(enum=[*PREFERRED_STORES, ""], examples=["MedPlus"])] = (
        None
    )

    @model_validator(mode="before")
    @classmethod
    def _keep_what_is_said(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        said = {field: value for field, value in sent.items() if not _is_blank(value)}
        return {f: v for f, v in said.items() if v is not None or f not in ("name", "allergies")}

    def said(self) -> dict[str, Any]:
        """Only what was said."""
        return self.model_dump(exclude_unset=True)


class AllergyRemoval(BaseModel):
    removal_id: int
    patient_id: str = Field(examples=["PAT012"])
    patient_name: str
    allergy: str = Field(examples=["Sulfa"])
    requested_at: datetime
    requested_by: Literal["patient", "staff"]
    status: Literal["pending", "removed", "kept", "withdrawn"]
    decided_at: datetime | None
    reason: str | None


class AllergyRemovals(BaseModel):
    removals: list[AllergyRemoval]
    count: int


class RemovalDecision(BaseModel):
    decision: Literal["remove", "keep"]
    reason: Annotated[Paragraph, Field(min_length=3, max_length=1000)] = Field(
        examples=["Oral challenge was negative; letter of Dr. Rao of 12 March."]
    )


class Export(BaseModel):
    """Everything that is stored about one patient."""

    patient_id: str = Field(examples=["PAT012"])
    exported_at: datetime
    tables: dict[str, list[dict[str, Any]]] = Field(
        description="Rows as they are stored, by table; tables without one are left out",
        examples=[{"conversations": [{"created_at": "2026-11-21T09:30:00Z"}]}],
    )
    files: list[dict[str, Any]] = Field(
        description="Uploaded prescriptions; `GET /api/prescriptions/{id}/file` shows each",
        examples=[[{"prescription_id": "RX003", "content_type": "image/png", "size": 48213}]],
    )


class ErasureRequest(BaseModel):
    confirm: Annotated[Line, Field(min_length=1, max_length=100)] = Field(
        description="The patient's number once more", examples=["PAT012"]
    )


class KeptRecords(BaseModel):
    orders: int = Field(description="Invoices, under the number alone", examples=[3])
    register_entries: int = Field(description="Of the register of Schedule H1 sales", examples=[1])


class Erased(BaseModel):
    patient_id: str = Field(examples=["PAT012"])
    erased_at: datetime
    kept: KeptRecords
