"""What belongs to one record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.records import MAX_RECORD_LINES, cut, decode, open_tail, spans
from traces import PYTHON, TRACES

LINE = b"2026-11-23 03:12:42,000 INFO shop: up\n"


def texts(block: bytes) -> list[str]:
    return [decode(block, start, end) for start, end in spans(block)]


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_trace_is_one_record_between_its_neighbours(trace: bytes, newline: bytes) -> None:
    block = (LINE + trace + LINE).replace(b"\n", newline)
    assert texts(block) == [LINE.decode()[:-1], trace.decode()[:-1], LINE.decode()[:-1]]


def test_indented_lines_belong_to_the_line_before() -> None:
    assert texts(b"error: x\n  hint: y\n\tmore\nnext\n") == ["error: x\n  hint: y\n\tmore", "next"]


def test_two_traces_in_a_row_are_two_records() -> None:
    assert len(texts(PYTHON + PYTHON)) == 2


def test_f16_endless_indented_lines_are_cut() -> None:
    lengths = [text.count("\n") + 1 for text in texts(b"x\n" + b"  y\n" * (2 * MAX_RECORD_LINES))]
    assert max(lengths) <= MAX_RECORD_LINES


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\r\n", "a"),
        (b"a\rb\n", "a\rb"),
        (b"a\x00b\n", "a\x00b"),
        (b"a\xff\xfeb\n", "a\ufffd\ufffdb"),
        (b"a", "a"),
        (b"\n", ""),
    ],
    ids=["f19 crlf", "f19 lone cr", "f17 nul", "f18 invalid", "f15 no newline", "empty"],
)
def test_f17_f18_f19_odd_bytes_are_text(raw: bytes, text: str) -> None:
    assert texts(raw) == [text]


def test_an_unfinished_trace_may_grow() -> None:
    unfinished = LINE + b"".join(PYTHON.splitlines(keepends=True)[:4])
    assert open_tail(unfinished) == len(LINE)
    assert open_tail(LINE + LINE) is None


_LINES = [line for trace in TRACES.values() for line in trace.splitlines(keepends=True)]
_PARTS = st.sampled_from([*_LINES, LINE, b"\r\n", b"x"])
_OF_ONE = st.sampled_from(list(TRACES.values())).flatmap(
    lambda trace: st.lists(st.sampled_from([*trace.splitlines(keepends=True), LINE]), max_size=25)
)


@given((st.lists(_PARTS, max_size=25) | _OF_ONE).map(b"".join), st.data())
def test_cutting_at_hits_gives_the_records_of_the_whole_block(block: bytes, data: st.DataObject) -> None:
    every = list(spans(block))
    assert b"".join(block[start:end] for start, end in every) == block
    offsets = data.draw(st.lists(st.integers(1, max(len(block), 1)), max_size=5)) if block else []
    wanted = sorted({span for at in offsets for span in every if span[0] < at <= span[1]})
    assert [(start, end) for start, end, _ in cut(block, [(0, at) for at in offsets])] == wanted
