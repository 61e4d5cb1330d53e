"""From a match to an incident: counted, windowed, opened, re-triggered, closed by silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from logmedic.core import issues, remedy
from logmedic.core.captures import fill_title
from logmedic.core.draft import Draft
from logmedic.model.changed import changed
from logmedic.model.issue import Incident, IncidentStatus, Resolution, Window
from logmedic.model.record import Match
from logmedic.model.rule import Rule, Threshold

EVIDENCE_KEPT = 4000
"""Characters of the last record that an incident keeps."""

_IDLE = (IncidentStatus.OPEN, IncidentStatus.FAILED)


def on_match(draft: Draft, match: Match) -> None:
    rule = draft.policy.rules.get(match.rule_id)
    if rule is None:
        return
    draft.tally("matched")
    issue = issues.occurred(draft, issues.of_rule(draft, rule, match.record.at), match.record.at)
    incident = draft.open_incident(rule.id, match.group)
    triggered = _triggers(draft, rule, match)
    if incident is None:
        if triggered:
            _open(draft, rule, match, issue.id)
    else:
        _again(draft, rule, match, incident, triggered)


def _triggers(draft: Draft, rule: Rule, match: Match) -> bool:
    """Take the match into its window; True, and an empty window, when the threshold is reached."""
    if rule.when.count == 1:
        return True
    window = draft.window(rule.id, match.group) or Window(rule.id, match.group, ())
    times = within(window.times, match.record.at, rule.when)
    if len(times) >= rule.when.count:
        draft.forget_window(rule.id, match.group)
        return True
    draft.put_window(replace(window, times=times))
    return False


def within(times: tuple[float, ...], at: datetime, when: Threshold) -> tuple[float, ...]:
    """`times` and `at` in order, without what is older than the window before the newest of them; at most
    `when.count`, the newest."""
    merged = sorted((*times, at.timestamp()))
    horizon = merged[-1] - when.within.total_seconds()
    return tuple(each for each in merged if each >= horizon)[-when.count :]


def _open(draft: Draft, rule: Rule, match: Match, issue_id: str) -> None:
    record = match.record
    incident = Incident(
        id=draft.mint(),
        issue_id=issue_id,
        rule_id=rule.id,
        group_key=match.group,
        title=fill_title(rule.title, match.captures),
        severity=rule.severity,
        opened_at=draft.now,
        last_match_at=record.at,
        captures=match.captures,
        source=record.source,
        evidence=record.text[:EVIDENCE_KEPT],
        occurrences=rule.when.count,
    )
    draft.put_incident(incident)
    draft.tally("incidents_opened")
    matches = "1 match" if rule.when.count == 1 else f"{rule.when.count} matches, the last"
    counted = f"{matches} from {record.origin}"
    draft.event(incident.id, "opened", f"{incident.title} ({counted})")
    remedy.consider(draft, incident, rule)


def _again(draft: Draft, rule: Rule, match: Match, incident: Incident, triggered: bool) -> None:
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


def _waits(draft: Draft, incident: Incident) -> bool:
    """Whether its hold has a time of its own: then a further match changes nothing before that."""
    return incident.hold is not None and incident.due_at is not None and incident.due_at > draft.now


def _after_the_fix(draft: Draft, incident: Incident, at: datetime) -> bool:
    """Log times are often cut to the second, so a line of the fix's own second counts as before it."""
    attempt = draft.attempt(incident.attempt_id)
    return attempt is None or attempt.finished_at is None or at > attempt.finished_at


def close_silent(draft: Draft) -> None:
    """End what no fix ended and what has been silent long enough."""
    for incident in draft.open_incidents():
        silence = draft.now - silent_since(incident)
        if incident.status in _IDLE and silence >= draft.policy.resolve_after:
            minutes = draft.policy.resolve_after.total_seconds() / 60
            remedy.close(draft, incident, Resolution.QUIET, f"silent for {minutes:g} min")


def silent_since(incident: Incident) -> datetime:
    """Not before it was opened: what a backlog tells of is old, and would else end and begin again with each block."""
    return max(incident.last_match_at, incident.opened_at)


def forget_old_windows(draft: Draft) -> None:
    """Windows that no later match can complete, and those of rules that are gone (I6)."""
    now = draft.now.timestamp()
    for (rule_id, group), window in draft.state.windows.items():
        rule = draft.policy.rules.get(rule_id)
        if rule is None or now - window.times[-1] > rule.when.within.total_seconds() * 2:
            draft.forget_window(rule_id, group)
