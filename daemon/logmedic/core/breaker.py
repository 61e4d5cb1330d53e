"""The circuit breaker: closed -> open after failures in a row -> half-open for one trial -> closed or open again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from logmedic.model.fix import Breaker, BreakerStatus
from logmedic.model.rule import BreakerSpec


def allows(breaker: Breaker, now: datetime) -> bool:
    """Whether a fix may start: closed, or open for long enough that a trial is due. A half-open breaker has its trial
    under way already."""
    if breaker.status is BreakerStatus.OPEN:
        return breaker.open_until is not None and now >= breaker.open_until
    return breaker.status is BreakerStatus.CLOSED


def on_start(breaker: Breaker) -> Breaker:
    """A fix starts: of an open breaker that is its trial."""
    return replace(breaker, status=BreakerStatus.HALF_OPEN) if breaker.status is BreakerStatus.OPEN else breaker


def on_success(breaker: Breaker) -> Breaker:
    return replace(breaker, status=BreakerStatus.CLOSED, failures=0, opened_at=None, open_until=None)


def on_failure(breaker: Breaker, spec: BreakerSpec, now: datetime) -> Breaker:
    """One more failure in a row. A failed trial opens at once."""
    failed = replace(breaker, failures=breaker.failures + 1)
    if breaker.status is not BreakerStatus.HALF_OPEN and failed.failures < spec.failures:
        return failed
    return replace(
        failed, status=BreakerStatus.OPEN, opened_at=now, open_until=now + spec.open_for, opens=breaker.opens + 1
    )


def on_abandoned(breaker: Breaker, now: datetime) -> Breaker:
    """A trial ended without a verdict (the daemon stopped): another one may start now."""
    if breaker.status is not BreakerStatus.HALF_OPEN:
        return breaker
    return replace(breaker, status=BreakerStatus.OPEN, open_until=now)
