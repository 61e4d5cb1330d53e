"""A receiver's own stages: what waits for its digest, for the end of its quiet hours, or for room in its hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from logmedic.core import receivers
from logmedic.core.alerting.selecting import Facts, facts_of, means
from logmedic.core.draft import Draft
from logmedic.core.hours import next_at, open_until
from logmedic.model.alert import Alert, DigestPlan, ReceiverPlan

DAY = timedelta(days=1)


def deferred_until(draft: Draft, alert: Alert) -> datetime | None:
    """None: it goes now. In the order of the stages."""
    plan = draft.policy.alerts.receiver(alert.receiver)
    digest = plan.digest
    if digest is not None and all(means(digest.of, each, draft.now) for each in _facts(draft, alert)):
        return next_digest(digest, draft.now)
    return quiet_until(draft, alert) or no_room_until(draft, plan)


def quiet_until(draft: Draft, alert: Alert) -> datetime | None:
    """The end of its receiver's quiet hours; None: none are now, or they are not for this one. What tells of several
    subjects is as urgent as one of them. Hours that never end hold it back for a day."""
    plan, until = draft.policy.alerts.receiver(alert.receiver), draft.now
    if not plan.quiet_hours:
        return None
    if any(means(plan.quiet_except, each, draft.now) for each in _facts(draft, alert)):
        return None
    while (ends := _quiet_ends(plan, until)) is not None and until < draft.now + DAY:
        until = ends
    return min(until, draft.now + DAY) if until > draft.now else None


def _quiet_ends(plan: ReceiverPlan, at: datetime) -> datetime | None:
    return max((ends for each in plan.quiet_hours if (ends := open_until(each, at)) is not None), default=None)


def no_room_until(draft: Draft, plan: ReceiverPlan) -> datetime | None:
    until = receivers.room_at(draft.receiver_state(plan.name), plan.max_per_hour)
    return until if until is not None and until > draft.now else None


def next_digest(plan: DigestPlan, now: datetime) -> datetime:
    """After `now`; of no day at all, in a day."""
    return next_at(plan.days, plan.at, plan.zone, now) if plan.days else now + DAY


def _facts(draft: Draft, alert: Alert) -> list[Facts]:
    """Of each subject that it tells of."""
    notices = (draft.notice(subject) for subject in alert.tells)
    return [facts_of(each) for each in notices if each is not None] or [Facts(alert.severity, alert.event)]
