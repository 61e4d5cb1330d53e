"""What people say about fixes as a whole: the kill switch, a breaker that is mended, approvals."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core import breaker as breakers
from logmedic.core import issues, remedy, trust, verdicts
from logmedic.core.draft import Draft
from logmedic.core.links import ask_of
from logmedic.core.targets import breaker_key, fingerprint
from logmedic.model.changeset import PauseFixes, ResetBreaker, ResumeFixes, StopSteps
from logmedic.model.circuit import BreakerStatus
from logmedic.model.issue import HoldReason, Incident
from logmedic.model.rule import Rule
from logmedic.model.trust import Pause

AT_ONCE = 500
"""Incidents that a resume looks at in one decision; the others are due at once."""


_OF_RULES = frozenset(
    {
        HoldReason.NO_FIX,
        HoldReason.OBSERVE,
        HoldReason.AWAITING_APPROVAL,
        HoldReason.DISARMED,
        HoldReason.BREAKER_OPEN,
        HoldReason.MAINTENANCE,
        HoldReason.PAUSED,
    }
)
"""What holds a fix because of what its rule, or the host, is like; and a pause, which may have ended while its rule was
not in force."""


def pause(draft: Draft, given: PauseFixes) -> None:
    """No step starts from now on. What runs goes on to its end, unless `stop`."""
    draft.put_pause(Pause(given.origin, on=True, at=draft.now, by=given.by, why=given.why, until=given.until))
    draft.tally("pauses")
    remedy.withdraw(draft, "fixes were paused in the same moment")
    if given.stop:
        draft.intend(StopSteps())
    remedy.look_again(draft, (HoldReason.PAUSED,), AT_ONCE)  # this one may end sooner, or later, than what held them


def resume(draft: Draft, given: ResumeFixes) -> None:
    """Taken back; while another origin pauses too, nothing starts, and what is held says so."""
    known = draft.pause(given.origin)
    if known is None or not known.on:
        return
    draft.put_pause(replace(known, on=False, at=draft.now, by=given.by, until=None))
    remedy.look_again(draft, (HoldReason.PAUSED,), AT_ONCE)


def reconsider(draft: Draft) -> None:
    """Where this decision changed how far a fix may go, what it held is looked at again, and what it was to begin."""
    moved = draft.trust_moved()
    if not moved:
        return
    lowered = draft.trust_lowered()
    remedy.withdraw(draft, "its rule was trusted less in the same moment", lambda step: step.rule_id in lowered)
    for incident in draft.open_incidents():
        rule = draft.policy.rules.get(incident.rule_id) if incident.rule_id in moved else None
        if rule is not None and incident.hold in (HoldReason.OBSERVE, HoldReason.AWAITING_APPROVAL):
            remedy.consider(draft, incident, rule)


def reloaded(draft: Draft) -> None:
    """Other rules are in force, or others can run: what held for a reason that may be gone is looked at again."""
    trust.follow_files(draft)
    remedy.look_again(draft, _OF_RULES, AT_ONCE)


def reset(draft: Draft, given: ResetBreaker) -> None:
    """It is closed, and what it held is looked at."""
    breaker = draft.breaker(given.key)
    draft.put_breaker(breakers.reset(breaker, draft.now))
    rule = draft.policy.rules.get(breaker.rule_id)
    if all(each.status is BreakerStatus.CLOSED for each in draft.breakers_of(breaker.rule_id)):
        issues.resolve(draft, f"breaker:{breaker.rule_id}", f"reset by {given.by}")
    for incident in draft.open_incidents():
        if incident.rule_id != breaker.rule_id or incident.hold is not HoldReason.BREAKER_OPEN:
            continue
        if rule is not None and breaker_key(rule, incident.captures) != given.key:
            continue
        draft.event(incident.id, "breaker_reset", f"reset by {given.by}")
        if rule is not None and rule.fix is not None:
            remedy.consider(draft, incident, rule)


def approve(draft: Draft, incident_id: str, by: str, ask: str = "") -> None:
    """Re-checked against the present (F65): other holds still hold, and its checks say whether it is still there."""
    incident = draft.incident(incident_id)
    rule = draft.policy.rules.get(incident.rule_id) if incident else None
    late = incident is not None and incident.due_at is not None and draft.now >= incident.due_at
    if incident is None or rule is None or not _is_asked(incident, rule, ask) or late:
        draft.tally("approvals_ignored")
        return
    draft.event(incident.id, "approved", f"approved by {by}")
    until = draft.now + draft.policy.approval_expires
    fix = fingerprint(rule.fix) if rule.fix is not None else ""
    remedy.consider(draft, replace(incident, approved_by=by, approved_until=until, fix=fix), rule)


def reject(draft: Draft, incident_id: str, by: str, ask: str = "") -> None:
    incident = draft.incident(incident_id)
    if incident is None or not _is_asked(incident, None, ask):
        draft.tally("approvals_ignored")
        return
    draft.event(incident.id, "rejected", f"rejected by {by}")
    held = replace(incident, hold=HoldReason.REJECTED, hold_detail=f"rejected by {by}", due_at=None)
    draft.put_incident(held)


def _is_asked(incident: Incident, rule: Rule | None, ask: str) -> bool:
    """It waits for an approval; with `ask`: for that one, and what was asked about is still the fix of `rule`, of which
    another version may be in force by now."""
    if incident.hold is not HoldReason.AWAITING_APPROVAL or not ask:
        return incident.hold is HoldReason.AWAITING_APPROVAL
    return ask == ask_of(incident) and (rule is None or verdicts.is_in_force(incident.fix, rule))
