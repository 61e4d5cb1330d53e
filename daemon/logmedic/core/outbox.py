"""The outbox: one message at a time to each receiver, again when it failed, and through somebody else meanwhile.

Everything in it is stored, so that a restart loses nothing and tells nothing twice under another id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from logmedic.core import deferring, digests, fallbacks, receivernews, receivers
from logmedic.core.backoff import exponential, jittered
from logmedic.core.draft import Draft
from logmedic.model.alert import UNDELIVERED, Alert, AlertPlan, AlertStatus, Delivery, ReceiverState
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset, LastResort, Resend, Send

RETRY_BASE = timedelta(seconds=2)
RETRY_MAX = timedelta(minutes=10)
FALLBACK_AFTER = 2
"""Failed tries after which the next in line is used: one more than a hiccup."""
GIVE_UP_AFTER = timedelta(hours=24)
MAX_PENDING = 500
"""Undelivered alerts a receiver (I6): more would only bury people once it is back. What is more is a dead letter."""
TRIALS_OF_ONE = 10
"""Tries after which another message is the trial of a receiver that cannot be reached."""
LOST_AFTER = timedelta(minutes=10)
"""What was handed to the sender and has no result by then failed: longer than its deadline, and its wait for a worker
while other receivers hang. Else one lost result would silence its receiver until the next start."""
_NO_RESULT = Delivery(False, f"no result came back within {LOST_AFTER.total_seconds() / 60:.0f} minutes")


def hand_over(draft: Draft, alert: Alert) -> bool:
    """The one way into the outbox. Answers whether somebody is told now, as far as it is up to us; False: it waits for
    a digest, for the end of quiet hours, or for room."""
    if receivernews.is_about(alert, alert.receiver):
        _pass_on(draft, alert)
        return True
    if receivers.is_gone(draft.policy.alerts, alert.receiver):
        _bury(draft, alert, "the configuration has no such receiver")
        return True
    if _is_full(draft, alert.receiver):
        draft.tally("alerts_dropped")
        _bury(draft, alert, f"{MAX_PENDING} others wait for {alert.receiver} already")
        return True
    draft.put_receiver_state(receivers.set_right(draft.receiver_state(alert.receiver), draft.now))
    until = deferring.deferred_until(draft, alert)
    if until is not None:
        draft.put_alert(replace(alert, status=AlertStatus.DEFERRED, next_at=until))
        draft.tally("alerts_deferred")
        return False
    _post(draft, alert)
    return True


def send_test(draft: Draft, alert: Alert) -> None:
    """Past everything that holds messages back; tried once."""
    sending = replace(alert, status=AlertStatus.SENDING)
    draft.put_alert(sending)
    draft.intend(Send(sending))


def on_delivery(draft: Draft, alert_id: str, delivery: Delivery) -> None:
    alert = draft.alert(alert_id)
    if alert is None or alert.status not in UNDELIVERED:
        return
    if delivery.delivered:
        _arrived(draft, alert)
    elif alert.status is AlertStatus.SENDING:  # else this result was given up, and counted, before it came
        _failed(draft, alert, delivery)
    _pump(draft, alert.receiver)


def send_due(draft: Draft) -> None:
    for alert in draft.alerts():
        if alert.status is AlertStatus.SENDING and draft.now >= _lost_at(alert, draft.receiver_state(alert.receiver)):
            _failed(draft, alert, _NO_RESULT)
    for name in dict.fromkeys(each.receiver for each in draft.alerts() if each.status in UNDELIVERED):
        draft.put_receiver_state(receivers.set_right(draft.receiver_state(name), draft.now))
        _give_up_late(draft, name)
        _release(draft, name)
        _pump(draft, name)


def resend_interrupted(draft: Draft) -> None:
    """At a start: what was being sent may or may not have arrived. It is sent again, with the same id (F71). Receivers
    that refused are asked anew."""
    for state in list(draft.state.receivers.values()):
        draft.put_receiver_state(receivers.enabled(state))
    for each in draft.alerts():
        if each.status is not AlertStatus.SENDING:
            continue
        if each.event is AlertEvent.TEST:
            draft.put_alert(replace(each, next_at=draft.now))
        else:
            state = draft.receiver_state(each.receiver)
            draft.put_receiver_state(receivers.handed_again(state, draft.now))
        draft.intend(Send(each))


def resend(draft: Draft, given: Resend) -> None:
    """Dead letters, whatever their age, as if they were new; who was told instead is not told again. One that is
    disabled is tried all the same: somebody asked for it."""
    for alert_id in given.alert_ids:
        alert = draft.state.dead.get(alert_id)
        if alert is None or draft.alert(alert_id) is not None or _is_full(draft, alert.receiver):
            draft.tally("resends_ignored")
            continue
        draft.tally("alerts_resent")
        again = replace(alert, status=AlertStatus.PENDING, tries=0, next_at=draft.now)
        if again.event is AlertEvent.TEST:
            send_test(draft, again)
            continue
        draft.put_alert(replace(again, give_up_at=draft.now + GIVE_UP_AFTER))
        _pump(draft, alert.receiver)


def due(alerts: Iterable[Alert], states: Mapping[str, ReceiverState], plan: AlertPlan) -> datetime | None:
    """When `send_due` has work; None: nothing waits for a time. `alerts`: of each receiver all that are undelivered;
    where some are left out the answer may be too early."""
    waiting: defaultdict[str, list[Alert]] = defaultdict(list)
    for each in alerts:
        if each.status in UNDELIVERED:
            waiting[each.receiver].append(each)
    times: list[datetime] = []
    for name, of_it in waiting.items():
        times += _due_of(of_it, states.get(name) or ReceiverState(name), plan.receiver(name).max_per_hour)
    return min(times, default=None)


def due_of(changeset: Changeset, plan: AlertPlan) -> datetime | None:
    """As `due`, by what a decision changed alone, and so perhaps too early: a receiver that did something may be told
    the next message, which is not among what changed."""
    free = [at for each in changeset.receivers if (at := receivers.free_at(each)) is not None]
    known = due(changeset.alerts, {each.name: each for each in changeset.receivers}, plan)
    return min([*free, *([known] if known is not None else [])], default=None)


def _due_of(alerts: list[Alert], state: ReceiverState, max_per_hour: int) -> list[datetime]:
    times = [each.next_at for each in alerts if each.status is AlertStatus.DEFERRED]
    sending = [each for each in alerts if each.status is AlertStatus.SENDING]
    times += [_lost_at(each, state) for each in sending]
    pending = [each for each in alerts if each.status is AlertStatus.PENDING]
    shut, free = receivers.shut_until(state), receivers.free_at(state)
    times += [each.give_up_at for each in pending if each.give_up_at and shut and each.give_up_at < shut]
    if not _is_busy(sending):
        room = receivers.room_at(state, max_per_hour)
        known = ([each.next_at, free, room if each.tries else None] for each in pending)
        times += [max(at for at in each if at is not None) for each in known]
    return times


def _post(draft: Draft, alert: Alert) -> None:
    """Its receiver's own stages are behind it."""
    state = draft.receiver_state(alert.receiver)
    ready = replace(alert, status=AlertStatus.PENDING, next_at=draft.now, give_up_at=draft.now + GIVE_UP_AFTER)
    if receivers.is_gone(draft.policy.alerts, alert.receiver):
        _bury(draft, ready, "the configuration has no such receiver")
    elif state.disabled:
        _bury(draft, ready, state.disabled)
    else:
        draft.put_alert(ready)
        _pump(draft, alert.receiver)
        unsent = draft.alert(ready.id) or ready
        if receivers.is_out(state, draft.now) and unsent.status is not AlertStatus.SENDING:
            _pass_on(draft, unsent)


def _pump(draft: Draft, name: str) -> None:
    """Hand the next message to the sender, when there is one and `name` may be told now. Oldest first, a trial too; but
    not one that failed so often that it may be what its receiver cannot take."""
    ours = [each for each in draft.alerts() if each.receiver == name]
    waiting = [each for each in ours if each.status is AlertStatus.PENDING and each.next_at <= draft.now]
    if not waiting or _is_busy(ours):
        return
    if receivers.is_gone(draft.policy.alerts, name):
        for each in waiting:
            _bury(draft, each, "the configuration has no such receiver")
        return
    state = draft.receiver_state(name)
    free = receivers.free_at(state)
    if free is not None and free > draft.now:
        return
    ready = [each for each in waiting if not _held_back(draft, each)]
    if not ready:
        return
    is_trial = receivers.is_out(state, draft.now)
    sending = min(ready, key=lambda each: (is_trial and each.tries >= TRIALS_OF_ONE, each.created_at, each.id))
    sending = replace(sending, status=AlertStatus.SENDING)
    draft.put_alert(sending)
    draft.put_receiver_state(receivers.handed(state, draft.now))
    draft.intend(Send(sending))


def _held_back(draft: Draft, alert: Alert) -> bool:
    """Quiet hours have begun, or the hour is full, since it came. What may have arrived already keeps its id (F71): it
    waits as it is, and is not told with others."""
    until = deferring.quiet_until(draft, alert)
    if until is None:
        until = deferring.no_room_until(draft, draft.policy.alerts.receiver(alert.receiver))
        if until is not None and alert.tries:
            return True
    if until is not None:
        status = AlertStatus.PENDING if alert.tries else AlertStatus.DEFERRED
        draft.put_alert(replace(alert, status=status, next_at=until))
    return until is not None


def _release(draft: Draft, name: str) -> None:
    """What waited is told together, once nothing holds it back any more."""
    ours = (each for each in draft.alerts() if each.receiver == name and each.status is AlertStatus.DEFERRED)
    ready: list[Alert] = []
    for each in [each for each in ours if each.next_at <= draft.now]:
        until = deferring.quiet_until(draft, each)
        until = until or deferring.no_room_until(draft, draft.policy.alerts.receiver(name))
        if until is None:
            ready.append(each)
        else:
            draft.put_alert(replace(each, next_at=until))
    if ready:
        _post(draft, digests.fold(draft, ready))


def _arrived(draft: Draft, alert: Alert) -> None:
    sent = replace(alert, status=AlertStatus.SENT, tries=alert.tries + 1, sent_at=draft.now, last_error="")
    draft.put_alert(sent)
    draft.tally("alerts_sent")
    state = draft.receiver_state(alert.receiver)
    draft.put_receiver_state(receivers.worked(state, draft.now))
    receivernews.well(draft, alert.receiver)
    if receivers.is_out(state, draft.now):
        _catch_up(draft, alert.receiver)


def _catch_up(draft: Draft, name: str) -> None:
    """It is back: whoever reads it is told once where things stand, and not all of what is old by now. What was tried
    already may have arrived, and keeps its id (F71)."""
    ours = (each for each in draft.alerts() if each.receiver == name and each.status is AlertStatus.PENDING)
    untried = [each for each in ours if each.tries == 0]
    if len(untried) > 1:
        _post(draft, digests.fold(draft, untried))


def _failed(draft: Draft, alert: Alert, delivery: Delivery) -> None:
    draft.tally("alert_failures")
    tried = replace(alert, tries=alert.tries + 1, last_error=delivery.detail)
    is_test, is_gone = alert.event is AlertEvent.TEST, receivers.is_gone(draft.policy.alerts, alert.receiver)
    before = draft.receiver_state(alert.receiver)
    state = receivers.failed(before, delivery, draft.now, was_handed=not is_test)
    if not is_gone:
        draft.put_receiver_state(state)
    if is_test:
        draft.put_alert(replace(tried, status=AlertStatus.DEAD))
    elif delivery.permanent or (alert.give_up_at or alert.created_at + GIVE_UP_AFTER) <= draft.now:
        _bury(draft, tried, delivery.detail, first=not before.disabled)
    else:
        wait = jittered(exponential(tried.tries, RETRY_BASE, RETRY_MAX), f"{alert.id}:{tried.tries}")
        again = replace(tried, status=AlertStatus.PENDING, next_at=max(draft.now + wait, state.wait_until or draft.now))
        draft.put_alert(again)
        if again.tries >= FALLBACK_AFTER:
            _pass_on(draft, again)
    if not is_gone:
        _told_of(draft, before, state)


def _told_of(draft: Draft, before: ReceiverState, state: ReceiverState) -> None:
    """A failure changed how the receiver does: what waits for it goes to somebody else as well."""
    if not receivers.is_out(state, draft.now):
        return
    for each in draft.alerts():
        if each.receiver == state.name and each.status is AlertStatus.PENDING:
            if state.disabled:
                _bury(draft, each, state.disabled, first=False)
            else:
                _pass_on(draft, each)
    if state.disabled and not before.disabled:
        draft.tally("receivers_disabled")
        receivernews.refused(draft, state.name, state.disabled)
    elif state.opens > before.opens:
        draft.tally("receiver_breaker_opens")
        if state.opens == receivernews.TOLD_AFTER:
            receivernews.unreachable(draft, state.name, state.last_error)


def _give_up_late(draft: Draft, name: str) -> None:
    """What could not even be tried for so long: its receiver's breaker is open."""
    shut = receivers.shut_until(draft.receiver_state(name))
    if shut is None or shut <= draft.now:
        return
    for each in draft.alerts():
        late = each.give_up_at is not None and each.give_up_at <= draft.now
        if each.receiver == name and each.status is AlertStatus.PENDING and late:
            _bury(draft, each, each.last_error or draft.receiver_state(name).last_error)


def _bury(draft: Draft, alert: Alert, why: str, *, first: bool = False) -> None:
    """A dead letter: listed, and sent again by hand. `first`: of an episode, whose lesson is kept."""
    dead = replace(alert, status=AlertStatus.DEAD, last_error=why)
    draft.put_alert(dead)
    draft.tally("alerts_dead")
    _pass_on(draft, dead, learned=not first)


def _pass_on(draft: Draft, alert: Alert, *, learned: bool = False) -> None:
    """Once an alert: to the next in line, and when there is none left, to the journal (F72)."""
    if alert.passed_on:
        return
    following = fallbacks.next_in_line(draft.policy.alerts, alert)
    about_itself = receivernews.is_about(alert, alert.receiver)
    if not about_itself:
        draft.put_alert(replace(alert, passed_on=True))
    if following is None:
        if fallbacks.nobody_left(draft, alert):
            draft.tally("alerts_last_resort")
            why = alert.last_error or draft.receiver_state(alert.receiver).last_error
            draft.intend(LastResort(alert, why or f"{alert.receiver} cannot be reached"))
    elif not fallbacks.knows(draft, following, alert):
        if not learned and not about_itself:
            fallbacks.learn(draft, alert, following)
        copy = fallbacks.readdressed(draft, alert, following)
        fallbacks.mark_told(draft, following, alert)
        hand_over(draft, copy)


def _is_full(draft: Draft, name: str) -> bool:
    waiting = sum(1 for each in draft.alerts() if each.receiver == name and each.status in UNDELIVERED)
    return waiting >= MAX_PENDING


def _is_busy(alerts: Iterable[Alert]) -> bool:
    """Something is on its way to their receiver; a test goes beside it."""
    return any(each.status is AlertStatus.SENDING and each.event is not AlertEvent.TEST for each in alerts)


def _lost_at(alert: Alert, state: ReceiverState) -> datetime:
    handed = receivers.handed_at(state) if alert.event is not AlertEvent.TEST else None
    return (handed or alert.next_at) + LOST_AFTER
