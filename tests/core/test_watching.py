"""What becomes of an incident when nothing is done, and what a fix that only observes earns by that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import FIX, STEP, Bench, policy, with_fix
from logmedic.core.earned import horizon
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import (
    CheckPurpose,
    ChecksFinished,
    RunChecks,
    RunStep,
    SetTrust,
    StepFinished,
    Tick,
)
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.issue import HoldReason, Resolution
from logmedic.model.rule import Mode, Verify
from logmedic.model.step import Command

WELL, ILL, UNKNOWN = ProbeResult(True, "well"), ProbeResult(False, "ill"), ProbeResult(None, "nobody knows")
QUIET = Verify((), timedelta(seconds=30))


OBSERVING = with_fix(mode=Mode.OBSERVE, graduate_after=3)


def baseline(bench: Bench) -> tuple[float, float]:
    """Recovered, of how many."""
    found = bench.state.earned.get(("web-down", ""))
    return (round(found.fixed), round(found.tried)) if found is not None else (0, 0)


def asked(bench: Bench, purpose: CheckPurpose) -> list[RunChecks]:
    return [each for each in bench.intents if isinstance(each, RunChecks) and each.checks[0][0] is purpose]


def answer(bench: Bench, purpose: CheckPurpose, result: ProbeResult, after: float = 0.0) -> None:
    bench.give(ChecksFinished(bench.incident().id, ((purpose, result),)), after)


def test_a_fix_that_wants_no_trust_asks_nobody() -> None:
    bench = Bench(policy(with_fix(mode=Mode.OBSERVE)))
    bench.matched()
    assert not any(isinstance(each, RunChecks) for each in bench.intents)


def test_one_that_observes_asks_at_once_and_after_the_time_that_the_fix_would_have_had() -> None:
    bench = Bench(policy(OBSERVING))
    bench.matched()
    (now,) = asked(bench, CheckPurpose.WARRANTED)
    (later,) = asked(bench, CheckPurpose.RECOVERED)
    assert OBSERVING.fix is not None
    assert (now.after, later.after) == (timedelta(0), horizon(OBSERVING.fix))


@pytest.mark.parametrize(
    ("found", "counted", "wins", "losses"),
    [(WELL, (1, 1), 0, 1), (ILL, (0, 1), 1, 0), (UNKNOWN, (0, 0), 0, 0)],
    ids=["well by itself", "still ill", "unknown"],
)
def test_what_would_have_helped_earns_trust(
    found: ProbeResult, counted: tuple[int, int], wins: int, losses: int
) -> None:
    bench = Bench(policy(OBSERVING))
    bench.matched()
    answer(bench, CheckPurpose.WARRANTED, ILL)
    answer(bench, CheckPurpose.RECOVERED, found, after=120)
    trust = bench.state.trust.get("web-down")
    assert baseline(bench) == counted
    assert ((trust.wins, trust.losses) if trust is not None else (0, 0)) == (wins, losses)


def test_an_incident_is_counted_once_however_it_ends() -> None:
    bench = Bench(policy(OBSERVING))
    bench.matched()
    answer(bench, CheckPurpose.WARRANTED, ILL)
    answer(bench, CheckPurpose.RECOVERED, ILL, after=120)
    bench.give(Tick(), after=3600)
    assert bench.incident().resolution is Resolution.QUIET
    assert baseline(bench) == (0, 1)


def test_silence_says_that_it_is_well_only_where_silence_proves_the_fix() -> None:
    for verify, counted in ((QUIET, (1, 1)), (FIX.verify, (0, 0))):
        bench = Bench(policy(with_fix(mode=Mode.OBSERVE, verify=verify)))
        bench.matched()
        bench.give(Tick(), after=3600)
        assert bench.incident().resolution is Resolution.QUIET
        assert baseline(bench) == counted


def test_what_lasted_longer_than_the_fix_did_not_get_well_by_itself() -> None:
    bench = Bench(policy(with_fix(mode=Mode.OBSERVE, verify=QUIET)))
    for _ in range(10):
        bench.matched(60)
    bench.give(Tick(), after=3600)
    assert baseline(bench) == (0, 1)


def test_what_a_fix_was_run_for_is_no_baseline() -> None:
    bench = Bench(policy(with_fix(graduate_after=3)))
    bench.matched()
    answer(bench, CheckPurpose.RECOVERED, WELL)
    assert baseline(bench) == (0, 0)


def seen_to_help(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.matched(10)
        answer(bench, CheckPurpose.WARRANTED, ILL)
        answer(bench, CheckPurpose.RECOVERED, ILL, after=120)
        bench.give(Tick(), after=3600)


def test_enough_that_would_have_helped_propose_the_next_mode_and_people_are_told() -> None:
    bench = Bench(policy(OBSERVING))
    seen_to_help(bench, 3)
    trust = bench.state.trust["web-down"]
    assert (trust.level, trust.proposed) == (Mode.OBSERVE, Mode.APPROVE)
    told = [each for each in bench.messages if each.event is AlertEvent.TRUST]
    assert len(told) == 1
    assert "earned mode approve" in told[0].body
    assert "logmedic trust raise" in told[0].body
    assert "logmedic trust show web-down" in told[0].body


def test_what_was_observed_waits_for_approval_as_soon_as_somebody_says_so() -> None:
    bench = Bench(policy(OBSERVING))
    seen_to_help(bench, 3)
    bench.matched(10)
    assert bench.incident().hold is HoldReason.OBSERVE
    changeset = bench.give(SetTrust("web-down", Mode.APPROVE, "ann", "three times was enough"))
    assert bench.incident().hold is HoldReason.AWAITING_APPROVAL
    assert [(each.by, each.why) for each in changeset.trust_changes] == [("ann", "three times was enough")]


def test_what_waits_for_approval_runs_when_its_rule_is_trusted_to_run_by_itself() -> None:
    bench = Bench(policy(with_fix(mode=Mode.APPROVE, graduate_after=3, verify=QUIET)))
    bench.matched()
    bench.give(SetTrust("web-down", Mode.AUTO, "ann", "night shift"))
    assert len([each for each in bench.intents if isinstance(each, RunStep)]) == 1


def test_a_step_that_was_changed_earns_anew() -> None:
    bench = Bench(policy(with_fix(verify=QUIET)))
    first = with_fix(verify=QUIET)
    changed = with_fix(verify=QUIET, steps=(replace(STEP, action=Command(("/usr/bin/other",))),))
    for rule in (first, changed):
        bench.policy = policy(rule)
        bench.matched(600, rule=rule)
        attempt = next(each.attempt for each in reversed(bench.intents) if isinstance(each, RunStep))
        bench.give(StepFinished(attempt.id, FixResult(0, 0.1)))
        bench.give(Tick(), after=60)
    assert bench.state.earned["web-down", "restart it"].tried == 1
