"""One execution of a fix: its rungs one after the other, each checked before, run, verified, and undone when it made
things worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from logmedic.core import breaker as breakers
from logmedic.core import earned, verdicts
from logmedic.core.backoff import exponential, jittered
from logmedic.core.beforestep import (
    abandon,
    checks_before,
    filled_probes,
    fix_of,
    hindered,
    hold_back,
    is_crowded,
    replaced,
    wait_for_turn,
)
from logmedic.core.draft import Draft
from logmedic.core.holds import BUSY_RECHECK, Hold, stopped
from logmedic.core.secrets import masked
from logmedic.core.targets import (
    argv_of,
    breaker_key,
    filled,
    fingerprint,
    step_fingerprint,
    target_of,
)
from logmedic.model.changeset import CheckPurpose, RunChecks, RunProbes, RunStep
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, FixResult, ProbeResult, Verdict
from logmedic.model.issue import HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.rule import Fix, Rule
from logmedic.model.step import Step

DEFAULT_QUIET = timedelta(seconds=60)
"""A fix that names no check has worked when its rule stays silent this long."""
UPTIME_RECHECK = timedelta(seconds=10)


def begin(draft: Draft, incident: Incident, rule: Rule) -> None:
    """An execution starts, at the first rung of its plan."""
    fix = fix_of(rule)
    draft.put_breaker(breakers.on_start(draft.breaker(breaker_key(rule, incident.captures))))
    found = ranked(draft, rule)
    plan = earned.plan(fix, found)
    if plan != tuple(range(len(fix.steps))):
        order = ", ".join(fix.steps[each].name for each in plan)
        draft.event(incident.id, "ranked", f"tried in the order of what was earned: {order}")
    began = replace(
        incident,
        plan=plan,
        step=plan[0],
        try_no=1,
        attempt_id="",
        guarded=False,
        fix=fingerprint(fix),
        target=target_of(rule, incident.captures),
    )
    approach(draft, began, rule, plan[0])


def ranked(draft: Draft, rule: Rule) -> tuple[earned.Rank, ...]:
    """What each step of its fix has earned, in the order of the file."""
    fix = fix_of(rule)
    known = {each.name: draft.earned(rule.id, each.name, step_fingerprint(each)) for each in fix.steps}
    return earned.ranks(fix, known.__getitem__, draft.earned(rule.id), draft.now)


# -- before a step -----------------------------------------------------------------------------------------------------


def approach(draft: Draft, incident: Incident, rule: Rule, step: int) -> None:
    """The checks before step `step`, or the step itself."""
    here = replace(incident, step=step, try_no=1, guarded=False)
    if hold := hindered(draft, here, rule):
        hold_back(draft, here, rule, hold)
        return
    if step != incident.plan[0] and is_crowded(draft, here):  # the governor counted before the first one
        wait_for_turn(draft, incident, step)
        return
    checks = checks_before(here, fix_of(rule), step)
    if not checks:
        start(draft, here, rule, step=step, try_no=1)
        return
    draft.put_incident(replace(here, status=IncidentStatus.CHECKING, hold=None, hold_detail="", due_at=None))
    draft.intend(RunChecks(here.id, tuple((purpose, filled_probes(probes, here)) for purpose, probes in checks)))


def _take_turn(draft: Draft, incident: Incident, rule: Rule) -> None:
    """What waited: to undo the step that ran last, or for the next one."""
    attempt = draft.attempt(incident.attempt_id)
    if attempt is not None and attempt.step == incident.step:
        _roll_back(draft, incident, rule, incident.step)
    else:
        approach(draft, incident, rule, incident.step)


def _asked(purpose: CheckPurpose) -> str:
    """The question to which a check that passes says yes."""
    return "is it well already" if purpose is CheckPurpose.STILL_THERE else purpose.value.replace("_", " ")


def on_checks(
    draft: Draft, incident: Incident, rule: Rule, results: tuple[tuple[CheckPurpose, ProbeResult], ...]
) -> None:
    """Of an incident whose status is CHECKING."""
    found = dict(results)
    for purpose, result in results:
        draft.event(incident.id, "checked", f"{_asked(purpose)}: {_said(result)}")
    if hold := replaced(draft, incident, rule):
        hold_back(draft, incident, rule, hold)
        return
    if (worse := found.get(CheckPurpose.WORSE)) is not None:
        _after_guard(draft, incident, rule, worse)
        return
    if (uptime := found.get(CheckPurpose.UPTIME)) is not None and not uptime.passed:
        until = draft.now + UPTIME_RECHECK
        hold_back(draft, incident, rule, Hold(HoldReason.WARMING_UP, f"min_uptime: {uptime.detail}", until))
        return
    if (still := found.get(CheckPurpose.STILL_THERE)) is not None and still.passed:
        idle = abandon(draft, incident)
        verdicts.close(draft, idle, Resolution.QUIET, f"it was well when its fix was approved: {still.detail}")
        return
    if (expected := found.get(CheckPurpose.EXPECT)) is not None and not expected.passed:
        name = fix_of(rule).steps[incident.step].name
        draft.event(incident.id, "step_skipped", f"{name!r} does not apply: {expected.detail}")
        next_rung(draft, incident, rule, f"no step applied: {expected.detail}")
        return
    guard = found.get(CheckPurpose.GUARD)
    guarded = replace(incident, guarded=guard is not None and bool(guard.passed))
    if hold := stopped(draft, guarded, rule):
        hold_back(draft, guarded, rule, hold)
        return
    if draft.state.stopping:  # it stays as it is: what is checked at a stop is checked again by the next life
        return
    start(draft, guarded, rule, step=guarded.step, try_no=1)


def _said(result: ProbeResult) -> str:
    if result.passed is None:
        return f"nobody can say: {result.detail}"
    return f"{'yes' if result.passed else 'no'}: {result.detail}"


# -- a step ------------------------------------------------------------------------------------------------------------


def start(
    draft: Draft, incident: Incident, rule: Rule, *, step: int, try_no: int, kind: AttemptKind = AttemptKind.STEP
) -> None:
    """One attempt: committed before it runs."""
    fix = fix_of(rule)
    written: Step | None = fix.steps[step] if kind is AttemptKind.STEP else fix.steps[step].rollback
    assert written is not None  # noqa: S101  only what has a rollback is rolled back
    chosen = filled(written, incident.captures)
    attempt = FixAttempt(
        id=draft.mint(),
        incident_id=incident.id,
        rule_id=rule.id,
        group_key=incident.group_key,
        target=incident.target,
        step=step,
        step_name=chosen.name,
        try_no=try_no,
        argv=argv_of(chosen.action),
        started_at=draft.now,
        kind=kind,
        fix=incident.fix,
        first=not incident.attempt_id,
        chain=incident.chain,
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
            acted=True,
        )
    )
    words = f"step {step + 1}, {chosen.name!r}, try {try_no}"
    draft.event(
        incident.id,
        *(("fix_started", words) if kind is AttemptKind.STEP else ("rollback_started", f"{chosen.name!r}")),
    )
    draft.intend(RunStep(attempt, chosen))


def on_step_finished(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, result: FixResult) -> None:
    """Of an attempt that runs; `attempt` has the result already."""
    if attempt.kind is AttemptKind.ROLLBACK:
        _rolled_back(draft, incident, rule, attempt, result)
    elif result.ok:
        verify(draft, incident, rule, attempt)
    elif result.exit_code is None and draft.pauses():
        verdicts.finish(draft, attempt, Verdict.UNKNOWN)
        _go_on_or_hold(draft, incident, rule)
    else:
        _step_failed(draft, incident, rule, attempt, started=result.started)


def with_result(attempt: FixAttempt, result: FixResult, draft: Draft) -> FixAttempt:
    """Secrets in what the step wrote are masked: it is stored, and shown to whoever may ask."""
    return replace(
        attempt,
        finished_at=draft.now,
        exit_code=result.exit_code,
        duration_s=result.duration_s,
        output=masked(result.output),
        detail=masked(result.detail),
        sandbox=result.sandbox,
    )


def _go_on_or_hold(draft: Draft, incident: Incident, rule: Rule) -> None:
    """After a step that was ended by hand."""
    hold = stopped(draft, incident, rule)
    if hold is not None:
        hold_back(draft, incident, rule, hold)


def _step_failed(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, *, started: bool) -> None:
    fix = fix_of(rule)
    failed = verdicts.finish(draft, attempt, Verdict.NOT_FIXED)
    retry = fix.steps[attempt.step].retry if verdicts.is_in_force(attempt.fix, rule) else None
    if retry is None or not started or attempt.try_no >= retry.attempts:
        _lost(draft, incident, rule, failed, f"{attempt.step_name} did not succeed", broke_off=started)
        return
    wait = jittered(exponential(attempt.try_no, retry.base, retry.max, retry.factor), attempt.id)
    draft.put_incident(replace(incident, status=IncidentStatus.RETRYING, due_at=draft.now + wait))
    draft.event(incident.id, "retry", f"{attempt.step_name!r} is tried again in {wait.total_seconds():.3g} s")


def retry(draft: Draft, incident: Incident, rule: Rule) -> None:
    """The next try of the same step, unless fixes were stopped meanwhile; or what waited for its turn."""
    if hold := hindered(draft, incident, rule):
        hold_back(draft, incident, rule, hold)
    elif incident.waits_for_turn:
        _take_turn(draft, incident, rule)
    elif draft.state.stopping:
        draft.put_incident(replace(incident, due_at=draft.now + BUSY_RECHECK))
    else:
        start(draft, incident, rule, step=incident.step, try_no=incident.try_no + 1)


# -- its verdict -------------------------------------------------------------------------------------------------------


def verify(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt) -> None:
    """An exit code of 0 proves nothing: the checks do, or silence."""
    draft.put_attempt(replace(attempt, status=AttemptStatus.VERIFYING))
    fix = fix_of(rule)
    if not fix.verify.probes:
        _settle(draft, incident, fix.verify.quiet or DEFAULT_QUIET)
        return
    draft.put_incident(replace(incident, status=IncidentStatus.VERIFYING, due_at=None))
    draft.intend(RunProbes(attempt.id, filled_probes(fix.verify.probes, incident)))


def _settle(draft: Draft, incident: Incident, quiet: timedelta) -> None:
    draft.put_incident(replace(incident, status=IncidentStatus.SETTLING, due_at=draft.now + quiet))
    draft.event(incident.id, "settling", f"the rule has to stay silent for {quiet.total_seconds():g} s")


def on_probed(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, result: ProbeResult) -> None:
    fix = fix_of(rule)
    if result.passed is None:
        verdicts.finish(draft, attempt, Verdict.UNKNOWN, result.detail)
        verdicts.failed(draft, incident, rule, fix, result.detail, step=attempt.step_name, known=False)
    elif not result.passed:
        did_not_hold(draft, incident, rule, attempt, result.detail)
    elif fix.verify.quiet is not None:
        draft.put_attempt(replace(attempt, detail=result.detail))
        _settle(draft, incident, fix.verify.quiet)
    else:
        verdicts.fixed(draft, incident, rule, fix, attempt, result.detail)


def did_not_hold(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, why: str) -> None:
    failed = verdicts.finish(draft, attempt, Verdict.NOT_FIXED, why)
    _lost(draft, incident, rule, failed, why, broke_off=False)


def settled(draft: Draft, incident: Incident, rule: Rule) -> None:
    """The quiet time is over, and the rule was silent."""
    attempt = draft.attempt(incident.attempt_id)
    if attempt is None:
        abandon(draft, incident)
        return
    said = f"{attempt.detail}, and silent since" if attempt.detail else "silent since"
    verdicts.fixed(draft, incident, rule, fix_of(rule), attempt, said)


# -- the next rung, or back --------------------------------------------------------------------------------------------


def _lost(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, why: str, *, broke_off: bool) -> None:
    """The rung did not hold. What failed in the middle is undone; so is what made things worse, which its guard has to
    say."""
    verdicts.earn(draft, attempt, won=False)
    undo_or_go_on(draft, incident, rule, attempt, why, broke_off=broke_off)


def undo_or_go_on(
    draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, why: str, *, broke_off: bool
) -> None:
    fix = fix_of(rule)
    if hold := replaced(draft, incident, rule):
        hold_back(draft, incident, rule, hold)
        return
    undo = fix.steps[attempt.step].rollback
    if undo is not None and broke_off:
        _roll_back(draft, incident, rule, attempt.step)
    elif undo is not None and incident.guarded:
        draft.put_incident(replace(incident, status=IncidentStatus.CHECKING, due_at=None))
        draft.intend(RunChecks(incident.id, ((CheckPurpose.WORSE, filled_probes(fix.guard, incident)),)))
    else:
        next_rung(draft, incident, rule, why)


def _after_guard(draft: Draft, incident: Incident, rule: Rule, guard: ProbeResult) -> None:
    attempt = draft.attempt(incident.attempt_id)
    if guard.passed is False and attempt is not None:
        draft.event(incident.id, "made_worse", f"what it must not break is broken: {guard.detail}")
        _roll_back(draft, incident, rule, attempt.step)
    else:
        next_rung(draft, incident, rule, attempt.detail if attempt is not None and attempt.detail else guard.detail)


def _roll_back(draft: Draft, incident: Incident, rule: Rule, step: int) -> None:
    hold = stopped(draft, incident, rule)
    if hold is not None:
        hold_back(draft, incident, rule, hold)
    elif is_crowded(draft, incident):
        wait_for_turn(draft, incident, step)
    else:
        start(draft, incident, rule, step=step, try_no=1, kind=AttemptKind.ROLLBACK)


def _rolled_back(draft: Draft, incident: Incident, rule: Rule, attempt: FixAttempt, result: FixResult) -> None:
    draft.put_attempt(replace(attempt, status=AttemptStatus.FINISHED))
    if result.ok:
        draft.event(incident.id, "rolled_back", f"{attempt.step_name!r} undid it")
        next_rung(draft, incident, rule, f"{attempt.step_name} undid the last step")
        return
    why = f"the rollback {attempt.step_name!r} failed: {attempt.detail or f'exit {attempt.exit_code}'}"
    verdicts.failed(draft, incident, rule, fix_of(rule), why, step=attempt.step_name)


def next_rung(draft: Draft, incident: Incident, rule: Rule, why: str) -> None:
    """Up the ladder, or its end."""
    fix = fix_of(rule)
    if later := _after(incident):
        approach(draft, incident, rule, later[0])
    else:
        verdicts.failed(draft, incident, rule, fix, why, step=_name(fix, incident.step))


def _after(incident: Incident) -> tuple[int, ...]:
    plan = incident.plan
    return plan[plan.index(incident.step) + 1 :] if incident.step in plan else ()


def _name(fix: Fix, step: int) -> str:
    return fix.steps[step].name if step < len(fix.steps) else ""
