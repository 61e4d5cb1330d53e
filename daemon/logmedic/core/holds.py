"""The governor: whether a fix may run now, and what holds it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from logmedic.core import breaker as breakers
from logmedic.core import maintenance, trust
from logmedic.core.attempts import HOUR
from logmedic.core.clockset import began_at
from logmedic.core.draft import Draft
from logmedic.core.durations import duration_text
from logmedic.core.targets import breaker_key, fingerprint, target_of, unit_of
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptStatus
from logmedic.model.issue import HoldReason, Incident, IncidentStatus
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.sandbox import SandboxKind
from logmedic.model.step import Command, DropCache, FreeSpace, KillProcess, RenewCertificate, RotateLog, Step, UnitJob

TEN_MINUTES = timedelta(minutes=10)
BUSY_RECHECK = timedelta(seconds=1)
"""How soon a fix that waits for another one is looked at again."""
STOPS = "the daemon stops: no step is begun any more"
CAUSE_RECHECK = timedelta(seconds=5)
CROWD = 500
"""Open incidents, each so many of which make that wait longer by itself: looking at all of 10,000 takes a second."""
CAUSE_GRACE = timedelta(seconds=3)
"""A fix with `after` waits so long for its cause to show up: the lines of both come in any order."""
DEPTH = 3
"""Fixes that brought one another about, one after the other, until people have to look (F64)."""
LOOP_WAIT = timedelta(minutes=5)
"""After so long, what fixes set off among themselves has ended; what still comes then is trouble of its own."""


@dataclass(frozen=True, slots=True)
class Hold:
    """`until`: when to look again; None: only a new match, a command or a reload changes it."""

    reason: HoldReason
    detail: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the governor. `held` None: it is no obstacle. `detail`: how things stand, for people."""

    name: str
    held: Hold | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What is asked about."""

    draft: Draft
    incident: Incident
    rule: Rule
    fix: Fix
    approved: bool


def hold_for(draft: Draft, incident: Incident, rule: Rule) -> Hold | None:
    """The first reason not to run the fix of `incident` now, or None. The order is what people would ask first: may
    it ever, may it here, may it now."""
    if rule.fix is None:
        return _NO_FIX
    case = _Case(draft, incident, rule, rule.fix, _is_approved(draft, incident, rule.fix))
    asked = (*_QUESTIONS, _stopping)  # the last is none for people, who cannot ask a daemon that stops
    return next((found.held for ask in asked if (found := ask(case)).held is not None), None)


def is_approved(draft: Draft, incident: Incident) -> bool:
    """Somebody let its fix run, and that is not long ago: what else holds it does not use the approval up."""
    return incident.approved_until is not None and draft.now <= incident.approved_until


def _is_approved(draft: Draft, incident: Incident, fix: Fix) -> bool:
    """And it is that fix still."""
    return is_approved(draft, incident) and incident.fix == fingerprint(fix)


def every_hold(draft: Draft, incident: Incident, rule: Rule) -> list[Check]:
    """All that the governor asks, in its order."""
    if rule.fix is None:
        return [Check("fix", _NO_FIX, _NO_FIX.detail)]
    case = _Case(draft, incident, rule, rule.fix, _is_approved(draft, incident, rule.fix))
    return [ask(case) for ask in _QUESTIONS]


def stopped(draft: Draft, incident: Incident, rule: Rule) -> Hold | None:
    """What stops a fix even between two of its steps: a mode that allows less by now than it began with, the kill
    switch, and what cannot be run any more. Before the first one also what came up while its checks were asked."""
    if rule.fix is None:
        return _NO_FIX
    case = _Case(draft, incident, rule, rule.fix, approved=bool(incident.approved_by))
    stops = _STOPS if incident.attempt_id else _STOPS | _STOPS_THE_FIRST
    asked = (each for each in _QUESTIONS if each in stops)
    return next((found.held for ask in asked if (found := ask(case)).held is not None), None)


_NO_FIX = Hold(HoldReason.NO_FIX, "the rule has no fix")


def _soon(case: _Case, wait: timedelta) -> datetime:
    """When to look again at what nobody tells the end of."""
    return case.draft.now + wait * (1 + len(case.draft.state.incidents) // CROWD)


def _held(name: str, reason: HoldReason, detail: str, until: datetime | None = None) -> Check:
    return Check(name, Hold(reason, detail, until), detail)


def _mode(case: _Case) -> Check:
    level = trust.level_of(case.rule, case.draft.trust(case.rule.id), case.draft.policy)
    if level.mode is Mode.OBSERVE:
        return _held("mode", HoldReason.OBSERVE, f"{level.whose} is observe")
    return Check("mode", None, f"{level.mode.value} ({level.whose})")


def _paused(case: _Case) -> Check:
    pauses = case.draft.pauses()
    if not pauses:
        return Check("pause", None, "fixes are not paused")
    first = pauses[0]
    why = f": {first.why}" if first.why else ""
    ends = [each.until for each in pauses if each.until is not None]
    until = max(ends) if len(ends) == len(pauses) else None
    said = f"all fixes are paused by {first.by}{why}" + (f", until {until:%Y-%m-%d %H:%M} UTC" if until else "")
    return _held("pause", HoldReason.PAUSED, said, until)


def _maintenance(case: _Case) -> Check:
    found = maintenance.open_window(case.draft.policy.maintenance, case.rule, case.draft.now)
    if found is None:
        return Check("maintenance", None, "no maintenance window is open")
    window, ends = found
    words = f"maintenance window {window.name!r} until {ends:%Y-%m-%d %H:%M} UTC"
    return _held("maintenance", HoldReason.MAINTENANCE, words, ends)


def _stale(case: _Case) -> Check:
    age = case.draft.now - case.incident.last_match_at
    said = f"the last match is {max(0, round(age.total_seconds()))} s old"
    if age <= case.draft.policy.max_age:
        return Check("age", None, said)
    if case.approved and case.fix.verify.probes:
        return Check("age", None, f"{said}; its checks say whether it is still there")
    return _held("age", HoldReason.STALE, said)


def _arming(case: _Case) -> Check:
    arming, policy = case.draft.policy.arming, case.draft.policy
    for step in case.fix.steps:
        for each in (step, *([step.rollback] if step.rollback is not None else [])):
            if why := _cannot_run(case, each):
                return _held("arming", HoldReason.DISARMED, why)
    if case.rule.id in arming.refused:
        return _held("arming", HoldReason.DISARMED, arming.refused[case.rule.id])
    tier = arming.sandbox or ("without a sandbox" if policy.allow_unsandboxed else "units only")
    return Check("arming", None, f"armed ({tier})")


def _cannot_run(case: _Case, step: Step) -> str:
    arming, policy = case.draft.policy.arming, case.draft.policy
    match step.action:
        case UnitJob() if not arming.units:
            why = arming.units_reason or "there is no service manager to ask"
            return f"step {step.name!r} is a job of the service manager: {why}"
        case Command() | KillProcess() | FreeSpace() | DropCache() | RotateLog() | RenewCertificate():
            unsandboxed = step.sandbox.kind is SandboxKind.NONE
            if unsandboxed and not policy.allow_unsandboxed:
                return "sandbox: none needs actions.allow_unsandboxed: true"
            if step.sandbox.user == "root" and not policy.allow_root:
                return f"step {step.name!r} runs as root, which needs actions.allow_root: true"
            return "" if unsandboxed or arming.armed else arming.reason
        case _:
            return ""


def _own_cause(case: _Case) -> Check:
    chain, until = case.incident.chain, case.incident.opened_at + LOOP_WAIT
    if not chain:
        return Check("own cause", None, "no fix seems to have brought it about")
    said = f"it came about right after fixes of {', '.join(chain)}"
    if (case.rule.id in chain or len(chain) >= DEPTH) and case.draft.now < until:
        return _held("own cause", HoldReason.OWN_CAUSE, f"{said}: fixes seem to set each other off", until)
    return Check("own cause", None, said)


def _cause(case: _Case) -> Check:
    waits = case.fix.after
    if not waits:
        return Check("dependencies", None, "it waits for no other rule")
    now = case.draft.now
    if causes := [each for each in waits if case.draft.has_incident(each)]:
        words = f"{', '.join(causes)} {'is' if len(causes) == 1 else 'are'} fixed first"
        return _held("dependencies", HoldReason.CAUSE, words, _soon(case, CAUSE_RECHECK))
    shows_up = case.incident.opened_at + CAUSE_GRACE
    if now < shows_up:
        words = f"waits {duration_text(CAUSE_GRACE)} whether {', '.join(waits)} shows up"
        return _held("dependencies", HoldReason.CAUSE, words, shows_up)
    return Check("dependencies", None, f"no open incident of {', '.join(waits)}")


def _breaker(case: _Case) -> Check:
    state = case.draft.breaker(breaker_key(case.rule, case.incident.captures))
    if breakers.allows(state, case.draft.now):
        trial = "" if state.status is BreakerStatus.CLOSED else "; a trial is due"
        status = state.status.value.replace("_", " ")
        failed = "1 failure" if state.failures == 1 else f"{state.failures} failures in a row"
        return Check("breaker", None, f"{status}, {failed}{trial}")
    if state.status is BreakerStatus.HALF_OPEN:  # the time that was waited for has passed
        again = _soon(case, BUSY_RECHECK)
        return _held("breaker", HoldReason.BREAKER_OPEN, "its trial is under way", again)
    words = f"the fix failed {state.failures} times in a row"
    return _held("breaker", HoldReason.BREAKER_OPEN, words, state.open_until)


def _cooldown(case: _Case) -> Check:
    ends = [
        attempt.finished_at or case.draft.now
        for attempt in case.draft.attempts.of_group(case.incident.rule_id, case.incident.group_key)
    ]
    until = max(ends) + case.fix.limits.cooldown if ends else case.draft.now
    if until > case.draft.now:
        return _held("cooldown", HoldReason.COOLDOWN, f"cooldown until {until:%H:%M:%S} UTC", until)
    cooldown = case.fix.limits.cooldown
    return Check(
        "cooldown",
        None,
        f"over {duration_text(cooldown)} since the last run" if ends and cooldown else "nothing to wait for",
    )


def _budget(case: _Case) -> Check:
    policy, now = case.draft.policy, case.draft.now
    starts = list(case.draft.attempts.begun())
    soon = [each.rule_id for each in _others(case, IncidentStatus.CHECKING) if not each.attempt_id]
    of_rule = [each for each in starts if each.rule_id == case.rule.id], soon.count(case.rule.id)
    of_host = starts, len(soon)
    said = []
    for (counted, checked), span, limit, whose in (
        (of_rule, HOUR, case.fix.limits.max_per_hour, "an hour for this rule"),
        (of_host, HOUR, policy.host_max_per_hour, "an hour for this host"),
        (of_host, TEN_MINUTES, policy.host_max_per_ten_minutes, "in ten minutes for this host"),
    ):
        recent = sorted(each.started_at for each in counted if now - each.started_at < span)
        if len(recent) >= limit:
            until = (recent[len(recent) - limit] if limit else now) + span
            return _held("budget", HoldReason.BUDGET, f"{limit} fixes {whose} are used up", until)
        if len(recent) + checked >= limit:
            words = f"the last of {limit} fixes {whose} are checked before their first step"
            return _held("budget", HoldReason.BUSY, words, _soon(case, BUSY_RECHECK))
        said.append(f"{len(recent)} of {limit} fixes {whose}")
    return Check("budget", None, ", ".join(said))


def _busy(case: _Case) -> Check:
    running = steps_of_others(case.draft, case.incident, waiting=True)
    target, again = target_of(case.rule, case.incident.captures), _soon(case, BUSY_RECHECK)
    if any(each.target == target for each in case.draft.attempts.unfinished()) or _climbs(case, target):
        return _held("target", HoldReason.BUSY, f"another fix of {target} is under way", again)
    if running >= case.draft.policy.max_running:
        return _held("target", HoldReason.BUSY, f"{running} fixes are running", again)
    return Check("target", None, f"no fix of {target} is under way, {running} of others")


_RUNS_NEXT = (IncidentStatus.CHECKING, IncidentStatus.RETRYING)


def steps_of_others(draft: Draft, incident: Incident, *, waiting: bool) -> int:
    """Steps that run now, and executions that run one next; `waiting`: also those that wait for their turn. What is
    verified, or has to stay silent, runs none."""
    running = sum(1 for each in draft.attempts.unfinished() if each.status is AttemptStatus.RUNNING)
    others = [each for each in draft.under_way() if each.status in _RUNS_NEXT and each.id != incident.id]
    return running + sum(1 for each in others if waiting or not each.waits_for_turn)


def _others(case: _Case, *statuses: IncidentStatus) -> list[Incident]:
    """Further incidents with an execution under way that is at one of `statuses`."""
    return [each for each in case.draft.under_way() if each.status in statuses and each.id != case.incident.id]


def _climbs(case: _Case, target: str) -> bool:
    """Another incident is between two steps of a fix of that target."""
    others = (each for each in case.draft.under_way() if each.id != case.incident.id)
    return any(target in (each.target, _target_of(case.draft, each)) for each in others)


def _target_of(draft: Draft, incident: Incident) -> str:
    rule = draft.policy.rules.get(incident.rule_id)
    return target_of(rule, incident.captures) if rule is not None else ""


def _uptime(case: _Case) -> Check:
    """Of the daemon; that of a unit is asked for before the first step. This limit is there for boots, and after a boot
    the clock is often set (F33): the start is one by the clock of now."""
    wanted, started = case.fix.limits.min_uptime, began_at(case.draft.state, case.draft.policy)
    if unit := unit_of(case.fix) if wanted else "":
        return Check("uptime", None, f"{unit} has to run for {duration_text(wanted)}, if it runs: asked before a step")
    if not wanted or started is None or case.draft.now >= started + wanted:
        return Check("uptime", None, "the daemon has run for long enough")
    return _held("uptime", HoldReason.WARMING_UP, "the daemon has only just started", started + wanted)


def _approval(case: _Case) -> Check:
    level = trust.level_of(case.rule, case.draft.trust(case.rule.id), case.draft.policy)
    if level.mode is not Mode.APPROVE:
        return Check("approval", None, "needs none")
    if case.approved:
        return Check("approval", None, f"approved by {case.incident.approved_by}")
    waits = case.incident.hold is HoldReason.AWAITING_APPROVAL  # looked at again, it has no longer than it had
    until = (case.incident.due_at if waits else None) or case.draft.now + case.draft.policy.approval_expires
    return _held("approval", HoldReason.AWAITING_APPROVAL, f"waits for approval until {until:%H:%M:%S} UTC", until)


def _stopping(case: _Case) -> Check:
    """What is held for that is looked at again in the next life of the daemon, which is due at once."""
    if not case.draft.state.stopping:
        return Check("stop", None, "the daemon goes on")
    return _held("stop", HoldReason.BUSY, STOPS, case.draft.now + BUSY_RECHECK)


_STOPS = frozenset({_mode, _paused, _arming, _approval})
_STOPS_THE_FIRST = frozenset({_maintenance, _cause})
_QUESTIONS: tuple[Callable[[_Case], Check], ...] = (
    _mode,
    _paused,
    _maintenance,
    _stale,
    _arming,
    _own_cause,
    _cause,
    _breaker,
    _cooldown,
    _budget,
    _busy,
    _uptime,
    _approval,
)
