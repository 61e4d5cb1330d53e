"""The clock was set back while no daemon ran: what is stored lies in its future."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import RULE, START, STEP, Bench, match, observed, policy, with_fix
from logmedic.core.setback import ahead
from logmedic.model.alert import AlertStatus, Delivery
from logmedic.model.changeset import (
    Approve,
    ClockSet,
    Delivered,
    FoundAhead,
    Started,
    StepFinished,
    Tick,
)
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import FixResult
from logmedic.model.issue import HoldReason, IncidentStatus
from logmedic.model.rule import Limits, Mode
from logmedic.model.step import Retry
from logmedic.model.when import Absence, Clear, When

BACK = pytest.mark.parametrize("back", [3.0, 30.0, 7200.0, 90_000.0, 4 * 365 * 86_400.0])
COOLDOWN = Limits(cooldown=timedelta(minutes=5))


def starts(bench: Bench, back: float) -> bool:
    """As the engine does it, after the clock was set back. Whether that was noticed."""
    bench.now -= timedelta(seconds=back)
    found = bool(ahead(bench.state, bench.now))
    if found:
        bench.give(FoundAhead())
    bench.give(Started())
    return found


@BACK
@pytest.mark.parametrize("times", [1, 2])
def test_f33_a_cooldown_is_no_longer_than_it_ever_was(back: float, times: int) -> None:
    bench = Bench(policy(with_fix(limits=COOLDOWN)))
    bench.matched()
    bench.fixed()
    assert [starts(bench, back) for _ in range(times)] == [True] * times
    bench.matched(60)
    assert bench.incident().hold is HoldReason.COOLDOWN
    bench.give(Tick(), 230)
    assert len(bench.ran) == 1
    bench.give(Tick(), 20)
    assert len(bench.ran) == 2


def test_f33_a_start_moves_nothing_where_nothing_has_happened_in_its_future() -> None:
    bench = Bench(policy(with_fix(limits=COOLDOWN)))
    bench.matched()
    bench.fixed()
    before = dict(bench.state.attempts)
    assert not starts(bench, 0)
    assert not starts(bench, 1)
    assert bench.state.attempts == before


def test_f33_a_retry_comes_no_later_than_its_longest_wait() -> None:
    again = Retry(attempts=2, base=timedelta(minutes=1), max=timedelta(minutes=1))
    bench = Bench(policy(with_fix(steps=(replace(STEP, retry=again),))))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, FixResult(1, 0.1)))
    assert starts(bench, 7200)
    bench.give(Tick(), 80)
    assert len(bench.ran) == 2


def test_f33_an_approval_lasts_no_longer_than_approvals_do() -> None:
    """Nothing but its incident has happened; that it was opened is enough."""
    bench = Bench(policy(with_fix(), mode=Mode.APPROVE))
    bench.matched()
    asked = bench.incident()
    assert asked.hold is HoldReason.AWAITING_APPROVAL
    assert starts(bench, 6 * 3600)
    assert asked.due_at is not None
    late = bench.policy.approval_expires + timedelta(seconds=1)
    bench.now += late
    bench.give(Approve(asked.id, "olga"))
    assert bench.ran == []


def test_f33_a_breaker_that_opened_by_the_right_clock_is_not_cut_short_for_a_time_that_was_wrong() -> None:
    bench = Bench(policy(with_fix(), replace(with_fix(), id="other")))
    bench.matched()
    bench.give(StepFinished(bench.attempt_id, FixResult(1, 0.1)))
    key = next(iter(bench.state.breakers))
    opened = replace(
        bench.state.breakers[key],
        status=BreakerStatus.OPEN,
        opened_at=bench.now,
        failed_at=bench.now,
        open_until=bench.now + timedelta(minutes=30),
    )
    bench.state.breakers[key] = opened
    bench.now += timedelta(hours=2)  # a boot whose clock is ahead
    bench.matched(rule=bench.policy.rules["other"])
    assert starts(bench, 2 * 3600 - 180)
    assert bench.state.breakers[key] == opened


def test_f33_the_history_of_other_days_stays_as_it_was() -> None:
    """A host that boots before it knows the time: the clock says years ago, and is right again a moment later."""
    bench = Bench(policy(with_fix()))
    bench.matched()
    bench.fixed()
    old = next(iter(bench.state.attempts.values()))
    bench.matched(3 * 86_400)
    bench.fixed()
    bench.state.attempts[old.id] = old  # as it is loaded then
    years = timedelta(days=4 * 365)
    assert starts(bench, years.total_seconds())
    assert bench.state.attempts[old.id] == old
    bench.now += years
    bench.give(ClockSet(years))
    assert bench.state.attempts[old.id] == old
    newest = max(bench.state.attempts.values(), key=lambda each: each.started_at)
    assert abs(newest.started_at - bench.now) < timedelta(minutes=1)


def test_f33_a_message_is_tried_again_within_its_longest_wait() -> None:
    bench = Bench(policy(replace(RULE, fix=None)))
    bench.matched()
    for _ in range(3):
        bench.give(Tick(), 60)
    sending = [each for each in bench.state.alerts.values() if each.status is AlertStatus.SENDING]
    assert sending
    bench.give(Delivered(sending[0].id, Delivery(False, "busy")))
    assert starts(bench, 7200)
    (waiting,) = [each for each in bench.state.alerts.values() if each.id == sending[0].id]
    assert waiting.next_at <= bench.now + timedelta(minutes=11)


def test_f33_an_absence_is_told_no_later_than_it_would_have_been() -> None:
    rule = replace(RULE, fix=None, when=When(Absence(timedelta(minutes=5), ())))
    bench = Bench(policy(rule))
    bench.give(observed(match(rule, START)))
    (window,) = bench.state.windows.values()
    assert window.due_at is not None
    bench.now -= timedelta(hours=2)
    bench.give(FoundAhead())
    (window,) = bench.state.windows.values()
    assert window.due_at is not None
    assert window.due_at <= bench.now + timedelta(minutes=5, seconds=2)


def test_what_was_under_way_is_found_under_way_after_a_set_back() -> None:
    bench = Bench(policy(with_fix()))
    bench.matched()
    assert starts(bench, 600)
    assert bench.incident().status is IncidentStatus.VERIFYING
    assert len(bench.ran) == 1


def test_f33_what_was_seen_by_the_wrong_clock_was_seen_by_now_at_the_latest() -> None:
    """Its silence is counted from then, and the line that says that it is over is not older."""
    quiet = replace(RULE, fix=None, when=When(clear=Clear(quiet=timedelta(minutes=15))))
    bench = Bench(policy(quiet))
    bench.matched(rule=quiet)
    bench.matched(after=780, rule=quiet)
    assert starts(bench, 7200)
    assert bench.incident().last_match_at == bench.now
    bench.give(Tick(), 16 * 60)
    assert bench.incident().status is IncidentStatus.RESOLVED
