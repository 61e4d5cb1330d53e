"""Reports of applications: what came of them, and who waits."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.metric import Family, Kind, Metric
from logmedic.model.report import REFUSALS

REPORTS = Metric(
    "logmedic_reports_total",
    Kind.COUNTER,
    "Reports by what became of them (taken: stored; repeated: the same once more; refused_REASON), since the daemon's "
    "start.",
    ("result",),
)
WAITING = Metric("logmedic_reports_waiting", Kind.GAUGE, "Reports that were read and wait to be looked at; bounded.")
CONNECTIONS = Metric("logmedic_report_connections", Kind.GAUGE, "Connections to the report socket.")
ENDED = Metric(
    "logmedic_report_connections_ended_total",
    Kind.COUNTER,
    "Connections that were turned away, for there were too many, or cut off, for their other end did not read, since "
    "the daemon's start.",
    ("reason",),
)
QUESTIONS = Metric("logmedic_report_questions", Kind.GAUGE, "Reports whose senders wait to hear what becomes of them.")
BREAKERS = Metric(
    "logmedic_report_breakers_open", Kind.GAUGE, "Circuit breakers of applications that are shared, and open."
)
METRICS = (REPORTS, WAITING, CONNECTIONS, ENDED, QUESTIONS, BREAKERS)


def families(now: Snapshot) -> Iterator[Family]:
    """Nothing of a daemon that takes no reports."""
    counts = now.reports
    if counts is None:
        yield from (each.each({}) if each.labels else each.alone(None) for each in METRICS)
        return
    refused = {f"refused_{reason}": float(counts.refused.get(reason, 0)) for reason in REFUSALS}
    yield REPORTS.each({"taken": float(counts.taken), "repeated": float(counts.repeated), **refused})
    yield WAITING.alone(counts.waiting)
    yield CONNECTIONS.alone(counts.connections)
    yield ENDED.each({"turned_away": float(counts.turned_away), "cut_off": float(counts.cut_off)})
    yield QUESTIONS.alone(counts.questions)
    yield BREAKERS.alone(counts.breakers)
