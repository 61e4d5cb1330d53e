"""What is to be said of logmedic itself: its sources, its rules, how far it trusts them, and what ails it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from logmedic.core.moments import moment_text, span_text
from logmedic.core.phrases import said, sentence, sentences, several
from logmedic.core.shellwords import command
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import Story
from logmedic.model.severity import Severity
from logmedic.model.trust import TrustChange, TrustChangeKind

PROBLEMS_TOLD = 5
"""In one message; `logmedic rules check` tells all of them."""
_GOES_ON = {
    AlertEvent.DISARMED: "Logs are read, and people are told, as before. What cannot run is held.",
    AlertEvent.STORE: "What log files still have is read once it can be kept again.",
    AlertEvent.RECEIVER_DEAD: "Its messages go to the next receiver in line, where their route names one.",
    AlertEvent.PART_FAILED: "It is started again by itself, again and again. Everything else goes on.",
    AlertEvent.DAEMON_FAILED: "Nothing, until it runs again: nobody watches, and nothing is fixed.",
}


# -- sources -----------------------------------------------------------------------------------------------------------


def of_quiet(source: str, since: datetime) -> Story:
    name = said(source, 80)
    return Story(
        subject=f"source:{source}",
        event=AlertEvent.QUIET,
        severity=Severity.HIGH,
        symptom=f"source {name} is silent",
        outcome=f"no line since {since:%Y-%m-%d %H:%M} UTC",
        need="see if it still logs",
        broke=f"No new line came from source {name} since {moment_text(since)}.",
        tried="Nothing: reading goes on, and a new line is seen at once.",
        following="Until it speaks again, nothing that goes wrong there is noticed. You are told when it does.",
        to_do="See whether the program still runs, whether it still logs, and where.",
        since=since,
        command=command("sources", source),
        source=name,
    )


def of_speaking(source: str, quiet_for: timedelta, now: datetime) -> Story:
    name = said(source, 80)
    return Story(
        subject=f"source:{source}",
        event=AlertEvent.RECOVERED,
        severity=Severity.HIGH,
        symptom=f"source {name} was silent",
        outcome="it speaks again",
        need="",
        broke=f"No new line came from source {name}; that was noticed {span_text(quiet_for)} before the next one came.",
        tried="Nothing.",
        following="Nothing, it is over: its lines are read.",
        to_do="Nothing.",
        since=now - quiet_for,
        command=command("sources", source),
        source=name,
        over=True,
    )


# -- rules -------------------------------------------------------------------------------------------------------------


def of_quarantined(rule_id: str, reason: str, file: str, now: datetime) -> Story:
    where = f" in {said(file, 200)}" if file else ""
    return Story(
        subject=f"rule:{rule_id}",
        event=AlertEvent.QUARANTINED,
        severity=Severity.MEDIUM,
        symptom=f"rule {said(rule_id, 80)} is not heard",
        outcome="it costs too much",
        need="make its pattern simpler",
        broke=sentence(f"Rule {said(rule_id, 80)} costs too much: {said(reason)}"),
        tried="It is left out, so that the other rules go on.",
        following="It is heard again in an hour, or as soon as its file changes. Until then it sees nothing.",
        to_do=f"Make its pattern simpler{where}.",
        since=now,
        command=command("rules", "show", rule_id),
        rule=rule_id,
    )


def of_refused(problems: Sequence[str], stale: Sequence[str], now: datetime) -> Story:
    told = [said(each, 200) for each in problems[:PROBLEMS_TOLD]]
    more = [f"and {len(problems) - len(told)} more"] if len(problems) > len(told) else []
    count = several(len(problems), "mistake")
    kept = f"Of {', '.join(said(each) for each in stale[:PROBLEMS_TOLD])} the last good version stays in force."
    if len(stale) > PROBLEMS_TOLD:
        kept = f"Of {len(stale)} files the last good version stays in force."
    return Story(
        subject="rules",
        event=AlertEvent.RULES_REFUSED,
        severity=Severity.MEDIUM,
        symptom=f"{count} in the rule files",
        outcome="not in force as written",
        need="correct the rules",
        broke=sentences(
            f"The rule files have {count}, and what they say there is not in force", "; ".join([*told, *more])
        ),
        tried=kept if stale else "Nothing could be kept of them: the rules with mistakes are not in force at all.",
        following="They are loaded as soon as they are written again. All other rules are in force.",
        to_do="Correct them.",
        since=now,
        command=command("rules", "check"),
    )


def of_rules_well(now: datetime) -> Story:
    return Story(
        subject="rules",
        event=AlertEvent.RECOVERED,
        severity=Severity.MEDIUM,
        symptom="the rule files had mistakes",
        outcome="they load again",
        need="",
        broke="Rule files had mistakes; they were corrected.",
        tried="All of them were loaded again.",
        following="Nothing, it is over: what they say is in force.",
        to_do="Nothing.",
        since=now,
        command=command("rules", "list"),
        over=True,
    )


def of_trust(change: TrustChange) -> Story:
    """A proposal, or a level that was taken away."""
    rule, why = said(change.rule_id, 80), said(change.why)
    proposed = change.kind is TrustChangeKind.PROPOSED
    if proposed:
        outcome, need = f"it has earned mode {change.after}", "decide on its mode"
        broke = f"Nothing. The fix of {rule} has earned mode {change.after}: {why}"
        following = f"Nothing, until you decide: it stays in mode {change.before}"
        to_do = "Raise it (logmedic trust raise), or turn the proposal down (logmedic trust keep)."
    else:
        outcome, need = f"back in mode {change.after}", "see what it did"
        broke = f"The fix of {rule} is in mode {change.after} by now, not in mode {change.before} any more: {why}"
        following = "Each further run waits for your approval"
        to_do = "See what it did, and whether it is still the right fix."
    shown = command("trust", "show", change.rule_id) if proposed else command("fixes", "--rule", change.rule_id)
    return Story(
        subject=f"trust:{change.rule_id}",
        event=AlertEvent.TRUST,
        severity=Severity.MEDIUM,
        symptom=f"the fix of {rule}",
        outcome=outcome,
        need=need,
        broke=sentence(broke),
        tried="Nothing: this is about what the fix may do from now on.",
        following=sentence(following),
        to_do=to_do,
        since=change.at,
        command=shown,
        rule=change.rule_id,
    )


# -- the daemon itself -------------------------------------------------------------------------------------------------


def of_ailing(part: str, event: AlertEvent, what: str, to_do: str, to_type: str, now: datetime) -> Story:
    """`part` of the daemon wants people; `what` and `to_do` are sentences, `to_type` is one line for a shell."""
    severity, symptom, need = _ailment(part, event)
    return Story(
        subject=_subject_of(part, event),
        event=event,
        severity=severity,
        symptom=symptom,
        outcome=said(what.rstrip("."), 60),
        need=need,
        broke=sentence(f"{symptom}: {said(what, 400)}"),
        tried="Nothing that helped.",
        following=_GOES_ON.get(event, "Nothing by itself."),
        to_do=sentence(said(to_do, 400)) or "Look at what it says of itself.",
        since=now,
        command=said(to_type, 300) or command("status"),
    )


def of_well_again(part: str, event: AlertEvent, lasted: timedelta, now: datetime) -> Story:
    """`event`: what it was."""
    severity, symptom, _ = _ailment(part, event)
    return Story(
        subject=_subject_of(part, event),
        event=AlertEvent.RECOVERED,
        severity=severity,
        symptom=symptom,
        outcome=f"well again after {span_text(lasted)}",
        need="",
        broke=sentences(symptom, f"That was so for {span_text(lasted)}"),
        tried="Nothing.",
        following="Nothing, it is over.",
        to_do="Nothing.",
        since=now - lasted,
        command=command("status"),
        over=True,
    )


def _ailment(part: str, event: AlertEvent) -> tuple[Severity, str, str]:
    """How bad it is, and a few words each for it and for what it needs."""
    name = said(part, 60)
    match event:
        case AlertEvent.DISARMED:
            return Severity.HIGH, "fixes cannot run", "let them run again"
        case AlertEvent.STORE:
            return Severity.CRITICAL, "the store is in trouble", "look at the store"
        case AlertEvent.RECEIVER_DEAD:
            return Severity.HIGH, f"messages to {name} do not arrive", "mend that receiver"
        case AlertEvent.PART_FAILED:
            return Severity.HIGH, f"the part `{name}` fails", "look at its error"
        case AlertEvent.DAEMON_FAILED:
            return Severity.CRITICAL, "logmedic does not run", "start it again"
        case _:
            return Severity.HIGH, f"logmedic: {name}", "look at logmedic"


def _subject_of(part: str, event: AlertEvent) -> str:
    """A receiver that cannot be used is news of that receiver, whoever noticed it."""
    return f"receiver:{part}" if event is AlertEvent.RECEIVER_DEAD else f"daemon:{part}"


def of_test(now: datetime) -> Story:
    return Story(
        subject="test",
        event=AlertEvent.TEST,
        severity=Severity.LOW,
        symptom="messages arrive here",
        outcome="nothing is broken",
        need="",
        broke="Nothing: this is a test. Somebody wanted to know whether messages arrive here.",
        tried="To reach you, and it worked.",
        following="Nothing.",
        to_do="Nothing.",
        since=now,
        command=command("status"),
        over=True,
    )
