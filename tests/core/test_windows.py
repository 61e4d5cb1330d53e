"""What matches add up to: pure steps on event time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.windows import LEARNING_SPANS, SPARE, Taken, take
from logmedic.model.issue import Window
from logmedic.model.match import MatchSpec
from logmedic.model.record import Match, Record
from logmedic.model.when import MATCH, OF, Absence, Distinct, Rate, Sequence, Stage, Threshold, Trigger, stage_name

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
B = MatchSpec(("b",))
Event = tuple[float, str]
"""Seconds from START; the part of the rule, or the value of the capture `of`."""


def match(at: float, part: str = MATCH, start: int | None = None, **captures: str) -> Match:
    when = START + timedelta(seconds=at)
    place = start if start is not None else round(at * 1000)
    return Match("r", Record("s", "s.log", "text", place, place + 4, when), captures, "", part)


def taken(trigger: Trigger, *matches: Match) -> list[Taken]:
    window, steps = Window("r", ""), []
    for each in matches:
        step = take(window, trigger, each, each.record.at)
        steps.append(step)
        window = step.window
    return steps


def fires(trigger: Trigger, *matches: Match) -> list[bool]:
    return [each.fires for each in taken(trigger, *matches)]


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ((0, 10, 59), [False, False, True]),
        ((0, 10, 61), [False, False, False]),
        ((0, 10, 61, 62), [False, False, False, True]),
        ((59, 10, 0), [False, False, True]),
        ((100, 0, 10, 20), [False, False, False, False]),
        ((0, 1, 2, 3, 4, 5), [False, False, True, False, False, True]),
    ],
    ids=["inside", "one too late", "slides", "out of order", "older than the window", "begins anew"],
)
def test_a_threshold_slides_over_event_time(at: tuple[float, ...], wanted: list[bool]) -> None:
    assert fires(Threshold(3, MINUTE), *(match(each) for each in at)) == wanted


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (((0, "a"), (1, "b"), (2, "c")), True),
        (((0, "a"), (1, "a"), (2, "b"), (3, "b")), False),
        (((0, "a"), (30, "b"), (61, "c")), False),
        (((0, "a"), (30, "b"), (59, "a"), (70, "c")), True),
    ],
    ids=["three values", "the same ones", "the first is too old", "it was seen again"],
)
def test_distinct_counts_values_and_not_lines(seen: tuple[Event, ...], wanted: bool) -> None:
    trigger = Distinct("user", 3, MINUTE)
    assert any(fires(trigger, *(match(at, user=user) for at, user in seen))) is wanted


ONE, TWO = stage_name(1), stage_name(2)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (((0, MATCH), (1, ONE), (2, TWO)), True),
        (((0, ONE), (1, MATCH), (2, TWO)), False),
        (((1, ONE), (0, MATCH), (2, TWO)), True),
        (((0, MATCH), (30, ONE), (61, TWO)), False),
        (((0, MATCH), (50, MATCH), (55, ONE), (100, TWO)), True),
        (((0, MATCH), (10, ONE), (50, MATCH), (59, TWO)), True),
    ],
    ids=["in order", "another order", "delivered out of order", "too slow", "a later start serves", "an earlier too"],
)
def test_a_sequence_is_complete_when_all_came_in_order(seen: tuple[Event, ...], wanted: bool) -> None:
    trigger = Sequence((Stage(B), Stage(B)), within=MINUTE)
    assert any(fires(trigger, *(match(at, part) for at, part in seen))) is wanted


def test_the_stages_of_a_sequence_may_have_to_come_several_times() -> None:
    trigger = Sequence((Stage(B, count=2),), count=3, within=MINUTE)
    parts = (MATCH, MATCH, MATCH, ONE, ONE)
    assert fires(trigger, *(match(at, part) for at, part in enumerate(parts))) == [False] * 4 + [True]


def test_one_line_counts_for_one_stage() -> None:
    trigger = Sequence((Stage(B),), within=MINUTE)
    same = (match(0, ONE, start=7), match(0, MATCH, start=7))
    assert not any(fires(trigger, *same))
    assert fires(trigger, *same, match(1, ONE, start=9), match(1, MATCH, start=9))[2]


def test_in_any_order_each_line_serves_one_stage() -> None:
    trigger = Sequence((Stage(B),), count=2, within=MINUTE, any_order=True)
    assert fires(trigger, match(0, ONE), match(1), match(2)) == [False, False, True]
    both = (match(0, ONE, start=1), match(0, MATCH, start=1), match(1, MATCH, start=2))
    assert not any(fires(trigger, *both))
    assert any(fires(trigger, *both, match(2, MATCH, start=3)))


@given(st.permutations([(0.0, MATCH), (3.0, ONE), (5.0, ONE), (8.0, TWO), (9.0, TWO)]))
def test_the_order_of_delivery_does_not_change_what_a_sequence_finds(seen: list[Event]) -> None:
    trigger = Sequence((Stage(B, 2), Stage(B, 2)), within=MINUTE)
    assert fires(trigger, *(match(at, part) for at, part in seen)) == [False] * 4 + [True]


def test_a_wait_is_over_by_the_clock_and_not_before_a_backlog_had_its_time() -> None:
    trigger = Absence(timedelta(minutes=10), of=B)
    late = START + timedelta(days=1)
    live, old = take(Window("r", ""), trigger, match(0), START), take(Window("r", ""), trigger, match(0), late)
    assert live.window.due_at is not None
    assert live.window.due_at - START == old.window.due_at - late  # type: ignore[operator]
    assert timedelta(minutes=10) < live.window.due_at - START < timedelta(minutes=10, seconds=10)


@pytest.mark.parametrize(
    ("answer", "fired", "answered", "waits"),
    [(5, False, True, False), (600, False, True, False), (601, True, True, False), (-5, False, False, True)],
    ids=["in time", "at the last moment", "too late", "before it was asked for"],
)
def test_an_answer_ends_a_wait(answer: float, fired: bool, answered: bool, waits: bool) -> None:
    last = taken(Absence(timedelta(minutes=10), of=B), match(0), match(answer, OF))[-1]
    assert (last.fires, last.answered, last.window.due_at is not None) == (fired, answered, waits)


def test_an_answer_that_is_delivered_first_counts() -> None:
    assert taken(Absence(MINUTE, of=B), match(5, OF), match(0))[-1].window.due_at is None


def test_without_an_answer_of_its_own_each_match_waits_for_the_next() -> None:
    first, second, late = taken(Absence(timedelta(hours=26)), match(0), match(3600), match(1800))
    assert (first.answered, second.answered, late.answered) == (False, True, True)
    assert second.window.due_at == START + timedelta(hours=27, seconds=2)
    assert late.window.due_at == second.window.due_at


HOURS = [match(each * 60.0, start=each) for each in range(120)]
"""One a minute, for two hours."""


def flood(begin: float, count: int) -> list[Match]:
    return [match(begin + each / 10, start=10_000 + each) for each in range(count)]


def test_a_rate_fires_above_its_usual_number_and_not_before_it_was_learned() -> None:
    trigger = Rate(times=3, at_least=10, within=timedelta(minutes=5))
    assert not any(fires(trigger, *flood(0, 50)))
    steps = taken(trigger, *HOURS, *flood(7200, 30))
    assert not any(each.fires for each in steps[: len(HOURS)])
    assert steps[-1].fires
    assert 4 <= steps[len(HOURS) - 1].window.usual <= 6
    assert steps[-1].window.learned >= LEARNING_SPANS


def test_a_flood_does_not_become_the_usual() -> None:
    trigger = Rate(times=3, at_least=10, within=timedelta(minutes=5))
    calm = taken(trigger, *HOURS)[-1].window
    window = calm
    for each in flood(7200, 6000):
        window = take(window, trigger, each, each.record.at).window
    assert window.usual < calm.usual * 3


def test_a_pause_of_days_costs_no_time_and_leaves_little_of_the_usual() -> None:
    trigger = Rate(times=3, at_least=10, within=timedelta(minutes=5))
    window = taken(trigger, *HOURS, match(7200 + 86400 * 20))[-1].window
    assert window.usual < 0.01
    assert sum(window.counts) == 1


KINDS: tuple[Trigger, ...] = (
    Threshold(5, MINUTE),
    Distinct("user", 5, MINUTE),
    Sequence((Stage(B), Stage(B)), within=MINUTE),
    Absence(MINUTE, of=B),
    Absence(MINUTE),
    Rate(3, 5),
)
PARTS = st.sampled_from([MATCH, ONE, TWO, OF])


@given(
    st.sampled_from(KINDS), st.lists(st.tuples(st.floats(-1e4, 1e4), PARTS, st.sampled_from("abcdefgh")), max_size=60)
)
def test_i6_whatever_comes_a_window_stays_small_and_in_order(
    trigger: Trigger, seen: list[tuple[float, str, str]]
) -> None:
    window = Window("r", "")
    for at, part, user in seen:
        window = take(window, trigger, match(at, part, user=user), START + timedelta(days=1)).window
        assert list(window.times) == sorted(window.times)
        assert len(window.times) <= 3 * SPARE
        assert len(window.marks) in (0, len(window.times))


@given(st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_a_window_of_another_trigger_is_empty(before: Trigger, after: Trigger) -> None:
    old = taken(before, match(0, user="a"), match(1, user="b"))[-1].window
    fresh = take(Window("r", ""), after, match(2, user="c"), START)
    changed = take(old, after, match(2, user="c"), START)
    if old.kind != fresh.window.kind:
        assert changed == fresh


def test_many_stages_of_one_second_are_taken_in_their_order() -> None:
    trigger = Sequence(tuple(Stage(B) for _ in range(12)), within=MINUTE)
    parts = [MATCH, *(stage_name(n) for n in range(1, 13))]
    assert fires(trigger, *(match(0, part, start=n) for n, part in enumerate(parts)))[-1]


OFFERS = st.lists(st.sets(st.sampled_from([MATCH, ONE, TWO]), min_size=1), max_size=6)


@given(OFFERS, st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)))
def test_in_any_order_no_sharing_out_is_overlooked(offers: list[set[str]], counts: tuple[int, int, int]) -> None:
    trigger = Sequence((Stage(B, counts[1]), Stage(B, counts[2])), count=counts[0], within=MINUTE, any_order=True)
    wanted = [part for part, count in zip((MATCH, ONE, TWO), counts, strict=True) for _ in range(count)]
    possible = any(
        all(part in offers[n] for n, part in zip(chosen, wanted, strict=True))
        for chosen in permutations(range(len(offers)), len(wanted))
    )
    window, fired = Window("r", ""), False
    for n, parts in enumerate(offers):
        for part in sorted(parts, reverse=True):
            step = take(window, trigger, match(n, part, start=n), START + MINUTE)
            fired = fired or step.fires
            window = step.full or step.window
    assert fired is possible


def test_a_line_from_the_future_does_not_push_the_present_out() -> None:
    trigger = Threshold(3, MINUTE)
    window = Window("r", "")
    fired = []
    for at, now in ((82_800, 0), (1, 1), (2, 2), (3, 3), (400, 400), (401, 401), (402, 402)):
        step = take(window, trigger, match(at), START + timedelta(seconds=now))
        window = step.window
        fired.append(step.fires)
    assert any(fired)


def test_a_rate_over_another_span_and_groups_of_other_captures_begin_anew() -> None:
    hourly, other = Rate(3, 10, timedelta(hours=1)), Rate(3, 10, timedelta(minutes=5), by=("host",))
    calm = taken(Rate(3, 10, timedelta(minutes=5)), *HOURS)[-1].window
    assert take(calm, hourly, match(7300), START + MINUTE * 200).window.learned == 0
    assert take(calm, other, match(7300), START + MINUTE * 200).window.learned == 0


def test_windows_of_a_version_that_kept_only_the_name_of_the_trigger_are_taken_over() -> None:
    trigger = Threshold(3, MINUTE, by=("host",))
    old = Window("r", "a", (match(0).record.at.timestamp(), match(1).record.at.timestamp()), "threshold")
    assert take(old, trigger, match(2), START + MINUTE).fires
