"""The frontend's shop: the catalogue, row by row of the contract, and what breaks the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.contract.frontend import (
    Frontend,
    Shape,
    filled,
    flag,
    money,
    or_null,
    read,
    rows,
    text,
    whole,
    wrong_in,
)
from tests.running_stack import RunningStack

PRODUCT: Shape = {
    "product_id": filled,
    "product_name": filled,
    "active_ingredient": text,
    "manufacturer": text,
    "price": money,
    "category": filled,
    "prescription_required": flag,
    "package_size": filled,
    "description": text,
    "stock_quantity": whole,
    "image_url": or_null(text),
}
DETAIL: Shape = {
    **PRODUCT,
    "schedule": filled,
    "form": filled,
    "units_per_pack": whole,
    "unit": filled,
    "alternatives": rows,
}


@pytest.fixture
def page(stack: RunningStack) -> Iterator[Frontend]:
    with Frontend(stack) as frontend:
        yield frontend


def test_the_catalogue_is_a_bare_array(page: Frontend) -> None:
    answer = page.get("/api/products")

    assert answer.status_code == 200
    products = read(answer)
    assert isinstance(products, list)
    assert len(products) >= 100
    assert [wrong for product in products for wrong in wrong_in(product, PRODUCT)] == []


@pytest.mark.parametrize(
    "query",
    [
        {"category": "Pain Relief"},
        {"search": "dolo"},
        {"search": "paracitamol"},
        {"search": "डोलो"},
        {"search": "no such thing at all"},
        {"search": ""},
        {"search": "%"},
        {"search": "'; drop table products; --"},
        {"search": "x" * 5000},
        {"search": "a\x00b"},
        {"category": "", "search": ""},
        {"limit": 1},
    ],
)
def test_whatever_is_typed_the_list_stays_a_bare_array(page: Frontend, query: dict[str, object]) -> None:
    answer = page.get("/api/products", **query)

    assert answer.status_code == 200, answer.text
    assert isinstance(read(answer), list)


def test_the_link_header_leads_through_all_of_it_once(page: Frontend) -> None:
    everything = [product["product_id"] for product in read(page.get("/api/products"))]
    found: list[str] = []
    path: str | None = "/api/products?limit=7"
    while path:
        answer = page.get(path)
        found += [product["product_id"] for product in read(answer)]
        link = answer.headers.get("link")
        path = link and re.fullmatch(r'<(/api/products\?[^>]*)>; rel="next"', link).group(1)  # type: ignore[union-attr]

    assert found == everything


def test_there_is_no_link_without_a_next_page(page: Frontend) -> None:
    assert "link" not in page.get("/api/products", search="thermometer", limit=50).headers


def test_one_product_has_its_details(page: Frontend) -> None:
    for product in read(page.get("/api/products")):
        detail = read(page.get(f"/api/products/{product['product_id']}"))
        assert wrong_in(detail, DETAIL) == []
        assert {name: detail[name] for name in product} == product


def test_a_product_that_is_not_there_is_404_with_a_sentence(page: Frontend) -> None:
    answer = page.get("/api/products/MED999999")

    assert answer.status_code == 404
    assert wrong_in(read(answer), {"error": filled}) == []
