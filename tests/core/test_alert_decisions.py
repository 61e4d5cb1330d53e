"""What people are told of, and how often: of incidents, and of what is learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import AT_ONCE, RULE, START, Bench, match, observed, policy, unknown
from logmedic.core.confidence import begun
from logmedic.model.alert import AlertPlan, AlertStatus, Delivery
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Delivered, Send, TestAlert, Tick
from logmedic.model.issue import IssueStatus, PatternType, Resolution
from logmedic.model.severity import Severity

NO_FIX = replace(RULE, fix=None)
DOWN = Delivery(False, "connection refused")


def test_an_incident_without_a_fix_is_told_once() -> None:
    bench = Bench(policy(NO_FIX))
    for _ in range(10):
        bench.matched(1, rule=NO_FIX)
    assert [each.event for each in bench.messages] == [AlertEvent.OPENED]


def test_a_message_answers_the_four_questions_and_carries_its_id() -> None:
    bench = Bench(policy(replace(NO_FIX, runbook="https://wiki.example/web")))
    bench.matched(rule=NO_FIX)
    (alert,) = bench.messages
    for part in ("What broke: web is down", "What I tried:", "What happens next:", "What you do:"):
        assert part in alert.body
    assert "https://wiki.example/web" in alert.body
    assert alert.body.splitlines()[-1] == f"alert {alert.id}"


def test_a_rule_may_say_itself_how_soon_people_are_reminded() -> None:
    rule = replace(NO_FIX, alert=replace(NO_FIX.alert, repeat_every=timedelta(minutes=5)))
    bench = Bench(policy(rule, resolve_after=timedelta(days=1)))
    bench.matched(rule=rule)
    bench.deliver()
    bench.give(Tick(), after=299)
    assert len(bench.messages) == 1
    bench.give(Tick(), after=2)
    assert [each.receiver for each in bench.new] == ["chat"]


def test_a_rule_may_say_that_nobody_is_reminded() -> None:
    route = replace(AT_ONCE, repeat_every=timedelta(hours=1))
    never = replace(NO_FIX, id="db-down", alert=replace(NO_FIX.alert, repeat_every=timedelta(0)))
    plan = AlertPlan({"oncall": route}, "oncall")
    bench = Bench(policy(NO_FIX, never, alerts=plan, resolve_after=timedelta(days=1)))
    for rule in (NO_FIX, never):
        bench.matched(rule=rule)
        bench.deliver()
    bench.give(Tick(), after=3601)
    (incident_id,) = bench.state.open_of_rule[NO_FIX.id].values()
    assert [each.tells for each in bench.new] == [(f"incident:{incident_id}",)]


def test_a_test_message_goes_to_each_receiver_that_is_asked_for_at_once() -> None:
    bench = Bench(policy())
    changeset = bench.give(TestAlert(("chat", "mail")))
    sends = [each.alert for each in changeset.intents if isinstance(each, Send)]
    assert [(each.receiver, each.event) for each in sends] == [("chat", AlertEvent.TEST), ("mail", AlertEvent.TEST)]


@pytest.mark.parametrize(
    ("trace", "production", "critical", "wanted"),
    [(0, 0, 0, 0.5), (1, 0, 0, 0.7), (0, 1, 0, 0.6), (0, 0, 1, 0.7), (1, 1, 1, 1.0), (1, 1, 0, 0.8)],
)
def test_confidence_grows_with_what_is_known(trace: int, production: int, critical: int, wanted: float) -> None:
    assert begun(trace=bool(trace), production=bool(production), critical=bool(critical)) == wanted


def test_an_unknown_error_is_learned_promoted_at_3_and_escalated_at_10_100() -> None:
    bench = Bench(policy())
    promoted_at = None
    escalations = []
    for n in range(1, 251):
        changeset = bench.give(observed(unknown(bench.now)), after=1)
        if changeset.issues and promoted_at is None:
            promoted_at = n
        escalations += [n for each in changeset.learnings if each.pattern_type is PatternType.ISSUE_ESCALATION]
    assert promoted_at == 3
    assert escalations == [10, 100]
    (issue,) = bench.state.issues.values()
    assert (issue.occurrences, issue.issue_type, issue.tags) == (250, "recurring_error", ("auto_detected", "shop"))
    assert issue.severity is Severity.HIGH
    assert [each.event for each in bench.messages] == [AlertEvent.ESCALATED] * 2


def test_a_storm_in_one_block_counts_every_line_and_calls_once() -> None:
    bench = Bench(policy())
    bench.give(observed(*(unknown() for _ in range(60))))
    assert bench.state.issues["learned:" + "f" * 16].occurrences == 60
    assert len(bench.messages) == 1
    assert bench.tally("unknown") == 60


def test_a_muted_issue_counts_and_calls_nobody() -> None:
    bench = Bench(policy())
    bench.give(observed(*(unknown() for _ in range(3))))
    (issue,) = bench.state.issues.values()
    bench.state.issues[issue.fingerprint] = replace(issue, status=IssueStatus.MUTED)
    bench.give(observed(*(unknown() for _ in range(50))))
    assert bench.messages == []


def test_alerts_that_are_over_leave_the_state() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    (alert,) = bench.messages
    assert bench.state.alerts[alert.id].status is AlertStatus.SENDING
    bench.give(Delivered(alert.id, Delivery(True)))
    assert bench.state.alerts == {}


def test_a_backlog_opens_one_incident_and_tells_of_it_once() -> None:
    rule = replace(RULE, fix=None)
    bench = Bench(policy(rule))
    for n in range(20):
        old = START - timedelta(days=3) + timedelta(seconds=n)
        bench.give(observed(match(rule, old)), after=1)
        bench.give(Tick(), after=1)
    assert bench.tally("incidents_opened") == 1
    assert len(bench.messages) == 1
    bench.give(Tick(), after=15 * 60)
    assert bench.incident().resolution is Resolution.QUIET
