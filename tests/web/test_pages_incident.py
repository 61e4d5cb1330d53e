"""The page of one incident: its story in one order of time, what is wanted, what was tried, who was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.furnished import FurnishedControl, furnished
from fakes.furnished_day import LONG
from fakes.paged import Paged, read_page
from logmedic.adapters.web.pages import parts, timeline
from logmedic.model.changeset import Changeset
from logmedic.model.issue import IncidentEvent

APPROVAL, FAILED, OVER, HOSTILE = (f"/incidents/{each}" for each in ("00000029", "00000105", "000007d1", "00000579"))


@pytest.fixture(scope="module")
def control() -> FurnishedControl:
    return furnished()


@pytest.fixture(scope="module")
def pages(control: FurnishedControl) -> Iterator[Paged]:
    with Paged(control) as opened:
        yield opened


def test_the_story_is_told_in_the_order_of_time(pages: Paged) -> None:
    text = read_page(pages.get(FAILED).text).text
    story = text[text.index("What happened") :]
    told = ["seen PostgreSQL", "fix step 1", "exit 1 in 4.21 s", "verify http", "fix step 2", "result no step held"]
    places = [story.index(each) for each in told]
    assert places == sorted(places)


def test_the_way_says_how_far_each_stage_came(pages: Paged) -> None:
    text = read_page(pages.get(FAILED).text).text
    for words in (
        "seen: 412x",
        "fix: 2 steps were run",
        "verify: not fixed",
        "result: failed",
        "alert: 1 receiver told",
    ):
        assert words in text


def test_requests_of_applications_that_failed_of_it_are_named_whole_the_newest_first(pages: Paged) -> None:
    text = read_page(pages.get(FAILED).text).text
    assert "failed requests8f3c2b1e4d5a46c7b8d9e0f1a2b3c4d5, checkout-41" in text
    assert "seen request checkout-41 of checkout (charge), reported by shop[4711]: OperationalError" in text
    assert "failed requests" not in read_page(pages.get(OVER).text).text


def test_what_was_captured_is_marked_in_the_line_and_named(pages: Paged) -> None:
    page = read_page(pages.get(APPROVAL).text)
    assert [each["title"] for each in page.of("mark")] == ["client", "vhost", "upstream"]


def test_each_attempt_says_what_ran_where_and_what_came_of_it(pages: Paged) -> None:
    page = read_page(pages.get(FAILED).text)
    for words in (
        "1. restart pgbouncer",
        "systemctl restart pgbouncer.service",
        "exit 1 after 4 s",
        "bubblewrap",
        "not fixed",
    ):
        assert words in page.text
    outputs = list(page.of("details"))
    assert [("open" in each) for each in outputs[-2:]] == [False, True]  # the long one is folded


def test_an_open_one_says_what_holds_its_fix_and_what_to_do(pages: Paged) -> None:
    text = read_page(pages.get(APPROVAL).text).text
    assert "It waits for somebody to say yes or no." in text
    assert "waits for approval" in text
    assert "logmedic why 00000029" in text


def test_only_what_can_be_done_is_offered(pages: Paged) -> None:
    def ways(path: str) -> set[str]:
        links = (str(each["href"]) for each in read_page(pages.get(path).text).of("a"))
        return {each.rpartition("/")[2] for each in links if each.startswith("/incidents/") and each.count("/") == 3}

    assert ways(APPROVAL) == {"approve", "reject", "ack", "silence"}
    assert ways(FAILED) == {"ack", "silence"}
    assert ways(OVER) == set()


def test_one_that_is_over_says_how_and_after_how_long(pages: Paged) -> None:
    text = read_page(pages.get(OVER).text).text
    assert "It is over: all checks passed." in text
    assert "It took 3 min." in text
    assert "What is wanted now" not in text


def test_who_was_told_and_who_could_not_be(pages: Paged) -> None:
    text = read_page(pages.get(APPROVAL).text).text
    assert "oncall-chat: approval needed" in text
    assert "given up after 9 tries: 550 5.1.1 no such user" in text


def test_who_takes_care_of_it_can_give_it_back(pages: Paged) -> None:
    page = read_page(pages.get("/incidents/000001ff").text)
    assert "bob takes care of it" in page.text
    assert any(str(each["href"]).endswith("/unack") for each in page.of("a"))


def test_a_silence_that_covers_it_is_named_with_its_end(pages: Paged) -> None:
    page = read_page(pages.get("/incidents/0000076d").text)
    assert "alice: the new certificate is on its way" in page.text
    assert any(str(each["href"]).startswith("/silences/") for each in page.of("a"))


def test_similar_ones_come_with_what_fixed_them(pages: Paged) -> None:
    text = read_page(pages.get(APPROVAL).text).text
    assert "fixed by restart app" in text
    assert "systemctl restart app.service" in text


def test_what_comes_before_its_issue_is_told(pages: Paged) -> None:
    assert "came first in 4 of 5 times" in read_page(pages.get(APPROVAL).text).text


def test_a_line_without_end_does_not_fill_the_page(pages: Paged) -> None:
    assert len(pages.get(HOSTILE).text) < 40_000
    assert LONG[:1000] in pages.get(HOSTILE).text


def test_a_story_of_months_is_cut_from_the_front_and_says_so() -> None:
    made = furnished()
    of = made.made.open["no_fix"]
    events = tuple(
        IncidentEvent(
            made.made.id_at(of.opened_at + timedelta(seconds=n), n),
            of.id,
            of.opened_at + timedelta(seconds=n),
            "held",
            f"look {n}",
        )
        for n in range(1, 2001)
    )
    with Paged(made) as pages:
        pages.run(made.commit(Changeset(events=events)))
        text = read_page(pages.get(f"/incidents/{of.id}").text).text
    assert "look 2000" in text
    assert "look 1000" not in text
    assert f"{2000 + 2 - timeline.SHOWN} earlier entries left out" in text


def test_an_incident_whose_rule_and_issue_are_gone_is_still_told() -> None:
    made = furnished()
    of = replace(made.made.open["failed"], id="0199-gone-1234", issue_id="", captures={}, evidence="", source="")
    with Paged(made) as pages:
        pages.run(made.commit(Changeset(incidents=(of,))))
        answer = pages.get("/incidents/0199-gone-1234")
    assert answer.status_code == 200
    assert "No line was kept." in read_page(answer.text).text


# -- pieces ------------------------------------------------------------------------------------------------------------

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def incident(*events: tuple[int, str, str]) -> dict[str, object]:
    rows = [
        {"at": (AT + timedelta(seconds=after)).isoformat(), "kind": kind, "text": text} for after, kind, text in events
    ]
    return {"events": rows, "alerts": []}


def test_what_is_said_again_and_again_is_said_once() -> None:
    told = timeline.moments(incident((0, "opened", "it"), *((n, "held", "the fix is held") for n in range(1, 50))))
    assert [(each.text, each.times) for each in told] == [("it", 1), ("the fix is held", 49)]


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(["opened", "held", "probed", "odd"]), st.text(max_size=5))
    )
)
def test_moments_are_in_order_and_lose_nothing(events: list[tuple[int, str, str]]) -> None:
    told = timeline.moments(incident(*events))
    assert [each.at for each in told] == sorted(each.at for each in told)
    assert sum(each.times for each in told) == len(events)


@given(st.text(max_size=80), st.dictionaries(st.sampled_from("abc"), st.text(max_size=10)))
def test_marking_captures_changes_nothing_of_the_line(text: str, captures: dict[str, str]) -> None:
    shown = read_page(parts.log(text, captures))
    bare = read_page(parts.log(text))
    assert shown.text == bare.text
