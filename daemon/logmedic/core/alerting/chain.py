"""Reminders and the escalation chain: what comes when nobody acknowledges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from logmedic.model.alert import Route
from logmedic.model.notice import AlertGroup, Notice

MOST_DOUBLINGS = 32
"""Of an interval: more than any route's limit allows."""


def is_acked(notice: Notice, now: datetime) -> bool:
    return bool(notice.acked_by) and (notice.acked_until is None or now < notice.acked_until)


def needs_people(notices: Sequence[Notice], now: datetime) -> list[Notice]:
    """Those that somebody was told of, that are not over, and that nobody takes care of."""
    return [
        each
        for each in notices
        if each.lasting and not each.over and each.told and not each.suppressed and not is_acked(each, now)
    ]


def level_by(route: Route, group: AlertGroup, now: datetime) -> int:
    """How much of the chain is to be called by now, when people are needed still."""
    level = group.level
    while level < len(route.escalate) and (at := _calls_at(route, group, level)) is not None and at <= now:
        level += 1
    return level


def next_call(route: Route, group: AlertGroup) -> datetime | None:
    return _calls_at(route, group, group.level) if group.level < len(route.escalate) else None


def _calls_at(route: Route, group: AlertGroup, level: int) -> datetime | None:
    return None if group.called_at is None else group.called_at + route.escalate[level].after


def called(route: Route, level: int) -> tuple[str, ...]:
    """Receivers of the first `level` links of the chain."""
    return tuple(name for each in route.escalate[:level] for name in each.to)


def reminds_at(route: Route, group: AlertGroup, needing: Sequence[Notice]) -> datetime | None:
    """When those that need people are told again: each time after twice as long as before, up to the route's limit. A
    rule's own interval counts instead of the route's, the shortest of several. None: never."""
    if group.sent_at is None or not needing:
        return None
    asked = [interval for each in needing if (interval := _interval(route, each)) is not None]
    if not asked:
        return None
    base = min(asked)
    longest = max(base, route.repeat_max)
    grown = base * min(1 << min(group.reminders, MOST_DOUBLINGS), -(-longest // base))
    return group.sent_at + min(grown, longest)


def _interval(route: Route, notice: Notice) -> timedelta | None:
    """None: it is not told again."""
    if notice.repeat_s is None:
        return route.repeat_every
    return timedelta(seconds=notice.repeat_s) if notice.repeat_s > 0 else None
