"""What there was to learn from the past: sightings placed as the daemon would have, with when and where they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from logmedic.core.backtest import EPOCH
from logmedic.core.learning import FURTHER_KEPT, SAMPLES
from logmedic.core.mining.placing import Placement, place
from logmedic.core.sightings import MICROSECOND, Sighting, hour_of
from logmedic.model.grove import Grove
from logmedic.model.issue import Template

FORGOTTEN_SHARE = 10
"""One part in so many of all templates is forgotten at once: to find them all are looked at."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The time that logs cover, in slots of so many `hours`, numbered from 0."""

    unit: str
    hours: int
    first: int
    slots: int

    def slot(self, hour: int) -> int:
        """What lies outside belongs to the first or the last."""
        return min(max(hour // self.hours - self.first, 0), self.slots - 1)


_UNITS = (("hour", 1, 48), ("day", 24, 1100))
"""With the most that there may be of them."""


def scale_of(span: tuple[datetime, datetime], zone: tzinfo) -> Scale:
    begin, end = (hour_of(at, zone) for at in span)
    for unit, hours, most in _UNITS:
        slots = end // hours - begin // hours + 1
        if slots <= most:
            return Scale(unit, hours, begin // hours, max(1, slots))
    return Scale("week", 168, begin // 168, end // 168 - begin // 168 + 1)


@dataclass(slots=True)
class Lesson:
    """One template of the past. `slots`: how many came in each of the scale; `logs`: the numbers of those that it is
    in."""

    template: Template
    slots: Counter[int] = field(default_factory=Counter)
    logs: set[int] = field(default_factory=set)


class Hindsight:
    """At most `most` templates are kept: where there is no room for another, those that came least often are
    `forgotten`, and what comes of them later counts from there on."""

    def __init__(self, most: int, scale: Scale | None, sources: Sequence[str]) -> None:
        """`sources`: by the number of the log."""
        self._most = most
        self._scale = scale
        self._sources = sources
        self._grove = Grove()
        self._lessons: dict[str, Lesson] = {}
        self.unknown = 0
        self.forgotten = 0

    @property
    def lessons(self) -> Sequence[Lesson]:
        return tuple(self._lessons.values())

    def take(self, seen: Sighting) -> None:
        """In the order of `as_read`."""
        self.unknown += seen.times
        lesson = self._lesson_of(seen)
        lesson.template = _again(lesson.template, seen)
        lesson.logs.add(seen.log)
        if self._scale is not None:
            for hour, count in seen.hours:
                lesson.slots[self._scale.slot(hour)] += count
        self._grove.put(lesson.template)

    def _lesson_of(self, seen: Sighting) -> Lesson:
        placed = place(self._grove, tuple(seen.shape), seen.component, seen.fingerprint)
        if placed.fresh:
            self._make_room()
            fresh = _first(placed.template, seen, self._sources[seen.log])
            lesson = self._lessons[fresh.fingerprint] = Lesson(fresh)
            return lesson
        lesson = self._lessons[placed.template.fingerprint]
        lesson.template = placed.template
        self._absorb(lesson, placed)
        return lesson

    def _absorb(self, lesson: Lesson, placed: Placement) -> None:
        for each in placed.absorbed:
            other = self._lessons.pop(each.fingerprint)
            self._grove.drop(each.fingerprint)
            lesson.template = _with(lesson.template, other.template)
            lesson.slots.update(other.slots)
            lesson.logs |= other.logs

    def _make_room(self) -> None:
        if len(self._lessons) < self._most:
            return
        seldom = sorted(self._lessons.values(), key=_worth)[: max(1, self._most // FORGOTTEN_SHARE)]
        for each in seldom:
            del self._lessons[each.template.fingerprint]
            self._grove.drop(each.template.fingerprint)
        self.forgotten += len(seldom)


def _worth(lesson: Lesson) -> tuple[int, datetime]:
    return lesson.template.occurrences, lesson.template.last_seen


def _first(template: Template, seen: Sighting, source: str) -> Template:
    at = EPOCH + seen.first_us * MICROSECOND
    return replace(template, sample=seen.text, first_seen=at, last_seen=at, trace=seen.trace, source=source, samples=())


def _again(template: Template, seen: Sighting) -> Template:
    first, last = (EPOCH + us * MICROSECOND for us in (seen.first_us, seen.last_us))
    return replace(
        template,
        samples=_sampled(template.samples, seen.text[:FURTHER_KEPT]),
        occurrences=template.occurrences + seen.times,
        first_seen=min(template.first_seen, first),
        last_seen=max(template.last_seen, last),
        critical=template.critical or seen.critical,
    )


def _with(template: Template, other: Template) -> Template:
    samples = template.samples
    for text in other.samples:
        samples = _sampled(samples, text)
    return replace(
        template,
        samples=samples,
        occurrences=template.occurrences + other.occurrences,
        first_seen=min(template.first_seen, other.first_seen),
        last_seen=max(template.last_seen, other.last_seen),
        trace=template.trace or other.trace,
        critical=template.critical or other.critical,
    )


def _sampled(samples: tuple[str, ...], text: str) -> tuple[str, ...]:
    return samples if len(samples) >= SAMPLES or text in samples else (*samples, text)


def columns_of(counts: Mapping[int, int], scale: Scale, width: int) -> list[int]:
    """The slots of `scale` in at most `width` columns."""
    each = max(1, -(-scale.slots // width))
    return [sum(counts.get(n, 0) for n in range(at, min(at + each, scale.slots))) for at in range(0, scale.slots, each)]


def ranked(lessons: Iterable[Lesson], component: str = "", least: int = 1) -> list[Lesson]:
    """The most frequent first, of these the latest. `component`: only its own; `least`: only what came so often."""
    found = [
        each for each in lessons if each.template.occurrences >= least and component in ("", each.template.component)
    ]
    found.sort(key=lambda each: (each.template.component, each.template.template))
    found.sort(key=_worth, reverse=True)
    return found
