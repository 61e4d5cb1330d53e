"""The words of an alert: what broke, what was tried, did it work, what is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logmedic.core.evidence import clean, fence
from logmedic.core.secrets import masked
from logmedic.model.fix import AttemptKind, FixAttempt, Verdict
from logmedic.model.issue import HoldReason, Incident, KnownIssue, Template
from logmedic.model.rule import AlertEvent, Rule
from logmedic.model.trust import TrustChange, TrustChangeKind

EVIDENCE_LIMIT = 1200
"""Characters of a record in a message: a chat shows about this much before it folds."""

PROBLEMS_TOLD = 10
"""In one message; `logmedic rules check` tells all of them."""

_MARK = {
    AlertEvent.OPENED: "OPEN",
    AlertEvent.HELD: "HELD",
    AlertEvent.APPROVAL_NEEDED: "APPROVE?",
    AlertEvent.FIX_FAILED: "FIX FAILED",
    AlertEvent.BREAKER_OPEN: "BREAKER OPEN",
    AlertEvent.RECOVERED: "RECOVERED",
    AlertEvent.ESCALATED: "UNKNOWN ERROR",
    AlertEvent.REGRESSED: "CAME BACK",
    AlertEvent.FOREWARNED: "EARLY WARNING",
    AlertEvent.QUIET: "QUIET",
    AlertEvent.QUARANTINED: "QUARANTINED",
    AlertEvent.RULES_REFUSED: "RULES",
    AlertEvent.TRUST: "TRUST",
    AlertEvent.TEST: "TEST",
}


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one line."""

    title: str
    body: str


def short(incident_id: str) -> str:
    """The end of an id, which is what people type: the beginning of a UUIDv7 is only the time."""
    return incident_id[-8:]


def of_incident(
    incident: Incident,
    rule: Rule,
    event: AlertEvent,
    attempts: Sequence[FixAttempt],
    host: str,
    history: Sequence[str] = (),
    would: Sequence[str] = (),
) -> Message:
    """`attempts` of this incident, oldest first. `history`: lines about what went before it. `would`: what the fix
    would do, step by step, when it is held."""
    since = f"{incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    body = [
        f"What broke: {clean(incident.title, 200)}, {_times(incident.occurrences)} since {since}",
        f"What was tried: {_tried(attempts)}",
        f"Did it work: {_worked(incident, event, attempts)}",
        *([f"What would be done: {'; then '.join(clean(each, 200) for each in would)}"] if would else []),
        f"What is needed: {_needed(incident, rule, event)}",
    ]
    if event is not AlertEvent.RECOVERED:
        body += [clean(each, 400, keep="") for each in history]
    if rule.runbook:
        body.append(f"Runbook: {rule.runbook}")
    if incident.evidence and event is not AlertEvent.RECOVERED:
        body += ["Evidence:", fence(clean(masked(incident.evidence), EVIDENCE_LIMIT))]
    body.append(f"{incident.severity} | host {host} | rule {rule.id} | incident {short(incident.id)}")
    return Message(_title(event, host, incident.title), "\n".join(body))


def of_learned(
    issue: KnownIssue, event: AlertEvent, reason: str, template: Template, history: Sequence[str], host: str
) -> Message:
    """`reason`: why people are called now. `history`: lines about what went before it."""
    since = f"{issue.first_seen:%Y-%m-%d %H:%M:%S} UTC"
    body = [
        f"What broke: {clean(reason, 400)}",
        f"How often: {_times(issue.occurrences)} since {since}, in {_several(issue.episodes, 'episode')}"
        + (f"; in version {clean(issue.version, 80)}" if issue.version else ""),
        *(clean(each, 400, keep="") for each in history),
        "What was tried: nothing, there is no fix for it",
        "Did it work: nothing was tried",
        "What is needed: find the cause; for a rule of its own: logmedic learned promote " + short(issue.id),
        "Evidence:",
        fence(clean(masked(template.sample), EVIDENCE_LIMIT)),
        f"{issue.severity} | host {host} | {clean(template.component, 64)} | learned issue {short(issue.id)}",
    ]
    return Message(_title(event, host, issue.title), "\n".join(body))


def of_warning(issue: KnownIssue, warnings: Sequence[str], host: str) -> Message:
    """`warnings`: sentences about what tends to follow `issue`."""
    begun = issue.onset_at or issue.last_seen
    body = [
        f"What began: {clean(issue.title, 200)}, at {begun:%Y-%m-%d %H:%M:%S} UTC",
        *(f"What may follow: {clean(each, 300)}" for each in warnings),
        "What is needed: look now, before it does: logmedic learned show " + short(issue.id),
        f"{issue.severity} | host {host} | issue {short(issue.id)}",
    ]
    return Message(_title(AlertEvent.FOREWARNED, host, issue.title), "\n".join(body))


def of_quiet(source: str, since: datetime, host: str) -> Message:
    told = f"{since:%Y-%m-%d %H:%M:%S} UTC"
    body = [
        f"What broke: no new line came from source {clean(source, 100)} since {told}",
        "What was tried: nothing, reading goes on",
        "Did it work: nothing was tried",
        "What is needed: see whether the program still logs, and where: logmedic sources",
        f"high | host {host} | source {clean(source, 100)}",
    ]
    return Message(_title(AlertEvent.QUIET, host, f"source {source} is silent"), "\n".join(body))


def of_speaking(source: str, quiet_for: timedelta, host: str) -> Message:
    lasted = timedelta(seconds=round(quiet_for.total_seconds()))
    body = [
        f"What broke: source {clean(source, 100)} was silent for {lasted} (h:mm:ss)",
        "Did it work: it has new lines",
        "What is needed: nothing",
        f"high | host {host} | source {clean(source, 100)}",
    ]
    return Message(_title(AlertEvent.RECOVERED, host, f"source {source} speaks again"), "\n".join(body))


def of_quarantined(rule_id: str, reason: str, file: str, host: str) -> Message:
    body = [
        f"What broke: rule {rule_id} costs too much: {clean(reason, 200)}",
        "What was tried: it is not heard for an hour, the other rules go on",
        f"What is needed: make its pattern simpler in {clean(file, 200)}; it is heard again once that file changes",
        f"medium | host {host} | logmedic rules show {rule_id}",
    ]
    return Message(_title(AlertEvent.QUARANTINED, host, f"rule {rule_id} is not heard"), "\n".join(body))


def of_refused(problems: Sequence[str], stale: Sequence[str], host: str) -> Message:
    told = [clean(each, 300) for each in problems[:PROBLEMS_TOLD]]
    more = len(problems) - len(told)
    body = [
        "What broke: rule files have mistakes, and what they say is not in force:",
        *(f"  {each}" for each in told),
        *([f"  and {more} more"] if more else []),
        *([f"Their last good versions stay in force: {', '.join(stale)}"] if stale else []),
        "What is needed: logmedic rules check, and correct them; they are loaded as soon as they are written",
        f"medium | host {host}",
    ]
    count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    return Message(_title(AlertEvent.RULES_REFUSED, host, f"{count} in the rule files"), "\n".join(body))


def of_rules_well(host: str) -> Message:
    return Message(
        _title(AlertEvent.RECOVERED, host, "the rule files load again"),
        f"All rule files on {host} load, and are in force. Nothing is needed.",
    )


def of_trust(change: TrustChange, host: str) -> Message:
    """A proposal, or a level that was taken away."""
    if change.kind is TrustChangeKind.PROPOSED:
        subject = f"the fix of {change.rule_id} has earned mode {change.after}"
        needed = f"decide: logmedic trust raise {change.rule_id} --why ...; until then it stays {change.before}"
    else:
        subject = f"the fix of {change.rule_id} is in mode {change.after} again"
        needed = f"see what it did: logmedic fixes --rule {change.rule_id}; each run waits for your approval"
    body = [
        f"What happened: {subject}: {clean(change.why, 200)}",
        f"What is needed: {needed}",
        f"medium | host {host} | logmedic trust history {change.rule_id}",
    ]
    return Message(_title(AlertEvent.TRUST, host, subject), "\n".join(body))


def of_test(host: str) -> Message:
    return Message(
        _title(AlertEvent.TEST, host, "alerts arrive"),
        f"logmedic on {host} can reach you here. Nothing is broken, nothing is needed.",
    )


def _title(event: AlertEvent, host: str, subject: str) -> str:
    line = " ".join(clean(subject, 120).split())
    return f"[{_MARK[event]}] {host}: {line}"


def _several(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _tried(attempts: Sequence[FixAttempt]) -> str:
    """A rollback is told beside the step that it undoes: it is no try to mend anything."""
    steps = _steps(attempts)
    if not steps:
        return "nothing yet"
    total = f"{len(steps)} tries, the last: " if len(steps) > 1 else ""
    undone = f"; undone by {_ended(attempts[-1])}" if attempts[-1].kind is AttemptKind.ROLLBACK else ""
    return f"{total}{_ended(steps[-1])}{undone}"


def _steps(attempts: Sequence[FixAttempt]) -> list[FixAttempt]:
    return [each for each in attempts if each.kind is AttemptKind.STEP]


def _ended(attempt: FixAttempt) -> str:
    exit_text = "killed or not run" if attempt.exit_code is None else f"exit {attempt.exit_code}"
    words = " ".join(clean(argument, 80) for argument in attempt.argv)
    return f"{attempt.step_name} ({words}): {exit_text}"


def _worked(incident: Incident, event: AlertEvent, attempts: Sequence[FixAttempt]) -> str:
    if event is AlertEvent.RECOVERED:
        return f"yes: {incident.resolution_notes}"
    steps = _steps(attempts)
    if not steps:
        return "nothing was tried"
    last = steps[-1]
    said = clean(last.detail or last.output, 300).strip()
    verdict = "no" if last.verdict is Verdict.NOT_FIXED else "not known"
    return f"{verdict}: {said}" if said else verdict


def _needed(incident: Incident, rule: Rule, event: AlertEvent) -> str:
    show = f"logmedic show {short(incident.id)}"
    match event:
        case AlertEvent.RECOVERED:
            return "nothing"
        case AlertEvent.APPROVAL_NEEDED:
            return f"logmedic approve {short(incident.id)} (or reject), {incident.hold_detail}"
        case AlertEvent.FIX_FAILED:
            return f"repair it by hand; the story so far: {show}"
        case AlertEvent.BREAKER_OPEN:
            reset = f"once it can work, logmedic breakers reset {rule.id}"
            return (
                f"repair it by hand: the fix is not run again before a trial ({incident.hold_detail}); {reset}; {show}"
            )
        case AlertEvent.HELD if incident.hold is HoldReason.PAUSED:
            again = "remove that file" if "paused by file " in incident.hold_detail else "logmedic resume"
            return f"repair it by hand, or let fixes run again ({again}); {incident.hold_detail}; {show}"
        case AlertEvent.HELD if incident.hold is HoldReason.OWN_CAUSE:
            return f"look at these rules together: {incident.hold_detail}; {show}"
        case AlertEvent.HELD if incident.hold is HoldReason.OBSERVE:
            return f"repair it by hand, or let the fix run (mode of rule {rule.id} and of the daemon); {show}"
        case AlertEvent.HELD:
            return f"the fix is held: {incident.hold_detail}; {show}"
        case _:
            return f"look at it: {show}"
