"""The life of known issues: counted, begun anew, resolved, come back, raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from logmedic.core import confidence, rates, versions
from logmedic.core.alerting import news
from logmedic.core.draft import Draft
from logmedic.core.foreseen import forewarn
from logmedic.core.stories import of_issue_over
from logmedic.model.changed import changed
from logmedic.model.issue import ALIVE, MUTE_ENDED, IssueSource, IssueStatus, KnownIssue, PatternType
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity

NEW_FOR = timedelta(days=1)


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
        confidence=1.0,
    )


def _strategy(rule: Rule) -> str:
    return rule.resolution or (", then ".join(step.name for step in rule.fix.steps) if rule.fix else "")


def occurred(
    draft: Draft,
    issue: KnownIssue,
    at: datetime,
    times: int = 1,
    *,
    began: datetime | None = None,
    version: str = "",
    source: str = "",
    returns: bool = True,
) -> KnownIssue:
    """Count `times` more occurrences without a silence, the newest of them at `at`, the oldest at `began`, written by
    `version` of what writes to `source`. What is muted may be heard again; what was resolved comes back (`returned`),
    unless `returns` leaves that to the caller."""
    if (
        issue.status in ALIVE
        and rates.is_same_hour(issue, at)
        and version in ("", issue.version)
        and _goes_on(issue, began or at)
    ):
        counts = issue.occurrences + times, issue.slot_count + times
        counted = changed(issue, occurrences=counts[0], slot_count=counts[1], last_seen=max(issue.last_seen, at))
    else:
        counted = _counted(draft, issue, at, times, began or at, version, source)
    counted = aged(counted, at)
    draft.put_issue(counted)
    return returned(draft, counted, at, version, source) if returns else counted


def _counted(
    draft: Draft, issue: KnownIssue, at: datetime, times: int, began: datetime, version: str, source: str
) -> KnownIssue:
    counted = changed(
        rates.counted(issue, at, times),
        occurrences=issue.occurrences + times,
        first_seen=min(issue.first_seen, began),
        last_seen=max(issue.last_seen, at),
    )
    if version and (not issue.version or versions.is_newer(version, issue.version, draft.releases(source))):
        counted = replace(counted, version=version, first_version=issue.first_version or version)
    if not (issue.occurrences and _goes_on(issue, began)):
        draft.begin(issue.id, began)
        counted = replace(counted, episodes=issue.episodes + 1, onset_at=began)
        forewarn(draft, counted)
    return unmuted(counted) if _mute_is_over(draft, counted, version, source) else counted


def _goes_on(issue: KnownIssue, at: datetime) -> bool:
    """No new episode: there was no silence before. What is older than the newest occurrence begins nothing."""
    return at - issue.last_seen < rates.SILENCE


def returned(draft: Draft, issue: KnownIssue, at: datetime, version: str = "", source: str = "") -> KnownIssue:
    """Regressed, and that is a lesson, when it was resolved and an occurrence at `at` says that it is not over. Answers
    the issue as it is then (already put)."""
    if not _comes_back(draft, issue, at, version, source):
        return issue
    draft.learn(
        PatternType.REGRESSION,
        came_back(issue, at, version),
        1.0,
        issue=issue.id,
        resolution_notes=issue.resolution_notes,
        version=version,
    )
    back = replace(issue, status=IssueStatus.REGRESSED, evidence_for=issue.evidence_for + confidence.CAME_BACK)
    if issue.onset_at is None or issue.onset_at <= (issue.resolved_at or at):  # what was over begins anew
        draft.begin(issue.id, at)
        back = replace(back, episodes=issue.episodes + 1, onset_at=at)
    draft.put_issue(back)
    return back


def _comes_back(draft: Draft, issue: KnownIssue, at: datetime, version: str, source: str) -> bool:
    """It was written after it was resolved, and not by a version older than that which resolved it. An old line, or one
    that was on its way, says nothing."""
    if issue.status is not IssueStatus.RESOLVED or issue.resolved_at is None or at <= issue.resolved_at:
        return False
    if not (version and issue.resolved_version):
        return True
    return version == issue.resolved_version or versions.is_newer(
        version, issue.resolved_version, draft.releases(source)
    )


def came_back(issue: KnownIssue, at: datetime, version: str) -> str:
    """One sentence about an issue that was resolved."""
    resolved = issue.resolved_at or issue.last_seen
    how = f" ({issue.resolution_notes})" if issue.resolution_notes else ""
    deployed = f", now in version {version}" if version and version != issue.resolved_version else ""
    return f"{issue.title} came back {_span(at - resolved)} after it was resolved{how}{deployed}"


def _span(span: timedelta) -> str:
    minutes = max(1, round(span.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{round(minutes / 1440)} days"


def aged(issue: KnownIssue, now: datetime) -> KnownIssue:
    """What was new for a day is ongoing; what rises over its usual escalates, and no longer once it does not."""
    if issue.status not in ALIVE:
        return issue
    status = issue.status
    if rates.is_high(issue):
        status = IssueStatus.ESCALATING
    elif status is IssueStatus.ESCALATING or (status is IssueStatus.NEW and now - issue.first_seen >= NEW_FOR):
        status = IssueStatus.ONGOING
    return issue if status is issue.status else replace(issue, status=status)


# -- how it ends, and what people decide -------------------------------------------------------------------------------


def resolve(draft: Draft, fingerprint: str, notes: str, *, by: str = "", version: str = "") -> None:
    """`by`: whoever says so by hand; `version`: that in which it is over. A mute
    lasts."""
    issue = draft.issue(fingerprint)
    if issue is None or (issue.status in (IssueStatus.MUTED, IssueStatus.MERGED) and not by):
        return
    over = replace(
        issue,
        status=IssueStatus.RESOLVED,
        resolved_at=max(draft.now, issue.last_seen),
        resolution_notes=notes,
        resolved_version=version,
        decided_by=by,
        rate_level=0,
    )
    draft.put_issue(unmuted(over))
    news.end(draft, f"issue:{issue.id}", of_issue_over(over, draft.now))


def muted(
    issue: KnownIssue, by: str, *, until: datetime | None = None, count: int = 0, next_version: bool = False
) -> KnownIssue:
    """`count`: so many more occurrences."""
    return replace(
        issue,
        status=IssueStatus.MUTED,
        muted_until=until,
        muted_count=issue.occurrences + count if count else 0,
        muted_version=(issue.version or NO_VERSION) if next_version else "",
        decided_by=by,
    )


def merge(draft: Draft, issue_id: str, into: str) -> None:
    """Issue `issue_id` is part of issue `into` from now on, with all that was merged into it. What either was merged
    into before stands for it: nothing counts twice. From now on the whole's mute counts, and the part's no more."""
    part, whole = surviving(draft, issue_id), surviving(draft, into)
    if part is None or whole is None or part.id == whole.id:
        return
    for each in draft.issues():
        if each.merged_into == part.id:
            draft.put_issue(replace(each, merged_into=whole.id))
    heard = part.status is IssueStatus.MUTED and whole.status is not IssueStatus.MUTED
    notes = f"it is part of: {whole.title}{MUTE_ENDED if heard else ''}"
    over = replace(unmuted(part), status=IssueStatus.MERGED, merged_into=whole.id, resolution_notes=notes)
    draft.put_issue(replace(over, rate_level=0, decided_by=""))
    draft.put_issue(
        replace(
            joined(whole, part.occurrences, part.first_seen),
            last_seen=max(whole.last_seen, part.last_seen),
            episodes=max(whole.episodes, part.episodes),
            escalation_level=max(whole.escalation_level, part.escalation_level),
            severity=whole.severity.at_least(part.severity),
            evidence_for=whole.evidence_for + part.evidence_for,
            evidence_against=whole.evidence_against + part.evidence_against,
        )
    )


def joined(issue: KnownIssue, occurrences: int, first_seen: datetime) -> KnownIssue:
    """With occurrences of before, which use up no mute for a count."""
    return replace(
        issue,
        occurrences=issue.occurrences + occurrences,
        first_seen=min(issue.first_seen, first_seen),
        muted_count=issue.muted_count + occurrences if issue.muted_count else 0,
    )


def surviving(draft: Draft, issue_id: str) -> KnownIssue | None:
    """The issue itself, or what it is part of by now."""
    issue = draft.issue_of_id(issue_id)
    return draft.issue_of_id(issue.merged_into) if issue is not None and issue.merged_into else issue


NO_VERSION = "-"
"""What a mute until the next version remembers of an issue whose version nobody told."""


def unmuted(issue: KnownIssue) -> KnownIssue:
    """What is younger than a day is new again; `aged` makes it ongoing in its time."""
    young = IssueStatus.NEW if issue.last_seen - issue.first_seen < NEW_FOR else IssueStatus.ONGOING
    status = young if issue.status is IssueStatus.MUTED else issue.status
    return changed(issue, status=status, muted_until=None, muted_count=0, muted_version="")


def _mute_is_over(draft: Draft, issue: KnownIssue, version: str, source: str) -> bool:
    if issue.status is not IssueStatus.MUTED:
        return False
    if issue.muted_until is not None and draft.now >= issue.muted_until:
        return True
    if issue.muted_count and issue.occurrences > issue.muted_count:
        return True
    if not (issue.muted_version and version):
        return False
    before = "" if issue.muted_version == NO_VERSION else issue.muted_version
    return versions.is_newer(version, before, draft.releases(source))


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
        confidence=1.0,
    )
    lesson = f"the fix of {rule.id} failed {failures} times in a row"
    draft.learn(PatternType.CIRCUIT_BREAKER_OPEN, lesson, 1.0, rule=rule.id, failures=str(failures))
    return occurred(draft, issue, draft.now)
