"""The daemon stood still, and goes on: what was written meanwhile is heard before an absence is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import RULE, START, Bench, match, observed, policy
from logmedic.model.changeset import Tick
from logmedic.model.rule import Rule
from logmedic.model.when import Absence, When

WITHIN = timedelta(seconds=10)


def backup(within: timedelta = WITHIN) -> Rule:
    return replace(RULE, fix=None, when=When(Absence(within, ())))


def begun(rule: Rule) -> Bench:
    bench = Bench(policy(rule))
    bench.give(observed(match(rule, START)))
    return bench


def test_i2_without_a_standstill_it_is_told_at_its_time() -> None:
    bench = begun(backup())
    bench.give(Tick(), 11)
    assert not bench.state.incidents
    bench.give(Tick(), 2)
    assert len(bench.state.incidents) == 1


@pytest.mark.parametrize(("within_s", "longer_s"), [(10, 10), (3600, 60)])
def test_f33_after_a_standstill_it_has_time_to_be_heard(within_s: float, longer_s: float) -> None:
    bench = begun(backup(timedelta(seconds=within_s)))
    bench.now += timedelta(seconds=within_s + 5)
    bench.state.heard_since = bench.now
    bench.give(Tick())
    assert not bench.state.incidents
    bench.give(Tick(), longer_s - 1)
    assert not bench.state.incidents
    bench.give(Tick(), 1)
    assert len(bench.state.incidents) == 1


def test_i2_a_daemon_that_stands_still_again_and_again_tells_it_all_the_same() -> None:
    bench, waited = begun(backup()), 0.0
    while not bench.state.incidents:
        bench.state.heard_since = bench.now
        bench.give(Tick(), 5)
        waited += 5
        assert waited < 330
    assert waited > 60
