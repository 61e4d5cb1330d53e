"""The six metrics of the design, of the last 24 hours, as `logmedic status` shows them."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.metric import Family, Kind, Metric

_OF_A_DAY = "in the last 24 hours; looked at once a minute."


def _metric(name: str, help_: str) -> Metric:
    return Metric(f"logmedic_day_{name}", Kind.GAUGE, f"{help_} {_OF_A_DAY}")


SIX = {
    "total_errors": _metric("errors", "Lines that a rule matched, or that look like an error,"),
    "auto_fixed": _metric("auto_fixed", "Incidents ended by a fix that was verified,"),
    "auto_fix_success_rate": _metric("auto_fix_success_ratio", "Fixes that worked, of those that were tried (0 to 1),"),
    "circuit_breaker_opens": _metric("breaker_opens", "Times a fix was stopped after failures in a row,"),
    "escalations": _metric("escalations", "Times people were called,"),
    "avg_recovery_time_s": _metric("recovery_mean_seconds", "From opened to verified, of incidents that a fix ended,"),
}
"""By their names in the store's answer."""
METRICS = tuple(SIX.values())


def families(now: Snapshot) -> Iterator[Family]:
    """Without a sample while nothing is known."""
    for name, metric in SIX.items():
        yield metric.alone(now.day.get(name))
