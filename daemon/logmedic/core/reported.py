"""What is particular about reports of applications: the request that they name, and who waits to hear of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from logmedic.core import issues, owncause
from logmedic.core.draft import Draft
from logmedic.core.evidence import clean
from logmedic.core.rates import SILENCE
from logmedic.core.secrets import masked
from logmedic.model.changed import changed
from logmedic.model.changeset import ReportsCounted
from logmedic.model.issue import (
    ALIVE,
    REPORTED,
    Incident,
    IssueSource,
    IssueStatus,
    KnownIssue,
    PatternType,
)
from logmedic.model.record import Match, Record
from logmedic.model.report import REFUSALS, REQUESTS_KEPT, Placed, Report, ReportKind
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity

WORDS = 200
"""Characters of what failed, in a timeline."""
ISSUES_OF_USER, ISSUES = 256, 4096
"""Known issues made by reports alone: as many as circuit breakers that can be open and shared."""


def with_request(draft: Draft, incident: Incident, record: Record) -> Incident:
    """With the request that the report of `record` names, if it does; the first of them have their entries in the
    timeline. The incident is not put."""
    report = record.report
    if report is None or not report.request_id or report.request_id in incident.requests:
        return incident
    if len(incident.requests) < REQUESTS_KEPT:
        draft.event(incident.id, "request", _request(report))
    return changed(incident, requests=(*incident.requests, report.request_id)[-REQUESTS_KEPT:])


def place(draft: Draft, rule: Rule, match: Match) -> None:
    """Who waits to hear what becomes of this match is told of its incident. Of many calls that fail together, the fix
    may have worked for the first before the last is reported."""
    record, report = match.record, match.record.report
    if report is None or not report.asks:
        return
    if (incident := draft.open_incident(rule.id, match.group)) is not None:
        draft.place(Placed(report.key, rule.id, incident.id))
        return
    mended = owncause.mended_by(draft, rule, match.group, record.at)
    draft.place(Placed(report.key, rule.id, mended.incident_id if mended else "", mended=mended is not None))


def on_report(draft: Draft, record: Record) -> None:
    """A report that tells of no error: it is a known issue by itself, from its first time on."""
    report = record.report
    if report is None or report.kind is ReportKind.ERROR:
        return
    before = draft.issue(_fingerprint(report))
    if report.kind is ReportKind.BREAKER_CLOSED:
        if before is not None and before.status in ALIVE:
            issues.resolve(draft, before.fingerprint, "the breaker closed again")
        return
    opened = report.kind is ReportKind.BREAKER_OPEN
    draft.tally("breaker_opens_reported" if opened else "degraded")
    if before is None and not _has_room(draft, report):
        draft.tally("reported_issues_refused")
        return
    known = _back(before, record.at) if before is not None else _issue(draft, report, record)
    issue = issues.occurred(draft, known, record.at, source=record.source)
    if not opened and (before is None or issue.episodes != before.episodes):  # it may degrade a thousand times a second
        _learn(draft, issue, report)


def _has_room(draft: Draft, report: Report) -> bool:
    """Names are what an application makes them, and known issues never leave (I6). What is refused is a record like any
    other, which rules may know."""
    own, every = draft.reported_by(report.sender.user)
    return own < ISSUES_OF_USER and every < ISSUES


def _back(issue: KnownIssue, at: datetime) -> KnownIssue:
    """One that was over a moment ago goes on: a breaker that flaps, however fast, is one lesson an episode."""
    if issue.status is not IssueStatus.RESOLVED or issue.onset_at is None or at - issue.onset_at >= SILENCE:
        return issue
    return changed(issue, status=IssueStatus.REGRESSED)


def on_counted(draft: Draft, counted: ReportsCounted) -> None:
    draft.tally("reports", counted.taken)
    draft.tally("reports_repeated", counted.repeated)
    for reason in REFUSALS:
        draft.tally(f"reports_refused_{reason}", counted.refused.get(reason, 0))


def begins(request_id: str) -> str:
    """How the entry of that request begins in a timeline; an id has no blanks."""
    return f"request {request_id} of "


def _request(report: Report) -> str:
    sender = report.sender
    whose = f"{report.component} ({clean(report.action, WORDS, keep='')})" if report.action else report.component
    what = clean(masked(report.what), WORDS, keep="")
    return f"{begins(report.request_id)}{whose}, reported by {sender.user}[{sender.pid}]: {what}"


def _fingerprint(report: Report) -> str:
    if report.kind is ReportKind.DEGRADED:
        return f"{REPORTED}degraded:{report.sender.user}:{report.component}:{report.name}"
    return f"{REPORTED}breaker:{report.sender.user}:{report.name}"


def _named(report: Report) -> str:
    return clean(report.name, WORDS, keep="").strip() or "(a name of no letters)"


def _issue(draft: Draft, report: Report, record: Record) -> KnownIssue:
    name, what = _named(report), clean(masked(report.what), 1000, keep="")
    opened = report.kind is ReportKind.BREAKER_OPEN
    title = f"The circuit breaker {name} of {report.component} is open" if opened else f"{name} is degraded"
    kind_tag = "circuit_breaker" if opened else "degraded"
    return KnownIssue(
        id=draft.mint(),
        source=IssueSource.BREAKER if opened else IssueSource.LEARNED,
        fingerprint=_fingerprint(report),
        issue_type=report.kind.value,
        title=title,
        severity=report.impact.at_least(Severity.HIGH) if opened else report.impact,
        first_seen=record.at,
        last_seen=record.at,
        description=f"{report.component} (user {report.sender.user}) reported: {what}",
        tags=tuple(dict.fromkeys((kind_tag, name, report.component, *report.tags))),
        confidence=1.0,
    )


def _learn(draft: Draft, issue: KnownIssue, report: Report) -> None:
    what = clean(masked(report.what), WORDS, keep="")
    lesson = f"{report.component} went on without {_named(report)}, on its fallback: {what}"
    draft.learn(
        PatternType.GRACEFUL_DEGRADATION,
        lesson,
        1.0,
        issue=issue.id,
        component=report.component,
        feature=_named(report),
        request=report.request_id,
    )


def impact_of(record: Record, usual: Severity) -> Severity:
    """How bad what it tells of is, as its sender says; `usual` of what is no report."""
    return record.report.impact if record.report is not None else usual


def tagged(issue: KnownIssue, record: Record) -> KnownIssue:
    """With where the application runs, and what it says of itself."""
    report = record.report
    if report is None:
        return issue
    told = filter(None, (report.environment, *report.tags))
    return replace(issue, tags=tuple(dict.fromkeys((*issue.tags, *told))))
