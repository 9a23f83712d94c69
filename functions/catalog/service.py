"""Reading the catalogue. Searching is SQL's work: misspellings, sounds and scripts are handled there."""

from __future__ import annotations

from functions.catalog.models import Product, ProductDetail, ProductPage
from shared.database import Gateway


def search(
    database: Gateway, *, text: str | None, category: str | None, limit: int, cursor: str | None
) -> ProductPage:
    """One page of products: the best matches for `text` first, without it by product id."""
    found = database.rpc(
        "search_products",
        {
            "p_query": text,
            "p_category": category,
            "p_limit": limit,
            "p_after": cursor,
        },
    )
    return ProductPage(
        products=[Product.model_validate(product) for product in found["products"]],
        next_cursor=found["next"],
    )


def product(database: Gateway, product_id: str) -> ProductDetail:
    """One product. Raises NotFound."""
    return ProductDetail.model_validate(database.rpc("product_detail", {"p_product_id": product_id}))
