"""The page itself: what it loads and from where, under which rules, and as static files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx

from infra.local.settings import PROJECT
from tests.console.screen import Screen
from tests.running_stack import DEMO_PASSWORD, RunningStack


def published(folder: Path, storage: str = "https://project.supabase.co") -> Path:
    subprocess.run(["node", "infra/console/publish.mjs", folder, storage], cwd=PROJECT, check=True)
    return folder


def policy(html: str) -> dict[str, list[str]]:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert found
    return {name: sources for name, *sources in map(str.split, found[1].split(";"))}


def test_nothing_is_loaded_from_elsewhere(screen: Screen, stack: RunningStack) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url))
    screen.staff()

    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(stack.api_url)] == []


def test_the_rules_of_the_page_are_strict(stack: RunningStack) -> None:
    with stack.api() as api:
        answer = api.get("/")
    rules = policy(answer.text)

    assert rules["default-src"] == ["'none'"]
    assert rules["connect-src"] == rules["style-src"] == ["'self'"]
    assert rules["img-src"] == ["'self'", stack.supabase_url]
    assert "unsafe" not in str(rules)
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_static_files_hold_what_the_page_loads_and_nobody_to_be(tmp_path: Path, stack: RunningStack) -> None:
    site = published(tmp_path)
    html = (site / "index.html").read_text()

    with stack.api() as api:
        for path in (
            p for p in site.rglob("*") if p.is_file() and p.name not in ("index.html", "settings.json")
        ):
            served = api.get(f"/{path.relative_to(site)}")
            assert served.content == path.read_bytes(), path
    for address in re.findall(r'(?:href|src)="(/console/[^"]+)"', html):
        assert (site / address.lstrip("/")).is_file()
    assert policy(html)["img-src"] == ["'self'", "https://project.supabase.co"]
    assert (site / "console" / "settings.json").read_text().strip() == '{ "demo": null }'
    everything = b"".join(path.read_bytes() for path in site.rglob("*") if path.is_file())
    for secret in (DEMO_PASSWORD, "nexus2026", "pharma123", stack.secret_key, stack.publishable_key):
        assert secret.encode() not in everything


def test_without_demo_people_one_signs_in(screen: Screen) -> None:
    screen.page.route("**/console/settings.json", lambda route: route.fulfill(json={"demo": None}))
    screen.go("try")
    screen.page.get_by_label("E-mail").fill("anjali@example.com")
    screen.page.get_by_label("Password").fill(DEMO_PASSWORD)
    screen.press("Sign in")
    screen.page.wait_for_selector("#message")

    screen.go("stock")
    screen.page.get_by_label("User name").wait_for()
    assert screen.page.get_by_role("button", name="Demo Pharmacist").count() == 0


def test_what_is_not_of_the_page_is_not_there(stack: RunningStack) -> None:
    with httpx.Client(base_url=stack.api_url) as api:
        for path in (
            "/console",
            "/console/",
            "/console/../site.mjs",
            "/console/vendor/",
            "/console/site.mjs",
        ):
            assert api.get(path).status_code == 404, path
