"""The life of known issues: counted, begun anew, resolved, come back, raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from logmedic.core import rates, versions
from logmedic.core.draft import Draft
from logmedic.model.changed import changed
from logmedic.model.issue import ALIVE, IssueSource, IssueStatus, KnownIssue, PatternType
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity

SILENCE = timedelta(minutes=15)
"""What comes after so long a silence begins a new episode."""
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
    draft: Draft, issue: KnownIssue, at: datetime, times: int = 1, *, version: str = "", releases_of: str = ""
) -> KnownIssue:
    """Count `times` more occurrences, the newest of them at `at`. What was resolved comes back, see `comes_back`; what
    is muted may be heard again. `releases_of`: the source whose versions `version` is one of."""
    counted = rates.counted(issue, at, times)
    counted = changed(
        counted,
        occurrences=issue.occurrences + times,
        first_seen=min(issue.first_seen, at),
        last_seen=max(issue.last_seen, at),
    )
    counted = _versioned(draft, counted, version, releases_of)
    counted = _begun(draft, issue, counted, at)
    if _mute_is_over(draft, counted, version, releases_of):
        counted = unmuted(counted)
    if comes_back(draft, counted, at, version, releases_of):
        counted = _back(draft, counted, at, version)
    else:
        counted = aged(counted, at)
    draft.put_issue(counted)
    return counted


def _versioned(draft: Draft, issue: KnownIssue, version: str, source: str) -> KnownIssue:
    if not version or not (not issue.version or versions.is_newer(version, issue.version, draft.releases(source))):
        return issue
    return replace(issue, version=version, first_version=issue.first_version or version)


def _begun(draft: Draft, before: KnownIssue, issue: KnownIssue, at: datetime) -> KnownIssue:
    """A new episode, when there was silence before; what is older than the newest occurrence begins nothing."""
    if before.occurrences and at - before.last_seen < SILENCE:
        return issue
    draft.begin(issue.id, at)
    return replace(issue, episodes=issue.episodes + 1, onset_at=at)


def comes_back(draft: Draft, issue: KnownIssue, at: datetime, version: str, source: str) -> bool:
    """Whether an occurrence at `at` says that a resolved issue is not over: it was written after it was resolved, and
    not by a version older than that which resolved it. An old line, or one that was on its way, says nothing."""
    if issue.status is not IssueStatus.RESOLVED or issue.resolved_at is None or at <= issue.resolved_at:
        return False
    if not (version and issue.resolved_version):
        return True
    return version == issue.resolved_version or versions.is_newer(
        version, issue.resolved_version, draft.releases(source)
    )


def _back(draft: Draft, issue: KnownIssue, at: datetime, version: str) -> KnownIssue:
    draft.learn(
        PatternType.REGRESSION,
        came_back(issue, at, version),
        1.0,
        issue=issue.id,
        resolution_notes=issue.resolution_notes,
        version=version,
    )
    return replace(issue, status=IssueStatus.REGRESSED)


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
    if status is issue.status:
        return issue
    return replace(issue, status=status, rate_level=issue.rate_level if status is IssueStatus.ESCALATING else 0)


# -- how it ends, and what people decide -------------------------------------------------------------------------------


def resolve(draft: Draft, fingerprint: str, notes: str, *, by: str = "", version: str = "") -> None:
    """`by`: whoever says so by hand; `version`: in which it is over, by default the newest that it was seen in. A mute
    lasts."""
    issue = draft.issue(fingerprint)
    if issue is None or issue.status in (IssueStatus.MUTED, IssueStatus.MERGED) and not by:
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


NO_VERSION = "-"
"""What a mute until the next version remembers of an issue whose version nobody told."""


def unmuted(issue: KnownIssue) -> KnownIssue:
    status = IssueStatus.ONGOING if issue.status is IssueStatus.MUTED else issue.status
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
