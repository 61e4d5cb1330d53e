"""What was under way when the daemon stopped, or when its rule went: what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from logmedic.core import breaker as breakers
from logmedic.core import ladder, verdicts
from logmedic.core.beforestep import abandon, fix_of
from logmedic.core.draft import Draft
from logmedic.core.holds import Hold
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import UNDER_WAY, HoldReason, Incident, IncidentStatus
from logmedic.model.rule import Rule

OWN_TIME = timedelta(seconds=30)
"""How long a step may have run whose time nobody knows any more."""

_LOST = Hold(HoldReason.NO_FIX, "the rule or its fix is gone")


def lose(draft: Draft, incident: Incident) -> None:
    """Its rule, or the fix of it, is not in force any more: whatever was under way ends without a verdict, so that its
    target and its breaker are free for others."""
    attempt = draft.attempt(incident.attempt_id)
    if incident.status in UNDER_WAY:
        if attempt is not None and attempt.status is not AttemptStatus.FINISHED:
            verdicts.finish(draft, attempt, Verdict.UNKNOWN)
        incident = abandon(draft, incident)
    if incident.hold is not HoldReason.NO_FIX:
        draft.event(incident.id, "held", _LOST.detail)
    open_still = replace(incident, status=IncidentStatus.OPEN, hold=_LOST.reason, hold_detail=_LOST.detail, due_at=None)
    draft.put_incident(open_still)


def recover(draft: Draft, incident: Incident, rule: Rule) -> None:
    """At a start: what was under way when the daemon stopped. A step without a result is unknown: it is probed, never
    run again (I3, F62)."""
    attempt = draft.attempt(incident.attempt_id)
    if incident.status is IncidentStatus.CHECKING:
        if attempt is not None and attempt.step == incident.step:
            ladder.undo_or_go_on(draft, incident, rule, attempt, attempt.detail, broke_off=False)
        else:
            ladder.approach(draft, incident, rule, incident.step)
        return
    if incident.status is IncidentStatus.SETTLING:
        _listen_again(draft, incident, rule)
    if attempt is None or incident.status not in (IncidentStatus.FIXING, IncidentStatus.VERIFYING):
        return
    if attempt.status is AttemptStatus.RUNNING:
        why = "the daemon stopped while this step ran; its outcome is unknown"
        draft.event(incident.id, "unknown_outcome", why)
        draft.tally("attempts_unknown")
        attempt = replace(attempt, finished_at=_latest_end(draft, attempt, rule), detail=why)
    if attempt.kind is AttemptKind.ROLLBACK:
        verdicts.finish(draft, attempt, Verdict.UNKNOWN)
        verdicts.failed(draft, incident, rule, fix_of(rule), attempt.detail, step=attempt.step_name, known=False)
    else:
        ladder.verify(draft, incident, rule, attempt)


def _listen_again(draft: Draft, incident: Incident, rule: Rule) -> None:
    """Silence proves nothing while nobody listened: what was written meanwhile is still to be read. Nor does it have to
    last longer than it ever had to (the clock was set back)."""
    quiet = fix_of(rule).verify.quiet or ladder.DEFAULT_QUIET
    catching_up = draft.now + min(quiet, ladder.DEFAULT_QUIET)
    due_at = min(max(incident.due_at or catching_up, catching_up), draft.now + quiet)
    if due_at != incident.due_at:
        draft.put_incident(replace(incident, due_at=due_at))


def _latest_end(draft: Draft, attempt: FixAttempt, rule: Rule) -> datetime:
    """Of a step that died with the daemon, nobody knows when: its time was up then at the latest. What was written
    later is not its own doing."""
    steps = fix_of(rule).steps
    limit = steps[attempt.step].timeout if attempt.step < len(steps) else OWN_TIME
    return max(attempt.started_at, min(draft.now, attempt.started_at + limit))


def give_up_lost_trials(draft: Draft) -> None:
    """At a start: a breaker whose trial belongs to no incident any more may have another."""
    under_way = {verdicts.key_of(each) for each in draft.under_way()}
    for breaker in draft.state.breakers.values():
        if breaker.trial and breaker.key not in under_way:
            draft.put_breaker(breakers.on_abandoned(breaker, draft.now))
