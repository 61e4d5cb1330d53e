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
MINUTE = timedelta(minutes=1)
SLOTS = 10
"""A span of a rate is counted in so many slots: it moves on by a tenth at a time."""
LEARNING_SPANS = 12
"""A rate judges nothing before it has seen so many spans."""
WEIGHT = 0.1
"""Of the newest span in the usual number (exponentially weighted moving average)."""
SKEW = timedelta(minutes=5)
"""So far may a line's clock be ahead of ours."""
GRACE = timedelta(seconds=2)
"""A wait goes on so much longer: the line that answers it may be on its way (a source's turn, a trace's end)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`window`: what is remembered from now on. `fires`: the trigger is reached; then `full` is what would be
    remembered if it were not. `answered`: what an open incident waits for has come."""

    window: Window
    fires: bool = False
    answered: bool = False
    full: Window | None = None


def kind_of(trigger: Trigger) -> str:
    """Its name, as rule files have it."""
    return type(trigger).__name__.lower()


def form_of(trigger: Trigger) -> str:
    """What two triggers have in common whose windows mean the same."""
    span = f" {trigger.within.total_seconds():g}" if isinstance(trigger, Rate) else ""
    return f"{kind_of(trigger)}{span} {' '.join(trigger.by)}".rstrip()


def is_of(window: Window, trigger: Trigger) -> bool:
    """Whether a trigger of this form wrote it. (Before there were forms, the name alone was kept.)"""
    return window.kind in ("", kind_of(trigger), form_of(trigger))


def counted_at(match: Match, now: datetime) -> float:
    """The time that a line counts at: one that is ahead of the clock by more than clocks differ would push all that is
    true out of the window."""
    return min(match.record.at, now + SKEW).timestamp()


def seen_at(written: datetime, now: datetime) -> datetime:
    """When trouble was seen, by our clock, that a line of `written` tells of. One that is ahead by more than clocks
    differ is of a wrong clock (another zone, often), and was written by now."""
    return written if written <= now + SKEW else now


def take(window: Window, trigger: Trigger, match: Match, now: datetime) -> Taken:
    """Take `match` into `window`, which another kind of trigger may have written."""
    if window.kind != (form := form_of(trigger)):
        if is_of(window, trigger):
            window = replace(window, kind=form)
        else:
            window = Window(window.rule_id, window.group_key, kind=form)
    at = counted_at(match, now)
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
    full = replace(window, times=kept)
    return _fired(full) if len(kept) >= trigger.count else Taken(full)


def _fired(full: Window) -> Taken:
    """It begins anew."""
    return Taken(_emptied(full), fires=True, full=full)


def _distinct(window: Window, trigger: Distinct, at: float, value: str) -> Taken:
    """Of each value its newest time."""
    newest = dict(zip(window.marks, window.times, strict=True))
    newest[value] = max(at, newest.get(value, at))
    horizon = max(newest.values()) - trigger.within.total_seconds()
    kept = sorted((when, each) for each, when in newest.items() if when >= horizon)
    full = replace(window, times=tuple(when for when, _ in kept), marks=tuple(each for _, each in kept))
    return _fired(full) if len(kept) >= trigger.count else Taken(full)


def _sequence(window: Window, trigger: Sequence, at: float, mark: str) -> Taken:
    """What has the same time is taken in the order of the stages: clocks in logs are often cut to the second."""
    needed = stages(trigger)
    place = {part: number for number, part in enumerate(needed)}
    seen = sorted(
        {*zip(window.times, window.marks, strict=True), (at, mark)},
        key=lambda each: (each[0], place.get(_part(each[1]), 0), each[1]),
    )
    horizon = seen[-1][0] - trigger.within.total_seconds()
    seen = _newest_of_each([each for each in seen if each[0] >= horizon], needed)
    complete = _any_order(seen, needed) if trigger.any_order else _in_order(seen, needed)
    full = replace(window, times=tuple(when for when, _ in seen), marks=tuple(each for _, each in seen))
    return _fired(full) if complete else Taken(full)


def _part(mark: str) -> str:
    return mark.partition("#")[0]


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
    """Each record serves one stage. Those that could serve several are shared out by augmenting paths."""
    offers: dict[str, list[str]] = {}
    for _, mark in seen:
        part, _, place = mark.partition("#")
        offers.setdefault(place, []).append(part)
    left = Counter(dict(needed))
    several = [parts for parts in offers.values() if len(parts) > 1]
    left.subtract(parts[0] for parts in offers.values() if len(parts) == 1)
    serves: list[str | None] = [None] * len(several)
    for number in range(len(several)):
        _serve(number, several, serves, left, set())
    return all(count <= 0 for count in left.values())


def _serve(number: int, offers: list[list[str]], serves: list[str | None], left: Counter[str], tried: set[str]) -> bool:
    """Find a stage for one more record, if need be by another stage for those before it."""
    for part in offers[number]:
        if part in tried:
            continue
        tried.add(part)
        if left[part] > 0:
            left[part] -= 1
            serves[number] = part
            return True
        for other, served in enumerate(serves):
            if served == part and _serve(other, offers, serves, left, tried):
                serves[number] = part
                return True
    return False


def _wait(window: Window, trigger: Absence, match: Match, now: datetime) -> Taken:
    """Without `of`, each match answers the one before and waits for the next. The wait is over by the clock, and never
    before a backlog had as much time as the lines themselves: it is read faster than it was written."""
    at, within = counted_at(match, now), trigger.within.total_seconds()
    answered = trigger.of is None and bool(window.times or window.answered)
    if trigger.of is None:
        if window.times and at < window.times[-1]:
            return Taken(window, answered=True)  # late: the next one was seen already
    elif window.times or at <= window.answered <= at + within:
        return Taken(window)  # one waits already; or the answer was quicker
    waits = replace(
        window,
        times=(at,),
        due_at=max(datetime.fromtimestamp(at, UTC), now).astimezone(UTC) + trigger.within + GRACE,
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


def over_at(window: Window, at: float) -> Window:
    """A line told that it is over: what counted towards it until then counts no more."""
    kept = [n for n, each in enumerate(window.times) if each > at]
    marks = tuple(window.marks[n] for n in kept) if window.marks else ()
    times = tuple(window.times[n] for n in kept)
    return replace(window, times=times, marks=marks, due_at=window.due_at if times else None, answered=at)


def lives_until(window: Window, trigger: Trigger) -> float:
    """When nothing can come of it any more: twice its span behind what is newest in it, and behind when it was last
    written, for what comes late. A rate keeps what it learned for a month."""
    if window.due_at is not None:
        return float("inf")
    newest = max(window.newest, window.touched)
    if isinstance(trigger, Rate):
        return newest + timedelta(days=30).total_seconds()
    least = timedelta(hours=1) if window.answered else MINUTE
    return newest + max(2 * trigger.within, least).total_seconds()
