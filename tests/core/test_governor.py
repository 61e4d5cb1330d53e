"""What holds a fix back, and that the kill switch holds everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import OK, RULE, START, STEP, Bench, breaker_of, match, observed, policy, with_fix
from logmedic.core.draft import Draft
from logmedic.core.holds import CAUSE_GRACE, LOOP_WAIT, every_hold
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import (
    Approve,
    PauseFixes,
    Reloaded,
    ResetBreaker,
    ResumeFixes,
    RunStep,
    StepFinished,
    StopSteps,
    Tick,
)
from logmedic.model.circuit import BreakerSpec, BreakerStatus
from logmedic.model.fix import Arming, FixResult, Verdict
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.rule import Limits, Mode, Rule, Verify
from logmedic.model.step import Command, Retry, UnitJob, UnitVerb
from logmedic.model.trust import PauseOrigin

EXIT_1 = FixResult(1, 0.1, "no", sandbox="bubblewrap")
OTHER = replace(RULE, id="db-down", title="db is down")
PAUSE = PauseFixes(PauseOrigin.OPERATOR, "ann", "deploying")
RESUME = ResumeFixes(PauseOrigin.OPERATOR, "ann")


def held(bench: Bench, rule: Rule = RULE) -> HoldReason | None:
    return next(each for each in bench.state.incidents.values() if each.rule_id == rule.id).hold


# -- the kill switch ---------------------------------------------------------------------------------------------------


def test_while_fixes_are_paused_none_starts_and_its_reason_is_told() -> None:
    bench = Bench(policy())
    bench.give(PAUSE)
    bench.matched()
    incident = bench.incident()
    assert (len(bench.ran), incident.hold) == (0, HoldReason.PAUSED)
    assert incident.hold_detail == "all fixes are paused by ann: deploying"
    assert [each.event for each in bench.messages] == [AlertEvent.HELD]


@pytest.mark.parametrize(
    ("given", "whose", "ends"),
    [
        (PAUSE, "all fixes are paused by ann: deploying", ["logmedic resume"]),
        (PauseFixes(PauseOrigin.FILE, "file /etc/x"), "all fixes are paused by file /etc/x", ["remove that file"]),
    ],
    ids=["command", "file"],
)
def test_whoever_is_called_is_told_what_ends_this_pause(given: PauseFixes, whose: str, ends: list[str]) -> None:
    bench = Bench(policy())
    bench.give(given)
    bench.matched()
    (told,) = bench.new
    assert told.body.count(whose) == 1
    assert [each for each in ("logmedic resume", "remove that file") if each in told.body] == ends


def test_what_was_held_runs_when_fixes_are_resumed() -> None:
    bench = Bench(policy())
    bench.give(PAUSE)
    bench.matched()
    bench.give(RESUME, after=60)
    assert len(bench.ran) == 1


def test_what_was_held_for_too_long_is_stale_then() -> None:
    bench = Bench(policy())
    bench.give(PAUSE)
    bench.matched()
    bench.give(RESUME, after=3600)
    assert (len(bench.ran), held(bench)) == (0, HoldReason.STALE)


def test_a_pause_ends_by_itself_at_its_time() -> None:
    bench = Bench(policy())
    bench.give(replace(PAUSE, until=START + timedelta(minutes=5)))
    bench.matched()
    bench.give(Tick(), after=299)
    assert len(bench.ran) == 0
    bench.give(Tick(), after=2)
    assert len(bench.ran) == 1


def test_each_who_paused_has_to_resume() -> None:
    bench = Bench(policy())
    bench.give(PAUSE)
    bench.give(PauseFixes(PauseOrigin.FILE, "file /etc/logmedic/paused"))
    bench.matched()
    bench.give(RESUME)
    assert held(bench) is HoldReason.PAUSED
    bench.give(ResumeFixes(PauseOrigin.FILE, "file /etc/logmedic/paused"))
    assert len(bench.ran) == 1


def test_a_pause_stands_between_two_rungs_and_between_two_tries() -> None:
    rule = with_fix(steps=(replace(STEP, retry=Retry(attempts=3)), replace(STEP, name="second")))
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    bench.give(PAUSE)
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    bench.give(Tick(), after=30)
    assert (len(bench.ran), held(bench)) == (1, HoldReason.PAUSED)


def test_a_pause_that_stops_ends_what_runs_and_blames_it_for_nothing() -> None:
    bench = Bench(policy())
    bench.matched()
    changeset = bench.give(replace(PAUSE, stop=True))
    assert changeset.intents == (StopSteps(),)
    bench.give(StepFinished(bench.attempt_id, FixResult(None, 1.0, detail="ended by hand")))
    (attempt,) = bench.state.attempts.values()
    assert (attempt.verdict, held(bench)) == (Verdict.UNKNOWN, HoldReason.PAUSED)
    assert bench.state.earned == {}
    assert all(each.status is BreakerStatus.CLOSED for each in bench.state.breakers.values())


def test_a_pause_is_in_what_is_stored() -> None:
    bench = Bench(policy())
    (pause,) = bench.give(PAUSE).pauses
    assert (pause.on, pause.by, pause.why) == (True, "ann", "deploying")
    (taken_back,) = bench.give(RESUME).pauses
    assert not taken_back.on


# -- budgets -----------------------------------------------------------------------------------------------------------


def healed(bench: Bench, rule: Rule, group: str) -> None:
    before = len(bench.ran)
    bench.give(observed(match(rule, bench.now, group)))
    if len(bench.ran) > before:
        bench.fixed()


def test_a_host_has_a_budget_for_ten_minutes() -> None:
    rule = with_fix(limits=Limits(cooldown=timedelta(0), max_per_hour=100))
    bench = Bench(policy(rule, host_max_per_ten_minutes=3))
    for group in "abcd":
        healed(bench, rule, group)
    assert len(bench.ran) == 3
    incident = bench.incident()
    assert (incident.hold, incident.due_at) == (HoldReason.BUDGET, START + timedelta(minutes=10))
    assert incident.hold_detail == "3 fixes in ten minutes for this host are used up"


def test_a_budget_of_nothing_lets_nothing_run() -> None:
    bench = Bench(policy(host_max_per_hour=0))
    bench.matched()
    assert (len(bench.ran), held(bench)) == (0, HoldReason.BUDGET)


def test_the_rungs_of_one_execution_are_one_of_the_budget() -> None:
    rule = with_fix(steps=(STEP, replace(STEP, name="second")))
    bench = Bench(policy(rule, host_max_per_ten_minutes=2))
    bench.matched(rule=rule)
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    bench.matched(11, rule=rule)
    assert len(bench.ran) == 3


# -- targets -----------------------------------------------------------------------------------------------------------


def test_f63_two_rules_with_one_target_take_turns_also_between_two_steps() -> None:
    shared = Limits(cooldown=timedelta(seconds=10), one_at_a_time="app.service")
    first = with_fix(limits=shared, steps=(replace(STEP, retry=Retry(attempts=2, base=timedelta(seconds=5))),))
    second = with_fix(OTHER, limits=shared)
    bench = Bench(policy(first, second))
    bench.matched(rule=first)
    bench.matched(rule=second)
    assert held(bench, second) is HoldReason.BUSY
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    bench.give(Tick(), after=2)  # the first waits for its second try
    assert (len(bench.ran), held(bench, second)) == (1, HoldReason.BUSY)


def test_a_target_may_be_what_a_line_names_and_has_its_own_breaker() -> None:
    step = replace(STEP, action=Command(("/usr/bin/mend", "{upstream}")))
    rule = with_fix(steps=(step,), breaker=BreakerSpec(failures=1), limits=Limits(cooldown=timedelta(0)))
    bench = Bench(policy(rule))
    for upstream in ("a", "b"):
        bench.give(observed(match(rule, bench.now, upstream, upstream=upstream)))
    assert len(bench.ran) == 2  # at the same time
    bench.give(StepFinished(bench.attempt_id, EXIT_1))
    by_target = {each.target: each.status for each in bench.state.breakers.values()}
    assert by_target == {"web-down upstream=b": BreakerStatus.OPEN}


# -- dependencies ------------------------------------------------------------------------------------------------------

CAUSE = with_fix(OTHER)
DEPENDENT = with_fix(after=("db-down",))


def test_what_depends_on_another_waits_a_moment_for_it_to_show_up() -> None:
    bench = Bench(policy(DEPENDENT, CAUSE))
    bench.matched(rule=DEPENDENT)
    assert held(bench) is HoldReason.CAUSE
    bench.give(Tick(), after=CAUSE_GRACE.total_seconds())
    assert len(bench.ran) == 1


@pytest.mark.parametrize("first", ["cause", "dependent"])
def test_the_cause_is_fixed_first_in_whatever_order_they_are_seen(first: str) -> None:
    bench = Bench(policy(DEPENDENT, CAUSE))
    for rule in (CAUSE, DEPENDENT) if first == "cause" else (DEPENDENT, CAUSE):
        bench.matched(rule=rule)
    bench.give(Tick(), after=10)
    assert [each.attempt.rule_id for each in bench.intents if isinstance(each, RunStep)] == ["db-down"]
    assert held(bench) is HoldReason.CAUSE
    bench.fixed()
    bench.give(Tick(), after=10)
    assert [each.attempt.rule_id for each in bench.intents if isinstance(each, RunStep)] == ["db-down", "web-down"]


# -- what is set off by fixes ------------------------------------------------------------------------------------------


def test_f64_a_line_that_the_fix_itself_writes_opens_nothing() -> None:
    rule = with_fix(limits=Limits(cooldown=timedelta(0)))
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    bench.fixed(after=1)
    bench.matched(1, rule=rule)
    assert (len(bench.ran), bench.tally("own_cause"), bench.state.incidents) == (1, 1, {})
    bench.matched(5, rule=rule)
    assert len(bench.ran) == 2  # after that it is trouble of its own


def test_f64_its_own_line_does_not_spoil_its_quiet_time() -> None:
    rule = with_fix(verify=Verify((), timedelta(seconds=60)))
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    bench.give(StepFinished(bench.attempt_id, OK), after=1)
    bench.matched(2, rule=rule)
    assert bench.incident().status is IncidentStatus.SETTLING
    bench.matched(2, rule=rule)
    assert bench.incident().status is IncidentStatus.FAILED


def test_f64_fixes_that_set_each_other_off_are_stopped_and_told() -> None:
    shared = Limits(cooldown=timedelta(0), one_at_a_time="app.service")
    first, second = with_fix(limits=shared), with_fix(OTHER, limits=shared)
    bench = Bench(policy(first, second))
    for _ in range(20):
        for rule in (first, second):
            before = len(bench.ran)
            bench.matched(5, rule=rule)
            if len(bench.ran) > before:
                bench.fixed()
    assert [each.attempt.rule_id for each in bench.intents if isinstance(each, RunStep)].count(first.id) == 1
    incident = next(each for each in bench.state.incidents.values() if each.rule_id == first.id)
    assert (incident.hold, incident.chain) == (HoldReason.OWN_CAUSE, ("web-down", "db-down"))
    assert AlertEvent.HELD in [each.event for each in bench.messages]
    assert incident.due_at is not None
    assert incident.due_at <= bench.now + LOOP_WAIT


# -- breakers ----------------------------------------------------------------------------------------------------------


def failing(**spec: object) -> tuple[Bench, Rule]:
    rule = with_fix(breaker=BreakerSpec(failures=2, open_for=timedelta(minutes=30), **spec))  # type: ignore[arg-type]
    bench = Bench(policy(rule))
    for after in (0, 11):
        bench.matched(after, rule=rule)
        bench.give(StepFinished(bench.attempt_id, EXIT_1))
    return bench, rule


@pytest.mark.slow
def test_an_always_failing_fix_under_ten_thousand_lines_has_n_attempts_and_one_escalation() -> None:
    rule = with_fix(breaker=BreakerSpec(failures=3, open_for=timedelta(hours=5)))
    bench = Bench(policy(rule))
    for _ in range(10_000):
        before = len(bench.ran)
        bench.matched(1, rule=rule)
        if len(bench.ran) > before:
            bench.give(StepFinished(bench.attempt_id, EXIT_1))
    assert len(bench.ran) == 3
    lessons = [each.pattern_type.value for changeset in bench.all for each in changeset.learnings]
    assert lessons.count("issue_escalation") == 1
    told = [each.event for each in bench.messages]
    assert told == [AlertEvent.FIX_FAILED, AlertEvent.BREAKER_OPEN]


def test_several_trials_have_to_work_before_the_breaker_closes() -> None:
    bench, rule = failing(successes=2)
    bench.matched(1801, rule=rule)
    bench.fixed()
    assert breaker_of(bench.state).status is BreakerStatus.HALF_OPEN
    bench.matched(60, rule=rule)
    bench.fixed()
    assert breaker_of(bench.state).status is BreakerStatus.CLOSED


def test_a_breaker_that_is_reset_by_hand_lets_the_fix_run() -> None:
    bench, rule = failing()
    bench.matched(20, rule=rule)
    assert held(bench) is HoldReason.BREAKER_OPEN
    bench.give(ResetBreaker(breaker_of(bench.state).key, "ann"))
    assert (len(bench.ran), breaker_of(bench.state).status) == (3, BreakerStatus.CLOSED)


def test_a_fix_that_was_changed_begins_with_a_closed_breaker() -> None:
    bench, _ = failing()
    changed = with_fix(steps=(replace(STEP, action=Command(("/usr/bin/better",))),))
    bench.policy = policy(changed)
    bench.matched(20, rule=changed)
    assert len(bench.ran) == 3


def test_what_else_holds_an_approved_fix_does_not_use_the_approval_up() -> None:
    shared = Limits(cooldown=timedelta(0), one_at_a_time="app.service")
    first, second = with_fix(limits=shared), with_fix(OTHER, limits=shared, mode=Mode.APPROVE)
    bench = Bench(policy(first, second))
    bench.matched(rule=second)
    bench.matched(rule=first)
    waiting = next(each for each in bench.state.incidents.values() if each.rule_id == second.id)
    bench.give(Approve(waiting.id, "ann"))
    assert held(bench, second) is HoldReason.BUSY
    bench.fixed()
    bench.give(Tick(), after=2)
    assert bench.state.incidents[waiting.id].status is IncidentStatus.CHECKING


def test_a_reload_looks_at_what_was_held_for_the_rules_sake_and_prolongs_no_approval() -> None:
    asking = with_fix(mode=Mode.APPROVE)
    bench = Bench(policy(asking))
    bench.matched(rule=asking)
    before = bench.incident().due_at
    bench.give(Reloaded(), after=60)
    assert next(iter(bench.state.incidents.values())).due_at == before
    bench.policy = policy(with_fix())
    bench.give(Reloaded())
    assert len(bench.ran) == 1


# -- all of them -------------------------------------------------------------------------------------------------------


def test_every_question_is_answered_and_not_only_the_first_that_holds() -> None:
    rule = with_fix(steps=(replace(STEP, action=UnitJob(UnitVerb.RESTART, "app.service")),))
    bench = Bench(policy(rule))
    bench.policy = replace(bench.policy, arming=Arming(False, "", "no bubblewrap", units_reason="no bus"))
    bench.give(PAUSE)
    bench.matched(rule=rule)
    checks = every_hold(Draft(bench.state, bench.policy, bench.now, bench.mint), bench.incident(), rule)
    obstacles = {each.name: each.detail for each in checks if each.held is not None}
    assert obstacles == {
        "pause": "all fixes are paused by ann: deploying",
        "arming": "step 'restart it' is a job of the service manager: no bus",
    }
    assert all(each.detail for each in checks)
    assert next(each.name for each in checks) == "mode"


def test_the_hold_in_force_is_the_first_of_all() -> None:
    bench = Bench(policy())
    bench.give(PAUSE)
    bench.matched()
    checks = every_hold(Draft(bench.state, bench.policy, bench.now, bench.mint), bench.incident(), RULE)
    first = next(each.held for each in checks if each.held is not None)
    assert (first.reason, first.detail) == (bench.incident().hold, bench.incident().hold_detail)


def test_an_approval_says_who_gave_it() -> None:
    rule = with_fix()
    bench = Bench(policy(rule))
    incident = replace(bench.give(observed(match(rule))).incidents[0], approved_by="ann", approved_until=bench.now)
    asking = replace(bench.policy, mode=Mode.APPROVE)
    checks = every_hold(Draft(bench.state, asking, bench.now, bench.mint), incident, rule)
    assert (checks[-1].held, checks[-1].detail) == (None, "approved by ann")
