"""Whether a fix may run now, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from logmedic.core import breaker as breakers
from logmedic.core.draft import Draft
from logmedic.core.targets import breaker_key, target_of
from logmedic.model.fix import AttemptStatus, BreakerStatus, FixAttempt
from logmedic.model.issue import HoldReason, Incident
from logmedic.model.policy import Policy
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.sandbox import SandboxKind
from logmedic.model.step import UnitJob

HOUR = timedelta(hours=1)
BUSY_RECHECK = timedelta(seconds=1)
"""How soon a fix that waits for another one is looked at again."""


@dataclass(frozen=True, slots=True)
class Hold:
    """`until`: when to look again; None: only a new match, a command or a reload changes it."""

    reason: HoldReason
    detail: str
    until: datetime | None = None


_NO_FIX = Hold(HoldReason.NO_FIX, "the rule has no fix")


def hold_for(draft: Draft, incident: Incident, rule: Rule, *, approved: bool = False) -> Hold | None:
    """The first reason not to run the fix of `incident` now, or None. The order is what people would ask first: may
    it ever, may it here, may it now."""
    fix = rule.fix
    if fix is None:
        return _NO_FIX
    return (
        _mode(fix, draft.policy)
        or _stale(incident, draft)
        or _arming(fix, draft.policy)
        or _breaker(draft, incident, rule)
        or _cooldown(draft, incident, fix)
        or _budget(draft, rule, fix)
        or _busy(draft, incident, rule)
        or _uptime(draft, fix)
        or (None if approved else _approval(draft, fix))
    )


def _mode(fix: Fix, policy: Policy) -> Hold | None:
    if fix.mode.under(policy.mode) is not Mode.OBSERVE:
        return None
    whose = "the daemon's mode" if policy.mode is Mode.OBSERVE else "the rule's mode"
    return Hold(HoldReason.OBSERVE, f"{whose} is observe")


def _stale(incident: Incident, draft: Draft) -> Hold | None:
    age = draft.now - incident.last_match_at
    if age <= draft.policy.max_age:
        return None
    return Hold(HoldReason.STALE, f"the last match is {round(age.total_seconds())} s old")


def _arming(fix: Fix, policy: Policy) -> Hold | None:
    for step in fix.steps:
        if isinstance(step.action, UnitJob):
            if policy.arming.units:
                continue
            return Hold(HoldReason.DISARMED, f"step {step.name!r} restarts a unit, which needs the unit tier")
        unsandboxed = step.sandbox.kind is SandboxKind.NONE
        if unsandboxed and not policy.allow_unsandboxed:
            return Hold(HoldReason.DISARMED, "sandbox: none needs actions.allow_unsandboxed: true")
        if not unsandboxed and not policy.arming.armed:
            return Hold(HoldReason.DISARMED, policy.arming.reason)
    return None


def _breaker(draft: Draft, incident: Incident, rule: Rule) -> Hold | None:
    state = draft.breaker(breaker_key(rule, incident.captures))
    if breakers.allows(state, draft.now):
        return None
    under_way = state.status is BreakerStatus.HALF_OPEN  # its trial: the time that was waited for has passed
    until = draft.now + BUSY_RECHECK if under_way else state.open_until
    return Hold(HoldReason.BREAKER_OPEN, f"the fix failed {state.failures} times in a row", until)


def _cooldown(draft: Draft, incident: Incident, fix: Fix) -> Hold | None:
    ends = [
        attempt.finished_at or draft.now
        for attempt in draft.attempts()
        if (attempt.rule_id, attempt.group_key) == (incident.rule_id, incident.group_key)
    ]
    until = max(ends) + fix.limits.cooldown if ends else draft.now
    return Hold(HoldReason.COOLDOWN, f"cooldown until {until:%H:%M:%S} UTC", until) if until > draft.now else None


def _budget(draft: Draft, rule: Rule, fix: Fix) -> Hold | None:
    recent = [each for each in _executions(draft.attempts()) if draft.now - each.started_at < HOUR]
    of_rule = [each for each in recent if each.rule_id == rule.id]
    for starts, limit, words in (
        (of_rule, fix.limits.max_per_hour, "this rule"),
        (recent, draft.policy.host_max_per_hour, "this host"),
    ):
        if len(starts) >= limit:
            until = min(each.started_at for each in starts) + HOUR if starts else draft.now + HOUR
            return Hold(HoldReason.BUDGET, f"{limit} fixes an hour for {words} are used up", until)
    return None


def _executions(attempts: Iterable[FixAttempt]) -> list[FixAttempt]:
    """First tries of first steps: one an execution of the whole fix."""
    return [each for each in attempts if each.step == 0 and each.try_no == 1]


def _busy(draft: Draft, incident: Incident, rule: Rule) -> Hold | None:
    under_way = [each for each in draft.attempts() if each.status is not AttemptStatus.FINISHED]
    running = sum(1 for each in under_way if each.status is AttemptStatus.RUNNING)
    target = target_of(rule, incident.captures)
    if any(each.target == target for each in under_way):
        return Hold(HoldReason.BUSY, f"another fix of {target} is under way", draft.now + BUSY_RECHECK)
    if running >= draft.policy.max_running:
        return Hold(HoldReason.BUSY, f"{running} fixes are running", draft.now + BUSY_RECHECK)
    return None


def _uptime(draft: Draft, fix: Fix) -> Hold | None:
    started = draft.policy.started_at
    if started is None or draft.now - started >= fix.limits.min_uptime:
        return None
    return Hold(HoldReason.WARMING_UP, "the daemon has only just started", started + fix.limits.min_uptime)


def _approval(draft: Draft, fix: Fix) -> Hold | None:
    if fix.mode.under(draft.policy.mode) is not Mode.APPROVE:
        return None
    until = draft.now + draft.policy.approval_expires
    return Hold(HoldReason.AWAITING_APPROVAL, f"waits for approval until {until:%H:%M:%S} UTC", until)
