"""What precursors say to people: what may have brought an issue about, and what may follow it."""

from __future__ import annotations

from logmedic.core.alerting import news
from logmedic.core.causes import cause_sentence, likely_causes, warning_sentence, warnings_for
from logmedic.core.draft import Draft
from logmedic.core.stories import of_warning
from logmedic.model.issue import IssueStatus, KnownIssue

CAUSES_TOLD = 2
WARNINGS_TOLD = 3


def causes_of(draft: Draft, issue: KnownIssue) -> tuple[str, ...]:
    """Sentences, the likeliest cause first."""
    if not draft.precursors:
        return ()
    begun = {each.id: each.onset_at for each in draft.issues() if each.onset_at is not None}
    causes = likely_causes(draft.precursors, begun, issue.id, issue.onset_at or issue.last_seen)
    return tuple(cause_sentence(each, lambda known: _name(draft, known)) for each in causes[:CAUSES_TOLD])


def forewarn(draft: Draft, issue: KnownIssue) -> None:
    """`issue` has just begun: tell whoever wants to know what tends to follow it, unless that was long ago."""
    route = draft.policy.learning.warn_route
    if not route or not draft.precursors or issue.status is IssueStatus.MUTED or issue.onset_at is None:
        return
    ago = draft.now - issue.onset_at
    told = [each for each in warnings_for(draft.precursors, issue.id) if each.horizon > ago]
    if told:
        sentences = [warning_sentence(each, lambda known: _name(draft, known)) for each in told[:WARNINGS_TOLD]]
        labels = {"issue": issue.id}
        news.raise_(draft, of_warning(issue, sentences), labels=labels, routes=(route,), lasting=False)
        draft.tally("forewarned")


def _name(draft: Draft, issue_id: str) -> str:
    issue = draft.issue_of_id(issue_id)
    return issue.title if issue is not None else issue_id
