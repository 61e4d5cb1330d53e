"""The first page: what waits for a person, with what to do about it; and the happy state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.furnished import calm, furnished
from fakes.paged import Paged, read_page
from logmedic.adapters.web.pages import needs
from logmedic.model.need import NeedKind

CALM = {
    "needs": [],
    "needs_total": 0,
    "watched": {"sources": 12, "rules": 31, "mode": "auto", "armed": True, "paused": False},
    "stats": {"total_errors": 0, "auto_fixed": 0, "auto_fix_success_rate": None, "avg_recovery_time_s": None},
    "fixed": [],
}


TEXTS = ("incident", "issue", "rule", "receiver", "source", "target", "acked_by", "title", "detail", "to_do", "command")
NEED = {**dict.fromkeys(TEXTS, ""), "kind": "store", "severity": "critical", "since": None, "until": None}


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


def test_the_most_urgent_comes_first_with_its_time_its_buttons_and_its_command(pages: Paged) -> None:
    text = pages.get("/").text
    first = read_page(text[text.index("<article") : text.index("</article>")])
    ways = [each["href"] for each in first.of("a")]
    assert "nginx cannot reach upstream" in first.text
    assert "left" in first.text
    assert "logmedic approve 00000029" in first.text
    assert [way.rpartition("/")[2] for way in ways[1:] if way] == ["approve", "reject", "ack", "silence"]


def test_what_somebody_takes_care_of_says_so_and_offers_it_to_nobody_else(pages: Paged) -> None:
    text = pages.get("/").text
    cards = [read_page(each.partition("</article>")[0]) for each in text.split("<article")[1:]]
    (taken,) = (each for each in cards if "bob takes care of it" in each.text)
    assert not any(str(each["href"]).endswith("/ack") for each in taken.of("a"))


def test_the_title_of_the_page_counts_them(pages: Paged) -> None:
    assert "<title>(10) Needs you - logmedic on db1</title>" in pages.get("/").text


def test_a_happy_host_says_what_it_watches_and_needs_nothing() -> None:
    with Paged(calm()) as pages:
        page = read_page(pages.get("/").text)
    assert "Nothing needs you" in page.text
    assert "sources12" in page.text
    assert page.of("article") == []


def test_fixes_that_worked_lately_are_told(pages: Paged) -> None:
    page = read_page(pages.get("/").text)
    assert "by restart app in 2 s" in page.text


@pytest.mark.parametrize("kind", list(NeedKind))
def test_every_kind_of_need_has_words_and_a_tone(kind: NeedKind, pages: Paged) -> None:
    row = {**NEED, "kind": kind.value, "title": "it <b>is", "detail": "D.", "to_do": "T.", "command": "logmedic x"}
    with Paged(calm()) as happy:
        view = happy.view()
    page = read_page(needs.render({**CALM, "needs": [row], "needs_total": 1}, view))
    assert "it <b>is" in page.text
    assert page.of("b") == [{}]  # that of `Next`
    assert len(page.of("article")) == 1


def test_more_than_are_shown_are_counted(pages: Paged) -> None:
    with Paged(calm()) as happy:
        text = read_page(needs.render({**CALM, "needs_total": 1200, "needs": [NEED] * 200}, happy.view())).text
    assert "1,200 things wait" in text or "1200 things wait" in text
    assert "And 1,000 more" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"paused": True}, "paused"),
        ({"armed": False}, "disarmed"),
        ({"mode": "observe"}, "only observed"),
        ({"mode": "approve"}, "run when somebody approves"),
    ],
    ids=["paused", "disarmed", "observe", "approve"],
)
def test_whether_fixes_run_is_said(changes: dict[str, object], says: str) -> None:
    with Paged(calm()) as happy:
        text = read_page(needs.render({**CALM, "watched": {**CALM["watched"], **changes}}, happy.view())).text  # type: ignore[dict-item]
    assert says in text
