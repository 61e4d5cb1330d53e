"""Unknown errors of the past on their way: counted by kind and hour, in bounded memory, as plain values."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from operator import itemgetter
from typing import NamedTuple

from logmedic.core.backtest import EPOCH
from logmedic.core.eventtime import event_time
from logmedic.core.learning import SAMPLE_KEPT
from logmedic.core.records import decode
from logmedic.model.record import Block, Findings, UnknownError

HELD_KINDS = 2000
"""Kinds of errors that are counted together before they are handed on, and so many hours of them."""
HELD_HOURS = 50_000
MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_ON_THE_WALL = EPOCH.replace(tzinfo=None)


class Sighting(NamedTuple):
    """Errors of one kind in one stretch of a log, of plain values. `log`: its place in the list that is read; `start`:
    where in it the first of them begins, and `text` is that one. `hours`: how many came in each, by the number of the
    hour since 1970 as clocks of the zone show it."""

    log: int
    start: int
    component: str
    fingerprint: str
    shape: Sequence[str]
    trace: bool
    critical: bool
    times: int
    first_us: int
    last_us: int
    hours: Sequence[tuple[int, int]]
    text: str


as_read: Callable[[Sighting], tuple[int, int]] = itemgetter(0, 1)
"""The key by which sightings are put in the order of their logs: what a template becomes depends on it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Errors written in [since, until) count; their hours are those of `zone`."""

    zone: tzinfo
    since: datetime | None = None
    until: datetime | None = None

    def of(self, log: int) -> Sightings:
        return Sightings(log, self)


@dataclass(slots=True)
class _Kind:
    first: Sighting
    count: int = 0
    first_us: int = 0
    last_us: int = 0
    critical: bool = False
    hours: Counter[int] = field(default_factory=Counter)

    def sighting(self) -> Sighting:
        return self.first._replace(
            times=self.count,
            critical=self.critical,
            first_us=self.first_us,
            last_us=self.last_us,
            hours=sorted(self.hours.items()),
        )


class Sightings:
    """Of one part of a log, counted by kind, in bounded memory."""

    def __init__(self, log: int, span: Span) -> None:
        self._log = log
        self._span = span
        self._kinds: dict[str, _Kind] = {}
        self._hours = 0

    def taken(self, block: Block, findings: Findings, low: int, high: int) -> Sequence[Sighting]:
        for error in findings.unknown:
            self._take(block, error, low, high)
        full = len(self._kinds) >= HELD_KINDS or self._hours >= HELD_HOURS
        return self.rest() if full else ()

    def rest(self) -> Sequence[Sighting]:
        """All that was counted since the last time, in the order of the log."""
        kinds, self._kinds, self._hours = self._kinds, {}, 0
        return sorted((kind.sighting() for kind in kinds.values()), key=as_read)

    def _take(self, block: Block, error: UnknownError, low: int, high: int) -> None:
        times = _Times(block, error, self._span.zone)
        spans = error.spans
        begin = bisect_left(spans, (low - block.start, 0)) if spans[0][0] + block.start < low else 0
        end = bisect_left(spans, (high - block.start, 0)) if spans[-1][0] + block.start >= high else len(spans)
        begin, end = self._in_time(times, begin, end)
        if begin >= end:
            return
        kind = self._kinds.get(error.fingerprint)
        first_us, last_us = times.us(begin), times.us(end - 1)
        first_us, last_us = min(first_us, last_us), max(first_us, last_us)
        if kind is None:
            kind = self._kinds[error.fingerprint] = _Kind(self._first(block, error, begin), 0, first_us, last_us)
        kind.count += end - begin
        kind.critical = kind.critical or error.critical
        kind.first_us, kind.last_us = min(kind.first_us, first_us), max(kind.last_us, last_us)
        for hour, count in times.by_hour(begin, end - 1):
            self._hours += hour not in kind.hours
            kind.hours[hour] += count

    def _in_time(self, times: _Times, begin: int, end: int) -> tuple[int, int]:
        since, until = self._span.since, self._span.until
        if since is not None and begin < end and times.at(begin) < since:
            begin = bisect_left(range(end), since, begin, end, key=times.at)
        if until is not None and begin < end and times.at(end - 1) >= until:
            end = bisect_left(range(end), until, begin, end, key=times.at)
        return begin, end

    def _first(self, block: Block, error: UnknownError, number: int) -> Sighting:
        start, end = error.spans[number]
        text = error.record.text if number == 0 else decode(block.data, start, end)
        return Sighting(
            log=self._log,
            start=block.start + start,
            component=error.component,
            fingerprint=error.fingerprint,
            shape=error.shape,
            trace=error.trace,
            critical=False,
            times=0,
            first_us=0,
            last_us=0,
            hours=(),
            text=text[:SAMPLE_KEPT],
        )


class _Times:
    """Of the records of one unknown error in a block, by their number. They are taken to ascend: of a thousand errors
    in one hour, two are looked at."""

    def __init__(self, block: Block, error: UnknownError, zone: tzinfo) -> None:
        self._block = block
        self._spans = error.spans
        self._zone = zone
        self._known: dict[int, datetime] = {0: error.record.at}

    def at(self, number: int) -> datetime:
        known = self._known.get(number)
        if known is None:
            text = decode(self._block.data, *self._spans[number])
            known = self._known[number] = event_time(text, self._block.read_at, self._zone)
        return known

    def us(self, number: int) -> int:
        return (self.at(number) - EPOCH) // MICROSECOND

    def by_hour(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(hour, how many), of the records from `first` to `last`."""
        begin = hour_of(self.at(first), self._zone)
        end = hour_of(self.at(last), self._zone) if last != first else begin
        if begin == end:
            yield begin, last - first + 1
        elif last == first + 1:
            yield begin, 1
            yield end, 1
        else:
            middle = (first + last) // 2
            yield from self.by_hour(first, middle)
            yield from self.by_hour(middle + 1, last)


def hour_of(at: datetime, zone: tzinfo) -> int:
    """Hours since 1970, as clocks of `zone` show them."""
    return (at.astimezone(zone).replace(tzinfo=None) - _ON_THE_WALL) // _HOUR
