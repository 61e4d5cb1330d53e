"""What no rule knows, as pages: lists, one issue, and nothing of a log that is more than text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fakes.canned_control import CannedControl
from fakes.furnished import furnished
from fakes.furnished_day import HOSTILE
from fakes.memory_store import MemoryStore
from fakes.paged import BOB, Paged, read_page
from logmedic.adapters.web.html import joined
from logmedic.adapters.web.pages import learned
from logmedic.model.changeset import Changeset
from logmedic.model.issue import IssueSource, KnownIssue, Template
from logmedic.model.severity import Severity


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


def first(pages: Paged) -> str:
    return str(pages.get("/learned.json").json()["issues"][0]["id"])


def test_it_lists_learned_issues_and_templates_that_may_become_ones(pages: Paged) -> None:
    answer = pages.get("/learned.json").json()
    text = read_page(pages.get("/learned").text).text
    assert answer["issues"]
    for each in answer["issues"]:
        assert each["title"].split("<")[0] in text
    assert answer["templates"][0]["component"] in text


@pytest.mark.parametrize(("query", "how_many"), [("status=muted", 1), ("text=PAYMENT", 1), ("text=no+such", 0)])
def test_the_address_says_which(pages: Paged, query: str, how_many: int) -> None:
    assert len(pages.get(f"/learned.json?{query}").json()["issues"]) == how_many


@pytest.mark.parametrize("query", ["status=odd", "cursor=odd", f"text={'x' * 201}"])
def test_what_cannot_be_meant_is_refused(pages: Paged, query: str) -> None:
    assert pages.get(f"/learned?{query}").status_code == 400
    assert pages.get(f"/learned.json?{query}").json()["hint"]


def test_one_issue_has_its_story_samples_and_what_can_be_decided(pages: Paged) -> None:
    page = pages.get(f"/learned/{first(pages)}").text
    read = read_page(page)
    assert "No rule knows this error" in read.text
    assert "order 9f31c2" in read.text
    for action in ("promote", "mute", "resolve", "merge"):
        assert f"/issues/{first(pages)}/{action}" in page


def test_a_long_record_is_shown_whole_and_once() -> None:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    whole = (
        "ERROR cannot book order 17\nTraceback (most recent call last):\n"
        + '  File "shop.py"\n' * 60
        + "Boom: no money"
    )
    further = (whole[:600], whole[:600].replace("17", "18"))
    issue = KnownIssue(
        "i1", IssueSource.LEARNED, "t1", "recurring_error", "shop: lost", Severity.HIGH, at, at, occurrences=1
    )
    template = Template("t1", "cannot book order <n>", "shop", whole, 2, at, at, issue_id="i1", samples=further)
    with Paged(CannedControl(MemoryStore((Changeset(issues=(issue,), templates=(template,)),)))) as pages:
        page = pages.get("/learned/i1").text
    assert page.count("cannot book order 17\n") == page.count("cannot book order 18\n") == 1
    assert "Boom: no money" in page
    assert "seenonce" in read_page(page).text


def test_who_may_only_look_is_offered_nothing_to_decide() -> None:
    with Paged(furnished(), BOB) as pages:
        page = pages.get(f"/learned/{first(pages)}").text
    assert "/promote" not in page


def test_an_issue_that_is_not_there_is_said_with_where_to_look(pages: Paged) -> None:
    answer = pages.get("/learned/nothing")
    assert answer.status_code == 404
    assert "logmedic issues" in answer.text


def test_where_nothing_was_learned_it_says_what_would_be() -> None:
    with Paged(CannedControl(MemoryStore(()))) as pages:
        assert "Nothing was learned yet" in read_page(pages.get("/learned").text).text


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("order <id> of <ip>", "order <mark>&lt;id&gt;</mark> of <mark>&lt;ip&gt;</mark>"),
        ("a < b", "a &lt; b"),
        ("<script>alert(1)</script>", None),
        (HOSTILE, None),
        ("<", "&lt;"),
        ("<>", "&lt;&gt;"),
    ],
    ids=["masks", "less than", "script", "hostile", "one sign", "empty"],
)
def test_a_template_is_text_with_its_masks_marked(template: str, shown: str | None) -> None:
    made = learned.masked(template)
    assert made == joined(made)
    assert "<script" not in made
    assert "<img" not in made
    if shown is not None:
        assert made == shown


def test_what_applications_report_is_no_error_of_a_log_and_becomes_no_rule() -> None:
    control = furnished()
    known = control.made.learned[0]
    degraded = replace(
        known,
        id="0193-eeee5555",
        fingerprint="reported:degraded:checkout:recommendations",
        issue_type="graceful_degradation",
        title="recommendations is degraded",
        description="checkout (user shop) reported: <b>TimeoutError</b>",
        error_pattern="",
        tags=("degraded", "checkout"),
    )
    asyncio.run(control.commit(Changeset(issues=(degraded,))))
    with Paged(control) as pages:
        page = pages.get(f"/learned/{degraded.id}").text
        listed = read_page(pages.get("/learned").text).text
        refused = pages.get(f"/issues/{degraded.id}/promote")
    told = read_page(page).text
    assert "reported by an application" in told
    assert "checkout (user shop) reported: <b>TimeoutError</b>" in told
    assert "No rule knows this error" not in told
    assert f"/issues/{degraded.id}/mute" in page
    assert f"/issues/{degraded.id}/resolve" in page
    for offered in ("promote", "merge"):
        assert f"/issues/{degraded.id}/{offered}" not in page
    assert "reported: degraded, checkout" in listed
    assert refused.status_code == 404
    assert "was reported by an application" in read_page(refused.text).text
