"""The pages through the real door: a session that a token began, with what keeps other sites from acting in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from fakes.furnished import FurnishedControl, furnished
from fakes.paged import read_page
from fakes.served import Dashboard, serving_dashboard

APPROVE = "/incidents/00000029/approve"
HTML = {"accept": "text/html"}


@pytest.fixture
def control() -> FurnishedControl:
    return furnished()


@pytest.fixture
def door(control: FurnishedControl) -> Iterator[Dashboard]:
    with serving_dashboard(control) as opened:
        yield opened


@pytest.fixture
def browser(door: Dashboard) -> Iterator[httpx.Client]:
    """Signed in, as who may act."""
    with signed_in(door, door.acts) as client:
        yield client


@contextmanager
def signed_in(door: Dashboard, token: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=door.url, headers={**HTML, "origin": door.url}, trust_env=False) as client:
        assert client.post("/sign-in", data={"token": token}).status_code == 303
        yield client


def test_a_page_comes_with_a_policy_that_it_keeps(browser: httpx.Client) -> None:
    answer = browser.get("/incidents")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_what_a_page_loads_is_there(browser: httpx.Client) -> None:
    page = read_page(browser.get("/").text)
    files = [str(each.get("src") or each.get("href")) for each in (*page.of("script"), *page.of("link"))]
    assert len(files) >= 6
    assert {browser.get(each).status_code for each in files} == {200}


def test_an_approval_is_done_once_in_the_name_of_who_signed_in(
    browser: httpx.Client, control: FurnishedControl
) -> None:
    form = read_page(browser.get(APPROVE).text).fields
    assert form["csrf"]
    first, second = browser.post(APPROVE, data=form), browser.post(APPROVE, data=form)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "This form was sent before" in second.text
    ((did, _, by),) = control.did
    assert did == "approve"
    assert by.startswith("alice")


@pytest.mark.parametrize(
    ("origin", "changes"),
    [("https://evil.example", {}), ("null", {}), ("", {"csrf": ""}), ("", {"csrf": "0" * 64})],
    ids=["another site", "a sandboxed one", "no secret", "a wrong secret"],
)
def test_another_site_cannot_act_in_a_session(
    browser: httpx.Client, control: FurnishedControl, origin: str, changes: dict[str, str]
) -> None:
    form = {**read_page(browser.get(APPROVE).text).fields, **changes}
    answer = browser.post(APPROVE, data=form, headers={"origin": origin} if origin else {})
    assert (answer.status_code, control.did) == (403, [])


def test_who_may_only_look_sees_everything_and_does_nothing(door: Dashboard, control: FurnishedControl) -> None:
    with signed_in(door, door.reads) as client:
        page = read_page(client.get(APPROVE).text)
        sent = client.post(APPROVE, data={"ask": "x" * 20, "csrf": "y"})
    assert "may look, and not act" in page.text
    assert (sent.status_code, control.did) == (403, [])


def test_who_has_not_signed_in_is_asked_to_and_led_back(door: Dashboard, control: FurnishedControl) -> None:
    with httpx.Client(base_url=door.url, headers=HTML, trust_env=False) as client:
        answer = client.get("/incidents?severity=low")
        machine = client.get("/incidents.json")
    assert (answer.status_code, machine.status_code) == (303, 401)
    assert answer.headers["location"] == "/sign-in?next=%2Fincidents%3Fseverity%3Dlow"


def test_a_program_with_a_token_reads_the_pages_as_json(door: Dashboard) -> None:
    with httpx.Client(base_url=door.url, trust_env=False) as client:
        answer = client.get("/incidents.json", headers={"authorization": f"Bearer {door.reads}"})
    assert len(answer.json()["incidents"]) == 9
