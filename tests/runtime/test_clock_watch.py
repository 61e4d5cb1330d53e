"""Whether somebody set the clock: each change is told once, and drift is none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from builders import START
from logmedic.core.clockset import SET_FROM
from logmedic.runtime.clockwatch import ClockWatch


class Clocks:
    """A wall clock, and one that nobody sets."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 1000.0

    def now(self) -> datetime:
        return self.wall

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


@pytest.mark.parametrize("by", [-90_000.0, -3.0, 3.0, 90_000.0])
def test_f33_each_way_is_told_once(by: float) -> None:
    clocks = Clocks()
    watch = ClockWatch(clocks, lambda: clocks.steady)
    clocks.pass_by(60)
    assert not watch.set_by()
    clocks.wall += timedelta(seconds=by)
    clocks.pass_by(5)
    assert watch.set_by() == timedelta(seconds=by)
    assert not watch.set_by()


@pytest.mark.parametrize("by", [-90_000.0, 0.0, 90_000.0])
def test_f33_a_time_that_is_noted_before_the_next_look_moves_with_those_of_before(by: float) -> None:
    clocks = Clocks()
    watch = ClockWatch(clocks, lambda: clocks.steady)
    clocks.wall += timedelta(seconds=by)
    clocks.pass_by(5)
    assert watch.as_looked_at() == START + timedelta(seconds=5)
    assert watch.as_looked_at() + watch.set_by() == clocks.now() == watch.as_looked_at()


def test_f33_small_steps_are_told_once_they_have_grown() -> None:
    clocks = Clocks()
    watch = ClockWatch(clocks, lambda: clocks.steady)
    told = []
    for _ in range(10):
        clocks.pass_by(60)
        clocks.wall += timedelta(seconds=0.5)
        told.append(watch.set_by())
    assert sum(told, timedelta()) == timedelta(seconds=4)
    assert all(each == timedelta() or each >= SET_FROM for each in told)


def test_without_a_steady_clock_the_wall_clock_is_never_set() -> None:
    clocks = Clocks()
    watch = ClockWatch(clocks, None)
    clocks.wall += timedelta(days=1)
    assert not watch.set_by()
