"""Hours of the week on a clock that people change twice a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

DAY = timedelta(days=1)
WEEK = 7


class Weekly(Protocol):
    """As model.hours.Hours."""

    @property
    def days(self) -> frozenset[int]: ...
    @property
    def start(self) -> time: ...
    @property
    def end(self) -> time: ...
    @property
    def zone(self) -> tzinfo: ...


def open_until(hours: Weekly, now: datetime) -> datetime | None:
    """When the hours that `now` (UTC) is in end (UTC, exclusive), the ones that end last; None: in none.

    Clocks that change never make them shorter than what they show: hours that begin in the hour that is left out begin
    with the next, and hours that lie in it whole are as long after it; where an hour comes twice, they begin in the
    first and end in the second."""
    return max((ends for begins, ends in _occurrences(hours, now) if begins <= now < ends), default=None)


def next_at(days: frozenset[int], at: time, zone: tzinfo, now: datetime) -> datetime:
    """The first instant after `now` (both UTC) at which clocks of `zone` come to `at` on one of `days` (0 is Monday; at
    least one), or past it where that time is left out. Where it comes twice a day, the first one counts."""
    today = now.astimezone(zone).date()
    ahead = (today + timedelta(days=number) for number in range(-1, WEEK + 2))
    times = (_reached(datetime.combine(day, at), zone) for day in ahead if day.weekday() in days)
    return next(each for each in times if each > now)


def _occurrences(window: Weekly, now: datetime) -> list[tuple[datetime, datetime]]:
    """Those that `now` can be in: they begin today, or began yesterday."""
    today = now.astimezone(window.zone).date()
    return [_occurrence(window, day) for day in (today, today - DAY) if day.weekday() in window.days]


def _occurrence(window: Weekly, day: date) -> tuple[datetime, datetime]:
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
