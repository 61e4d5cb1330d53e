"""From a match to an incident: counted, put together over time, opened, triggered again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core import history, issues, owncause, remedy, reported, versions, windows
from logmedic.core.captures import fill_title
from logmedic.core.clockset import by_todays_clock
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.core.endings import end, is_over_by_then, last_seen
from logmedic.core.holds import is_approved
from logmedic.core.kept import MAX_GROUPS, keep, of_window, over_since, since_over
from logmedic.core.ladder import DEFAULT_QUIET
from logmedic.core.targets import breaker_key
from logmedic.core.windows import EVIDENCE_KEPT, SKEW, counted_at, seen_at
from logmedic.model.changed import changed
from logmedic.model.circuit import BreakerStatus
from logmedic.model.issue import IDLE, HoldReason, Incident, IncidentStatus, Resolution, Window
from logmedic.model.match import IncidentStage
from logmedic.model.record import EVERY_GROUP, Match, Record
from logmedic.model.rule import Rule
from logmedic.model.when import CLEAR, MATCH, OF, Absence, Threshold


def on_match(draft: Draft, match: Match) -> None:
    """Of a record that was read."""
    if match.part == MATCH and match.rule_id in draft.policy.rules:
        draft.tally("matched")
    on_news(draft, match)


def on_news(draft: Draft, match: Match) -> None:
    """Of a record, or of another incident (core/synthetic.py), which is no line and not counted as one."""
    rule = draft.policy.rules.get(match.rule_id)
    if rule is None:
        return
    if match.part == CLEAR:
        _clear(draft, rule, match)
        return
    if match.part == MATCH:
        _count(draft, rule, match.record)
    if match.group != EVERY_GROUP:
        _take(draft, rule, match)
        reported.place(draft, rule, match)
        return
    for group in draft.groups_of(rule.id):
        if group != EVERY_GROUP:
            _take(draft, rule, replace(match, group=group))
            reported.place(draft, rule, replace(match, group=group))


def _count(draft: Draft, rule: Rule, record: Record) -> None:
    """Its issue comes back only with an incident: a match below its threshold is no trouble yet."""
    issue, version = issues.of_rule(draft, rule, record.at), versions.version_of(draft, record)
    issues.occurred(draft, issue, record.at, version=version, source=record.source, returns=False)


def _take(draft: Draft, rule: Rule, match: Match) -> None:
    incident = draft.open_incident(rule.id, match.group)
    if incident is not None and is_over_by_then(rule, incident, match, draft.now):
        end(draft, incident, Resolution.QUIET, f"silent for {duration_text(rule.when.clear.quiet or timedelta())}")
        incident = None
    if rule.when.clear.match is not None and counted_at(match, draft.now) < over_since(draft, rule, match.group):
        return  # it is of what is over
    trigger = rule.when.trigger
    if isinstance(trigger, Threshold) and trigger.count == 1:
        if incident is None:
            open_for(draft, rule, match)
        else:
            _again(draft, rule, match, incident, triggered=True)
        return
    _add_up(draft, rule, match, incident)


def _add_up(draft: Draft, rule: Rule, match: Match, incident: Incident | None) -> None:
    """What the match makes of its window, and what that makes of the incident."""
    trigger = rule.when.trigger
    if isinstance(trigger, Absence) and trigger.of is not None and match.part == MATCH and incident is not None:
        _again(draft, rule, match, incident, triggered=False)  # it is waited for already
        return
    before = draft.window(rule.id, match.group) or Window(rule.id, match.group)
    taken = windows.take(since_over(draft, rule, before), trigger, match, draft.now)
    keep(draft, taken.window)
    if incident is None and taken.fires:
        incident = open_for(draft, rule, of_window(rule, before) if match.part == OF else match)
        if incident is None and taken.full is not None and has_cause(draft, rule):
            keep(draft, taken.full)  # the next match opens one, once the cause is over
    elif incident is not None and (match.part == MATCH or taken.fires):
        incident = _again(draft, rule, match, incident, triggered=taken.fires)
    comes_again = isinstance(trigger, Absence) and match.part == MATCH  # whatever the window knows by now
    if incident is not None and (taken.answered or comes_again):
        end(draft, incident, Resolution.CLEARED, f"it came: {match.record.text[:200]}")


def open_for(draft: Draft, rule: Rule, match: Match) -> Incident | None:
    """None: another incident keeps it from being one of its own, the rule has too many (I6), or its fix wrote it."""
    if has_cause(draft, rule):
        draft.tally("suppressed")
        return None
    if draft.open_count(rule.id) >= MAX_GROUPS:
        draft.tally("incidents_dropped")
        return None
    record = match.record
    at = seen_at(record.at, draft.now)
    if owncause.is_own(draft, rule, match.group, at):
        draft.tally("own_cause")
        return None
    issue, version = issues.of_rule(draft, rule, record.at), versions.version_of(draft, record)
    issue = issues.returned(draft, issue, record.at, version, record.source)
    incident = Incident(
        id=draft.mint(),
        issue_id=issue.id,
        rule_id=rule.id,
        group_key=match.group,
        title=fill_title(rule.title, match.captures),
        severity=rule.severity,
        opened_at=draft.now,
        last_match_at=last_seen(rule, match, draft.now),
        captures=match.captures,
        source=record.source,
        evidence=record.text[:EVIDENCE_KEPT],
        occurrences=_counted(rule),
        chain=owncause.chain_of(draft, rule, match.captures, at),
    )
    draft.tally("incidents_opened")
    draft.event(incident.id, "opened", f"{incident.title} ({_because(rule)} from {record.origin})")
    incident = reported.with_request(draft, incident, record)
    draft.put_incident(incident)
    for each in history.of_incident(draft, draft.issue_of_id(issue.id)):
        draft.event(incident.id, "history", each)
    remedy.consider(draft, incident, rule)
    draft.announce(incident, IncidentStage.OPENED)
    opened = draft.incident(incident.id)
    if rule.when.clear.after == timedelta(0) and opened is not None and opened.status in IDLE:
        end(draft, opened, Resolution.EXPIRED, "each match is an incident of its own")
        return None
    return opened


def has_cause(draft: Draft, rule: Rule) -> bool:
    return any(draft.has_incident(each) for each in rule.when.unless_incident)


def _counted(rule: Rule) -> int:
    trigger = rule.when.trigger
    return trigger.count if isinstance(trigger, Threshold) else 1


def _because(rule: Rule) -> str:
    """In front of where it comes from."""
    trigger = rule.when.trigger
    match trigger:
        case Threshold(count=1):
            return "1 match"
        case Threshold(count=count):
            return f"{count} matches, the last"
        case Absence():
            return f"nothing followed for {duration_text(trigger.within)} after the match"
    return f"{windows.kind_of(trigger)} reached, the last match"


def _again(draft: Draft, rule: Rule, match: Match, incident: Incident, *, triggered: bool) -> Incident:
    """While a fix settles, a match of a threshold is trouble by itself; of other triggers, what reaches them is. What
    people were asked to approve stays as they were shown it."""
    at, last = seen_at(match.record.at, draft.now), last_seen(rule, match, draft.now)
    later = last >= incident.last_match_at
    asked = incident.hold is HoldReason.AWAITING_APPROVAL or is_approved(draft, incident)
    seen = changed(
        incident,
        occurrences=incident.occurrences + 1,
        last_match_at=max(incident.last_match_at, last),
        captures=match.captures if later and incident.status in IDLE and not asked else incident.captures,
    )
    seen = reported.with_request(draft, seen, match.record)
    draft.put_incident(seen)
    is_trouble = triggered or isinstance(rule.when.trigger, Threshold)
    if seen.status is IncidentStatus.SETTLING and is_trouble and _after_the_fix(draft, rule, seen, at):
        remedy.on_match_while_settling(draft, seen, rule)
    elif seen.status in IDLE and triggered and not _waits(draft, rule, seen):
        remedy.consider(draft, seen, rule)
    return draft.incident(incident.id) or seen


def _waits(draft: Draft, rule: Rule, incident: Incident) -> bool:
    """Whether its hold has a time of its own: then a further match changes nothing before that. A breaker that is of
    another fix, because the rule was changed, holds no more."""
    if incident.hold is HoldReason.BREAKER_OPEN:
        breaker = draft.breaker(breaker_key(rule, incident.captures))
        if breaker.status is BreakerStatus.CLOSED:
            return False
    return incident.hold is not None and incident.due_at is not None and incident.due_at > draft.now


def _after_the_fix(draft: Draft, rule: Rule, incident: Incident, at: datetime) -> bool:
    """Log times are often cut to the second, so a line of the fix's own second counts as before it; so do lines that
    the fix itself brings about."""
    attempt = draft.attempt(incident.attempt_id)
    quiet = (rule.fix.verify.quiet if rule.fix is not None else None) or DEFAULT_QUIET
    return attempt is None or attempt.finished_at is None or at > attempt.finished_at + owncause.grace(quiet)


def _last_at(incident: Incident, now: datetime) -> datetime:
    """When it was seen last. A time ahead of the clock is of a wrong clock, and says nothing of what came first: then
    it was when it was opened, or just now when that is ahead as well."""
    ahead = incident.last_match_at > now + SKEW
    return min(incident.opened_at, now - SKEW) if ahead else incident.last_match_at


def _clear(draft: Draft, rule: Rule, match: Match) -> None:
    """A line tells that it is over: then nothing that was written before it opens it again, and what was counted
    towards it until then is forgotten. One that names no group is remembered once, and not for each."""
    at = counted_at(match, draft.now)
    written = by_todays_clock(draft.state.set_ahead, datetime.fromtimestamp(at, UTC))
    before = draft.window(rule.id, match.group) or Window(rule.id, match.group)
    if before.answered < at:
        keep(draft, windows.over_at(before, at))
    groups = [match.group] if match.group != EVERY_GROUP else draft.open_groups(rule.id)
    for group in groups:
        incident = draft.open_incident(rule.id, group)
        if incident is not None and written >= _last_at(incident, draft.now):
            end(draft, incident, Resolution.CLEARED, f"it is over: {match.record.text[:200]}")
