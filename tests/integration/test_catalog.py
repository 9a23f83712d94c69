"""The catalogue on the real stack, as a guest's browser reads it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.integration.chatting import new_patient, shelf
from tests.integration.ordering import buy, placed, records
from tests.running_stack import RunningStack

BANDAGE = "MED032"
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


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "MED9"},
        {"cursor": "nothing/of the kind"},
        {"cursor": "x" * 5000},
        {"cursor": "' or 1=1 --"},
        {"cursor": "\x00"},
        {"search": "dolo", "cursor": "MED002"},
        {"search": "dolo", "cursor": "💊"},
        {"category": "Pain Relief", "cursor": "zzz"},
        {"search": "a" * 5000, "category": "b" * 5000},
    ],
)
def test_odd_cursors_lead_to_a_page(api: httpx.Client, query: dict[str, str]) -> None:
    answer = api.get("/api/products", params=query)

    assert answer.status_code == 200
    assert isinstance(answer.json(), list)


def test_a_search_goes_on_only_after_what_it_found(api: httpx.Client) -> None:
    """Another product's id would start the search over, and whoever follows the links would never end."""
    assert api.get("/api/products", params={"search": "dolo", "cursor": "MED002"}).json() == []


def test_search_category_and_limit_hold_together(api: httpx.Client) -> None:
    query = {"search": "paracetamol", "category": "pain relief", "limit": "2"}
    both = {"search": "paracetamol", "limit": "200"}
    expected = [
        product["product_id"]
        for product in api.get("/api/products", params=both).json()
        if product["category"] == "Pain Relief"
    ]

    found: list[str] = []
    answer = api.get("/api/products", params=query)
    while True:
        assert len(answer.json()) <= 2
        found += [product["product_id"] for product in answer.json()]
        if "next" not in answer.links:
            break
        answer = api.get(answer.links["next"]["url"])

    assert len(expected) > 2
    assert found == expected


def test_alternatives_say_what_they_are(api: httpx.Client) -> None:
    dolo = api.get("/api/products/MED001").json()

    first = dolo["alternatives"][0]
    assert (first["product_name"], first["strength"], first["form"]) == ("Crocin 650", "650 mg", "tablet")
    assert first["stock_quantity"] > 0
    same = [(one["strength"], one["form"]) == ("650 mg", "tablet") for one in dolo["alternatives"]]
    assert same == sorted(same, reverse=True)
    assert "MED001" not in {one["product_id"] for one in dolo["alternatives"]}


@pytest.mark.parametrize(
    "path", ["/api/products", f"/api/products/{BANDAGE}", "/api/products?search=bandage"]
)
def test_what_has_not_changed_is_not_sent_again(stack: RunningStack, api: httpx.Client, path: str) -> None:
    soon, later = uuid4().hex, uuid4().hex
    with shelf(stack, BANDAGE, {soon: (5, 40, "available"), later: (5, 50, "available")}):
        first = api.get(path)
        known = {"If-None-Match": first.headers["etag"]}

        again = api.get(path, headers=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", known["If-None-Match"])
        assert first.headers["cache-control"] == again.headers["cache-control"] == "public, no-cache"

        with records(stack) as database:
            database.execute("update public.product_batches set expiry = current_date where lot = %s", [soon])
        expired = api.get(path, headers=known)
        assert expired.status_code == 200

        with new_patient(stack) as patient:
            placed(buy(patient, (BANDAGE, 1)))
        sold = api.get(path, headers={"If-None-Match": expired.headers["etag"]})
        assert sold.status_code == 200
        assert len({first.headers["etag"], expired.headers["etag"], sold.headers["etag"]}) == 3


def test_our_pages_may_read_what_comes_with_a_page(api: httpx.Client) -> None:
    answer = api.get("/api/products", params={"limit": 1}, headers={"Origin": "http://localhost:3001"})

    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"link", "etag", "x-request-id"} <= exposed
    assert answer.headers["vary"] == "Origin"
    preflight = api.options(
        "/api/products",
        headers={
            "Origin": "http://localhost:3001",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "if-none-match",
        },
    )
    assert preflight.status_code == 200


def test_an_unknown_product_is_404(api: httpx.Client) -> None:
    answer = api.get("/api/products/MED99999")

    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")
