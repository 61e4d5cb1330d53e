"""Which known issue tends to come before which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Precursor:
    """Issue `before` tends to begin before issue `after`."""

    before: str
    after: str
    support: int
    before_count: int
    after_count: int
    confidence: float
    recall: float
    lift: float
    p_value: float
    lag_median: timedelta
    lag_p90: timedelta
    last_at: datetime
