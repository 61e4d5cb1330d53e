"""The pages of a real daemon in a real browser: they are alive, act once, and hold their tongue about what is stale."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.host import Host
from endtoend.test_daemon import until

SECOND_MS = 1000
PATIENCE_MS = 20_000


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    with made.running():
        yield made


def is_live(page: Page) -> None:
    expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE_MS)


def test_a_new_incident_is_shown_within_a_second(page: Page, host: Host) -> None:
    """Of three, the quickest: other programs may have the processor at any one moment."""
    host.sign_in(page, "/incidents")
    is_live(page)
    took: list[float] = []
    for part in ("till", "door", "shelf"):
        wrote_at = time.monotonic()
        host.write(f"shop {part} down")
        page.get_by_text(f"shop {part} is down").first.wait_for(timeout=PATIENCE_MS)
        took.append((time.monotonic() - wrote_at) * SECOND_MS)
    print(f"\na line is on the page after {', '.join(f'{each:.0f} ms' for each in took)}")
    assert min(took) < SECOND_MS


def test_a_double_click_approves_once_and_the_fix_runs_once(page: Page, host: Host) -> None:
    host.write("shop till down")
    until(lambda: "shop till is down" in host.world.titles(), "it asks")
    host.sign_in(page, "/")
    page.get_by_role("link", name="Approve").first.click()
    assert host.ran() == 0
    page.get_by_role("button", name="Approve").dblclick()
    page.get_by_text("pproved").first.wait_for(timeout=PATIENCE_MS)
    until(lambda: host.incident("shop till is down")["resolution"] == "fixed", "it is fixed")
    events = host.incident("shop till is down")["events"]
    assert [each["kind"] for each in events].count("approved") == 1
    assert host.ran() == 1


def test_the_incident_s_page_follows_its_fix_to_the_end(page: Page, host: Host) -> None:
    host.write("shop till down")
    until(lambda: "shop till is down" in host.world.titles(), "it asks")
    row = host.incident("shop till is down")
    host.sign_in(page, f"/incidents/{row['id']}")
    is_live(page)
    host.ground.typed("approve", row["id"][-8:])
    expect(page.locator("main")).to_contain_text("fixed", timeout=PATIENCE_MS)


def test_a_stream_that_is_cut_is_called_stale_and_nothing_is_missing_afterwards(page: Page, tmp_path: Path) -> None:
    host = Host(tmp_path)
    with host.running():
        host.sign_in(page, "/live")
        is_live(page)
        host.write("shop till down")
        page.get_by_text("shop till is down").first.wait_for(timeout=PATIENCE_MS)
    expect(page.locator("#live")).to_contain_text("stale since", timeout=PATIENCE_MS)
    host.write("shop door down", "shop shelf down")
    with host.running():
        until(lambda: "shop shelf is down" in host.world.titles(), "the lines are read")
        is_live(page)
        page.get_by_text("shop shelf is down").first.wait_for(timeout=PATIENCE_MS)
        known = {each["id"] for each in host.world.ask("events?limit=1000")}
        until(lambda: shown(page) == known, f"each event is on the page: {known ^ shown(page)}")


def shown(page: Page) -> set[str]:
    ids: list[str] = page.eval_on_selector_all("#entries > li", "found => found.map(each => each.id)")
    assert len(ids) == len(set(ids)), "an event is shown twice"
    return {each.removeprefix("e-") for each in ids}


def test_what_somebody_types_outlives_news(page: Page, host: Host) -> None:
    host.sign_in(page, "/incidents")
    is_live(page)
    box = page.locator("main input[type=search]").first
    box.fill("half a wo")
    host.write("shop till down")
    page.get_by_text("shop till is down").first.wait_for(timeout=PATIENCE_MS)
    assert box.input_value() == "half a wo"


EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.mark.parametrize("path", ["/", "/learned", "/live"])
def test_a_script_in_an_error_is_text_wherever_it_is_told(page: Page, host: Host, path: str) -> None:
    host.sign_in(page, path)
    is_live(page)
    host.write(*(f"ERROR worker {number} broke at {EVIL}" for number in range(12)))
    holds_text_alone(page)


def test_a_script_in_a_line_is_text_on_the_page_of_its_incident(page: Page, host: Host) -> None:
    host.write(f"quoted {EVIL}")
    until(lambda: "something was quoted" in host.world.titles(), "it is an incident")
    host.sign_in(page, f"/incidents/{host.incident('something was quoted')['id']}")
    is_live(page)
    holds_text_alone(page)


def holds_text_alone(page: Page) -> None:
    page.get_by_text("document.title").first.wait_for(timeout=PATIENCE_MS)
    assert "owned" not in page.title()
    assert page.locator("main img, main script").count() == 0


def test_keys_lead_from_page_to_page(page: Page, host: Host) -> None:
    host.sign_in(page, "/")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url(f"{host.url}/incidents")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.goto(host.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_who_has_not_signed_in_sees_a_form_and_who_has_signed_out_too(page: Page, host: Host) -> None:
    page.goto(f"{host.url}/incidents")
    assert "/sign-in" in page.url
    page.goto(host.url + "/sign-in")
    page.locator("input[type=password]").fill("lm_wrong")
    page.locator("button[type=submit]").first.click()
    expect(page.locator("main")).to_contain_text("token")
    host.sign_in(page, "/incidents")
    expect(page.locator("h1")).to_contain_text("ncidents")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{host.url}/incidents")
    assert "/sign-in" in page.url
