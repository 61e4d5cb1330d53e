"""News of every kind about things that did not happen: what templates and receivers are tried with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from logmedic.core import ownstories, stories
from logmedic.core.targets import would_run
from logmedic.model.alertevent import AlertEvent
from logmedic.model.fix import AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import (
    HoldReason,
    Incident,
    IncidentStatus,
    IssueSource,
    KnownIssue,
    Resolution,
    Template,
)
from logmedic.model.match import MatchSpec
from logmedic.model.message import MessageKind, Story
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.severity import Severity
from logmedic.model.step import Step, UnitJob, UnitVerb
from logmedic.model.trust import TrustChange, TrustChangeKind

ID = "00000000-0000-7000-8000-000000005a3e"
"""Of the incident and the issue that are none."""
_LINE = (
    "2026/11/24 03:12:41 [error] 611#611: *9 connect() failed (111: Connection refused) while connecting to upstream, "
    'upstream: "http://10.0.0.12:8080/"'
)
_RULE = Rule(
    id="sample-upstream-down",
    title="the shop does not answer ({upstream})",
    match=MatchSpec(("connect",)),
    severity=Severity.HIGH,
    description="The web server cannot reach the program behind it.",
    resolution="See why the program does not run, and start it again.",
    tags=("sample", "web"),
    runbook="https://wiki.example/runbooks/shop",
    service="sample",
    fix=Fix(Mode.AUTO, (Step("restart the shop", UnitJob(UnitVerb.RESTART, "shop.service")),)),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """`incident`: that of the story, if it is of one; `tags`, `labels`: of the news."""

    story: Story
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    incident: Incident | None = None
    kind: MessageKind = MessageKind.NEWS


def sample(event: AlertEvent, now: datetime) -> Sample:
    incident = _incident(event, now)
    if incident is None:
        return Sample(_other(event, now))
    held = event in (AlertEvent.HELD, AlertEvent.APPROVAL_NEEDED)
    would = tuple(would_run(_RULE, incident.captures)) if held else ()
    likely = ("Likely cause: the disk of db1 is full, open since 02:58 UTC",)
    story = stories.of_incident(incident, _RULE, event, _attempts(incident, event, now), likely, would)
    labels = {**incident.captures, "rule": _RULE.id, "service": _RULE.service, "source": incident.source}
    kind = MessageKind.DIGEST if event is AlertEvent.DIGEST else MessageKind.NEWS
    return Sample(story, _RULE.tags, labels, incident, kind)


def _incident(event: AlertEvent, now: datetime) -> Incident | None:
    """None for news that is of none."""
    opened = now - timedelta(minutes=4)
    plain = Incident(
        id=ID,
        issue_id=ID,
        rule_id=_RULE.id,
        group_key="10.0.0.12:8080",
        title="the shop does not answer (10.0.0.12:8080)",
        severity=_RULE.severity,
        opened_at=opened,
        last_match_at=now - timedelta(seconds=20),
        captures={"upstream": "10.0.0.12:8080"},
        source="nginx-error",
        evidence=_LINE,
        occurrences=17,
    )
    due = now + timedelta(minutes=26)
    failed = replace(plain, status=IncidentStatus.FAILED, acted=True, due_at=due)
    return {
        AlertEvent.OPENED: replace(plain, hold=HoldReason.NO_FIX),
        AlertEvent.HELD: replace(plain, hold=HoldReason.OBSERVE, hold_detail="the daemon's mode is observe"),
        AlertEvent.APPROVAL_NEEDED: replace(plain, hold=HoldReason.AWAITING_APPROVAL, due_at=due, fix="sample"),
        AlertEvent.FIX_FAILED: replace(failed, hold=HoldReason.COOLDOWN, escalated=True),
        AlertEvent.BREAKER_OPEN: replace(
            failed, hold=HoldReason.BREAKER_OPEN, hold_detail="it did not fix 3 times in a row", escalated=True
        ),
        AlertEvent.STILL_OPEN: replace(plain, status=IncidentStatus.VERIFYING, acted=True, due_at=due),
        AlertEvent.RECOVERED: replace(
            plain,
            status=IncidentStatus.RESOLVED,
            resolution=Resolution.FIXED,
            resolution_notes="'restart the shop' worked: GET http://10.0.0.12:8080/healthz answered 200",
            resolved_at=now,
            acted=True,
        ),
        AlertEvent.DIGEST: replace(plain, hold=HoldReason.NO_FIX),
    }.get(event)


def _attempts(incident: Incident, event: AlertEvent, now: datetime) -> list[FixAttempt]:
    if not incident.acted:
        return []
    worked = event is AlertEvent.RECOVERED
    return [
        FixAttempt(
            id=ID,
            incident_id=incident.id,
            rule_id=_RULE.id,
            group_key=incident.group_key,
            target="shop.service",
            step=0,
            step_name="restart the shop",
            try_no=1,
            argv=("restart", "shop.service"),
            started_at=now - timedelta(minutes=3),
            sandbox="service manager",
            status=AttemptStatus.FINISHED,
            finished_at=now - timedelta(minutes=2),
            exit_code=0,
            duration_s=1.4,
            detail="" if worked else "GET http://10.0.0.12:8080/healthz: connection refused",
            verdict=None if event is AlertEvent.STILL_OPEN else Verdict.FIXED if worked else Verdict.NOT_FIXED,
            first=True,
        )
    ]


def _other(event: AlertEvent, now: datetime) -> Story:
    """Of no incident."""
    issue = KnownIssue(
        *(ID, IssueSource.LEARNED, "5a3e", "sample", "cannot write <*>: No space left on device", Severity.HIGH),
        first_seen=now - timedelta(hours=3),
        last_seen=now,
        occurrences=100,
        episodes=2,
        onset_at=now - timedelta(minutes=1),
    )
    line = "ERROR shop: cannot write /data/a: No space left on device"
    template = Template("5a3e", issue.title, "shop", line, 100, issue.first_seen, now, source="shop")
    match event:
        case AlertEvent.ESCALATED | AlertEvent.REGRESSED:
            return stories.of_learned(issue, event, "seen 100 times, and no rule knows it", template)
        case AlertEvent.FOREWARNED:
            said = "in 8 of 9 cases 'the shop does not answer' began within 10 minutes after it"
            return stories.of_warning(issue, [said])
        case AlertEvent.QUIET:
            return ownstories.of_quiet("nginx-error", now - timedelta(hours=1))
        case AlertEvent.QUARANTINED:
            why = "5 records took longer than they may"
            return ownstories.of_quarantined(_RULE.id, why, "/etc/logmedic/rules.d/sample.yaml", now)
        case AlertEvent.RULES_REFUSED:
            return ownstories.of_refused(
                ["/etc/logmedic/rules.d/sample.yaml:3:5: unknown key `no`"], ["sample.yaml"], now
            )
        case AlertEvent.TRUST:
            kind, why = TrustChangeKind.PROPOSED, "5 verified successes in a row"
            return ownstories.of_trust(TrustChange(ID, _RULE.id, now, kind, Mode.APPROVE, Mode.AUTO, "logmedic", why))
        case AlertEvent.TEST:
            return ownstories.of_test(now)
    return ownstories.of_ailing("sample", event, "This is a sample: nothing is wrong.", "Do nothing.", "", now)
