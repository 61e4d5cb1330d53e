"""The outbox: told once each, again when it failed, through somebody else meanwhile, and never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from core.outbox_bench import ARRIVED, DOWN, PLAN, REFUSED, Box, message_of, plan_of, story
from logmedic.core import outbox
from logmedic.core.outbox import FALLBACK_AFTER, GIVE_UP_AFTER, LOST_AFTER, MAX_PENDING, TRIALS_OF_ONE
from logmedic.core.receivers import BREAK_AFTER, OPEN_MAX, SPACING, WAIT_MAX
from logmedic.model.alert import AlertStatus, Delivery, Route
from logmedic.model.alertevent import AlertEvent
from logmedic.model.issue import PatternType
from logmedic.model.message import MessageKind

HOUR = timedelta(hours=1)


def test_one_message_at_a_time_leaves_for_a_receiver_in_order_and_none_waits_for_another_receiver() -> None:
    box = Box()
    first, second, other = box.tell("chat"), box.tell("chat"), box.tell("mail")
    assert [each.id for each in box.sent] == [first.id, other.id]
    box.answer(alert=first)
    assert box.tick(SPACING.total_seconds()) == [box.alerts[second.id]]


def test_messages_to_one_receiver_are_a_second_apart() -> None:
    box = Box()
    for _ in range(5):
        box.tell()
    times = [box.now]
    while box.due() is not None and len(times) < 5:
        box.answer(after=0.01)
        box.to_due()
        times.append(box.now)
    assert len(box.sent) == 5
    assert all(later - earlier >= SPACING for earlier, later in pairwise(times))


def test_f67_a_failed_delivery_is_tried_again_later_and_later_with_the_same_id() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",))}))
    alert = box.tell()
    waits = []
    for _ in range(BREAK_AFTER - 1):
        failed = box.answer(DOWN, alert)
        waits.append((failed.next_at - box.now).total_seconds())
        assert [each.id for each in box.to_due()] == [alert.id]
    assert all(1.2 <= later / sooner <= 3.5 for sooner, later in pairwise(waits))
    assert box.answer(ARRIVED, alert).status is AlertStatus.SENT


def test_f67_the_wait_goes_on_over_a_restart() -> None:
    box = Box()
    alert = box.tell()
    failed = box.answer(DOWN, alert)
    assert box.restart() == []
    assert box.due() == failed.next_at
    assert [each.id for each in box.to_due()] == [alert.id]


def test_f71_what_was_being_sent_at_a_stop_is_sent_again_with_its_id_and_nothing_else_is() -> None:
    box = Box()
    first, second = box.tell(), box.tell()
    assert [each.id for each in box.restart()] == [first.id]
    box.answer(alert=first)
    assert [each.id for each in box.to_due()] == [second.id]


def test_a_result_that_never_comes_counts_as_a_failure_and_holds_up_nobody() -> None:
    box = Box()
    first, second = box.tell(), box.tell()
    box.tick(LOST_AFTER.total_seconds() - 1)
    assert box.alerts[first.id].status is AlertStatus.SENDING
    sent = [*box.tick(1), *box.to_due()]
    assert second.id in [each.id for each in sent]
    assert box.answer(ARRIVED, first).status is AlertStatus.SENT  # late, and true all the same


def test_f69_what_a_server_asks_for_counts_for_everything_that_waits_for_the_receiver() -> None:
    box = Box()
    first, second = box.tell(), box.tell()
    box.answer(Delivery(False, "HTTP 429", retry_after_s=90), first)
    assert box.tick(89) == []
    box.tell()
    assert box.tick(0.9) == []
    assert [each.id for each in box.tick(0.2)] == [first.id]
    box.answer(alert=first)
    assert [each.id for each in box.to_due()] == [second.id]


@pytest.mark.parametrize(
    ("asked", "kept"), [(3600.0, HOUR), (86400.0, WAIT_MAX), (0.0, timedelta())], ids=["an hour", "a day", "nothing"]
)
def test_f69_an_hour_is_an_hour_and_a_day_is_nonsense(asked: float, kept: timedelta) -> None:
    box = Box()
    box.tell()
    failed = box.answer(Delivery(False, "HTTP 429", retry_after_s=asked))
    assert kept <= failed.next_at - box.now <= kept + timedelta(seconds=3)


def test_f69_when_a_server_wants_a_long_pause_the_next_in_line_is_used_at_once() -> None:
    box = Box()
    box.tell()
    box.answer(Delivery(False, "HTTP 429", retry_after_s=30))
    assert box.of("mail") == []
    box.tick(31)
    box.answer(Delivery(False, "HTTP 429", retry_after_s=3600))
    assert len(box.of("mail", AlertStatus.SENDING)) == 1
    box.tell()
    assert len(box.of("mail")) == 2


def test_after_the_second_failure_the_next_in_line_is_used_once_and_learned_once() -> None:
    box = Box()
    alert = box.tell()
    box.fail(FALLBACK_AFTER - 1)
    assert box.of("mail") == []
    box.fail(1)
    (copy,) = box.of("mail")
    assert (copy.fallback_of, copy.id != alert.id, copy.id in copy.body) == (alert.id, True, True)
    assert alert.id not in copy.body
    box.answer(ARRIVED, copy)
    for _ in range(4):
        box.fail(1)
    assert len(box.of("mail")) == 1
    assert [each.pattern_type for each in box.learnings] == [PatternType.GRACEFUL_DEGRADATION]


def test_each_receiver_of_the_line_is_used_at_most_once_an_alert() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",), ("mail", "phone", "mail"))}))
    box.tell()
    box.fail_all(HOUR)
    assert [len(box.of(name)) for name in ("chat", "mail", "phone")] == [1, 1, 1]


def test_who_gets_the_message_anyway_is_no_fallback() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat", "mail"), ("mail", "phone"))}))
    box.tell("chat")
    box.fail(FALLBACK_AFTER)
    assert (len(box.of("mail")), len(box.of("phone"))) == (0, 1)


def test_f75_whoever_is_told_instead_is_marked_as_told() -> None:
    box = Box()
    box.tell(told=story("incident:i1"))
    box.fail(FALLBACK_AFTER)
    assert dict(box.state.notices["incident:i1"].told) == {"chat": 1, "mail": 1}


def test_who_knows_already_is_not_told_again_but_of_a_reminder() -> None:
    box = Box()
    opened = story("incident:i1")
    box.tell("mail", opened)
    box.answer()
    known = box.state.notices["incident:i1"]
    box.state.notices["incident:i1"] = replace(known, version=1, told={"mail": 2})
    box.tell("chat", opened)
    box.fail(FALLBACK_AFTER)
    assert len(box.of("mail")) == 1
    box.tell("chat", opened, kind=MessageKind.REMINDER)
    box.fail(BREAK_AFTER)
    assert len(box.of("mail")) == 2


def test_the_breaker_opens_after_failures_in_a_row_and_everything_that_waits_takes_another_way() -> None:
    box = Box()
    for _ in range(4):
        box.tell()
    box.fail(BREAK_AFTER)
    state = box.state.receivers["chat"]
    assert state.open_until is not None
    assert state.open_until > box.now
    assert len({each.fallback_of for each in box.of("mail")}) == 4
    late = box.tell()
    assert late.status is AlertStatus.PENDING
    assert late.id in {each.fallback_of for each in box.of("mail")}


def test_an_open_breaker_lets_one_trial_through_at_a_time_and_opens_for_longer_each_time() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",))}))
    for _ in range(10):
        box.tell()
    box.fail(BREAK_AFTER)
    lasted = []
    for _ in range(8):
        before = len(box.sent)
        box.to_due()
        assert len(box.sent) == before + 1
        assert box.tick(5) == []
        box.answer(DOWN)
        until = box.state.receivers["chat"].open_until
        assert until is not None
        lasted.append((until - box.now).total_seconds())
    assert all(later / sooner >= 1.1 for sooner, later in pairwise(lasted[:3]))
    assert max(lasted) <= OPEN_MAX.total_seconds() * 1.25


def test_when_a_trial_arrives_what_was_tried_is_sent_in_order_and_the_rest_is_told_together() -> None:
    box = Box()
    alerts = [box.tell() for _ in range(6)]
    box.fail(BREAK_AFTER)
    tried = [each.id for each in alerts if box.alerts[each.id].tries]
    box.sent.clear()
    while box.of("chat", AlertStatus.SENDING, AlertStatus.PENDING):
        box.accept()
        if box.due() is not None:
            box.to_due()
    to_chat = [each for each in box.sent if each.receiver == "chat"]
    assert [each.id for each in to_chat if each.event is not AlertEvent.DIGEST] == tried
    assert box.state.receivers["chat"].open_until is None
    folded = {each.folded_into for each in box.of("chat", AlertStatus.FOLDED)}
    assert folded == {each.id for each in to_chat if each.event is AlertEvent.DIGEST}


def test_a_message_that_always_fails_keeps_no_other_from_its_receiver() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",))}))
    poison = box.tell()
    box.fail(TRIALS_OF_ONE)
    good = box.tell()
    while box.sent[-1].id != good.id:
        box.to_due()
    box.answer(ARRIVED, good)
    assert box.state.receivers["chat"].open_until is None
    assert box.alerts[poison.id].status is AlertStatus.PENDING


def test_f69_a_receiver_that_refuses_for_good_is_disabled_and_nothing_waits_for_it() -> None:
    box = Box()
    first, second = box.tell(), box.tell()
    box.answer(REFUSED, first)
    third = box.tell()
    assert {box.alerts[each.id].status for each in (first, second, third)} == {AlertStatus.DEAD}
    assert {each.fallback_of for each in box.of("mail")} == {first.id, second.id, third.id}
    assert box.state.receivers["chat"].disabled == REFUSED.detail
    assert len(box.learnings) == 1


def test_people_are_told_once_of_a_dead_receiver_but_not_through_itself() -> None:
    box = Box()
    for _ in range(3):
        box.tell()
    box.answer(REFUSED, box.sent[0])
    notice = box.state.notices["receiver:chat"]
    assert (notice.event, notice.version) == (AlertEvent.RECEIVER_DEAD, 1)
    about = box.tell("chat", story("receiver:chat", event=AlertEvent.RECEIVER_DEAD))
    assert about.id not in box.alerts
    assert about.id in {each.fallback_of for each in box.of("mail")}


def test_a_test_message_that_arrives_enables_its_receiver_and_ends_the_news() -> None:
    box = Box()
    box.tell()
    box.answer(REFUSED)
    known = box.state.notices["receiver:chat"]
    box.state.notices["receiver:chat"] = replace(known, told={"mail": 1})
    assert box.test().event is AlertEvent.TEST
    box.answer(ARRIVED)
    assert box.state.receivers["chat"].disabled == ""
    assert box.state.notices["receiver:chat"].over
    assert box.tell().status is AlertStatus.SENDING


def test_a_test_message_goes_past_an_open_breaker_is_tried_once_and_told_to_nobody_else() -> None:
    box = Box()
    box.tell()
    box.fail(BREAK_AFTER)
    before = len(box.of("mail"))
    assert box.test().event is AlertEvent.TEST
    assert box.answer(DOWN).status is AlertStatus.DEAD
    assert len(box.of("mail")) == before
    assert box.state.receivers["chat"].open_until is not None


def test_a_test_message_that_is_sent_again_is_a_test_again() -> None:
    """It waits for nothing, also where its receiver has a message on its way; and is given up once its result is lost,
    not sooner."""
    box = Box()
    box.tell()
    failed = box.answer(DOWN, box.test())
    box.now += LOST_AFTER / 2
    box.resend(failed)
    assert box.sent[-1].id == failed.id
    box.now += LOST_AFTER / 2
    box.restart()
    assert box.alerts[failed.id].status is AlertStatus.SENDING
    assert box.answer(ARRIVED, box.alerts[failed.id]).status is AlertStatus.SENT


def test_a_start_asks_a_disabled_receiver_anew() -> None:
    box = Box()
    box.tell()
    box.answer(REFUSED)
    box.restart()
    box.now += SPACING
    assert box.tell().status is AlertStatus.SENDING


def test_a_receiver_that_the_configuration_lost_hands_its_messages_to_the_rest_of_its_route() -> None:
    box = Box()
    box.tell()
    waiting = box.tell()
    box.answer(DOWN, box.sent[0])
    left = {name: each for name, each in PLAN.receivers.items() if name != "chat"}
    box.policy = replace(
        box.policy, alerts=replace(PLAN, receivers=left, routes={"oncall": Route("oncall", ("phone",), ("mail",))})
    )
    box.restart()
    box.tick(60)
    assert box.alerts[waiting.id].status is AlertStatus.DEAD
    assert {each.fallback_of for each in box.of("phone")} >= {waiting.id}
    assert "receiver:chat" not in box.state.notices


def test_f72_when_nobody_can_be_reached_the_journal_has_it_once_an_alert() -> None:
    box = Box()
    alert = box.tell()
    box.fail_all(HOUR)
    (last,) = box.last_resorts
    assert (last.alert.title, last.why) == (alert.title, DOWN.detail)
    assert box.tallies["alerts_last_resort"] == 1
    assert box.alerts[alert.id].status is AlertStatus.PENDING


def test_f72_no_last_resort_while_somebody_else_of_the_route_can_be_reached() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat", "mail"))}))
    told = story("incident:i1")
    box.tell("chat", told)
    box.tell("mail", told)
    box.answer(ARRIVED, box.sent[-1])
    box.fail(10)
    assert box.last_resorts == []


def test_f72_all_disabled_is_known_at_once() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",), ("mail",))}))
    box.tell("chat")
    box.answer(REFUSED)
    box.answer(REFUSED)
    assert len(box.last_resorts) == 1
    box.tell("chat")
    assert len(box.last_resorts) == 2


def test_a_message_is_given_up_after_a_day_over_restarts_and_stays_listed() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",))}))
    alert = box.tell()
    began = box.now
    while box.alerts[alert.id].status is not AlertStatus.DEAD:
        box.restart()
        box.fail_all(timedelta(minutes=1))
        assert box.now - began < GIVE_UP_AFTER + HOUR
    assert box.now - began >= GIVE_UP_AFTER
    assert box.state.dead[alert.id].last_error == DOWN.detail
    assert box.tallies["alerts_dead"] == 1


def test_what_could_not_even_be_tried_for_a_day_is_given_up_too() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",))}))
    waiting = [box.tell() for _ in range(12)]
    box.fail_all(GIVE_UP_AFTER + HOUR)
    assert {box.alerts[each.id].status for each in waiting} == {AlertStatus.DEAD}


def test_dead_letters_are_sent_again_whatever_their_age_and_keep_their_id() -> None:
    box = Box(plan_of(routes={"oncall": Route("oncall", ("chat",))}))
    alert = box.tell()
    box.answer(REFUSED)
    box.now += timedelta(days=9)
    box.restart()
    box.resend(alert)
    assert box.sent[-1].id == alert.id
    again = box.answer(DOWN)
    assert (again.status, again.tries) == (AlertStatus.PENDING, 1)
    box.to_due()
    assert box.answer(ARRIVED).status is AlertStatus.SENT
    assert alert.id not in box.state.dead


def test_a_dead_letter_is_sent_again_to_a_disabled_receiver_since_somebody_asked_for_it() -> None:
    box = Box()
    alert = box.tell()
    box.answer(REFUSED)
    box.now += SPACING
    box.resend(alert)
    assert box.sent[-1].id == alert.id
    box.answer(ARRIVED)
    assert box.state.receivers["chat"].disabled == ""


def test_only_dead_letters_are_sent_again() -> None:
    box = Box()
    alert = box.tell()
    box.resend(alert, replace(alert, id="unknown"))
    assert [each.id for each in box.sent] == [alert.id]
    assert box.tallies["resends_ignored"] == 2


def test_i6_waiting_messages_are_bounded_and_what_is_more_is_a_dead_letter_and_told_elsewhere() -> None:
    box = Box()
    for _ in range(MAX_PENDING + 3):
        box.tell()
    undelivered = [each for each in box.state.alerts.values() if each.receiver == "chat"]
    assert len(undelivered) == MAX_PENDING
    assert len(box.of("chat", AlertStatus.DEAD)) == 3
    assert len(box.of("mail")) == 3
    assert box.tallies["alerts_dropped"] == 3


def test_a_fallback_says_why_it_comes_and_keeps_the_title() -> None:
    box = Box()
    alert = box.tell()
    box.fail(FALLBACK_AFTER)
    (copy,) = box.of("mail")
    assert copy.title == alert.title
    assert "chat could not be reached" in message_of(copy).note


def test_the_engine_looks_again_as_soon_as_the_next_message_may_leave() -> None:
    box = Box()
    box.tell()
    box.tell()
    changeset = box.decide(lambda draft: outbox.on_delivery(draft, box.sent[0].id, ARRIVED))
    at = outbox.due_of(changeset, box.policy.alerts)
    assert at is not None
    assert at <= box.now + SPACING
