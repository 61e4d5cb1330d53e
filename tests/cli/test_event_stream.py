"""text/event-stream as it is read: whatever its lines end with, wherever its bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.cli.sse import LINE_MAX, EventStream, Message, NoEventStream

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=20)
NAMES = st.text(st.sampled_from("abcdefg_"), min_size=1, max_size=8)
MESSAGES = st.lists(
    st.tuples(NAMES, st.lists(WORDS, min_size=1, max_size=3), st.one_of(st.none(), NAMES)), min_size=1, max_size=6
)


def written(messages: list[tuple[str, list[str], str | None]], end: str) -> bytes:
    lines: list[str] = [": a comment", f"retry: 1000{end}"]
    for event, data, last_id in messages:
        lines += [f"event: {event}", *([f"id: {last_id}"] if last_id is not None else ())]
        lines += [f"data: {each}" for each in data]
        lines.append("")
    return "".join(f"{line}{end}" for line in lines).encode()


@given(MESSAGES, ENDS, st.lists(st.integers(0, 1000)))
def test_messages_are_whole_wherever_the_bytes_are_cut(
    messages: list[tuple[str, list[str], str | None]], end: str, cuts: list[int]
) -> None:
    raw = written(messages, end)
    borders = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    stream = EventStream()
    read = [message for at, to in pairwise(borders) for message in stream.feed(raw[at:to])]
    assert [(each.event, each.data) for each in read] == [(event, "\n".join(data)) for event, data, _ in messages]
    ids = [last_id for *_, last_id in messages if last_id is not None]
    assert stream.last_id == (ids[-1] if ids else "")


def test_an_id_without_data_is_kept_and_tells_nothing() -> None:
    stream = EventStream("before")
    assert stream.feed(b"retry: 1000\nid: 7\n\n") == []
    assert stream.last_id == "7"


def test_what_is_not_whole_yet_is_not_resumed_behind() -> None:
    stream = EventStream("6")
    assert stream.feed(b"id: 7\ndata: half") == []
    assert stream.last_id == "6"
    assert stream.feed(b"\n\n") == [Message("message", "half")]
    assert stream.last_id == "7"


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"\xef\xbb\xbfdata: a\n\n", [Message("message", "a")]),
        (b"data\n\n", [Message("message", "")]),
        (b"data:  two spaces\n\n", [Message("message", " two spaces")]),
        (b"data: a:b\n\n", [Message("message", "a:b")]),
        (b"event: x\n\ndata: y\n\n", [Message("message", "y")]),
        (b"what: is this\ndata: y\n\n", [Message("message", "y")]),
        (b"data: \xff\n\n", [Message("message", "\ufffd")]),
        (b"id: a\0b\ndata: y\n\n", [Message("message", "y")]),
    ],
    ids=["byte order mark", "empty data", "one space", "colons", "no data", "unknown field", "no UTF-8", "NUL in id"],
)
def test_odd_lines_are_read_as_the_standard_says(raw: bytes, read: list[Message]) -> None:
    assert EventStream().feed(raw) == read


def test_a_line_without_end_is_given_up() -> None:
    stream = EventStream()
    with pytest.raises(NoEventStream):
        stream.feed(b"data: " + b"x" * LINE_MAX)
