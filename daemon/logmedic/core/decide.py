"""The one decision: (state, policy, input, now) -> changeset. Pure; simulations run this very function."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

from logmedic.core import (
    ailing,
    calls,
    carryingon,
    clockset,
    endings,
    incidents,
    kept,
    learning,
    orders,
    outbox,
    quiet,
    remedy,
    reported,
    rulenews,
    setback,
    switches,
    synthetic,
    trust,
    versions,
    waits,
)
from logmedic.core.alerting import closing, flush, news, paging
from logmedic.core.draft import Draft, Mint
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import (
    Acknowledge,
    AddSilence,
    Advanced,
    Ailing,
    Approve,
    Changeset,
    ChecksFinished,
    ClockSet,
    Delivered,
    Diagnosed,
    EndSilence,
    FoundAhead,
    Input,
    MergeIssue,
    MuteIssue,
    Observed,
    Overflowed,
    PauseFixes,
    PrecursorsFound,
    ProbesFinished,
    Quarantined,
    Quiet,
    Reject,
    Reloaded,
    ReportsCounted,
    Resend,
    ResetBreaker,
    ResolveIssue,
    ResumeFixes,
    RulesRefused,
    SetTrust,
    Speaking,
    Started,
    StepFinished,
    StepNotBegun,
    Sweep,
    TellNow,
    TestAlert,
    Tick,
    UnmuteIssue,
    VersionSeen,
)
from logmedic.model.issue import Incident, IncidentStatus, Window
from logmedic.model.notice import AlertGroup
from logmedic.model.policy import Policy
from logmedic.model.state import EngineState

AT_ONCE = 500
"""Incidents that one Tick looks at again at most, and those that it ends or opens: other inputs have their turn in
between."""


def decide(state: EngineState, policy: Policy, given: Input, now: datetime, mint: Mint) -> Changeset:
    """Everything that `given` changes. `state` is only read. `now` is UTC."""
    draft = Draft(state, policy, now, mint)
    decide_in(draft, given)
    return draft.changeset()


def decide_in(draft: Draft, given: Input) -> None:
    """Add what `given` changes to what inputs before it change: all of them are one changeset. When it raises, the
    draft is of no use any more."""
    match given:
        case Observed():
            _observe(draft, given)
        case Advanced(checkpoints, lines):
            draft.tally("lines", lines)
            for checkpoint in checkpoints:
                draft.reached(checkpoint)
        case StepFinished(attempt_id, result):
            remedy.on_step_finished(draft, attempt_id, result)
        case StepNotBegun(attempt_id, why):
            remedy.on_step_not_begun(draft, attempt_id, why)
        case ProbesFinished(attempt_id, result):
            remedy.on_probes_finished(draft, attempt_id, result)
        case ChecksFinished(incident_id, results):
            remedy.on_checks_finished(draft, incident_id, results)
        case Delivered(alert_id, delivery):
            outbox.on_delivery(draft, alert_id, delivery)
        case Tick():
            _tick(draft)
        case ClockSet(by):
            draft.tally("clock_set")
            clockset.on_clock_set(draft, by)
        case FoundAhead():
            draft.tally("clock_set")
            setback.on_found(draft)
        case TellNow():
            closing.tell_now(draft)
        case Started():
            _start(draft)
        case Quiet(source, since):
            quiet.on_quiet(draft, source, since)
        case Speaking(source):
            quiet.on_speaking(draft, source)
        case Quarantined(rule_id, reason):
            rulenews.on_quarantined(draft, rule_id, reason)
        case RulesRefused(problems, stale):
            rulenews.on_refused(draft, problems, stale)
        case Overflowed(times):
            draft.tally("event_overflows", times)
        case ReportsCounted():
            reported.on_counted(draft, given)
        case PauseFixes():
            switches.pause(draft, given)
        case ResumeFixes():
            switches.resume(draft, given)
        case Reloaded():
            switches.reloaded(draft)
        case ResetBreaker():
            switches.reset(draft, given)
        case SetTrust():
            trust.set_trust(draft, given)
            switches.reconsider(draft)
        case ResolveIssue():
            orders.resolve(draft, given)
        case MuteIssue():
            orders.mute(draft, given)
        case UnmuteIssue():
            orders.unmute(draft, given)
        case MergeIssue():
            orders.merge(draft, given)
        case VersionSeen(source, version):
            versions.deployed(draft, source, version)
        case Sweep(old_by):
            orders.sweep(draft, draft.now if old_by is None else min(old_by, draft.now))
            trust.follow_files(draft)
            switches.reconsider(draft)
        case PrecursorsFound(precursors):
            draft.put_precursors(precursors)
        case Diagnosed(diagnosis, dropped):
            draft.put_diagnosis(diagnosis)
            draft.tally("diagnoses" if diagnosis.ok else "diagnoses_failed")
            draft.tally("diagnoses_dropped", dropped)
        case Approve(incident_id, by, ask):
            switches.approve(draft, incident_id, by, ask)
        case Reject(incident_id, by, ask):
            switches.reject(draft, incident_id, by, ask)
        case TestAlert(receivers):
            calls.test_alert(draft, receivers)
        case Acknowledge():
            news.acknowledge(draft, given)
        case AddSilence():
            news.add_silence(draft, given)
        case EndSilence():
            news.end_silence(draft, given)
        case Resend():
            outbox.resend(draft, given)
        case Ailing():
            ailing.on_ailing(draft, given)
    synthetic.carry(draft)
    rulenews.on_trust(draft)


def _observe(draft: Draft, observed: Observed) -> None:
    findings = observed.findings
    draft.tally("lines", findings.lines)
    for gap in observed.gaps:
        draft.tally("gaps")
        draft.tally("bytes_lost", gap.lost_bytes)
        draft.source_event(observed.source, gap.kind, gap.detail, origin=observed.origin, lost_bytes=gap.lost_bytes)
    draft.tally("captures_refused", findings.captures_refused)
    draft.tally("pattern_timeouts", sum(findings.timeouts.values()))
    draft.tally("records_given_up", findings.given_up)
    if observed.checkpoint is not None:
        draft.reached(observed.checkpoint)
    if findings.ordinary is not None:
        draft.keep_ordinary(findings.ordinary)
    for match in findings.matches:
        incidents.on_match(draft, match)
    for record in findings.reports:
        reported.on_report(draft, record)
    for error in findings.unknown:
        learning.on_unknown(draft, error)


def _start(draft: Draft) -> None:
    trust.follow_files(draft)
    carryingon.give_up_lost_trials(draft)
    outbox.resend_interrupted(draft)
    for incident in draft.open_incidents():
        remedy.recover(draft, incident)
    switches.reconsider(draft)
    for incident in draft.open_incidents():
        calls.tell_unheard(draft, incident)


def _tick(draft: Draft) -> None:
    """What is more than AT_ONCE is for the next Tick, which is due at once: until all that is over has ended, no wait
    ends, and nobody is reminded."""
    for incident in _due_now(draft)[:AT_ONCE]:
        _due(draft, incident)
    left = endings.close_silent(draft, AT_ONCE)
    left = waits.open_overdue(draft, left)
    if left > 0:
        _tell_late(draft)
    kept.forget_old_windows(draft)
    flush.flush_due(draft, reminds=left > 0)
    outbox.send_due(draft)


def _due_now(draft: Draft) -> list[Incident]:
    """The longest due first: those that are looked at again each second must not keep others waiting."""
    found = [(each.due_at, each) for each in draft.open_incidents() if each.due_at is not None]
    return [each for at, each in sorted(found, key=itemgetter(0)) if at <= draft.now]


def _due(draft: Draft, incident: Incident) -> None:
    rule = draft.policy.rules.get(incident.rule_id)
    if rule is None or rule.fix is None:
        carryingon.lose(draft, incident)
        return
    remedy.on_due(draft, incident, rule)


def _tell_late(draft: Draft) -> None:
    """Of what is still open and was no news so far: its fix works, or waits for its turn, for longer than it may."""
    for incident in draft.open_incidents():
        at = paging.late_at(draft.policy, incident)
        if at is not None and at <= draft.now:
            calls.tell(draft, incident, draft.policy.rules[incident.rule_id], AlertEvent.STILL_OPEN)


def due(state: EngineState, policy: Policy) -> datetime | None:
    """When the next Tick has work; None: nothing waits."""
    waiting = (state.windows[key] for key in state.waits)
    sending = outbox.due(state.alerts.values(), state.receivers, policy.alerts)
    began = clockset.began_at(state, policy)
    return _earliest(state.incidents.values(), sending, state.groups.values(), waiting, policy, began)


def due_of(changeset: Changeset, policy: Policy, state: EngineState) -> datetime | None:
    """When what it puts has work for a Tick, or sooner. `state`: the one that it is of."""
    still = (each for each in changeset.incidents if each.status is not IncidentStatus.RESOLVED)
    sending = outbox.due_of(changeset, policy.alerts)
    began = clockset.began_at(state, policy)
    return _earliest(still, sending, changeset.groups, changeset.windows, policy, began)


def _earliest(
    open_incidents: Iterable[Incident],
    sending: datetime | None,
    groups: Iterable[AlertGroup],
    windows: Iterable[Window],
    policy: Policy,
    began: datetime | None,
) -> datetime | None:
    times = [sending] if sending is not None else []
    times += [each.due_at for each in groups if each.due_at is not None and not each.done]
    times += [at for each in windows if (at := waits.next_wait(each, policy, began)) is not None]
    for each in open_incidents:
        known = (each.due_at, endings.ends_at(each, policy), paging.late_at(policy, each))
        times += [at for at in known if at is not None]
    return min(times, default=None)
