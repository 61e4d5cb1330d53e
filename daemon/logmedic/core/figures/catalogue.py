"""All figures, in the order in which they are shown."""

from __future__ import annotations

from logmedic.core.figures import alerting, daemon, day, engine, fixes, incidents, reports, rules, sources, tallies
from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.metric import Family, Metric

ROOMS = {
    "The daemon": daemon,
    "What is read": sources,
    "Reports of applications": reports,
    "Rules": rules,
    "Incidents and errors": incidents,
    "Fixes": fixes,
    "Alerts": alerting,
    "Engine and store": engine,
    "The six metrics": day,
    "Everything that is counted": tallies,
}
METRICS: tuple[Metric, ...] = tuple(metric for room in ROOMS.values() for metric in room.METRICS)


def families(now: Snapshot) -> tuple[Family, ...]:
    """One of each of METRICS, in their order."""
    return tuple(family for room in ROOMS.values() for family in room.families(now))
