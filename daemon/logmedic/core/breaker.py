"""The circuit breaker: closed -> open after failures in a row -> half-open for one trial at a time -> closed after so
many that worked, or open again, for longer each time.

Who wants to try asks `allows`, says `on_start`, and then exactly one of `on_success`, `on_failure` and `on_abandoned`,
to the breaker that it started with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from logmedic.core.backoff import exponential
from logmedic.model.circuit import BreakerSpec, BreakerStatus, Circuit

C = TypeVar("C", bound=Circuit)


def allows(breaker: Circuit, now: datetime) -> bool:
    """Whether one may start: closed, or a trial is due and none is under way."""
    match breaker.status:
        case BreakerStatus.CLOSED:
            return True
        case BreakerStatus.OPEN:
            return breaker.open_until is not None and now >= breaker.open_until
        case BreakerStatus.HALF_OPEN:
            return not breaker.trial


def on_start(breaker: C) -> C:
    """A fix starts, which `allows` allowed: of one that is not closed, that is a trial."""
    if breaker.status is BreakerStatus.CLOSED:
        return breaker
    return replace(breaker, status=BreakerStatus.HALF_OPEN, trial=True)


def on_success(breaker: C, spec: BreakerSpec, now: datetime) -> C:
    """One more that verifiably fixed: closed after enough trials. Of one that is not closed, what is no trial (it was
    given up before its result came) shortens nothing."""
    if breaker.status is BreakerStatus.CLOSED:
        return replace(breaker, failures=0)
    if not breaker.trial:
        return breaker
    worked = replace(breaker, trial=False, failures=0, successes=breaker.successes + 1)
    if worked.successes < spec.successes:
        return worked
    closed = replace(worked, status=BreakerStatus.CLOSED, successes=0, closed_at=now)
    return replace(closed, opened_at=None, open_until=None)


def on_failure(breaker: C, spec: BreakerSpec, now: datetime) -> C:
    """One more failure in a row. A failed trial opens at once, and so does what fails although it was given up."""
    before = _aged(breaker, spec, now)
    failed = replace(before, failures=before.failures + 1, successes=0, trial=False, failed_at=now)
    if before.status is BreakerStatus.CLOSED and failed.failures < spec.failures:
        return failed
    streak = before.streak + 1
    lasts = exponential(streak, spec.open_for, max(spec.open_max, spec.open_for), spec.factor)
    opened = replace(failed, status=BreakerStatus.OPEN, streak=streak, opens=before.opens + 1)
    return replace(opened, opened_at=now, open_until=now + lasts, closed_at=None)


def on_abandoned(breaker: C, now: datetime) -> C:
    """A trial ended without a verdict (the daemon stopped, fixes were paused): another one may start now. Neither a
    success nor a failure: those in a row stay so."""
    if breaker.status is not BreakerStatus.HALF_OPEN or not breaker.trial:
        return breaker
    return replace(breaker, status=BreakerStatus.OPEN, open_until=now, trial=False)


def reset(breaker: C, now: datetime) -> C:
    """Somebody says that what made it fail is mended: as if it had never failed, but for `opens`. What is under way is
    no trial any more, and counts as any other."""
    return replace(
        breaker,
        status=BreakerStatus.CLOSED,
        failures=0,
        successes=0,
        streak=0,
        opened_at=None,
        open_until=None,
        closed_at=now,
        failed_at=None,
        trial=False,
    )


def _aged(breaker: C, spec: BreakerSpec, now: datetime) -> C:
    """Closed without a failure for `healthy_after`: the next opening is the first of a row again."""
    if breaker.status is not BreakerStatus.CLOSED:
        return breaker
    well_since = max(filter(None, (breaker.closed_at, breaker.failed_at)), default=now)
    return replace(breaker, streak=0) if now - well_since >= spec.healthy_after else breaker
