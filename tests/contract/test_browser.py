"""A real Chromium: what its rules let a page of ours do, and keep a foreign page from doing.

Pages are made up on the way to the browser, so that they can have any origin; what they ask of the API goes
to it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.contract.document import OPERATIONS
from tests.contract.owned import OWNED
from tests.integration.chatting import orders
from tests.integration.ordering import ADMIN
from tests.running_stack import DEMO_PASSWORD, RunningStack

playwright = pytest.importorskip("playwright.sync_api", reason="`make browser` installs it")
CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

OURS = "http://localhost:3001"
FOREIGN = "http://localhost:6001"
"""Another origin on the same host: browsers send our cookies from there, as SameSite knows no ports."""
ELSEWHERE = "http://evil.localhost:6001"

ANJALI = {"email": "anjali@example.com", "password": DEMO_PASSWORD}

Json = dict[str, Any]

FETCH = """
async ([address, options]) => {
  try {
    const answer = await fetch(address, options);
    const text = await answer.text();
    return {status: answer.status, type: answer.type, headers: Object.fromEntries(answer.headers), text};
  } catch (error) {
    return {failed: String(error)};
  }
}
"""


class Tab:
    """A page of one origin in a browser."""

    def __init__(self, page: Any, api_url: str) -> None:
        self.page = page
        self._api = api_url

    def fetch(self, path: str, method: str = "GET", body: Any = None, **options: Any) -> Json:
        """A request to the API itself, with the cookies that the browser will send."""
        return self._fetch(self._api + path, method, body, {"credentials": "include", **options})

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Json:
        """A request as the built frontend sends it: to its own origin, where a prefix leads to the API."""
        return self._fetch("/nexus" + path, method, body, {})

    def _fetch(self, address: str, method: str, body: Any, options: Json) -> Json:
        content = {} if body is None else {"body": body if isinstance(body, str) else json.dumps(body)}
        headers = {} if body is None else {"headers": {"Content-Type": "application/json"}}
        answer: Json = self.page.evaluate(
            FETCH, [address, {"method": method, **headers, **content, **options}]
        )
        return answer


Open = Callable[[str], Tab]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # A made-up page has no address, so the browser takes it for one of the internet and would keep it from
    # this machine altogether; then nothing would be shown about our own refusals.
    arguments = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def tab(stack: RunningStack, chromium: Any) -> Iterator[Open]:
    """Opens pages of any origin in one browser profile."""
    profile = chromium.new_context()

    def answer(route: Any) -> None:
        path = route.request.url.partition("/nexus/")[2]
        if path:
            route.fulfill(response=route.fetch(url=f"{stack.api_url}/{path}"))
        else:
            route.fulfill(body="<!doctype html><title>A page</title>", content_type="text/html")

    def open_page(origin: str) -> Tab:
        page = profile.new_page()
        page.route(f"{origin}/**", answer)
        page.goto(f"{origin}/")
        return Tab(page, stack.api_url)

    yield open_page
    profile.close()


@pytest.fixture
def anjali(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.as_patient(ANJALI["email"]) as api:
        yield api


def body(answer: Json) -> Any:
    return json.loads(answer["text"])


def test_the_frontend_behind_its_prefix(tab: Open) -> None:
    """Sign in, browse, chat, order, look at it: with nothing but what a browser keeps by itself."""
    page = tab(OURS)

    assert page.ask("/api/patients/me")["status"] == 401
    assert page.ask("/api/auth/login", "POST", ANJALI)["status"] == 200
    assert body(page.ask("/api/patients/me"))["patient_id"] == "PAT012"
    assert isinstance(body(page.ask("/api/products?search=ors")), list)
    message = {"patient_id": "PAT012", "message": "one pack of ORS sachets", "language": "en"}
    assert body(page.ask("/api/chat", "POST", message))["card_data"]["type"] == "order_confirmation"
    placed = body(page.ask("/api/chat", "POST", {**message, "message": "yes, confirm"}))
    assert placed["card_data"]["type"] == "order_status"
    listed = body(page.ask("/api/orders"))["orders"]
    assert listed[0]["order_id"] == placed["card_data"]["order_id"]


def test_the_staff_page_behind_its_prefix(tab: Open) -> None:
    page = tab(OURS)
    username, password = ADMIN

    assert body(page.ask("/api/admin/orders"))["orders"] == []
    assert page.ask("/api/admin/login", "POST", {"username": username, "password": password})["status"] == 200
    assert body(page.ask("/api/admin/orders"))["orders"]


def test_no_script_can_read_the_session(tab: Open) -> None:
    page = tab(OURS)
    page.ask("/api/auth/login", "POST", ANJALI)

    assert page.page.evaluate("document.cookie") == ""
    assert page.ask("/api/patients/me")["status"] == 200


def test_a_page_of_ours_may_call_the_api_across_origins(tab: Open) -> None:
    page = tab(OURS)

    refused = page.fetch("/api/auth/login", "POST", {**ANJALI, "password": "wrong"})
    assert refused["status"] == 401
    assert body(refused)["error"]
    assert page.fetch("/api/auth/login", "POST", ANJALI)["status"] == 200
    assert body(page.fetch("/api/patients/me"))["patient_id"] == "PAT012"
    products = page.fetch("/api/products?limit=1")
    assert products["headers"]["link"]
    assert products["headers"]["x-request-id"]
    ordered = page.fetch(
        "/api/orders",
        "POST",
        {"items": [{"product_id": "MED021", "quantity": 1}]},
        headers={"Content-Type": "application/json", "Idempotency-Key": "from-a-page-of-ours"},
    )
    assert ordered["status"] == 201


@pytest.mark.parametrize("origin", [FOREIGN, ELSEWHERE])
def test_a_foreign_page_reads_nothing(tab: Open, origin: str) -> None:
    tab(OURS).fetch("/api/auth/login", "POST", ANJALI)
    foreign = tab(origin)

    for path in ("/api/patients/me", "/api/orders", "/api/products", "/api/nowhere"):
        assert "failed" in foreign.fetch(path), path
        assert foreign.fetch(path, mode="no-cors")["text"] == ""


@pytest.mark.parametrize("origin", [FOREIGN, ELSEWHERE])
def test_a_foreign_page_orders_nothing(tab: Open, anjali: httpx.Client, origin: str) -> None:
    tab(OURS).fetch("/api/auth/login", "POST", ANJALI)
    foreign = tab(origin)
    before = orders(anjali)
    order = {"items": [{"product_id": "MED021", "quantity": 1}]}

    foreign.fetch("/api/orders", "POST", order)
    foreign.fetch("/api/orders", "POST", order, mode="no-cors", headers={"Content-Type": "text/plain"})
    foreign.fetch("/api/chat", "POST", {"message": "one ORS sachets"}, mode="no-cors")
    foreign.fetch("/api/chat", "POST", {"message": "yes"}, mode="no-cors")
    _submit_form(foreign, "/api/orders", order)

    assert orders(anjali) == before


@pytest.mark.parametrize("origin", [FOREIGN, ELSEWHERE])
def test_a_foreign_page_cancels_nothing(tab: Open, anjali: httpx.Client, origin: str) -> None:
    """A cancellation needs no body, so no preflight stands in its way: only our look at its origin does."""
    order_id = OWNED["order_id"](anjali)
    tab(OURS).fetch("/api/auth/login", "POST", ANJALI)
    foreign = tab(origin)

    foreign.fetch(f"/api/orders/{order_id}/cancel", "POST", mode="no-cors")
    _submit_form(foreign, f"/api/orders/{order_id}/cancel", {})

    assert anjali.get(f"/api/orders/{order_id}").json()["status"] == "confirmed"
    assert tab(OURS).fetch(f"/api/orders/{order_id}/cancel", "POST")["status"] == 200


def _submit_form(foreign: Tab, path: str, content: Json) -> None:
    """A form in a frame: the oldest way to make a browser send something, with cookies and no preflight."""
    with foreign.page.expect_response(lambda answer: path in answer.url) as answered:
        foreign.page.evaluate(
            """
            ([address, content]) => {
              const frame = Object.assign(document.createElement("iframe"), {name: "frame"});
              const form = Object.assign(document.createElement("form"), {
                action: address, method: "post", enctype: "text/plain", target: "frame",
              });
              const input = Object.assign(document.createElement("input"), {name: content, value: ""});
              form.append(input);
              document.body.append(frame, form);
              form.submit();
            }
            """,
            [foreign._api + path, json.dumps(content)],
        )
    assert answered.value.status >= 400


def test_the_description_can_be_browsed(stack: RunningStack, chromium: Any) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{stack.api_url}/docs")
    page.wait_for_selector(".opblock")

    assert page.locator(".opblock").count() == len(OPERATIONS)
    assert complaints == []
    assert all(url.startswith((stack.api_url, "data:")) for url in asked), asked

    page.locator("#operations-health-liveness .opblock-summary-control").click()
    page.locator("#operations-health-liveness button.execute").click()
    page.wait_for_selector("#operations-health-liveness .live-responses-table")
    assert "200" in page.locator("#operations-health-liveness .live-responses-table").inner_text()
    page.close()
