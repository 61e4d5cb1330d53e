"""What is stored of what happened, as live events: the same for what is committed now and for what is read again."""

from __future__ import annotations

from logmedic.model.alert import Alert
from logmedic.model.gap import SourceEvent
from logmedic.model.issue import Incident, IncidentEvent, Learning
from logmedic.model.live import LiveEvent, Topic
from logmedic.model.trust import TrustChange, TrustChangeKind

ALERT = "alert"
"""The kind of every message: what it tells of has a kind of its own."""
DAEMON = "daemon"
Happened = IncidentEvent | SourceEvent | TrustChange | Alert | Learning
_SUBJECTS = ("incident:", "issue:", "rule:", "source:")
_ABOUT = ("issue", "incident", "rule")
"""Of a lesson's context, what it is about most of all first."""
_OF_FIXES = frozenset(
    {
        *("would_run", "ranked", "approved", "rejected", "approval_expired", "fix_started", "step_finished"),
        *("step_skipped", "retry", "waits", "not_begun", "rollback_started", "rolled_back", "checked", "probed"),
        *("observed", "settling"),
        *("made_worse", "unknown_outcome", "fix_failed", "fix_unknown"),
        *("breaker_open", "breaker_trial", "breaker_closed", "breaker_reset"),
    }
)
"""Kinds of incidents' events that tell of a fix."""


def incident_of(happened: Happened) -> str:
    """The id of the incident whose title and severity are the event's own; empty: it needs none."""
    return happened.incident_id if isinstance(happened, IncidentEvent) else ""


def happening(happened: Happened, incident: Incident | None = None) -> LiveEvent:
    """`incident`: that of `incident_of`; None: it is over, and forgotten."""
    match happened:
        case IncidentEvent():
            about = (incident.title, incident.severity.value) if incident is not None else ("", "")
            return of_incident_event(happened, *about)
        case SourceEvent():
            return of_source_event(happened)
        case TrustChange():
            return of_trust_change(happened)
        case Alert():
            return of_alert(happened)
        case Learning():
            return of_learning(happened)


def of_incident_event(event: IncidentEvent, title: str, severity: str) -> LiveEvent:
    topic = Topic.FIXES if event.kind in _OF_FIXES else Topic.INCIDENTS
    subject = f"incident:{event.incident_id}"
    return LiveEvent(event.id, event.at, event.kind, topic.value, subject, title, severity, event.text)


def of_source_event(event: SourceEvent) -> LiveEvent:
    lost = f"{event.lost_bytes:,} bytes lost" if event.lost_bytes else ""
    told = ", ".join(filter(None, (event.detail, lost)))
    text = ": ".join(filter(None, (event.origin or event.source, told)))
    return LiveEvent(event.id, event.at, event.kind.value, Topic.SOURCES.value, f"source:{event.source}", "", "", text)


def of_trust_change(change: TrustChange) -> LiveEvent:
    moved = f"its fix: {change.before.value} to {change.after.value}"
    if change.kind is TrustChangeKind.PROPOSED:
        moved += " is proposed"
    who = f"by {change.by}" if change.by else ""
    text = ": ".join(filter(None, (", ".join(filter(None, (moved, who))), change.why)))
    subject = f"rule:{change.rule_id}"
    return LiveEvent(change.id, change.at, change.kind.value, Topic.RULES.value, subject, "", "", text)


def of_alert(alert: Alert) -> LiveEvent:
    """Of when it was made; whether it arrives is another matter."""
    told = alert.event.value.replace("_", " ")
    return LiveEvent(
        id=alert.id,
        at=alert.created_at,
        kind=ALERT,
        topic=Topic.ALERTS.value,
        subject=_subject_of(alert),
        title=alert.title,
        severity=alert.severity.value,
        text=f"{told}, for {alert.receiver}",
    )


def _subject_of(alert: Alert) -> str:
    """What it tells of first."""
    if alert.incident_id:
        return f"incident:{alert.incident_id}"
    first = next(iter(alert.tells), "").replace("trust:", "rule:", 1).replace("warning:", "issue:", 1)
    return first if first.startswith(_SUBJECTS) else DAEMON


def of_learning(learning: Learning) -> LiveEvent:
    """Of when it was recorded first."""
    about = next((each for each in _ABOUT if learning.context.get(each)), "")
    subject = f"{about}:{learning.context[about]}" if about else DAEMON
    return LiveEvent(
        id=learning.id,
        at=learning.created_at,
        kind=learning.pattern_type.value,
        topic=Topic.ISSUES.value,
        subject=subject,
        title=learning.context.get("title", ""),
        severity="",
        text=learning.learnings,
    )
