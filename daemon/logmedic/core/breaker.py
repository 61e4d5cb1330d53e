"""The circuit breaker: closed -> open after failures in a row -> half-open for one trial at a time -> closed after so
many that worked, or open again, for longer each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from logmedic.core.backoff import exponential
from logmedic.model.fix import Breaker, BreakerStatus
from logmedic.model.rule import BreakerSpec


def allows(breaker: Breaker, now: datetime) -> bool:
    """Whether a fix may start: closed, or a trial is due and none is under way."""
    match breaker.status:
        case BreakerStatus.CLOSED:
            return True
        case BreakerStatus.OPEN:
            return breaker.open_until is not None and now >= breaker.open_until
        case BreakerStatus.HALF_OPEN:
            return not breaker.trial


def on_start(breaker: Breaker) -> Breaker:
    """A fix starts: of one that is not closed, that is a trial."""
    if breaker.status is BreakerStatus.CLOSED:
        return breaker
    return replace(breaker, status=BreakerStatus.HALF_OPEN, trial=True)


def on_success(breaker: Breaker, spec: BreakerSpec, now: datetime) -> Breaker:
    """One more that verifiably fixed: closed after enough of them. Closed for long enough, past openings are
    forgotten."""
    if breaker.status is BreakerStatus.CLOSED:
        return replace(_aged(breaker, spec, now), failures=0)
    worked = replace(breaker, status=BreakerStatus.HALF_OPEN, trial=False, successes=breaker.successes + 1)
    if worked.successes < spec.successes:
        return worked
    return replace(
        worked,
        status=BreakerStatus.CLOSED,
        failures=0,
        successes=0,
        opened_at=None,
        open_until=None,
        closed_at=now,
    )


def on_failure(breaker: Breaker, spec: BreakerSpec, now: datetime) -> Breaker:
    """One more failure in a row. A failed trial opens at once."""
    aged = _aged(breaker, spec, now)
    failed = replace(aged, failures=aged.failures + 1, successes=0, trial=False, failed_at=now)
    if aged.status is BreakerStatus.CLOSED and failed.failures < spec.failures:
        return failed
    streak = aged.streak + 1
    lasts = exponential(streak, spec.open_for, max(spec.open_max, spec.open_for), spec.factor)
    return replace(
        failed,
        status=BreakerStatus.OPEN,
        streak=streak,
        opened_at=now,
        open_until=now + lasts,
        closed_at=None,
        opens=aged.opens + 1,
    )


def on_abandoned(breaker: Breaker, now: datetime) -> Breaker:
    """A trial ended without a verdict (the daemon stopped, fixes were paused): another one may start now."""
    if breaker.status is not BreakerStatus.HALF_OPEN:
        return breaker
    return replace(breaker, status=BreakerStatus.OPEN, open_until=now, trial=False)


def reset(breaker: Breaker, now: datetime) -> Breaker:
    """Somebody says that what made it fail is mended: as if it had never failed, but for `opens`."""
    return Breaker(breaker.rule_id, breaker.fix, breaker.target, closed_at=now, opens=breaker.opens)


def _aged(breaker: Breaker, spec: BreakerSpec, now: datetime) -> Breaker:
    """Closed without a failure for `healthy_after`: the next opening is the first of a row again."""
    well_since = max(filter(None, (breaker.closed_at, breaker.failed_at)), default=None)
    healthy = breaker.status is BreakerStatus.CLOSED and well_since is not None
    if healthy and well_since is not None and now - well_since >= spec.healthy_after:
        return replace(breaker, streak=0)
    return breaker
