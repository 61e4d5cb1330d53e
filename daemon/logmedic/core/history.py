"""What went before an issue, for messages about it: that it came back, what may have caused it, what a model says."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core.draft import Draft
from logmedic.core.foreseen import causes_of
from logmedic.core.issues import came_back
from logmedic.model.issue import IssueStatus, KnownIssue

SUGGESTED_KEPT = 300


def of_learned(draft: Draft, issue: KnownIssue) -> tuple[str, ...]:
    """Lines about a learned issue."""
    causes = [f"Likely cause: {each}" for each in causes_of(draft, issue)]
    diagnosis = draft.diagnosis(issue.id)
    if diagnosis is not None and diagnosis.likely_cause:
        causes.append(f"Suggestion by a model (not verified): {diagnosis.likely_cause[:SUGGESTED_KEPT]}")
    return tuple(causes)


def of_incident(draft: Draft, issue: KnownIssue | None) -> tuple[str, ...]:
    """Lines about an incident of `issue`."""
    if issue is None:
        return ()
    causes = [f"Likely cause: {each}" for each in causes_of(draft, issue)]
    if issue.status is IssueStatus.REGRESSED and issue.resolved_at is not None and issue.onset_at is not None:
        it = replace(issue, title="it")  # the title of a rule has places where captures go
        return (f"History: {came_back(it, max(issue.onset_at, issue.resolved_at), issue.version)}", *causes)
    return tuple(causes)
