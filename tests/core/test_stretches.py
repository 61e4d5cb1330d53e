"""Errors of a backlog count in the hours and the episodes in which they were written, however large its blocks are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Bench, learning, observed, policy
from core.blocks import NOW, block_of
from logmedic.core.matcher import Matcher
from logmedic.core.rates import SILENCE, slot_of
from logmedic.core.stretches import MOST, stretches
from logmedic.model.issue import IssueStatus, KnownIssue, PatternType

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MINUTES = st.lists(st.sampled_from((0, 1, 7, 14, 15, 16, 40, 59, 61, 300, 1500)), min_size=1, max_size=40)
"""Between one line and the next."""


def moments(gaps: list[int]) -> list[datetime]:
    at, found = BEGIN, []
    for gap in gaps:
        at += timedelta(minutes=gap)
        found.append(at)
    return found


@given(MINUTES)
def test_a_stretch_is_of_one_hour_without_a_silence_and_as_long_as_it_can_be(gaps: list[int]) -> None:
    at = moments(gaps)
    runs = stretches(len(at), at.__getitem__)
    assert [n for begin, end in runs for n in range(begin, end + 1)] == list(range(len(at)))
    for begin, end in runs:
        assert slot_of(at[begin]) == slot_of(at[end])
        assert all(after - before < SILENCE for before, after in pairwise(at[begin : end + 1]))
    for (_, before), (after, _) in pairwise(runs):
        assert at[after] - at[before] >= SILENCE or slot_of(at[after]) != slot_of(at[before])


def test_of_a_storm_two_times_are_read() -> None:
    asked: list[int] = []

    def at(number: int) -> datetime:
        asked.append(number)
        return BEGIN + timedelta(milliseconds=number)

    assert stretches(100_000, at) == [(0, 99_999)]
    assert set(asked) == {0, 99_999}


def test_times_that_go_back_make_one_stretch() -> None:
    at = [BEGIN + timedelta(hours=9), BEGIN + timedelta(hours=5), BEGIN]
    assert stretches(3, at.__getitem__) == [(0, 2)]


def test_i6_there_are_so_many_of_a_kind_at_most() -> None:
    runs = stretches(3 * MOST, lambda number: BEGIN + number * timedelta(hours=2))
    assert len(runs) == MOST
    assert runs[-1][1] == 3 * MOST - 1


def lines(at: list[datetime]) -> list[bytes]:
    return [f"{each:%Y-%m-%dT%H:%M:%SZ} ERROR shop: order {n} lost\n".encode() for n, each in enumerate(at)]


def learned(blocks: list[bytes]) -> Bench:
    made = Bench(policy(learning=learning()))
    matcher, at = Matcher([], zone=UTC), 0
    for each in blocks:
        made.give(observed(*matcher.find(block_of(each, at)).unknown), 1)
        at += len(each)
    return made


def life(made: Bench) -> tuple[object, ...]:
    onsets = [each.at for changeset in made.all for each in changeset.onsets]
    (issue,) = made.state.issues.values() or (None,)
    return onsets, issue and facts(issue)


def facts(issue: KnownIssue) -> tuple[object, ...]:
    rate = issue.slot_at, issue.slot_count, issue.usual, issue.usual_hours
    return issue.occurrences, issue.episodes, issue.first_seen, issue.last_seen, issue.status, rate


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(MINUTES.filter(lambda gaps: len(gaps) > 2))
def test_a_block_of_a_backlog_teaches_what_its_lines_teach_one_by_one(gaps: list[int]) -> None:
    """After the third, from which on there is an issue to count for."""
    at = moments([0, 0, 0, *gaps])
    begun, rest = lines(at)[:3], lines(at)[3:]
    assert life(learned([*begun, b"".join(rest)])) == life(learned([*begun, *rest]))


def escalations(made: Bench) -> list[str]:
    """Why people were called for a rate."""
    lessons = [each for changeset in made.all for each in changeset.learnings]
    reasons = [each.learnings for each in lessons if each.pattern_type is PatternType.ISSUE_ESCALATION]
    return [each for each in reasons if "usual are" in each]


def test_catching_up_with_a_weekend_is_no_flood() -> None:
    """Five an hour, as ever, and 60 hours of them in one block."""
    at = [BEGIN + timedelta(hours=hour, minutes=10 * n) for hour in range(100) for n in range(5)]
    made = learned([*lines(at)[:200], b"".join(lines(at)[200:])])
    (issue,) = made.state.issues.values()
    assert issue.occurrences == 500
    assert issue.status is IssueStatus.ONGOING
    assert 4.9 < issue.usual < 5.1
    assert escalations(made) == []


@pytest.mark.parametrize(("over_for", "told"), [(5, 1), (30, 0)], ids=["last night", "days ago"])
def test_a_flood_while_nobody_watched_is_told_with_its_hour_unless_it_is_long_over(over_for: int, told: int) -> None:
    now = NOW.replace(minute=0)
    hours = [now - timedelta(hours=over_for + n) for n in range(60, 0, -1)]
    flood = [hours[-1] + timedelta(hours=1, seconds=30 * n) for n in range(100)]
    at = [each + timedelta(minutes=10 * n) for each in hours for n in range(5)] + flood
    made = Bench(policy(learning=learning(escalate_after=10**6)))
    made.now = NOW
    made.give(observed(*Matcher([], zone=UTC).find(block_of(b"".join(lines(at)), 0)).unknown))
    assert len(escalations(made)) == told
    assert all(f"in the hour of {flood[0]:%Y-%m-%d %H:%M} UTC" in each for each in escalations(made))
