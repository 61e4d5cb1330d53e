"""Windows in which people work on the host themselves, and no fix starts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from fnmatch import fnmatchcase

from logmedic.model.policy import MaintenanceWindow
from logmedic.model.rule import Rule

DAY = timedelta(days=1)


def open_window(
    windows: Iterable[MaintenanceWindow], rule: Rule, now: datetime
) -> tuple[MaintenanceWindow, datetime] | None:
    """The window of `rule` that `now` (UTC) is in, and when it ends (UTC, exclusive); the one that ends last; None: in
    none.

    Clocks that change never make a window shorter than what they show: one that begins in the hour that is left out
    begins with the next, and one that lies in it whole is as long after it; where an hour comes twice, a window begins
    in the first and ends in the second."""
    found = [
        (ends, window)
        for window in windows
        if _is_about(window, rule)
        for begins, ends in _occurrences(window, now)
        if begins <= now < ends
    ]
    if not found:
        return None
    ends, window = max(found, key=lambda each: each[0])
    return window, ends


def _is_about(window: MaintenanceWindow, rule: Rule) -> bool:
    if not window.rules and not window.tags:
        return True
    return any(fnmatchcase(rule.id, pattern) for pattern in window.rules) or not set(window.tags).isdisjoint(rule.tags)


def _occurrences(window: MaintenanceWindow, now: datetime) -> list[tuple[datetime, datetime]]:
    """Those that `now` can be in: they begin today, or began yesterday."""
    today = now.astimezone(window.zone).date()
    return [_occurrence(window, day) for day in (today, today - DAY) if day.weekday() in window.days]


def _occurrence(window: MaintenanceWindow, day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, window.start)
    end = datetime.combine(day if window.end > window.start else day + DAY, window.end)
    begins, ends = _reached(start, window.zone), _left(end, window.zone)
    return begins, ends if ends > begins else begins + (end - start)


def _reached(wall: datetime, zone: tzinfo) -> datetime:
    """The first instant at which clocks show `wall` (naive), or later."""
    first, last = _instants(wall, zone)
    return first if first <= last else _change(last, first, zone)


def _left(wall: datetime, zone: tzinfo) -> datetime:
    """The last instant at which clocks go from before `wall` (naive) to it, or past it."""
    first, last = _instants(wall, zone)
    if first > last:
        return _change(last, first, zone)
    just_before = (last - timedelta.resolution).astimezone(zone).replace(tzinfo=None)
    return last if just_before < wall else first


def _instants(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """In UTC, with the offset before and the one after a change of clocks. The same where there is none; where `wall`
    comes twice the first is earlier; where it is left out the first is later, and the change is in between (PEP 495).
    """
    first, last = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, last


def _change(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """When the clocks change, after `low` and at `high` at the latest. Such instants are whole seconds."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    offset = high.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high
