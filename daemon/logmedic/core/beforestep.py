"""What comes before a step: what hinders it, its turn, and what is asked first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from logmedic.core import breaker as breakers
from logmedic.core import verdicts
from logmedic.core.calls import tell_held
from logmedic.core.draft import Draft
from logmedic.core.holds import BUSY_RECHECK, STOPS, Hold, steps_of_others, stopped
from logmedic.core.targets import asked_once, filled_probe, unit_of
from logmedic.model.changeset import CheckPurpose
from logmedic.model.issue import HoldReason, Incident, IncidentStatus
from logmedic.model.probe import AnyOf, Not, Probe, UnitProbe
from logmedic.model.rule import Fix, Rule

Checks = list[tuple[CheckPurpose, tuple[Probe, ...]]]


def fix_of(rule: Rule) -> Fix:
    assert rule.fix is not None, f"rule {rule.id} has a fix under way and no fix"  # noqa: S101
    return rule.fix


def began(incident: Incident) -> bool:
    """Whether its execution has run a step."""
    return incident.attempt_id != ""


def hindered(draft: Draft, incident: Incident, rule: Rule) -> Hold | None:
    """What keeps an execution from its next step, try or rollback."""
    return replaced(draft, incident, rule) or stopped(draft, incident, rule)


def replaced(draft: Draft, incident: Incident, rule: Rule) -> Hold | None:
    """The steps of another fix are not those of this execution: that one begins anew, when the governor lets it."""
    if verdicts.is_in_force(incident.fix, rule):
        return None
    return Hold(HoldReason.NO_FIX, "the fix that was under way is another one by now", draft.now)


def hold_back(draft: Draft, incident: Incident, rule: Rule, hold: Hold) -> None:
    """In the middle of an execution: what was done until now stays, and it begins anew later."""
    idle = abandon(draft, incident)
    draft.event(incident.id, "held", f"the fix is held ({hold.reason.words}): {hold.detail}")
    draft.tally(f"held_{hold.reason}")
    held = replace(idle, hold=hold.reason, hold_detail=hold.detail, due_at=hold.until)
    draft.put_incident(held)
    tell_held(draft, held, rule)


def abandon(draft: Draft, incident: Incident) -> Incident:
    """The execution ends without a verdict, and may begin anew: with an approval of its own, once a step of it ran.
    Answers the incident as it is then (already put)."""
    draft.put_breaker(breakers.on_abandoned(draft.breaker(verdicts.key_of(incident)), draft.now))
    idle = replace(incident, status=IncidentStatus.OPEN, hold=None, hold_detail="", due_at=None)
    if began(incident):
        idle = replace(idle, approved_by="", approved_until=None)
    draft.put_incident(idle)
    return idle


def is_crowded(draft: Draft, incident: Incident) -> bool:
    """As many steps of others run as may run at once: one that was verified, and did not hold, comes back while others
    have its place. While the daemon stops none may."""
    return draft.state.stopping or steps_of_others(draft, incident, waiting=False) >= draft.policy.max_running


def wait_for_turn(draft: Draft, incident: Incident, step: int) -> None:
    if not incident.waits_for_turn:
        why = STOPS if draft.state.stopping else f"{draft.policy.max_running} other steps are running"
        draft.event(incident.id, "waits", f"{why}: it waits for its turn")
    waiting = replace(incident, status=IncidentStatus.RETRYING, step=step, try_no=0, due_at=draft.now + BUSY_RECHECK)
    draft.put_incident(replace(waiting, hold=None, hold_detail=""))


def checks_before(incident: Incident, fix: Fix, step: int) -> Checks:
    checks: Checks = []
    if step == incident.plan[0]:
        if fix.limits.min_uptime and (unit := unit_of(fix)):
            checks.append((CheckPurpose.UPTIME, (_runs_long_enough(unit, fix.limits.min_uptime),)))
        if incident.approved_by and fix.verify.probes:
            checks.append((CheckPurpose.STILL_THERE, tuple(map(asked_once, fix.verify.probes))))
    chosen = fix.steps[step]
    if chosen.expect:
        checks.append((CheckPurpose.EXPECT, chosen.expect))
    if chosen.rollback is not None and fix.guard:
        checks.append((CheckPurpose.GUARD, tuple(map(asked_once, fix.guard))))
    return checks


def _runs_long_enough(unit: str, wanted: timedelta) -> Probe:
    """What does not run at all may be started at once."""
    return asked_once(AnyOf((Not(UnitProbe(unit)), UnitProbe(unit, up_for=wanted))))


def filled_probes(probes: tuple[Probe, ...], incident: Incident) -> tuple[Probe, ...]:
    return tuple(filled_probe(each, incident.captures) for each in probes)
