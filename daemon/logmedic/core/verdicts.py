"""What the verdict on an execution of a fix changes: its breaker, its trust, what its steps earned, the incident."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core import breaker as breakers
from logmedic.core import earned, issues, trust
from logmedic.core.calls import tell, tell_recovered
from logmedic.core.draft import Draft
from logmedic.core.targets import fingerprint, step_fingerprint
from logmedic.model.alertevent import AlertEvent
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, PatternType, Resolution
from logmedic.model.match import IncidentStage
from logmedic.model.rule import Fix, OnFailure, Rule


def finish(draft: Draft, attempt: FixAttempt, verdict: Verdict, detail: str = "") -> FixAttempt:
    """The attempt with its verdict (already put)."""
    done = replace(attempt, status=AttemptStatus.FINISHED, verdict=verdict, detail=detail or attempt.detail)
    draft.put_attempt(done)
    return done


def earn(draft: Draft, attempt: FixAttempt, *, won: bool) -> None:
    """What the attempt's step earned: once for all of its tries, and nothing where the verdict is not known, or is one
    on a fix that is another one by now."""
    rule = draft.policy.rules.get(attempt.rule_id)
    if rule is None or rule.fix is None or not is_in_force(attempt.fix, rule):
        return
    action = step_fingerprint(rule.fix.steps[attempt.step])
    before = draft.earned(attempt.rule_id, attempt.step_name, action)
    draft.put_earned(earned.counted(before, won=won, now=draft.now))


def is_in_force(fix: str, rule: Rule) -> bool:
    """Whether the rule's fix is the one with the fingerprint `fix`."""
    return rule.fix is not None and fix == fingerprint(rule.fix)


def key_of(incident: Incident) -> tuple[str, str, str]:
    """Breaker.key of the execution under way: a reload in the middle changes nothing of it."""
    return incident.rule_id, incident.fix, incident.target


def fixed(draft: Draft, incident: Incident, rule: Rule, fix: Fix, attempt: FixAttempt, proof: str) -> None:
    finish(draft, attempt, Verdict.FIXED, proof)
    earn(draft, attempt, won=True)
    key = key_of(incident)
    was = draft.breaker(key)
    breaker = breakers.on_success(was, fix.breaker, draft.now)
    draft.put_breaker(breaker)
    if breaker.status is not BreakerStatus.CLOSED:
        words = f"trial {breaker.successes} of {fix.breaker.successes} worked; the breaker is not closed yet"
        draft.event(incident.id, "breaker_trial", words)
    elif was.status is not BreakerStatus.CLOSED:
        draft.event(incident.id, "breaker_closed", f"the fix works again on {key[2]}")
        if all(each.status is BreakerStatus.CLOSED for each in draft.breakers_of(rule.id)):
            issues.resolve(draft, f"breaker:{rule.id}", f"the fix of {rule.id} works again")
    draft.learn(
        PatternType.AUTO_FIX_SUCCESS,
        f"{attempt.step_name} fixes {rule.id}",
        1.0,
        rule=rule.id,
        step=attempt.step_name,
        incident=incident.id,
        proof=proof,
    )
    if is_in_force(incident.fix, rule):
        trust.on_verdict(draft, rule, won=True)
    close(draft, incident, Resolution.FIXED, f"{attempt.step_name}: {proof}")


def failed(
    draft: Draft, incident: Incident, rule: Rule, fix: Fix, why: str, *, step: str = "", known: bool = True
) -> None:
    """Every rung was tried, or nobody can say what came of one (`known` False). Another execution comes only after the
    cooldown, or as the breaker's trial."""
    key = key_of(incident)
    breaker = breakers.on_failure(draft.breaker(key), fix.breaker, draft.now)
    draft.put_breaker(breaker)
    lesson = f"the fix of {rule.id} did not work" if known else f"nobody can say whether the fix of {rule.id} worked"
    draft.learn(PatternType.AUTO_FIX_FAILURE, f"{lesson}: {why}", 0.5, rule=rule.id, step=step, incident=incident.id)
    draft.event(incident.id, "fix_failed" if known else "fix_unknown", why)
    opened = breaker.status is BreakerStatus.OPEN
    until = breaker.open_until if opened else draft.now + fix.limits.cooldown
    over = replace(
        incident,
        status=IncidentStatus.FAILED,
        hold=HoldReason.BREAKER_OPEN if opened else HoldReason.COOLDOWN,
        hold_detail=f"until {until:%H:%M:%S} UTC",
        due_at=until,
        approved_by="",
        approved_until=None,
    )
    draft.put_incident(over)
    if opened:
        issues.breaker_opened(draft, rule, breaker.failures)
        draft.event(incident.id, "breaker_open", f"{breaker.failures} failures in a row on {key[2]}")
    if known and is_in_force(incident.fix, rule):
        trust.on_verdict(draft, rule, won=False)
    draft.announce(over, IncidentStage.FAILED)
    if fix.on_failure is OnFailure.ESCALATE:
        told_before = AlertEvent.BREAKER_OPEN in over.told
        tell(draft, over, rule, AlertEvent.BREAKER_OPEN if opened or told_before else AlertEvent.FIX_FAILED)
    else:
        draft.event(incident.id, "not_told", "the rule wants nobody called for it (on_failure: record)")


def close(draft: Draft, incident: Incident, resolution: Resolution, notes: str) -> None:
    """The incident is over; its issue too, unless another group still has it."""
    rule = draft.policy.rules.get(incident.rule_id)
    if rule is not None and rule.fix is not None:
        _without_a_fix(draft, incident, rule, rule.fix, resolution)
    over = replace(
        incident,
        status=IncidentStatus.RESOLVED,
        resolution=resolution,
        resolution_notes=notes,
        resolved_at=draft.now,
        hold=None,
        hold_detail="",
        due_at=None,
    )
    draft.put_incident(over)
    _begin_anew(draft, incident)
    draft.event(incident.id, "resolved", notes)
    draft.tally(f"resolved_{resolution}")
    draft.announce(over, IncidentStage.RESOLVED)
    if not draft.has_incident(incident.rule_id):
        issues.resolve(draft, f"rule:{incident.rule_id}", notes)
    tell_recovered(draft, over, rule)


def _without_a_fix(draft: Draft, incident: Incident, rule: Rule, fix: Fix, resolution: Resolution) -> None:
    """What becomes of it when nothing is done is what a fix has to be better than. Silence says that it is well only
    where silence is what proves the fix; where there are checks, they are asked (see remedy.on_checks_finished)."""
    if not is_left_alone(incident):
        return
    ended = incident.last_match_at if resolution is Resolution.QUIET else draft.now
    late = ended - incident.opened_at > earned.horizon(fix)
    if late:
        weigh(draft, incident, rule, recovered=False)
    elif resolution is Resolution.CLEARED or (resolution is Resolution.QUIET and not fix.verify.probes):
        weigh(draft, incident, rule, recovered=True)


_OF_OTHERS = frozenset({HoldReason.CAUSE, HoldReason.BUSY})
"""While it waits for the fix of another rule, that one may make it well: it does not get well by itself."""


def is_left_alone(incident: Incident) -> bool:
    """Whether what becomes of it says what happens when nothing is done."""
    return not (incident.acted or incident.weighed or incident.hold in _OF_OTHERS)


def weigh(draft: Draft, incident: Incident, rule: Rule, *, recovered: bool) -> None:
    """Count it for the baseline, and for the trust in a fix that only observes."""
    draft.put_earned(earned.counted(draft.earned(rule.id), won=recovered, now=draft.now))
    if incident.hold is HoldReason.OBSERVE:
        trust.on_observed(draft, incident, rule, recovered=recovered)


def _begin_anew(draft: Draft, incident: Incident) -> None:
    """What was counted is forgotten; what a rate learned, and since when it is over, is not."""
    window = draft.window(incident.rule_id, incident.group_key)
    if window is not None and (window.answered or window.counts):
        draft.put_window(replace(window, times=window.times if window.due_at else (), marks=()))
    elif window is not None:
        draft.forget_window(incident.rule_id, incident.group_key)
