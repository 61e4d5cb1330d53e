"""How a receiver does: breaker, Retry-After, room in its hour."""

from __future__ import annotations

from datetime import timedelta

from builders import START
from core.outbox_bench import DOWN, PLAN, REFUSED
from logmedic.core import receivers
from logmedic.core.receivers import BREAK_AFTER, DOWN_AFTER, HOUR, LONG_WAIT, OPEN_FOR, OPEN_MAX, SPACING, WAIT_MAX
from logmedic.model.alert import AlertPlan, Delivery, ReceiverState

NEW = ReceiverState("chat")


def after_failures(n: int, state: ReceiverState = NEW) -> ReceiverState:
    for _ in range(n):
        state = receivers.failed(receivers.handed(state, START), DOWN, START)
    return state


def test_the_breaker_opens_at_its_limit_and_not_before() -> None:
    assert after_failures(BREAK_AFTER - 1).open_until is None
    opened = after_failures(BREAK_AFTER)
    assert opened.open_until is not None
    assert OPEN_FOR * 0.75 <= opened.open_until - START <= OPEN_FOR * 1.25


def test_only_a_trial_that_fails_opens_it_again_and_never_for_longer_than_its_limit() -> None:
    state = after_failures(BREAK_AFTER)
    assert receivers.failed(state, DOWN, START, was_handed=False).opens == 1
    state = after_failures(40, state)
    assert state.opens == 41
    assert state.open_until is not None
    assert state.open_until - START <= OPEN_MAX * 1.25


def test_a_message_that_arrives_ends_all_that_was_wrong() -> None:
    failed = receivers.failed(after_failures(9), Delivery(False, "404", permanent=True, retry_after_s=60), START)
    well = receivers.worked(failed, START)
    assert (well.failures, well.opens, well.open_until, well.wait_until, well.trial) == (0, 0, None, None, False)
    assert (well.disabled, well.sent_at) == ("", START)


def test_who_is_out_and_who_is_only_down() -> None:
    assert not receivers.is_down(after_failures(DOWN_AFTER - 1), START)
    assert receivers.is_down(after_failures(DOWN_AFTER), START)
    assert not receivers.is_out(after_failures(DOWN_AFTER), START)
    assert receivers.is_out(after_failures(BREAK_AFTER), START)
    assert receivers.is_out(receivers.failed(NEW, REFUSED, START), START)


def test_a_short_pause_is_waited_for_and_a_long_one_is_not() -> None:
    asked = Delivery(False, "429", retry_after_s=LONG_WAIT.total_seconds() + 1)
    assert receivers.is_out(receivers.failed(NEW, asked, START), START)
    assert not receivers.is_out(receivers.failed(NEW, asked, START), START + timedelta(seconds=2))


def test_what_failed_leaves_its_room_to_another() -> None:
    state = receivers.handed(receivers.handed(NEW, START), START + SPACING)
    assert receivers.room_at(state, 2) == START + HOUR
    assert receivers.room_at(receivers.failed(state, DOWN, START + SPACING), 2) is None


def test_the_hour_is_the_last_one() -> None:
    state = NEW
    for n in range(10):
        state = receivers.handed(state, START + n * HOUR / 4)
    assert len(state.recent) == 4
    assert receivers.room_at(state, 4) == START + 6 * HOUR / 4 + HOUR


def test_a_plan_without_receivers_takes_every_name() -> None:
    assert receivers.is_gone(PLAN, "pager")
    assert not receivers.is_gone(AlertPlan(), "pager")


def test_a_clock_that_was_ahead_holds_back_nothing() -> None:
    ahead = START + timedelta(days=2)
    state = receivers.failed(receivers.handed(NEW, ahead), Delivery(False, "429", retry_after_s=60), ahead)
    state = receivers.set_right(receivers.handed(state, ahead), START)
    assert state.recent == ()
    assert receivers.free_at(state) == START + WAIT_MAX
