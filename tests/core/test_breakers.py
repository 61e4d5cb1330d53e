"""The circuit breaker of one fix on one target: every transition, and what holds whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import START
from logmedic.core.breaker import allows, on_abandoned, on_failure, on_start, on_success, reset
from logmedic.model.changeset import Changeset
from logmedic.model.circuit import BreakerSpec, BreakerStatus
from logmedic.model.fix import BREAKER_MEMORY, Breaker
from logmedic.model.state import EngineState

MINUTE = timedelta(minutes=1)
SPEC = BreakerSpec(
    failures=3,
    open_for=10 * MINUTE,
    successes=2,
    factor=2.0,
    open_max=60 * MINUTE,
    healthy_after=timedelta(hours=24),
)
NEW = Breaker("web-down", "f1", "app.service")


def failed(times: int, breaker: Breaker = NEW, spec: BreakerSpec = SPEC, now: datetime = START) -> Breaker:
    """After so many executions that were allowed and did not fix."""
    for _ in range(times):
        breaker = on_failure(on_start(breaker), spec, now)
    return breaker


def trial(breaker: Breaker, *, won: bool, spec: BreakerSpec = SPEC) -> Breaker:
    """After a trial as soon as one is due."""
    now = breaker.open_until or START
    assert allows(breaker, now)
    after = on_success if won else on_failure
    return after(on_start(breaker), spec, now)


@pytest.mark.parametrize(
    ("failures", "status"),
    [(0, BreakerStatus.CLOSED), (2, BreakerStatus.CLOSED), (3, BreakerStatus.OPEN)],
    ids=["new", "below the limit", "at the limit"],
)
def test_it_opens_at_its_limit(failures: int, status: BreakerStatus) -> None:
    breaker = failed(failures)
    assert (breaker.status, breaker.failures) == (status, failures)
    assert breaker.opens == (1 if status is BreakerStatus.OPEN else 0)


def test_a_success_begins_the_count_of_failures_anew() -> None:
    breaker = on_success(failed(2), SPEC, START)
    assert (breaker.status, breaker.failures) == (BreakerStatus.CLOSED, 0)
    assert failed(2, breaker).status is BreakerStatus.CLOSED


def test_failures_in_a_row_do_not_age() -> None:
    breaker = failed(1, failed(1, failed(1), now=START + timedelta(days=40)), now=START + timedelta(days=80))
    assert breaker.status is BreakerStatus.OPEN


@pytest.mark.parametrize(
    ("minutes", "allowed"), [(0, False), (9.99, False), (10, True), (600, True)], ids=["now", "before", "due", "late"]
)
def test_open_it_allows_nothing_until_a_trial_is_due(minutes: float, allowed: bool) -> None:
    assert allows(failed(3), START + minutes * MINUTE) is allowed


def test_one_trial_at_a_time() -> None:
    breaker = on_start(failed(3))
    assert (breaker.status, breaker.trial) == (BreakerStatus.HALF_OPEN, True)
    assert not allows(breaker, START + timedelta(days=365))


def test_a_start_of_a_closed_one_is_no_trial() -> None:
    assert on_start(failed(2)) == failed(2)


def test_enough_trials_that_worked_close_it() -> None:
    once = trial(failed(3), won=True)
    assert (once.status, once.trial, once.successes) == (BreakerStatus.HALF_OPEN, False, 1)
    assert allows(once, START)
    twice = trial(once, won=True)
    assert (twice.status, twice.failures, twice.successes) == (BreakerStatus.CLOSED, 0, 0)
    assert (twice.opened_at, twice.open_until) == (None, None)
    assert twice.closed_at is not None


def test_a_failed_trial_opens_at_once_and_for_longer() -> None:
    breaker = failed(3)
    again = trial(breaker, won=False)
    assert (again.status, again.trial, again.opens) == (BreakerStatus.OPEN, False, 2)
    assert again.opened_at == breaker.open_until
    assert again.open_until == START + 10 * MINUTE + 20 * MINUTE


def test_trials_have_to_work_in_a_row() -> None:
    breaker = trial(trial(trial(failed(3), won=True), won=False), won=True)
    assert (breaker.status, breaker.successes) == (BreakerStatus.HALF_OPEN, 1)


def test_failures_are_those_since_the_last_success() -> None:
    assert trial(failed(3), won=False).failures == 4
    assert trial(trial(failed(3), won=True), won=False).failures == 1


def test_each_opening_is_longer_up_to_the_longest() -> None:
    breaker = failed(3)
    lasted = []
    for _ in range(6):
        assert breaker.opened_at is not None
        assert breaker.open_until is not None
        lasted.append((breaker.open_until - breaker.opened_at) / MINUTE)
        breaker = trial(breaker, won=False)
    assert lasted == [10, 20, 40, 60, 60, 60]


def test_a_longest_below_the_first_does_not_shorten_the_first() -> None:
    spec = replace(SPEC, open_max=MINUTE)
    breaker = trial(failed(3, spec=spec), won=False, spec=spec)
    assert breaker.opened_at is not None
    assert breaker.open_until == breaker.opened_at + spec.open_for


def closed_again() -> Breaker:
    """It opened twice in a row, and was closed by two trials 30 minutes after the start."""
    breaker = trial(trial(trial(failed(3), won=False), won=True), won=True)
    assert (breaker.status, breaker.streak) == (BreakerStatus.CLOSED, 2)
    assert breaker.closed_at == START + 30 * MINUTE
    return breaker


def lasts(breaker: Breaker) -> timedelta:
    assert breaker.open_until is not None
    assert breaker.opened_at is not None
    return breaker.open_until - breaker.opened_at


@pytest.mark.parametrize(
    ("healthy", "wanted"),
    [(timedelta(hours=24), 10 * MINUTE), (timedelta(hours=24) - MINUTE, 40 * MINUTE)],
    ids=["for long enough", "not for long enough"],
)
def test_sustained_health_makes_the_next_opening_the_first_again(healthy: timedelta, wanted: timedelta) -> None:
    later = START + 30 * MINUTE + healthy
    assert lasts(failed(3, closed_again(), now=later)) == wanted
    worked = on_success(closed_again(), SPEC, later)
    assert lasts(failed(3, worked, now=later)) == wanted


def test_a_failure_while_closed_begins_the_wait_for_health_anew() -> None:
    once = failed(1, closed_again(), now=START + timedelta(hours=20))
    assert lasts(failed(2, once, now=START + timedelta(hours=43))) == 40 * MINUTE
    assert lasts(failed(2, once, now=START + timedelta(hours=44))) == 10 * MINUTE


def test_time_spent_open_is_no_health() -> None:
    breaker = failed(3)
    late = START + timedelta(days=30)
    assert lasts(on_failure(on_start(breaker), SPEC, late)) == 20 * MINUTE


def test_an_abandoned_trial_leaves_room_for_another_at_once() -> None:
    due = START + 10 * MINUTE
    given_up = on_abandoned(on_start(trial(failed(3), won=True)), due)
    assert (given_up.status, given_up.trial, given_up.open_until) == (BreakerStatus.OPEN, False, due)
    assert allows(given_up, due)
    assert trial(given_up, won=True).status is BreakerStatus.CLOSED


@pytest.mark.parametrize("breaker", [NEW, failed(3), trial(failed(3), won=True)], ids=["closed", "open", "half-open"])
def test_without_a_trial_there_is_none_to_abandon(breaker: Breaker) -> None:
    assert on_abandoned(breaker, START) == breaker


@pytest.mark.parametrize("breaker", [failed(3), trial(failed(3), won=True)], ids=["open", "half-open"])
def test_a_late_success_of_what_was_given_up_shortens_nothing(breaker: Breaker) -> None:
    assert on_success(breaker, SPEC, START) == breaker


def test_a_late_failure_of_what_was_given_up_opens_again() -> None:
    given_up = on_abandoned(on_start(failed(3)), START + 10 * MINUTE)
    assert lasts(on_failure(given_up, SPEC, START + 11 * MINUTE)) == 20 * MINUTE


@pytest.mark.parametrize("breaker", [failed(2), failed(3), on_start(failed(3))], ids=["closed", "open", "in trial"])
def test_a_reset_forgets_all_but_how_often_it_opened(breaker: Breaker) -> None:
    anew = reset(breaker, START)
    assert anew == replace(NEW, closed_at=START, opens=breaker.opens)
    assert allows(anew, START)
    assert lasts(failed(3, anew)) == SPEC.open_for


def test_what_was_a_trial_before_a_reset_counts_as_any_other() -> None:
    anew = reset(on_start(failed(3)), START)
    assert on_failure(anew, SPEC, START).failures == 1
    assert on_success(anew, SPEC, START).status is BreakerStatus.CLOSED


SPECS = st.builds(
    BreakerSpec,
    failures=st.integers(1, 5),
    open_for=st.integers(1, 120).map(lambda n: n * MINUTE),
    successes=st.integers(1, 4),
    factor=st.floats(1, 10),
    open_max=st.integers(1, 2000).map(lambda n: n * MINUTE),
    healthy_after=st.integers(0, 3000).map(lambda n: n * MINUTE),
)


class OneBreaker(RuleBasedStateMachine):
    """Executions that start when they are allowed, one after the other, and end as they like; a person now and then."""

    @initialize(spec=SPECS)
    def begin(self, spec: BreakerSpec) -> None:
        self.spec, self.breaker, self.now = spec, NEW, START
        self.running = self.was_trial = False
        self.failed_in_a_row = 0

    @rule(minutes=st.integers(0, 3000))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @precondition(lambda self: not self.running)
    @rule()
    def start_if_allowed(self) -> None:
        if not allows(self.breaker, self.now):
            return
        self.was_trial = self.breaker.status is not BreakerStatus.CLOSED
        self.breaker = on_start(self.breaker)
        self.running = True
        assert self.breaker.trial is self.was_trial

    @precondition(lambda self: self.running)
    @rule()
    def it_works(self) -> None:
        before = self.breaker
        self.breaker = on_success(before, self.spec, self.now)
        self.running, self.failed_in_a_row = False, 0
        closes = before.status is BreakerStatus.CLOSED or before.successes + 1 >= self.spec.successes
        assert (self.breaker.status is BreakerStatus.CLOSED) is closes

    @precondition(lambda self: self.running)
    @rule()
    def it_fails(self) -> None:
        before = self.breaker
        self.breaker = on_failure(before, self.spec, self.now)
        self.running, self.failed_in_a_row = False, self.failed_in_a_row + 1
        opens = before.trial or self.failed_in_a_row >= self.spec.failures
        assert (self.breaker.status is BreakerStatus.OPEN) is opens
        assert self.breaker.opens == before.opens + opens
        if opens:
            assert self.spec.open_for <= lasts(self.breaker) <= max(self.spec.open_for, self.spec.open_max)
            assert self.breaker.opened_at == self.now
            assert not allows(self.breaker, self.now + self.spec.open_for - timedelta.resolution)

    @precondition(lambda self: self.running)
    @rule()
    def it_is_given_up(self) -> None:
        self.breaker, self.running = on_abandoned(self.breaker, self.now), False
        assert allows(self.breaker, self.now)

    @rule()
    def somebody_resets_it(self) -> None:
        self.breaker, self.failed_in_a_row = reset(self.breaker, self.now), 0

    @invariant()
    def a_trial_is_under_way_only_while_something_runs(self) -> None:
        assert not self.breaker.trial or self.running
        assert not self.breaker.trial or not allows(self.breaker, self.now + timedelta(days=999))

    @invariant()
    def closed_it_has_seen_fewer_failures_than_its_limit(self) -> None:
        assert self.breaker.failures == self.failed_in_a_row
        if self.breaker.status is BreakerStatus.CLOSED:
            assert self.breaker.failures < self.spec.failures
            assert self.breaker.open_until is None

    @invariant()
    def not_closed_it_has_a_time_for_its_next_trial(self) -> None:
        if self.breaker.status is not BreakerStatus.CLOSED:
            assert self.breaker.open_until is not None
            assert self.breaker.streak >= 1


TestOneBreaker = OneBreaker.TestCase
TestOneBreaker.settings = settings(stateful_step_count=40, deadline=None)


def test_a_breaker_that_is_well_for_long_is_forgotten_and_an_open_one_never() -> None:
    state = EngineState()
    well = Breaker("web-down", "f", "a", closed_at=START, failed_at=START)
    ill = Breaker("web-down", "f", "b", status=BreakerStatus.OPEN, failed_at=START, open_until=START)
    state.apply(Changeset(breakers=(well, ill)))
    state.forget_old(START + BREAKER_MEMORY)
    assert len(state.breakers) == 2
    state.forget_old(START + BREAKER_MEMORY + timedelta(seconds=1))
    assert list(state.breakers.values()) == [ill]
