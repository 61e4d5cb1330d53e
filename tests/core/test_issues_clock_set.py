"""A clock that was ahead for a while leaves known issues as they were (F33)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import START, Bench, learning, observed, policy, unknown
from logmedic.core.setback import ahead
from logmedic.model.changeset import FoundAhead, ResolveIssue, Sweep
from logmedic.model.issue import IssueStatus, KnownIssue

DAY = timedelta(days=1)
HOUR = 3600.0
FAR = 400 * 86400.0


def issue(bench: Bench) -> KnownIssue:
    (found,) = bench.state.issues.values()
    return found


def comes(bench: Bench, after: float = 1.0, times: int = 1) -> None:
    bench.now += timedelta(seconds=after)
    for _ in range(times):
        bench.give(observed(unknown(bench.now)))


@pytest.fixture
def bench() -> Bench:
    """One that comes ten times an hour since two days."""
    made = Bench(policy(learning=learning(resolve_after=7 * DAY)))
    for _ in range(48):
        comes(made, HOUR, times=10)
    return made


def test_f33_nothing_is_silent_by_a_clock_that_is_doubted(bench: Bench) -> None:
    bench.set_clock(FAR)
    bench.give(Sweep(bench.now - timedelta(seconds=FAR)), 60)
    assert issue(bench).status is IssueStatus.ONGOING
    bench.give(Sweep(bench.now), 60)
    assert issue(bench).status is IssueStatus.RESOLVED, "it is believed"


@pytest.mark.parametrize("by", [HOUR, 2 * HOUR, FAR])
def test_f33_what_was_resolved_by_a_clock_that_was_ahead_is_seen_to_come_back(bench: Bench, by: float) -> None:
    bench.set_clock(by)
    bench.give(ResolveIssue(issue(bench).id, "eva", "raised the limit", ""), 1)
    bench.set_clock(-by)
    assert issue(bench).resolved_at == bench.now
    comes(bench)
    assert issue(bench).status is IssueStatus.REGRESSED


@pytest.mark.parametrize("by", [2 * HOUR, FAR])
def test_f33_an_issue_that_was_seen_by_a_clock_that_was_ahead_has_episodes_and_a_rate_afterwards(
    bench: Bench, by: float
) -> None:
    usual = issue(bench).usual
    bench.set_clock(by)
    comes(bench, 60, times=5)
    bench.set_clock(-by)
    known = issue(bench)
    assert known.last_seen == bench.now
    assert known.onset_at is not None
    assert known.onset_at <= bench.now
    assert known.first_seen == START + timedelta(seconds=HOUR)
    assert known.usual == pytest.approx(usual, rel=0.05), "the hours in between were none"
    comes(bench, HOUR)
    comes(bench, HOUR)
    assert issue(bench).episodes == known.episodes + 2
    assert issue(bench).slot_at == bench.now.replace(minute=0, second=0, microsecond=0)


def test_f33_a_host_that_boots_long_ago_and_is_told_the_time_leaves_issues_as_they_were(bench: Bench) -> None:
    known = issue(bench)
    bench.now -= timedelta(days=20_000)
    bench.set_clock(20_000 * 86400.0)
    assert issue(bench) == known


@pytest.mark.parametrize("by", [-3.0, -30.0, 30.0])
def test_f33_a_small_step_of_the_clock_moves_nothing(bench: Bench, by: float) -> None:
    bench.now += timedelta(minutes=10)
    known = issue(bench)
    bench.set_clock(by)
    assert issue(bench) is known


def test_f33_times_that_are_set_back_stay_in_their_order(bench: Bench) -> None:
    known = issue(bench)
    for seconds in range(12):  # some of it is by the clock that was ahead, some is not
        bench.state.issues[known.fingerprint] = replace(
            known,
            first_seen=bench.now + timedelta(seconds=seconds - 3),
            last_seen=bench.now + timedelta(seconds=seconds),
            resolved_at=bench.now + timedelta(seconds=seconds),
        )
        bench.set_clock(-6.0)
        after = issue(bench)
        assert after.resolved_at is not None
        assert after.first_seen <= after.last_seen <= after.resolved_at


@pytest.mark.parametrize("noticed", [timedelta(), timedelta(hours=3)])
def test_f33_what_was_resolved_by_a_clock_that_was_righted_while_nobody_ran_is_seen_to_come_back(
    bench: Bench, noticed: timedelta
) -> None:
    bench.set_clock(FAR)
    comes(bench, 60)
    bench.give(ResolveIssue(issue(bench).id, "eva", "raised the limit", ""), 1)
    bench.now += noticed - timedelta(seconds=FAR)
    assert ahead(bench.state, bench.now)
    bench.give(FoundAhead())
    known = issue(bench)
    assert (known.resolved_at, known.slot_at) == (bench.now, bench.now.replace(minute=0, second=0, microsecond=0))
    assert known.last_seen <= bench.now
    comes(bench)
    assert issue(bench).status is IssueStatus.REGRESSED


def test_f33_a_start_long_ago_leaves_issues_as_they_were(bench: Bench) -> None:
    known = issue(bench)
    bench.now -= timedelta(days=20_000)
    bench.give(FoundAhead())
    assert issue(bench) is known


@pytest.mark.parametrize("righted", [3 * 60.0, -3 * 60.0])
def test_f33_what_was_seen_by_the_right_clock_does_not_go_back_with_the_rest(bench: Bench, righted: float) -> None:
    """The clock is set back a little too far, or lines are of a clock that is hours ahead."""
    known = issue(bench)
    bench.set_clock(FAR)
    bench.now += timedelta(minutes=1)
    bench.set_clock(-FAR - righted)
    after = issue(bench)
    assert after.first_seen == known.first_seen
    assert abs(after.last_seen - bench.now) <= DAY
    assert after.onset_at is not None
    assert after.slot_at is not None
    assert after.onset_at <= after.last_seen
    assert abs(after.slot_at - bench.now) <= DAY + timedelta(hours=1)


def test_f33_a_device_whose_clock_is_days_ahead_is_no_clock_of_ours_that_was_set_back(bench: Bench) -> None:
    known = issue(bench)
    bench.state.issues[known.fingerprint] = replace(known, last_seen=bench.now + 3 * DAY)
    assert not ahead(bench.state, bench.now)
