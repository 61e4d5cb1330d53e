"""One execution of a fix: started, tried again, verified, given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import (
    FIX,
    OK,
    PROBE,
    RULE,
    START,
    STEP,
    Bench,
    breaker_of,
    checkpoint,
    match,
    observed,
    policy,
    threshold,
    with_fix,
)
from logmedic.core.decide import due
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import (
    Approve,
    CheckPurpose,
    ChecksFinished,
    ProbesFinished,
    Reject,
    RunChecks,
    RunProbes,
    RunStep,
    Send,
    Started,
    StepFinished,
    Tick,
)
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import Arming, AttemptStatus, FixResult, ProbeResult, Verdict
from logmedic.model.issue import HoldReason, IncidentStatus, IssueStatus, PatternType, Resolution
from logmedic.model.rule import Limits, Mode, Rule, Verify
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.severity import Severity
from logmedic.model.step import Command, Retry, UnitJob, UnitVerb

EXIT_1 = FixResult(1, 0.1, "no such file", sandbox="bubblewrap")
HTTP_200 = ProbeResult(True, "http 200")
NOT_PASSED = ProbeResult(False, "http answered 502, wanted 200")
UNKNOWN = ProbeResult(None, "there is no service manager here")


def fail_once(bench: Bench, after: float = 0.0) -> None:
    bench.matched(after)
    bench.give(StepFinished(bench.attempt_id, EXIT_1))


def test_a_match_starts_the_fix_and_commits_its_attempt_first() -> None:
    bench = Bench(policy())
    changeset = bench.matched()
    (intent,) = changeset.intents
    assert isinstance(intent, RunStep)
    assert changeset.attempts == (intent.attempt,)
    assert intent.attempt.status is AttemptStatus.RUNNING
    assert bench.incident().status is IncidentStatus.FIXING


def test_the_checkpoint_is_in_the_changeset_of_its_lines() -> None:
    bench = Bench(policy())
    changeset = bench.give(observed(match(), at=checkpoint(17)))
    assert changeset.checkpoints == (checkpoint(17),)
    assert changeset.issues[0].occurrences == 1


def test_matches_below_the_threshold_only_count() -> None:
    rule = replace(RULE, when=threshold(3))
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    bench.matched(1, rule=rule)
    assert bench.intents == []
    bench.matched(1, rule=rule)
    assert bench.incident().occurrences == 3
    assert bench.state.windows == {}


def test_matches_too_far_apart_never_trigger() -> None:
    rule = replace(RULE, when=threshold(2, seconds=10))
    bench = Bench(policy(rule))
    for _ in range(5):
        bench.matched(11, rule=rule)
    assert bench.intents == []


def test_groups_count_apart_and_have_an_incident_each() -> None:
    rule = replace(RULE, when=threshold(2), fix=None)
    bench = Bench(policy(rule))
    for group in ("a", "b", "a", "c"):
        bench.matched(1, rule=rule, group=group)
    assert [each.group_key for each in bench.state.incidents.values()] == ["a"]


def test_further_matches_of_an_open_incident_start_nothing_more() -> None:
    bench = Bench(policy())
    for _ in range(5):
        bench.matched(1)
    assert len(bench.intents) == 1
    assert bench.incident().occurrences == 5
    assert bench.state.issues["rule:web-down"].occurrences == 5


def test_a_probe_that_passes_proves_the_fix() -> None:
    bench = Bench(policy())
    bench.matched()
    changeset = bench.give(StepFinished(bench.attempt_id, OK))
    assert changeset.intents == (RunProbes(bench.attempt_id, (PROBE,)),)
    changeset = bench.give(ProbesFinished(bench.attempt_id, HTTP_200), after=4)
    incident = bench.incident()
    assert (incident.status, incident.resolution) == (IncidentStatus.RESOLVED, Resolution.FIXED)
    issue = bench.state.issues["rule:web-down"]
    assert issue.status is IssueStatus.RESOLVED
    assert issue.resolved_at == bench.now
    assert "http 200" in issue.resolution_notes
    (learned,) = changeset.learnings
    assert (learned.pattern_type, learned.confidence) == (PatternType.AUTO_FIX_SUCCESS, 1.0)
    assert changeset.attempts[0].verdict is Verdict.FIXED


def test_f59_a_fix_that_exits_0_and_does_not_help_is_not_fixed() -> None:
    bench = Bench(policy())
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK))
    changeset = bench.give(ProbesFinished(bench.attempt_id, NOT_PASSED))
    assert changeset.attempts[0].verdict is Verdict.NOT_FIXED
    assert bench.incident().status is IncidentStatus.FAILED
    failure = [each for each in changeset.learnings if each.pattern_type is PatternType.AUTO_FIX_FAILURE]
    assert [each.confidence for each in failure] == [0.5]


def test_a_match_after_it_was_resolved_is_a_regression() -> None:
    bench = Bench(policy())
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(ProbesFinished(bench.attempt_id, HTTP_200))
    changeset = bench.matched(60)
    assert bench.state.issues["rule:web-down"].status is IssueStatus.REGRESSED
    assert [each.pattern_type for each in changeset.learnings] == [PatternType.REGRESSION]


def test_a_step_that_fails_is_tried_again_later_and_later() -> None:
    retry = Retry(attempts=4, base=timedelta(seconds=1), max=timedelta(seconds=3))
    bench = Bench(policy(with_fix(steps=(replace(STEP, retry=retry),))))
    bench.matched()
    waits = []
    for _ in range(3):
        bench.give(StepFinished(bench.attempt_id, EXIT_1))
        incident = bench.incident()
        assert incident.status is IncidentStatus.RETRYING
        assert incident.due_at is not None
        waits.append((incident.due_at - bench.now).total_seconds())
        bench.give(Tick(), after=waits[-1])
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    assert [round(wait / usual) for wait, usual in zip(waits, (1, 2, 3), strict=True)] == [1, 1, 1]
    assert all(0.75 * usual <= wait <= 1.25 * usual for wait, usual in zip(waits, (1, 2, 3), strict=True))
    assert bench.incident().status is IncidentStatus.FAILED


def test_the_next_rung_runs_when_the_first_did_not_hold() -> None:
    second = replace(STEP, name="fail over", action=Command(("/usr/bin/false",)))
    bench = Bench(policy(with_fix(steps=(STEP, second))))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK))
    changeset = bench.give(ProbesFinished(bench.attempt_id, NOT_PASSED))
    (intent,) = changeset.intents
    assert isinstance(intent, RunStep)
    assert intent.step.name == "fail over"


def test_captures_fill_the_argv_and_nothing_else_does() -> None:
    rule = with_fix(steps=(replace(STEP, action=Command(("/usr/bin/touch", "{path}", "{{literal}"))),))
    bench = Bench(policy(rule))
    bench.give(observed(match(rule, path="/srv/x")))
    (intent,) = bench.intents
    assert isinstance(intent, RunStep)
    assert intent.attempt.argv[:2] == ("/usr/bin/touch", "/srv/x")


def test_the_breaker_opens_at_its_limit_and_becomes_a_known_issue() -> None:
    bench = Bench(policy())
    fail_once(bench)
    assert breaker_of(bench.state).status is BreakerStatus.CLOSED
    fail_once(bench, after=11)
    assert breaker_of(bench.state).status is BreakerStatus.OPEN
    issue = bench.state.issues["breaker:web-down"]
    assert (issue.issue_type, issue.severity) == ("circuit_breaker_open", Severity.HIGH)
    assert bench.state.issues["rule:web-down"].severity is Severity.HIGH
    runs = len([each for each in bench.intents if isinstance(each, RunStep)])
    for _ in range(20):
        bench.matched(30)
    assert len([each for each in bench.intents if isinstance(each, RunStep)]) == runs


def open_breaker() -> Bench:
    bench = Bench(policy())
    fail_once(bench)
    fail_once(bench, after=11)
    return bench


def test_a_trial_that_works_closes_the_breaker() -> None:
    bench = open_breaker()
    bench.matched(1799)
    changeset = bench.give(Tick(), after=2)
    assert breaker_of(bench.state).status is BreakerStatus.HALF_OPEN
    assert [type(each) for each in changeset.intents] == [RunStep]
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(ProbesFinished(bench.attempt_id, HTTP_200))
    assert breaker_of(bench.state).status is BreakerStatus.CLOSED
    assert bench.state.issues["breaker:web-down"].status is IssueStatus.RESOLVED
    assert [each.event for each in bench.new] == [AlertEvent.RECOVERED]


def test_a_trial_that_fails_opens_it_again_at_once() -> None:
    bench = open_breaker()
    bench.matched(1799)
    bench.give(Tick(), after=2)
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    breaker = breaker_of(bench.state)
    assert (breaker.status, breaker.opens) == (BreakerStatus.OPEN, 2)


def test_no_trial_without_a_match_since_the_last_fix() -> None:
    bench = open_breaker()
    for _ in range(3):
        assert not any(isinstance(each, RunStep) for each in bench.give(Tick(), after=1900).intents)


def test_quiet_means_that_the_rule_stays_silent() -> None:
    rule = with_fix(verify=Verify((PROBE,), timedelta(seconds=60)))
    bench = Bench(policy(rule))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(ProbesFinished(bench.attempt_id, HTTP_200))
    assert bench.incident().status is IncidentStatus.SETTLING
    assert due(bench.state, bench.policy) == bench.now + timedelta(seconds=60)
    bench.give(Tick(), after=61)
    assert bench.incident().resolution is Resolution.FIXED


def test_a_match_inside_the_quiet_time_is_not_fixed() -> None:
    rule = with_fix(verify=Verify((PROBE,), timedelta(seconds=60)))
    bench = Bench(policy(rule))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(ProbesFinished(bench.attempt_id, HTTP_200))
    bench.matched(5)
    assert bench.incident().status is IncidentStatus.FAILED


def test_a_late_line_from_before_the_fix_does_not_spoil_the_quiet_time() -> None:
    rule = with_fix(verify=Verify((), timedelta(seconds=60)))
    bench = Bench(policy(rule))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK), after=3)
    bench.give(observed(match(rule, START + timedelta(seconds=1))), after=1)
    assert bench.incident().status is IncidentStatus.SETTLING


@pytest.mark.parametrize(
    ("changes", "rule", "wanted"),
    [
        ({"mode": Mode.OBSERVE}, RULE, HoldReason.OBSERVE),
        ({}, with_fix(mode=Mode.OBSERVE), HoldReason.OBSERVE),
        ({"mode": Mode.APPROVE}, RULE, HoldReason.AWAITING_APPROVAL),
        ({"arming": Arming(False, "", "no bwrap")}, RULE, HoldReason.DISARMED),
        ({}, with_fix(steps=(replace(STEP, action=UnitJob(UnitVerb.RESTART, "a.service")),)), HoldReason.DISARMED),
        ({}, with_fix(steps=(replace(STEP, sandbox=SandboxSpec(SandboxKind.NONE)),)), HoldReason.DISARMED),
        ({"host_max_per_hour": 0}, RULE, HoldReason.BUDGET),
        ({"max_running": 0}, RULE, HoldReason.BUSY),
        ({"max_age": timedelta(seconds=-1)}, RULE, HoldReason.STALE),
        ({}, with_fix(limits=Limits(min_uptime=timedelta(hours=2))), HoldReason.WARMING_UP),
        ({}, replace(RULE, fix=None), HoldReason.NO_FIX),
    ],
    ids=lambda value: value.value if isinstance(value, HoldReason) else "",
)
def test_each_hold_is_recorded_and_nothing_runs(changes: dict[str, object], rule: Rule, wanted: HoldReason) -> None:
    bench = Bench(policy(rule, **changes))
    bench.matched(rule=rule)
    assert bench.incident().hold is wanted
    assert not any(isinstance(each, RunStep) for each in bench.intents)
    assert bench.tally(f"held_{wanted}") == 1


def test_f61_without_a_sandbox_nothing_runs_and_people_hear_why() -> None:
    bench = Bench(policy(arming=Arming(False, "", "bwrap is missing; type: apt-get install bubblewrap")))
    bench.matched()
    (send,) = bench.intents
    assert isinstance(send, Send)
    assert "apt-get install bubblewrap" in send.alert.body


def test_f63_fixes_of_one_target_never_run_together() -> None:
    other = replace(RULE, id="web-slow", fix=replace(FIX, limits=Limits(one_at_a_time="web")))
    first = replace(RULE, fix=replace(FIX, limits=Limits(one_at_a_time="web")))
    bench = Bench(policy(first, other))
    bench.matched(rule=first)
    bench.matched(rule=other)
    assert bench.incident().hold is HoldReason.BUSY
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(ProbesFinished(bench.attempt_id, HTTP_200))
    changeset = bench.give(Tick(), after=1)
    assert [each.attempt.rule_id for each in changeset.intents if isinstance(each, RunStep)] == ["web-slow"]


def test_an_hour_limit_holds_across_incidents() -> None:
    rule = with_fix(limits=Limits(cooldown=timedelta(0), max_per_hour=2))
    bench = Bench(policy(rule))
    for _ in range(4):
        bench.matched(60)
        if bench.incident().status is IncidentStatus.FIXING:
            bench.give(StepFinished(bench.attempt_id, OK))
            bench.give(ProbesFinished(bench.attempt_id, HTTP_200))
    assert len([each for each in bench.intents if isinstance(each, RunStep)]) == 2
    assert bench.incident().hold is HoldReason.BUDGET


def test_a_cooldown_ends_by_itself_and_the_fix_runs_then() -> None:
    bench = Bench(policy())
    fail_once(bench)
    bench.matched(2)
    assert len(bench.intents) == 2  # the step and the alert, no second step yet
    changeset = bench.give(Tick(), after=9)
    assert [type(each) for each in changeset.intents] == [RunStep]


def test_an_approval_runs_the_fix() -> None:
    bench = Bench(policy(mode=Mode.APPROVE))
    bench.matched()
    changeset = bench.give(Approve(bench.incident().id, "ann"))
    assert [type(each) for each in changeset.intents] == [RunChecks]
    assert "approved by ann" in [each.text for each in changeset.events]
    changeset = bench.give(ChecksFinished(bench.incident().id, ((CheckPurpose.STILL_THERE, NOT_PASSED),)))
    assert [type(each) for each in changeset.intents] == [RunStep]
    assert bench.incident().approved_by == "ann"


@pytest.mark.parametrize(("still", "runs"), [(HTTP_200, 0), (NOT_PASSED, 1), (UNKNOWN, 1)])
def test_f65_a_late_approval_runs_only_what_is_not_well_by_then(still: ProbeResult, runs: int) -> None:
    bench = Bench(policy(mode=Mode.APPROVE))
    bench.matched()
    bench.give(Approve(bench.incident().id, "ann"), after=1000)
    bench.give(ChecksFinished(bench.incident().id, ((CheckPurpose.STILL_THERE, still),)))
    assert len([each for each in bench.intents if isinstance(each, RunStep)]) == runs
    assert (bench.incident().resolution is Resolution.QUIET) is (runs == 0)


def test_f65_a_late_approval_of_a_fix_without_checks_is_stale() -> None:
    bench = Bench(policy(with_fix(verify=Verify((), timedelta(seconds=60))), mode=Mode.APPROVE))
    bench.matched()
    changeset = bench.give(Approve(bench.incident().id, "ann"), after=1000)
    assert changeset.intents == ()
    assert bench.incident().hold is HoldReason.STALE


@pytest.mark.parametrize("after", ["reject", "expire"])
def test_what_is_rejected_or_expired_never_runs(after: str) -> None:
    bench = Bench(policy(mode=Mode.APPROVE, resolve_after=timedelta(days=1)))
    bench.matched()
    incident_id = bench.incident().id
    bench.give(Reject(incident_id, "ann") if after == "reject" else Tick(), after=3600)
    assert bench.incident().hold is HoldReason.REJECTED
    assert bench.give(Approve(incident_id, "bob")).intents == ()


def test_f62_a_step_without_a_result_is_probed_and_not_run_again() -> None:
    bench = Bench(policy())
    bench.matched()
    attempt_id = bench.attempt_id
    changeset = bench.give(Started(), after=5)
    assert changeset.intents == (RunProbes(attempt_id, (PROBE,)),)
    bench.give(ProbesFinished(attempt_id, HTTP_200))
    assert bench.incident().resolution is Resolution.FIXED
    assert bench.tally("attempts_unknown") == 1


def test_a_result_for_an_attempt_that_is_over_changes_nothing() -> None:
    bench = Bench(policy())
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    assert bench.incident().status is IncidentStatus.VERIFYING
    assert bench.tally("results_ignored") == 1


def test_an_incident_that_no_fix_ends_is_over_after_silence() -> None:
    bench = Bench(policy(mode=Mode.OBSERVE))
    bench.matched()
    bench.deliver()
    assert due(bench.state, bench.policy) == START + timedelta(minutes=15)
    bench.give(Tick(), after=901)
    assert bench.incident().resolution is Resolution.QUIET
    assert bench.state.incidents == {}


def test_a_rule_that_a_reload_removed_leaves_its_incident_open_and_harmless() -> None:
    bench = Bench(policy())
    bench.matched()
    attempt_id = bench.attempt_id
    bench.policy = replace(bench.policy, rules={})
    bench.give(StepFinished(attempt_id, OK))
    assert bench.incident().hold is HoldReason.NO_FIX
    assert bench.state.attempts[attempt_id].verdict is Verdict.UNKNOWN
