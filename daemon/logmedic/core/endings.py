"""How incidents end that no fix ends: by a line, by silence, by time."""

from __future__ import annotations

from datetime import datetime, timedelta

from logmedic.core import verdicts
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.core.windows import seen_at
from logmedic.model.issue import IDLE, Incident, Resolution
from logmedic.model.policy import Policy
from logmedic.model.record import Match
from logmedic.model.rule import Rule
from logmedic.model.when import MATCH, Absence

FORGOTTEN_AFTER = timedelta(days=7)
"""An incident whose end a line has to tell is over after this silence all the same: that line may never come."""


def end(draft: Draft, incident: Incident, resolution: Resolution, notes: str) -> None:
    """Unless a fix is under way: its verdict ends it."""
    if incident.status in IDLE:
        verdicts.close(draft, incident, resolution, notes)
    else:
        draft.event(incident.id, "cleared", f"{notes}; the fix under way is still verified")


def last_seen(rule: Rule, match: Match, now: datetime) -> datetime:
    """What `last_match_at` becomes with `match`. Silence is counted by our clock. Where a line says that it is over,
    what is asked is which was written first."""
    return match.record.at if rule.when.clear.match is not None else seen_at(match.record.at, now)


def is_over_by_then(rule: Rule, incident: Incident, match: Match, now: datetime) -> bool:
    """By the times in the lines, of a rule that says how long its silence is: a backlog has the same incidents as its
    lines had when they were new."""
    quiet = rule.when.clear.quiet
    return (
        quiet is not None
        and match.part == MATCH
        and incident.status in IDLE
        and last_seen(rule, match, now) - incident.last_match_at >= quiet
    )


def ends_at(incident: Incident, policy: Policy) -> datetime | None:
    """When it is over if nothing more comes; None while a fix is under way."""
    if incident.status not in IDLE:
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
            end(draft, incident, Resolution.EXPIRED, notes)
            continue
        silence = until - silent_since(incident)
        days = silence.total_seconds() / 86400
        words = f"{days:g} days" if days >= 2 else f"{silence.total_seconds() / 60:g} min"
        end(draft, incident, Resolution.QUIET, f"silent for {words}")
    return limit


def silent_since(incident: Incident) -> datetime:
    """Not before it was opened: what a backlog tells of is old, and would else end and begin again with each block."""
    return max(incident.last_match_at, incident.opened_at)
