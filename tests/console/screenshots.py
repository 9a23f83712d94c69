"""`make screenshots`: what the console looks like, for the README, on a stack of its own.

Each picture is written as a PNG of at most 256 colours; the pages have few, so nothing is lost that one sees.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw, ImageFont
from playwright import sync_api as playwright

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, StackError
from infra.local.stack import Stack
from tests.bench.scratch import scratch_settings
from tests.console.browser import CHROMIUM
from tests.console.screen import DESK, PHONE
from tests.integration.ordering import buy
from tests.integration.uploads import uploaded
from tests.running_stack import RunningStack

FOLDER = PROJECT / "docs" / "console"

MESSAGES = {
    "rahul@example.com": ("my usual medicines", "yes", "amoxicillin"),
    "amit@example.com": ("amoxicillin", "azithromycin", "2 ORS", "yes"),
    "meera@example.com": ("ibuprofen", "disprin"),
    "priya@example.com": ("2 strips crocin advance", "yes", "20 strips of dolo 650"),
    "sneha@example.com": ("ibuprofen", "one ORS sachets", "yes"),
    "vijay@example.com": ("ecosprin", "my diabetes stuff", "yes"),
}
"""A morning at the pharmacy."""


def main() -> int:
    settings = scratch_settings()
    delete_data(settings)
    try:
        with Stack(settings, until="fulfilment") as running:
            stack = RunningStack.of(settings, running.keys)
            be_busy(stack)
            with playwright.sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                take_all(browser, stack.api_url)
                browser.close()
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        delete_data(settings)
    return 0


def be_busy(stack: RunningStack) -> None:
    for email, messages in MESSAGES.items():
        with stack.as_patient(email) as patient:
            for message in messages:
                patient.post("/api/chat", json={"message": message}).raise_for_status()
    with stack.as_patient("anjali@example.com") as anjali:
        upload(anjali)
        buy(anjali, ("MED060", 1))


def upload(patient: httpx.Client) -> None:
    uploaded(patient, prescription(), name="prescription.png", declared="image/png")


def prescription() -> bytes:
    """As a doctor might print it."""
    sheet = Image.new("RGB", (640, 760), "#fdfcf8")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((24, 24, 616, 112), outline="#224455", width=2)
    for top, size, line in (
        (40, 22, "Dr. S. Mehta, MD"),
        (76, 17, "Shivaji Road, Pune"),
        (140, 20, "Patient: Anjali Gupta"),
        (230, 30, "Rx"),
        (290, 22, "Tab. Cefixime 200 mg   1-0-1 x 5 days"),
        (340, 22, "Tab. Pantoprazole 40 mg   1-0-0 x 10 days"),
        (660, 24, "S. Mehta"),
    ):
        pen.text((44, top), line, font=ImageFont.load_default(size), fill="#101828")
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return data.getvalue()


def take_all(browser: Any, url: str) -> None:
    def page(size: dict[str, int], theme: str) -> Any:
        profile = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")
        opened = profile.new_page()
        opened.goto(f"{url}/#/staff")
        opened.get_by_role("button", name="Demo Pharmacist").click()
        opened.get_by_role("heading", name="Signed in").wait_for()
        return opened

    desk = page(DESK, "light")
    order_something(desk, url)
    desk.wait_for_selector('.way[data-status="processing"]')
    take(desk, "try")

    dark = page(DESK, "dark")
    dark.goto(f"{url}/#/pharmacist")
    dark.get_by_role("button", name="Anjali Gupta uploaded").click()
    dark.locator(".document img").evaluate("image => image.decode()")
    dark.get_by_label("Prescriber").fill("Dr. S. Mehta")
    take(dark, "pharmacist")

    desk.goto(f"{url}/#/refills")
    desk.get_by_role("button", name="Scan and send now").click()
    desk.get_by_role("status").wait_for()
    take(desk, "refills")
    dark.goto(f"{url}/#/system")
    dark.get_by_role("img", name="Decisions").wait_for()
    dark.get_by_role("region", name="Outbox events").get_by_role("row").nth(3).wait_for()
    take(dark, "system")

    phone = page(PHONE, "light")
    be(phone, url, "Amit Kumar", "English")
    say(phone, "amoxicillin")
    take(phone, "phone")


def order_something(page: Any, url: str) -> None:
    be(page, url, "Anjali Gupta", "English")
    say(page, "2 strips of dolo 650 and one ORS")
    page.get_by_role("button", name="Confirm order").click()


def be(page: Any, url: str, name: str, language: str) -> None:
    page.goto(f"{url}/#/try")
    page.get_by_role("button", name=name).click()
    page.wait_for_selector("#message")
    page.get_by_label(language).check()


def say(page: Any, message: str) -> None:
    page.fill("#message", message)
    page.keyboard.press("Enter")
    page.locator(".said .card").last.wait_for()


def take(page: Any, name: str) -> None:
    target = FOLDER / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(500)  # what is being read just now has come
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").quantize(256).save(target, optimize=True)
    print(f"{target.relative_to(PROJECT)}: {_kilobytes(target)} kB")


def _kilobytes(path: Path) -> int:
    return -(-path.stat().st_size // 1000)


if __name__ == "__main__":
    sys.exit(main())
