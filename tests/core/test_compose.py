"""One message of several stories: the title, the order, the clock of its reader, the body for plain readers."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.told import (
    ALONE,
    ASKED,
    AUCKLAND,
    BERLIN,
    BROKEN,
    FIXED,
    GOLDEN,
    HOST,
    NOW,
    OPEN,
    QUIET,
    as_kept,
    golden,
    message,
    one_of_many,
    story,
)
from logmedic.core.compose import STORIES_SHOWN, subject_of, write
from logmedic.core.links import verify
from logmedic.core.plaintext import text_of
from logmedic.core.titles import TITLE_LIMIT
from logmedic.model.alert import LinkPlan, ReceiverPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import Incident
from logmedic.model.message import Message, MessageKind, Story
from logmedic.model.severity import Severity

LINKS = LinkPlan("https://logmedic.example", b"k" * 32)


# -- golden files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(golden()))
def test_a_message_says_what_was_read_and_kept(name: str) -> None:
    """When it is to say something else: `PYTHONPATH=tests python -m core.told`, and read what changed."""
    assert (GOLDEN / f"{name}.txt").read_text(encoding="utf-8") == as_kept(golden()[name])


def test_every_kept_message_is_still_told() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(golden())


# -- the title ---------------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(sorted(ALONE)),
    st.sampled_from(MessageKind),
    st.text(max_size=300),
    st.text(max_size=300),
    st.text(max_size=80),
)
def test_a_title_is_one_short_line_that_keeps_its_mark_host_and_need(
    name: str, kind: MessageKind, host: str, symptom: str, outcome: str
) -> None:
    told = replace(ALONE[name], symptom=symptom, outcome=outcome)
    title = message(told, kind=kind, host=host).title
    assert len(title) <= TITLE_LIMIT
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in title)
    assert title.startswith("[")
    assert kind is MessageKind.DIGEST or title.endswith(told.need)


def test_a_long_symptom_is_cut_between_two_words() -> None:
    told = replace(ALONE["fix-failed"], symptom="nginx cannot reach upstream " * 20)
    wanted = "[FIX FAILED] db1: nginx cannot reach upstream nginx cannot reach upstream nginx cannot reach upstream..."
    assert message(told).title == f"{wanted} - fix failed - repair it by hand"


def test_rather_than_the_symptom_a_title_loses_its_outcome() -> None:
    host = "a-rather-long-name-of-a-host.in.some.zone.example"
    told = replace(BROKEN, symptom="nginx cannot reach upstream 10.0.0.12:8080", outcome="o" * 60)
    title = message(told, host=host).title
    assert "cannot reach upstream" in title
    assert "ooo" not in title
    assert title.endswith(" - repair it by hand")


def test_a_title_of_many_says_how_many_of_which_rule() -> None:
    many = [one_of_many(n) for n in range(12)]
    assert message(*many).title.startswith(
        "[OPEN] db1: 12 incidents of nginx-upstream-down: nginx cannot reach upstream"
    )
    assert " and 11 more - look at it" in message(*many).title


# -- what is in it -----------------------------------------------------------------------------------------------------


def test_the_most_urgent_comes_first_and_what_is_over_last() -> None:
    mild = replace(ALONE["opened"], subject="incident:mild", severity=Severity.LOW)
    bad = replace(ALONE["opened"], subject="incident:bad", severity=Severity.CRITICAL)
    done = replace(FIXED, subject="incident:done", severity=Severity.CRITICAL)
    older = replace(mild, subject="incident:older", since=mild.since - timedelta(hours=1))
    told = message(done, mild, BROKEN, older, bad)
    assert [each.subject for each in told.stories] == [
        "incident:bad",
        BROKEN.subject,
        "incident:older",
        "incident:mild",
        "incident:done",
    ]
    assert (told.event, told.severity) == (AlertEvent.OPENED, Severity.CRITICAL)


def test_what_is_over_makes_no_message_worse() -> None:
    mild = replace(ALONE["opened"], subject="incident:mild", severity=Severity.LOW)
    assert message(replace(FIXED, severity=Severity.CRITICAL), mild).severity is Severity.LOW


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40, unique=True))
def test_f73_what_is_left_out_is_counted_and_the_matches_add_up(numbers: list[int]) -> None:
    told = message(*(one_of_many(n) for n in numbers))
    assert len(told.stories) == min(len(numbers), STORIES_SHOWN)
    assert len(told.stories) + told.more == len(numbers)
    assert told.matches == sum(numbers)


def test_matches_are_of_lines_alone() -> None:
    assert message(QUIET, ALONE["rules-refused"]).matches == 0


def test_of_two_stories_of_one_subject_the_last_one_counts() -> None:
    again = replace(ALONE["opened"], outcome="later")
    assert [each.outcome for each in message(ALONE["opened"], again).stories] == ["later"]


def test_the_reader_has_each_moment_on_their_own_clock() -> None:
    told = message(BROKEN, receiver=AUCKLAND)
    assert told.at_text == "2026-11-24 03:12:41 UTC (16:12:41 NZDT)"
    assert told.stories[0].since_text == "2026-11-24 03:08:30 UTC (16:08:30 NZDT)"
    assert "2026-11-24 03:42:41 UTC (16:42:41 NZDT)" in told.stories[0].following
    assert "2026-11-24 03:08:30 UTC (16:08:30 NZDT)" in told.stories[0].broke


def test_a_time_in_a_log_line_stays_as_it_was_written() -> None:
    line = "2026-11-24 03:12:41 UTC it broke"
    told = message(replace(ALONE["opened"], evidence=line))
    assert told.stories[0].evidence == line
    assert f"\n> {line}\n" in text_of(told)


def test_the_note_says_why_it_comes_now_and_what_else_is_open() -> None:
    told = message(FIXED, note="nobody acknowledged within 15m", still_open=1)
    assert told.note == "nobody acknowledged within 15m; 1 other told of before is still open"


# -- the subject of a thread -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (BROKEN, "[logmedic] db1: nginx cannot reach upstream 10.0.0.12:8080 (6f2a91c3)"),
        (ALONE["escalated"], "[logmedic] db1: shop: item <n> is gone (beef0007)"),
        (QUIET, "[logmedic] db1: source journal:nginx.service is silent"),
    ],
    ids=["incident", "learned issue", "source"],
)
def test_a_thread_is_named_by_host_symptom_and_id(told: Story, wanted: str) -> None:
    assert subject_of(HOST, told) == wanted


@given(st.text(max_size=300), st.text(max_size=300))
def test_f74_the_subject_of_a_mail_is_one_line(host: str, symptom: str) -> None:
    subject = subject_of(host, replace(BROKEN, symptom=symptom))
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in subject)
    assert len(subject) <= 180


# -- links -------------------------------------------------------------------------------------------------------------


def linked(*told: Story, incident: Incident | None = ASKED, links: LinkPlan | None = LINKS) -> Message:
    return write(
        alert_id="a1",
        kind=MessageKind.NEWS,
        host=HOST,
        stories=told,
        thread="t",
        subject="s",
        receiver=ReceiverPlan("chat"),
        now=NOW,
        links=links,
        incident=incident,
    )


def test_a_message_of_one_open_incident_has_links_that_open_it() -> None:
    made = linked(ALONE["approval-needed"]).links
    assert {"Approve", "Reject", "Open", "Acknowledge", "Silence"} == {each.label for each in made}
    for each in made:
        claims = verify(LINKS.key, each.url.rsplit("/", 1)[1], NOW)
        assert (claims.incident_id, claims.receiver) == (ASKED.id, "chat")


def test_what_waits_for_no_answer_has_no_link_to_approve() -> None:
    assert "Approve" not in {each.label for each in linked(ALONE["opened"], incident=OPEN).links}


def test_there_are_no_links_without_a_page_or_for_several_or_for_what_is_over() -> None:
    assert linked(ALONE["opened"], links=None).links == ()
    assert linked(ALONE["opened"], incident=None).links == ()
    assert linked(ALONE["opened"], QUIET).links == ()
    assert linked(FIXED).links == ()


# -- the body ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(golden()))
def test_the_last_line_is_the_alerts_id(name: str) -> None:
    told = golden()[name]
    assert text_of(told).splitlines()[-1] == f"alert {told.id}"


@pytest.mark.parametrize("name", sorted(golden()))
def test_urls_stand_alone_on_their_line(name: str) -> None:
    told = golden()[name]
    lines = text_of(told).splitlines()
    wanted = [each.url for each in told.links]
    if len(told.stories) == 1 and told.kind is not MessageKind.DIGEST:
        wanted += [each.runbook for each in told.stories if each.runbook]
    assert [each for each in wanted if each not in lines] == []


@pytest.mark.parametrize("name", sorted(ALONE))
def test_there_is_exactly_one_command_to_copy(name: str) -> None:
    body = text_of(message(ALONE[name]))
    assert [line.strip() for line in body.splitlines() if line.startswith("    ")] == [ALONE[name].command]


@given(st.text(max_size=400))
def test_f74_no_text_of_a_log_begins_a_line_of_the_message(hostile: str) -> None:
    bad = replace(OPEN, title=hostile, evidence=f"{hostile}\nWhat you do: obey", source=hostile)
    told = message(story(bad, AlertEvent.OPENED, history=(f"History: {hostile}",)), host=hostile or HOST)
    begins = ("What ", "> ", "History:", "    logmedic ", "Runbook:", "https://wiki", "alert ", "high | ")
    for line in text_of(told).split("\n"):
        assert line == "" or line.startswith(begins), line
        assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in line)


def test_utc_alone_is_written_for_a_reader_without_a_zone() -> None:
    assert "CET" in text_of(message(BROKEN, receiver=BERLIN))
    assert "UTC (" not in text_of(message(BROKEN, receiver=ReceiverPlan("chat")))
