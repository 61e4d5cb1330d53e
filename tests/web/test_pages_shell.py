"""What all pages have in common: nothing inline, a way to everywhere, the same as JSON, text of logs as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from fakes.furnished import furnished
from fakes.furnished_day import HOSTILE
from fakes.paged import BOB, Paged, read_page
from logmedic.adapters.web.callers import Caller
from logmedic.adapters.web.pages import static
from logmedic.adapters.web.pages.layout import NAVIGATION

OPEN = "/incidents/00000029"
PATHS = [
    "/",
    "/incidents",
    "/incidents?group=rule&status=all",
    OPEN,
    "/incidents/00000105",
    "/incidents/00000579",
    "/live",
    f"{OPEN}/approve",
    f"{OPEN}/silence",
    "/pause",
    "/issues/0000012c/promote",
]
WITH_JSON = ["/incidents", OPEN, "/live", "/issues/0000012c/promote"]
POLICY_BREAKERS = re.compile(r"\son\w+$|^style$")


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages: Paged, path: str) -> None:
    page = read_page(pages.get(path).text)
    for tag, attributes in page.tags:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        if tag in ("script", "link"):
            place = attributes.get("src") or attributes.get("href") or ""
            assert place.startswith("/static/")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_one_heading_one_main_and_unique_ids(pages: Paged, path: str) -> None:
    answer = pages.get(path)
    page = read_page(answer.text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert answer.status_code == 200
    assert (len(page.of("h1")), len(page.of("main"))) == (1, 1)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_leads_to_all_others_and_past_them(pages: Paged, path: str) -> None:
    links = [each.get("href") for each in read_page(pages.get(path).text).of("a")]
    assert links[0] == "#main"
    assert {way for way, _ in NAVIGATION} <= set(links)


def test_the_page_that_is_shown_is_marked_in_the_navigation(pages: Paged) -> None:
    links = read_page(pages.get(OPEN).text).of("a")
    assert [each["href"] for each in links if each.get("aria-current") == "page"] == ["/incidents"]


@pytest.mark.parametrize("path", PATHS)
def test_text_of_a_log_is_text(pages: Paged, path: str) -> None:
    text = pages.get(path).text
    assert "<script>" not in text
    assert "<img" not in text
    assert not set("\u202e\u202c\x1b\x00") & set(text)


def test_hostile_text_is_shown_nevertheless(pages: Paged) -> None:
    assert "<script>document.title='owned'</script>" in HOSTILE
    assert "<script>document.title='owned'</script>" in read_page(pages.get("/incidents/00000579").text).text


@pytest.mark.parametrize("path", WITH_JSON)
def test_the_same_is_there_as_json(pages: Paged, path: str) -> None:
    link = f"{path}.json"
    answer = pages.get(link)
    assert link in [each.get("href") for each in read_page(pages.get(path).text).of("a")]
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()


def test_the_json_of_the_first_page_has_a_name(pages: Paged) -> None:
    assert "/needs-you.json" in [each.get("href") for each in read_page(pages.get("/").text).of("a")]
    assert pages.get("/needs-you.json").json()["needs"]


def test_filters_go_along_to_the_json(pages: Paged) -> None:
    link = "/incidents.json?severity=low"
    assert link in [each.get("href") for each in read_page(pages.get("/incidents?severity=low").text).of("a")]
    assert {each["severity"] for each in pages.get(link).json()["incidents"]} == {"low"}


def test_what_is_not_there_is_said_on_a_page_and_in_json(pages: Paged) -> None:
    page, machine = pages.get("/incidents/nowhere"), pages.get("/incidents/nowhere.json")
    assert (page.status_code, machine.status_code) == (404, 404)
    assert "No incident nowhere" in read_page(page.text).text
    assert machine.json()["error"].startswith("no incident nowhere")


@pytest.mark.parametrize("name", static.NAMES)
def test_a_file_may_be_kept_for_ever_at_its_address(pages: Paged, name: str) -> None:
    answer = pages.get(static.address(name))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


def test_an_older_address_of_a_file_is_answered_and_not_kept(pages: Paged) -> None:
    answer = pages.get("/static/0123456789abcdef/style.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("name", ["%2e%2e/pages/site.py", "vendor/%2e%2e/pages/site.py", "nothing.css"])
def test_no_other_file_is_served(pages: Paged, name: str) -> None:
    assert pages.get(f"/static/0123456789abcdef/{name}").status_code == 404


def test_what_waits_is_counted_beside_its_page(pages: Paged) -> None:
    page = read_page(pages.get("/live").text)
    badges = [attributes["data-path"] for attributes in page.of("span") if attributes.get("class") == "badge"]
    assert badges == ["/", "/incidents", "/alerts"]
    assert "Incidents 9" in page.text


def test_the_navigation_is_there_alone_for_a_page_that_stays_as_it_is(pages: Paged) -> None:
    answer = read_page(pages.get("/navigation?at=/live").text)
    assert answer.tags[0][0] == "nav"
    assert [each["href"] for each in answer.of("a") if each.get("aria-current") == "page"] == ["/live"]


def test_who_looks_is_named_and_whether_they_may_act() -> None:
    with Paged(furnished(), BOB) as pages:
        assert "bob, who may look." in read_page(pages.get("/live").text).text


def test_a_session_can_be_ended_and_its_form_has_what_no_other_site_knows() -> None:
    with Paged(furnished(), Caller("carol", True, "session", csrf="s3cret")) as pages:
        page = read_page(pages.get("/live").text)
    assert {"method": "post", "action": "/sign-out"}.items() <= page.of("form")[-2].items()
    assert {"type": "hidden", "name": "csrf", "value": "s3cret"} in page.of("input")


def test_what_htmx_may_do_is_what_the_policy_allows(pages: Paged) -> None:
    (content,) = (
        each["content"] for each in read_page(pages.get("/").text).of("meta") if each.get("name") == "htmx-config"
    )
    assert json.loads(content or "") == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
    }
