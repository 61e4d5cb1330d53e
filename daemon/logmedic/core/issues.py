"""Known issues: counted, resolved, regressed, raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from logmedic.core.draft import Draft
from logmedic.model.changed import changed
from logmedic.model.issue import IssueSource, IssueStatus, KnownIssue, PatternType
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity


def of_rule(draft: Draft, rule: Rule, at: datetime) -> KnownIssue:
    """The known issue of `rule`, made at its first match."""
    found = draft.issue(f"rule:{rule.id}")
    return found or KnownIssue(
        id=draft.mint(),
        source=IssueSource.RULE,
        fingerprint=f"rule:{rule.id}",
        issue_type=rule.id,
        title=rule.title,
        severity=rule.severity,
        first_seen=at,
        last_seen=at,
        description=rule.description,
        error_pattern=next(iter(rule.match.patterns), ""),
        resolution_strategy=_strategy(rule),
        tags=rule.tags,
    )


def _strategy(rule: Rule) -> str:
    return rule.resolution or (", then ".join(step.name for step in rule.fix.steps) if rule.fix else "")


def occurred(draft: Draft, issue: KnownIssue, at: datetime, times: int = 1) -> KnownIssue:
    """Count one more occurrence. What was resolved comes back as regressed, and that is a lesson."""
    counted = changed(issue, occurrences=issue.occurrences + times, last_seen=max(issue.last_seen, at))
    if issue.status is IssueStatus.RESOLVED:
        counted = replace(counted, status=IssueStatus.REGRESSED)
        draft.learn(
            PatternType.REGRESSION,
            f"{issue.title} came back after it was resolved",
            1.0,
            issue=issue.id,
            resolution_notes=issue.resolution_notes,
        )
    draft.put_issue(counted)
    return counted


def resolve(draft: Draft, fingerprint: str, notes: str) -> None:
    issue = draft.issue(fingerprint)
    if issue is None or issue.status is IssueStatus.MUTED:
        return
    draft.put_issue(replace(issue, status=IssueStatus.RESOLVED, resolved_at=draft.now, resolution_notes=notes))


def escalate(draft: Draft, issue: KnownIssue, reason: str) -> KnownIssue:
    """People are called for `issue`: recorded, and at least high from now on."""
    raised = replace(issue, severity=issue.severity.at_least(Severity.HIGH), escalation_reason=reason)
    draft.put_issue(raised)
    draft.learn(PatternType.ISSUE_ESCALATION, reason, 1.0, issue=issue.id, title=issue.title)
    return raised


def breaker_opened(draft: Draft, rule: Rule, failures: int) -> KnownIssue:
    """The known issue that an opened breaker is."""
    fingerprint = f"breaker:{rule.id}"
    issue = draft.issue(fingerprint) or KnownIssue(
        id=draft.mint(),
        source=IssueSource.BREAKER,
        fingerprint=fingerprint,
        issue_type="circuit_breaker_open",
        title=f"The fix of {rule.id} does not work",
        severity=Severity.HIGH,
        first_seen=draft.now,
        last_seen=draft.now,
        description=f"The fix of rule {rule.id} failed {failures} times in a row; its breaker opened.",
        tags=("circuit_breaker", rule.id),
    )
    lesson = f"the fix of {rule.id} failed {failures} times in a row"
    draft.learn(PatternType.CIRCUIT_BREAKER_OPEN, lesson, 1.0, rule=rule.id, failures=str(failures))
    return occurred(draft, issue, draft.now)
