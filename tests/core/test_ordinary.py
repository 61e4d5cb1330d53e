"""Ordinary lines: what a source says when nothing is wrong, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC
from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.test_differential import CALM, PATIENT_S, block_of, blocks, compiles, rules
from logmedic.core import templates
from logmedic.core.matcher import Matcher
from logmedic.core.ordinary import MAX_LENGTH, SLOTS, Draw, drawn, may_go_on, ordinary_line
from logmedic.core.records import cut, decode, spans
from logmedic.core.scanner import make_scanner
from logmedic.model.learned import OrdinaryLine
from logmedic.model.match import MatchSpec
from logmedic.model.record import Entry
from logmedic.model.rule import Rule

DISK = Rule("disk", "t", MatchSpec(("disk full",)))
MIXED = b"job 1 done\nERROR cannot connect\njob 2 done\nthe disk full\n\n   \njob 3 done\n"


def matcher(*wanted: Rule, learning: bool = True) -> Matcher:
    return Matcher(wanted, zone=UTC, scanner="plain", timeout_s=PATIENT_S, learning=learning)


def lines_given(content: bytes, **changes: object) -> set[str]:
    """The line for every byte that may be drawn."""
    block = replace(block_of(content), **changes)  # type: ignore[arg-type]
    found = (matcher(DISK).find(block, Draw(0, at)).ordinary for at in range(len(content)))
    return {each.text for each in found if each is not None}


def test_lines_of_no_error_and_no_rule_are_ordinary_and_no_others() -> None:
    assert lines_given(MIXED) == {"job 1 done", "job 2 done", "job 3 done"}


def test_nothing_is_given_that_nobody_asked_for() -> None:
    assert matcher(DISK).find(block_of(MIXED)).ordinary is None


def test_a_line_has_the_place_that_was_drawn_and_its_source() -> None:
    found = matcher().find(block_of(b"all is well\n"), Draw(17, 3)).ordinary
    assert found is not None
    assert (found.source, found.slot, found.text) == ("app", 17, "all is well")


@pytest.mark.slow
def test_a_line_is_cut() -> None:
    assert lines_given(b"x" * 3000 + b"\n") == {"x" * MAX_LENGTH}
    assert {len(each) for each in lines_given("é".encode() * 3000 + b"\n")} == {MAX_LENGTH}


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\t\n", b"ERROR cannot connect\n"])
def test_a_block_without_an_ordinary_line_gives_none(content: bytes) -> None:
    assert matcher().find(block_of(content), Draw(0, 5)).ordinary is None


def test_who_learns_nothing_has_no_ordinary_lines_for_errors_are_not_looked_for() -> None:
    assert matcher(DISK, learning=False).find(block_of(MIXED), Draw(0, 0)).ordinary is None


def test_the_lines_of_a_stack_trace_are_not_ordinary() -> None:
    trace = b'starting\nTraceback (most recent call last):\n  File "a.py", line 1, in a\nValueError: x\nready\n'
    assert lines_given(trace) == {"starting", "ready"}


def test_a_line_of_the_record_that_grows_is_not_sure_yet() -> None:
    grows = replace(block_of(b"one\ntwo\n"), grows=4)
    assert not may_go_on(grows, OrdinaryLine("app", 0, "one"))
    assert may_go_on(grows, OrdinaryLine("app", 0, "two"))
    assert not may_go_on(block_of(b"one\ntwo\n"), OrdinaryLine("app", 0, "two"))


def test_an_entry_of_the_journal_is_one_record() -> None:
    content = b"fine\nfails in\nsome step: ERROR lost\nfine too\n"
    entries = (Entry(0), Entry(5), Entry(36))
    assert lines_given(content, entries=entries) == {"fine", "fine too"}


@pytest.mark.slow
@CALM
@given(rules(), blocks(), st.integers(0, 2**64))
def test_an_ordinary_line_never_lies_in_a_record_with_a_hit(wanted: list[Rule], content: bytes, at: int) -> None:
    patterns = [each for rule in wanted for each in rule.match.patterns]
    assume(all(map(compiles, (*patterns, *(each for rule in wanted for each in rule.match.unless)))))
    scan = make_scanner([*patterns, *templates.ERROR_DETECTORS], "plain", PATIENT_S).scan
    hit = {(start, end) for start, end, _ in cut(content, scan(content))}
    found = matcher(*wanted).find(block_of(content), Draw(0, at)).ordinary
    assume(found is not None)
    assert found is not None
    free = [content[start:end] for start, end in spans(content) if (start, end) not in hit]
    assert any(found.text in decode(record, 0, len(record)) for record in free)


@given(st.lists(st.sampled_from([b"a\n", b"bb\n", b"\n", b"hit\n"]), max_size=80), st.integers(0))
def test_a_line_is_found_wherever_it_stands(lines: list[bytes], at: int) -> None:
    ends = list(accumulate(map(len, lines)))
    hits = [(end - 4, end) for line, end in zip(lines, ends, strict=True) if line == b"hit\n"]
    found = ordinary_line(block_of(b"".join(lines)), hits, Draw(0, at))
    assert (found is not None) == any(line in (b"a\n", b"bb\n") for line in lines)
    assert found is None or found.text in ("a", "bb")


def test_the_first_blocks_fill_the_places_in_order() -> None:
    assert [each.slot for n in range(1, SLOTS + 1) if (each := drawn("app", n))] == list(range(SLOTS))


def test_drawing_becomes_rare() -> None:
    asked = sum(drawn("app", n) is not None for n in range(1, 100_001))
    assert 420 < asked < 650  # 64 * (1 + ln(100,000 / 64)) = 535


def test_every_block_is_as_likely_to_be_kept() -> None:
    kept: Counter[int] = Counter()
    for source in range(50):
        places = {each.slot: n for n in range(1, 2001) if (each := drawn(f"s{source}", n))}
        assert len(places) == SLOTS
        kept.update(n // 500 for n in places.values())
    assert all(600 < kept[quarter] < 1000 for quarter in range(4))  # 800 each


def test_chance_is_the_same_for_the_same_arguments() -> None:
    assert drawn("app", 70) == drawn("app", 70)
    assert [drawn("a", n) for n in range(100, 400)] != [drawn("b", n) for n in range(100, 400)]
