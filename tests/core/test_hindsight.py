"""Unknown errors of the past: counted by hour where they stand, placed as the daemon would have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core import sightings
from logmedic.core.hindsight import Hindsight, columns_of, ranked, scale_of
from logmedic.core.matcher import Matcher
from logmedic.core.sightings import Sighting, Span, as_read
from logmedic.model.record import Block, Checkpoint

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
READ_AT = START + timedelta(days=30)


@cache
def matcher() -> Matcher:
    return Matcher([], zone=UTC, placing=True)


def lines_at(minutes: Sequence[float], text: str = "ERROR jobs: job {n} failed") -> list[bytes]:
    """A line each, so long after START."""
    return [
        f"{START + timedelta(minutes=m):%Y-%m-%d %H:%M:%S} {text.format(n=n)}\n".encode() for n, m in enumerate(minutes)
    ]


def block_of(content: bytes, start: int = 0) -> Block:
    mark = Checkpoint("app.log", "app", start + len(content), READ_AT)
    return Block("app", "app.log", content, start, mark, READ_AT, live=False)


def seen(content: bytes, span: Span | None = None, low: int = 0, high: int | None = None) -> list[Sighting]:
    block = block_of(content)
    counting = (span or Span(UTC)).of(0)
    rows = [*counting.taken(block, matcher().find(block), low, len(content) if high is None else high)]
    return sorted([*rows, *counting.rest()], key=as_read)


def hindsight(rows: Sequence[Sighting], most: int = 1000, days: int = 10) -> Hindsight:
    scale = scale_of((START, START + timedelta(days=days)), UTC)
    answer = Hindsight(most, scale, ["app"] * 10)
    for row in sorted(rows, key=as_read):
        answer.take(row)
    return answer


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60).map(sorted))
def test_every_error_counts_in_its_hour(minutes: list[int]) -> None:
    (row,) = seen(b"".join(lines_at(minutes)))
    begin = int(START.timestamp()) // 3600
    wanted = {begin + m // 60: sum(1 for each in minutes if each // 60 == m // 60) for m in minutes}
    assert dict(row.hours) == wanted
    assert row.times == len(minutes)


def test_hours_are_those_of_the_clocks_on_the_wall() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    (row,) = seen(b"".join(lines_at([0, 29, 31])), Span(india))
    assert [count for _, count in row.hours] == [2, 1]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40).map(sorted), st.integers(-10, 310), st.integers(-10, 310))
def test_only_what_was_written_in_the_time_asked_for_counts(minutes: list[int], since: int, until: int) -> None:
    span = Span(UTC, START + timedelta(minutes=since), START + timedelta(minutes=until))
    rows = seen(b"".join(lines_at(minutes)), span)
    assert sum(row.times for row in rows) == sum(1 for each in minutes if since <= each < until)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40).map(sorted), st.integers(0, 3000))
def test_parts_of_a_log_count_each_error_once(minutes: list[int], cut: int) -> None:
    content = b"".join(lines_at(minutes))
    parts = [*seen(content, high=cut), *seen(content, low=cut)]
    assert sum(row.times for row in parts) == len(minutes)
    assert all(f"job {n} ".encode() in content for n in range(len(minutes)))
    for row in parts:
        assert content[row.start :].startswith(row.text.encode())


def test_memory_is_bounded_where_every_error_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, "HELD_KINDS", 10)
    counting = Span(UTC).of(0)
    words = [f"{a}{b}{c}" for a in "abcde" for b in "fghij" for c in "klmno"]
    rows = 0
    for n, word in enumerate(words):
        block = block_of(b"".join(lines_at([n], f"ERROR {word}: {word} went wrong")))
        rows += len(counting.taken(block, matcher().find(block), 0, len(block.data)))
        assert n + 1 - rows <= 10
    assert rows + len(counting.rest()) == len(words)


def test_what_differs_in_values_alone_is_one_lesson() -> None:
    text = "ERROR jobs: job {n} of tenant acme failed after {n} ms"
    done = hindsight(seen(b"".join(lines_at([0, 100, 3000], text))))
    (lesson,) = done.lessons
    assert lesson.template.occurrences == done.unknown == 3
    assert (lesson.template.first_seen, lesson.template.last_seen) == (START, START + timedelta(minutes=3000))
    assert lesson.slots == {0: 2, 2: 1}
    assert "job 0 " in lesson.template.sample


def test_what_is_merged_keeps_all_counts() -> None:
    users = ("anna", "bert", "carl", "dora", "emil", "fred", "gina", "hugo", "ines", "jana")
    content = b"".join(
        line
        for n, user in enumerate(users)
        for line in lines_at([n * 1440] * 3, f"ERROR ledger: cannot book for {user}")
    )
    done = hindsight(seen(content))
    assert sum(each.template.occurrences for each in done.lessons) == done.unknown == 30
    assert max(each.template.occurrences for each in done.lessons) == 30
    assert sum(done.lessons[0].slots.values()) == 30


def test_where_there_is_no_room_the_seldom_ones_are_forgotten() -> None:
    words = [f"{a}{b}{c}" for a in "abcde" for b in "fghij" for c in "klmno"]
    rows = [*seen(b"".join(lines_at([0] * 50, "ERROR often: it broke")))]
    for n, word in enumerate(words):
        (row,) = seen(b"".join(lines_at([n], f"ERROR {word}: {word} went wrong")))
        rows.append(row._replace(start=1_000_000 + n))
    done = hindsight(rows, most=20)
    assert len(done.lessons) <= 20
    assert done.forgotten == len(words) + 1 - len(done.lessons)
    assert ranked(done.lessons)[0].template.component == "often"
    assert done.unknown == 50 + len(words)


def test_the_most_frequent_come_first_and_what_is_seldom_can_be_left_out() -> None:
    content = b"".join(
        (*lines_at([0] * 3, "ERROR a: broke"), *lines_at([0] * 5, "ERROR b: burst"), *lines_at([9], "ERROR c: bent"))
    )
    lessons = hindsight(seen(content)).lessons
    assert [each.template.component for each in ranked(lessons)] == ["b", "a", "c"]
    assert [each.template.component for each in ranked(lessons, least=3)] == ["b", "a"]
    assert [each.template.component for each in ranked(lessons, "c")] == ["c"]


@pytest.mark.parametrize(
    ("days", "unit", "slots"),
    [(0, "hour", 1), (1, "hour", 25), (2, "day", 3), (400, "day", 401), (2000, "week", 287)],
)
def test_the_longer_the_logs_the_wider_the_slots(days: int, unit: str, slots: int) -> None:
    scale = scale_of((START, START + timedelta(days=days)), UTC)
    assert (scale.unit, scale.slots) == (unit, slots)


@given(st.dictionaries(st.integers(0, 364), st.integers(1, 9)), st.integers(1, 400))
def test_a_picture_loses_no_count(counts: dict[int, int], width: int) -> None:
    columns = columns_of(counts, scale_of((START, START + timedelta(days=364)), UTC), width)
    assert sum(columns) == sum(counts.values())
    assert len(columns) <= width


_WORDS = st.sampled_from(("anna", "bert", "carl", "dora", "emil", "fred", "17", "10.0.0.1", "/srv/a", "/srv/b7"))
_MESSAGES = st.sampled_from(
    (
        "cannot book entry {} for {}",
        "cannot book entry {} for {} of {}",
        "user {} is gone",
        "{} refused",
        "no room for {} in {}",
        "took {} ms",
    )
)


def _message(given: tuple[str, str, str, str]) -> str:
    text, *words = given
    return text.format(*words)


@given(st.lists(st.tuples(_MESSAGES, _WORDS, _WORDS, _WORDS), min_size=1, max_size=60, unique_by=_message), st.data())
def test_what_is_learned_does_not_depend_on_where_logs_are_cut(
    given: list[tuple[str, str, str, str]], data: st.DataObject
) -> None:
    """Of lines that come once. A stretch counts equal lines together; seldom, one that comes again shows two others to
    be of one kind, and then the cut decides."""
    lines = [
        line for n, (text, *words) in enumerate(given) for line in lines_at([n], f"ERROR jobs: {text.format(*words)}")
    ]
    content = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4)))
    parts = [
        row
        for low, high in zip([0, *cuts], [*cuts, len(content)], strict=True)
        for row in seen(content, low=low, high=high)
    ]
    each_alone = [row for n in range(len(lines)) for row in _shifted(seen(lines[n]), len(b"".join(lines[:n])))]
    whole = _told(hindsight(seen(content)))
    assert _told(hindsight(parts)) == whole
    assert _told(hindsight(each_alone)) == whole


def _shifted(rows: Sequence[Sighting], by: int) -> list[Sighting]:
    return [row._replace(start=row.start + by) for row in rows]


def _told(done: Hindsight) -> dict[str, tuple[str, int]]:
    return {each.template.fingerprint: (each.template.template, each.template.occurrences) for each in done.lessons}
