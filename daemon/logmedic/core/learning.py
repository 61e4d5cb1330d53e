"""Unknown errors: mined into templates, counted, promoted to known issues, escalated once a level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from logmedic.core import confidence, history, issues, lessons, rates, reported, versions
from logmedic.core.alerting import news
from logmedic.core.draft import Draft
from logmedic.core.evidence import clean
from logmedic.core.mining.placing import place
from logmedic.core.promotion import pattern_of
from logmedic.core.reportmatch import SOURCE as REPORTS
from logmedic.core.secrets import masked
from logmedic.core.stories import of_learned
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changed import changed
from logmedic.model.changeset import Diagnose
from logmedic.model.diagnosis import Question
from logmedic.model.issue import ALIVE, IssueSource, IssueStatus, KnownIssue, Template
from logmedic.model.record import UnknownError
from logmedic.model.report import Placed
from logmedic.model.severity import Severity

NEARBY = 10
"""Ordinary lines that a model is shown beside an error."""
SAMPLE_KEPT = 4000
"""Characters of the first record that a template keeps."""
OF_THE_PAST = timedelta(days=1)
"""A flood that was over so long ago, in a backlog, calls nobody."""
SAMPLES = 5
FURTHER_KEPT = 600
"""Characters of the further ones: a little more than counts for a template."""
FORGOTTEN_SHARE = 50
"""One part in so many of all templates is forgotten when there is no room for another: to look for them costs a walk
over all of them."""
REPORTS_SHARE = 4
"""One part in so many of all templates may come of reports: whoever may report invents errors of components that there
are none of, each as often as makes a known issue, which is never forgotten."""


def on_unknown(draft: Draft, error: UnknownError) -> None:
    draft.tally("unknown", error.count)
    placed = place(draft.grove, error.shape, error.component, error.fingerprint)
    if placed.fresh and not _has_room(draft, error.record.source):
        draft.tally("templates_refused", error.count)
        return
    known = draft.template(placed.template.fingerprint)
    grown = known is not None and known.template != placed.template.template
    template = _first(placed.template, error) if placed.fresh else _again(placed.template, error)
    parts = [draft.template(each.fingerprint) or each for each in placed.absorbed]
    late = sum(each.occurrences for each in (placed.template, *parts) if not each.issue_id) if parts else 0
    for each in parts:
        template = _with(draft, template, each)
    template = _promoted(draft, template, error, grown=grown or bool(parts), late=late)
    draft.put_template(template)
    report = error.record.report
    if report is not None and report.asks:
        draft.place(Placed(report.key, issue_id=template.issue_id))


def _first(template: Template, error: UnknownError) -> Template:
    sample = error.record.text[:SAMPLE_KEPT]
    return replace(
        template,
        sample=sample,
        samples=_sampled((), error),
        occurrences=error.count,
        first_seen=error.record.at,
        last_seen=error.last_seen,
        trace=error.trace,
        critical=error.critical,
        source=error.record.source,
    )


def _again(template: Template, error: UnknownError) -> Template:
    return changed(
        template,
        samples=_sampled(template.samples, error),
        occurrences=template.occurrences + error.count,
        first_seen=min(template.first_seen, error.record.at),
        last_seen=max(template.last_seen, error.last_seen),
        critical=template.critical or error.critical,
    )


def _sampled(samples: tuple[str, ...], error: UnknownError) -> tuple[str, ...]:
    return _more(samples, (error.record.text[:FURTHER_KEPT], error.last_text[:FURTHER_KEPT]))


def _more(samples: tuple[str, ...], texts: Sequence[str]) -> tuple[str, ...]:
    """The first that differ: what varies shows in them."""
    if len(samples) >= SAMPLES:
        return samples
    return tuple(each for each in dict.fromkeys((*samples, *texts)) if each)[:SAMPLES]


def _with(draft: Draft, template: Template, other: Template) -> Template:
    """`other` turned out to be part of `template`. Its issue, if it is one, goes on as that of `template`, or is merged
    into it."""
    samples = _more(template.samples, other.samples)
    issue_id = template.issue_id or other.issue_id
    if other.issue_id:
        issues.merge(draft, other.issue_id, issue_id)
    draft.forget_template(other.fingerprint)
    return changed(
        template,
        samples=samples,
        occurrences=template.occurrences + other.occurrences,
        first_seen=min(template.first_seen, other.first_seen),
        last_seen=max(template.last_seen, other.last_seen),
        trace=template.trace or other.trace,
        critical=template.critical or other.critical,
        issue_id=issue_id,
        learning_id=template.learning_id or other.learning_id,
        learned_at=template.learned_at or other.learned_at,
    )


def _has_room(draft: Draft, source: str) -> bool:
    """For one more that `source` brings (I6)."""
    most = draft.policy.learning.max_templates
    share = max(1, most // REPORTS_SHARE)
    if source == REPORTS and draft.templates_of(REPORTS) >= share:
        return _forgot(draft, share, REPORTS)
    return draft.template_count() < most or _forgot(draft, most)


def _forgot(draft: Draft, most: int, source: str = "") -> bool:
    """Forgets, of `most` that there are of `source` (all, when empty), those that were not seen for longest and are no
    known issue. Whether there were any."""
    if source in draft.templates_full:
        return False
    enough = max(1, most // FORGOTTEN_SHARE)
    unused = (
        each.fingerprint
        for each in draft.stored_templates()
        if not each.issue_id and (not source or each.source == source)
    )
    forgotten = [fingerprint for _, fingerprint in zip(range(enough), unused, strict=False)]
    for fingerprint in forgotten:
        draft.forget_template(fingerprint)
    draft.tally("templates_forgotten", len(forgotten))
    if len(forgotten) < enough:
        draft.templates_full.add(source)
    return bool(forgotten)


# -- promotion ---------------------------------------------------------------------------------------------------------


def _promoted(draft: Draft, template: Template, error: UnknownError, *, grown: bool, late: int) -> Template:
    """Count `error` in the known issue that the template is, or make it one when it came back often enough. `grown`:
    its text changed; `late`: occurrences of before that are part of the issue, if there is one, only now."""
    version = versions.version_of(draft, error.record)
    issue = _issue_of(draft, template)
    fresh = issue is None
    if issue is None:
        if template.occurrences < draft.policy.learning.promote_after:
            return template
        issue = reported.tagged(_new_issue(draft, template, error), error.record)
        draft.tally("promoted")
    elif late:
        issue = issues.joined(issue, late, template.first_seen)
    was, leads = issue.status, _leads(draft, issue, template)
    if fresh or (grown and leads):
        issue = _described(draft, issue, template)
    times = template.occurrences if fresh else error.count
    issue = issues.occurred(
        draft, issue, error.last_seen, times, began=error.record.at, version=version, source=error.record.source
    )
    if template.issue_id != issue.id:
        template = replace(template, issue_id=issue.id)
    if leads and (fresh or issue.episodes != _episodes_of(draft, issue)):
        template = _believed(draft, issue, template)
    if fresh:
        _ask_about(draft, draft.issue_of_id(issue.id) or issue, template)
    _escalated(draft, draft.issue_of_id(issue.id) or issue, template, came_back=was is IssueStatus.RESOLVED)
    return template


def _issue_of(draft: Draft, template: Template) -> KnownIssue | None:
    """The one that its occurrences count for."""
    return issues.surviving(draft, template.issue_id) if template.issue_id else None


def _leads(draft: Draft, issue: KnownIssue, template: Template) -> bool:
    """Whether the words of the issue are those of this template: of several that people merged the first one's."""
    first = draft.template(issue.fingerprint.removeprefix("learned:"))
    return first is None or first.fingerprint == template.fingerprint


def _episodes_of(draft: Draft, issue: KnownIssue) -> int:
    before = draft.state.issues.get(issue.fingerprint)
    return before.episodes if before is not None else 0


def _new_issue(draft: Draft, template: Template, error: UnknownError) -> KnownIssue:
    return KnownIssue(
        id=draft.mint(),
        source=IssueSource.LEARNED,
        fingerprint=f"learned:{template.fingerprint}",
        issue_type="recurring_error",
        title="",
        severity=Severity.CRITICAL if template.critical else reported.impact_of(error.record, Severity.MEDIUM),
        first_seen=template.first_seen,
        last_seen=template.first_seen,
        tags=("auto_detected", template.component),
    )


def _described(draft: Draft, issue: KnownIssue, template: Template) -> KnownIssue:
    """With the words and the pattern of the template as it is now."""
    ordinary = tuple(draft.ordinary(template.source).values())
    promoted = pattern_of(template, (template.sample, *template.samples), ordinary)
    return replace(
        issue,
        title=f"{template.component}: {clean(masked(template.template), 160)}",
        description=clean(masked(template.sample), 1000),
        error_pattern=promoted.pattern,
        evidence_against=issue.evidence_against
        if promoted.pattern
        else max(issue.evidence_against, confidence.ORDINARY),
    )


def _believed(draft: Draft, issue: KnownIssue, template: Template) -> Template:
    """The pattern's one lesson is written again: evidence moved its confidence."""
    production = draft.policy.learning.production or "production" in issue.tags
    prior = confidence.begun(trace=template.trace, production=production, critical=template.critical)
    moved = replace(issue, confidence=confidence.moved(issue, prior))
    draft.put_issue(moved)
    learning = lessons.of_pattern(draft, moved, template)
    draft.put_learning(learning)
    return replace(template, learning_id=learning.id, learned_at=learning.created_at)


def _ask_about(draft: Draft, issue: KnownIssue, template: Template) -> None:
    if not draft.policy.learning.diagnose:
        return
    question = Question(
        issue_id=issue.id,
        title=issue.title,
        component=template.component,
        template=template.template,
        samples=tuple(dict.fromkeys((template.sample, *template.samples))),
        occurrences=issue.occurrences,
        first_seen=issue.first_seen,
        last_seen=issue.last_seen,
        nearby=tuple(draft.ordinary(template.source).values())[:NEARBY],
    )
    draft.intend(Diagnose(question))


def reconsider(draft: Draft, issue_id: str) -> None:
    """Somebody, or time, decided about the issue: its lesson says so."""
    issue = draft.issue_of_id(issue_id)
    template = _of_issue(draft, issue_id)
    if issue is not None and template is not None:
        draft.put_template(_believed(draft, issue, template))


def merge(draft: Draft, part: KnownIssue, whole: KnownIssue, by: str) -> bool:
    """Make `part` one with `whole`, for ever. False, and nothing changes, when they are not two learned ones of one
    component."""
    mine, other = _of_issue(draft, whole.id), _of_issue(draft, part.id)
    if mine is None or other is None or mine.component != other.component or part.id == whole.id:
        return False
    issues.merge(draft, part.id, whole.id)
    draft.put_issue(replace(draft.issue_of_id(part.id) or part, decided_by=by))
    for each in list(_all_of(draft, part.id)):
        draft.put_template(replace(each, issue_id=whole.id))
    reconsider(draft, whole.id)
    return True


def _all_of(draft: Draft, issue_id: str) -> Iterator[Template]:
    return (each for each in draft.all_templates() if each.issue_id == issue_id)


def _of_issue(draft: Draft, issue_id: str) -> Template | None:
    """The one whose words it has. Where its first one is gone, this costs a walk over all templates."""
    issue = draft.issue_of_id(issue_id)
    if issue is None or issue.source is not IssueSource.LEARNED:
        return None
    first = draft.template(issue.fingerprint.removeprefix("learned:"))
    return first if first is not None and first.issue_id else next(_all_of(draft, issue_id), None)


# -- escalation --------------------------------------------------------------------------------------------------------


def _escalated(draft: Draft, issue: KnownIssue, template: Template, *, came_back: bool) -> None:
    """Call people once a level: at escalate_after occurrences, at ten times that, and so on; at each doubling of a rate
    that is high, or was within a day; when it comes back. Once for what one stretch reaches together."""
    if issue.status not in ALIVE:
        return
    level = _level(issue.occurrences, draft.policy.learning.escalate_after)
    recent = draft.now - issue.last_seen < OF_THE_PAST
    doublings = rates.doublings(issue) if recent and issue.status is IssueStatus.ESCALATING else 0
    regressed = came_back and issue.status is IssueStatus.REGRESSED
    if level <= issue.escalation_level and doublings <= issue.rate_level and not regressed:
        return
    if regressed:
        reason = f"escalated, for it came back: {issue.title}"
    elif doublings > issue.rate_level:
        hour = rates.hour_text(issue, draft.now)
        reason = f"{issue.title} came {issue.slot_count} times in {hour}; usual are {issue.usual:.3g}"
    else:
        reason = f"{issue.title} came {issue.occurrences} times and no rule knows it"
    told = issues.came_back(issue, issue.last_seen, issue.version) if regressed else reason
    levels = max(level, issue.escalation_level), max(doublings, issue.rate_level)
    raised = issues.escalate(draft, replace(issue, escalation_level=levels[0], rate_level=levels[1]), reason)
    event = AlertEvent.REGRESSED if regressed else AlertEvent.ESCALATED
    story = of_learned(raised, event, told, template, history.of_learned(draft, raised))
    labels = {"issue": raised.id, "component": template.component, "source": template.source}
    news.raise_(draft, story, title=raised.title, tags=raised.tags, labels=labels, repeat_s=0.0)


def _level(occurrences: int, escalate_after: int) -> int:
    """How many of escalate_after, ten times that, a hundred times that, ... are reached."""
    level = 0
    while occurrences >= escalate_after * 10**level:
        level += 1
    return level
