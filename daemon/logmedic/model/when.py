"""When matches become an incident, and when it is over. All of it is about event time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from logmedic.model.match import MatchSpec


@dataclass(frozen=True, slots=True)
class Threshold:
    """Triggers at `count` matches inside `within`, counted apart for each value of the captures in `by`."""

    count: int = 1
    within: timedelta = timedelta(seconds=60)
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Distinct:
    """Triggers at `count` different values of the capture `of` inside `within`."""

    of: str
    count: int
    within: timedelta = timedelta(seconds=60)
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One more thing that has to be seen, `count` times."""

    match: MatchSpec
    count: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """Triggers when the match (`count` times) and then each of `then` were seen, all of it inside `within` from the
    first to the last; in that order, or in `any_order`. A line counts for one stage at most."""

    then: tuple[Stage, ...]
    count: int = 1
    within: timedelta = timedelta(seconds=60)
    by: tuple[str, ...] = ()
    any_order: bool = False


@dataclass(frozen=True, slots=True)
class Absence:
    """Triggers when a match is not followed by `of` inside `within`; without `of`, by the next match of its own."""

    within: timedelta
    of: MatchSpec | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """Triggers when the matches of the last `within` are at least `at_least`, and more than `times` the usual number of
    such a span of time, which is learned."""

    times: float
    at_least: int
    within: timedelta = timedelta(minutes=5)
    by: tuple[str, ...] = ()


Trigger = Threshold | Distinct | Sequence | Absence | Rate


@dataclass(frozen=True, slots=True)
class Clear:
    """What ends an incident that no fix ends: a line that `match` takes (of the same group: it has the captures of
    `by`; without any of them it ends all groups), no match for `quiet`, or `after` so long from its opening, whatever
    comes. Without any of them: the config's `incidents.resolve_after` of silence."""

    match: MatchSpec | None = None
    quiet: timedelta | None = None
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class When:
    """`unless_incident`: ids of rules; while one of them has an open incident, this one opens none."""

    trigger: Trigger = Threshold()
    clear: Clear = Clear()
    unless_incident: tuple[str, ...] = ()

    @property
    def by(self) -> tuple[str, ...]:
        return self.trigger.by

    @property
    def parts(self) -> tuple[tuple[str, MatchSpec], ...]:
        """What is waited for beside the match itself, by its name; later stages first."""
        parts: list[tuple[str, MatchSpec]] = []
        match self.trigger:
            case Sequence(then):
                parts += reversed([(stage_name(n), each.match) for n, each in enumerate(then, start=1)])
            case Absence(of=MatchSpec() as of):
                parts.append((OF, of))
        return tuple(parts)


MATCH, OF, CLEAR = "", "of", "clear"


def stage_name(number: int) -> str:
    """Of the `number`th thing that a sequence waits for, from 1; 0 is the match."""
    return f"then{number}" if number else MATCH
