"""Programs write line by line: what looks like a whole record may be the first line of a stack trace."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.blocks import NOW, block_of, cuts_of, handed_on
from logmedic.core.assembler import GROWS, MAX_TOLD_BYTES, Assembler
from logmedic.core.matcher import Matcher
from logmedic.model.match import MatchSpec
from logmedic.model.record import Block
from logmedic.model.rule import Rule
from traces import TRACES

UP = b"2026-11-24 INFO up\n"
HEAD = b"2026-11-24 ERROR boom\n"
LOST = b"2026-11-24 ERROR lost\n"
TRACE = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: 1\n'
PIECES = [
    HEAD,
    LOST,
    UP,
    b"other\n",
    TRACE,
    TRACE + b"\nDuring handling of the above exception, another exception occurred:\n\n" + TRACE,
    b"TypeError: closed\n    at f (a.js:1:1)\n",
    b"java.lang.IllegalStateException: closed\n\tat a.B.f(B.java:1)\n",
    b"a.rb:3:in 'f': boom (RuntimeError)\n\tfrom a.rb:9:in 'g'\n",
    b"  File\n",
]
MATCHER = Matcher(
    [
        Rule("boom", "the first line alone tells it", MatchSpec(("ERROR boom",))),
        Rule("key", "only the whole trace tells it", MatchSpec((r"(?s)boom.*KeyError: 1",))),
        Rule("closed", "any line of it", MatchSpec(("closed|panic",))),
        Rule("lone", "nothing below it", MatchSpec(("other",), unless=("boom|File",))),
    ],
    zone=UTC,
)


class Told:
    """What a matcher says of blocks, as the intake asks it."""

    def __init__(self) -> None:
        self.assembler = Assembler()
        self.matches: Counter[tuple[str, int]] = Counter()
        """By rule, and by where the record starts."""
        self.unknown: Counter[str] = Counter()
        self.lines = 0

    def take(self, ready: Block) -> None:
        found = MATCHER.find(ready)
        if found.waits:
            before = self.assembler.take_back(ready)
            assert before is None or before.checkpoint.offset == before.start + len(before.data)
        self.matches += Counter((match.rule_id, match.record.start) for match in found.matches)
        for error in found.unknown:
            self.unknown[error.fingerprint] += error.count
        self.lines += found.lines


def one_by_one(content: bytes) -> Told:
    """What is told of lines that come one by one."""
    told = Told()
    for ready in handed_on(told.assembler, content, list(range(content.count(b"\n"))), followed=False):
        told.take(ready)
    return told


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_trace_means_the_same_when_it_is_written_line_by_line(trace: bytes) -> None:
    content, whole = UP + trace + UP, Told()
    whole.take(block_of(content, 0))
    told = one_by_one(content)
    assert (told.matches, told.unknown, told.lines) == (whole.matches, whole.unknown, whole.lines)


def test_a_rule_that_knows_the_first_line_fires_at_once() -> None:
    told = Told()
    (ready,) = told.assembler.push(block_of(HEAD, 0))
    told.take(ready)
    assert told.matches == {("boom", 0): 1}
    assert not told.assembler.pending
    assert ready.checkpoint.offset == len(HEAD)


def test_i1_it_fires_once_when_the_trace_follows_and_what_it_knows_is_no_unknown_error() -> None:
    told = one_by_one(HEAD + TRACE)
    assert told.matches == {("boom", 0): 1, ("key", 0): 1}
    assert told.unknown == {}
    assert told.lines == 4


def test_an_error_that_no_rule_knows_waits_for_its_trace_and_its_position_with_it() -> None:
    told = Told()
    (ready,) = told.assembler.push(block_of(UP + LOST, 0))
    assert MATCHER.find(ready).waits
    rest = told.assembler.take_back(ready)
    assert rest is not None
    assert (rest.data, rest.checkpoint.offset, told.assembler.pending) == (UP, len(UP), True)


def test_what_must_not_stand_in_the_trace_is_heard_before_the_rule_fires() -> None:
    assert one_by_one(b"other\n  File\n").matches == {}
    assert one_by_one(b"other\n").matches == {("lone", 0): 1}


def test_i6_a_record_that_is_long_is_over_when_it_looks_whole() -> None:
    long = b"2026-11-24 ERROR boom " + b"x" * MAX_TOLD_BYTES + b"\n"
    told = one_by_one(long + TRACE)
    assert told.matches == {("boom", 0): 1}
    assert sum(told.unknown.values()) == 1


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), st.booleans(), st.data())
def test_i1_what_records_mean_is_told_once_and_the_same_however_the_lines_come_in_blocks(
    content: bytes, followed: bool, data: st.DataObject
) -> None:
    told, whole = Told(), Told()
    for ready in handed_on(told.assembler, content, cuts_of(content, data), followed):
        told.take(ready)
    whole.take(block_of(content, 0))
    assert (told.matches, told.unknown, told.lines) == (whole.matches, whole.unknown, whole.lines)


def test_a_trace_that_is_written_much_later_is_a_record_of_its_own() -> None:
    told = Told()
    (ready,) = told.assembler.push(block_of(HEAD, 0))
    told.take(ready)
    later = replace(block_of(TRACE, len(HEAD)), read_at=NOW + GROWS + timedelta(seconds=1))
    for block in (*told.assembler.push(later), told.assembler.flush()):
        if block is not None:
            told.take(block)
    told.take(told.assembler.flush() or block_of(b"", 0))
    assert told.matches == {("boom", 0): 1}
    assert sum(told.unknown.values()) == 1
