"""What people decide about known issues, and what time decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from logmedic.core import confidence, issues, learning, rates
from logmedic.core.draft import Draft
from logmedic.model.changeset import MergeIssue, MuteIssue, ResolveIssue, UnmuteIssue
from logmedic.model.issue import ALIVE, REPORTED, IssueSource, IssueStatus, KnownIssue

AT_ONCE = 500
"""Issues that one Sweep changes at most; the next one goes on."""


def resolve(draft: Draft, order: ResolveIssue) -> None:
    """Not while an incident of its rule is open: that one says whether it is over."""
    issue = _decidable(draft, order.issue_id)
    if issue is None or _has_incident(draft, issue):
        draft.tally("orders_ignored")
        return
    proved = replace(issue, evidence_for=issue.evidence_for + confidence.BY_HAND)
    draft.put_issue(proved)
    issues.resolve(draft, issue.fingerprint, order.notes, by=order.by, version=order.version or issue.version)
    learning.reconsider(draft, issue.id)


def mute(draft: Draft, order: MuteIssue) -> None:
    issue = _decidable(draft, order.issue_id)
    if issue is None:
        draft.tally("orders_ignored")
        return
    again = issue.status is IssueStatus.MUTED
    against = issue.evidence_against + (0 if again else confidence.MUTED)
    muted = issues.muted(issue, order.by, until=order.until, count=order.count, next_version=order.next_version)
    draft.put_issue(replace(muted, evidence_against=against))
    learning.reconsider(draft, issue.id)


def unmute(draft: Draft, order: UnmuteIssue) -> None:
    issue = _decidable(draft, order.issue_id)
    if issue is None or issue.status is not IssueStatus.MUTED:
        draft.tally("orders_ignored")
        return
    against = max(0.0, issue.evidence_against - confidence.MUTED)
    draft.put_issue(replace(issues.unmuted(issue), evidence_against=against, decided_by=order.by))
    learning.reconsider(draft, issue.id)


def merge(draft: Draft, order: MergeIssue) -> None:
    """Two learned issues of one component: what the one's lines are, the other's are from now on."""
    part, whole = _decidable(draft, order.issue_id), _decidable(draft, order.into)
    if part is None or whole is None or not learning.merge(draft, part, whole, order.by):
        draft.tally("orders_ignored")


def _decidable(draft: Draft, issue_id: str) -> KnownIssue | None:
    issue = draft.issue_of_id(issue_id)
    return None if issue is None or issue.status is IssueStatus.MERGED else issue


def _has_incident(draft: Draft, issue: KnownIssue) -> bool:
    return issue.source is IssueSource.RULE and draft.has_incident(issue.issue_type)


# -- by the clock ------------------------------------------------------------------------------------------------------


def sweep(draft: Draft, now: datetime) -> None:
    """By `now`: what is silent for long enough is over; what was high an hour ago may be no longer; mutes end."""
    changes = 0
    for issue in draft.issues():
        if changes >= AT_ONCE:
            return
        changes += _swept(draft, issue, now)


def _swept(draft: Draft, issue: KnownIssue, now: datetime) -> bool:
    """Whether it changed."""
    if issue.status is IssueStatus.MUTED and issue.muted_until is not None and now >= issue.muted_until:
        draft.put_issue(issues.unmuted(issue))
        return True
    of_a_fix = issue.source is IssueSource.BREAKER and not issue.fingerprint.startswith(REPORTED)
    if issue.status not in ALIVE or of_a_fix:
        return False
    silence = draft.policy.learning.resolve_after
    if now - issue.last_seen >= silence and not _has_incident(draft, issue):
        issues.resolve(draft, issue.fingerprint, f"silent for {_days(silence.total_seconds())}")
        learning.reconsider(draft, issue.id)
        return True
    aged = issues.aged(rates.until(issue, now) if issue.status is IssueStatus.ESCALATING else issue, now)
    if aged is not issue and aged.status is not issue.status:
        draft.put_issue(aged)
        return True
    return False


def _days(seconds: float) -> str:
    days = seconds / 86400
    return f"{days:g} days" if days >= 2 else f"{seconds / 3600:g} h"
