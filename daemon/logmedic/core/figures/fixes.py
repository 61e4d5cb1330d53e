"""Fixes: what ran, what came of it, what holds them back."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.circuit import BreakerStatus
from logmedic.model.issue import HoldReason, PatternType
from logmedic.model.metric import Family, Kind, Metric, Sample

FIXES = Metric(
    "logmedic_fixes_total",
    Kind.COUNTER,
    "Executions of fixes that were judged (result: worked, failed), since the daemon's start.",
    ("result",),
)
ATTEMPTS = Metric(
    "logmedic_fix_attempts_total",
    Kind.COUNTER,
    "Steps of fixes that are over, by rule and verdict (fixed, not_fixed, unknown; without one: step or rollback), "
    "since the daemon's start.",
    ("rule", "verdict"),
)
DURATION = Metric(
    "logmedic_fix_duration_seconds", Kind.HISTOGRAM, "How long steps of fixes ran, since the daemon's start."
)
UNDER_WAY = Metric("logmedic_fixes_under_way", Kind.GAUGE, "Incidents whose fix is checked, run, or verified now.")
HOLDS = Metric(
    "logmedic_holds_total",
    Kind.COUNTER,
    "Times that a fix was not run, by the reason; goes on after a restart.",
    ("reason",),
    lasting=True,
)
BREAKERS = Metric("logmedic_breakers", Kind.GAUGE, "Breakers of fixes by state, one for each target.", ("state",))
OPENINGS = Metric(
    "logmedic_breaker_opens_total", Kind.COUNTER, "Times that a breaker of a fix opened, since the daemon's start."
)
BUDGET = Metric(
    "logmedic_fix_budget_left",
    Kind.GAUGE,
    "Fixes that this host may still begin within the span (hour, ten_minutes).",
    ("span",),
)
METRICS = (FIXES, ATTEMPTS, DURATION, UNDER_WAY, HOLDS, BREAKERS, OPENINGS, BUDGET)


def families(now: Snapshot) -> Iterator[Family]:
    known, sums = now.open, now.sums
    worked, failed = sums.lessons[PatternType.AUTO_FIX_SUCCESS], sums.lessons[PatternType.AUTO_FIX_FAILURE]
    yield FIXES.each({"worked": worked, "failed": failed})
    yield ATTEMPTS.family(Sample(labels, n) for labels, n in sums.attempts.items())
    yield DURATION.alone(sums.fix_s.spread())
    yield UNDER_WAY.alone(known.under_way)
    yield HOLDS.each({each.value: sums.tallies[f"held_{each}"] for each in HoldReason})
    yield BREAKERS.each({each.value: known.breakers.get(each.value, 0) for each in BreakerStatus})
    yield OPENINGS.alone(sums.lessons[PatternType.CIRCUIT_BREAKER_OPEN])
    yield BUDGET.each(known.budget_left)
