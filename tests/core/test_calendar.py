"""By which time what is stored is old, when the daemon's clock is far from what it should say (F33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.calendar import BELIEVED_AFTER, COUNTS_AT_MOST, DAY, WEEK, WEEKEND, looked_at, step_of
from logmedic.model.retention import Calendar

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NONE = timedelta()
HOUR = timedelta(hours=1)
FAR = timedelta(days=400)
RIGHT = Calendar(NOW, NOW)


class Host:
    """Time passes on it, and its clock is `wrong`."""

    def __init__(self, known: Calendar | None = RIGHT) -> None:
        self.true = NOW
        self.known = known

    def look(self, passed: timedelta = HOUR, wrong: timedelta = FAR, off: timedelta = NONE) -> Calendar:
        """`off`: nobody ran for so long before that."""
        self.true += passed + off
        self.known = looked_at(self.known, self.true + wrong, passed, WEEK)
        return self.known

    def runs(self, hours: int, *, off: timedelta, boots: timedelta = NONE) -> Calendar:
        """A life with a right clock, but for the first look, when it is `boots` wrong."""
        known = self.look(NONE, boots, off)
        for _ in range(hours):
            known = self.look(wrong=NONE)
        return known

    @property
    def is_believed(self) -> bool:
        return self.known is not None and self.known.at == self.known.says == self.true


def test_where_nobody_has_looked_before_the_clock_is_right() -> None:
    assert Host(None).look() == Calendar(NOW + HOUR + FAR, NOW + HOUR + FAR)


@pytest.mark.parametrize("off", [HOUR, -HOUR, WEEK, -WEEK, NONE])
def test_f33_a_clock_that_is_no_more_than_a_week_off_is_right(off: timedelta) -> None:
    assert Host().look(wrong=off) == Calendar(NOW + HOUR + off, NOW + HOUR + off)


def test_f33_a_clock_that_is_far_ahead_makes_nothing_old() -> None:
    host = Host()
    for hours in range(24):
        known = host.look()
        assert (known.old_by, known.is_ahead, known.said_for) == (host.true, True, hours * HOUR)


def test_f33_a_clock_that_has_been_far_ahead_for_a_day_is_right() -> None:
    host = Host()
    for _ in range(25):
        known = host.look()
    assert known == Calendar(host.true + FAR, host.true + FAR)


def test_f33_a_clock_is_believed_no_further_than_it_has_been_for_a_day() -> None:
    """The host was off for ten days; 23 hours after that somebody mistypes a year."""
    host = Host()
    host.runs(23, off=10 * DAY)
    for _ in range(10):
        assert host.look().old_by <= host.true
    assert host.look(wrong=NONE).old_by == host.true


def test_f33_a_clock_that_wanders_off_is_not_followed() -> None:
    host = Host()
    for hours in range(1, 60):
        assert host.look(wrong=hours * 2 * WEEK).old_by <= host.true + (hours - 23) * 2 * WEEK or hours < 24


def test_f33_a_host_that_wakes_up_days_later_with_another_clock_has_not_said_so_for_days() -> None:
    host = Host()
    assert host.look(3 * DAY).said_for == NONE
    assert host.look(3 * DAY).said_for == COUNTS_AT_MOST


def test_f33_of_a_clock_that_is_far_behind_the_earlier_time_counts_and_what_it_should_say_is_not_forgotten() -> None:
    host = Host()
    known = host.look(wrong=-FAR)
    assert (known.old_by, known.is_ahead) == (host.true - FAR, False)
    host.look(wrong=NONE)
    assert host.is_believed, "it is righted: no day is waited for"


def test_f33_a_clock_that_was_believed_and_is_righted_is_compared_with_what_it_says_then() -> None:
    host = Host()
    for _ in range(25):
        host.look()
    for _ in range(25):
        assert host.look(wrong=NONE).old_by == host.true
    assert host.look().old_by == host.true, "it is doubted again"


@pytest.mark.parametrize("boots", [NONE, -20 * FAR])
def test_f33_a_host_that_was_off_for_months_and_never_runs_for_a_day_is_believed_in_the_end(boots: timedelta) -> None:
    host = Host()
    host.true += 3 * FAR
    for _ in range(4):
        host.runs(8, off=16 * HOUR, boots=boots)
    assert host.is_believed


def test_f33_on_a_board_that_boots_at_the_time_that_it_had_when_it_was_new_the_right_time_counts_in_the_end() -> None:
    host = Host(Calendar(NOW - 20 * FAR, NOW - 20 * FAR))
    for _ in range(5):
        host.runs(8, off=16 * HOUR, boots=-20 * FAR)
    assert host.is_believed


def test_f33_a_clock_that_is_wrong_for_a_moment_at_each_boot_is_never_believed() -> None:
    host = Host()
    for _ in range(200):
        host.look(timedelta(minutes=20), off=HOUR)
        assert host.runs(1, off=NONE).old_by == host.true


@pytest.mark.parametrize(("hours", "off"), [(10, 6 * DAY), (8, 2 * DAY), (8, 16 * HOUR), (1, 5 * DAY)])
def test_f33_a_host_that_runs_every_week_is_never_doubted(hours: int, off: timedelta) -> None:
    host = Host()
    for _ in range(100):
        assert not host.runs(hours, off=off).is_ahead


def test_f33_on_a_host_that_runs_for_some_hours_every_two_weeks_what_is_old_leaves_in_the_end() -> None:
    host = Host()
    for _ in range(50):
        known = host.runs(10, off=14 * DAY)
    assert host.true - known.old_by < 60 * DAY


@pytest.mark.parametrize(
    ("kept", "step"), [((30 * DAY, 90 * DAY), WEEK), ((16 * DAY, 90 * DAY), 4 * DAY), ((HOUR, 90 * DAY), WEEKEND)]
)
def test_f33_what_is_kept_for_days_does_not_leave_a_week_early(kept: tuple[timedelta, ...], step: timedelta) -> None:
    assert step_of(kept) == step


WRONG = st.sampled_from([NONE, NONE, HOUR, -FAR, FAR, 2 * FAR, 20 * FAR])
LOOKS = st.tuples(
    WRONG, st.timedeltas(min_value=NONE, max_value=4 * DAY), st.sampled_from([NONE, NONE, HOUR, DAY, 9 * DAY])
)


@given(st.lists(LOOKS, max_size=60))
def test_f33_nothing_is_old_by_a_clock_that_is_wrong_for_less_than_a_day(
    looks: list[tuple[timedelta, timedelta, timedelta]],
) -> None:
    """Whatever it says from look to look, through suspends and restarts."""
    host, wrong_for = Host(), NONE
    for wrong, passed, off in looks:
        wrong_for += min(passed, COUNTS_AT_MOST) if wrong > WEEK else NONE
        if wrong_for >= BELIEVED_AFTER:
            return
        known = host.look(passed, wrong, off)
        assert known.old_by <= min(host.true + WEEK, host.true + wrong)


@given(st.lists(LOOKS, max_size=40), st.integers(1, 23), WRONG)
def test_f33_whatever_happened_a_right_clock_is_believed_after_two_days_of_running(
    looks: list[tuple[timedelta, timedelta, timedelta]], hours: int, boots: timedelta
) -> None:
    """Two, for the first may have begun with a wrong claim; and whatever it says for a moment at each boot."""
    host = Host()
    for wrong, passed, off in looks:
        host.look(passed, wrong, off)
    for _ in range(1 + 72 // hours):
        known = host.runs(hours, off=NONE, boots=boots if boots < NONE else NONE)
    assert known.old_by >= host.true - WEEK
