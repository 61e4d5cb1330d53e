"""What the matches of one rule and group add up to: pure steps from one window to the next, on event time."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zlib import crc32

from logmedic.model.issue import Window
from logmedic.model.record import Match
from logmedic.model.when import (
    MATCH,
    OF,
    Absence,
    Distinct,
    Rate,
    Sequence,
    Threshold,
    Trigger,
    stage_name,
)

EVIDENCE_KEPT = 4000
"""Characters of a record that are remembered."""
SPARE = 64
"""Of each stage of a sequence so many are remembered at least: with fewer, a late line could lack its earlier one."""
SLOTS = 10
"""A span of a rate is counted in so many slots: it moves on by a tenth at a time."""
LEARNING_SPANS = 12
"""A rate judges nothing before it has seen so many spans."""
WEIGHT = 0.1
"""Of the newest span in the usual number (exponentially weighted moving average)."""
GRACE = timedelta(seconds=2)
"""A wait goes on so much longer: the line that answers it may be on its way (a source's turn, a trace's end)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`window`: what is remembered from now on. `fires`: the trigger is reached. `answered`: what an open incident
    waits for has come."""

    window: Window
    fires: bool = False
    answered: bool = False


def kind_of(trigger: Trigger) -> str:
    return type(trigger).__name__.lower()


def take(window: Window, trigger: Trigger, match: Match, now: datetime) -> Taken:
    """Take `match` into `window`, which another kind of trigger may have written."""
    kind = kind_of(trigger)
    if window.kind != kind:
        window = Window(window.rule_id, window.group_key, kind=kind, answered=window.answered)
    at = match.record.at.timestamp()
    match trigger:
        case Threshold():
            return _threshold(window, trigger, at)
        case Distinct():
            return _distinct(window, trigger, at, match.captures.get(trigger.of, ""))
        case Sequence():
            return _sequence(window, trigger, at, f"{match.part}#{_place(match)}")
        case Absence():
            return _answer(window, trigger, at) if match.part == OF else _wait(window, trigger, match, now)
        case Rate():
            return _rate(window, trigger, at)


def _place(match: Match) -> str:
    """Tells the records of a window apart: one record counts once."""
    return f"{crc32(f'{match.record.origin}:{match.record.start}'.encode()):x}"


def _emptied(window: Window) -> Window:
    return replace(window, times=(), marks=(), due_at=None, captures={}, source="", evidence="")


def _threshold(window: Window, trigger: Threshold, at: float) -> Taken:
    if trigger.count == 1:
        return Taken(window, fires=True)
    times = [*window.times]
    insort(times, at)
    horizon = times[-1] - trigger.within.total_seconds()
    kept = tuple(each for each in times if each >= horizon)[-trigger.count :]
    if len(kept) >= trigger.count:
        return Taken(_emptied(window), fires=True)
    return Taken(replace(window, times=kept))


def _distinct(window: Window, trigger: Distinct, at: float, value: str) -> Taken:
    """Of each value its newest time."""
    newest = dict(zip(window.marks, window.times, strict=True))
    newest[value] = max(at, newest.get(value, at))
    horizon = max(newest.values()) - trigger.within.total_seconds()
    kept = sorted((when, each) for each, when in newest.items() if when >= horizon)
    if len(kept) >= trigger.count:
        return Taken(_emptied(window), fires=True)
    return Taken(replace(window, times=tuple(when for when, _ in kept), marks=tuple(each for _, each in kept)))


def _sequence(window: Window, trigger: Sequence, at: float, mark: str) -> Taken:
    needed = stages(trigger)
    seen = sorted({*zip(window.times, window.marks, strict=True), (at, mark)})
    horizon = seen[-1][0] - trigger.within.total_seconds()
    seen = _newest_of_each([each for each in seen if each[0] >= horizon], needed)
    complete = _any_order(seen, needed) if trigger.any_order else _in_order(seen, needed)
    if complete:
        return Taken(_emptied(window), fires=True)
    return Taken(replace(window, times=tuple(when for when, _ in seen), marks=tuple(each for _, each in seen)))


def stages(trigger: Sequence) -> dict[str, int]:
    """By the name of the part, in order: how often it has to be seen."""
    return {MATCH: trigger.count, **{stage_name(n): each.count for n, each in enumerate(trigger.then, start=1)}}


def _newest_of_each(seen: list[tuple[float, str]], needed: Mapping[str, int]) -> list[tuple[float, str]]:
    left = {part: max(SPARE, 2 * count) for part, count in needed.items()}
    kept = []
    for each in reversed(seen):
        part = each[1].partition("#")[0]
        if left.get(part, 0) > 0:
            left[part] -= 1
            kept.append(each)
    return kept[::-1]


def _in_order(seen: Iterable[tuple[float, str]], needed: Mapping[str, int]) -> bool:
    """Greedy: the earliest record that serves a stage leaves the most for the next."""
    waiting = [part for part, count in needed.items() for _ in range(count)]
    used: set[str] = set()
    at = 0
    for _, mark in seen:
        part, _, place = mark.partition("#")
        if at < len(waiting) and part == waiting[at] and place not in used:
            used.add(place)
            at += 1
    return at == len(waiting)


def _any_order(seen: Iterable[tuple[float, str]], needed: Mapping[str, int]) -> bool:
    """Each record serves one stage: the one that has the fewest others, first."""
    offers: dict[str, list[str]] = {}
    for _, mark in seen:
        part, _, place = mark.partition("#")
        offers.setdefault(place, []).append(part)
    left = Counter(dict(needed))
    for parts in sorted(offers.values(), key=len):
        part = max(parts, key=lambda each: left[each])
        if left[part] > 0:
            left[part] -= 1
    return not any(left.values())


def _wait(window: Window, trigger: Absence, match: Match, now: datetime) -> Taken:
    """Without `of`, each match answers the one before and waits for the next. The wait is over by the clock, and never
    before a backlog had as much time as the lines themselves: it is read faster than it was written."""
    at, within = match.record.at.timestamp(), trigger.within.total_seconds()
    answered = trigger.of is None and bool(window.times or window.answered)
    if trigger.of is None:
        if window.times and at < window.times[-1]:
            return Taken(window, answered=True)  # late: the next one was seen already
    elif window.times or at <= window.answered <= at + within:
        return Taken(window)  # one waits already; or the answer was quicker
    waits = replace(
        window,
        times=(at,),
        due_at=max(match.record.at, now).astimezone(UTC) + trigger.within + GRACE,
        captures=match.captures,
        source=match.record.source,
        evidence=match.record.text[:EVIDENCE_KEPT],
        answered=at if trigger.of is None else window.answered,
    )
    return Taken(waits, answered=answered)


def _answer(window: Window, trigger: Absence, at: float) -> Taken:
    """What comes too late ends an incident, and does not keep it from being opened."""
    newest = max(window.answered, at)
    if window.times and at >= window.times[-1]:
        late = at > window.times[-1] + trigger.within.total_seconds()
        return Taken(replace(_emptied(window), answered=newest), fires=late, answered=True)
    return Taken(replace(window, answered=newest), answered=not window.times)


def overdue(window: Window, trigger: Absence) -> Window:
    """Its wait is over. One that waits for its own next match waits on: that one ends the incident."""
    return replace(_emptied(window), answered=window.answered)


def _rate(window: Window, trigger: Rate, at: float) -> Taken:
    slot = trigger.within.total_seconds() / SLOTS
    if not window.counts:
        window = replace(window, since=at - at % slot, counts=(0,) * SLOTS)
    number = int((at - window.since) // slot)
    if number < 0:
        return Taken(window)  # of a time that is counted already
    counts, usual, learned, since = list(window.counts), window.usual, window.learned, window.since
    ahead = number - (len(counts) - 1)
    spans = max(0, ahead)
    if spans >= 50 * SLOTS:  # nothing of it is left after so long
        usual, learned = usual * (1 - WEIGHT) ** (spans / SLOTS), learned + spans // SLOTS
        counts, since = [0] * SLOTS, at - at % slot - slot * (SLOTS - 1)
    else:
        for _ in range(spans):
            usual, learned = _learn(usual, learned, counts, trigger, round(since / slot) % SLOTS == 0)
            counts = [*counts[1:], 0]
            since += slot
    index = min(len(counts) - 1, int((at - since) // slot))
    counts[index] += 1
    window = replace(window, counts=tuple(counts), since=since, usual=usual, learned=learned)
    total = sum(counts)
    fires = learned >= LEARNING_SPANS and total >= trigger.at_least and total > trigger.times * usual
    return Taken(window, fires=fires)


def _learn(usual: float, learned: int, counts: list[int], trigger: Rate, whole: bool) -> tuple[float, int]:
    """Once a span. A flood counts as what it takes to be one: the usual must not run after it."""
    if not whole:
        return usual, learned
    total = float(sum(counts))
    if learned >= LEARNING_SPANS:
        total = min(total, max(trigger.times * usual, float(trigger.at_least)))
    weight = max(WEIGHT, 1 / (learned + 1))
    return usual + weight * (total - usual), learned + 1


def lives_until(window: Window, trigger: Trigger) -> float:
    """The event time behind which nothing can come of it any more: twice its span, for what comes late. A rate keeps
    what it learned for a month."""
    if isinstance(trigger, Rate):
        return window.newest + timedelta(days=30).total_seconds()
    if window.due_at is not None:
        return float("inf")
    return window.newest + max(2 * trigger.within.total_seconds(), 60.0)
