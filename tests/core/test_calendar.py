"""By which time what is stored is old, when the daemon's clock is far from what it should say (F33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.calendar import BELIEVED_AFTER, COUNTS_AT_MOST, DAY, WEEK, looked_at, step_of
from logmedic.model.retention import Calendar

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAR = timedelta(days=400)
RIGHT = Calendar(NOW, NOW)


class Host:
    """Time passes on it, and its clock is `wrong`."""

    def __init__(self, known: Calendar | None = RIGHT) -> None:
        self.true = NOW
        self.known = known

    def look(self, passed: timedelta = HOUR, wrong: timedelta = FAR, off: timedelta = timedelta()) -> Calendar:
        """`off`: nobody ran for so long before that."""
        self.true += passed + off
        self.known = looked_at(self.known, self.true + wrong, passed, WEEK)
        return self.known


def test_where_nobody_has_looked_before_the_clock_is_right() -> None:
    assert Host(None).look() == Calendar(NOW + HOUR + FAR, NOW + HOUR + FAR)


@pytest.mark.parametrize("off", [HOUR, -HOUR, WEEK, -WEEK, timedelta()])
def test_f33_a_clock_that_is_no_more_than_a_week_off_is_right(off: timedelta) -> None:
    known = Host().look(wrong=off)
    assert (known.at, known.doubted_for) == (NOW + HOUR + off, None)


def test_f33_a_clock_that_is_far_ahead_makes_nothing_old() -> None:
    host = Host()
    for hours in range(24):
        known = host.look()
        assert (known.old_by, known.is_ahead, known.doubted_for) == (host.true, True, hours * HOUR)


def test_f33_a_clock_that_has_been_far_ahead_for_a_day_is_right() -> None:
    host = Host()
    for _ in range(25):
        known = host.look()
    assert known == Calendar(host.true + FAR, host.true + FAR)


def test_f33_a_clock_that_says_something_else_again_is_doubted_for_a_day_from_then_on() -> None:
    """The host was off for ten days; 23 hours after that somebody mistypes a year."""
    host = Host()
    host.look(wrong=timedelta(), off=timedelta(days=10))
    for _ in range(23):
        host.look(wrong=timedelta())
    known = host.look()
    assert known.doubted_for == timedelta()
    assert known.old_by < host.true


def test_f33_a_host_that_wakes_up_days_later_with_another_clock_has_not_said_so_for_days() -> None:
    host = Host()
    assert host.look(timedelta(days=3)).doubted_for == timedelta()
    assert host.look(timedelta(days=3)).doubted_for == COUNTS_AT_MOST


def test_f33_of_a_clock_that_is_far_behind_the_earlier_time_counts_and_what_it_should_say_is_not_forgotten() -> None:
    host = Host()
    known = host.look(wrong=-FAR)
    assert (known.old_by, known.is_ahead) == (host.true - FAR, False)
    known = host.look(wrong=timedelta())
    assert known == Calendar(host.true, host.true), "it is righted: no day is waited for"


def test_f33_a_host_that_was_off_for_months_and_never_runs_for_a_day_is_believed_in_the_end() -> None:
    """A life has a look as it begins, when nothing has passed, and one an hour; what is known is kept between them."""
    host = Host()
    host.true += 3 * FAR
    for _ in range(4):
        host.look(timedelta(), timedelta(), off=16 * HOUR)
        for _ in range(8):
            known = host.look(wrong=timedelta())
    assert known == Calendar(host.true, host.true)


@pytest.mark.parametrize(
    ("kept", "step"), [((30 * DAY, 90 * DAY), WEEK), ((12 * DAY, 90 * DAY), 3 * DAY), ((HOUR, 90 * DAY), DAY)]
)
def test_f33_what_is_kept_for_days_does_not_leave_a_week_early(kept: tuple[timedelta, ...], step: timedelta) -> None:
    assert step_of(kept) == step


LOOKS = st.tuples(
    st.sampled_from([timedelta(), timedelta(), HOUR, -FAR, FAR, 2 * FAR, 20 * FAR]),
    st.timedeltas(min_value=timedelta(), max_value=4 * DAY),
    st.sampled_from([timedelta(), timedelta(), HOUR, DAY]),
)


@given(st.lists(LOOKS, max_size=60))
def test_f33_nothing_is_old_by_a_clock_that_is_wrong_for_less_than_a_day(
    looks: list[tuple[timedelta, timedelta, timedelta]],
) -> None:
    """Whatever it says from look to look, through suspends and restarts."""
    host, before, said_for = Host(), timedelta(), timedelta()
    for wrong, passed, off in looks:
        said_for = said_for + min(passed, COUNTS_AT_MOST) if wrong == before else timedelta()
        before = wrong
        if wrong > WEEK and said_for >= BELIEVED_AFTER:
            return
        known = host.look(passed, wrong, off)
        assert known.old_by <= min(host.true + WEEK, host.true + wrong)
        if off == wrong == timedelta() and known.doubted_for is None:
            assert known.old_by == host.true, "and what is old by a right clock leaves"
