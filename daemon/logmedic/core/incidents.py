"""From a match to an incident: counted, put together over time, opened, triggered again, ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core import issues, remedy, windows
from logmedic.core.captures import fill_title
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.core.windows import EVIDENCE_KEPT
from logmedic.model.changed import changed
from logmedic.model.issue import Incident, IncidentStatus, Resolution, Window
from logmedic.model.match import IncidentStage
from logmedic.model.policy import Policy
from logmedic.model.record import EVERY_GROUP, Match, Record
from logmedic.model.rule import Rule
from logmedic.model.when import CLEAR, MATCH, Absence, Threshold

_Groups = dict[str, list[tuple[float, str]]]
MAX_GROUPS = 10_000
"""Groups of one rule that are remembered at once; with more of them the oldest are dropped, and counted (I6)."""

_IDLE = (IncidentStatus.OPEN, IncidentStatus.FAILED)


def on_match(draft: Draft, match: Match) -> None:
    rule = draft.policy.rules.get(match.rule_id)
    if rule is None:
        return
    if match.part == MATCH:
        draft.tally("matched")
        issues.occurred(draft, issues.of_rule(draft, rule, match.record.at), match.record.at)
    if match.group != EVERY_GROUP:
        _take(draft, rule, match)
        return
    for group in draft.groups(rule.id):
        _take(draft, rule, replace(match, group=group))


def _take(draft: Draft, rule: Rule, match: Match) -> None:
    if match.part == CLEAR:
        _clear(draft, rule, match)
        return
    incident = draft.open_incident(rule.id, match.group)
    if incident is not None and _is_over_by_then(rule, incident, match):
        _end(draft, incident, Resolution.QUIET, f"silent for {duration_text(rule.when.clear.quiet or timedelta())}")
        incident = None
    before, taken = _add_up(draft, rule, match, incident)
    if incident is not None and match.part == MATCH:
        incident = _again(draft, rule, match, incident, taken.fires)
    elif taken.fires and incident is None and not _is_late(before, match):
        trigger = rule.when.trigger
        late = match if not isinstance(trigger, Absence) or match.part == MATCH else _of_window(rule, before)
        incident = _open(draft, rule, late)
    if incident is not None and taken.answered:
        _end(draft, incident, Resolution.CLEARED, f"it came: {match.record.text[:200]}")


def _add_up(draft: Draft, rule: Rule, match: Match, incident: Incident | None) -> tuple[Window, windows.Taken]:
    """The window as it was, and what the match makes of it."""
    trigger = rule.when.trigger
    before = draft.window(rule.id, match.group) or Window(rule.id, match.group)
    if isinstance(trigger, Threshold) and trigger.count == 1:
        return before, windows.Taken(before, fires=True)
    if isinstance(trigger, Absence) and trigger.of is not None and match.part == MATCH and incident is not None:
        return before, windows.Taken(before)  # it is waited for already
    taken = windows.take(before, trigger, match, draft.now)
    _keep(draft, taken.window)
    return before, taken


def _keep(draft: Draft, window: Window) -> None:
    if window.times or window.counts or window.answered:
        draft.put_window(window)
    else:
        draft.forget_window(window.rule_id, window.group_key)


def _is_late(window: Window, match: Match) -> bool:
    """A line told that it was over, and this one was written before that."""
    return match.part == MATCH and window.kind == CLEAR and match.record.at.timestamp() <= window.answered


def _of_window(rule: Rule, window: Window) -> Match:
    """The match that waits in it."""
    at = datetime.fromtimestamp(window.times[-1] if window.times else window.answered, UTC)
    record = Record(window.source, window.source, window.evidence, 0, 0, at)
    return Match(rule.id, record, window.captures, window.group_key)


def _open(draft: Draft, rule: Rule, match: Match) -> Incident | None:
    """None: another incident keeps it from being one of its own."""
    cause = next((each for each in rule.when.unless_incident if draft.has_incident(each)), None)
    if cause is not None:
        draft.tally("suppressed")
        return None
    record = match.record
    incident = Incident(
        id=draft.mint(),
        issue_id=issues.of_rule(draft, rule, record.at).id,
        rule_id=rule.id,
        group_key=match.group,
        title=fill_title(rule.title, match.captures),
        severity=rule.severity,
        opened_at=draft.now,
        last_match_at=record.at,
        captures=match.captures,
        source=record.source,
        evidence=record.text[:EVIDENCE_KEPT],
        occurrences=_counted(rule),
    )
    draft.put_incident(incident)
    draft.tally("incidents_opened")
    draft.event(incident.id, "opened", f"{incident.title} ({_because(rule)} from {record.origin})")
    remedy.consider(draft, incident, rule)
    draft.announce(incident, IncidentStage.OPENED)
    opened = draft.incident(incident.id)
    if rule.when.clear.after == timedelta(0) and opened is not None and opened.status in _IDLE:
        _end(draft, opened, Resolution.EXPIRED, "each match is an incident of its own")
        return None
    return opened


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


def _again(draft: Draft, rule: Rule, match: Match, incident: Incident, triggered: bool) -> Incident:
    later = match.record.at >= incident.last_match_at
    seen = changed(
        incident,
        occurrences=incident.occurrences + 1,
        last_match_at=max(incident.last_match_at, match.record.at),
        captures=match.captures if later and incident.status in _IDLE else incident.captures,
    )
    draft.put_incident(seen)
    if seen.status is IncidentStatus.SETTLING and _after_the_fix(draft, seen, match.record.at):
        remedy.on_match_while_settling(draft, seen, rule)
    elif seen.status in _IDLE and triggered and not _waits(draft, seen):
        remedy.consider(draft, seen, rule)
    return draft.incident(incident.id) or seen


def _waits(draft: Draft, incident: Incident) -> bool:
    """Whether its hold has a time of its own: then a further match changes nothing before that."""
    return incident.hold is not None and incident.due_at is not None and incident.due_at > draft.now


def _after_the_fix(draft: Draft, incident: Incident, at: datetime) -> bool:
    """Log times are often cut to the second, so a line of the fix's own second counts as before it."""
    attempt = draft.attempt(incident.attempt_id)
    return attempt is None or attempt.finished_at is None or at > attempt.finished_at


def _clear(draft: Draft, rule: Rule, match: Match) -> None:
    """A line tells that it is over: then nothing that was written before it opens it again, and what was counted
    towards it is forgotten."""
    at = match.record.at
    before = draft.window(rule.id, match.group)
    if before is None or before.answered < at.timestamp():
        draft.put_window(Window(rule.id, match.group, kind=CLEAR, answered=at.timestamp()))
    incident = draft.open_incident(rule.id, match.group)
    if incident is not None and at >= incident.last_match_at:
        _end(draft, incident, Resolution.CLEARED, f"it is over: {match.record.text[:200]}")


def _is_over_by_then(rule: Rule, incident: Incident, match: Match) -> bool:
    """By the times in the lines, of a rule that says how long its silence is: a backlog has the same incidents as its
    lines had when they were new."""
    quiet = rule.when.clear.quiet
    return (
        quiet is not None
        and match.part == MATCH
        and incident.status in _IDLE
        and match.record.at - incident.last_match_at >= quiet
    )


def _end(draft: Draft, incident: Incident, resolution: Resolution, notes: str) -> None:
    """Unless a fix is under way: its verdict ends it."""
    if incident.status in _IDLE:
        remedy.close(draft, incident, resolution, notes)
    else:
        draft.event(incident.id, "cleared", f"{notes}; the fix under way is still verified")


def ends_at(incident: Incident, policy: Policy) -> datetime | None:
    """When it is over if nothing more comes; None while a fix is under way."""
    if incident.status not in _IDLE:
        return None
    rule = policy.rules.get(incident.rule_id)
    if rule is not None and rule.when.clear.after is not None:
        return incident.opened_at + rule.when.clear.after
    quiet = rule.when.clear.quiet if rule is not None else None
    return silent_since(incident) + (quiet or policy.resolve_after)


def close_silent(draft: Draft) -> None:
    """End what no fix ended, and what has been silent long enough."""
    for incident in draft.open_incidents():
        until = ends_at(incident, draft.policy)
        if until is None or draft.now < until:
            continue
        rule = draft.policy.rules.get(incident.rule_id)
        if rule is not None and rule.when.clear.after is not None:
            notes = f"{duration_text(rule.when.clear.after)} after it was opened"
            _end(draft, incident, Resolution.EXPIRED, notes)
            continue
        minutes = (until - silent_since(incident)).total_seconds() / 60
        _end(draft, incident, Resolution.QUIET, f"silent for {minutes:g} min")


def silent_since(incident: Incident) -> datetime:
    """Not before it was opened: what a backlog tells of is old, and would else end and begin again with each block."""
    return max(incident.last_match_at, incident.opened_at)


def open_overdue(draft: Draft) -> None:
    """Waits that are over, and nothing came."""
    for window in draft.waiting():
        rule = draft.policy.rules.get(window.rule_id)
        if rule is None or not isinstance(rule.when.trigger, Absence):
            draft.forget_window(window.rule_id, window.group_key)
        elif window.due_at is not None and _wait_ends(window.due_at, rule.when.trigger, draft.policy) <= draft.now:
            _keep(draft, windows.overdue(window, rule.when.trigger))
            if draft.open_incident(rule.id, window.group_key) is None:
                _open(draft, rule, _of_window(rule, window))


def next_wait(window: Window, policy: Policy) -> datetime | None:
    """When the wait of `window` is over; None: it has none."""
    rule = policy.rules.get(window.rule_id)
    if window.due_at is None or rule is None or not isinstance(rule.when.trigger, Absence):
        return window.due_at
    return _wait_ends(window.due_at, rule.when.trigger, policy)


SETTLED_AFTER = timedelta(seconds=60)
"""After a start, what was written meanwhile is read first; a wait that is over then has so much longer."""


def _wait_ends(due: datetime, trigger: Absence, policy: Policy) -> datetime:
    if policy.started_at is None:
        return due
    return max(due, policy.started_at + min(trigger.within, SETTLED_AFTER))


def forget_old_windows(draft: Draft) -> None:
    """Windows that no later match can complete, those of rules that are gone, and the oldest of rules that have too
    many (I6)."""
    now, kept = draft.now.timestamp(), _Groups()
    for (rule_id, group), window in draft.state.windows.items():
        rule = draft.policy.rules.get(rule_id)
        if rule is None or now > windows.lives_until(window, rule.when.trigger):
            draft.forget_window(rule_id, group)
        else:
            kept.setdefault(rule_id, []).append((window.newest, group))
    for rule_id, groups in kept.items():
        for _, group in sorted(groups)[: max(0, len(groups) - MAX_GROUPS)]:
            draft.forget_window(rule_id, group)
            draft.tally("windows_dropped")
