"""What is summed as it is committed is what the store would answer."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings

import builders as make
from core.outbox_bench import Box
from core.test_fix_invariants import Healing
from core.test_outbox_invariants import PLAN, drained, histories, play
from logmedic.core.sums import Sums
from logmedic.model.alert import AlertStatus
from logmedic.model.changeset import Changeset, ProbesFinished, StepFinished
from logmedic.model.fix import AttemptStatus, FixResult, ProbeResult
from logmedic.model.issue import PatternType
from logmedic.model.metric import Buckets, Names
from logmedic.model.state import EngineState


def summed(changesets: list[Changeset]) -> Sums:
    sums, state = Sums(), EngineState()
    for each in changesets:
        sums.take(each, state)
        state.apply(each)
    return sums


def healed() -> make.Bench:
    """An incident that a fix ended, 12 s after it began."""
    bench = make.Bench(make.policy())
    bench.matched()
    (attempt,) = bench.state.attempts.values()
    bench.give(StepFinished(attempt.id, FixResult(0, 2.5)), after=2)
    bench.give(ProbesFinished(attempt.id, ProbeResult(True, "200")), after=10)
    return bench


def test_a_fix_that_worked_is_counted_once_with_its_rule_its_verdict_and_its_times() -> None:
    sums = summed(healed().all)
    assert sums.attempts == {("web-down", "fixed"): 1}
    assert sums.lessons[PatternType.AUTO_FIX_SUCCESS] == 1
    assert sums.opened == {"medium": 1}
    assert (sums.fix_s.spread().count, sums.fix_s.sum) == (1, 2.5)
    assert (sums.recovery_s.spread().count, sums.recovery_s.sum) == (1, 12.0)


def test_what_was_counted_before_the_start_goes_on() -> None:
    sums = Sums.since({"matched": 41, "held_paused": 3})
    sums.take(healed().all[0], EngineState())
    assert (sums.tallies["matched"], sums.tallies["held_paused"]) == (42, 3)


def test_a_lesson_that_is_written_again_is_not_counted() -> None:
    bench = make.Bench(make.policy(learning=make.learning(promote_after=1)))
    bench.give(make.observed(make.unknown()))
    sums = summed(bench.all)
    assert sums.tallies["unknown"] == 1
    assert sums.lessons[PatternType.ERROR_PATTERN] == 0


class Summed(Healing):
    """Whatever healing does."""

    def teardown(self) -> None:
        everything = self.bench.all
        sums = summed(everything)
        over = {each.id for step in everything for each in step.attempts if each.status is AttemptStatus.FINISHED}
        assert sums.attempts.total() == len(over)
        assert sums.opened.total() == sums.tallies["incidents_opened"]
        assert sums.recovery_s.spread().count == sums.tallies["resolved_fixed"]
        assert sums.tallies == Counter({kind: self.bench.tally(kind) for kind in sums.tallies})


TestSummed = Summed.TestCase
TestSummed.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


class SummedBox(Box):
    def __init__(self) -> None:
        super().__init__(PLAN)
        self.sums = Sums()

    def take(self, changeset: Changeset) -> None:
        self.sums.take(changeset, self.state)
        super().take(changeset)


real = histories.map(lambda history: [step for step in history if step[0] != "test"])
"""A test message that fails is no message lost: it is given up uncounted."""


@settings(deadline=None)
@given(real)
def test_each_message_that_is_done_with_is_counted_once_for_its_receiver(history: list[tuple[object, ...]]) -> None:
    box = SummedBox()
    for _ in play(box, history):
        pass
    drained(box)
    by_status: Counter[str] = Counter()
    for (_, status), n in box.sums.alerts.items():
        by_status[status] += n
    assert by_status[AlertStatus.SENT] == box.sums.tallies["alerts_sent"] == box.sums.delivery_s.spread().count
    assert by_status[AlertStatus.DEAD] == box.sums.tallies["alerts_dead"]
    assert by_status[AlertStatus.FOLDED] == box.sums.tallies["alerts_folded"]


def test_a_spread_counts_each_value_at_the_first_bound_that_it_is_not_above() -> None:
    buckets = Buckets((1.0, 5.0))
    for value in (-3.0, 1.0, 1.1, 5.0, 900.0):
        buckets.take(value)
    spread = buckets.spread()
    assert spread.counts == (2, 2, 1)
    assert list(spread.cumulative()) == [(1.0, 2), (5.0, 4), (float("inf"), 5)]
    assert spread.sum == 907.1


def test_names_keep_their_place_and_those_that_come_later_are_other() -> None:
    names = Names(2)
    assert [names.of(each) for each in ("a", "b", "c", "a", "", "other")] == ["a", "b", "other", "a", "other", "other"]
