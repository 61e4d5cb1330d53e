"""The list of incidents: what the address asks for, groups by rule, pages of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.canned_control import CannedControl
from fakes.furnished import calm, furnished
from fakes.memory_store import MemoryStore
from fakes.paged import Paged, Read, read_page
from logmedic.adapters.web.pages import incidents
from logmedic.model.changeset import Changeset


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


def titles(pages: Paged, query: str) -> list[str]:
    return [each["title"] for each in pages.get(f"/incidents.json?{query}").json()["incidents"]]


def test_without_a_question_it_lists_what_is_open_newest_first(pages: Paged) -> None:
    found = titles(pages, "")
    assert len(found) == 9
    assert found[0].startswith("Redis")


@pytest.mark.parametrize(
    ("query", "how_many"),
    [
        ("status=all", 16),
        ("status=open", 6),
        ("status=failed", 1),
        ("status=resolved", 7),
        ("severity=critical", 2),
        ("severity=critical&status=all", 6),
        ("rule=ssh-guessing", 2),
        ("source=auth", 2),
        ("text=CERTIFICATE", 1),
        ("text=198.51.100.23", 1),
        ("since=30m", 4),
        ("text=no+such+thing", 0),
        ("request=checkout-41", 1),
        ("request=checkout-4", 0),
    ],
)
def test_the_address_says_which(pages: Paged, query: str, how_many: int) -> None:
    assert len(titles(pages, query)) == how_many


@pytest.mark.parametrize(
    "query", ["status=odd", "severity=grave", "since=soon", "group=host", f"text={'x' * 201}", "cursor=odd"]
)
def test_what_cannot_be_meant_is_refused_with_a_hint(pages: Paged, query: str) -> None:
    page, machine = pages.get(f"/incidents?{query}"), pages.get(f"/incidents.json?{query}")
    assert (page.status_code, machine.status_code) == (400, 400)
    assert machine.json()["hint"]


def test_the_filters_show_what_was_asked_for(pages: Paged) -> None:
    page = read_page(pages.get("/incidents?severity=low&text=%22guesses%22&since=2h").text)
    chosen = [each["value"] for each in page.of("option") if "selected" in each]
    assert chosen == ["", "low", "2h"]
    assert {"name": "text", "value": '"guesses"'}.items() <= page.of("input")[0].items()


def test_every_cell_says_what_it_is_where_a_row_is_a_list(pages: Paged) -> None:
    cells = read_page(pages.get("/incidents").text).of("td")
    assert len(cells) == 9 * 6
    assert all(each["data-label"] for each in cells)


def test_the_rows_are_a_table_also_for_a_style_that_makes_them_a_list(pages: Paged) -> None:
    page = read_page(pages.get("/incidents").text)
    assert {each["role"] for each in page.of("tr")} == {"row"}
    assert {each["role"] for each in page.of("td")} == {"cell"}


def test_an_approval_says_until_when(pages: Paged) -> None:
    times = read_page(pages.get("/incidents").text).of("time")
    assert [each for each in times if "data-left" in each]


def test_each_rule_has_its_trend_in_words(pages: Paged) -> None:
    text = pages.get("/incidents?rule=redis-memory").text
    assert "2 incidents of this rule in 24 hours, 1 in the last one" in text


def test_by_rule_each_rule_is_a_row_with_its_counts(pages: Paged) -> None:
    groups = pages.get("/incidents.json?group=rule&status=all").json()["groups"]
    nginx = next(each for each in groups if each["rule_id"] == "nginx-upstream-down")
    assert len(groups) == 8
    assert (nginx["incidents"], nginx["open"], nginx["severity"]) == (4, 1, "critical")
    assert groups[0]["severity"] == "critical"


def test_the_way_from_the_list_to_the_groups_keeps_the_filters(pages: Paged) -> None:
    links = [str(each["href"]) for each in read_page(pages.get("/incidents?status=all&source=auth").text).of("a")]
    assert "/incidents?status=all&source=auth&group=rule" in links


@pytest.mark.parametrize(
    ("query", "says"),
    [("", "No incident is open."), ("severity=low", "No incident fits.")],
    ids=["none", "none that fits"],
)
def test_an_empty_list_says_where_to_look(query: str, says: str) -> None:
    with Paged(calm()) as pages:
        page = read_page(pages.get(f"/incidents?{query}").text)
    assert says in page.text
    assert page.of("table") == []


def many(count: int) -> CannedControl:
    day = furnished().made
    one = day.open["no_fix"]
    made = (
        replace(one, id=day.id_at(one.opened_at + timedelta(seconds=n), n), title=f"number {n}") for n in range(count)
    )
    return CannedControl(MemoryStore((Changeset(incidents=tuple(made)),)))


def older(page: Read) -> str:
    return next((str(each["href"]) for each in page.of("a") if each.get("rel") == "next"), "")


def test_pages_follow_one_another_without_a_gap_and_without_a_double() -> None:
    seen: list[str] = []
    with Paged(many(120)) as pages:
        path = "/incidents?severity=medium"
        while path:
            page = read_page(pages.get(path).text)
            rows = pages.get(path.replace("/incidents?", "/incidents.json?")).json()["incidents"]
            seen += [each["title"] for each in rows]
            path = older(page)
            assert not path or parse_qs(urlsplit(path).query)["severity"] == ["medium"]
    assert seen == [f"number {n}" for n in reversed(range(120))]


def test_a_page_that_is_just_full_has_none_behind_it() -> None:
    with Paged(many(incidents.PER_PAGE)) as pages:
        assert older(read_page(pages.get("/incidents").text)) == ""
