"""Every page in a real browser: for everybody, on every screen, with scripts and without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fakes.furnished import furnished
from fakes.served import Dashboard, serving_dashboard

PATHS = [
    "/",
    "/incidents",
    "/incidents/ONE",
    "/fixes",
    "/pulse",
    "/learned",
    "/learned/ONE",
    "/rules",
    "/rules/nginx-upstream-down",
    "/alerts",
    "/live",
]
WIDTHS = {"phone": 390, "desk": 1280}
GRAVE = {"serious", "critical"}
SMALLEST = 10_000
"""Bytes: an empty page is smaller."""
CHECKED = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def door() -> Iterator[Dashboard]:
    with serving_dashboard(furnished()) as opened:
        yield opened


@contextmanager
def window(
    browser: Browser, door: Dashboard, scheme: str = "light", width: int = 1280, *, scripts: bool = True
) -> Iterator[Page]:
    """Signed in."""
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{door.url}/sign-in")
    page.locator("input[type=password]").fill(door.acts)
    page.locator("button[type=submit]").first.click()
    yield page
    context.close()


def visit(page: Page, door: Dashboard, path: str) -> None:
    """ONE is the first that the list above it leads to."""
    above = path.removesuffix("ONE")
    page.goto(door.url + (above.rstrip("/") or "/"))
    if path != above:
        page.goto(door.url + str(page.locator(f"main a[href^='{above}']").first.get_attribute("href")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_grave_fault(browser: Browser, door: Dashboard, scheme: str) -> None:
    found: list[str] = []
    with window(browser, door, scheme) as page:
        for path in PATHS:
            visit(page, door, path)
            told = Axe().run(page, options={"runOnly": {"type": "tag", "values": CHECKED}})
            found += [
                f"{path}: {each['id']} ({each['impact']}): {each['nodes'][0]['html'][:200]}"
                for each in told.response["violations"]
                if each["impact"] in GRAVE
            ]
    assert found == []


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_no_page_is_wider_than_its_screen(browser: Browser, door: Dashboard, width: int) -> None:
    with window(browser, door, width=width) as page:
        for path in PATHS:
            visit(page, door, path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_without_scripts_every_page_answers(browser: Browser, door: Dashboard) -> None:
    """What it says there is what it says with them, and each has a heading and the way to the others."""
    with window(browser, door, scripts=False) as without, window(browser, door) as beside:
        for path in PATHS:
            visit(without, door, path)
            visit(beside, door, path)
            assert without.locator("h1").count() == 1, path
            assert without.locator("nav a").count() >= 8, path
            words = {each for each in beside.locator("main").inner_text().split() if each.isalpha()}
            missing = words - set(without.locator("main").inner_text().split())
            assert len(missing) <= len(words) // 10, f"{path}: {sorted(missing)}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", list(WIDTHS))
def test_pictures(browser: Browser, door: Dashboard, tmp_path: Path, screen: str, scheme: str) -> None:
    """PICTURES=DIR keeps them. Each shows something, and no two pages look the same."""
    kept = Path(os.environ.get("PICTURES") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with window(browser, door, scheme, WIDTHS[screen]) as page:
        for path in PATHS:
            visit(page, door, path)
            expect(page.locator("#live")).to_have_text("live")
            name = path.strip("/").replace("/", "-") or "needs-you"
            taken.append(kept / f"{name}-{screen}-{scheme}.png")
            page.screenshot(path=taken[-1], full_page=screen == "phone")
    assert [each.name for each in taken if each.stat().st_size < SMALLEST] == []
    assert len({sha256(each.read_bytes()).digest() for each in taken}) == len(taken)
