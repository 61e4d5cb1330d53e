"""When known issues began: the history that precursors are told from, and issues that begin in the same moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from statistics import median

from logmedic.core.coincidence import DAY_US, one_way
from logmedic.model.precursor import Together

MIN_TIMES = 3
CROWD = 48
"""Onsets behind one that are looked at: in an outage in which hundreds begin at once, the nearest say enough."""
SAME_MOMENT = timedelta(seconds=5)
CLOCK_STEP = timedelta(seconds=1)
"""Many logs write whole seconds: less apart than this has no order."""
LONG_SILENCE_DAYS = 14

_US = timedelta(microseconds=1)

Onset = tuple[str, datetime]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class History:
    """`times` and `issues` (indices into `names`) of all onsets, side by side, in order of time; `series`: the times of
    each issue. Times as in core/coincidence.py; `moments`: beside `times`, what the clock said."""

    names: tuple[str, ...]
    times: list[int]
    issues: list[int]
    moments: list[datetime]
    series: list[list[int]]

    @property
    def span(self) -> int:
        return self.times[-1] if self.times else 0

    def calm(self, points: Sequence[int], window: int) -> list[int]:
        """Those of `points` around which not much more begins than on average."""
        limit = 6 + 3 * len(self.times) * 2 * window / self.span
        spans = ((point, bisect_left(self.times, point - window), point + window) for point in points)
        return [point for point, low, until in spans if bisect_right(self.times, until) - low <= limit]

    def moment(self, time: int) -> datetime:
        return self.moments[bisect_left(self.times, time)]


def history_of(onsets: Iterable[Onset]) -> History:
    """The same onset twice counts once. Of a silence of all issues of more than two weeks (a clock that was years off,
    a host that was away) whole weeks are cut, so that it neither dilutes chance nor moves the hours of the day."""
    ordered = sorted({(at, name) for name, at in onsets})
    names = tuple(sorted({name for _, name in ordered}))
    index = {name: number for number, name in enumerate(names)}
    times = _without_silences([(at - ordered[0][0]) // _US for at, _ in ordered])
    issues = [index[name] for _, name in ordered]
    history = History(names, times, issues, [at for at, _ in ordered], [[] for _ in names])
    for time, issue in zip(times, issues, strict=True):
        history.series[issue].append(time)
    return history


def _without_silences(times: Sequence[int]) -> list[int]:
    kept: list[int] = []
    cut = 0
    for time in times:
        silence = time - cut - kept[-1] if kept else 0
        if silence > LONG_SILENCE_DAYS * DAY_US:
            cut += (silence // (7 * DAY_US) - 1) * 7 * DAY_US
        kept.append(time - cut)
    return kept


def followers(history: History, own: Sequence[int], horizon: int) -> Counter[int]:
    """How many of `own` each issue follows within `horizon`."""
    times, issues, end = history.times, history.issues, len(history.times)
    behind = ((bisect_right(times, point), point + horizon) for point in own)
    return Counter(
        chain.from_iterable(
            set(issues[low : bisect_right(times, until, low, min(low + CROWD, end))]) for low, until in behind
        )
    )


def beginning_together(history: History) -> dict[Pair, Together]:
    """Issues of which the rarer one mostly begins in the same moment as the other, in no order. Lower index first."""
    moment = SAME_MOMENT // _US
    found = {}
    for one, own in enumerate(history.series):
        for other, times in _within(history, own, moment).items():
            theirs = history.series[other]
            often = other > one and times >= MIN_TIMES and 2 * times >= min(len(own), len(theirs))
            if often and not _in_order(own, theirs, moment):
                names = history.names[one], history.names[other]
                found[one, other] = Together(*names, times, len(own), len(theirs))
    return found


def _within(history: History, own: Sequence[int], moment: int) -> Counter[int]:
    times, issues, end = history.times, history.issues, len(history.times)
    around = ((bisect_left(times, point - moment), point + moment) for point in own)
    return Counter(
        chain.from_iterable(
            set(issues[low : bisect_right(times, until, low, min(low + CROWD, end))]) for low, until in around
        )
    )


def _in_order(one: Sequence[int], other: Sequence[int], moment: int) -> bool:
    """Whether it is mostly the same of the two that comes first, and by no less than the clock's step."""
    lags = []
    for point in one:
        near = other[bisect_left(other, point - moment) : bisect_right(other, point + moment)]
        lags += [min((each - point for each in near), key=abs)] if near else []
    forth, back = sum(lag > 0 for lag in lags), sum(lag < 0 for lag in lags)
    return abs(median(lags)) >= CLOCK_STEP // _US and (one_way(forth, back) or one_way(back, forth))
