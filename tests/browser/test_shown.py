"""Every page in a real browser: for everybody, on every screen, with scripts and without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

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
    "/rules/ONE",
    "/alerts",
    "/live",
]
WIDTHS = {"phone": 390, "desk": 1280}
GRAVE = {"serious", "critical"}
CHECKED = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def door() -> Iterator[Dashboard]:
    with serving_dashboard(furnished()) as opened:
        yield opened


def window(
    browser: Browser, door: Dashboard, scheme: str = "light", width: int = 1280, *, scripts: bool = True
) -> BrowserContext:
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
    page.close()
    return context


def opened(context: BrowserContext, door: Dashboard, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{door.url}{path.replace('ONE', one_of(context, door, path))}")
    return page


def one_of(context: BrowserContext, door: Dashboard, path: str) -> str:
    """The first that the list above it leads to."""
    if not path.endswith("ONE"):
        return ""
    above = path.removesuffix("ONE")
    page = context.new_page()
    page.goto(door.url + above.rstrip("/"))
    href = page.locator(f"main a[href^='{above}']").first.get_attribute("href") or ""
    page.close()
    return href.removeprefix(above).partition("?")[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_grave_fault(browser: Browser, door: Dashboard, scheme: str) -> None:
    context = window(browser, door, scheme)
    found: list[str] = []
    for path in PATHS:
        page = opened(context, door, path)
        told = Axe().run(page, options={"runOnly": {"type": "tag", "values": CHECKED}})
        found += [
            f"{path}: {each['id']} ({each['impact']}): {each['nodes'][0]['html'][:200]}"
            for each in told.response["violations"]
            if each["impact"] in GRAVE
        ]
        page.close()
    context.close()
    assert found == []


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_no_page_is_wider_than_its_screen(browser: Browser, door: Dashboard, width: int) -> None:
    context = window(browser, door, width=width)
    for path in PATHS:
        page = opened(context, door, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.close()
    context.close()


def test_without_scripts_every_page_answers(browser: Browser, door: Dashboard) -> None:
    """What it says there is what it says with them, and each has a heading and the way to the others."""
    plain, scripted = window(browser, door, scripts=False), window(browser, door)
    for path in PATHS:
        without, beside = opened(plain, door, path), opened(scripted, door, path)
        assert without.locator("h1").count() == 1, path
        assert without.locator("nav a").count() >= 8, path
        words = {each for each in beside.locator("main").inner_text().split() if each.isalpha()}
        missing = words - set(without.locator("main").inner_text().split())
        assert len(missing) <= len(words) // 10, f"{path}: {sorted(missing)}"
        without.close()
        beside.close()
    plain.close()
    scripted.close()


def test_pictures(browser: Browser, door: Dashboard, tmp_path: Path) -> None:
    """PICTURES=DIR keeps them. Each shows something, and no two pages are the same."""
    kept = Path(os.environ.get("PICTURES") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    for screen, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            context, seen = window(browser, door, scheme, width), set()
            for path in PATHS:
                page = opened(context, door, path)
                page.wait_for_timeout(300) if os.environ.get("PICTURES") else None
                name = path.strip("/").replace("/ONE", "-one").replace("/", "-") or "needs-you"
                seen.add(page.screenshot(path=kept / f"{name}-{screen}-{scheme}.png", full_page=screen == "phone"))
                page.close()
            context.close()
            assert len(seen) == len(PATHS)
            assert min(map(len, seen)) > 10_000, "an empty page is smaller"
