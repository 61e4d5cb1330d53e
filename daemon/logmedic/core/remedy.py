"""The fix of an incident: held or begun, and where its results go."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from logmedic.core import carryingon, earned, ladder, verdicts
from logmedic.core.beforestep import abandon, began, wait_for_turn
from logmedic.core.calls import tell_held
from logmedic.core.draft import Draft
from logmedic.core.holds import Hold, hold_for
from logmedic.core.targets import asked_once, filled_probe, fingerprint, would_run
from logmedic.model.changeset import CheckPurpose, RunChecks
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, FixResult, ProbeResult, Verdict
from logmedic.model.issue import IDLE, UNDER_WAY, HoldReason, Incident, IncidentStatus
from logmedic.model.rule import Fix, Rule

WATCHED = 20
"""Open incidents of one rule: so many probes may run beside each other for it, as nobody waits for them."""
_WOULD = (HoldReason.OBSERVE, HoldReason.AWAITING_APPROVAL, HoldReason.PAUSED)


def consider(draft: Draft, incident: Incident, rule: Rule) -> None:
    """Start the fix of an incident that none is under way for, or hold it with its reason."""
    hold = hold_for(draft, incident, rule)
    if hold is not None:
        _hold(draft, incident, rule, hold)
    else:
        ladder.begin(draft, incident, rule)


def _hold(draft: Draft, incident: Incident, rule: Rule, hold: Hold) -> None:
    asked_anew = hold.reason is HoldReason.AWAITING_APPROVAL and not verdicts.is_in_force(incident.fix, rule)
    if incident.hold is not hold.reason or asked_anew:
        draft.tally(f"held_{hold.reason}")
        if hold.reason is not HoldReason.NO_FIX:
            draft.event(incident.id, "held", f"the fix is held ({hold.reason.words}): {hold.detail}")
        if hold.reason in _WOULD:
            draft.event(incident.id, "would_run", "; then ".join(would_run(rule, incident.captures)))
    if incident.hold is None and not incident.acted:
        incident = _watch(draft, incident, rule)
    held = replace(incident, hold=hold.reason, hold_detail=hold.detail, due_at=hold.until)
    if hold.reason is HoldReason.AWAITING_APPROVAL and rule.fix is not None:
        held = replace(held, approved_by="", approved_until=None, fix=fingerprint(rule.fix))  # what is asked for
    if held != draft.incident(held.id):
        draft.put_incident(held)
    tell_held(draft, held, rule, again=asked_anew and incident.hold is hold.reason)


def _watch(draft: Draft, incident: Incident, rule: Rule) -> Incident:
    """What becomes of it when nothing is done: asked now and after the time that the fix would have had, where a fix is
    to earn trust or a place among others by being better. Nobody else is asked, and of a storm only the first: what
    comes at once mostly ends at once, and counts as much. Answers the incident (not put)."""
    fix = rule.fix
    if fix is None or not fix.verify.probes or not (fix.graduate_after or _has_alternatives(fix)):
        return incident
    if draft.open_count(rule.id) > WATCHED:
        return replace(incident, weighed=True)
    probes = tuple(asked_once(filled_probe(each, incident.captures)) for each in fix.verify.probes)
    draft.intend(RunChecks(incident.id, ((CheckPurpose.WARRANTED, probes),)))
    draft.intend(RunChecks(incident.id, ((CheckPurpose.RECOVERED, probes),), after=earned.horizon(fix)))
    return incident


def _has_alternatives(fix: Fix) -> bool:
    return len({each.rung for each in fix.steps}) < len(fix.steps)


def on_step_finished(draft: Draft, attempt_id: str, result: FixResult) -> None:
    attempt = draft.attempt(attempt_id)
    if attempt is None or attempt.status is not AttemptStatus.RUNNING:
        draft.tally("results_ignored")
        return
    done = ladder.with_result(attempt, result, draft)
    words = f"exit {result.exit_code}" if result.exit_code is not None else done.detail
    draft.event(attempt.incident_id, "step_finished", f"{attempt.step_name!r}: {words} in {result.duration_s:.2f} s")
    incident, rule = _subject(draft, attempt)
    if incident is None or rule is None:
        draft.put_attempt(replace(done, status=AttemptStatus.FINISHED, verdict=Verdict.UNKNOWN))
    else:
        ladder.on_step_finished(draft, incident, rule, done, result)


def on_step_not_begun(draft: Draft, attempt_id: str, why: str) -> None:
    """The execution ends without a verdict, and the governor is asked anew, about the present."""
    attempt = draft.attempt(attempt_id)
    if attempt is None or attempt.status is not AttemptStatus.RUNNING:
        draft.tally("results_ignored")
        return
    draft.event(attempt.incident_id, "not_begun", f"{attempt.step_name!r} was not begun: {why}")
    verdicts.finish(draft, replace(attempt, finished_at=draft.now, detail=why), Verdict.UNKNOWN)
    incident, rule = _subject(draft, attempt)
    if incident is None or rule is None:
        return
    if attempt.kind is AttemptKind.ROLLBACK:  # what undoes a step is not given up: the next life begins with it
        wait_for_turn(draft, incident, attempt.step)
    else:
        consider(draft, abandon(draft, incident), rule)


def withdraw(draft: Draft, why: str, which: Callable[[FixAttempt], bool] = lambda _: True) -> None:
    """Steps that inputs before this one were to begin, in the same decision: nobody sees one begin who was told that
    none does (I8)."""
    for attempt in draft.take_back_steps(which):
        on_step_not_begun(draft, attempt.id, why)


def on_probes_finished(draft: Draft, attempt_id: str, result: ProbeResult) -> None:
    attempt = draft.attempt(attempt_id)
    settling = attempt is not None and _status_of(draft, attempt) is IncidentStatus.SETTLING
    if attempt is None or attempt.status is not AttemptStatus.VERIFYING or settling:
        draft.tally("results_ignored")
        return
    draft.event(attempt.incident_id, "probed", result.detail)
    incident, rule = _subject(draft, attempt)
    if incident is None or rule is None:
        done = replace(attempt, detail=result.detail, status=AttemptStatus.FINISHED, verdict=Verdict.UNKNOWN)
        draft.put_attempt(done)
    else:
        ladder.on_probed(draft, incident, rule, attempt, result)


def on_checks_finished(draft: Draft, incident_id: str, results: tuple[tuple[CheckPurpose, ProbeResult], ...]) -> None:
    incident = draft.incident(incident_id)
    if incident is None or incident.status is IncidentStatus.RESOLVED:
        draft.tally("results_ignored")
        return
    found = dict(results)
    if (warranted := found.get(CheckPurpose.WARRANTED)) is not None:
        seen = None if warranted.passed is None else not warranted.passed
        draft.put_incident(replace(incident, warranted=seen))
        draft.event(incident.id, "observed", f"its checks: {warranted.detail}")
        return
    if (recovered := found.get(CheckPurpose.RECOVERED)) is not None:
        _on_recovered(draft, incident, recovered)
        return
    if incident.status is not IncidentStatus.CHECKING:
        draft.tally("results_ignored")
        return
    if (rule := _rule_of(draft, incident)) is not None:
        ladder.on_checks(draft, incident, rule, results)


def _on_recovered(draft: Draft, incident: Incident, result: ProbeResult) -> None:
    rule = draft.policy.rules.get(incident.rule_id)
    if not verdicts.is_left_alone(incident) or result.passed is None or rule is None or rule.fix is None:
        return
    draft.put_incident(replace(incident, weighed=True))
    words = "it got well by itself" if result.passed else "it did not get well by itself"
    draft.event(incident.id, "observed", f"{words}: {result.detail}")
    verdicts.weigh(draft, incident, rule, recovered=result.passed)


def _status_of(draft: Draft, attempt: FixAttempt) -> IncidentStatus | None:
    incident = draft.incident(attempt.incident_id)
    return incident.status if incident is not None else None


def _subject(draft: Draft, attempt: FixAttempt) -> tuple[Incident | None, Rule | None]:
    """The incident and rule of `attempt`; None when a reload took the rule (or its fix) away meanwhile."""
    incident = draft.incident(attempt.incident_id)
    return incident, _rule_of(draft, incident) if incident is not None else None


def _rule_of(draft: Draft, incident: Incident) -> Rule | None:
    """None, and the incident waits for people, when a reload took the rule (or its fix) away."""
    rule = draft.policy.rules.get(incident.rule_id)
    if rule is not None and rule.fix is not None:
        return rule
    carryingon.lose(draft, incident)
    return None


def on_match_while_settling(draft: Draft, incident: Incident, rule: Rule) -> None:
    """The rule did not stay silent: the fix did not hold."""
    attempt = draft.attempt(incident.attempt_id)
    if attempt is not None and attempt.status is AttemptStatus.VERIFYING:
        ladder.did_not_hold(draft, incident, rule, attempt, "the rule matched again after the fix")


def recover(draft: Draft, incident: Incident) -> None:
    """At a start. The governor is asked again about what had not run a step yet, and about what has become stale before
    its next one: nobody knows how long the daemon was away."""
    rule = draft.policy.rules.get(incident.rule_id)
    if incident.status not in UNDER_WAY:
        return
    if rule is None or rule.fix is None:
        carryingon.lose(draft, incident)
    elif _has_to_ask_again(draft, incident):
        consider(draft, abandon(draft, incident), rule)
    else:
        carryingon.recover(draft, incident, rule)


def _has_to_ask_again(draft: Draft, incident: Incident) -> bool:
    if incident.status not in (IncidentStatus.CHECKING, IncidentStatus.RETRYING):
        return False
    return not began(incident) or draft.now - incident.last_match_at > draft.policy.max_age


def on_due(draft: Draft, incident: Incident, rule: Rule) -> None:
    """`incident.due_at` has come."""
    match incident.status:
        case IncidentStatus.RETRYING:
            ladder.retry(draft, incident, rule)
        case IncidentStatus.SETTLING:
            ladder.settled(draft, incident, rule)
        case IncidentStatus.OPEN | IncidentStatus.FAILED:
            _look_again(draft, incident, rule)
        case _:
            draft.put_incident(replace(incident, due_at=None))


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
    """Since its last attempt; where no step applied (or the attempt is forgotten), since that was found."""
    attempt = draft.attempt(incident.attempt_id)
    if attempt is not None:
        return incident.last_match_at > attempt.started_at
    failed_at = draft.breaker(verdicts.key_of(incident)).failed_at
    return failed_at is None or incident.last_match_at > failed_at


def _is_over_with(draft: Draft, incident: Incident, rule: Rule) -> bool:
    """This very fix failed, and nothing says that there is something to fix since."""
    same = incident.status is IncidentStatus.FAILED and verdicts.is_in_force(incident.fix, rule)
    return same and not _matched_since_the_fix(draft, incident)


def look_again(draft: Draft, holds: Collection[HoldReason], limit: int) -> None:
    """What was held for these reasons may be free: at most `limit` are looked at now, the rest is due at once. What
    waits for an approval has a time of its own, and is looked at now, however many there are."""
    waiting = [each for each in draft.open_incidents() if each.hold in holds and each.status in IDLE]
    for number, incident in enumerate(waiting):
        rule = draft.policy.rules.get(incident.rule_id)
        if rule is None or rule.fix is None or _is_over_with(draft, incident, rule):
            continue
        if number < limit or incident.hold is HoldReason.AWAITING_APPROVAL:
            consider(draft, incident, rule)
        else:
            draft.put_incident(replace(incident, due_at=draft.now))
