"""One browser with the console open: what people do with it, and what it may not do behind their backs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.settings import PROJECT
from tests.console.people import Tried
from tests.running_stack import DEMO_PASSWORD

AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


class Screen:
    def __init__(self, page: Any, api_url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._url = api_url
        page.set_default_timeout(20_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @classmethod
    @contextmanager
    def opened(cls, chromium: Any, api_url: str) -> Iterator[Screen]:
        profile = chromium.new_context(viewport=DESK, reduced_motion="reduce")
        yield cls(profile.new_page(), api_url)
        profile.close()

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def expect_refusal(self, status: int) -> None:
        """The API has refused something just now, which a browser always notes in its console."""
        assert len(self.complaints) == 1, self.complaints
        assert f"status of {status}" in self.complaints.pop()

    def go(self, view: str) -> None:
        self.page.goto(f"{self._url}/#/{view}")
        self.page.wait_for_selector("h1")

    def offer(self, *people: Tried) -> None:
        """Let the page offer these patients instead of the seed's; the staff stay."""
        offered = [
            {
                "patient_id": one.patient_id,
                "name": one.name,
                "email": one.email,
                "language": "en",
                "about": "",
            }
            for one in people
        ]

        def answer(route: Any) -> None:
            settings = route.fetch().json()
            settings["demo"] |= {"patients": offered, "password": DEMO_PASSWORD}
            route.fulfill(body=json.dumps(settings), content_type="application/json")

        self.page.route("**/console/settings.json", answer)

    def become(self, patient: Tried) -> None:
        self.offer(patient)
        self.go("try")
        self.page.reload()  # a page that was open already has read who is offered
        self.page.get_by_role("button", name=patient.name).click()
        self.page.wait_for_selector("#message")

    def staff(self, name: str = "Demo Pharmacist") -> None:
        """Sign in with one press, as the laptop offers."""
        self.go("staff")
        self.page.get_by_role("button", name=name).click()
        self.page.get_by_role("heading", name="Signed in").wait_for()

    def say(self, message: str) -> None:
        """Say it in the chat and wait for the answer."""
        before = self.page.locator(".said").count()
        self.page.fill("#message", message)
        self.page.keyboard.press("Enter")
        self.page.locator(".said").nth(before).wait_for()

    @property
    def card(self) -> Any:
        """The card of the last answer."""
        return self.page.locator(".said").last.locator(".card").first

    @property
    def panel(self) -> Any:
        """How the turn went that is looked at."""
        return self.page.get_by_role("complementary", name="How the turn went")

    def press(self, name: str, *, within: Any = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).click()

    def look_at(self, what: str, *, on_a_phone: Callable[[], None] = lambda: None) -> None:
        """Fails when anybody could not use what is shown: in light, in dark, or on a phone."""
        wrong: list[str] = []
        for size, theme in ((DESK, "light"), (DESK, "dark"), (PHONE, "light")):
            self.page.set_viewport_size(size)
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if size == PHONE:
                on_a_phone()
            wrong += [f"{theme}, {size['width']} wide: {one}" for one in self._violations()]
            if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"wider than {size['width']}")
        self.page.set_viewport_size(DESK)
        assert not wrong, f"{what}: " + "\n".join(wrong)

    def _violations(self) -> list[str]:
        """What axe finds wrong with what is shown."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]} "
            f"{one['nodes'][0]['failureSummary']}"
            for one in found["violations"]
        ]
