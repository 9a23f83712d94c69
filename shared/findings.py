"""What the clinical verification says, as its JSON comes from the database.

The models describe it in the API's document and are not used to check it: a finding of a kind that is not
foreseen here is still to be shown.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.money import Money
from shared.openapi import DescribedAs

_CODES = (
    "prescription_required, schedule_x, allergy, interaction, condition, age, duplicate_therapy, "
    "max_daily_dose, quantity_limit, refill_too_soon, out_of_stock, not_found, rules_unavailable"
)


class OverriddenFinding(BaseModel):
    reason: str = Field(examples=["Low dose, agreed with Dr. Mehta."])
    at: datetime
    valid_until: date


class Finding(BaseModel):
    code: str = Field(description=_CODES, examples=["duplicate_therapy"])
    severity: Literal["block", "warn"]
    grade: str | None = Field(description="Of an interaction or a condition", examples=["major"])
    subject: str | None = Field(description="What it clashes with, or the limit", examples=["Paracetamol"])
    message: str = Field(examples=["You also take Crocin, which contains Paracetamol."])
    rule: str = Field(examples=["interaction:Aspirin+Warfarin"])
    rule_set: str | None = Field(description="Version of the rules", examples=["2026-11-21+aff75eb2"])
    source: str | None = Field(examples=["FDA label: warfarin"])
    waits: bool = Field(description="A pharmacist decides")
    overridden: OverriddenFinding | None = Field(default=None, description="A pharmacist let it pass")


class ProductFinding(Finding):
    product_id: str = Field(examples=["MED001"])
    product_name: str | None = Field(examples=["Dolo 650"])


class OfferedProduct(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    price: Money = Field(description="INR per pack")
    package_size: str = Field(examples=["15 Tablets"])


class RejectedItem(BaseModel):
    product_id: str = Field(examples=["MED007"])
    product_name: str | None = Field(examples=["Azithromycin 500"])
    reason: str = Field(examples=["Azithromycin 500 needs a prescription."])
    code: str = Field(description=_CODES, examples=["prescription_required"])
    severity: str = Field(description="The grade of the finding, or block", examples=["block"])
    subject: str | None = Field(examples=["Azithromycin"])
    source: str | None = Field(examples=["Drugs Rules 1945, Schedule H"])
    rule: str = Field(examples=["schedule:H"])
    rule_set: str | None = Field(examples=["2026-11-21+aff75eb2"])
    alternatives: list[OfferedProduct] = Field(description="Over-the-counter products only")


FindingJson = Annotated[dict[str, Any], DescribedAs(Finding)]
ProductFindingJson = Annotated[dict[str, Any], DescribedAs(ProductFinding)]
RejectedItemJson = Annotated[dict[str, Any], DescribedAs(RejectedItem)]
