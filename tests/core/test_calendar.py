"""By which time what is stored is old, when the daemon's clock is far from what it should say (F33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.calendar import BELIEVED_AFTER, STEP, looked_at, old_by
from logmedic.model.retention import Calendar

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FAR = timedelta(days=400)


def after(known: Calendar | None, *looks: timedelta, wrong: timedelta = FAR) -> Calendar:
    """Looks that are so far apart, at a clock that is `wrong`."""
    true = known.at if known is not None else NOW
    for passed in looks:
        true += passed
        known = looked_at(known, true + wrong, passed)
    assert known is not None
    return known


def test_where_nobody_has_looked_before_the_clock_is_right() -> None:
    assert looked_at(None, NOW, HOUR) == Calendar(NOW)
    assert old_by(None, NOW) == NOW


@pytest.mark.parametrize("off", [HOUR, -HOUR, STEP, -STEP, timedelta()])
def test_f33_a_clock_that_is_no_more_than_a_week_off_is_right(off: timedelta) -> None:
    assert looked_at(Calendar(NOW), NOW + HOUR + off, HOUR) == Calendar(NOW + HOUR + off)


def test_f33_a_clock_that_is_far_ahead_makes_nothing_old() -> None:
    known = after(Calendar(NOW), HOUR, HOUR, HOUR)
    assert old_by(known, NOW + 3 * HOUR + FAR) == NOW + 3 * HOUR
    assert known.doubted_for == 3 * HOUR


def test_f33_a_clock_that_is_far_ahead_is_right_after_a_day() -> None:
    known = after(Calendar(NOW), *(HOUR,) * 24)
    assert known == Calendar(NOW + DAY + FAR)


def test_f33_of_a_clock_that_is_far_behind_the_earlier_time_counts_and_what_it_should_say_is_not_forgotten() -> None:
    known = after(Calendar(NOW), HOUR, wrong=-FAR)
    assert old_by(known, NOW + HOUR - FAR) == NOW + HOUR - FAR
    assert after(known, HOUR, wrong=timedelta()) == Calendar(NOW + 2 * HOUR), "it is righted: no day is waited for"


def test_f33_a_clock_that_was_ahead_and_is_righted_is_right_at_once() -> None:
    known = after(Calendar(NOW), HOUR, HOUR)
    assert looked_at(known, NOW + 3 * HOUR, HOUR) == Calendar(NOW + 3 * HOUR)


def test_f33_a_host_that_was_off_for_months_and_never_runs_for_a_day_is_believed_in_the_end() -> None:
    """A life has a look as it begins, when nothing has passed, and one an hour; what is known is kept between them."""
    known = Calendar(NOW)
    for life in range(4):
        true = NOW + 3 * FAR + life * DAY
        for hours in range(9):
            known = looked_at(known, true + hours * HOUR, HOUR if hours else timedelta())
    assert known == Calendar(NOW + 3 * FAR + 3 * DAY + 8 * HOUR)


@given(
    wrong=st.timedeltas(min_value=-20 * FAR, max_value=20 * FAR),
    looks=st.lists(st.tuples(st.booleans(), st.timedeltas(min_value=timedelta(), max_value=3 * HOUR)), max_size=60),
)
def test_f33_nothing_is_old_by_a_clock_that_is_wrong_for_less_than_a_day(
    wrong: timedelta, looks: list[tuple[bool, timedelta]]
) -> None:
    known, true, wrong_for = Calendar(NOW), NOW, timedelta()
    for is_wrong, passed in looks:
        true += passed
        wrong_for = wrong_for + passed if is_wrong else timedelta()
        if wrong_for >= BELIEVED_AFTER:
            return
        says = true + wrong if is_wrong else true
        known = looked_at(known, says, passed)
        assert old_by(known, says) <= min(says, true + STEP)
        if not is_wrong:
            assert old_by(known, says) == true, "and whatever is old by a right clock leaves"
