"""How often an issue comes, in hours of event time, and whether that is far more than its usual."""

from __future__ import annotations

from datetime import datetime, timedelta

from logmedic.model.changed import changed
from logmedic.model.issue import KnownIssue

HOUR = timedelta(hours=1)
SILENCE = timedelta(minutes=15)
"""What comes after so long a silence begins a new episode."""
LEARNED_FROM = 24
"""Hours, before anything is unusual: less than a day knows no nights."""
TIMES = 3.0
AT_LEAST = 10
"""Occurrences in an hour, fewer of which are never far more than usual."""
WEIGHT = 0.02
"""Of one hour in the usual: half of it is of the last 34 hours."""


def slot_of(at: datetime) -> datetime:
    """When its hour began."""
    return at.replace(minute=0, second=0, microsecond=0)


def counted(issue: KnownIssue, at: datetime, times: int) -> KnownIssue:
    """With `times` occurrences at `at`. What is older than the hour that is counted no longer counts for the rate."""
    slot = slot_of(at)
    if issue.slot_at is None:
        return changed(issue, slot_at=slot, slot_count=times)
    if slot < issue.slot_at:
        return issue
    rolled = until(issue, slot)
    return changed(rolled, slot_count=rolled.slot_count + times)


def is_same_hour(issue: KnownIssue, at: datetime) -> bool:
    """Whether `at` is in the hour that is counted."""
    return issue.slot_at is not None and 0 <= (at - issue.slot_at).total_seconds() < 3600


def hour_text(issue: KnownIssue, now: datetime) -> str:
    """The hour that is counted, for people."""
    return "this hour" if is_same_hour(issue, now) else f"the hour of {issue.slot_at:%Y-%m-%d %H:%M} UTC"


def until(issue: KnownIssue, at: datetime) -> KnownIssue:
    """Every hour that was over by `at` has become part of the usual: the counted one with its occurrences, those behind
    it with none. What people were told of the rate holds until an hour was not high: a flood that lasts is one."""
    slot = slot_of(at)
    if issue.slot_at is None or slot <= issue.slot_at:
        return issue
    empty = int((slot - issue.slot_at) / HOUR) - 1
    weight = max(WEIGHT, 1 / (issue.usual_hours + 1))
    usual = issue.usual + weight * (_capped(issue) - issue.usual)
    hours = issue.usual_hours + 1
    for _ in range(min(empty, LEARNED_FROM)):  # a mean at first, as above
        usual -= max(WEIGHT, 1 / (hours + 1)) * usual
        hours += 1
    usual *= (1 - WEIGHT) ** max(0, empty - LEARNED_FROM)
    hours += max(0, empty - LEARNED_FROM)
    level = issue.rate_level if is_high(issue) and not empty else 0
    return changed(issue, slot_at=slot, slot_count=0, usual=usual, usual_hours=hours, rate_level=level)


def _capped(issue: KnownIssue) -> float:
    """A flood counts as what it takes to be one: the usual must not run after it."""
    if issue.usual_hours < LEARNED_FROM:
        return float(issue.slot_count)
    return min(float(issue.slot_count), max(TIMES * issue.usual, float(AT_LEAST)))


def is_high(issue: KnownIssue) -> bool:
    """Whether the hour that is counted has far more than the usual one."""
    return issue.usual_hours >= LEARNED_FROM and issue.slot_count >= max(AT_LEAST, TIMES * issue.usual)


def doublings(issue: KnownIssue) -> int:
    """1 when it is high, and one more for each doubling of that; 0 when it is not."""
    if not is_high(issue):
        return 0
    level, high = 1, 2 * max(AT_LEAST, TIMES * issue.usual)
    while issue.slot_count >= high:
        level, high = level + 1, 2 * high
    return level
