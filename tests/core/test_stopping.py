"""The daemon stops: what is under way ends, no step begins, and the next life goes on where this one stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import FAILED, OK, PASSED, RULE, STEP, Bench, policy, with_fix
from logmedic.model.changeset import Approve, CheckPurpose, ChecksFinished, Started, StepFinished, StepNotBegun, Tick
from logmedic.model.fix import AttemptKind, FixResult
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.probe import TcpProbe
from logmedic.model.rule import Limits, Mode
from logmedic.model.step import Command, Retry, Step

EXIT_1 = FixResult(1, 0.1, "no such file", sandbox="bubblewrap")
AGAIN = Retry(attempts=2, base=timedelta(seconds=1), max=timedelta(seconds=1))
SECOND = replace(STEP, name="fail over", action=Command(("/usr/bin/failover",)))
UNDO = Step("undo it", Command(("/usr/bin/undo",)))


def climbing(**changes: object) -> Bench:
    return Bench(policy(with_fix(**changes)))


def stops(bench: Bench) -> None:
    """SIGTERM."""
    bench.state.stopping = True


def pass_time(bench: Bench, seconds: int) -> None:
    for _ in range(seconds):
        bench.give(Tick(), 1)


def starts(bench: Bench) -> None:
    """Another process, with what was stored."""
    bench.state.stopping = False
    bench.give(Started(), 2)
    pass_time(bench, 3)


def test_f31_a_fix_that_is_wanted_while_the_daemon_stops_begins_in_its_next_life() -> None:
    bench = climbing()
    stops(bench)
    bench.matched()
    pass_time(bench, 5)
    assert (bench.ran, bench.incident().hold) == ([], HoldReason.BUSY)
    assert "the daemon stops" in bench.incident().hold_detail
    starts(bench)
    assert bench.ran == ["restart it"]


def test_f31_a_retry_is_made_by_the_next_life_and_is_no_first_try_again() -> None:
    bench = climbing(steps=(replace(STEP, retry=AGAIN),))
    bench.matched()
    stops(bench)
    bench.finish(EXIT_1)
    pass_time(bench, 5)
    assert len(bench.ran) == 1
    starts(bench)
    assert [each.try_no for each in bench.attempts] == [1, 2]


def test_f31_the_next_rung_is_climbed_by_the_next_life() -> None:
    bench = climbing(steps=(STEP, SECOND))
    bench.matched()
    stops(bench)
    bench.finish(OK)
    bench.probed(FAILED)
    pass_time(bench, 5)
    assert (bench.ran, bench.incident().status) == (["restart it"], IncidentStatus.RETRYING)
    starts(bench)
    assert bench.ran == ["restart it", "fail over"]


def test_f31_what_failed_halfway_is_undone_by_the_next_life() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND))
    bench.matched()
    stops(bench)
    bench.finish(EXIT_1)
    pass_time(bench, 5)
    assert bench.ran == ["restart it"]
    starts(bench)
    assert bench.ran == ["restart it", "undo it"]


def test_f31_what_was_handed_over_too_late_to_undo_a_step_undoes_it_in_the_next_life() -> None:
    bench = climbing(steps=(replace(STEP, rollback=UNDO), SECOND))
    bench.matched()
    bench.finish(EXIT_1)
    stops(bench)
    bench.give(StepNotBegun(bench.attempt_id, "the daemon stops"))
    pass_time(bench, 5)
    starts(bench)
    assert [each.kind for each in bench.attempts] == [AttemptKind.STEP, AttemptKind.ROLLBACK, AttemptKind.ROLLBACK]
    bench.give(StepFinished(bench.attempt_id, OK))
    assert bench.ran[-1] == "fail over"


def test_f31_what_is_checked_before_a_step_is_checked_again_by_the_next_life() -> None:
    bench = climbing(steps=(replace(STEP, expect=(TcpProbe("127.0.0.1:80"),)),))
    bench.matched()
    stops(bench)
    answers = ((CheckPurpose.EXPECT, PASSED),)
    bench.give(ChecksFinished(bench.incident().id, answers))
    pass_time(bench, 5)
    assert bench.ran == []
    starts(bench)
    bench.give(ChecksFinished(bench.incident().id, answers))
    assert bench.ran == ["restart it"]


def test_f31_an_approval_is_not_used_up_by_a_stop() -> None:
    bench = Bench(policy(with_fix(RULE, mode=Mode.APPROVE, limits=Limits(cooldown=timedelta(0)))))
    bench.matched()
    stops(bench)
    bench.give(Approve(bench.incident().id, "ann"))
    pass_time(bench, 5)
    assert bench.ran == []
    starts(bench)
    bench.give(ChecksFinished(bench.incident().id, ((CheckPurpose.STILL_THERE, FAILED),)))
    assert bench.ran == ["restart it"]


def test_f31_what_runs_as_the_daemon_stops_gets_its_verdict() -> None:
    bench = climbing()
    bench.matched()
    stops(bench)
    bench.fixed()
    assert bench.incident().status is IncidentStatus.RESOLVED
