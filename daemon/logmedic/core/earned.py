"""What the steps of a fix have verifiably earned, over what happens when nothing is done; and their order by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from logmedic.model.rule import Fix
from logmedic.model.trust import Earned

HALF_LIFE = timedelta(days=30)
"""How long until an outcome counts half: hosts and programs change."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Of one step. `tried`, `fixed`: outcomes, aged. `rate` and `baseline` in [0, 1]: how often it fixed, and how often
    it gets well by itself. `at_least` in [-1, 1]: the lower bound (95 %, one-sided) of the difference. `known`: there
    is evidence enough to say so."""

    step: int
    name: str
    tried: float
    fixed: float
    rate: float
    baseline: float
    at_least: float
    known: bool


def counted(earned: Earned, *, won: bool, now: datetime) -> Earned:
    """With one more outcome; what went before is aged to `now`."""
    return replace(earned, tried=earned.tried + 1, fixed=earned.fixed + won, at=now)


def ranks(fix: Fix, of_step: Callable[[str], Earned], baseline: Earned, now: datetime) -> tuple[Rank, ...]:
    """One a step, in the order of the file. `of_step`: by the step's name."""
    del of_step, baseline, now
    return tuple(Rank(n, each.name, 0.0, 0.0, 0.0, 0.0, 0.0, known=False) for n, each in enumerate(fix.steps))


def plan(fix: Fix, found: Sequence[Rank]) -> tuple[int, ...]:
    """The indices of the steps, in the order in which they are tried: rung by rung; in a rung with alternatives by what
    they earned, as soon as it is known of each of them; until then as the file has them."""
    del found
    return tuple(range(len(fix.steps)))


def horizon(fix: Fix) -> timedelta:
    """How long the fix would take at most until its verdict: what gets well by itself inside of it is the baseline."""
    return sum((each.timeout for each in fix.steps), timedelta()) + (fix.verify.quiet or timedelta(minutes=1))
