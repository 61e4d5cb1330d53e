"""The clock was set back while no daemon ran (F33). It is seen by what has happened in its future. Nothing waits longer
than it ever had to: what happened ahead of the clock counts as having happened just now, each thing for itself, so that
what is right already is not moved. That the clock was set ahead meanwhile looks like a long absence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core.clockset import (
    OF_ALERT,
    OF_ATTEMPT,
    OF_BREAKER,
    OF_GROUP,
    OF_INCIDENT,
    SET_FROM,
    asked_for,
    moved,
    moved_receiver,
    not_ahead,
)
from logmedic.core.draft import Draft
from logmedic.core.eventtime import FUTURE
from logmedic.core.outbox import GIVE_UP_AFTER, RETRY_MAX
from logmedic.core.rates import slot_of
from logmedic.core.windows import GRACE
from logmedic.model.alert import Alert, AlertStatus, ReceiverState
from logmedic.model.issue import IDLE, HoldReason, Incident, KnownIssue, Window
from logmedic.model.state import EngineState
from logmedic.model.when import Absence

NOTHING = timedelta()
HAPPENED_TO_INCIDENT = ("opened_at",)
HAPPENED_TO_ATTEMPT = ("started_at", "finished_at")
HAPPENED_TO_BREAKER = ("opened_at", "closed_at", "failed_at")
HAPPENED_TO_ALERT = ("created_at",)
HAPPENED_TO_GROUP = ("opened_at", "sent_at", "called_at")


def ahead(state: EngineState, now: datetime) -> timedelta:
    """How far ahead of the clock anything has happened; zero where that is no step of the clock. Times of lines do not
    count: they are other programs'."""
    happened = (
        *(_last(each, HAPPENED_TO_INCIDENT) for each in state.incidents.values()),
        *(_last(each, HAPPENED_TO_ATTEMPT) for each in state.attempts.values()),
        *(_last(each, HAPPENED_TO_BREAKER) for each in state.breakers.values()),
        *(_last(each, HAPPENED_TO_ALERT) for each in state.alerts.values()),
        *(_last(each, HAPPENED_TO_GROUP) for each in state.groups.values()),
        *(_last_at(each) for each in state.receivers.values()),
        *(each.resolved_at for each in state.issues.values() if _is_ahead(each, now) and _is_ours(each)),
    )
    return _excess(max(filter(None, happened), default=None), now)


def on_found(draft: Draft) -> None:
    """Before anything else is decided."""
    state, now = draft.state, draft.now
    newest = max((each.started_at for each in state.attempts.values()), default=now)
    of_attempt = {each.id: _excess(_last(each, HAPPENED_TO_ATTEMPT), now) for each in asked_for(state, newest)}
    for incident in list(draft.open_incidents()):
        by = max(_excess(_last(incident, HAPPENED_TO_INCIDENT), now), of_attempt.get(incident.attempt_id, NOTHING))
        draft.put_incident(_bounded(draft, moved(incident, OF_INCIDENT, -by)))
    for attempt_id, by in of_attempt.items():
        if by:
            draft.put_attempt(moved(state.attempts[attempt_id], OF_ATTEMPT, -by))
    for breaker in list(state.breakers.values()):
        if by := _excess(_last(breaker, HAPPENED_TO_BREAKER), now):
            draft.put_breaker(moved(breaker, OF_BREAKER, -by))
    for window in draft.waiting():
        draft.put_window(_bounded_wait(draft, window))
    for alert in draft.alerts():
        by = _excess(_last(alert, HAPPENED_TO_ALERT), now)
        draft.put_alert(_bounded_message(moved(alert, OF_ALERT, -by), now))
    for group in list(draft.groups()):
        if by := _excess(_last(group, HAPPENED_TO_GROUP), now):
            draft.put_group(moved(group, OF_GROUP, -by))
    for receiver in list(state.receivers.values()):
        if by := _excess(_last_at(receiver), now):
            draft.put_receiver_state(moved_receiver(receiver, -by))
    for issue in draft.issues():
        if _is_ahead(issue, now):
            slot = issue.slot_at and min(issue.slot_at, slot_of(now))
            draft.put_issue(not_ahead(replace(issue, slot_at=slot), now, now - _last_of(issue)))


def _is_ahead(issue: KnownIssue, now: datetime) -> bool:
    """By more than the clocks of others are. Not where the clock lies before all of it: a board without a battery boots
    long ago, and is told the time soon."""
    return issue.first_seen <= now and _last_of(issue) - now > FUTURE


def _is_ours(issue: KnownIssue) -> bool:
    """It says of a time of its own when it was resolved."""
    return issue.resolved_at is not None and issue.resolved_at > issue.last_seen


def _last_of(issue: KnownIssue) -> datetime:
    return max(issue.last_seen, issue.resolved_at or issue.last_seen, issue.slot_at or issue.last_seen)


def _bounded(draft: Draft, incident: Incident) -> Incident:
    """What is held is looked at again; what waits for people has no longer than they have; what was seen was seen by
    now."""
    latest = draft.now + draft.policy.approval_expires
    seen = min(incident.last_match_at, draft.now)
    bounded = replace(incident, approved_until=_at_most(incident.approved_until, latest), last_match_at=seen)
    if incident.status not in IDLE:
        return bounded
    asked = incident.hold is HoldReason.AWAITING_APPROVAL
    return replace(bounded, due_at=_at_most(incident.due_at, latest if asked else draft.now))


def _bounded_wait(draft: Draft, window: Window) -> Window:
    rule = draft.policy.rules.get(window.rule_id)
    if rule is None or not isinstance(rule.when.trigger, Absence):
        return window
    return replace(window, due_at=_at_most(window.due_at, draft.now + rule.when.trigger.within + GRACE))


def _bounded_message(alert: Alert, now: datetime) -> Alert:
    """One that is held until a time of day (quiet hours) waits for that."""
    if alert.status is AlertStatus.DEFERRED:
        return alert
    next_at, give_up_at = min(alert.next_at, now + RETRY_MAX), _at_most(alert.give_up_at, now + GIVE_UP_AFTER)
    return replace(alert, next_at=next_at, give_up_at=give_up_at)


def _last_at(receiver: ReceiverState) -> datetime | None:
    handed = (datetime.fromtimestamp(each, UTC) for each in receiver.recent)
    return max(filter(None, (receiver.last_error_at, *handed)), default=None)


def _last(entity: object, names: Iterable[str]) -> datetime | None:
    return max(filter(None, (getattr(entity, name) for name in names)), default=None)


def _excess(happened: datetime | None, now: datetime) -> timedelta:
    by = happened - now if happened is not None else NOTHING
    return by if by >= SET_FROM else NOTHING


def _at_most(known: datetime | None, latest: datetime) -> datetime | None:
    return None if known is None else min(known, latest)
