"""What waits for a digest, for the end of quiet hours, or for room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.outbox_bench import Box, plan_of, story
from logmedic.core.deferring import next_digest
from logmedic.model.alert import Alert, AlertStatus, DigestPlan, ReceiverPlan, Route, Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.hours import Hours
from logmedic.model.severity import Severity

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = frozenset(range(7))
NIGHT = Hours(DAYS, time(22), time(7), UTC)
LOW = Selector(severities=frozenset({Severity.LOW, Severity.MEDIUM}))
QUIET = ReceiverPlan("chat", quiet_hours=(NIGHT,))


def at(clock: str, day: int = 24) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02}T{clock}:00+00:00")


def told(box: Box, clock: str, day: int = 24, severity: Severity = Severity.HIGH, subject: str = "") -> Alert:
    box.now = at(clock, day)
    return box.tell("chat", story(subject or f"incident:i{len(box.alerts)}", severity=severity))


def test_in_quiet_hours_all_but_the_critical_waits_for_their_end() -> None:
    box = Box(plan_of(QUIET))
    waiting, urgent = told(box, "23:10"), told(box, "23:11", severity=Severity.CRITICAL)
    assert (waiting.status, waiting.next_at) == (AlertStatus.DEFERRED, at("07:00", 25))
    assert urgent.status is AlertStatus.SENDING


def test_who_excepts_something_else_is_called_for_that() -> None:
    plan = replace(QUIET, quiet_except=Selector(tags=frozenset({"db"})))
    box = Box(plan_of(plan))
    box.now = at("23:00")
    assert box.tell("chat", story("incident:a", tags=("db",))).status is AlertStatus.SENDING
    assert box.tell("chat", story("incident:b", severity=Severity.CRITICAL)).status is AlertStatus.DEFERRED


def test_hours_that_meet_are_one_night() -> None:
    morning = Hours(DAYS, time(7), time(9), UTC)
    box = Box(plan_of(replace(QUIET, quiet_hours=(NIGHT, morning))))
    assert told(box, "23:10").next_at == at("09:00", 25)


def test_hours_that_never_end_hold_back_for_a_day() -> None:
    box = Box(plan_of(replace(QUIET, quiet_hours=(Hours(DAYS, time(0), time(0), UTC),))))
    assert told(box, "12:00").next_at == at("12:00", 25)


def test_a_digest_waits_for_its_time_and_takes_only_what_it_is_for() -> None:
    box = Box(plan_of(ReceiverPlan("chat", digest=DigestPlan(LOW, time(8), BERLIN))))
    low, high = told(box, "10:00", severity=Severity.LOW), told(box, "10:01")
    assert (low.status, low.next_at) == (AlertStatus.DEFERRED, at("07:00", 25))
    assert high.status is AlertStatus.SENDING


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        ("2026-11-24T06:59:59+00:00", DAYS, "2026-11-24T07:00:00+00:00"),
        ("2026-11-24T07:00:00+00:00", DAYS, "2026-11-25T07:00:00+00:00"),
        ("2026-11-24T08:00:00+00:00", frozenset({1}), "2026-12-01T07:00:00+00:00"),
        ("2026-03-28T12:00:00+00:00", DAYS, "2026-03-29T06:00:00+00:00"),
        ("2026-11-24T08:00:00+00:00", frozenset(), "2026-11-25T08:00:00+00:00"),
    ],
    ids=["a second before", "just now: the next", "once a week", "over a change of clocks", "no day at all"],
)
def test_the_time_of_a_digest_is_its_readers(now: str, days: frozenset[int], expected: str) -> None:
    plan = DigestPlan(LOW, time(8), BERLIN, days)
    assert next_digest(plan, datetime.fromisoformat(now)) == datetime.fromisoformat(expected)


def test_what_is_more_than_the_hour_takes_is_told_together_once_there_is_room() -> None:
    box = Box(plan_of(ReceiverPlan("chat", max_per_hour=2)))
    for minute in range(5):
        told(box, f"12:0{minute}")
        box.accept()
    assert len(box.of("chat", AlertStatus.SENT)) == 2
    assert {each.next_at for each in box.of("chat", AlertStatus.DEFERRED)} == {at("13:00")}
    (digest,) = box.to_due()
    assert (box.now, digest.event) == (at("13:00"), AlertEvent.DIGEST)
    assert {each.folded_into for each in box.of("chat", AlertStatus.FOLDED)} == {digest.id}


def test_a_digest_for_which_there_is_no_room_waits_and_is_not_lost() -> None:
    box = Box(plan_of(ReceiverPlan("chat", max_per_hour=1, digest=DigestPlan(LOW, time(8), UTC))))
    low = told(box, "07:10", severity=Severity.LOW)
    told(box, "07:50")
    box.accept()
    box.now = at("08:00")
    assert box.tick() == []
    assert box.alerts[low.id].next_at == at("08:50")
    assert [each.id for each in box.to_due()] == [low.id]


def test_what_was_held_up_by_a_breaker_into_the_night_waits_for_the_morning() -> None:
    box = Box(plan_of(QUIET, routes={"oncall": Route("oncall", ("chat",))}))
    told(box, "21:58")
    second = told(box, "21:59")
    box.fail(5)
    box.now = at("22:30")
    box.tick()
    box.accept()
    for _ in range(3):
        if box.due() is not None:
            box.to_due()
            box.accept()
    assert box.alerts[second.id].status in (AlertStatus.SENT, AlertStatus.FOLDED)
    assert all(each.sent_at is None or each.sent_at >= at("07:00", 25) for each in box.of("chat"))


def test_the_message_of_the_night_survives_a_restart() -> None:
    box = Box(plan_of(QUIET))
    waiting = told(box, "23:00")
    box.now += timedelta(hours=3)
    box.restart()
    assert box.due() == at("07:00", 25)
    assert [each.id for each in box.to_due()] == [waiting.id]
