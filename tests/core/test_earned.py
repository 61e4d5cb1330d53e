"""What steps earn, how it ages, what may be said of so few tries, and the order that follows from it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import FIX, START, STEP
from logmedic.core.earned import HALF_LIFE, KNOWN, Rank, aged, at_least, counted, horizon, plan, ranks, wilson
from logmedic.model.probe import AllOf, AnyOf, HttpProbe, Not, TcpProbe
from logmedic.model.rule import Fix, Verify
from logmedic.model.trust import Earned

TWO_SIDED = 1.959963984540054
"""The normal distribution's 97.5 % quantile, which published examples use."""
DAY = timedelta(days=1)


def earned(tried: float, fixed: float, step: str = "", at: datetime = START) -> Earned:
    return Earned("web-down", step, tried, fixed, at)


def ladder(*rungs: int) -> Fix:
    """A fix with one step for each number, which is its rung; steps are called by their places: 0, 1, ..."""
    return replace(FIX, steps=tuple(replace(STEP, name=str(n), rung=rung) for n, rung in enumerate(rungs)))


def order_of(fix: Fix, *evidence: tuple[float, float], baseline: tuple[float, float] = (0, 0)) -> tuple[int, ...]:
    """The plan, when each step has so many outcomes (tried, fixed)."""
    of_step = {str(n): earned(*each, step=str(n)) for n, each in enumerate(evidence)}
    return plan(fix, ranks(fix, of_step.__getitem__, earned(*baseline), START))


# -- counting, and age -------------------------------------------------------------------------------------------------


def test_outcomes_are_added_up() -> None:
    now = counted(counted(earned(0, 0), won=True, now=START), won=False, now=START)
    assert (now.tried, now.fixed) == (2, 1)


def test_after_a_half_life_an_outcome_counts_half() -> None:
    now = counted(earned(8, 6), won=True, now=START + HALF_LIFE)
    assert (now.tried, now.fixed, now.at) == (5, 4, START + HALF_LIFE)


def test_age_is_the_same_counted_at_once_or_piece_by_piece() -> None:
    pieces = earned(8, 6)
    for day in range(1, 61):
        pieces = aged(pieces, START + day * DAY)
    at_once = aged(earned(8, 6), START + 60 * DAY)
    assert pieces.tried == pytest.approx(at_once.tried) == pytest.approx(2)
    assert pieces.fixed == pytest.approx(at_once.fixed)


def test_a_clock_that_was_set_back_neither_ages_nor_rejuvenates() -> None:
    back = counted(earned(4, 4), won=True, now=START - DAY)
    assert (back.tried, back.fixed, back.at) == (5, 5, START)


# -- intervals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixed", "tried", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_score_interval_agrees_with_published_ones(fixed: int, tried: int, low: float, high: float) -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion", 1998."""
    assert wilson(fixed, tried, TWO_SIDED) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("ours", "baseline", "low"),
    [
        ((56, 70), (48, 80), 0.0524),
        ((9, 10), (3, 10), 0.1705),
        ((10, 10), (0, 20), 0.6791),
        ((10, 10), (0, 10), 0.6075),
    ],
)
def test_the_difference_agrees_with_published_ones(
    ours: tuple[int, int], baseline: tuple[int, int], low: float
) -> None:
    """Newcombe, "Interval estimation for the difference between independent proportions", 1998."""
    assert at_least(*ours, *baseline, TWO_SIDED) == pytest.approx(low, abs=5e-5)


def test_of_nothing_tried_nothing_is_known() -> None:
    assert wilson(0, 0) == (0, 1)
    assert at_least(0, 0, 0, 0) <= -0.5


def test_a_step_that_fixes_no_more_than_doing_nothing_earns_no_credit() -> None:
    (rank,) = ranks(ladder(0), lambda _: earned(20, 18), earned(20, 18), START)
    assert rank.known
    assert rank.rate == rank.baseline == pytest.approx(0.9)
    assert rank.at_least < 0


def test_a_step_that_fixes_what_stays_broken_otherwise_earns_credit() -> None:
    (rank,) = ranks(ladder(0), lambda _: earned(20, 18), earned(20, 2), START)
    assert 0.55 < rank.at_least < rank.rate - rank.baseline


def test_nobody_is_credited_over_a_baseline_that_nobody_saw() -> None:
    (rank,) = ranks(ladder(0), lambda _: earned(500, 500), earned(0, 0), START)
    assert (rank.baseline, rank.watched) == (0.5, 0)
    assert -0.01 < rank.at_least <= 0
    assert at_least(20, 20, 0, 0) == pytest.approx(0.5 - math.hypot(1 - wilson(20, 20)[0], 0.5))


def test_few_tries_earn_less_than_many() -> None:
    bounds = [at_least(n, n, 1, 10) for n in (1, 3, 10, 100)]
    assert bounds == sorted(bounds)
    assert bounds[0] < 0.2 < 0.6 < bounds[-1]


@pytest.mark.parametrize(("days", "known"), [(0, True), (20, True), (40, False)])
def test_five_outcomes_are_known_for_some_weeks(days: int, known: bool) -> None:
    evidence = earned(0, 0)
    for n in range(5):
        evidence = counted(evidence, won=True, now=START + n * days / 4 * DAY)
    (rank,) = ranks(ladder(0), lambda _: evidence, earned(0, 0), evidence.at)
    assert rank.known is known


# -- the order ---------------------------------------------------------------------------------------------------------


def test_without_evidence_the_order_is_that_of_the_file() -> None:
    assert order_of(ladder(0, 0, 1, 2, 2), *[(0, 0)] * 5) == (0, 1, 2, 3, 4)


def test_the_alternative_that_earned_more_goes_first() -> None:
    assert order_of(ladder(0, 0), (20, 2), (20, 18), baseline=(20, 1)) == (1, 0)
    assert order_of(ladder(0, 0), (20, 2), (20, 18)) == (1, 0)


def test_rungs_keep_their_order_whatever_they_earned() -> None:
    assert order_of(ladder(0, 1, 2), (20, 0), (20, 10), (20, 20)) == (0, 1, 2)
    assert order_of(ladder(0, 1, 1, 2), (20, 0), (20, 0), (20, 20), (50, 50)) == (0, 2, 1, 3)


def test_one_that_is_not_known_stays_and_nothing_moves_past_it() -> None:
    assert order_of(ladder(0, 0), (20, 0), (3, 3)) == (0, 1)
    assert order_of(ladder(0, 0), (3, 0), (20, 20)) == (0, 1)
    assert order_of(ladder(0, 0, 0), (20, 0), (0, 0), (20, 20)) == (0, 1, 2)
    assert order_of(ladder(0, 0, 0), (0, 0), (20, 0), (20, 20)) == (0, 2, 1)


def test_a_few_lucky_tries_do_not_pass_a_long_record() -> None:
    assert order_of(ladder(0, 0), (100, 80), (5, 5)) == (0, 1)
    assert order_of(ladder(0, 0), (100, 80), (5, 5), baseline=(1, 0)) == (0, 1)


def test_with_equal_evidence_the_order_is_that_of_the_file() -> None:
    assert order_of(ladder(0, 0, 0), *[(20, 10)] * 3) == (0, 1, 2)
    assert order_of(ladder(0, 0), (20, 0), (50, 0)) == (0, 1)


def test_evidence_that_is_long_ago_leaves_the_order_to_the_file() -> None:
    fix = ladder(0, 0)
    of_step = {"0": earned(20, 2), "1": earned(20, 18)}
    for days, wanted in ((0, (1, 0)), (60, (1, 0)), (90, (0, 1))):
        found = ranks(fix, of_step.__getitem__, earned(20, 1), START + days * DAY)
        assert plan(fix, found) == wanted


COUNTS = st.tuples(st.integers(0, 60), st.floats(0, 1)).map(lambda each: (float(each[0]), round(each[0] * each[1])))


@given(st.data(), st.lists(st.integers(0, 3), min_size=1, max_size=8), COUNTS)
def test_a_plan_is_a_permutation_that_keeps_rungs_together(
    data: st.DataObject, rungs: list[int], baseline: tuple[float, float]
) -> None:
    fix = ladder(*sorted(rungs))
    evidence = [data.draw(COUNTS) for _ in rungs]
    found = order_of(fix, *evidence, baseline=baseline)
    assert sorted(found) == list(range(len(rungs)))
    assert [fix.steps[n].rung for n in found] == sorted(rungs)
    assert found == order_of(fix, *evidence, baseline=baseline)


@given(st.lists(COUNTS, min_size=2, max_size=8), COUNTS)
def test_whoever_passes_an_earlier_one_has_better_evidence_than_it(
    evidence: list[tuple[float, float]], baseline: tuple[float, float]
) -> None:
    fix = ladder(*[0] * len(evidence))
    of_step = {str(n): earned(*each) for n, each in enumerate(evidence)}
    found = ranks(fix, of_step.__getitem__, earned(*baseline), START)
    order = plan(fix, found)
    for place, step in enumerate(order):
        for passed in (each for each in order[place + 1 :] if each < step):
            assert found[step].known
            assert found[passed].known
            assert found[step].at_least > found[passed].at_least
            assert found[step].surely > found[passed].surely


@given(COUNTS, COUNTS, st.lists(st.integers(0, 400), min_size=2, max_size=6))
def test_age_never_raises_what_was_earned(
    ours: tuple[float, float], baseline: tuple[float, float], days: list[int]
) -> None:
    def later(day: int) -> Rank:
        (rank,) = ranks(ladder(0), lambda _: earned(*ours), earned(*baseline), START + day * DAY)
        return rank

    for one, other in pairwise(map(later, sorted(days))):
        assert other.tried <= one.tried
        assert other.fixed <= one.fixed
        assert other.known <= one.known
        assert other.at_least <= one.at_least + 1e-6
        assert other.surely <= one.surely + 1e-9
    assert later(0).known is (ours[0] >= KNOWN)


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 1))
def test_bounds_hold_for_any_evidence(tried: float, share: float, watched: float, recovered: float) -> None:
    low, high = wilson(tried * share, tried)
    assert 0 <= low <= high <= 1
    assert -1 <= at_least(tried * share, tried, watched * recovered, watched) <= 1


# -- how long it would have had ----------------------------------------------------------------------------------------

SECOND = timedelta(seconds=1)
HTTP = HttpProbe("http://127.0.0.1:1/", within=20 * SECOND)
TCP = TcpProbe("127.0.0.1:1", within=45 * SECOND)


@pytest.mark.parametrize(
    ("timeouts", "verify", "wanted"),
    [
        ((30, 90), Verify((HTTP, TCP)), 165),
        ((30, 90), Verify((HTTP,), 60 * SECOND), 200),
        ((30, 90), Verify((), 10 * SECOND), 130),
        ((30, 90), Verify(), 180),
        ((5,), Verify((HTTP,)), 60),
        ((60,), Verify((AllOf((HTTP, AnyOf((TCP, HTTP)))),)), 105),
        ((60,), Verify((Not(TCP),)), 105),
    ],
    ids=["longest check", "and silence", "silence alone", "neither", "a minute at least", "and, or", "not"],
)
def test_the_horizon_is_as_long_as_the_fix_takes_to_its_verdict(
    timeouts: tuple[int, ...], verify: Verify, wanted: int
) -> None:
    fix = replace(FIX, steps=tuple(replace(STEP, timeout=each * SECOND) for each in timeouts), verify=verify)
    assert horizon(fix) == wanted * SECOND
