"""What the catalogue shows."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, Field

from shared.money import Money


class Product(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    active_ingredient: str = Field(examples=["Paracetamol"])
    manufacturer: str = Field(examples=["Micro Labs"])
    price: Money = Field(description="INR per pack")
    category: str = Field(examples=["Pain Relief"])
    prescription_required: bool
    package_size: str = Field(examples=["15 Tablets"])
    description: str
    stock_quantity: int = Field(description="Packs that can be sold now", examples=[500])
    image_url: str | None


class Alternative(BaseModel):
    """Another product with the same ingredients. Only the same strength and form can stand in for it."""

    product_id: str = Field(examples=["MED034"])
    product_name: str = Field(examples=["Crocin 650"])
    strength: str = Field(examples=["650 mg"])
    form: str = Field(examples=["tablet"])
    price: Money
    package_size: str = Field(examples=["15 Tablets"])
    prescription_required: bool
    stock_quantity: int = Field(description="Packs that can be sold now")


class ProductDetail(Product):
    schedule: str = Field(description="OTC, or the Indian drug schedule: H, H1, X", examples=["OTC"])
    form: str = Field(examples=["tablet"])
    strength: str = Field(examples=["650 mg"])
    units_per_pack: int = Field(examples=[15])
    unit: str = Field(examples=["tablet"])
    alternatives: list[Alternative]


@dataclass(frozen=True, slots=True)
class ProductPage:
    products: list[Product]
    next_cursor: str | None
