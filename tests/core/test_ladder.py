"""The ladder of a fix: checked before each rung, undone when it made things worse, ended by a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from builders import FAILED, FIX, OK, PASSED, PROBE, RULE, START, STEP, Bench, breaker_of, policy, with_fix
from logmedic.core.holds import CAUSE_GRACE
from logmedic.core.targets import asked_once
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import (
    CheckPurpose,
    ChecksFinished,
    ProbesFinished,
    RunChecks,
    RunProbes,
    Send,
    SetTrust,
    Started,
    StepFinished,
    Tick,
)
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import AttemptKind, AttemptStatus, FixResult, ProbeResult, Verdict
from logmedic.model.issue import HoldReason, IncidentStatus, Resolution
from logmedic.model.policy import MaintenanceWindow
from logmedic.model.probe import AnyOf, DiskProbe, Not, TcpProbe, UnitProbe
from logmedic.model.rule import Limits, Mode, OnFailure, Verify
from logmedic.model.step import Command, Retry, Step, UnitJob, UnitVerb

EXIT_1 = FixResult(1, 0.1, "no such file", sandbox="bubblewrap")
NOT_STARTED = FixResult(None, 0.0, detail="no such program", started=False)
UNKNOWN = ProbeResult(None, "there is nobody to ask")
EXPECT = DiskProbe("/", percent=5)
GUARD = TcpProbe("127.0.0.1:5432")
UNDO = Step("undo it", Command(("/usr/bin/undo",)))
WINDOW = MaintenanceWindow(
    "patches",
    frozenset(range(7)),
    (START + timedelta(seconds=5)).time(),
    (START + timedelta(minutes=10)).time(),
    UTC,
)
SECOND = replace(STEP, name="fail over", action=Command(("/usr/bin/failover",)))


def climbing(**changes: object) -> Bench:
    return Bench(policy(with_fix(**changes)))


def checked(bench: Bench, *results: tuple[CheckPurpose, ProbeResult]) -> None:
    bench.give(ChecksFinished(bench.incident().id, results))


def asked(bench: Bench) -> list[CheckPurpose]:
    """Of the last checks."""
    checks = next(each for each in reversed(bench.intents) if isinstance(each, RunChecks))
    return [purpose for purpose, _ in checks.checks]


def events(bench: Bench) -> list[str]:
    return [event.kind for changeset in bench.all for event in changeset.events]


# -- expect ------------------------------------------------------------------------------------------------------------


def test_a_step_that_expects_something_is_checked_first() -> None:
    bench = climbing(steps=(replace(STEP, expect=(EXPECT,)),))
    bench.matched()
    assert (bench.ran, asked(bench)) == ([], [CheckPurpose.EXPECT])
    assert bench.incident().status is IncidentStatus.CHECKING
    checked(bench, (CheckPurpose.EXPECT, PASSED))
    assert bench.ran == ["restart it"]


@pytest.mark.parametrize("found", [FAILED, UNKNOWN], ids=["not so", "unknown"])
def test_a_step_that_does_not_apply_is_passed_over(found: ProbeResult) -> None:
    bench = climbing(steps=(replace(STEP, expect=(EXPECT,)), SECOND))
    bench.matched()
    checked(bench, (CheckPurpose.EXPECT, found))
    assert bench.ran == ["fail over"]
    assert "step_skipped" in events(bench)


def test_when_no_step_applies_the_fix_failed_and_waits_for_its_cooldown() -> None:
    bench = climbing(steps=(replace(STEP, expect=(EXPECT,)),))
    bench.matched()
    checked(bench, (CheckPurpose.EXPECT, FAILED))
    incident = bench.incident()
    assert (bench.ran, incident.status, incident.hold) == ([], IncidentStatus.FAILED, HoldReason.COOLDOWN)
    assert [each.event for each in bench.messages] == [AlertEvent.FIX_FAILED]
    checks = len([each for each in bench.intents if isinstance(each, RunChecks)])
    for _ in range(5):
        bench.matched(1)
    assert len([each for each in bench.intents if isinstance(each, RunChecks)]) == checks


def test_a_check_that_is_answered_twice_starts_one_step() -> None:
    bench = climbing(steps=(replace(STEP, expect=(EXPECT,)),))
    bench.matched()
    for _ in range(2):
        checked(bench, (CheckPurpose.EXPECT, PASSED))
    assert bench.ran == ["restart it"]
    assert bench.tally("results_ignored") == 1


# -- what comes up while the checks are asked --------------------------------------------------------------------------


def test_no_fix_begins_in_a_maintenance_window_that_opened_while_its_checks_were_asked() -> None:
    rule = with_fix(steps=(replace(STEP, expect=(EXPECT,)),))
    bench = Bench(policy(rule, maintenance=(WINDOW,)))
    bench.matched(rule=rule)
    bench.now += timedelta(seconds=6)
    checked(bench, (CheckPurpose.EXPECT, PASSED))
    assert (bench.ran, bench.incident().hold) == ([], HoldReason.MAINTENANCE)
    bench.matched(rule=rule, after=600)  # or its last match would be stale
    assert bench.incident().status is IncidentStatus.CHECKING


def test_no_fix_begins_while_a_cause_is_open_that_came_up_while_its_checks_were_asked() -> None:
    cause = replace(RULE, id="db-down", title="db is down", fix=None)
    rule = with_fix(steps=(replace(STEP, expect=(EXPECT,)),), after=(cause.id,))
    bench = Bench(policy(rule, cause))
    bench.matched(rule=rule)
    (waiting,) = bench.state.incidents
    bench.give(Tick(), after=CAUSE_GRACE.total_seconds())
    bench.matched(rule=cause)
    bench.give(ChecksFinished(waiting, ((CheckPurpose.EXPECT, PASSED),)))
    assert (bench.ran, bench.state.incidents[waiting].hold) == ([], HoldReason.CAUSE)


def test_what_comes_up_meanwhile_is_told_in_the_order_of_the_governor() -> None:
    """Nobody is asked to approve what a window holds."""
    rule = with_fix(steps=(replace(STEP, expect=(EXPECT,)),))
    bench = Bench(policy(rule, maintenance=(WINDOW,)))
    bench.matched(rule=rule)
    bench.give(SetTrust(rule.id, Mode.APPROVE, "ann", "let me see"))
    bench.now += timedelta(seconds=6)
    checked(bench, (CheckPurpose.EXPECT, PASSED))
    assert (bench.ran, bench.incident().hold) == ([], HoldReason.MAINTENANCE)


def test_a_fix_that_began_before_the_window_goes_on_in_it() -> None:
    rule = with_fix(steps=(STEP, SECOND))
    bench = Bench(policy(rule, maintenance=(WINDOW,)))
    bench.matched(rule=rule)
    bench.finish(after=6)
    bench.probed(FAILED)
    assert bench.ran == [STEP.name, SECOND.name]


# -- the verdict -------------------------------------------------------------------------------------------------------


def test_the_rungs_are_climbed_until_one_holds() -> None:
    bench = climbing(steps=(STEP, SECOND))
    bench.matched()
    bench.finish()
    bench.probed(FAILED)
    bench.finish()
    bench.probed(PASSED)
    assert bench.ran == ["restart it", "fail over"]
    assert [each.verdict for each in bench.state.attempts.values()] == [Verdict.NOT_FIXED, Verdict.FIXED]
    assert bench.incident().resolution is Resolution.FIXED
    assert bench.state.earned["web-down", "restart it"].fixed == 0
    assert bench.state.earned["web-down", "fail over"].fixed == 1


def test_what_nobody_can_say_is_no_failure_of_the_rung_and_no_success() -> None:
    bench = climbing(steps=(STEP, SECOND))
    bench.matched()
    bench.finish()
    bench.probed(UNKNOWN)
    (attempt,) = bench.state.attempts.values()
    assert (bench.ran, attempt.verdict) == (["restart it"], Verdict.UNKNOWN)
    assert bench.incident().status is IncidentStatus.FAILED
    assert bench.state.earned == {}
    assert "fix_unknown" in events(bench)


def test_an_exit_code_of_0_proves_nothing() -> None:
    bench = climbing(verify=Verify((), None))
    bench.matched()
    bench.finish()
    assert bench.incident().status is IncidentStatus.SETTLING
    assert bench.state.earned == {}


def test_tries_of_one_step_earn_once() -> None:
    bench = climbing(steps=(replace(STEP, retry=Retry(attempts=3)),))
    bench.matched()
    bench.finish(EXIT_1)
    bench.give(Tick(), after=2)
    bench.finish()
    bench.probed(PASSED)
    assert bench.state.earned["web-down", "restart it"].tried == 1


def test_a_failure_that_is_only_recorded_calls_nobody() -> None:
    bench = climbing(on_failure=OnFailure.RECORD)
    for after in (0, 11):
        bench.matched(after)
        bench.finish(EXIT_1)
    assert breaker_of(bench.state).status is BreakerStatus.OPEN
    assert not any(isinstance(each, Send) for each in bench.intents)
    assert "breaker:web-down" in bench.state.issues


# -- the rollback ------------------------------------------------------------------------------------------------------


def test_a_step_that_breaks_off_is_undone_and_the_next_rung_follows() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND))
    bench.matched()
    bench.finish(EXIT_1)
    assert bench.ran == ["restart it", "undo it"]
    bench.finish()
    assert bench.ran == ["restart it", "undo it", "fail over"]
    kinds = [each.kind for each in bench.state.attempts.values()]
    assert kinds == [AttemptKind.STEP, AttemptKind.ROLLBACK, AttemptKind.STEP]


def test_what_never_started_has_nothing_to_undo() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND))
    bench.matched()
    bench.finish(NOT_STARTED)
    assert bench.ran == ["restart it", "fail over"]


@pytest.mark.parametrize(("worse", "follows"), [(FAILED, "undo it"), (PASSED, "fail over")])
def test_what_broke_its_guard_is_undone(worse: ProbeResult, follows: str) -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND), guard=(GUARD,))
    bench.matched()
    assert asked(bench) == [CheckPurpose.GUARD]
    checked(bench, (CheckPurpose.GUARD, PASSED))
    bench.finish()
    bench.probed(FAILED)
    assert asked(bench) == [CheckPurpose.WORSE]
    checked(bench, (CheckPurpose.WORSE, worse))
    assert bench.ran == ["restart it", follows]


def test_a_guard_that_was_broken_before_blames_nobody() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND), guard=(GUARD,))
    bench.matched()
    checked(bench, (CheckPurpose.GUARD, FAILED))
    bench.finish()
    bench.probed(FAILED)
    assert bench.ran == ["restart it", "fail over"]


def test_a_rollback_that_fails_ends_the_fix() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND))
    bench.matched()
    bench.finish(EXIT_1)
    bench.finish(EXIT_1)
    assert bench.ran == ["restart it", "undo it"]
    assert bench.incident().status is IncidentStatus.FAILED
    assert bench.state.earned["web-down", "restart it"].tried == 1  # the rollback earns nothing


# -- the uptime of what is restarted -----------------------------------------------------------------------------------

RESTART = replace(STEP, action=UnitJob(UnitVerb.RESTART, "app.service"))


def restarting() -> Bench:
    rule = with_fix(steps=(RESTART,), limits=Limits(cooldown=timedelta(seconds=10), min_uptime=timedelta(minutes=2)))
    armed = policy(rule)
    return Bench(replace(armed, arming=replace(armed.arming, units=True)))


def test_a_unit_that_has_only_just_started_is_left_alone_for_a_while() -> None:
    bench = restarting()
    bench.matched()
    (checks,) = [each for each in bench.intents if isinstance(each, RunChecks)]
    wanted = AnyOf((Not(UnitProbe("app.service")), UnitProbe("app.service", up_for=timedelta(minutes=2))))
    assert checks.checks == ((CheckPurpose.UPTIME, (asked_once(wanted),)),)
    checked(bench, (CheckPurpose.UPTIME, ProbeResult(False, "up for 12 s of 120 s")))
    incident = bench.incident()
    assert (incident.hold, "up for 12 s" in incident.hold_detail) == (HoldReason.WARMING_UP, True)
    bench.give(Tick(), after=11)
    checked(bench, (CheckPurpose.UPTIME, PASSED))
    assert bench.ran == ["restart it"]


# -- after a crash -----------------------------------------------------------------------------------------------------


def test_f62_a_check_that_was_under_way_is_asked_again() -> None:
    bench = climbing(steps=(replace(STEP, expect=(EXPECT,)),))
    bench.matched()
    assert [type(each) for each in bench.give(Started(), after=5).intents] == [RunChecks]
    assert asked(bench) == [CheckPurpose.EXPECT]


def test_f62_a_guard_that_was_under_way_is_asked_again_and_earns_nothing_twice() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND), guard=(GUARD,))
    bench.matched()
    checked(bench, (CheckPurpose.GUARD, PASSED))
    bench.finish()
    bench.probed(FAILED)
    bench.give(Started(), after=5)
    assert asked(bench) == [CheckPurpose.WORSE]
    assert bench.state.earned["web-down", "restart it"].tried == 1


def test_f62_a_rollback_of_which_nobody_knows_the_end_ends_the_fix() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND))
    bench.matched()
    bench.finish(EXIT_1)
    bench.give(Started(), after=5)
    assert bench.ran == ["restart it", "undo it"]
    assert bench.incident().status is IncidentStatus.FAILED
    assert [each.verdict for each in bench.state.attempts.values()][-1] is Verdict.UNKNOWN


def test_a_secret_in_the_output_of_a_step_is_not_stored() -> None:
    bench = climbing()
    bench.matched()
    bench.finish(FixResult(1, 0.1, "login with password=hunter2hunter2 failed", sandbox="bubblewrap"))
    (attempt,) = bench.state.attempts.values()
    assert "hunter2" not in attempt.output
    assert attempt.status is AttemptStatus.FINISHED


def test_the_probes_of_the_verdict_are_filled_and_asked_for_as_long_as_they_may() -> None:
    bench = climbing()
    bench.matched()
    bench.finish()
    assert bench.intents[-1] == RunProbes(bench.attempt_id, (PROBE,))


# -- as many steps as may run ------------------------------------------------------------------------------------------


OTHER = replace(RULE, id="db-down")


def crowded() -> tuple[Bench, str, str]:
    """One step may run at a time. That of RULE is verified; meanwhile that of OTHER runs. Their attempts."""
    fix = replace(FIX, steps=(STEP, SECOND))
    bench = Bench(policy(replace(RULE, fix=fix), replace(OTHER, fix=fix), max_running=1))
    bench.matched()
    first = bench.attempt_id
    bench.finish()
    bench.matched(rule=OTHER)
    second = bench.attempt_id
    assert first != second
    return bench, first, second


def test_a_rung_whose_place_others_took_waits_until_there_is_room() -> None:
    bench, first, second = crowded()
    bench.give(ProbesFinished(first, FAILED))
    waiting = bench.incident()
    assert (waiting.rule_id, waiting.status, waiting.waits_for_turn) == (RULE.id, IncidentStatus.RETRYING, True)
    assert bench.ran == [STEP.name, STEP.name]
    bench.give(Tick(), 5)
    assert bench.ran == [STEP.name, STEP.name]
    assert events(bench).count("waits") == 1
    bench.give(StepFinished(second, OK))
    bench.give(Tick(), 1)
    assert bench.ran == [STEP.name, STEP.name, SECOND.name]


def test_two_that_wait_for_their_turn_do_not_wait_for_one_another() -> None:
    bench, first, second = crowded()
    bench.give(ProbesFinished(first, FAILED))
    bench.give(StepFinished(second, OK))
    bench.give(ProbesFinished(second, FAILED))
    bench.give(Tick(), 1)
    bench.give(Tick(), 1)
    assert bench.ran[2:] == [SECOND.name]
    bench.finish()
    bench.give(Tick(), 1)
    assert bench.ran[2:] == [SECOND.name, SECOND.name]


def test_what_undoes_a_step_waits_its_turn_and_comes_before_the_next_rung() -> None:
    fix = replace(FIX, steps=(replace(STEP, rollback=UNDO), SECOND), guard=(GUARD,))
    bench = Bench(policy(replace(RULE, fix=fix), replace(OTHER, fix=fix), max_running=1))
    bench.matched()
    checked(bench, (CheckPurpose.GUARD, PASSED))
    first = bench.attempt_id
    bench.finish()
    bench.matched(rule=OTHER)
    (other,) = (each.id for each in bench.state.incidents.values() if each.rule_id == OTHER.id)
    bench.give(ChecksFinished(other, ((CheckPurpose.GUARD, PASSED),)))
    bench.give(ProbesFinished(first, FAILED))
    checked(bench, (CheckPurpose.WORSE, FAILED))
    assert bench.ran == [STEP.name, STEP.name]
    bench.give(StepFinished(bench.attempt_id, OK))
    bench.give(Tick(), 1)
    assert bench.ran == [STEP.name, STEP.name, UNDO.name]
