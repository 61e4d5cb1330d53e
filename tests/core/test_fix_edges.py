"""Fixes where two things meet: a reload, a restart, a pause or a late answer in the middle of an execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import FAILED, FIX, PASSED, RULE, START, STEP, Bench, breaker_of, match, observed, policy, with_fix
from logmedic.core.backtest import replayed, with_causes
from logmedic.core.foretell import foretell, sentences
from logmedic.core.remedy import WATCHED
from logmedic.core.ruletest import run_test
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import (
    Approve,
    Changeset,
    CheckPurpose,
    ChecksFinished,
    PauseFixes,
    ProbesFinished,
    Reloaded,
    ResetBreaker,
    ResumeFixes,
    RunChecks,
    RunStep,
    Send,
    SetTrust,
    Started,
    Tick,
)
from logmedic.model.circuit import BreakerSpec
from logmedic.model.fix import AttemptStatus, FixResult, ProbeResult
from logmedic.model.issue import HoldReason, Incident, IncidentStatus
from logmedic.model.probe import DiskProbe, TcpProbe
from logmedic.model.rule import Limits, Mode, Rule, Verify
from logmedic.model.sample import Expectation, RuleTest, SampleLine
from logmedic.model.step import Command, Retry, Step, UnitJob, UnitVerb
from logmedic.model.trust import PauseOrigin

EXIT_1 = FixResult(1, 0.1, sandbox="bubblewrap")
UNKNOWN = ProbeResult(None, "nobody to ask")
EXPECT = DiskProbe("/", percent=5)
UNDO = Step("undo it", Command(("/usr/bin/undo",)))
SECOND = replace(STEP, name="fail over", action=Command(("/usr/bin/failover",)))
OTHER_STEP = replace(STEP, name="another", action=Command(("/usr/bin/another",)))
CHECKED = replace(STEP, expect=(EXPECT,))
OTHER = replace(RULE, id="db-down", title="the database is down")
FREE = Limits(cooldown=timedelta(0), max_per_hour=1000)
SHARED = Limits(cooldown=timedelta(0), one_at_a_time="app.service")
BY_FILE = PauseOrigin.FILE, "file /etc/logmedic/paused"
BY_HAND = PauseOrigin.OPERATOR, "ann"


def checked(bench: Bench, purpose: CheckPurpose, result: ProbeResult) -> Changeset:
    return bench.give(ChecksFinished(only(bench).id, ((purpose, result),)))


def only(bench: Bench, rule: Rule = RULE) -> Incident:
    """The open incident of the rule."""
    (found,) = (each for each in bench.state.incidents.values() if each.rule_id == rule.id)
    return found


def reload(bench: Bench, *rules: Rule) -> Changeset:
    bench.policy = policy(*rules)
    return bench.give(Reloaded())


def half_open(rule: Rule) -> Bench:
    """Its breaker's trial is under way, and its step has run."""
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    bench.finish(EXIT_1)
    bench.matched(1801, rule=rule)
    assert breaker_of(bench.state).trial
    return bench


# -- a reload in the middle: the rule is gone ------------------------------------------------------------------------

Middle = Callable[[Bench], None]
IN_THE_MIDDLE: dict[str, tuple[dict[str, object], Middle]] = {
    "checking": ({"steps": (CHECKED,)}, lambda bench: None),
    "fixing": ({}, lambda bench: None),
    "retrying": ({"steps": (replace(STEP, retry=Retry(attempts=3)),)}, lambda bench: bench.finish(EXIT_1) and None),
    "verifying": ({}, lambda bench: bench.finish() and None),
    "settling": ({"verify": Verify((), timedelta(seconds=60))}, lambda bench: bench.finish() and None),
}


@pytest.fixture(params=IN_THE_MIDDLE)
def middle(request: pytest.FixtureRequest) -> tuple[Bench, str]:
    changes, come = IN_THE_MIDDLE[request.param]
    bench = Bench(policy(with_fix(limits=SHARED, breaker=BreakerSpec(failures=1), **changes)))
    bench.matched()
    come(bench)
    assert only(bench).status.value == request.param
    return bench, request.param


def answered(bench: Bench, status: str) -> None:
    """What was under way ends."""
    match status:
        case "checking":
            checked(bench, CheckPurpose.EXPECT, PASSED)
        case "fixing":
            bench.finish()
        case "verifying":
            bench.probed(PASSED)
        case _:
            bench.give(Tick(), after=100)


def test_a_rule_that_goes_in_the_middle_of_its_fix_leaves_the_target_to_others(middle: tuple[Bench, str]) -> None:
    bench, status = middle
    other = with_fix(OTHER, limits=SHARED)
    reload(bench, other)
    answered(bench, status)
    incident = only(bench)
    assert (incident.status, incident.hold) == (IncidentStatus.OPEN, HoldReason.NO_FIX)
    assert all(each.status is AttemptStatus.FINISHED for each in bench.state.attempts.values())
    bench.matched(40, rule=other)
    assert bench.state.incidents[bench.incident().id].status is IncidentStatus.FIXING


def test_a_start_without_the_rule_of_a_fix_under_way_leaves_the_target_to_others(middle: tuple[Bench, str]) -> None:
    bench, _ = middle
    other = with_fix(OTHER, limits=SHARED)
    bench.policy = policy(other)
    bench.give(Started(), after=100)
    bench.give(Tick(), after=1)
    assert (only(bench).status, only(bench).hold) == (IncidentStatus.OPEN, HoldReason.NO_FIX)
    assert all(each.status is AttemptStatus.FINISHED for each in bench.state.attempts.values())
    bench.matched(40, rule=other)
    assert only(bench, other).status is IncidentStatus.FIXING


def test_a_trial_whose_rule_goes_is_no_trial_any_more() -> None:
    rule = with_fix(breaker=BreakerSpec(failures=1))
    bench = half_open(rule)
    reload(bench, OTHER)
    bench.finish()
    assert not breaker_of(bench.state).trial
    reload(bench, rule)
    bench.matched(60, rule=rule)
    assert len(bench.ran) == 3


def test_a_rule_that_lost_only_its_fix_is_not_said_to_be_gone() -> None:
    bench = Bench(policy())
    bench.matched()
    reload(bench, replace(RULE, fix=None))
    bench.finish()
    assert only(bench).hold_detail == "the rule or its fix is gone"


# -- a reload in the middle: another fix -----------------------------------------------------------------------------


def test_no_step_of_another_fix_runs_under_an_execution_that_began_with_the_old_one() -> None:
    bench = Bench(policy(with_fix(steps=(STEP, SECOND))))
    bench.matched()
    reload(bench, with_fix(steps=(STEP, OTHER_STEP)))
    bench.finish(EXIT_1)
    assert bench.ran == ["restart it"]
    bench.give(Tick())
    assert (only(bench).status, only(bench).hold) == (IncidentStatus.OPEN, HoldReason.COOLDOWN)
    bench.give(Tick(), after=11)
    assert bench.ran == ["restart it", "restart it"]  # the new one, from its beginning


def test_a_try_is_not_made_again_when_its_step_is_another_one_by_now() -> None:
    again = Retry(attempts=3)
    bench = Bench(policy(with_fix(steps=(replace(STEP, retry=again),))))
    bench.matched()
    bench.finish(EXIT_1)
    reload(bench, with_fix(steps=(replace(OTHER_STEP, retry=again),)))
    bench.give(Tick(), after=3)
    assert bench.ran == ["restart it"]


def test_the_rollback_of_another_step_is_not_run() -> None:
    bench = Bench(policy(with_fix(steps=(replace(STEP, rollback=UNDO), SECOND))))
    bench.matched()
    reload(bench, with_fix(steps=(replace(OTHER_STEP, rollback=replace(UNDO, name="undo the other")),)))
    bench.finish(EXIT_1)
    assert bench.ran == ["restart it"]


def test_a_check_that_is_answered_after_the_fix_became_shorter_ends_the_execution() -> None:
    bench = Bench(policy(with_fix(steps=(STEP, CHECKED))))
    bench.matched()
    bench.finish(EXIT_1)
    reload(bench, with_fix(steps=(STEP,)))
    checked(bench, CheckPurpose.EXPECT, FAILED)
    assert (only(bench).status, bench.ran) == (IncidentStatus.OPEN, ["restart it"])


def test_a_success_of_the_old_fix_is_no_success_of_the_new_one() -> None:
    bench = Bench(policy(with_fix(graduate_after=1, mode=Mode.AUTO)))
    bench.matched()
    bench.finish()
    reload(bench, with_fix(graduate_after=1, steps=(replace(STEP, action=Command(("/usr/bin/new",))),)))
    bench.probed(PASSED)
    assert bench.state.incidents == {}
    assert bench.state.earned == {}
    assert all(each.wins == 0 for each in bench.state.trust.values())


@pytest.mark.parametrize("how", ["file", "trust"])
def test_a_fix_that_is_only_observed_from_now_on_takes_no_further_step(how: str) -> None:
    rule = with_fix(steps=(STEP, SECOND))
    bench = Bench(policy(rule))
    bench.matched()
    if how == "file":
        reload(bench, with_fix(steps=(STEP, SECOND), mode=Mode.OBSERVE))
    else:
        bench.give(SetTrust(RULE.id, Mode.OBSERVE, "ann", "it does harm"))
    bench.finish(EXIT_1)
    assert (bench.ran, only(bench).hold) == (["restart it"], HoldReason.OBSERVE)


@pytest.mark.parametrize("steps", [(CHECKED,), (STEP, SECOND)], ids=["before its first step", "between two"])
def test_a_fix_that_has_to_ask_from_now_on_asks_before_its_next_step(steps: tuple[Step, ...]) -> None:
    bench = Bench(policy(with_fix(steps=steps)))
    bench.matched()
    bench.give(SetTrust(RULE.id, Mode.APPROVE, "ann", "let us look"))
    steps_before = len(bench.ran)
    checked(bench, CheckPurpose.EXPECT, PASSED) if not steps_before else bench.finish(EXIT_1)
    assert (len(bench.ran), only(bench).hold) == (steps_before, HoldReason.AWAITING_APPROVAL)
    assert [each.event for each in bench.new] == [AlertEvent.APPROVAL_NEEDED]


# -- a restart in the middle -----------------------------------------------------------------------------------------


def test_f62_what_had_only_been_checked_asks_the_governor_again_after_a_long_night() -> None:
    bench = Bench(policy(with_fix(steps=(CHECKED,))))
    bench.matched()
    bench.give(Started(), after=36_000)
    assert (only(bench).status, only(bench).hold) == (IncidentStatus.OPEN, HoldReason.STALE)
    assert not any(isinstance(each, RunStep) for each in bench.intents)


@pytest.mark.parametrize("steps", [(replace(STEP, retry=Retry(attempts=2)),), (STEP, CHECKED)], ids=["try", "rung"])
def test_f62_the_next_try_or_rung_of_yesterday_is_not_run_today(steps: tuple[Step, ...]) -> None:
    bench = Bench(policy(with_fix(steps=steps)))
    bench.matched()
    bench.finish(EXIT_1)
    assert only(bench).status in (IncidentStatus.RETRYING, IncidentStatus.CHECKING)
    bench.give(Started(), after=36_000)
    assert (only(bench).hold, bench.ran) == (HoldReason.STALE, ["restart it"])


def test_f62_silence_while_nobody_listened_proves_nothing() -> None:
    rule = with_fix(verify=Verify((), timedelta(seconds=60)))
    bench = Bench(policy(rule, resolve_after=timedelta(hours=2)))
    bench.matched()
    bench.finish()
    written = bench.now + timedelta(seconds=50)
    bench.give(Started(), after=3600)
    bench.give(Tick())
    assert only(bench).status is IncidentStatus.SETTLING
    bench.give(observed(match(rule, written)), after=1)  # it is read now
    assert only(bench).status is IncidentStatus.FAILED


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=2)])
def test_f62_a_line_right_after_a_fix_is_its_own_doing_whatever_clock_it_is_of(ahead: timedelta) -> None:
    bench = Bench(policy(with_fix(limits=FREE)))
    bench.matched()
    bench.finish(after=2)
    bench.probed(PASSED)
    assert bench.state.incidents == {}
    bench.give(observed(match(RULE, bench.now + timedelta(seconds=0.5) + ahead)), after=0.5)
    assert (bench.tally("own_cause"), bench.state.incidents) == (1, {})


def test_f62_what_was_written_after_the_death_of_a_step_is_not_its_own_doing() -> None:
    bench = Bench(policy(with_fix(limits=FREE)))
    bench.matched()
    written = bench.now + timedelta(seconds=1800)
    bench.give(Started(), after=3600)
    bench.probed(PASSED)
    assert bench.state.incidents == {}
    bench.give(observed(match(RULE, written)), after=1)
    assert bench.tally("own_cause") == 0


# -- pauses ----------------------------------------------------------------------------------------------------------


def test_what_an_endless_pause_holds_is_looked_at_when_it_was_shortened() -> None:
    bench = Bench(policy())
    bench.give(PauseFixes(*BY_HAND))
    bench.matched()
    bench.give(PauseFixes(*BY_HAND, until=START + timedelta(minutes=5)))
    bench.give(Tick(), after=301)
    assert bench.ran == ["restart it"]


def test_what_two_paused_is_looked_at_when_the_one_left_ends_by_itself() -> None:
    bench = Bench(policy())
    bench.give(PauseFixes(*BY_FILE))
    bench.give(PauseFixes(*BY_HAND, until=START + timedelta(minutes=5)))
    bench.matched()
    bench.give(ResumeFixes(*BY_FILE))
    assert only(bench).hold_detail == "all fixes are paused by ann, until 2026-11-24 03:05 UTC"
    bench.give(Tick(), after=301)
    assert bench.ran == ["restart it"]


# -- approvals -------------------------------------------------------------------------------------------------------

ASKING = with_fix(mode=Mode.APPROVE)


def test_f65_an_approval_that_comes_after_its_time_does_nothing_even_before_the_clock_said_so() -> None:
    bench = Bench(policy(ASKING))
    bench.matched()
    bench.give(Approve(only(bench).id, "ann"), after=1801)
    assert (bench.tally("approvals_ignored"), bench.ran) == (1, [])
    assert only(bench).status is IncidentStatus.OPEN


@pytest.mark.slow
def test_a_reload_ends_no_approval_however_many_wait() -> None:
    bench = Bench(policy(ASKING))
    for number in range(600):
        bench.give(observed(match(ASKING, bench.now, f"g{number}")))
    reload(bench, ASKING)
    for _ in range(3):
        bench.give(Tick(), after=1)
    assert {each.hold for each in bench.state.incidents.values()} == {HoldReason.AWAITING_APPROVAL}


def test_an_approval_is_for_one_execution() -> None:
    asking = with_fix(mode=Mode.APPROVE, steps=(replace(STEP, retry=Retry(attempts=3)),))
    bench = Bench(policy(asking))
    bench.matched()
    bench.give(Approve(only(bench).id, "ann"))
    checked(bench, CheckPurpose.STILL_THERE, FAILED)
    bench.give(PauseFixes(*BY_HAND))
    bench.finish(EXIT_1)
    bench.give(Tick(), after=3)
    bench.give(ResumeFixes(*BY_HAND), after=60)
    assert (only(bench).hold, bench.ran) == (HoldReason.AWAITING_APPROVAL, ["restart it"])


def test_an_approval_is_for_what_was_shown_and_not_for_what_a_later_line_says() -> None:
    step = replace(STEP, action=Command(("/usr/bin/mend", "{what}")))
    asking = with_fix(mode=Mode.APPROVE, steps=(step,), verify=Verify((), timedelta(seconds=60)))
    bench = Bench(policy(asking))
    bench.give(observed(match(asking, bench.now, what="cache")))
    bench.give(observed(match(asking, bench.now + timedelta(seconds=1), what="database")), after=1)
    bench.give(Approve(only(bench).id, "ann"))
    assert [each.attempt.argv for each in bench.intents if isinstance(each, RunStep)] == [("/usr/bin/mend", "cache")]


def test_an_approval_is_not_for_another_fix() -> None:
    first, second = with_fix(OTHER, limits=SHARED), with_fix(limits=SHARED, mode=Mode.APPROVE)
    bench = Bench(policy(first, second))
    bench.matched(rule=second)
    bench.matched(rule=first)
    bench.give(Approve(only(bench, second).id, "ann"))
    assert only(bench, second).hold is HoldReason.BUSY
    reload(bench, first, with_fix(limits=SHARED, mode=Mode.APPROVE, steps=(OTHER_STEP,)))
    bench.finish()
    bench.probed(PASSED)
    bench.give(Tick(), after=2)
    assert (only(bench, second).hold, bench.ran) == (HoldReason.AWAITING_APPROVAL, ["restart it"])


def test_people_are_asked_again_when_the_fix_that_waits_for_them_is_another_one_by_now() -> None:
    bench = Bench(policy(ASKING))
    bench.matched()
    due = only(bench).due_at
    reload(bench, with_fix(mode=Mode.APPROVE, steps=(OTHER_STEP,)))
    bodies = [each.body for each in bench.new]
    assert ["/usr/bin/another" in each for each in bodies] == [True]
    assert only(bench).due_at == due
    assert not any(isinstance(each, Send) for each in reload(bench, *bench.policy.rules.values()).intents)


def test_a_reload_is_no_reason_to_try_a_fix_again_that_failed() -> None:
    rule = with_fix(breaker=BreakerSpec(failures=1, open_for=timedelta(minutes=2)), limits=FREE)
    bench = Bench(policy(rule))
    bench.give(observed(match(rule, bench.now - timedelta(seconds=1))))
    bench.finish(EXIT_1)
    bench.now += timedelta(minutes=3)
    bench.give(Tick())
    reload(bench, rule)
    assert bench.ran == ["restart it"]
    bench.matched(1, rule=rule)
    assert bench.ran == ["restart it", "restart it"]


# -- 10,000 at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["host", "rule", "concurrency"])
def test_checks_before_the_first_step_let_nothing_past_the_budgets(of: str) -> None:
    step = replace(CHECKED, action=Command(("/usr/bin/mend", "{upstream}")))
    limits = Limits(cooldown=timedelta(0), max_per_hour=3 if of == "rule" else 1000)
    rule = with_fix(steps=(step,), limits=limits)
    most = {"host_max_per_ten_minutes": 3 if of == "host" else 1000, "max_running": 3 if of == "concurrency" else 1000}
    bench = Bench(policy(rule, host_max_per_hour=1000, **most))
    for number in range(20):
        bench.give(observed(match(rule, bench.now, f"{number}", upstream=f"{number}")))
    for incident in list(bench.state.incidents.values()):
        bench.give(ChecksFinished(incident.id, ((CheckPurpose.EXPECT, PASSED),)))
    assert len(bench.ran) == 3


def test_the_more_wait_for_a_target_the_less_often_each_of_them_is_looked_at() -> None:
    rule = with_fix(limits=SHARED)
    bench = Bench(policy(rule))
    for number in range(1200):
        bench.give(observed(match(rule, bench.now, f"{number}")))
    assert bench.incident().hold is HoldReason.BUSY
    assert bench.incident().due_at == bench.now + timedelta(seconds=3)


def test_of_a_storm_only_the_first_are_watched_and_the_others_count_for_nothing() -> None:
    rule = with_fix(mode=Mode.OBSERVE, graduate_after=3)
    bench = Bench(policy(rule))
    for number in range(100):
        bench.give(observed(match(rule, bench.now, f"{number}")))
    watched = {each.incident_id for each in bench.intents if isinstance(each, RunChecks)}
    assert len(watched) == WATCHED
    assert {each.id for each in bench.state.incidents.values() if not each.weighed} == watched


# -- breakers and causes ---------------------------------------------------------------------------------------------


def test_the_reset_of_one_target_is_not_told_of_another() -> None:
    step = replace(STEP, action=Command(("/usr/bin/mend", "{upstream}")))
    rule = with_fix(steps=(step,), breaker=BreakerSpec(failures=1), limits=FREE)
    bench = Bench(policy(rule))
    for upstream in "ab":
        bench.give(observed(match(rule, bench.now, upstream, upstream=upstream)))
        bench.finish(EXIT_1)
    one, other = bench.state.incidents.values()
    (key,) = (key for key in bench.state.breakers if key[2].endswith("=a"))
    changeset = bench.give(ResetBreaker(key, "ann"))
    assert {each.incident_id for each in changeset.events} == {one.id}
    assert bench.state.incidents[other.id].hold is HoldReason.BREAKER_OPEN


def test_f64_a_loop_that_goes_on_all_day_is_told_in_a_few_words() -> None:
    first, second = with_fix(limits=SHARED), with_fix(OTHER, limits=SHARED)
    bench = Bench(policy(first, second, host_max_per_hour=1000))
    for _ in range(400):
        for rule in (first, second):
            before = len(bench.ran)
            bench.matched(10, rule=rule)
            if len(bench.ran) > before:
                bench.finish()
                bench.probed(PASSED)
    assert len(bench.ran) > 10
    assert max(len(each.chain) for each in bench.state.attempts.values()) <= 5


def test_what_the_fix_of_its_cause_made_well_did_not_get_well_by_itself() -> None:
    dependent, cause = with_fix(after=("db-down",), graduate_after=1), with_fix(OTHER)
    bench = Bench(policy(dependent, cause))
    bench.matched(rule=cause)
    bench.matched(rule=dependent)
    waiting = only(bench, dependent)
    assert waiting.hold is HoldReason.CAUSE
    bench.give(ChecksFinished(waiting.id, ((CheckPurpose.RECOVERED, PASSED),)))
    assert bench.state.earned == {}


def test_a_fix_of_which_no_step_applies_is_not_tried_again_without_a_further_line() -> None:
    bench = Bench(policy(with_fix(steps=(CHECKED,))))
    bench.matched()
    checked(bench, CheckPurpose.EXPECT, FAILED)
    bench.give(Tick(), after=11)
    assert (only(bench).status, only(bench).due_at) == (IncidentStatus.FAILED, None)
    bench.matched(1)
    assert only(bench).status is IncidentStatus.CHECKING


# -- late and twice --------------------------------------------------------------------------------------------------


def test_probes_that_are_answered_twice_prolong_no_quiet_time() -> None:
    bench = Bench(policy(with_fix(verify=Verify(FIX.verify.probes, timedelta(seconds=60)))))
    bench.matched()
    bench.finish()
    bench.probed(PASSED)
    due = only(bench).due_at
    bench.give(ProbesFinished(bench.attempt_id, FAILED), after=5)
    assert (only(bench).status, only(bench).due_at) == (IncidentStatus.SETTLING, due)


def test_f33_attempts_of_a_clock_that_was_years_ahead_use_no_budget_up() -> None:
    bench = Bench(policy(with_fix(limits=Limits(cooldown=timedelta(hours=1), max_per_hour=1))))
    bench.now += timedelta(days=1000)
    bench.matched()
    bench.finish()
    bench.probed(PASSED)
    bench.now = START
    bench.state.forget_old(bench.now)
    bench.matched()
    assert bench.ran == ["restart it", "restart it"]


def test_what_people_are_told_of_a_step_that_was_undone_is_its_own_verdict() -> None:
    bench = Bench(policy(with_fix(steps=(replace(STEP, rollback=UNDO),))))
    bench.matched()
    bench.finish(replace(EXIT_1, output="no such file"))
    bench.finish()
    (told,) = bench.new
    (tried,) = (each for each in told.body.splitlines() if each.startswith("What I tried:"))
    assert "restart it (/usr/bin/true): exit 1. It did not work: no such file." in tried
    assert "undone by undo it (/usr/bin/undo)" in tried


# -- what is foretold and rehearsed ----------------------------------------------------------------------------------


def test_a_forecast_says_that_the_first_step_is_checked_before() -> None:
    rule = with_fix(steps=(CHECKED,))
    bench = Bench(policy(rule))
    forecast = foretell(bench.state, bench.policy, match(rule), bench.now)
    assert "step 'restart it' runs, if its checks let it: /usr/bin/true" in sentences(forecast, rule)


def sample(rule: Rule, lines: int, steps: tuple[str, ...]) -> RuleTest:
    return RuleTest("t", (SampleLine("down", lines, timedelta(seconds=20)),), Expectation(steps=steps))


def test_a_rule_test_may_run_more_fixes_than_a_host_in_ten_minutes() -> None:
    rule = with_fix(limits=FREE)
    assert run_test(rule, sample(rule, 12, ("restart it",) * 12)) == ""


def test_a_rule_test_runs_the_first_of_alternatives() -> None:
    rule = with_fix(steps=(STEP, replace(SECOND, rung=0)))
    assert run_test(rule, sample(rule, 1, ("restart it",))) == ""


def test_a_rule_test_of_a_fix_with_a_guard_and_something_expected_runs_its_step() -> None:
    rule = with_fix(steps=(replace(CHECKED, rollback=UNDO),), guard=(TcpProbe("127.0.0.1:1"),))
    assert run_test(rule, sample(rule, 1, ("restart it",))) == ""


def test_a_rule_test_of_a_fix_that_waits_for_its_cause_sees_its_step() -> None:
    rule = with_fix(after=("db-down",))
    assert run_test(rule, sample(rule, 1, ("restart it",))) == ""


def test_a_backtest_knows_what_a_fix_waits_for_and_a_service_manager() -> None:
    restart = replace(STEP, action=UnitJob(UnitVerb.RESTART, "app.service"))
    rule, cause = with_fix(after=("db-down",), steps=(restart,)), with_fix(OTHER)
    assert with_causes([rule], {cause.id: cause}) == [rule, cause]
    bench = Bench(replayed(policy(), [rule, cause], Mode.AUTO))
    bench.matched(rule=rule)
    bench.give(Tick(), after=3)
    assert bench.ran == ["restart it"]
