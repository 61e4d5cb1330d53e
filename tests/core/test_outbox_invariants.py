"""Whatever receivers do, and whenever the daemon starts again: nothing is lost, nobody is hammered, no limit passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.outbox_bench import ARRIVED, DOWN, REFUSED, Box, plan_of, story
from logmedic.core.hours import open_until
from logmedic.core.receivers import SPACING
from logmedic.model.alert import (
    UNDELIVERED,
    Alert,
    AlertStatus,
    Delivery,
    DigestPlan,
    ReceiverPlan,
    Route,
    Selector,
)
from logmedic.model.alertevent import AlertEvent
from logmedic.model.hours import Hours
from logmedic.model.severity import Severity

HOUR = timedelta(hours=1)
NIGHT = Hours(frozenset(range(7)), time(22), time(7), UTC)
LOW = DigestPlan(Selector(severities=frozenset({Severity.LOW})), time(8), UTC)
LIMIT = 3
NAMES = ("chat", "mail", "phone")
PLAN = plan_of(
    ReceiverPlan("chat", max_per_hour=LIMIT),
    ReceiverPlan("mail", digest=LOW),
    ReceiverPlan("phone", quiet_hours=(NIGHT,)),
    routes={
        "oncall": Route("oncall", ("chat", "phone"), ("mail",)),
        "office": Route("office", ("mail",), ("chat", "phone")),
    },
)
BUSY = Delivery(False, "HTTP 429", retry_after_s=300.0)
FULL = timedelta(days=3)
"""Longer than anything waits that is not given up."""

told = st.tuples(st.just("tell"), st.sampled_from(NAMES), st.sampled_from(list(Severity)), st.integers(0, 4))
answered = st.tuples(st.just("answer"), st.sampled_from(NAMES), st.sampled_from([ARRIVED, DOWN, DOWN, BUSY, REFUSED]))
waited = st.tuples(st.just("wait"), st.floats(0.0, 7200.0))
other = st.sampled_from([("due",), ("due",), ("restart",), ("resend",), ("test", "chat")])
histories = st.lists(st.one_of(told, answered, answered, waited, other), max_size=60)


def play(box: Box, history: list[tuple[object, ...]]) -> Iterator[None]:
    for step in history:
        match step:
            case ("tell", str(name), Severity() as severity, int(n)):
                route = "office" if name == "mail" else "oncall"
                box.tell(name, story(f"incident:i{n}", severity=severity, over=n == 4), route=route)
            case ("answer", str(name), Delivery() as delivery):
                for each in box.on_its_way(name)[:1]:
                    box.answer(delivery, each)
            case ("wait", float(seconds)):
                box.now += timedelta(seconds=seconds)
                ticks(box)
            case ("due",) if box.due() is not None:
                box.to_due()
            case ("restart",):
                box.restart()
            case ("resend",):
                box.resend(*box.state.dead.values())
            case ("test", str(name)):
                box.test(name)
        yield


def ticks(box: Box) -> None:
    """As the engine gives them: while one is due. Each has work, so that it is not due at once again, for ever."""
    for _ in range(20):
        at = box.due()
        if at is None or at > box.now:
            return
        box.tick()
    raise AssertionError(f"ticks without end: {box.due()} at {box.now}")


def drained(box: Box) -> None:
    """Everybody can be reached from now on."""
    ends = box.now + FULL
    while (box.due() is not None or box.on_its_way()) and box.now < ends:
        box.accept()
        ticks(box)
        if not box.on_its_way() and box.due() is not None:
            box.to_due()


def end_of(box: Box, alert: Alert) -> AlertStatus:
    while alert.status is AlertStatus.FOLDED:
        alert = box.alerts[alert.folded_into]
    return alert.status


@settings(deadline=None)
@given(histories)
def test_whatever_happens_each_message_arrives_is_told_with_others_or_is_a_listed_dead_letter(
    history: list[tuple[object, ...]],
) -> None:
    box = Box(PLAN)
    for _ in play(box, history):
        pass
    drained(box)
    assert {end_of(box, each) for each in box.alerts.values()} <= {AlertStatus.SENT, AlertStatus.DEAD}
    assert {each.id for each in box.alerts.values() if each.status is AlertStatus.DEAD} == set(box.state.dead)
    assert not [each for each in box.state.alerts.values() if each.status in UNDELIVERED]


@settings(deadline=None)
@given(histories)
def test_each_receiver_has_one_message_under_way_and_none_while_its_breaker_is_open(
    history: list[tuple[object, ...]],
) -> None:
    box = Box(PLAN)
    for _ in play(box, history):
        before = len(box.sent)
        for name in NAMES:
            assert len([each for each in box.on_its_way(name) if each.event != "test"]) <= 1
        shut = {
            name
            for name in NAMES
            if (at := box.state.receivers.get(name)) and at.open_until and at.open_until > box.now
        }
        box.tick()
        assert not shut & {each.receiver for each in box.sent[before:]}


@settings(deadline=None)
@given(histories)
def test_no_receiver_is_told_more_in_an_hour_than_it_may(history: list[tuple[object, ...]]) -> None:
    box = Box(PLAN)
    for _ in play(box, history):
        pass
    drained(box)
    times = sorted(box.handed[each.id] for each in box.of("chat", AlertStatus.SENT) if each.event != "test")
    for n, at in enumerate(times[LIMIT:]):
        assert at - times[n] >= HOUR, times


@settings(deadline=None)
@given(histories)
def test_nobody_is_woken_at_night_but_by_what_is_critical(history: list[tuple[object, ...]]) -> None:
    box = Box(PLAN)
    for _ in play(box, history):
        before = len(box.sent)
        ticks(box)
        for each in box.sent[before:]:
            if each.receiver == "phone" and open_until(NIGHT, box.now) is not None:
                notices = [box.state.notices[subject] for subject in each.tells]
                assert any(notice.severity is Severity.CRITICAL for notice in notices)


@settings(deadline=None)
@given(histories, st.integers(0, 60))
def test_a_restart_changes_nothing_but_that_what_was_under_way_is_sent_again(
    history: list[tuple[object, ...]], at: int
) -> None:
    box = Box(PLAN)
    for _ in play(box, history[:at]):
        pass
    under_way = {each.id for each in box.on_its_way()}
    stored = dict(box.state.alerts), dict(box.state.dead)
    assert {each.id for each in box.restart()} == under_way
    found = {each.id: each for each in box.state.alerts.values()}
    for each in stored[0].values():
        if each.event is AlertEvent.TEST:  # its time begins anew
            found[each.id] = replace(found[each.id], next_at=each.next_at)
    assert (found, box.state.dead) == stored


def test_a_test_message_that_a_restart_sends_again_is_not_given_up_at_once() -> None:
    box = Box(PLAN)
    test = box.test()
    box.now += timedelta(minutes=15)
    assert [each.id for each in box.restart()] == [test.id]
    box.tick()
    assert box.state.alerts[test.id].status is AlertStatus.SENDING


def test_a_clock_that_was_wrong_blocks_nobody_for_long() -> None:
    box = Box(PLAN)
    box.now += timedelta(days=1)
    for _ in range(LIMIT):
        box.tell("chat")
        box.accept()
        box.now += 2 * SPACING
    box.now -= timedelta(days=1) - timedelta(minutes=1)
    box.tell("chat")
    ticks(box)
    box.accept()
    assert {each.status for each in box.of("chat")} == {AlertStatus.SENT}
