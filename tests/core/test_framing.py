"""Records as an operator frames them: by their first line, or by what continues one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.blocks import NOW, block_of, cuts_of, handed_on
from logmedic.core.assembler import Assembler
from logmedic.core.framing import TRACES, Framing
from logmedic.core.matcher import Matcher
from logmedic.core.records import MAX_RECORD_BYTES, MAX_RECORD_LINES
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.match import MatchSpec
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule

DATED = Framing(start=r"^\d{4}-")
MORE = Framing(continues=r"^(\s|\+)")
FRAMINGS = [TRACES, DATED, MORE]
LINES = st.lists(
    st.sampled_from([b"2026-11-24 boom\n", b" more\n", b"+ more\n", b"other\n", b"\n", b"x\r\n"]), max_size=30
).map(b"".join)
TRACED = st.lists(
    st.sampled_from(
        [
            b"2026-11-24 ERROR boom\n",
            b"2026-11-24 ERROR lost\n",
            b"Traceback (most recent call last):\n",
            b'  File "a.py", line 1, in f\n',
            b"KeyError: 1\n",
            b"During handling of the above exception, another exception occurred:\n",
            b"java.lang.IllegalStateException: closed\n",
            b"panic: no\n",
            b"goroutine 1 [running]:\n",
            b"thread 'main' panicked at src/main.rs:3:5:\n",
            b"\n",
            b"other\n",
        ]
    ),
    max_size=30,
).map(b"".join)


def of(block: bytes, framing: Framing) -> list[bytes]:
    return [block[start:end] for start, end in framing.spans(block)]


def test_a_line_that_matches_start_begins_a_record_and_all_others_continue_it() -> None:
    block = b"cut off before\n2026-11-24 one\nSELECT *\n  FROM x\n2026-11-25 two\n"
    assert of(block, DATED) == [b"cut off before\n", b"2026-11-24 one\nSELECT *\n  FROM x\n", b"2026-11-25 two\n"]


def test_a_line_that_matches_continue_belongs_to_the_one_before() -> None:
    assert of(b"one\n+ more\n more\ntwo\nthree\n+ x\n", MORE) == [b"one\n+ more\n more\n", b"two\n", b"three\n+ x\n"]


@pytest.mark.parametrize("arguments", [("(", ""), ("", "[z-a]"), ("a", "b")])
def test_what_is_no_framing_is_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"does not compile|exclude each other"):
        Framing(*arguments)


@pytest.mark.parametrize(
    "pattern", [r"^\d{2147483647}-", r"^(?:\d{100}){100}", r"^\p{L}{99999}", r"^[[:alpha:]]{1,20000}"]
)
def test_a_pattern_that_counts_too_far_is_refused_before_it_takes_the_memory(pattern: str) -> None:
    with pytest.raises(ValueError, match="counts too far"):
        Framing(pattern)


@pytest.mark.parametrize("pattern", [r"^\d{4}-\d\d", r"^\{\"at\":\"2026", r"^\p{Lu}{1,99} ", r"^\{12345\}"])
def test_a_pattern_that_only_looks_like_it_is_taken(pattern: str) -> None:
    assert Framing(pattern).start == pattern


def test_i6_a_record_is_bounded_in_lines_and_bytes() -> None:
    many = of(b"2026-\n" + b"x\n" * 2 * MAX_RECORD_LINES, DATED)
    assert max(record.count(b"\n") for record in many) == MAX_RECORD_LINES
    assert len(many) == 3
    large = of(b"2026-\n" + (b"x" * 9999 + b"\n") * 20, DATED)
    assert max(map(len, large)) <= MAX_RECORD_BYTES


def test_a_block_without_any_beginning_costs_no_more_than_its_size() -> None:
    block = b"x\n" * 100_000
    hits = [(0, at) for at in range(2, len(block), 2000)]
    records = list(DATED.cut(block, hits))
    assert all(start % (2 * MAX_RECORD_LINES) == 0 for start, _, _ in records)


@given(LINES, st.sampled_from(FRAMINGS), st.data())
def test_cutting_at_hits_gives_the_records_of_the_whole_block(
    block: bytes, framing: Framing, data: st.DataObject
) -> None:
    every = list(framing.spans(block))
    assert b"".join(block[start:end] for start, end in every) == block
    offsets = data.draw(st.lists(st.integers(1, len(block)), max_size=5)) if block else []
    wanted = sorted({span for at in offsets for span in every if span[0] < at <= span[1]})
    assert [(start, end) for start, end, _ in framing.cut(block, [(0, at) for at in offsets])] == wanted


@given(LINES | TRACED, st.sampled_from(FRAMINGS), st.booleans(), st.data())
def test_records_are_the_same_however_the_lines_come_in_blocks(
    content: bytes, framing: Framing, followed: bool, data: st.DataObject
) -> None:
    found: list[bytes] = []
    for ready in handed_on(Assembler(framing), content, cuts_of(content, data), followed):
        if ready.told and not found[-1].startswith(ready.data[: ready.told]):
            raise AssertionError("what was told is the last record that was handed on")
        found = (found[:-1] if ready.told else found) + of(ready.data, framing)
    assert found == of(content, framing)


def test_a_pattern_that_explodes_begins_a_record_and_stops_nothing() -> None:
    framing = Framing(start=r"^(a|aa)+$")
    assert len(of((b"a" * 60 + b"b\n") * 2, framing)) == 2


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_the_matcher_frames_each_source_as_it_is_set(scanner: str) -> None:
    rule = Rule("r", "t", MatchSpec((r"one\n(.*\n)*needle",)))
    matcher = Matcher([rule], zone=UTC, scanner=scanner, framings={"app": DATED})
    content = b"2026-11-24 one\nmiddle\nneedle\n2026-11-24 two\n"
    mark = Checkpoint("a.log", "app", len(content), NOW)
    found = {
        source: len(matcher.find(Block(source, "a.log", content, 0, mark, NOW)).matches) for source in ("app", "web")
    }
    assert found == {"app": 1, "web": 0}


def test_what_is_handed_on_is_told_with_the_position_before_what_is_held() -> None:
    assembler, first, second = Assembler(), b"one\n2026-11-24 ERROR boom\n", b"Traceback (most recent call last):\n"

    (ready,) = assembler.push(block_of(first, 0, followed=True))
    assert (ready.data, ready.checkpoint.offset) == (b"one\n", 4)
    assert assembler.push(block_of(second, len(first))) == ()
    held = assembler.flush()
    assert held is not None
    assert (held.data, held.start) == (first[4:] + second, 4)
    assert held.checkpoint.offset == len(first + second)


BEGUN = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\n'


def test_after_a_rotation_what_is_unfinished_leaves_and_gets_nothing_of_the_next_file() -> None:
    assembler, block = Assembler(), block_of(b"    first of its file\n", 0)
    assert assembler.push(block_of(BEGUN, 0)) == ()
    left, *others = assembler.push(replace(block, checkpoint=replace(block.checkpoint, inode=2)))
    assert (left.data, left.checkpoint.offset) == (BEGUN, len(BEGUN))
    assert all(each.start == 0 for each in others)
    rest = assembler.flush()
    assert rest is not None
    assert (rest.data, rest.checkpoint.inode) == (b"    first of its file\n", 2)


def test_what_is_unfinished_goes_on_in_the_copy_of_its_file() -> None:
    assembler, block = Assembler(), block_of(b"KeyError: 1\n", len(BEGUN))
    assert assembler.push(block_of(BEGUN, 0)) == ()
    (whole,) = assembler.push(replace(block, checkpoint=replace(block.checkpoint, inode=2), complete=True))
    assert (whole.data, whole.start) == (BEGUN + b"KeyError: 1\n", 0)


def test_behind_a_gap_begins_another_record() -> None:
    assembler = Assembler()
    assert assembler.push(block_of(BEGUN, 0)) == ()
    gap = Gap(SourceEventKind.HOLE, 0)
    left, *_ = assembler.push(replace(block_of(b"    g()\n", len(BEGUN)), gaps=(gap,)))
    assert (left.data, left.gaps) == (BEGUN, ())
