"""The catalogue: a bare array for the list page, which breaks on anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.catalog.handler import app
from shared.errors import NexusError, NotFound, Unavailable
from shared.http import lambda_handler
from tests.unit.shared.fakes import FakeDatabase, FakeGateway, client_of, gateway_event

DOLO = {
    "product_id": "MED001",
    "product_name": "Dolo 650",
    "active_ingredient": "Paracetamol",
    "manufacturer": "Micro Labs",
    "price": 30.0,
    "category": "Pain Relief",
    "prescription_required": False,
    "package_size": "15 Tablets",
    "description": "Paracetamol 650 mg tablet",
    "stock_quantity": 500,
    "image_url": None,
}

DETAIL = {
    **DOLO,
    "schedule": "OTC",
    "form": "tablet",
    "strength": "650 mg",
    "units_per_pack": 15,
    "unit": "tablet",
    "alternatives": [
        {
            "product_id": "MED034",
            "product_name": "Crocin 650",
            "strength": "650 mg",
            "form": "tablet",
            "price": 28.5,
            "package_size": "15 Tablets",
            "prescription_required": False,
            "stock_quantity": 0,
        }
    ],
}


def catalogue(*products: dict[str, Any], following: str | None = None) -> FakeGateway:
    return FakeGateway({"search_products": {"products": list(products), "next": following}})


def test_the_list_is_a_bare_array() -> None:
    answer = client_of(app, gateway=catalogue(DOLO)).get("/api/products")

    assert answer.status_code == 200
    assert answer.json() == [DOLO]
    assert "link" not in answer.headers


def test_an_empty_catalogue_is_an_empty_array() -> None:
    assert client_of(app, gateway=catalogue()).get("/api/products?search=xyzzy").json() == []


def test_prices_are_numbers_even_if_the_database_says_text() -> None:
    answer = client_of(app, gateway=catalogue({**DOLO, "price": "30.00"})).get("/api/products")

    assert '"price":30.0' in answer.text


def test_a_long_catalogue_links_to_its_next_page() -> None:
    gateway = catalogue(DOLO, following="MED200")

    answer = client_of(app, gateway=gateway).get("/api/products?category=Pain Relief&limit=1")

    assert answer.headers["link"] == '</api/products?category=Pain+Relief&limit=1&cursor=MED200>; rel="next"'


def test_following_the_link_asks_for_what_comes_after() -> None:
    gateway = catalogue(DOLO, following="MED200")
    client = client_of(app, gateway=gateway)
    first = client.get("/api/products?search=dolo")

    client.get(first.links["next"]["url"])

    assert [arguments["p_after"] for _, arguments in gateway.calls] == [None, "MED200"]
    assert [arguments["p_query"] for _, arguments in gateway.calls] == ["dolo", "dolo"]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {"p_query": None, "p_category": None, "p_limit": 200, "p_after": None}),
        ("?search=&category=&limit=5", {"p_query": None, "p_category": None, "p_limit": 5, "p_after": None}),
        ("?search=%20crosin%20", {"p_query": "crosin", "p_category": None, "p_limit": 200, "p_after": None}),
        ("?search=डोलो", {"p_query": "डोलो", "p_category": None, "p_limit": 200, "p_after": None}),
    ],
)
def test_parameters_reach_the_search(query: str, asked: dict[str, Any]) -> None:
    gateway = catalogue()

    client_of(app, gateway=gateway).get(f"/api/products{query}")

    assert gateway.calls == [("search_products", asked)]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=1e9"])
def test_a_wrong_limit_is_422(query: str) -> None:
    answer = client_of(app, gateway=catalogue()).get(f"/api/products?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("%00", None),
        ("%20%09%0a", None),
        ("do%00lo", "do lo"),
        ("dolo%09650%0d%0a", "dolo 650"),
        ("x" * 5000, "x" * 200),
        ("a%20b%2Fc", "a b/c"),
        ("%F0%9F%92%8A", "💊"),
        ("%ff%fe", "\ufffd\ufffd"),
    ],
)
def test_what_people_type_is_never_refused(typed: str, asked: str | None) -> None:
    """The page takes any answer for its array: a refusal would break it."""
    gateway = catalogue(DOLO)

    answer = client_of(app, gateway=gateway).get(
        f"/api/products?search={typed}&category={typed}&cursor={typed}"
    )

    assert answer.json() == [DOLO]
    [(_, arguments)] = gateway.calls
    assert (arguments["p_query"], arguments["p_category"], arguments["p_after"]) == (asked,) * 3


@pytest.mark.parametrize(
    "failure",
    [Unavailable(code="database_unavailable"), NexusError(), RuntimeError("broken"), {"products": [{}]}],
    ids=["database down", "internal", "unexpected", "nonsense from the database"],
)
def test_when_the_list_fails_it_is_a_plain_text_503(failure: Any) -> None:
    gateway = FakeGateway({"search_products": failure})

    answer = client_of(app, gateway=gateway).get("/api/products", headers={"Origin": "http://localhost:3001"})

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3001"
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_one_product_has_its_details() -> None:
    answer = client_of(app, gateway=FakeGateway({"product_detail": DETAIL})).get("/api/products/MED001")

    assert answer.json() == DETAIL


def test_an_unknown_product_is_404() -> None:
    unknown = NotFound("There is no such product.", code="product_not_found")

    answer = client_of(app, gateway=FakeGateway({"product_detail": unknown})).get("/api/products/MED999")

    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")


def test_one_product_fails_like_everything_else() -> None:
    down = Unavailable(code="database_unavailable")

    answer = client_of(app, gateway=FakeGateway({"product_detail": down})).get("/api/products/MED001")

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


def test_anyone_may_browse_whatever_they_carry() -> None:
    answer = client_of(app, gateway=catalogue(DOLO)).get(
        "/api/products", headers={"Authorization": "Bearer expired"}
    )

    assert answer.status_code == 200


def test_the_catalogue_is_read_as_a_guest() -> None:
    database = FakeDatabase(catalogue())

    client_of(app, database=database).get("/api/products")

    assert database.tokens == [None]


def test_it_answers_gateway_events() -> None:
    client_of(app, gateway=catalogue(DOLO, following="MED200"))

    answer = lambda_handler(app)(gateway_event("GET", "/api/products", query="limit=1"), None)

    assert json.loads(answer["body"])[0]["product_id"] == "MED001"
    assert answer["headers"]["link"] == '</api/products?limit=1&cursor=MED200>; rel="next"'


# Conditional requests


def tag_of(gateway: FakeGateway, path: str = "/api/products") -> str:
    return str(client_of(app, gateway=gateway).get(path).headers["etag"])


def known(gateway: FakeGateway, names: str, path: str = "/api/products") -> Any:
    return client_of(app, gateway=gateway).get(path, headers={"If-None-Match": names})


@pytest.mark.parametrize("form", ["{}", '"other", {}', "  {}  ,", 'W/"other",{}', "*"])
def test_what_is_known_is_not_sent_again(form: str) -> None:
    tag = tag_of(catalogue(DOLO, following="MED001"))

    answer = known(catalogue(DOLO, following="MED001"), form.format(tag))

    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == (tag, "public, no-cache")
    assert answer.headers["link"]
    assert "content-type" not in answer.headers


def test_a_tag_is_compared_weakly() -> None:
    tag = tag_of(catalogue(DOLO))

    assert tag.startswith('W/"')
    assert known(catalogue(DOLO), tag.removeprefix("W/")).status_code == 304


@pytest.mark.parametrize(
    "change", [{"stock_quantity": 499}, {"price": 30.5}, {"image_url": "x"}, {"product_name": "Dolo"}]
)
def test_whatever_changes_is_sent(change: dict[str, Any]) -> None:
    answer = known(catalogue({**DOLO, **change}), tag_of(catalogue(DOLO)))

    assert (answer.status_code, answer.json()) == (200, [{**DOLO, **change}])


def test_a_page_that_has_got_a_next_one_has_changed() -> None:
    assert known(catalogue(DOLO, following="MED001"), tag_of(catalogue(DOLO))).status_code == 200


@pytest.mark.parametrize("names", ["", "x", '"', "W/", '""', ",,,", 'W/"*"'])
def test_an_odd_header_names_nothing(names: str) -> None:
    assert known(catalogue(DOLO), names).status_code == 200


def test_one_product_is_known_too() -> None:
    path, gateway = "/api/products/MED001", FakeGateway({"product_detail": DETAIL})

    assert known(gateway, tag_of(gateway, path), path).status_code == 304
    changed = FakeGateway({"product_detail": {**DETAIL, "alternatives": []}})
    assert known(changed, tag_of(gateway, path), path).status_code == 200


def test_a_failure_is_not_kept() -> None:
    answer = known(FakeGateway({"search_products": Unavailable()}), "*")

    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(["search", "category", "limit", "cursor"]), st.text(max_size=30)))
def test_no_parameters_at_all_make_a_5xx(parameters: dict[str, str]) -> None:
    encoded = {key: value.encode("utf-8", "replace").decode() for key, value in parameters.items()}

    answer = client_of(app, gateway=catalogue(DOLO)).get("/api/products", params=encoded)

    assert answer.status_code == (422 if "limit" in parameters and answer.status_code != 200 else 200)
