"""Which issue tends to begin before which, and which only seems to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.onset_worlds import COINCIDENCES, DAYS, START, Onset, anytime, at, independent, planted, series
from logmedic.core.precursors import FALSE_RATE, survey
from logmedic.model.precursor import Precursor, Refusal, Survey

FEW = settings(max_examples=25, deadline=None)


def found(told: Survey, before: str, after: str) -> Precursor | None:
    return next((each for each in told.precursors if (each.before, each.after) == (before, after)), None)


def reason(told: Survey, before: str, after: str) -> Refusal | None:
    return next((each.reason for each in told.refused if (each.before, each.after) == (before, after)), None)


def pair(hours: list[float], *lags_min: float) -> list[Onset]:
    """`a` at `hours`, `b` behind each, the lags in turn."""
    later = [hour + lags_min[n % len(lags_min)] / 60 for n, hour in enumerate(hours)]
    return [*series("a", hours), *series("b", later)]


# --- what is found


@pytest.mark.parametrize("seed", range(10))
def test_a_cause_that_is_followed_6_times_of_10_is_found_amid_noise(seed: int) -> None:
    told = survey(planted(seed, causes=20))
    each = found(told, "db", "shop")
    assert each is not None
    assert each.support >= 5
    assert timedelta(minutes=2) <= each.lag_median <= each.lag_p90 <= timedelta(minutes=12)
    assert each.within == timedelta(minutes=20)
    assert found(told, "shop", "db") is None


def test_the_numbers_are_those_that_a_person_would_count() -> None:
    hours = [10.0 + 50 * n + n * n % 7 for n in range(12)]
    onsets = [*series("a", hours), *series("b", [*(hour + 0.05 for hour in hours[:9]), 700.0, 900.5])]
    each = found(survey([*onsets, ("c", at(0)), ("c", at(2000))]), "a", "b")
    assert each is not None
    assert (each.support, each.before_count, each.preceded, each.after_count) == (9, 12, 9, 11)
    assert (each.confidence, each.recall) == (9 / 12, 9 / 11)
    assert each.lag_median == each.lag_p90 == timedelta(minutes=3)
    assert each.within == timedelta(minutes=6)
    assert each.last_at == at(hours[8] + 0.05)
    assert each.lift > 50
    assert each.p_value < 1e-9


@pytest.mark.parametrize(
    ("lag", "within"), [(1, 2), (4, 6), (15, 20), (45, 60)], ids=["a minute", "four", "a quarter", "most of an hour"]
)
def test_the_shortest_window_that_explains_it_is_told(lag: float, within: float) -> None:
    each = found(survey(pair(anytime(Random(1), 20), lag)), "a", "b")
    assert each is not None
    assert each.within == timedelta(minutes=within)
    assert each.lag_median == timedelta(minutes=lag)


def test_three_times_of_three_is_enough() -> None:
    each = found(survey([*pair([100.3, 611.7, 1500.2], 5), ("c", at(2000))]), "a", "b")
    assert each is not None
    assert each.support == 3


@pytest.mark.parametrize("times", [0, 1, 2])
def test_less_than_three_times_is_nothing(times: int) -> None:
    assert survey([*pair([100.3, 611.7][:times], 5), ("c", at(0)), ("c", at(2000))]).precursors == ()


def test_what_flaps_in_spells_has_its_cause_all_the_same() -> None:
    hours = [spell + 0.5 * n for spell in anytime(Random(3), 8) for n in range(5)]
    assert found(survey(pair(hours, 4, 5)), "a", "b") is not None


def test_a_job_that_fails_some_nights_is_found_though_all_is_at_night() -> None:
    nights = sorted(Random(4).sample(range(DAYS), 25))
    assert found(survey(pair([24 * night + 3 for night in nights], 9, 11)), "a", "b") is not None


def test_a_chain_is_told_link_by_link() -> None:
    hours = anytime(Random(5), 25)
    onsets = [*pair(hours, 4), *series("c", [hour + 8 / 60 for hour in hours])]
    told = {(each.before, each.after) for each in survey(onsets).precursors}
    assert told == {("a", "b"), ("b", "c"), ("a", "c")}


def test_what_held_before_and_now_is_confirmed_and_what_stopped_is_refused() -> None:
    hours = sorted(anytime(Random(6), 45))
    each = found(survey(pair(hours, 5)), "a", "b")
    assert each is not None
    assert each.confirmed
    stopped = [*series("a", hours), *series("b", [hour + 5 / 60 for hour in hours if hour < 24 * DAYS * 0.6])]
    assert reason(survey(stopped), "a", "b") is Refusal.FADED


def test_the_best_comes_first() -> None:
    told = survey([*planted(3, causes=40, share=0.9), *pair(anytime(Random(9), 8), 5)]).precursors
    assert [(each.before, each.after) for each in told] == [("db", "shop"), ("a", "b")]


# --- what only seems so


@pytest.mark.slow
@pytest.mark.parametrize("name", COINCIDENCES)
def test_issues_that_have_nothing_to_do_with_one_another_give_none(name: str) -> None:
    """docs/precursors.md has what more runs gave."""
    runs = 4
    false = sum(bool(survey(COINCIDENCES[name](seed)).precursors) for seed in range(runs))
    assert false <= runs * FALSE_RATE


@pytest.mark.parametrize("name", COINCIDENCES)
def test_a_cause_is_found_amid_coincidences(name: str) -> None:
    told = survey([*COINCIDENCES[name](99), *planted(99, causes=40, share=0.8, noise=0)])
    assert found(told, "db", "shop") is not None


def every(period_h: float, first: float = 3.0) -> list[float]:
    return [first + period_h * n for n in range(int((DAYS * 24 - first) / period_h))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (every(24), every(24, 3.1)),
        (every(168), every(168, 3.1)),
        (every(168), every(24, 3.1)),
        (every(24), every(168, 3.1)),
        (every(1), every(1, 3.1)),
        (every(7), every(7, 3.1)),
        (every(61 / 60), every(61 / 60, 3.02)),
        (every(25), every(25, 3.1)),
        ([hour for hour in every(24) if hour // 24 % 7 < 5], every(24, 3.1)),
        ([hour for hour in every(24) if hour // 24 % 7 < 5], [hour for hour in every(24, 3.1) if hour // 24 % 7 < 5]),
    ],
    ids=[
        "daily",
        "weekly",
        "weekly, daily",
        "daily, weekly",
        "hourly",
        "7 hours",
        "61 min",
        "25 hours",
        "workdays",
        "both workdays",
    ],
)
def test_two_timetables_are_no_cause(first: list[float], second: list[float]) -> None:
    told = survey([*series("a", first), *series("b", second)])
    assert told.precursors == ()


def test_timetables_that_tremble_and_leave_out_runs_are_no_cause() -> None:
    random = Random(8)
    first = [hour + random.uniform(0, 0.05) for hour in every(24) if random.random() < 0.9]
    second = [hour + random.uniform(0, 0.05) for hour in every(24, 3.1) if random.random() < 0.9]
    told = survey([*series("a", first), *series("b", second)])
    assert told.precursors == ()
    assert reason(told, "a", "b") is Refusal.CLOCK


def test_a_timetable_in_local_time_is_no_cause_over_the_change_of_summer_time() -> None:
    local = [24 * day + 3 + (day > 55) for day in range(DAYS)]
    assert survey([*series("a", local), *series("b", [hour + 0.1 for hour in local])]).precursors == ()


def test_long_spells_of_one_that_begin_before_those_of_the_other_are_no_cause() -> None:
    random = Random(2)
    spells = anytime(random, 15)
    first = [spell + random.uniform(0, 10) for spell in spells for _ in range(10)]
    second = [spell + random.uniform(1, 11) for spell in spells for _ in range(10)]
    assert survey([*series("a", first), *series("b", second)]).precursors == ()


def test_an_issue_that_is_always_on_comes_before_nothing() -> None:
    onsets = [*series("noisy", every(0.3)), *series("rare", anytime(Random(2), 30))]
    assert survey(onsets).precursors == ()


def test_what_comes_before_as_often_as_behind_is_no_cause() -> None:
    hours = sorted(anytime(Random(7), 40))
    onsets = [*series("a", hours), *series("b", [hour + (-0.1, 0.1)[n % 2] for n, hour in enumerate(hours)])]
    told = survey(onsets)
    assert told.precursors == ()
    assert reason(told, "a", "b") is Refusal.BOTH_WAYS


def test_one_bad_evening_is_one_occasion() -> None:
    told = survey([*pair([500 + 0.5 * n for n in range(10)], 5), ("c", at(0)), ("c", at(2000))])
    assert told.precursors == ()
    assert reason(told, "a", "b") is Refusal.FEW_OCCASIONS


@pytest.mark.slow
@pytest.mark.parametrize("issues", [4, 15, 60])
def test_outages_in_which_all_begins_anyhow_tell_no_order(issues: int) -> None:
    told = 0
    for seed in range(5):
        random = Random(seed)
        outages = anytime(random, 15)
        onsets = [(f"i{n}", at(outage + random.random())) for outage in outages for n in range(issues)]
        told += bool(survey(onsets).precursors)
    assert told <= 1


# --- two views of one event


@pytest.mark.parametrize(
    "jitter_s", [0.0, 0.4, 4.0], ids=["same instant", "either way, below a second", "within seconds"]
)
def test_two_views_of_one_event_begin_together_and_are_no_cause(jitter_s: float) -> None:
    random = Random(3)
    hours = anytime(random, 20)
    other = [hour + random.uniform(-jitter_s, jitter_s) / 3600 for hour in hours]
    told = survey([*series("a", hours), *series("b", other)])
    assert told.precursors == ()
    assert [(each.one, each.other, each.times) for each in told.together] == [("a", "b", 20)]


def test_what_always_follows_by_some_seconds_is_a_cause() -> None:
    told = survey(pair(anytime(Random(3), 20), 3 / 60))
    assert told.together == ()
    assert found(told, "a", "b") is not None


def test_what_follows_by_less_than_clocks_tell_begins_together() -> None:
    told = survey(pair(anytime(Random(3), 20), 0.3 / 60))
    assert len(told.together) == 1
    assert told.precursors == ()


# --- odd histories


def test_no_history_and_a_short_one_tell_nothing() -> None:
    assert survey([]) == Survey()
    assert survey(pair([n * 2.0 for n in range(11)], 5)).precursors == ()


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_clock_that_was_years_off_makes_nothing_likelier(year: int) -> None:
    onsets = independent(5, issues=20)
    stray = [(f"i{n}", datetime(year, 1, 1, tzinfo=START.tzinfo) + timedelta(hours=n)) for n in range(5)]
    told = survey([*onsets, *stray])
    assert told.precursors == ()
    assert told.observed < timedelta(days=DAYS + 30)


def test_a_cause_is_found_beside_a_clock_that_was_years_off() -> None:
    stray = ("db", datetime(1970, 1, 1, tzinfo=START.tzinfo))
    assert found(survey([*planted(1), stray]), "db", "shop") is not None


def test_a_clock_that_was_put_back_an_hour_leaves_what_else_is_known() -> None:
    onsets = [(issue, moment - timedelta(hours=moment > at(1000))) for issue, moment in planted(1)]
    assert found(survey(onsets), "db", "shop") is not None


@FEW
@given(st.integers(0, 50), st.integers(-(10**15), 10**15))
def test_another_time_changes_nothing(seed: int, microseconds: int) -> None:
    by = timedelta(microseconds=microseconds)
    onsets = planted(seed, causes=10, noise=10)
    there = survey([(issue, moment + by) for issue, moment in onsets])
    here = survey(onsets)
    assert [each.last_at - by for each in there.precursors] == [each.last_at for each in here.precursors]
    assert [(each.before, each.after, each.p_value, each.lift) for each in there.precursors] == [
        (each.before, each.after, each.p_value, each.lift) for each in here.precursors
    ]
    assert (there.together, there.refused, there.pairs) == (here.together, here.refused, here.pairs)


@FEW
@given(st.integers(0, 50), st.randoms(use_true_random=False))
def test_the_order_of_input_changes_nothing_nor_do_repeats(seed: int, random: Random) -> None:
    onsets = planted(seed, causes=10, noise=10)
    shuffled = [*onsets, *onsets[:20]]
    random.shuffle(shuffled)
    assert survey(shuffled) == survey(onsets)


_any_onsets = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(0, 4000).map(lambda minutes: START + timedelta(minutes=minutes))),
    max_size=150,
)


@FEW
@given(_any_onsets)
def test_whatever_comes_the_numbers_fit(onsets: list[Onset]) -> None:
    told = survey(onsets)
    for each in told.precursors:
        assert each.before != each.after
        assert 3 <= each.support <= each.before_count
        assert each.preceded <= each.after_count
        assert timedelta(0) < each.lag_median <= each.lag_p90 <= each.within
        assert each.lift >= 2
        assert 0 <= each.p_value <= FALSE_RATE
    pairs = [(each.before, each.after) for each in (*told.precursors, *told.refused)]
    assert len(pairs) == len(set(pairs))
    assert not any(found(told, each.after, each.before) for each in told.precursors)


def crowded(issues: int, times: int) -> list[Onset]:
    random = Random(1)
    return [(f"i{n}", at(hour)) for n in range(issues) for hour in anytime(random, times)]


def outages(issues: int, times: int) -> list[Onset]:
    random = Random(1)
    return [(f"i{n}", at(hour + random.random())) for hour in anytime(random, times) for n in range(issues)]


@pytest.mark.slow
@pytest.mark.parametrize("make", [crowded, outages])
def test_a_large_history_takes_seconds(make: Callable[[int, int], list[Onset]]) -> None:
    """Measured: 0.7 to 0.9 s and 2.0 to 2.7 s. The limit is for machines that are slower, and busy."""
    onsets = make(2000, 25)
    began = thread_time()
    told = survey(onsets)
    assert thread_time() - began < 20
    assert told.precursors == ()
