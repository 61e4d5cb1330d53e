"""A past with something of everything: what the questions of docs/questions.md are put to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptStatus, Breaker, FixAttempt, Verdict
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.issue import (
    HoldReason,
    Incident,
    IncidentEvent,
    IncidentStatus,
    IssueSource,
    IssueStatus,
    KnownIssue,
    Learning,
    PatternType,
    Resolution,
    Tally,
    Template,
)
from logmedic.model.learned import Onset, Release
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.trust import Earned, Pause, PauseOrigin, Trust, TrustChange, TrustChangeKind

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULES = ("web-down", "db-slow", "disk-full")


def history(now: datetime, days: int = 40, a_day: int = 3) -> Iterator[Changeset]:
    """A changeset a day, oldest first, then what stands now. Times are the same for the same `now`."""
    ids = (f"{number:08d}" for number in count(1))
    for ago in range(days, -1, -1):
        yield _day(now - ago * DAY, ids, a_day, ago)
    yield _standing(now, ids)


def _day(at: datetime, ids: Iterator[str], a_day: int, ago: int) -> Changeset:
    incidents, events, attempts, alerts, learnings, onsets = [], [], [], [], [], []
    for number in range(a_day):
        rule, opened = RULES[number % len(RULES)], at - timedelta(hours=5 + number // 3 % 17, minutes=number % 3)
        incident = _incident(next(ids), rule, opened, group=f"host{number % 4}", quiet=(ago + number) % 3 == 0)
        incidents.append(incident)
        onsets.append(Onset(incident.issue_id, opened))
        events.append(IncidentEvent(next(ids), incident.id, opened, "opened", f"{rule} was seen 5 times"))
        alerts.append(_alert(next(ids), incident, dead=ago % 9 == 0, receiver="mail" if number % 3 else "chat"))
        worked = incident.resolution is Resolution.FIXED
        attempts.append(_attempt(next(ids), incident, Verdict.FIXED if worked else Verdict.NOT_FIXED))
        kind = PatternType.AUTO_FIX_SUCCESS if worked else PatternType.AUTO_FIX_FAILURE
        about = {"rule": rule, "incident": incident.id, "issue": incident.issue_id}
        learnings.append(Learning(next(ids), kind, f"the fix of {rule}", 0.9, opened, about))
        if not worked:
            kind = PatternType.ISSUE_ESCALATION
            learnings.append(Learning(next(ids), kind, f"{rule} was seen 100 times", 1.0, opened, about))
    if ago % 10 == 0:
        about = {"issue": "issue-web-down", "version": "1.4.2"}
        learnings.append(Learning(next(ids), PatternType.REGRESSION, "web-down came back", 1.0, at, about))
        learnings.append(
            Learning(next(ids), PatternType.CIRCUIT_BREAKER_OPEN, "it opened", 1.0, at, {"rule": "db-slow"})
        )
    return Changeset(
        incidents=tuple(incidents),
        events=tuple(events),
        attempts=tuple(attempts),
        alerts=tuple(alerts),
        learnings=tuple(learnings),
        onsets=tuple(onsets),
        tallies=tuple(_tallies(at, a_day, ago)),
    )


def _tallies(at: datetime, a_day: int, ago: int) -> Iterator[Tally]:
    for hour in range(0, 24, 6):
        minute = (at - hour * HOUR).replace(second=0, microsecond=0)
        kinds = {"lines": 10_000 + ago, "matched": 5 * a_day + hour, "unknown": ago % 7, "incidents_opened": a_day}
        yield from (Tally(minute, kind, n) for kind, n in kinds.items() if n)


def _incident(incident_id: str, rule: str, opened: datetime, *, group: str, quiet: bool) -> Incident:
    resolution = Resolution.QUIET if quiet or rule == "disk-full" else Resolution.FIXED
    over = opened + timedelta(minutes=3 if resolution is Resolution.FIXED else 50)
    return Incident(
        incident_id,
        f"issue-{rule}",
        rule,
        group,
        f"{rule} on {group}",
        Severity.HIGH,
        opened,
        over,
        captures={"host": group},
        source="web",
        evidence=f"ERROR {rule} " + "x" * 300,
        status=IncidentStatus.RESOLVED,
        occurrences=5,
        resolved_at=over,
        resolution=resolution,
        resolution_notes="it works again",
    )


def _attempt(attempt_id: str, incident: Incident, verdict: Verdict) -> FixAttempt:
    return FixAttempt(
        attempt_id,
        incident.id,
        incident.rule_id,
        incident.group_key,
        incident.group_key,
        0,
        "restart it",
        1,
        ("/usr/bin/systemctl", "restart", incident.rule_id),
        incident.opened_at,
        "bubblewrap",
        AttemptStatus.FINISHED,
        incident.opened_at + timedelta(seconds=20),
        0 if verdict is Verdict.FIXED else 1,
        20.0,
        "restarted\n" * 20,
        "",
        verdict,
    )


def _alert(alert_id: str, incident: Incident, *, dead: bool, receiver: str) -> Alert:
    status = AlertStatus.DEAD if dead else AlertStatus.SENT
    return Alert(
        alert_id,
        incident.id,
        AlertEvent.FIX_FAILED,
        Severity.HIGH,
        "oncall",
        receiver,
        incident.title,
        "it needs you",
        incident.opened_at,
        incident.opened_at,
        status,
        tries=9 if dead else 1,
        sent_at=None if dead else incident.opened_at + timedelta(seconds=4),
        last_error="connection refused" if dead else "",
    )


def _standing(now: datetime, ids: Iterator[str]) -> Changeset:
    """What is known and open now."""
    open_one = Incident(
        next(ids),
        "issue-disk-full",
        "disk-full",
        "host9",
        "disk-full on host9",
        Severity.CRITICAL,
        now - 20 * DAY,
        now - HOUR,
        status=IncidentStatus.OPEN,
        hold=HoldReason.AWAITING_APPROVAL,
        hold_detail="approve it",
        occurrences=700,
    )
    return Changeset(
        issues=tuple(_issues(now)),
        incidents=(open_one,),
        events=(IncidentEvent(next(ids), open_one.id, open_one.opened_at, "opened", "the disk is full"),),
        templates=(
            Template("a" * 16, "ERROR cannot pay <n>", "shop", "ERROR cannot pay 1", 2, now - DAY, now - HOUR),
            Template("b" * 16, "ERROR boom <n>", "shop", "ERROR boom 1", 70, now - 3 * DAY, now, issue_id="issue-boom"),
        ),
        breakers=(
            Breaker(
                "db-slow",
                "f1",
                "db",
                status=BreakerStatus.OPEN,
                failures=3,
                opened_at=now - HOUR,
                open_until=now + HOUR,
                opens=4,
            ),
        ),
        trust=(
            Trust("web-down", Mode.APPROVE, Mode.OBSERVE, now - 9 * DAY, "ops", "it held all week", wins=5, streak=5),
            Trust("db-slow", Mode.APPROVE, Mode.AUTO, now - DAY, "logmedic", "1 of the last 5", losses=2),
        ),
        trust_changes=(
            TrustChange(
                *(next(ids), "web-down", now - 9 * DAY, TrustChangeKind.RAISED),
                *(Mode.OBSERVE, Mode.APPROVE, "ops", "it held all week"),
            ),
            TrustChange(
                *(next(ids), "db-slow", now - DAY, TrustChangeKind.LOWERED),
                *(Mode.AUTO, Mode.APPROVE, "logmedic", "1 of the last 5 executions fixed it"),
            ),
        ),
        earned=(
            Earned("web-down", "", 8.0, 1.0, now - DAY),
            Earned("web-down", "restart it", 6.0, 5.5, now - DAY),
            Earned("db-slow", "restart it", 4.0, 0.5, now - DAY),
        ),
        pauses=(Pause(PauseOrigin.OPERATOR, False, now - 3 * DAY, "ops", "a big release"),),
        releases=(Release("shop", "1.4.1", now - 30 * DAY), Release("shop", "1.4.2", now - 10 * DAY)),
        source_events=(
            SourceEvent(next(ids), now - DAY, "web", "/var/log/web.log", SourceEventKind.TRUNCATED, 4096, "emptied"),
            SourceEvent(next(ids), now - 2 * DAY, "shop", "", SourceEventKind.QUIET),
        ),
    )


def _issues(now: datetime) -> Iterator[KnownIssue]:
    for number, rule in enumerate(RULES):
        status = (IssueStatus.REGRESSED, IssueStatus.RESOLVED, IssueStatus.ESCALATING)[number]
        yield KnownIssue(
            f"issue-{rule}",
            IssueSource.RULE,
            f"rule:{rule}",
            rule,
            f"{rule} is seen",
            Severity.HIGH,
            now - 40 * DAY,
            now - HOUR,
            tags=("web", rule),
            status=status,
            occurrences=600 + number,
            usual=0.5,
            slot_count=7,
        )
    yield KnownIssue(
        "issue-boom",
        IssueSource.LEARNED,
        "b" * 16,
        "learned",
        "ERROR boom <n>",
        Severity.MEDIUM,
        now - 3 * DAY,
        now,
        occurrences=70,
        confidence=0.6,
        version="1.4.2",
        first_version="1.4.2",
    )
