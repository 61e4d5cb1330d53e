"""What a rule may cost (F43)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, repeat

import pytest

from logmedic.core.budget import ALLOWED_S, QUARANTINE_AFTER, RETRY_S, SHARE, SLOW_S, SLOW_S_PER_CHARACTER, Budget

SLOW = 10 * SLOW_S


class Clock:
    """Goes on by `step` with each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def charged(budget: Budget, costs: Iterator[float], *, timed_out: bool = False) -> int:
    """How many records the rule is asked of before it is quarantined."""
    for number in count(1):
        if budget.charge("r", next(costs), matched=False, timed_out=timed_out):
            return number
    raise AssertionError


def test_f43_too_many_overruns_are_the_end() -> None:
    budget = Budget(["r", "other"])
    assert charged(budget, repeat(0.1), timed_out=True) == QUARANTINE_AFTER
    assert budget.quarantined == {"r": "5 records took longer than they may"}
    assert budget.charge("r", 0.1, matched=False, timed_out=True) is False


def test_f43_slow_records_use_up_what_a_rule_may_take() -> None:
    budget = Budget(["r"], Clock())
    assert charged(budget, repeat(SLOW)) * SLOW == pytest.approx(ALLOWED_S, abs=SLOW)
    assert "more than 5 ms" in budget.quarantined["r"]


def test_slow_records_that_are_rare_are_forgiven() -> None:
    budget = Budget(["r"], Clock(step=SLOW / SHARE * 1.1))
    assert not any(budget.charge("r", SLOW, matched=True, timed_out=False) for _ in range(10_000))


def test_quick_records_may_be_as_many_as_they_like() -> None:
    budget = Budget(["r"], Clock())
    assert not any(budget.charge("r", SLOW_S / 2, matched=True, timed_out=False) for _ in range(10_000))
    use = budget.uses["r"]
    assert (use.asked, use.matched) == (10_000, 10_000)
    assert use.spent_s == pytest.approx(10_000 * SLOW_S / 2)


def test_what_is_known_of_a_rule_that_stays_is_taken_over() -> None:
    before = Budget(["r", "gone", "changed"])
    charged(before, repeat(0.1), timed_out=True)
    after = Budget(["r", "changed", "new"])
    after.carry_over(before, ["r"])
    assert set(after.quarantined) == {"r"}
    assert after.uses["r"].asked == QUARANTINE_AFTER
    assert after.uses["changed"].asked == 0


def test_a_long_record_may_take_longer() -> None:
    budget, length = Budget(["r"], Clock()), 1_000_000
    cost = SLOW_S + length * SLOW_S_PER_CHARACTER / 2
    assert not any(budget.charge("r", cost, length, matched=True, timed_out=False) for _ in range(10_000))
    assert charged(budget, repeat(cost)) < 100


@pytest.mark.parametrize(("costs", "timed_out"), [(0.1, True), (SLOW, False)], ids=["overruns", "slow records"])
def test_after_an_hour_a_quarantined_rule_is_heard_again_and_has_all_its_chances(costs: float, timed_out: bool) -> None:
    clock = Clock()
    budget = Budget(["r"], clock)
    first = charged(budget, repeat(costs), timed_out=timed_out)
    reasons = budget.quarantined
    clock.now = RETRY_S - 1
    assert budget.set_free() is False
    assert budget.quarantined == reasons
    clock.now = RETRY_S
    assert budget.set_free() is True
    assert budget.quarantined == {}
    assert charged(budget, repeat(costs), timed_out=timed_out) == first
    assert budget.uses["r"].quarantined_at == RETRY_S
