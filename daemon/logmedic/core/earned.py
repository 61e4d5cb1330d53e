"""What the steps of a fix have verifiably earned, over what happens when nothing is done; and their order by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from math import sqrt

from logmedic.model.probe import AllOf, AnyOf, Not, Probe
from logmedic.model.rule import Fix
from logmedic.model.trust import Earned

HALF_LIFE = timedelta(days=30)
"""How long until an outcome counts half: hosts and programs change."""
KNOWN = 4.0
"""Aged outcomes from which on a step is known: five inside of three weeks, more over a longer time."""
Z = 1.6448536269514722
"""The normal distribution's 95 % quantile: bounds are one-sided."""
LEAST_HORIZON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rank:
    """Of one step. `tried`, `fixed`: outcomes, aged. `rate` and `baseline` in [0, 1]: how often it fixed, and how often
    it gets well by itself. `at_least` in [-1, 1]: the lower bound (95 %, one-sided) of the difference. `known`: there
    is evidence enough to say so. `watched`: outcomes of the baseline, aged; at 0 nobody knows it, `baseline` is 1/2
    (the middle of what it may be), and `at_least` is never above 0."""

    step: int
    name: str
    tried: float
    fixed: float
    rate: float
    baseline: float
    at_least: float
    known: bool
    watched: float = 0.0

    @property
    def surely(self) -> float:
        """The lower bound of `rate` alone."""
        return wilson(self.fixed, self.tried)[0]


def counted(earned: Earned, *, won: bool, now: datetime) -> Earned:
    """With one more outcome; what went before is aged to `now`."""
    before = aged(earned, now)
    return replace(before, tried=before.tried + 1, fixed=before.fixed + won)


def aged(earned: Earned, now: datetime) -> Earned:
    """What is left of it. A clock that was set back ages nothing, and makes nothing younger."""
    passed = max(timedelta(0), now - earned.at)
    left = 0.5 ** (passed / HALF_LIFE)
    return replace(earned, tried=earned.tried * left, fixed=earned.fixed * left, at=earned.at + passed)


def ranks(fix: Fix, of_step: Callable[[str], Earned], baseline: Earned, now: datetime) -> tuple[Rank, ...]:
    """One a step, in the order of the file. `of_step`: by the step's name."""
    nothing = aged(baseline, now)
    return tuple(_rank(n, each.name, aged(of_step(each.name), now), nothing) for n, each in enumerate(fix.steps))


def _rank(step: int, name: str, ours: Earned, nothing: Earned) -> Rank:
    return Rank(
        step,
        name,
        ours.tried,
        ours.fixed,
        rate=_share(ours.fixed, ours.tried, untried=0.0),
        baseline=_share(nothing.fixed, nothing.tried, untried=0.5),
        at_least=round(at_least(ours.fixed, ours.tried, nothing.fixed, nothing.tried), 6),
        known=ours.tried >= KNOWN,
        watched=nothing.tried,
    )


def _share(fixed: float, tried: float, *, untried: float) -> float:
    return min(1.0, fixed / tried) if tried > 0 else untried


def wilson(fixed: float, tried: float, z: float = Z) -> tuple[float, float]:
    """The score interval of a proportion (Wilson, "Probable inference, the law of succession, and statistical
    inference", 1927), for numbers that need not be whole. (0, 1) of nothing tried; inside of [0, 1] always, and never
    without width: so it serves the smallest samples."""
    if tried <= 0:
        return 0.0, 1.0
    whole = tried + z * z
    middle = (fixed + z * z / 2) / whole
    reach = z / whole * sqrt(max(0.0, fixed * (tried - fixed) / tried) + z * z / 4)
    rate = fixed / tried
    return max(0.0, min(rate, middle - reach)), min(1.0, max(rate, middle + reach))


def at_least(fixed: float, tried: float, recovered: float, watched: float, z: float = Z) -> float:
    """The lower bound of the difference of two independent proportions, in [-1, 1]: method 10 of Newcombe, "Interval
    estimation for the difference between independent proportions: comparison of eleven methods" (Statistics in
    Medicine 17, 1998), from the Wilson intervals of both.

    A baseline that nobody watched may be anything from 0 to 1. It takes part with the middle of that, which is where
    Wilson's interval of no trials has its middle: so no step is credited with more than doing nothing, before it was
    seen what that does; and as the evidence ages, the bound only falls."""
    rate, nothing = _share(fixed, tried, untried=0.0), _share(recovered, watched, untried=0.5)
    low, high = wilson(fixed, tried, z)[0], wilson(recovered, watched, z)[1]
    return max(-1.0, rate - nothing - sqrt((rate - low) ** 2 + (high - nothing) ** 2))


def plan(fix: Fix, found: Sequence[Rank]) -> tuple[int, ...]:
    """The indices of the steps, in the order in which they are tried: rung by rung; in a rung with alternatives by what
    they earned. One goes ahead of another that the file has earlier only on evidence about both (see `_beats`); so
    whatever is untried or long ago stays where the file has it, and nothing moves past it."""
    rank_of = {each.step: each for each in found}
    order: list[int] = []
    for _, rung in groupby(range(len(fix.steps)), key=lambda step: fix.steps[step].rung):
        order += _by_merit([(step, rank_of.get(step)) for step in rung])
    return tuple(order)


def _by_merit(alternatives: Sequence[tuple[int, Rank | None]]) -> list[int]:
    """Each moves ahead one place at a time, as long as it beats the one before it."""
    order: list[tuple[int, Rank | None]] = []
    for each in alternatives:
        place = len(order)
        while place and _beats(each[1], order[place - 1][1]):
            place -= 1
        order.insert(place, each)
    return [step for step, _ in order]


def _beats(one: Rank | None, other: Rank | None) -> bool:
    """Both are known, and it surely earned more: over the baseline, and by itself. The second alone is the same without
    the first for a baseline that is known well; where it is not, its own uncertainty hides that of few tries."""
    if one is None or other is None or not (one.known and other.known):
        return False
    return one.at_least > other.at_least and one.surely > other.surely


def horizon(fix: Fix) -> timedelta:
    """How long the fix takes at most until its verdict, when no step is tried again: every step to its timeout, the
    longest of the checks that verify it, the silence after them (a minute, where it has neither); never less than a
    minute. What gets well by itself inside of it is the baseline: the fix would have got the credit for that."""
    steps = sum((each.timeout for each in fix.steps), timedelta())
    checks = max(map(_within, fix.verify.probes), default=timedelta())
    usual = timedelta() if fix.verify.probes else LEAST_HORIZON
    return max(LEAST_HORIZON, steps + checks + (fix.verify.quiet or usual))


def _within(probe: Probe) -> timedelta:
    match probe:
        case AllOf(probes) | AnyOf(probes):
            return max(map(_within, probes), default=timedelta())
        case Not(inner):
            return _within(inner)
        case _:
            return probe.within
