"""Prescriptions as they are handed in, shown and reviewed; overrides; versions of the clinical rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.money import Money
from shared.text import Line, Paragraph

Name = Annotated[Line, StringConstraints(min_length=1, max_length=200)]
Reason = Annotated[Paragraph, StringConstraints(min_length=3, max_length=1000)]
WholeNumber = Annotated[int, Field(strict=True)]


class PrescribedItem(BaseModel):
    """One medicine of a prescription. `units` is one fill; it may be filled 1 + `repeats` times."""

    model_config = ConfigDict(extra="forbid")

    ingredient: Name = Field(description="As the catalogue writes it", examples=["Metformin"])
    strength: Name = Field(examples=["500 mg"])
    units: Annotated[WholeNumber, Field(ge=1, le=100_000)] = Field(
        description="Tablets, millilitres, ...", examples=[60]
    )
    repeats: Annotated[WholeNumber, Field(ge=0, le=24)] = 0
    dosage_frequency: Annotated[Line, StringConstraints(min_length=1, max_length=50)] = Field(
        examples=["twice_daily"]
    )
    units_per_dose: float = Field(default=1, gt=0, le=9999)


class PrescriptionUpload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[PrescribedItem] = Field(
        default=[], max_length=20, description="What it may say; a pharmacist reads it before it counts"
    )


class DispensedItem(PrescribedItem):
    model_config = ConfigDict(extra="ignore")

    dispensed_units: int = Field(description="Of all fills so far")


class Prescription(BaseModel):
    prescription_id: str = Field(examples=["RX003"])
    patient_id: str = Field(examples=["PAT012"])
    status: str = Field(examples=["pending", "verified", "rejected", "expired"])
    prescriber: str | None
    issued_on: date | None
    valid_until: date | None
    reviewed_at: datetime | None
    review_reason: str | None = Field(description="Why it was rejected")
    created_at: datetime
    items: list[DispensedItem]


class PrescriptionList(BaseModel):
    """Newest first."""

    prescriptions: list[Prescription]
    count: int


class WaitingPrescription(Prescription):
    patient_name: str
    allergies: list[str] | None = Field(description="null: not asked yet")


class WaitingLine(BaseModel):
    product_id: str
    product_name: str
    quantity: int = Field(description="Packs")
    unit_price: Money
    line_total: Money
    dosage_frequency: str
    units_per_dose: float


class ReviewedOrder(BaseModel):
    order_id: str = Field(examples=["ORD1042"])
    status: str = Field(examples=["awaiting_pharmacist", "confirmed", "cancelled"])
    total_price: Money
    placed_at: datetime
    items: list[WaitingLine]


class WaitingOrder(ReviewedOrder):
    patient_id: str
    patient_name: str
    findings: list[dict[str, Any]] = Field(
        description="As verified now: code, severity, rule, source, and whether it `waits` for a pharmacist"
    )


class ReviewQueue(BaseModel):
    """What waits for a pharmacist, oldest first."""

    prescriptions: list[WaitingPrescription]
    orders: list[WaitingOrder]


class Verification(BaseModel):
    """A pharmacist's reading. What is left out stays as it was handed in."""

    model_config = ConfigDict(extra="forbid")

    prescriber: Name | None = Field(default=None, examples=["Dr. S. Mehta"])
    issued_on: date | None = None
    valid_until: date | None = None
    items: list[PrescribedItem] | None = Field(default=None, min_length=1, max_length=20)


class Rejection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="Shown to the patient", examples=["The signature is missing."])


class OrderAfterReview(BaseModel):
    outcome: str = Field(examples=["confirmed", "cancelled", "waiting"])
    order: ReviewedOrder
    findings: list[dict[str, Any]]


class Review(BaseModel):
    prescription: Prescription
    orders: list[OrderAfterReview] = Field(description="What became of the patient's waiting orders")


class OverrideRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: Name = Field(
        description="As the finding names it; a contraindicated combination has no override",
        examples=["interaction:Aspirin+Warfarin"],
    )
    reason: Reason = Field(examples=["Low dose, agreed with Dr. Mehta; INR is checked weekly."])
    subject: Name | None = Field(default=None, description="The stated allergy, for `allergy:unrecognised`")


class Override(BaseModel):
    override_id: int
    valid_until: date
    orders: list[OrderAfterReview] = Field(description="What became of the patient's waiting orders")


class RuleSet(BaseModel):
    version: str
    status: str = Field(examples=["draft", "active", "retired"])
    source: str
    imported_at: datetime
    activated_at: datetime | None


class RuleSetList(BaseModel):
    """Newest first; at most one is active, and without one nothing clinical is sold."""

    rule_sets: list[RuleSet]


class RuleSetActivation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Name = Field(examples=["2026-11"])


class ActiveRuleSet(BaseModel):
    version: str
    status: str
    activated_at: datetime
