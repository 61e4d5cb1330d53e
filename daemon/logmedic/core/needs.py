"""What waits for a person: of incidents and fixes, of what is learned, and of the daemon itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nsmallest

from logmedic.core import ownstories
from logmedic.core.alerting.chain import is_acked
from logmedic.core.phrases import said, sentence, sentences, several
from logmedic.core.shellwords import command, short
from logmedic.core.standing import standing_of
from logmedic.core.targets import would_run
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import FixAttempt
from logmedic.model.issue import (
    ALIVE,
    REPORTED,
    HoldReason,
    Incident,
    IncidentStatus,
    IssueSource,
    IssueStatus,
    KnownIssue,
)
from logmedic.model.message import Story
from logmedic.model.need import Need, NeedKind
from logmedic.model.policy import Policy
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState

SHOWN = 200
"""Of all needs, the first: a person does one after the other (I6)."""
_OF_AILING = {
    AlertEvent.DISARMED: NeedKind.DISARMED,
    AlertEvent.STORE: NeedKind.STORE,
    AlertEvent.PART_FAILED: NeedKind.PART_FAILED,
    AlertEvent.RECEIVER_DEAD: NeedKind.RECEIVER_DEAD,
}
_LONG_AGO, _NEVER = timedelta(days=36500), timedelta(days=36500)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the engine's state does not hold. `problems` and `stale`: of the rule files. `quarantined`: why, by rule id.
    `ailing`: what is wrong with the daemon itself. `receivers`: why each that does not work does not, by name, of
    `receivers_total`. `waiting`: how many messages are not told yet."""

    problems: Sequence[str] = ()
    stale: Sequence[str] = ()
    quarantined: Mapping[str, str] = field(default_factory=dict)
    ailing: Sequence[Ailing] = ()
    receivers: Mapping[str, str] = field(default_factory=dict)
    receivers_total: int = 0
    waiting: int = 0


def needs_of(state: EngineState, policy: Policy, facts: Facts, now: datetime) -> tuple[list[Need], int]:
    """The first SHOWN, and how many there are: what nobody takes care of before the rest, what has a time first, then
    by severity, the oldest first."""
    waiting = _waiting(state, policy, facts, now)
    first = nsmallest(SHOWN, waiting, key=lambda each: _rank(each, state, now))
    attempts = _attempts_of({each.id for each in first if isinstance(each, Incident)}, state.attempts.values())
    told = [
        _of_incident(each, policy, attempts.get(each.id, []), state, now) if isinstance(each, Incident) else each
        for each in first
    ]
    return told, len(waiting)


def count_of(state: EngineState, policy: Policy, facts: Facts, now: datetime) -> int:
    """How many there are: without a word about any of the incidents."""
    return len(_waiting(state, policy, facts, now))


def _waiting(state: EngineState, policy: Policy, facts: Facts, now: datetime) -> list[Incident | Need]:
    incidents = [each for each in state.incidents.values() if each.rule_id in policy.rules and wants_people(each)]
    others = [*_of_daemon(facts, now), *_of_fixes(state, policy, now), *_of_issues(state, now), *_of_sources(state)]
    return [*incidents, *others]


def wants_people(incident: Incident) -> bool:
    """Of one that is open."""
    awaited = incident.hold is HoldReason.AWAITING_APPROVAL and incident.status is IncidentStatus.OPEN
    failed = incident.status is IncidentStatus.FAILED
    return awaited or failed or (incident.escalated and incident.status is IncidentStatus.OPEN)


def _rank(each: Incident | Need, state: EngineState, now: datetime) -> tuple[bool, timedelta, int, timedelta]:
    if isinstance(each, Incident):
        acked = bool(_acked_by(f"incident:{each.id}", state, now))
        until, since = _due(each), each.opened_at
    else:
        acked, until, since = bool(each.acked_by), each.until, each.since or now
    ends = until is not None and _is_urgent(each)
    return acked, until - now if ends and until is not None else _NEVER, -each.severity.rank, since - now + _LONG_AGO


def _is_urgent(each: Incident | Need) -> bool:
    """Its time is one before which a person has to act."""
    return isinstance(each, Incident) or each.kind is NeedKind.APPROVAL


def _due(incident: Incident) -> datetime | None:
    return incident.due_at if incident.hold is HoldReason.AWAITING_APPROVAL else None


def _acked_by(subject: str, state: EngineState, now: datetime) -> str:
    notice = state.notices.get(subject)
    return notice.acked_by if notice is not None and not notice.over and is_acked(notice, now) else ""


def _attempts_of(wanted: set[str], attempts: Iterable[FixAttempt]) -> dict[str, list[FixAttempt]]:
    found: dict[str, list[FixAttempt]] = {}
    for each in sorted((one for one in attempts if one.incident_id in wanted), key=lambda one: one.id):
        found.setdefault(each.incident_id, []).append(each)
    return found


def _of_incident(
    incident: Incident, policy: Policy, attempts: Sequence[FixAttempt], state: EngineState, now: datetime
) -> Need:
    rule, kind = policy.rules[incident.rule_id], _kind_of(incident)
    stands = standing_of(incident, rule, attempts)
    steps = "; then ".join(would_run(rule, incident.captures)) if kind is NeedKind.APPROVAL else ""
    return Need(
        kind=kind,
        severity=incident.severity,
        title=said(incident.title),
        detail=sentences(_begun(stands.outcome), f"It runs {said(steps, 400)}" if steps else "", stands.following),
        to_do=stands.to_do,
        command=stands.command or command("show", short(incident.id)),
        since=incident.opened_at,
        until=_due(incident),
        incident=incident.id,
        rule=incident.rule_id,
        target=said(incident.target) if incident.target else "",
        acked_by=_acked_by(f"incident:{incident.id}", state, now),
    )


def _begun(outcome: str) -> str:
    return f"{outcome[:1].upper()}{outcome[1:]}"


def _kind_of(incident: Incident) -> NeedKind:
    if incident.hold is HoldReason.AWAITING_APPROVAL and incident.status is IncidentStatus.OPEN:
        return NeedKind.APPROVAL
    return NeedKind.FIX_FAILED if incident.status is IncidentStatus.FAILED else NeedKind.INCIDENT


# -- fixes -------------------------------------------------------------------------------------------------------------


def _of_fixes(state: EngineState, policy: Policy, now: datetime) -> Iterator[Need]:
    for each in state.breakers.values():
        if each.status is not BreakerStatus.CLOSED and each.rule_id in policy.rules:
            of = f" on {said(each.target)}" if each.target else ""
            yield Need(
                NeedKind.BREAKER_OPEN,
                policy.rules[each.rule_id].severity,
                f"the fix of {each.rule_id}{of} is held by its breaker",
                sentence(f"It failed {each.failures} times in a row" if each.failures else "It failed too often"),
                "Mend what makes it fail, then close the breaker. After its time one trial runs by itself.",
                command("breakers", "reset", each.rule_id),
                each.opened_at,
                each.open_until,
                rule=each.rule_id,
                target=each.target,
            )
    for trust in state.trust.values():
        if trust.proposed is not None and trust.rule_id in policy.rules:
            won = several(trust.streak, "verified success", "verified successes")
            yield Need(
                NeedKind.PROPOSAL,
                Severity.LOW,
                f"the fix of {trust.rule_id} has earned mode {trust.proposed}",
                sentence(f"{won} in a row at {trust.level}"),
                "Raise it, or keep it where it is.",
                command("trust", "raise", trust.rule_id, "--why", "WHY"),
                trust.since,
                rule=trust.rule_id,
            )
    for pause in state.pauses.values():
        if pause.on and (pause.until is None or now < pause.until):
            yield Need(
                NeedKind.PAUSED,
                Severity.HIGH,
                f"all fixes are paused by {said(pause.by)}",
                sentence(said(pause.why)) if pause.why else "",
                "Let them run again when the reason is gone.",
                command("resume"),
                pause.at,
                pause.until,
            )


# -- what is learned, sources ------------------------------------------------------------------------------------------


def _of_issues(state: EngineState, now: datetime) -> Iterator[Need]:
    """Learned ones that people were called for, and that go on."""
    for issue in state.issues.values():
        if issue.source is IssueSource.LEARNED and issue.status in ALIVE and _called_for(issue):
            yield Need(
                NeedKind.ISSUE,
                issue.severity,
                said(issue.title),
                sentence(f"No rule knows it. It was seen {several(issue.occurrences, 'time')}"),
                "Find out what it is; draft a rule for it, resolve it, or mute it.",
                command("learned", "show", short(issue.id)),
                issue.onset_at or issue.first_seen,
                issue=issue.id,
                acked_by=_acked_by(f"issue:{issue.id}", state, now),
            )


def _called_for(issue: KnownIssue) -> bool:
    """Nobody is called for what applications report of themselves: they go on."""
    if issue.fingerprint.startswith(REPORTED):
        return False
    return bool(issue.escalation_level or issue.rate_level or issue.status is IssueStatus.REGRESSED)


def _of_sources(state: EngineState) -> Iterator[Need]:
    for name, since in state.quiet_sources.items():
        yield _of_story(NeedKind.SOURCE_QUIET, ownstories.of_quiet(name, since))


# -- the daemon itself -------------------------------------------------------------------------------------------------


def _of_daemon(facts: Facts, now: datetime) -> Iterator[Need]:
    yield from (_of_ailing(each) for each in facts.ailing)
    yield from _of_receivers(facts)
    if facts.problems:
        yield _of_story(NeedKind.REFUSED_RELOAD, ownstories.of_refused(facts.problems, facts.stale, now))
    for rule_id, reason in sorted(facts.quarantined.items()):
        yield _of_story(NeedKind.QUARANTINED, ownstories.of_quarantined(rule_id, reason, "", now))


def _of_receivers(facts: Facts) -> Iterator[Need]:
    if 0 < facts.receivers_total == len(facts.receivers):
        yield Need(
            NeedKind.UNREACHABLE,
            Severity.CRITICAL,
            "nobody can be told: no receiver works",
            sentence(f"{several(facts.waiting, 'message')} waiting" if facts.waiting else "No message arrives"),
            "Mend one of them, and test it.",
            command("alerts", "test"),
        )
    for name, problem in sorted(facts.receivers.items()):
        yield Need(
            NeedKind.RECEIVER_DEAD,
            Severity.HIGH,
            f"receiver {said(name, 80)} does not work",
            sentence(said(problem)),
            "Correct it, then send it a test message.",
            command("alerts", "test", name),
            receiver=name,
        )


def _of_ailing(given: Ailing) -> Need:
    severity = Severity.CRITICAL if given.event is AlertEvent.STORE else Severity.HIGH
    title = "fixes are DISARMED" if given.event is AlertEvent.DISARMED else f"{given.part} of the daemon ails"
    return Need(_OF_AILING[given.event], severity, title, sentence(said(given.what)), given.to_do, given.command)


def _of_story(kind: NeedKind, story: Story) -> Need:
    told = sentences(story.broke, story.following)
    return Need(
        kind,
        story.severity,
        story.symptom,
        told,
        story.to_do,
        story.command,
        story.since if kind is NeedKind.SOURCE_QUIET else None,
        rule=story.rule,
        source=story.source,
    )
