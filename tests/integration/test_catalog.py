"""The catalogue on the real stack, as a guest's browser reads it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.running_stack import RunningStack

FIELDS = {
    "product_id",
    "product_name",
    "active_ingredient",
    "manufacturer",
    "price",
    "category",
    "prescription_required",
    "package_size",
    "description",
    "stock_quantity",
    "image_url",
}


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.api() as client:
        yield client


def test_the_list_is_a_bare_array_with_every_field(api: httpx.Client) -> None:
    products = api.get("/api/products").json()

    assert len(products) >= 100
    assert all(product.keys() == FIELDS for product in products)
    assert all(isinstance(product["price"], (int, float)) for product in products)
    assert all(isinstance(product["stock_quantity"], int) for product in products)
    assert all(product["manufacturer"] for product in products)


def test_dolo_costs_thirty_rupees(api: httpx.Client) -> None:
    dolo = api.get("/api/products/MED001").json()

    assert (dolo["product_name"], dolo["price"]) == ("Dolo 650", 30.0)
    assert (dolo["schedule"], dolo["form"], dolo["units_per_pack"], dolo["unit"]) == (
        "OTC",
        "tablet",
        15,
        "tablet",
    )
    assert isinstance(dolo["alternatives"], list)


@pytest.mark.parametrize("query", ["dolo 650", "Dolo-650", "dollo 650", "डोलो 650"])
def test_search_forgives(api: httpx.Client, query: str) -> None:
    found = api.get("/api/products", params={"search": query}).json()

    assert found[0]["product_id"] == "MED001"


def test_a_category_can_be_asked_for(api: httpx.Client) -> None:
    found = api.get("/api/products", params={"category": "antibiotic"}).json()

    assert found
    assert {product["category"] for product in found} == {"Antibiotic"}


@pytest.mark.parametrize("query", [{}, {"search": "tablet"}, {"category": "Pain Relief"}, {"search": "para"}])
def test_pages_together_are_the_whole_list(api: httpx.Client, query: dict[str, str]) -> None:
    whole = [product["product_id"] for product in api.get("/api/products", params=query).json()]

    paged: list[str] = []
    answer = api.get("/api/products", params={**query, "limit": 7})
    while True:
        paged += [product["product_id"] for product in answer.json()]
        if "next" not in answer.links:
            break
        answer = api.get(answer.links["next"]["url"])

    assert paged == whole


@pytest.mark.parametrize("query", ["' or 1=1 --", "%", "_", "\\", "(((", "💊", "a" * 200, "\u0915" * 200])
def test_odd_searches_find_nothing_or_something_but_never_fail(api: httpx.Client, query: str) -> None:
    answer = api.get("/api/products", params={"search": query})

    assert answer.status_code == 200
    assert isinstance(answer.json(), list)


def test_an_unknown_product_is_404(api: httpx.Client) -> None:
    answer = api.get("/api/products/MED99999")

    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")
