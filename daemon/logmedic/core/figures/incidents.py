"""Incidents, known issues, and errors that no rule knows."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.figures.snapshot import Snapshot
from logmedic.model.issue import HoldReason, IncidentStatus, IssueStatus, PatternType, Resolution
from logmedic.model.metric import Family, Kind, Metric, Sample
from logmedic.model.severity import Severity

ERRORS = Metric(
    "logmedic_errors_total",
    Kind.COUNTER,
    "Lines that a rule matched (kind=matched), or that look like an error (kind=unknown); goes on after a restart.",
    ("kind",),
    lasting=True,
)
OPEN = Metric(
    "logmedic_incidents_open", Kind.GAUGE, "Incidents that are not over, by severity and state.", ("severity", "state")
)
OLDEST = Metric(
    "logmedic_incident_oldest_timestamp_seconds", Kind.GAUGE, "When the oldest open incident began; absent without one."
)
HELD = Metric(
    "logmedic_incidents_held", Kind.GAUGE, "Open incidents whose fix does not run, by the reason.", ("reason",)
)
OPENED = Metric(
    "logmedic_incidents_opened_total", Kind.COUNTER, "Incidents that began, since the daemon's start.", ("severity",)
)
RESOLVED = Metric(
    "logmedic_incidents_resolved_total",
    Kind.COUNTER,
    "Incidents that are over, by how they ended; goes on after a restart.",
    ("resolution",),
    lasting=True,
)
RECOVERY = Metric(
    "logmedic_recovery_seconds",
    Kind.HISTOGRAM,
    "From opened to verified, of incidents that a fix ended, since the daemon's start.",
)
ESCALATIONS = Metric("logmedic_escalations_total", Kind.COUNTER, "Times people were called, since the daemon's start.")
ISSUES = Metric("logmedic_known_issues", Kind.GAUGE, "Known issues by status.", ("status",))
TEMPLATES = Metric("logmedic_templates", Kind.GAUGE, "Templates of errors that no rule knows.")
METRICS = (ERRORS, OPEN, OLDEST, HELD, OPENED, RESOLVED, RECOVERY, ESCALATIONS, ISSUES, TEMPLATES)


def families(now: Snapshot) -> Iterator[Family]:
    known, tallies = now.open, now.sums.tallies
    yield ERRORS.each({kind: tallies[kind] for kind in ("matched", "unknown")})
    yield OPEN.family(
        Sample((severity, status), known.incidents.get((severity, status), 0))
        for severity in Severity
        for status in IncidentStatus
        if status is not IncidentStatus.RESOLVED
    )
    yield OLDEST.alone(known.oldest_at.timestamp() if known.oldest_at is not None else None)
    yield HELD.each({reason.value: known.held.get(reason.value, 0) for reason in HoldReason})
    yield OPENED.each({each.value: now.sums.opened[each.value] for each in Severity})
    yield RESOLVED.each({each.value: tallies[f"resolved_{each}"] for each in Resolution if each.value})
    yield RECOVERY.alone(now.sums.recovery_s.spread())
    yield ESCALATIONS.alone(now.sums.lessons[PatternType.ISSUE_ESCALATION])
    yield ISSUES.each({each.value: known.issues.get(each.value, 0) for each in IssueStatus})
    yield TEMPLATES.alone(known.templates)
