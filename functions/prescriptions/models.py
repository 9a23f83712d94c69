"""Prescriptions as handed in, uploaded, shown and reviewed; overrides; versions of the clinical rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.days import Day
from shared.findings import ProductFindingJson
from shared.money import Money
from shared.text import Identifier, Line, Paragraph

MOST_FILE_BYTES = 10 * 1024 * 1024

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


class SuggestedItem(BaseModel):
    """What a program read on the prescription; a pharmacist decides. What it did not understand is null."""

    said: str = Field(
        description="The words on the prescription", examples=["Tab. Metformin 500 mg 1-0-1 x 30 days"]
    )
    ingredient: str | None = Field(description="As the catalogue writes it", examples=["Metformin"])
    strength: str | None = Field(examples=["500 mg"])
    units: int | None = Field(examples=[60])
    repeats: int = Field(examples=[0])
    dosage_frequency: str | None = Field(examples=["twice_daily"])
    units_per_dose: float | None = Field(examples=[1])
    is_certain: bool = Field(description="Every word was understood, and it is one medicine of the catalogue")
    options: list[str] = Field(description="What else it may be", examples=[["Metformin 1000 mg"]])


class PrescriptionFile(BaseModel):
    link: str = Field(
        default="", description="Gives an address of the file", examples=["/api/prescriptions/RX003/file"]
    )
    content_type: str = Field(examples=["application/pdf"])
    size: int = Field(description="Bytes", examples=[48213])
    uploaded_at: datetime
    uploaded_by: Literal["patient", "staff"]
    same_as: list[str] | None = Field(
        default=None,
        description="Staff only: other prescriptions that came with the very same file",
        examples=[["RX002"]],
    )


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
    suggested_items: list[SuggestedItem] = []
    file: PrescriptionFile | None = Field(default=None, description="null: handed in without one")

    @model_validator(mode="after")
    def _link_to_its_file(self) -> Self:
        if self.file:
            self.file.link = f"/api/prescriptions/{self.prescription_id}/file"
        return self


class UploadedPrescription(BaseModel):
    prescription_id: str = Field(examples=["RX003"])
    status: str = Field(examples=["pending"])
    extracted_text: str = Field(
        description="What a program read; empty when it read nothing",
        examples=["Tab. Metformin 500 mg 1-0-1 x 30 days"],
    )
    items: list[SuggestedItem] = Field(description="Suggestions; they unlock nothing")


class UploadToOpen(BaseModel):
    """A file that goes to storage directly, because it is larger than the API takes."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier | None = Field(
        default=None, description="Oneself; staff names the patient", examples=["PAT012"]
    )
    content_type: Literal["image/jpeg", "image/png", "image/webp", "application/pdf"]
    size: Annotated[int, Field(strict=True, ge=1, le=MOST_FILE_BYTES)] = Field(
        description="Bytes", examples=[7340032]
    )


class OpenedUpload(BaseModel):
    """Send the file by `method` to `url` with `headers`, then complete the upload."""

    upload_id: UUID = Field(examples=["6f2c1c1e-3f0b-4c55-9a53-0f6f4a3a7d10"])
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str] = Field(examples=[{"content-type": "image/jpeg"}])
    expires_at: datetime


class FileLink(BaseModel):
    url: str = Field(description="Shows the file to whoever has the address, until it expires")
    expires_at: datetime
    content_type: str = Field(examples=["application/pdf"])
    size: int = Field(description="Bytes", examples=[48213])
    uploaded_at: datetime
    extracted_text: str = Field(examples=["Tab. Metformin 500 mg 1-0-1 x 30 days"])


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
    findings: list[ProductFindingJson] = Field(description="As verified now")


class ReviewQueue(BaseModel):
    """What waits for a pharmacist, oldest first."""

    prescriptions: list[WaitingPrescription]
    orders: list[WaitingOrder]


class Verification(BaseModel):
    """A pharmacist's reading. What is left out stays as it was handed in."""

    model_config = ConfigDict(extra="forbid")

    prescriber: Name | None = Field(default=None, examples=["Dr. S. Mehta"])
    issued_on: Day | None = None
    valid_until: Day | None = None
    items: list[PrescribedItem] | None = Field(default=None, min_length=1, max_length=20)


class Rejection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="Shown to the patient", examples=["The signature is missing."])


class OrderAfterReview(BaseModel):
    outcome: str = Field(examples=["confirmed", "cancelled", "waiting"])
    order: ReviewedOrder
    findings: list[ProductFindingJson]


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


class RegisterEntry(BaseModel):
    """A sale of a Schedule H1 medicine as it was entered, or its reversal when the order was cancelled."""

    register_id: int
    entry: Literal["dispensed", "reversed"]
    entered_at: datetime
    order_id: str = Field(examples=["ORD1042"])
    line: int
    patient_id: str = Field(examples=["PAT012"])
    patient_name: str
    prescriber: str
    product_id: str = Field(examples=["MED060"])
    product_name: str = Field(examples=["Cefixime 200mg"])
    packs: int
    units: int
    lots: list[str] = Field(description="That the packs came from", examples=[["DL2407"]])


class DispenseRegister(BaseModel):
    """The latest first."""

    entries: list[RegisterEntry]
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """Which entries; None is any."""

    patient_id: str | None = None
    product_id: str | None = None
    since: date | None = None
    until: date | None = None
