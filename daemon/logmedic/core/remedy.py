"""One execution of a fix: held or started, step by step, verified, and what its verdict changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from logmedic.core import breaker as breakers
from logmedic.core import issues
from logmedic.core.backoff import exponential
from logmedic.core.calls import tell, tell_recovered
from logmedic.core.draft import Draft
from logmedic.core.holds import Hold, hold_for
from logmedic.core.targets import argv_of, breaker_key, filled, filled_probe, fingerprint, target_of
from logmedic.model.changeset import RunProbes, RunStep
from logmedic.model.fix import AttemptStatus, BreakerStatus, FixAttempt, FixResult, ProbeResult, Verdict
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, PatternType, Resolution
from logmedic.model.match import IncidentStage
from logmedic.model.rule import AlertEvent, Fix, Rule

DEFAULT_QUIET = timedelta(seconds=60)
"""A fix that names no check has worked when its rule stays silent this long."""

_HELD_ALERTS = {
    HoldReason.NO_FIX: AlertEvent.OPENED,
    HoldReason.OBSERVE: AlertEvent.HELD,
    HoldReason.DISARMED: AlertEvent.HELD,
    HoldReason.BUDGET: AlertEvent.HELD,
    HoldReason.AWAITING_APPROVAL: AlertEvent.APPROVAL_NEEDED,
}
"""The holds that people must hear of; the others end by themselves, or were told already."""


def consider(draft: Draft, incident: Incident, rule: Rule, *, approved: bool = False) -> None:
    """Start the fix of an incident that none is under way for, or hold it with its reason."""
    hold = hold_for(draft, incident, rule, approved=approved)
    if hold is not None:
        _hold(draft, incident, rule, hold)
        return
    draft.put_breaker(breakers.on_start(draft.breaker(breaker_key(rule, incident.captures))))
    _start(draft, incident, rule, step=0, try_no=1)


def _hold(draft: Draft, incident: Incident, rule: Rule, hold: Hold) -> None:
    if incident.hold is not hold.reason:
        draft.tally(f"held_{hold.reason}")
        if hold.reason is not HoldReason.NO_FIX:
            draft.event(incident.id, "held", f"the fix is held ({hold.reason}): {hold.detail}")
    held = incident
    if (incident.hold, incident.hold_detail, incident.due_at) != (hold.reason, hold.detail, hold.until):
        held = replace(incident, hold=hold.reason, hold_detail=hold.detail, due_at=hold.until)
        draft.put_incident(held)
    if (event := _HELD_ALERTS.get(hold.reason)) is not None:
        tell(draft, held, rule, event)


def _start(draft: Draft, incident: Incident, rule: Rule, *, step: int, try_no: int) -> None:
    chosen = filled(_fix(rule).steps[step], incident.captures)
    attempt = FixAttempt(
        id=draft.mint(),
        incident_id=incident.id,
        rule_id=rule.id,
        group_key=incident.group_key,
        target=target_of(rule, incident.captures),
        step=step,
        step_name=chosen.name,
        try_no=try_no,
        argv=argv_of(chosen.action),
        fix=fingerprint(_fix(rule)),
        started_at=draft.now,
    )
    draft.put_attempt(attempt)
    draft.put_incident(
        replace(
            incident,
            status=IncidentStatus.FIXING,
            hold=None,
            hold_detail="",
            due_at=None,
            step=step,
            try_no=try_no,
            attempt_id=attempt.id,
        )
    )
    draft.event(incident.id, "fix_started", f"step {step + 1}, {chosen.name!r}, try {try_no}")
    draft.intend(RunStep(attempt, chosen))


def _fix(rule: Rule) -> Fix:
    assert rule.fix is not None, f"rule {rule.id} has a fix under way and no fix"  # noqa: S101
    return rule.fix


def on_step_finished(draft: Draft, attempt_id: str, result: FixResult) -> None:
    attempt = draft.attempt(attempt_id)
    if attempt is None or attempt.status is not AttemptStatus.RUNNING:
        draft.tally("results_ignored")
        return
    done = replace(
        attempt,
        finished_at=draft.now,
        exit_code=result.exit_code,
        duration_s=result.duration_s,
        output=result.output,
        detail=result.detail,
        sandbox=result.sandbox,
    )
    words = f"exit {result.exit_code}" if result.exit_code is not None else result.detail
    draft.event(attempt.incident_id, "step_finished", f"{attempt.step_name!r}: {words} in {result.duration_s:.2f} s")
    incident, rule = _subject(draft, attempt)
    if incident is None or rule is None:
        draft.put_attempt(replace(done, status=AttemptStatus.FINISHED, verdict=Verdict.UNKNOWN))
    elif result.ok:
        _verify(draft, incident, rule, done)
    else:
        _step_failed(draft, incident, rule, done, may_retry=result.started)


def _subject(draft: Draft, attempt: FixAttempt) -> tuple[Incident | None, Rule | None]:
    """The incident and rule of `attempt`; None when a reload took the rule (or its fix) away meanwhile."""
    incident = draft.incident(attempt.incident_id)
    rule = draft.policy.rules.get(attempt.rule_id)
    if rule is None or rule.fix is None:
        if incident is not None:
            lost = replace(incident, status=IncidentStatus.OPEN, hold=HoldReason.NO_FIX, hold_detail="the rule is gone")
            draft.put_incident(replace(lost, due_at=None))
            draft.event(incident.id, "held", "the rule of this incident is gone")
        return incident, None
    return incident, rule


def _step_failed(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, *, may_retry: bool) -> None:
    failed = replace(attempt, status=AttemptStatus.FINISHED, verdict=Verdict.NOT_FIXED)
    draft.put_attempt(failed)
    retry = _fix(rule).steps[attempt.step].retry if attempt.step < len(_fix(rule).steps) else None
    if retry is None or not may_retry or attempt.try_no >= retry.attempts:
        _next_rung(draft, incident, rule, failed, f"{attempt.step_name} did not succeed")
        return
    wait = exponential(attempt.try_no, retry.base, retry.max, retry.factor)
    draft.put_incident(replace(incident, status=IncidentStatus.RETRYING, due_at=draft.now + wait))
    draft.event(incident.id, "retry", f"{attempt.step_name!r} is tried again in {wait.total_seconds():g} s")


def _verify(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt) -> None:
    draft.put_attempt(replace(attempt, status=AttemptStatus.VERIFYING))
    probes = tuple(filled_probe(probe, incident.captures) for probe in _fix(rule).verify.probes)
    if not probes:
        _settle(draft, incident, _fix(rule).verify.quiet or DEFAULT_QUIET)
        return
    draft.put_incident(replace(incident, status=IncidentStatus.VERIFYING, due_at=None))
    draft.intend(RunProbes(attempt.id, probes))


def _settle(draft: Draft, incident: Incident, quiet: timedelta) -> None:
    draft.put_incident(replace(incident, status=IncidentStatus.SETTLING, due_at=draft.now + quiet))
    draft.event(incident.id, "settling", f"the rule has to stay silent for {quiet.total_seconds():g} s")


def on_probes_finished(draft: Draft, attempt_id: str, result: ProbeResult) -> None:
    attempt = draft.attempt(attempt_id)
    if attempt is None or attempt.status is not AttemptStatus.VERIFYING:
        draft.tally("results_ignored")
        return
    draft.event(attempt.incident_id, "probed", result.detail)
    incident, rule = _subject(draft, attempt)
    probed = replace(attempt, detail=result.detail)
    if incident is None or rule is None:
        draft.put_attempt(replace(probed, status=AttemptStatus.FINISHED, verdict=Verdict.UNKNOWN))
    elif not result.passed:
        _did_not_hold(draft, incident, rule, probed, result.detail)
    elif (quiet := _fix(rule).verify.quiet) is not None:
        draft.put_attempt(probed)
        _settle(draft, incident, quiet)
    else:
        _fixed(draft, incident, rule, probed, result.detail)


def _did_not_hold(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, why: str) -> None:
    failed = replace(attempt, status=AttemptStatus.FINISHED, verdict=Verdict.NOT_FIXED, detail=why)
    draft.put_attempt(failed)
    _next_rung(draft, incident, rule, failed, why)


def on_match_while_settling(draft: Draft, incident: Incident, rule: Rule) -> None:
    """The rule did not stay silent: the fix did not hold."""
    attempt = draft.attempt(incident.attempt_id)
    if attempt is not None and attempt.status is AttemptStatus.VERIFYING:
        _did_not_hold(draft, incident, rule, attempt, "the rule matched again after the fix")


def _next_rung(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, why: str) -> None:
    if attempt.step + 1 < len(_fix(rule).steps):
        _start(draft, incident, rule, step=attempt.step + 1, try_no=1)
    else:
        _failed(draft, incident, rule, attempt, why)


def _failed(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, why: str) -> None:
    """Every rung was tried. Another execution comes only after the cooldown, or as the breaker's trial."""
    breaker = breakers.on_failure(draft.breaker(breaker_key(rule, incident.captures)), _fix(rule).breaker, draft.now)
    draft.put_breaker(breaker)
    draft.learn(
        PatternType.AUTO_FIX_FAILURE,
        f"the fix of {rule.id} did not work: {why}",
        0.5,
        rule=rule.id,
        step=attempt.step_name,
        incident=incident.id,
    )
    draft.event(incident.id, "fix_failed", why)
    opened = breaker.status is BreakerStatus.OPEN
    until = breaker.open_until if opened else draft.now + _fix(rule).limits.cooldown
    failed = replace(
        incident,
        status=IncidentStatus.FAILED,
        hold=HoldReason.BREAKER_OPEN if opened else HoldReason.COOLDOWN,
        hold_detail=f"until {until:%H:%M:%S} UTC",
        due_at=until,
    )
    draft.put_incident(failed)
    if opened:
        issues.breaker_opened(draft, rule, breaker.failures)
        draft.event(incident.id, "breaker_open", f"{breaker.failures} failures in a row")
    draft.announce(failed, IncidentStage.FAILED)
    told_before = AlertEvent.BREAKER_OPEN in failed.told
    tell(draft, failed, rule, AlertEvent.BREAKER_OPEN if opened or told_before else AlertEvent.FIX_FAILED)


def _fixed(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, proof: str) -> None:
    draft.put_attempt(replace(attempt, status=AttemptStatus.FINISHED, verdict=Verdict.FIXED, detail=proof))
    before = draft.breaker(breaker_key(rule, incident.captures))
    draft.put_breaker(breakers.on_success(before, _fix(rule).breaker, draft.now))
    issues.resolve(draft, f"breaker:{rule.id}", f"the fix of {rule.id} works again")
    notes = f"{attempt.step_name}: {proof}"
    draft.learn(
        PatternType.AUTO_FIX_SUCCESS,
        f"{attempt.step_name} fixes {rule.id}",
        1.0,
        rule=rule.id,
        step=attempt.step_name,
        incident=incident.id,
        proof=proof,
    )
    close(draft, incident, Resolution.FIXED, notes)


def close(draft: Draft, incident: Incident, resolution: Resolution, notes: str) -> None:
    """The incident is over; its issue too, unless another group still has it."""
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
    if (rule := draft.policy.rules.get(incident.rule_id)) is not None:
        tell_recovered(draft, over, rule)


def _begin_anew(draft: Draft, incident: Incident) -> None:
    """What was counted is forgotten; what a rate learned, and since when it is over, is not."""
    window = draft.window(incident.rule_id, incident.group_key)
    if window is not None and (window.answered or window.counts):
        draft.put_window(replace(window, times=window.times if window.due_at else (), marks=()))
    elif window is not None:
        draft.forget_window(incident.rule_id, incident.group_key)


def on_due(draft: Draft, incident: Incident, rule: Rule) -> None:
    """`incident.due_at` has come."""
    match incident.status:
        case IncidentStatus.RETRYING:
            _retry(draft, incident, rule)
        case IncidentStatus.SETTLING:
            _settled(draft, incident, rule)
        case IncidentStatus.OPEN | IncidentStatus.FAILED:
            _look_again(draft, incident, rule)
        case _:
            draft.put_incident(replace(incident, due_at=None))


def _retry(draft: Draft, incident: Incident, rule: Rule) -> None:
    """The next try of the same step, unless fixes were switched off meanwhile."""
    if incident.step < len(_fix(rule).steps) and draft.policy.arming.armed:
        _start(draft, incident, rule, step=incident.step, try_no=incident.try_no + 1)
        return
    draft.put_breaker(breakers.on_abandoned(draft.breaker(breaker_key(rule, incident.captures)), draft.now))
    consider(draft, replace(incident, status=IncidentStatus.OPEN), rule)


def _settled(draft: Draft, incident: Incident, rule: Rule) -> None:
    attempt = draft.attempt(incident.attempt_id)
    if attempt is None:
        draft.put_incident(replace(incident, status=IncidentStatus.OPEN, due_at=None))
        return
    said = f"{attempt.detail}, and silent since" if attempt.detail else "silent since"
    _fixed(draft, incident, rule, attempt, said)


def _look_again(draft: Draft, incident: Incident, rule: Rule) -> None:
    if incident.hold is HoldReason.AWAITING_APPROVAL:
        draft.event(incident.id, "approval_expired", "nobody approved in time")
        expired = replace(incident, hold=HoldReason.REJECTED, hold_detail="the approval expired", due_at=None)
        draft.put_incident(expired)
        return
    if incident.status is IncidentStatus.FAILED and not _matched_since_the_fix(draft, incident):
        draft.put_incident(replace(incident, due_at=None))
        return
    consider(draft, incident, rule)


def _matched_since_the_fix(draft: Draft, incident: Incident) -> bool:
    attempt = draft.attempt(incident.attempt_id)
    return attempt is None or incident.last_match_at >= attempt.started_at


def recover(draft: Draft, incident: Incident, rule: Rule) -> None:
    """At a start: what was under way when the daemon stopped. A step without a result is unknown: it is probed, never
    run again (I3)."""
    attempt = draft.attempt(incident.attempt_id)
    if attempt is None or incident.status not in (IncidentStatus.FIXING, IncidentStatus.VERIFYING):
        return
    if attempt.status is AttemptStatus.RUNNING:
        why = "the daemon stopped while this step ran; its outcome is unknown"
        draft.event(incident.id, "unknown_outcome", why)
        draft.tally("attempts_unknown")
        attempt = replace(attempt, finished_at=draft.now, detail=why)
    _verify(draft, incident, rule, attempt)
