"""What the script of the pages does beyond showing them anew: it keeps what is in use, holds a list, and knows keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from fakes.furnished import FurnishedControl, furnished
from fakes.served import Dashboard, serving_dashboard
from logmedic.model.changeset import Changeset
from logmedic.model.issue import IncidentEvent

PATIENCE_MS = 20_000
NUMBERS = count(20_000)


@pytest.fixture
def control() -> FurnishedControl:
    return furnished()


@pytest.fixture
def door(control: FurnishedControl) -> Iterator[Dashboard]:
    with serving_dashboard(control) as opened:
        yield opened


@pytest.fixture
def signed_in(page: Page, door: Dashboard) -> Page:
    page.goto(f"{door.url}/sign-in")
    page.locator("input[type=password]").fill(door.acts)
    page.locator("button[type=submit]").first.click()
    expect(page.locator("h1")).to_have_text("Needs you")
    return page


def visit(page: Page, door: Dashboard, path: str) -> None:
    page.goto(door.url + path)
    expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE_MS)


def happen(control: FurnishedControl, title: str) -> None:
    """A new incident."""
    now, number = datetime.now(UTC), next(NUMBERS)
    incident = replace(
        control.made.open["unknown"], id=control.made.id_at(now, number), title=title, opened_at=now, last_match_at=now
    )
    event = IncidentEvent(control.made.id_at(now, number + 40_000), incident.id, now, "opened", title)
    control.happen(Changeset(incidents=(incident,), events=(event,)))


def test_what_is_unfolded_and_folded_stays_so(signed_in: Page, door: Dashboard, control: FurnishedControl) -> None:
    page = signed_in
    visit(page, door, "/incidents/00000105")
    page.get_by_text("Output, 12 lines").click()
    page.get_by_text("Output, one line").click()
    before = page.eval_on_selector_all("details", "all => all.map(each => each.open)")
    page.evaluate("document.addEventListener('htmx:afterSettle', () => document.body.dataset.settled = 'yes')")
    happen(control, "something else")
    page.locator("body[data-settled]").wait_for(state="attached", timeout=PATIENCE_MS)
    assert page.eval_on_selector_all("details", "all => all.map(each => each.open)") == before
    assert before.count(True) == 1


def test_a_paused_list_holds_what_comes_and_then_shows_all_of_it(
    signed_in: Page, door: Dashboard, control: FurnishedControl
) -> None:
    page = signed_in
    visit(page, door, "/live")
    page.keyboard.press("p")
    for title in ("the first", "the second"):
        happen(control, title)
    expect(page.get_by_role("button", name="Go on (2 new)")).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator("#entries").get_by_text("the first").count() == 0
    page.keyboard.press("p")
    expect(page.locator("#entries > li").first).to_contain_text("the second")
    expect(page.locator("#entries > li").nth(1)).to_contain_text("the first")


def test_a_list_shows_only_what_was_asked_for(signed_in: Page, door: Dashboard, control: FurnishedControl) -> None:
    page = signed_in
    visit(page, door, "/live?severity=critical")
    happen(control, "a low one")
    critical = replace(control.made.open["approval"], title="a critical one")
    now = datetime.now(UTC)
    event = IncidentEvent(control.made.id_at(now, next(NUMBERS)), critical.id, now, "held", "again")
    control.happen(Changeset(incidents=(critical,), events=(event,)))
    expect(page.locator("#entries > li").first).to_contain_text("a critical one", timeout=PATIENCE_MS)
    assert page.locator("#entries").get_by_text("a low one").count() == 0


def test_keys_go_through_rows_and_leave_fields_alone(signed_in: Page, door: Dashboard) -> None:
    page = signed_in
    visit(page, door, "/incidents")

    def focused() -> str:
        return str(page.evaluate("document.activeElement.textContent"))

    page.keyboard.press("j")
    first = focused()
    page.keyboard.press("j")
    second = focused()
    page.keyboard.press("k")
    assert first.startswith("Redis")
    assert second.startswith("nginx")
    assert focused() == first
    page.keyboard.press("/")
    page.keyboard.type("gi j?p")
    assert page.locator("main input[type=search]").first.input_value() == "gi j?p"
    assert not page.locator("#keys").is_visible()


def test_the_list_of_keys_opens_and_closes_and_gives_the_place_back(signed_in: Page, door: Dashboard) -> None:
    page = signed_in
    visit(page, door, "/incidents")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    page.locator("#keys").get_by_role("button", name="Close").click()
    expect(page.locator("#keys")).to_be_hidden()
    assert page.url == f"{door.url}/incidents"


def test_a_session_that_is_over_is_led_to_the_form_and_no_page_is_half_replaced(
    signed_in: Page, door: Dashboard, control: FurnishedControl
) -> None:
    page = signed_in
    visit(page, door, "/incidents")
    page.context.clear_cookies()
    happen(control, "nobody sees it")
    page.wait_for_url("**/sign-in?**", timeout=PATIENCE_MS)
    assert "incidents" in page.url


def test_a_countdown_runs(signed_in: Page, door: Dashboard) -> None:
    page = signed_in
    visit(page, door, "/incidents/00000029")
    left = page.locator("time[data-left]").first
    begun = left.inner_text()
    assert begun.endswith("s left")
    expect(left).not_to_have_text(begun, timeout=PATIENCE_MS)


def test_the_stream_rests_while_nobody_looks(signed_in: Page, door: Dashboard, control: FurnishedControl) -> None:
    """And what came meanwhile is there at once afterwards."""
    page = signed_in
    visit(page, door, "/incidents")
    looked_at = "Object.defineProperty(document, 'hidden', {{value: {0}, configurable: true}})"
    page.evaluate(looked_at.format("true"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    happen(control, "came unseen")
    page.evaluate(looked_at.format("false"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("came unseen").first).to_be_visible(timeout=PATIENCE_MS)
