"""Who is told, when, again, and through whom else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from builders import RULE, START, Bench, match, observed, policy, unknown
from logmedic.core.confidence import begun
from logmedic.core.outbox import MAX_PENDING
from logmedic.model.alert import AlertStatus, Delivery
from logmedic.model.changeset import Delivered, Send, Started, TestAlert, Tick
from logmedic.model.issue import IssueStatus, PatternType, Resolution
from logmedic.model.rule import AlertEvent
from logmedic.model.severity import Severity

NO_FIX = replace(RULE, fix=None)
DOWN = Delivery(False, "connection refused")


def sends(bench: Bench) -> list[Send]:
    return [each for each in bench.intents if isinstance(each, Send)]


def test_an_incident_without_a_fix_is_told_once() -> None:
    bench = Bench(policy(NO_FIX))
    for _ in range(10):
        bench.matched(1, rule=NO_FIX)
    assert [each.alert.event for each in sends(bench)] == [AlertEvent.OPENED]


def test_a_message_answers_the_four_questions_and_carries_its_id() -> None:
    bench = Bench(policy(replace(NO_FIX, runbook="https://wiki.example/web")))
    bench.matched(rule=NO_FIX)
    alert = sends(bench)[0].alert
    for part in ("What broke: web is down", "What was tried:", "Did it work:", "What is needed:", alert.id, "/web"):
        assert part in alert.body


def test_a_failed_delivery_is_tried_again_later_and_later() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    alert_id = sends(bench)[0].alert.id
    waits = []
    for _ in range(4):
        bench.give(Delivered(alert_id, DOWN))
        waits.append((bench.state.alerts[alert_id].next_at - bench.now).total_seconds())
        bench.give(Tick(), after=waits[-1])
    assert all(1.5 <= later / sooner <= 3.5 for sooner, later in pairwise(waits))
    bench.give(Delivered(alert_id, Delivery(True)))
    assert alert_id not in bench.state.alerts


def test_when_the_first_is_down_the_next_in_line_is_used_once() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    alert_id = sends(bench)[0].alert.id
    for _ in range(5):
        bench.give(Delivered(alert_id, DOWN))
    fallback = [each.alert for each in sends(bench) if each.alert.fallback_of]
    assert [(each.receiver, each.fallback_of) for each in fallback] == [("mail", alert_id)]
    lessons = [each.pattern_type for changeset in bench.all for each in changeset.learnings]
    assert lessons == [PatternType.GRACEFUL_DEGRADATION]


def test_f69_a_receiver_that_refuses_for_good_is_given_up_and_the_next_used() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    alert_id = sends(bench)[0].alert.id
    bench.give(Delivered(alert_id, Delivery(False, "410 gone", permanent=True)))
    assert alert_id not in bench.state.alerts
    assert [each.alert.receiver for each in sends(bench)] == ["chat", "mail"]
    assert bench.tally("alerts_dead") == 1


def test_f69_retry_after_is_honoured() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    alert_id = sends(bench)[0].alert.id
    bench.give(Delivered(alert_id, Delivery(False, "429", retry_after_s=90)))
    assert bench.state.alerts[alert_id].next_at == bench.now + timedelta(seconds=90)


def test_f67_what_was_being_sent_at_a_stop_is_sent_again_with_its_id() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    first = sends(bench)[0].alert
    changeset = bench.give(Started())
    assert [each.id for each in bench.new] == [first.id]


def test_waiting_messages_are_bounded_and_what_is_dropped_is_counted() -> None:
    bench = Bench(policy(NO_FIX))
    for n in range(MAX_PENDING + 3):
        bench.matched(rule=NO_FIX, group=str(n))
    assert len(bench.state.alerts) == MAX_PENDING
    assert bench.tally("alerts_dropped") == 3


def test_f75_who_was_told_of_a_problem_is_told_of_its_end() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    bench.give(Tick(), after=901)
    assert [each.alert.event for each in sends(bench)] == [AlertEvent.OPENED, AlertEvent.RECOVERED]


def test_people_are_reminded_only_when_the_rule_says_so() -> None:
    rule = replace(NO_FIX, alert=replace(NO_FIX.alert, repeat_every=timedelta(minutes=5)))
    bench = Bench(policy(rule, resolve_after=timedelta(days=1)))
    bench.matched(rule=rule)
    bench.give(Tick(), after=299)
    assert len(sends(bench)) == 1
    bench.give(Tick(), after=2)
    assert len(sends(bench)) == 2


def test_nobody_to_tell_is_counted() -> None:
    bench = Bench(policy(replace(NO_FIX, alert=replace(NO_FIX.alert, routes=("nobody",)))))
    bench.matched()
    assert bench.tally("alerts_without_receiver") == 1


def test_a_test_message_goes_to_every_route() -> None:
    bench = Bench(policy())
    bench.give(TestAlert())
    assert [each.alert.event for each in sends(bench)] == [AlertEvent.TEST]


@pytest.mark.parametrize(
    ("trace", "production", "critical", "wanted"),
    [(0, 0, 0, 0.5), (1, 0, 0, 0.7), (0, 1, 0, 0.6), (0, 0, 1, 0.7), (1, 1, 1, 1.0), (1, 1, 0, 0.8)],
)
def test_confidence_grows_with_what_is_known(trace: int, production: int, critical: int, wanted: float) -> None:
    assert begun(trace=bool(trace), production=bool(production), critical=bool(critical)) == wanted


def test_an_unknown_error_is_learned_promoted_at_3_and_escalated_at_10_100() -> None:
    bench = Bench(policy())
    promoted_at = escalated_at = None
    escalations = []
    for n in range(1, 251):
        changeset = bench.give(observed(unknown(bench.now)), after=1)
        if changeset.issues and promoted_at is None:
            promoted_at = n
        escalations += [n for each in changeset.learnings if each.pattern_type is PatternType.ISSUE_ESCALATION]
    assert escalated_at is None
    assert promoted_at == 3
    assert escalations == [10, 100]
    (issue,) = bench.state.issues.values()
    assert (issue.occurrences, issue.issue_type, issue.tags) == (250, "recurring_error", ("auto_detected", "shop"))
    assert issue.severity is Severity.HIGH
    assert [each.alert.event for each in sends(bench)] == [AlertEvent.ESCALATED] * 2


def test_a_storm_in_one_block_counts_every_line_and_calls_once() -> None:
    bench = Bench(policy())
    bench.give(observed(*(unknown() for _ in range(60))))
    assert bench.state.issues["learned:" + "f" * 16].occurrences == 60
    assert len(sends(bench)) == 1
    assert bench.tally("unknown") == 60


def test_a_muted_issue_counts_and_calls_nobody() -> None:
    bench = Bench(policy())
    bench.give(observed(*(unknown() for _ in range(3))))
    (issue,) = bench.state.issues.values()
    bench.state.issues[issue.fingerprint] = replace(issue, status=IssueStatus.MUTED)
    bench.give(observed(*(unknown() for _ in range(50))))
    assert sends(bench) == []


def test_alerts_that_are_over_leave_the_state() -> None:
    bench = Bench(policy(NO_FIX))
    bench.matched(rule=NO_FIX)
    alert = sends(bench)[0].alert
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
    assert len([each for each in bench.intents if isinstance(each, Send)]) == 1
    bench.give(Tick(), after=15 * 60)
    assert bench.incident().resolution is Resolution.QUIET
