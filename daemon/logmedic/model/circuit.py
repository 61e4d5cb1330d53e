"""The circuit breaker as a value: of fixes in the daemon, of calls in applications. Standard library only, as
logmedic.client brings it into applications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class BreakerStatus(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """Opens after `failures` in a row. One trial at a time is allowed after `open_for`; `successes` of them in a row
    close it. Each opening without health in between lasts `factor` times longer than the one before, at most
    `open_max`; closed and without failure for `healthy_after`, that begins anew."""

    failures: int = 3
    open_for: timedelta = timedelta(minutes=30)
    successes: int = 1
    factor: float = 2.0
    open_max: timedelta = timedelta(hours=24)
    healthy_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Where it stands. `failures`: those in a row. `successes`: trials in a row that worked. `streak`: openings without
    sustained health in between. `opens`: how often it opened, ever. `trial`: a trial is under way."""

    status: BreakerStatus = BreakerStatus.CLOSED
    failures: int = 0
    successes: int = 0
    streak: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    closed_at: datetime | None = None
    failed_at: datetime | None = None
    opens: int = 0
    trial: bool = False
