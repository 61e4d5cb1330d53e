"""What waited, told in one message."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from builders import START
from core.outbox_bench import ARRIVED, Box, message_of, plan_of, story
from logmedic.core.digests import NAMED
from logmedic.model.alert import Alert, AlertStatus, ReceiverPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.hours import Hours
from logmedic.model.message import MessageKind
from logmedic.model.severity import Severity

NIGHT = Hours(frozenset(range(7)), time(22), time(7), UTC)


def night() -> Box:
    """It is 22:30, and chat's reader sleeps until 07:00."""
    box = Box(plan_of(ReceiverPlan("chat", zone=ZoneInfo("Europe/Berlin"), quiet_hours=(NIGHT,))))
    box.now = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
    return box


def news(box: Box, name: str, **changes: object) -> Alert:
    box.now += timedelta(minutes=1)
    kind = changes.pop("kind", MessageKind.NEWS)
    return box.tell("chat", story(f"incident:{name}", **changes), kind=kind)  # type: ignore[arg-type]


def ended(box: Box, name: str) -> Alert:
    return news(box, name, over=True, event=AlertEvent.RECOVERED, need="")


def test_one_message_has_the_last_story_of_each_subject_and_the_others_point_at_it() -> None:
    box = night()
    alerts = [news(box, "a"), news(box, "b"), news(box, "a", outcome="the fix failed", severity=Severity.CRITICAL)]
    box.answer(ARRIVED, alerts.pop())
    alerts.append(news(box, "a", outcome="still down"))
    (digest,) = box.to_due()
    message = message_of(digest)
    assert message.kind is MessageKind.DIGEST
    assert {each.subject: each.outcome for each in message.stories} == {
        "incident:a": "still down",
        "incident:b": "no fix",
    }
    assert {box.alerts[each.id].folded_into for each in alerts} == {digest.id}
    assert set(digest.tells) == {"incident:a", "incident:b"}
    assert (digest.id in digest.body, digest.route) == (True, "oncall")


def test_a_single_one_is_just_itself() -> None:
    box = night()
    alone = news(box, "a")
    (sent,) = box.to_due()
    assert (sent.id, sent.content, sent.status) == (alone.id, alone.content, AlertStatus.SENDING)
    assert box.of("chat", AlertStatus.FOLDED) == []


def test_what_came_and_went_meanwhile_is_one_short_line() -> None:
    box = night()
    news(box, "shop")
    news(box, "db")
    ended(box, "db")
    (digest,) = box.to_due()
    message = message_of(digest)
    assert [each.subject for each in message.stories] == ["incident:shop"]
    assert "over again meanwhile: db is down" in message.note
    assert "db is down" in digest.body


def test_many_that_came_and_went_are_counted() -> None:
    box = night()
    news(box, "shop")
    for n in range(NAMED + 4):
        news(box, f"x{n}")
        ended(box, f"x{n}")
    (digest,) = box.to_due()
    assert message_of(digest).note.count("and 4 others") == 1


def test_when_all_of_it_is_over_it_is_told_all_the_same() -> None:
    box = night()
    for name in ("a", "b"):
        news(box, name)
        ended(box, name)
    (digest,) = box.to_due()
    message = message_of(digest)
    assert len(message.stories) == 1
    assert message.stories[0].over
    assert "b is down" in message.note


def test_f75_the_end_of_what_was_told_before_the_night_has_its_story() -> None:
    box = night()
    news(box, "db")
    box.now -= timedelta(hours=1)
    opened = box.tell("chat", story("incident:shop"))
    assert opened.status is AlertStatus.SENDING
    box.answer()
    box.now += timedelta(hours=1)
    ended(box, "shop")
    (digest,) = box.to_due()
    assert [(each.subject, each.over) for each in message_of(digest).stories] == [
        ("incident:db", False),
        ("incident:shop", True),
    ]


def test_it_says_since_when_it_waited_on_its_readers_clock() -> None:
    box = night()
    news(box, "a")
    news(box, "b")
    (digest,) = box.to_due()
    assert message_of(digest).note.startswith("2 messages that waited since 2026-11-24 22:31:00 UTC (23:31:00 CET)")


def test_a_message_that_cannot_be_read_any_more_is_told_by_its_title() -> None:
    box = night()
    first = news(box, "a")
    news(box, "b")
    box.state.alerts[first.id] = box.alerts[first.id] = Alert(
        **{each: getattr(first, each) for each in first.__slots__ if each != "content"}, content="{"
    )
    (digest,) = box.to_due()
    assert first.title in {each.symptom for each in message_of(digest).stories}


def test_a_digest_that_fails_goes_to_the_next_in_line_as_one() -> None:
    box = night()
    news(box, "a")
    news(box, "b")
    (digest,) = box.to_due()
    box.fail(2)
    (copy,) = box.of("mail")
    assert (copy.fallback_of, copy.title) == (digest.id, digest.title)
    assert len(message_of(copy).stories) == 2
    assert box.now > START
