"""What waits for a person: nothing that does is missing, and what is first to be done stands first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import builders as make
from builders import START, Bench, match, observed, policy
from logmedic.core.needs import SHOWN, Facts, needs_of
from logmedic.model.alert import AlertPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Acknowledge, Ailing, Observed, PauseFixes, Quiet, ResolveIssue
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import Breaker
from logmedic.model.issue import HoldReason, IncidentStatus, IssueStatus, KnownIssue
from logmedic.model.need import Need, NeedKind
from logmedic.model.record import Findings
from logmedic.model.report import ReportKind
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState
from logmedic.model.trust import PauseOrigin, Trust

ASKING = replace(make.RULE, fix=replace(make.FIX, mode=Mode.APPROVE))


def of(bench: Bench, facts: Facts | None = None) -> list[Need]:
    return needs_of(bench.state, bench.policy, facts or Facts(), bench.now)[0]


def with_incident(**changes: object) -> Bench:
    bench = Bench(policy(ASKING))
    bench.give(observed(match(ASKING)))
    (incident,) = bench.state.incidents.values()
    bench.state.incidents[incident.id] = replace(incident, **changes)  # type: ignore[arg-type]
    return bench


def test_nothing_waits_where_nothing_happened() -> None:
    assert needs_of(EngineState(), policy(), Facts(), START) == ([], 0)


def test_a_fix_that_asks_is_shown_with_its_deadline_and_the_command_that_lets_it_run() -> None:
    bench = with_incident()
    (need,) = of(bench)
    (incident,) = bench.state.incidents.values()
    assert need.kind is NeedKind.APPROVAL
    assert need.until == incident.due_at
    assert need.incident == incident.id
    assert need.command == f"logmedic approve {incident.id[-8:]}"
    assert "restart it: /usr/bin/true" in need.detail


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"status": IncidentStatus.FAILED, "hold": HoldReason.COOLDOWN}, NeedKind.FIX_FAILED),
        ({"hold": HoldReason.OWN_CAUSE, "escalated": True}, NeedKind.INCIDENT),
    ],
    ids=["failed", "called"],
)
def test_an_incident_that_people_were_called_for_waits_for_them(changes: dict[str, object], kind: NeedKind) -> None:
    (need,) = of(with_incident(**changes))
    assert (need.kind, need.until) == (kind, None)


@pytest.mark.parametrize(
    "changes",
    [{"status": IncidentStatus.FIXING, "hold": None}, {"hold": HoldReason.COOLDOWN}, {"hold": HoldReason.OBSERVE}],
    ids=["at work", "cooling down", "observed"],
)
def test_what_goes_on_by_itself_waits_for_nobody(changes: dict[str, object]) -> None:
    assert of(with_incident(**changes)) == []


def test_what_somebody_takes_care_of_comes_last_and_says_who() -> None:
    bench = with_incident()
    bench.state.quiet_sources["shop"] = START
    (incident,) = bench.state.incidents.values()
    assert [each.kind for each in of(bench)] == [NeedKind.APPROVAL, NeedKind.SOURCE_QUIET]
    bench.give(Acknowledge(f"incident:{incident.id}", "ann"))
    assert [(each.kind, each.acked_by) for each in of(bench)] == [
        (NeedKind.SOURCE_QUIET, ""),
        (NeedKind.APPROVAL, "ann"),
    ]


def test_what_has_a_deadline_comes_before_what_is_worse() -> None:
    bench = with_incident(severity=Severity.LOW)
    facts = Facts(receivers={"chat": "404"}, receivers_total=1)
    assert [each.kind for each in of(bench, facts)] == [
        NeedKind.APPROVAL,
        NeedKind.UNREACHABLE,
        NeedKind.RECEIVER_DEAD,
    ]


def test_a_breaker_a_pause_and_a_proposal_wait() -> None:
    bench = Bench(policy())
    opened = Breaker("web-down", "f1", "app.service", status=BreakerStatus.OPEN, failures=3, opened_at=START)
    bench.state.breakers[opened.key] = opened
    bench.state.breakers["gone", "", ""] = replace(opened, rule_id="gone")
    bench.state.trust["web-down"] = Trust("web-down", Mode.APPROVE, Mode.APPROVE, START, proposed=Mode.AUTO, streak=5)
    bench.give(PauseFixes(PauseOrigin.OPERATOR, "ann", "a deploy", START + timedelta(hours=1)))
    found = {each.kind: each for each in of(bench)}
    assert set(found) == {NeedKind.BREAKER_OPEN, NeedKind.PAUSED, NeedKind.PROPOSAL}
    assert found[NeedKind.BREAKER_OPEN].target == "app.service"
    assert found[NeedKind.PAUSED].detail == "a deploy."
    assert found[NeedKind.PROPOSAL].detail == "5 verified successes in a row at approve."


def test_a_pause_that_is_over_waits_for_nobody() -> None:
    bench = Bench(policy())
    bench.give(PauseFixes(PauseOrigin.OPERATOR, "ann", until=START + timedelta(hours=1)))
    bench.now += timedelta(hours=1)
    assert of(bench) == []


def test_what_ails_the_daemon_waits_with_what_to_do() -> None:
    bench = Bench(policy())
    bench.give(Quiet("shop", START - timedelta(hours=1)))
    facts = Facts(
        problems=["web.yaml:3:5: unknown key"],
        stale=["web.yaml"],
        quarantined={"web-slow": "it takes too long"},
        ailing=[Ailing("fixes", AlertEvent.DISARMED, "bubblewrap is not installed", "Install it.", "logmedic status")],
        receivers={"chat": "404"},
        receivers_total=2,
    )
    found = {each.kind: each for each in of(bench, facts)}
    assert set(found) == {
        NeedKind.SOURCE_QUIET,
        NeedKind.REFUSED_RELOAD,
        NeedKind.QUARANTINED,
        NeedKind.DISARMED,
        NeedKind.RECEIVER_DEAD,
    }
    assert all(each.title and each.detail and each.to_do and each.command for each in found.values())


@pytest.mark.parametrize("alerts", [make.ONCALL, AlertPlan()], ids=["on call", "nobody"])
def test_an_error_that_keeps_coming_waits_for_a_rule_whether_or_not_anybody_is_told(alerts: AlertPlan) -> None:
    bench = Bench(policy(alerts=alerts))
    for second in range(12):
        bench.give(observed(make.unknown(at=START + timedelta(seconds=second))), after=1.0)
    (need,) = of(bench)
    assert need.kind is NeedKind.ISSUE
    assert need.issue in {each.id for each in bench.state.issues.values()}


def test_of_ten_thousand_the_first_are_shown_and_all_are_counted() -> None:
    bench = with_incident(status=IncidentStatus.FAILED, hold=None)
    (incident,) = bench.state.incidents.values()
    for number in range(10_000):
        severity = Severity.CRITICAL if number % 100 == 7 else Severity.LOW
        bench.state.incidents[f"n{number}"] = replace(incident, id=f"n{number}", severity=severity)
    shown, total = needs_of(bench.state, bench.policy, Facts(), bench.now)
    assert (len(shown), total) == (SHOWN, 10_001)
    assert {each.severity for each in shown[:100]} == {Severity.CRITICAL}


def test_what_an_application_goes_on_without_waits_for_nobody() -> None:
    bench = Bench(policy())
    told = make.report(kind=ReportKind.DEGRADED, name="recommendations")

    def degraded() -> KnownIssue:
        records = (make.report_record(told, bench.now + timedelta(seconds=60)),)
        bench.give(Observed("reports", "reports", Findings(reports=records), None), after=60)
        (issue,) = bench.state.issues.values()
        return issue

    bench.give(ResolveIssue(degraded().id, "ann"), after=1)
    assert degraded().status is IssueStatus.REGRESSED
    assert of(bench) == []
