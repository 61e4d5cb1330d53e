"""Unknown errors: counted by template, promoted to known issues, escalated once a level."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core import issues, outbox, templates
from logmedic.core.draft import Draft
from logmedic.core.evidence import clean
from logmedic.core.messages import of_learned
from logmedic.model.changed import changed
from logmedic.model.issue import IssueSource, IssueStatus, KnownIssue, PatternType, Template
from logmedic.model.record import UnknownError
from logmedic.model.rule import AlertEvent
from logmedic.model.severity import Severity

SAMPLE_KEPT = 4000
"""Characters of the first record that a template keeps."""


def confidence(*, trace: bool, production: bool, critical: bool) -> float:
    """0.5, and 0.2 with a stack trace, 0.1 in production, 0.2 when the impact is critical; at most 1.0."""
    return min(1.0, round(0.5 + 0.2 * trace + 0.1 * production + 0.2 * critical, 3))


def on_unknown(draft: Draft, error: UnknownError) -> None:
    draft.tally("unknown", error.count)
    known = draft.template(error.fingerprint)
    if known is None and draft.template_count() >= draft.policy.learning.max_templates:
        draft.tally("templates_refused", error.count)
        return
    template = _seen_again(known, error) if known else _seen_first(draft, error)
    draft.put_template(_promoted(draft, template, error.count))


def _seen_first(draft: Draft, error: UnknownError) -> Template:
    production = draft.policy.learning.production
    message = templates.message_of(error.record.text)
    draft.learn(
        PatternType.ERROR_PATTERN,
        f"{error.component} logs an error that no rule knows: {clean(message, 200)}",
        confidence(trace=error.trace, production=production, critical=error.critical),
        component=error.component,
        message=clean(message, 500),
        trace=error.record.text[:SAMPLE_KEPT] if error.trace else "",
        fingerprint=error.fingerprint,
    )
    return Template(
        fingerprint=error.fingerprint,
        template=error.template,
        component=error.component,
        sample=error.record.text[:SAMPLE_KEPT],
        occurrences=error.count,
        first_seen=error.record.at,
        last_seen=error.last_seen,
        trace=error.trace,
        critical=error.critical,
    )


def _seen_again(template: Template, error: UnknownError) -> Template:
    return changed(
        template,
        occurrences=template.occurrences + error.count,
        last_seen=max(template.last_seen, error.last_seen),
        critical=template.critical or error.critical,
    )


def _promoted(draft: Draft, template: Template, fresh: int) -> Template:
    """Count the `fresh` occurrences in the known issue that the template is, or make it one when it came back often
    enough."""
    fingerprint = f"learned:{template.fingerprint}"
    if template.issue_id and (issue := draft.issue(fingerprint)) is not None:
        _escalated(draft, issues.occurred(draft, issue, template.last_seen, fresh), template)
        return template
    if template.occurrences < draft.policy.learning.promote_after:
        return template
    issue = issues.occurred(draft, _new_issue(draft, template, fingerprint), template.last_seen, template.occurrences)
    draft.tally("promoted")
    _escalated(draft, issue, template)
    return replace(template, issue_id=issue.id)


def _new_issue(draft: Draft, template: Template, fingerprint: str) -> KnownIssue:
    return KnownIssue(
        id=draft.mint(),
        source=IssueSource.LEARNED,
        fingerprint=fingerprint,
        issue_type="recurring_error",
        title=f"{template.component}: {clean(template.template, 160)}",
        severity=Severity.CRITICAL if template.critical else Severity.MEDIUM,
        first_seen=template.first_seen,
        last_seen=template.last_seen,
        description=clean(template.sample, 1000),
        error_pattern=template.template,
        tags=("auto_detected", template.component),
    )


def _escalated(draft: Draft, issue: KnownIssue, template: Template) -> None:
    """Call people once a level: at escalate_after occurrences, at ten times that, and so on; once for levels that one
    block reaches together."""
    level = _level(issue.occurrences, draft.policy.learning.escalate_after)
    if issue.status is IssueStatus.MUTED or level <= issue.escalation_level:
        return
    reason = f"{issue.title} came {issue.occurrences} times and no rule knows it"
    raised = issues.escalate(draft, replace(issue, escalation_level=level), reason)
    default = draft.policy.alerts.default_route
    outbox.post(
        draft,
        of_learned(raised, template.component, template.sample, draft.policy.hostname),
        routes=(default,) if default else (),
        event=AlertEvent.ESCALATED,
        severity=raised.severity,
        incident_id="",
    )


def _level(occurrences: int, escalate_after: int) -> int:
    """How many of escalate_after, ten times that, a hundred times that, ... are reached."""
    level = 0
    while occurrences >= escalate_after * 10**level:
        level += 1
    return level
