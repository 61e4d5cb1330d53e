"""What is to be said of each subject: what broke, what was tried, what happens next, what people do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from logmedic.core.evidence import clean
from logmedic.core.moments import moment_text
from logmedic.core.phrases import said, sentence, sentences, several, times
from logmedic.core.secrets import masked
from logmedic.core.shellwords import command
from logmedic.core.shellwords import short as short
from logmedic.core.standing import standing_of
from logmedic.core.tries import tried
from logmedic.model.alertevent import AlertEvent
from logmedic.model.fix import FixAttempt
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, KnownIssue, Template
from logmedic.model.message import Story
from logmedic.model.rule import Rule

EVIDENCE_LIMIT = 4000
"""Characters of a record: as much as an incident remembers."""
"""Characters of the one line that is quoted: two or three lines of a telephone."""
_LIKELY = "Likely cause: "
_PLACES = 6
"""Of a history; more is a story of its own."""
# -- incidents ---------------------------------------------------------------------------------------------------------


def of_incident(
    incident: Incident,
    rule: Rule,
    event: AlertEvent,
    attempts: Sequence[FixAttempt],
    history: Sequence[str] = (),
    would: Sequence[str] = (),
    effects: int = 0,
) -> Story:
    """`attempts` of this incident, oldest first. `history`: lines about what went before it. `would`: what the fix
    would do, step by step, when it is held. `effects`: how many others are not told apart because of it."""
    over = incident.status is IncidentStatus.RESOLVED
    stands = standing_of(incident, rule, attempts)
    return Story(
        subject=f"incident:{incident.id}",
        event=event,
        severity=incident.severity,
        symptom=said(incident.title, 120),
        outcome=stands.outcome,
        need=stands.need,
        broke=_broke(incident, rule),
        tried=tried(attempts) or _untried(incident),
        following=stands.following,
        to_do=stands.to_do,
        since=incident.opened_at,
        occurrences=incident.occurrences,
        evidence=evidence_of(incident.evidence),
        history=() if over else _past(history),
        would=() if over else tuple(said(each, 200) for each in would),
        runbook="" if over else said(rule.runbook, 500),
        command=stands.command,
        rule=rule.id,
        incident=incident.id,
        source=said(incident.source, 100),
        tags=rule.tags,
        effects=0 if over else effects,
        over=over,
        requests=incident.requests[::-1],
    )


def _broke(incident: Incident, rule: Rule) -> str:
    if incident.resolved_at is not None:
        return sentences(said(incident.title), _seen(incident.occurrences, incident.opened_at, incident.resolved_at))
    return sentences(said(incident.title), _seen(incident.occurrences, incident.opened_at), said(rule.description, 280))


def _seen(occurrences: int, since: datetime, until: datetime | None = None) -> str:
    if until is not None:
        return f"Seen {times(occurrences)}, from {moment_text(since)} to {moment_text(until)}"
    return (
        f"Seen {times(occurrences)} since {moment_text(since)}" if occurrences > 1 else f"Seen at {moment_text(since)}"
    )


def _untried(incident: Incident) -> str:
    """Why there is no step to tell of."""
    if incident.acted:
        return "A fix was run; its steps are too long ago to be told here."
    if incident.status is IncidentStatus.RESOLVED:
        return "Nothing."
    if incident.status is IncidentStatus.FAILED:
        return "Nothing: the checks before its steps said that none of them applies."
    if incident.hold is None:
        return "Nothing yet."
    yet = " yet" if incident.hold is HoldReason.AWAITING_APPROVAL else ""
    return sentence(f"Nothing{yet}: {_unrun(incident)}")


def _unrun(incident: Incident) -> str:
    if incident.hold is HoldReason.AWAITING_APPROVAL:
        return "the fix waits for your approval"
    if incident.hold is HoldReason.NO_FIX:
        return said(incident.hold_detail) or "the rule has no fix"
    return f"the fix is not run ({incident.hold.words})" if incident.hold is not None else ""


def _past(history: Sequence[str]) -> tuple[str, ...]:
    """The likely cause first."""
    lines = [said(each, 400) for each in history]
    return tuple(sorted(lines, key=lambda line: not line.startswith(_LIKELY)))[:_PLACES]


# -- evidence ----------------------------------------------------------------------------------------------------------


def evidence_of(record: str) -> str:
    """All of it that is kept, cleaned before secrets are masked: what nobody sees must not part a secret."""
    return clean(masked(clean(record, 2 * EVIDENCE_LIMIT)), EVIDENCE_LIMIT)


# -- learned issues ----------------------------------------------------------------------------------------------------


def of_learned(
    issue: KnownIssue, event: AlertEvent, reason: str, template: Template, history: Sequence[str] = ()
) -> Story:
    """`reason`: why people are called now. `history`: lines about what went before it."""
    outcome = "it came back" if event is AlertEvent.REGRESSED else f"{issue.occurrences} times, no rule knows it"
    version = f", in version {said(issue.version, 80)}" if issue.version else ""
    episodes = several(issue.episodes, "episode")
    seen = f"{_seen(issue.occurrences, issue.first_seen)}, in {episodes}"
    return Story(
        subject=f"issue:{issue.id}",
        event=event,
        severity=issue.severity,
        symptom=said(issue.title, 120),
        outcome=outcome,
        need="find the cause",
        broke=sentences(said(reason, 300), f"{seen}{version}"),
        tried="Nothing: no rule knows it, so there is no fix for it.",
        following="It is counted on. You are called again when it comes far more often, or comes back.",
        to_do="Find the cause. To have it known from now on, make it a rule (logmedic learned promote).",
        since=issue.first_seen,
        occurrences=issue.occurrences,
        evidence=evidence_of(template.sample),
        history=_past(history),
        command=command("learned", "show", short(issue.id)),
        source=said(template.source, 100),
        tags=tuple(said(each, 64) for each in issue.tags),
    )


def of_issue_over(issue: KnownIssue, now: datetime) -> Story:
    """The end of what `of_learned` told of; `issue` is resolved."""
    by = f" by {said(issue.decided_by, 80)}" if issue.decided_by else ""
    notes = f": {said(issue.resolution_notes, 300)}" if issue.resolution_notes else ""
    return Story(
        subject=f"issue:{issue.id}",
        event=AlertEvent.RECOVERED,
        severity=issue.severity,
        symptom=said(issue.title, 120),
        outcome=f"resolved{by}" if by else "it does not come any more",
        need="",
        broke=sentences(said(issue.title), _seen(issue.occurrences, issue.first_seen, issue.resolved_at or now)),
        tried="Nothing.",
        following=sentence(f"Nothing, it is over{by}{notes}. If it comes back, you are called"),
        to_do="Nothing.",
        since=issue.first_seen,
        occurrences=issue.occurrences,
        command=command("learned", "show", short(issue.id)),
        tags=tuple(said(each, 64) for each in issue.tags),
        over=True,
    )


def of_warning(issue: KnownIssue, warnings: Sequence[str]) -> Story:
    """`warnings`: sentences about what tends to follow `issue`."""
    begun = issue.onset_at or issue.last_seen
    return Story(
        subject=f"warning:{issue.id}",
        event=AlertEvent.FOREWARNED,
        severity=issue.severity,
        symptom=said(issue.title, 120),
        outcome="trouble may follow",
        need="look now",
        broke=sentences(f"Nothing more than this, so far: {said(issue.title)}", f"It began at {moment_text(begun)}"),
        tried="Nothing for what may follow: it is not here yet.",
        following=sentences(*(said(each, 300) for each in warnings)),
        to_do="Look now, before it does.",
        since=begun,
        command=command("learned", "show", short(issue.id)),
        tags=tuple(said(each, 64) for each in issue.tags),
    )
