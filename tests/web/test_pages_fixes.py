"""The page of fixes: lanes by target, the table that says the same, what runs, and what is held back after failures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.furnished import calm, furnished
from fakes.furnished_day import HOSTILE
from fakes.paged import BOB, Paged, read_page
from logmedic.adapters.web.pages import lanes

UNTIL = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(hours=24)


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


def row(minutes_ago: float, **more: Any) -> dict[str, Any]:
    at = (UNTIL - timedelta(minutes=minutes_ago)).isoformat()
    usual = {"kind": "ran", "target": "app.service", "rule_id": "down", "incident_id": "0193", "title": "it is down"}
    times = {"step_name": "restart app", "started_at": at, "finished_at": at, "verdict": "fixed", "hold": None}
    return {**usual, **times, **more}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "fixed"),
        ({"verdict": "not_fixed"}, "not fixed"),
        ({"verdict": "unknown"}, "unknown"),
        ({"verdict": None, "finished_at": None}, lanes.WORDS["running"]),
        ({"kind": "would", "verdict": None, "finished_at": None, "hold": "observe"}, "would have run"),
    ],
    ids=["fixed", "not fixed", "unknown", "running", "would"],
)
def test_a_mark_says_its_outcome_in_words_and_is_a_way_to_its_incident(more: dict[str, Any], says: str) -> None:
    page = read_page(lanes.drawn([row(60, **more)], SINCE, UNTIL))
    assert says in lanes.words_of(row(60, **more))
    assert [each["href"] for each in page.of("a")] == ["/incidents/0193"]
    assert lanes.words_of(row(60, **more)) in page.text


def test_what_would_have_run_alone_is_hatched() -> None:
    would = row(60, kind="would", verdict=None, finished_at=None, hold="observe")
    assert 'class="hatched"' in lanes.drawn([would], SINCE, UNTIL)
    assert 'class="hatched"' not in lanes.drawn([row(60)], SINCE, UNTIL)


def test_the_end_of_the_time_is_right_of_its_begin_and_inside_the_drawing() -> None:
    places = [lanes.place(row(minutes)["started_at"], SINCE, UNTIL) for minutes in (2000, 1440, 700, 1, 0)]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < 100


def test_marks_of_one_moment_stand_below_one_another_and_the_rest_is_counted() -> None:
    page = read_page(lanes.drawn([row(60) for _ in range(7)], SINCE, UNTIL))
    assert len(page.of("a")) == lanes.ROWS_DEEP
    assert f"+{7 - lanes.ROWS_DEEP}" in page.text


def test_hostile_names_stay_text() -> None:
    made = lanes.drawn([row(60, title=HOSTILE, target=HOSTILE, step_name=HOSTILE)], SINCE, UNTIL)
    assert "<script" not in made
    assert "<img" not in made
    assert "\x1b" not in made
    assert "\u202e" not in made


def test_nothing_on_the_page_has_a_style_of_its_own(pages: Paged) -> None:
    page = read_page(pages.get("/fixes").text)
    assert [each for _, each in page.tags if "style" in each] == []


def test_what_runs_comes_first_with_its_time(pages: Paged) -> None:
    answer, page = pages.get("/fixes.json").json(), pages.get("/fixes").text
    assert [each["target"] for each in answer["running"]] == ["redis.service"]
    assert page.index("Running now") < page.index("Held back after failures") < page.index("By target")


def test_an_open_breaker_says_when_its_trial_is_and_leads_to_closing_it(pages: Paged) -> None:
    page = read_page(pages.get("/fixes").text)
    assert "/breakers/reset?rule=worker-oom&target=worker.service" in [each.get("href") for each in page.of("a")]
    assert [each for each in page.of("time") if "data-left" in each]


def test_who_may_only_look_is_led_to_no_action() -> None:
    with Paged(furnished(), BOB) as pages:
        assert "/breakers/reset" not in pages.get("/fixes").text


@pytest.mark.parametrize(
    ("query", "how_many"),
    [
        ("", 8),
        ("verdict=fixed", 4),
        ("verdict=not_fixed", 2),
        ("target=redis.service", 1),
        ("span=1h", 4),
        ("rule=none", 0),
    ],
)
def test_the_address_says_which(pages: Paged, query: str, how_many: int) -> None:
    assert len(pages.get(f"/fixes.json?{query}").json()["fixes"]) == how_many


def test_the_table_may_be_of_another_time_than_the_drawing(pages: Paged) -> None:
    answer = pages.get("/fixes.json?span=1h&since=24h").json()
    assert len(answer["fixes"]) > len([each for each in answer["lanes"] if each["kind"] == "ran"])


@pytest.mark.parametrize("query", ["span=2h", "verdict=good", "since=soon", "cursor=odd", f"rule={'x' * 201}"])
def test_what_cannot_be_meant_is_refused_with_a_hint(pages: Paged, query: str) -> None:
    machine = pages.get(f"/fixes.json?{query}")
    assert (pages.get(f"/fixes?{query}").status_code, machine.status_code) == (400, 400)
    assert machine.json()["hint"]


def test_another_time_keeps_the_filters(pages: Paged) -> None:
    links = [each.get("href") for each in read_page(pages.get("/fixes?verdict=fixed").text).of("a")]
    assert "/fixes?verdict=fixed&span=7d" in links


def test_a_host_without_fixes_is_told_what_makes_one_run() -> None:
    with Paged(calm()) as pages:
        page = read_page(pages.get("/fixes").text)
    assert "A rule with a fix runs it when its incident opens" in page.text
    assert page.of("table") == []
