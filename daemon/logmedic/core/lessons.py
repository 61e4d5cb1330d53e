"""What was learned, in sentences that a person would write."""

from __future__ import annotations

from logmedic.core.draft import Draft
from logmedic.core.evidence import clean
from logmedic.core.secrets import masked
from logmedic.model.issue import IssueStatus, KnownIssue, Learning, PatternType, Template


def of_pattern(draft: Draft, issue: KnownIssue, template: Template) -> Learning:
    """The one lesson of a learned issue, as it is to be told now."""
    created = template.learned_at or draft.now
    return Learning(
        id=template.learning_id or draft.mint(),
        pattern_type=PatternType.ERROR_PATTERN,
        learnings=sentence(issue, template),
        confidence=issue.confidence,
        created_at=created,
        context={
            "issue": issue.id,
            "component": template.component,
            "template": clean(masked(template.template), 500),
            "pattern": issue.error_pattern,
            "trace": clean(masked(template.sample), 4000) if template.trace else "",
            "fingerprint": template.fingerprint,
        },
        updated_at=draft.now,
    )


def sentence(issue: KnownIssue, template: Template) -> str:
    """What it is, how it comes, and what became of it."""
    said = f"{template.component} logs `{clean(masked(template.template), 200)}`"
    return ", ".join(filter(None, (f"{said}: {_how_often(issue)}", _how_long(issue), _what_became(issue))))


def _how_often(issue: KnownIssue) -> str:
    times = "once" if issue.occurrences == 1 else f"{issue.occurrences} times"
    if issue.episodes < 2:
        return f"{times} at a stretch" if issue.occurrences > 1 else times
    return f"{times} in {issue.episodes} episodes"


def _how_long(issue: KnownIssue) -> str:
    if (issue.last_seen - issue.first_seen).days < 1:
        return f"on {issue.first_seen:%Y-%m-%d}"
    return f"from {issue.first_seen:%Y-%m-%d} to {issue.last_seen:%Y-%m-%d}"


def _what_became(issue: KnownIssue) -> str:
    match issue.status:
        case IssueStatus.RESOLVED:
            return f"resolved: {issue.resolution_notes}" if issue.resolution_notes else "resolved"
        case IssueStatus.REGRESSED:
            return "and it came back after it was resolved"
        case IssueStatus.MUTED:
            return f"muted by {issue.decided_by}" if issue.decided_by else "muted"
    return "no rule knows it"
