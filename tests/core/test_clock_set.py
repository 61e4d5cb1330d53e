"""Somebody sets the clock: what lasts lasts as long as it would have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import (
    FAILED,
    FIX,
    PROBE,
    RULE,
    START,
    STEP,
    Bench,
    breaker_of,
    match,
    observed,
    policy,
    record,
    with_fix,
)
from logmedic.core.clockset import by_todays_clock, set_ahead
from logmedic.core.decide import due
from logmedic.core.earned import aged
from logmedic.model.alert import Delivery
from logmedic.model.changeset import Delivered, Send, StepFinished, Tick
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import FixResult
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.match import MatchSpec
from logmedic.model.record import Match
from logmedic.model.rule import Limits, Verify
from logmedic.model.step import Retry
from logmedic.model.trust import Earned
from logmedic.model.when import CLEAR, Absence, Clear, When

EACH_WAY = pytest.mark.parametrize("by", [-7200.0, -30.0, 30.0, 7200.0, 90_000.0])
COOLDOWN = Limits(cooldown=timedelta(minutes=5))


@EACH_WAY
def test_f33_a_cooldown_lasts_as_long_as_it_would_have(by: float) -> None:
    bench = Bench(policy(with_fix(limits=COOLDOWN)))
    bench.matched()
    bench.fixed()
    bench.set_clock(by)
    bench.matched(60)
    assert bench.incident().hold is HoldReason.COOLDOWN
    bench.give(Tick(), 230)
    assert len(bench.ran) == 1
    bench.give(Tick(), 20)
    assert len(bench.ran) == 2


@EACH_WAY
def test_f33_a_daemon_that_has_only_just_started_lets_fixes_wait_for_as_long_as_it_would_have(by: float) -> None:
    """NTP sets the clock of a host that boots, which is when this limit matters."""
    bench = Bench(policy(with_fix(limits=Limits(min_uptime=timedelta(minutes=2))), started_at=START))
    bench.now += timedelta(seconds=5)
    bench.set_clock(by)
    bench.matched(6)
    assert bench.incident().hold is HoldReason.WARMING_UP
    bench.give(Tick(), 105)
    assert bench.ran == []
    bench.give(Tick(), 5)
    assert len(bench.ran) == 1


@EACH_WAY
def test_f33_an_absence_of_before_a_start_has_its_time_to_be_answered_whatever_the_clock_says(by: float) -> None:
    rule = replace(RULE, fix=None, when=When(Absence(timedelta(minutes=10), ())))
    bench = Bench(policy(rule))
    bench.give(observed(match(rule, bench.now)))
    bench.now += timedelta(hours=1)
    bench.policy = policy(rule, started_at=bench.now)
    bench.set_clock(by)
    bench.give(Tick(), 55)
    assert not bench.state.incidents
    at = due(bench.state, bench.policy)
    assert at is not None
    assert abs(at - bench.now - timedelta(seconds=5)) < timedelta(seconds=1)
    bench.give(Tick(), 6)
    assert len(bench.state.incidents) == 1


@EACH_WAY
def test_f33_the_silence_that_proves_a_fix_is_not_cut_short_and_not_stretched(by: float) -> None:
    bench = Bench(policy(with_fix(verify=Verify((PROBE,), timedelta(minutes=10)))))
    bench.matched()
    bench.fixed()
    assert bench.incident().status is IncidentStatus.SETTLING
    bench.set_clock(by)
    bench.give(Tick(), 590)
    assert bench.incident().status is IncidentStatus.SETTLING
    bench.give(Tick(), 20)
    assert bench.incident().status is IncidentStatus.RESOLVED


@EACH_WAY
def test_f33_a_retry_comes_when_it_would_have(by: float) -> None:
    again = Retry(attempts=2, base=timedelta(minutes=1), max=timedelta(minutes=1))
    bench = Bench(policy(with_fix(steps=(replace(STEP, retry=again),))))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, FixResult(1, 0.1)))
    bench.set_clock(by)
    bench.give(Tick(), 40)
    assert len(bench.ran) == 1
    bench.give(Tick(), 40)
    assert len(bench.ran) == 2


@EACH_WAY
def test_f33_an_open_breaker_opens_its_door_when_it_would_have(by: float) -> None:
    bench = Bench(policy(with_fix(breaker=replace(FIX.breaker, failures=1))))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, FixResult(1, 0.1)))
    assert breaker_of(bench.state).status is BreakerStatus.OPEN
    bench.set_clock(by)
    bench.matched(29 * 60)
    assert len(bench.ran) == 1
    bench.matched(2 * 60)
    assert len(bench.ran) == 2


@EACH_WAY
def test_f33_the_hours_budget_is_of_an_hour(by: float) -> None:
    bench = Bench(policy(with_fix(limits=Limits(cooldown=timedelta(0), max_per_hour=1))))
    bench.matched()
    bench.fixed()
    bench.set_clock(by)
    bench.matched(30 * 60)
    assert bench.incident().hold is HoldReason.BUDGET
    bench.matched(31 * 60)
    assert len(bench.ran) == 2


@EACH_WAY
def test_f33_a_message_that_failed_is_tried_again_when_it_would_have_been(by: float) -> None:
    bench = Bench(policy(replace(RULE, fix=None)))
    bench.matched()
    (alert,) = bench.messages
    bench.give(Delivered(alert.id, Delivery(False, "503", retry_after_s=60)))
    bench.set_clock(by)
    sent = len([each for each in bench.intents if isinstance(each, Send)])
    bench.give(Tick(), 50)
    assert len([each for each in bench.intents if isinstance(each, Send)]) == sent
    bench.give(Tick(), 15)
    assert len([each for each in bench.intents if isinstance(each, Send)]) == sent + 1


def test_f33_no_burst_at_a_day_ahead() -> None:
    bench = Bench(policy(replace(RULE, fix=None)))
    for name in "abc":
        bench.matched(group=name)
    bench.deliver()
    before = len(bench.messages)
    bench.set_clock(90_000)
    bench.give(Tick())
    assert len(bench.messages) == before
    assert len(bench.state.incidents) == 3


HAS_ROOM = When(clear=Clear(match=MatchSpec(("has room",))))


@pytest.mark.parametrize("sets", [(30.0,), (7200.0,), (90_000.0,), (7200.0, 600.0), (7200.0, -600.0)])
@pytest.mark.parametrize(("written_after", "status"), [(10, IncidentStatus.RESOLVED), (-10, IncidentStatus.OPEN)])
def test_f33_a_line_that_was_written_before_the_clock_was_set_ahead_ends_what_came_before_it(
    sets: tuple[float, ...], written_after: float, status: IncidentStatus
) -> None:
    """It is read afterwards, and looks as old as the clock was behind."""
    rule = replace(RULE, fix=None, when=HAS_ROOM)
    bench = Bench(policy(rule))
    bench.matched(rule=rule)
    written = bench.now + timedelta(seconds=written_after)
    bench.now += timedelta(seconds=20)
    for by in sets:
        bench.set_clock(by)
    bench.give(observed(Match(rule.id, record("has room", written), {}, "", CLEAR)), 1)
    assert bench.incident().status is status


def test_f33_a_clock_that_is_set_back_again_leaves_nothing_to_translate() -> None:
    there = set_ahead((), START + timedelta(hours=2), timedelta(hours=2))
    assert by_todays_clock(there, START) == START + timedelta(hours=2)
    assert by_todays_clock(there, START + timedelta(hours=2)) == START + timedelta(hours=2)
    assert set_ahead(there, START, timedelta(hours=-2)) == ()


@pytest.mark.parametrize("hours_ahead", [0, 2])
def test_f33_what_was_seen_by_a_clock_that_was_ahead_is_ended_by_the_line_that_says_so(hours_ahead: int) -> None:
    ends = When(clear=Clear(match=MatchSpec(("has room",))))
    rule = replace(RULE, fix=None, when=ends)
    bench = Bench(policy(rule))
    bench.give(observed(match(rule, START + timedelta(hours=2))), hours_ahead * 3600)
    bench.now = START
    over = Match(rule.id, record("has room", START + timedelta(minutes=1)), {}, "", CLEAR)
    bench.give(observed(over), 60)
    assert bench.incident().status is IncidentStatus.RESOLVED


def test_f33_a_line_that_says_that_it_is_over_ends_what_one_of_a_clock_ahead_began_a_moment_before_it() -> None:
    rule = replace(RULE, fix=None, when=HAS_ROOM)
    bench = Bench(policy(rule))
    began = match(rule, bench.now + timedelta(hours=2))
    over = Match(rule.id, record("has room", bench.now - timedelta(seconds=0.3)), {}, "", CLEAR)
    bench.give(observed(began, over))
    assert bench.incident().status is IncidentStatus.RESOLVED


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=2)])
def test_f33_a_fix_that_failed_is_not_tried_again_for_the_line_that_began_it(ahead: timedelta) -> None:
    bench = Bench(policy())
    bench.give(observed(match(RULE, bench.now + ahead)))
    bench.finish(FixResult(1, 0.1, "no"))
    bench.probed(FAILED)
    ran = len(bench.ran)
    for _ in range(30):
        bench.give(Tick(), 60)
    assert len(bench.ran) == ran


@pytest.mark.parametrize("clear", [Clear(), Clear(quiet=timedelta(minutes=5))], ids=["by the policy", "by the rule"])
def test_f33_lines_of_a_clock_that_is_ahead_are_one_incident_which_ends_once_they_end(clear: Clear) -> None:
    """Of a container in another zone, say: silence begins with the last of them, and not two hours later."""
    rule = replace(RULE, fix=None, when=When(clear=clear))
    bench = Bench(policy(rule, resolve_after=timedelta(minutes=5)))
    for _ in range(20):
        bench.give(observed(match(rule, bench.now + timedelta(hours=2))), 60)
    (incident,) = bench.state.incidents.values()
    assert (incident.occurrences, incident.status) == (20, IncidentStatus.OPEN)
    bench.give(Tick(), 299)
    assert bench.state.incidents
    bench.give(Tick(), 61)
    assert bench.incident().status is IncidentStatus.RESOLVED


def test_f33_what_a_step_earned_does_not_age_by_a_clock_that_is_ahead_for_a_while() -> None:
    bench = Bench(policy(RULE))
    known = Earned(RULE.id, "restart", 20.0, 19.0, bench.now)
    bench.state.earned[known.rule_id, known.step] = known
    bench.set_clock(400 * 86400.0)
    assert aged(bench.state.earned[known.rule_id, known.step], bench.now).tried == 20.0
    bench.set_clock(-400 * 86400.0)
    assert bench.state.earned[known.rule_id, known.step] == known


def test_f33_what_a_step_earned_before_a_boot_long_ago_stays_of_its_time() -> None:
    bench = Bench(policy(RULE))
    known = Earned(RULE.id, "restart", 20.0, 19.0, bench.now)
    bench.state.earned[known.rule_id, known.step] = known
    bench.now -= timedelta(days=20_000)
    bench.set_clock(20_000 * 86400.0)
    assert bench.state.earned[known.rule_id, known.step] == known
