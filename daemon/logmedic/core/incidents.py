"""From a match to an incident: counted, put together over time, opened, triggered again, ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core import issues, remedy, windows
from logmedic.core.captures import fill_title
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.core.windows import EVIDENCE_KEPT, SKEW, counted_at
from logmedic.model.changed import changed
from logmedic.model.issue import Incident, IncidentStatus, Resolution, Window
from logmedic.model.match import IncidentStage
from logmedic.model.policy import Policy
from logmedic.model.record import EVERY_GROUP, Match, Record
from logmedic.model.rule import Rule
from logmedic.model.when import CLEAR, MATCH, OF, Absence, Threshold

_Groups = dict[str, list[tuple[float, str]]]
MAX_GROUPS = 10_000
"""Groups of one rule that are remembered at once; with more of them the oldest are dropped, and counted (I6). As many
have an open incident at most; what would open one more is counted as well."""

FORGOTTEN_AFTER = timedelta(days=7)
"""An incident whose end a line has to tell is over after this silence all the same: that line may never come."""
LOOK_AGAIN = timedelta(minutes=1)
"""How soon a wait that is over, but has a cause, is looked at again."""

_IDLE = (IncidentStatus.OPEN, IncidentStatus.FAILED)


def on_match(draft: Draft, match: Match) -> None:
    rule = draft.policy.rules.get(match.rule_id)
    if rule is None:
        return
    if match.part == CLEAR:
        _clear(draft, rule, match)
        return
    if match.part == MATCH:
        draft.tally("matched")
        issues.occurred(draft, issues.of_rule(draft, rule, match.record.at), match.record.at)
    if match.group != EVERY_GROUP:
        _take(draft, rule, match)
        return
    for group in draft.groups(rule.id):
        if group != EVERY_GROUP:
            _take(draft, rule, replace(match, group=group))


def _take(draft: Draft, rule: Rule, match: Match) -> None:
    incident = draft.open_incident(rule.id, match.group)
    if incident is not None and _is_over_by_then(rule, incident, match):
        _end(draft, incident, Resolution.QUIET, f"silent for {duration_text(rule.when.clear.quiet or timedelta())}")
        incident = None
    if rule.when.clear.match is not None and counted_at(match, draft.now) < _over_since(draft, rule, match.group):
        return  # it is of what is over
    trigger = rule.when.trigger
    if isinstance(trigger, Threshold) and trigger.count == 1:
        if incident is None:
            _open(draft, rule, match)
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
    taken = windows.take(_since_over(draft, rule, before), trigger, match, draft.now)
    _keep(draft, taken.window)
    if incident is None and taken.fires:
        incident = _open(draft, rule, _of_window(rule, before) if match.part == OF else match)
        if incident is None and taken.full is not None and _has_cause(draft, rule):
            _keep(draft, taken.full)  # the next match opens one, once the cause is over
    elif incident is not None and (match.part == MATCH or taken.fires):
        incident = _again(draft, rule, match, incident, triggered=taken.fires)
    comes_again = isinstance(trigger, Absence) and match.part == MATCH  # whatever the window knows by now
    if incident is not None and (taken.answered or comes_again):
        _end(draft, incident, Resolution.CLEARED, f"it came: {match.record.text[:200]}")


def _keep(draft: Draft, window: Window) -> None:
    if window.times or window.counts or window.answered:
        draft.put_window(changed(window, touched=draft.now.timestamp()))
    else:
        draft.forget_window(window.rule_id, window.group_key)


def _over_since(draft: Draft, rule: Rule, group: str) -> float:
    """The newest time at which a line told that it is over, of the group or of all; 0 for never."""
    told = (draft.window(rule.id, group), draft.window(rule.id, EVERY_GROUP))
    return max((each.answered for each in told if each is not None), default=0.0)


def _since_over(draft: Draft, rule: Rule, window: Window) -> Window:
    """Without what a line for every group told to be over."""
    if rule.when.clear.match is None:
        return window
    every = draft.window(rule.id, EVERY_GROUP)
    is_older = every is not None and window.answered < every.answered
    return windows.over_at(window, every.answered) if every is not None and is_older else window


def _of_window(rule: Rule, window: Window) -> Match:
    """The match that waits in it."""
    at = datetime.fromtimestamp(window.times[-1] if window.times else window.answered, UTC)
    record = Record(window.source, window.source, window.evidence, 0, 0, at)
    return Match(rule.id, record, window.captures, window.group_key)


def _open(draft: Draft, rule: Rule, match: Match) -> Incident | None:
    """None: another incident keeps it from being one of its own, or the rule has too many (I6)."""
    if _has_cause(draft, rule):
        draft.tally("suppressed")
        return None
    if draft.open_count(rule.id) >= MAX_GROUPS:
        draft.tally("incidents_dropped")
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


def _has_cause(draft: Draft, rule: Rule) -> bool:
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
    """While a fix settles, a match of a threshold is trouble by itself; of other triggers, what reaches them is."""
    later = match.record.at >= incident.last_match_at
    seen = changed(
        incident,
        occurrences=incident.occurrences + 1,
        last_match_at=max(incident.last_match_at, match.record.at),
        captures=match.captures if later and incident.status in _IDLE else incident.captures,
    )
    draft.put_incident(seen)
    is_trouble = triggered or isinstance(rule.when.trigger, Threshold)
    if seen.status is IncidentStatus.SETTLING and is_trouble and _after_the_fix(draft, seen, match.record.at):
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
    towards it until then is forgotten. One that names no group is remembered once, and not for each."""
    at = counted_at(match, draft.now)
    before = draft.window(rule.id, match.group) or Window(rule.id, match.group)
    if before.answered < at:
        _keep(draft, windows.over_at(before, at))
    groups = [match.group] if match.group != EVERY_GROUP else draft.open_groups(rule.id)
    for group in groups:
        incident = draft.open_incident(rule.id, group)
        if incident is not None and at >= min(incident.last_match_at, draft.now + SKEW).timestamp():
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
    silence = _silence(rule) if rule is not None else None
    return silent_since(incident) + (silence or policy.resolve_after)


def _silence(rule: Rule) -> timedelta | None:
    """How long it has to be silent; None: as the policy says. Where a line tells the end, or silence is the trouble, it
    says nothing for a long time."""
    clear = rule.when.clear
    if clear.quiet is None and (clear.match is not None or isinstance(rule.when.trigger, Absence)):
        return FORGOTTEN_AFTER
    return clear.quiet


def close_silent(draft: Draft, limit: int) -> int:
    """End what no fix ended, and what has been silent long enough: at most `limit`. Answers what is left of that."""
    for incident in draft.open_incidents():
        until = ends_at(incident, draft.policy)
        if until is None or draft.now < until:
            continue
        if limit == 0:
            break
        limit -= 1
        rule = draft.policy.rules.get(incident.rule_id)
        if rule is not None and rule.when.clear.after is not None:
            notes = f"{duration_text(rule.when.clear.after)} after it was opened"
            _end(draft, incident, Resolution.EXPIRED, notes)
            continue
        silence = until - silent_since(incident)
        days = silence.total_seconds() / 86400
        words = f"{days:g} days" if days >= 2 else f"{silence.total_seconds() / 60:g} min"
        _end(draft, incident, Resolution.QUIET, f"silent for {words}")
    return limit


def silent_since(incident: Incident) -> datetime:
    """Not before it was opened: what a backlog tells of is old, and would else end and begin again with each block."""
    return max(incident.last_match_at, incident.opened_at)


def open_overdue(draft: Draft, limit: int) -> int:
    """Waits that are over, and nothing came: the oldest `limit` of them. Answers what is left of that."""
    for window in draft.waiting(draft.now):
        rule = draft.policy.rules.get(window.rule_id)
        if rule is None or not isinstance(rule.when.trigger, Absence) or not windows.is_of(window, rule.when.trigger):
            draft.forget_window(window.rule_id, window.group_key)
        elif window.due_at is not None and _wait_ends(window.due_at, rule.when.trigger, draft.policy) <= draft.now:
            if limit == 0:
                break
            limit -= 1
            if _has_cause(draft, rule):
                draft.tally("suppressed")
                draft.put_window(replace(window, due_at=draft.now + LOOK_AGAIN))
                continue
            _keep(draft, windows.overdue(window, rule.when.trigger))
            if draft.open_incident(rule.id, window.group_key) is None:
                _open(draft, rule, _of_window(rule, window))
    return limit


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


def _is_of(window: Window, rule: Rule) -> bool:
    return windows.is_of(window, rule.when.trigger) and (window.group_key != EVERY_GROUP or bool(rule.when.by))


def forget_old_windows(draft: Draft) -> None:
    """Windows that no later match can complete, those of rules that are gone, and the oldest of rules that have too
    many (I6)."""
    now, kept = draft.now.timestamp(), _Groups()
    for (rule_id, group), window in draft.state.windows.items():
        rule = draft.policy.rules.get(rule_id)
        if rule is None or not _is_of(window, rule) or now > windows.lives_until(window, rule.when.trigger):
            draft.forget_window(rule_id, group)
        else:
            kept.setdefault(rule_id, []).append((window.newest, group))
    for rule_id, groups in kept.items():
        for _, group in sorted(groups)[: max(0, len(groups) - MAX_GROUPS)]:
            draft.forget_window(rule_id, group)
            draft.tally("windows_dropped")
