"""Candidates of a block: fast where Hyperscan takes the pattern, bounded where it does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import regex

from logmedic.core.scanner import MAX_OVERRUNS, MAX_SHARED, HyperscanScanner, PlainScanner, make_scanner
from logmedic.core.widening import Widened, widen

NASTY = r"^(?:a?){0,30}(a|aa)+$|zzz*"
HOSTILE = b"a" * 60 + b"!\n"


@pytest.mark.parametrize(
    ("pattern", "expression", "literal"),
    [
        ("connection refused by (.*)", r"connection\x20refused\x20by\x20", True),
        (r"\d+ errors? in \w+ stage", r"\x20error", True),
        (r"pid \d+", r"pid\x20[\x30-\x39\x80-\xff]", False),
    ],
)
def test_the_longest_required_literal_stands_for_the_pattern(pattern: str, expression: str, literal: bool) -> None:
    assert widen(pattern) == Widened(expression, literal)


@pytest.mark.parametrize(
    "pattern",
    [r"(?<=a)\bfoo(?!bar)", r"(?P<q>['\"]).{1,9}(?P=q) not found", r"(?i)ERROR: straße", r"(?:x{3,400}y){1,50}", "é+$"],
)
def test_the_database_takes_what_rules_are_made_of(pattern: str) -> None:
    assert HyperscanScanner([pattern]).plain_patterns == ()


@pytest.mark.parametrize("pattern", ["x*", "^", r"\p{Lu}rror", "(?:fail){e<=1}", "[[:digit:]]+"])
def test_the_plain_scanner_serves_the_rest(pattern: str) -> None:
    scanner = HyperscanScanner(["something else", pattern])
    assert scanner.plain_patterns == (1,)
    assert {index for index, _ in scanner.scan(b"xx Error fail 7\n")} == {1}


def test_patterns_with_one_literal_are_all_found() -> None:
    scanner = make_scanner(["connection reset: (.)", "connection reset: (..)"])
    assert {index for index, _ in scanner.scan(b"connection reset: ab\n")} == {0, 1}


def test_a_literal_that_many_patterns_share_stands_for_none_of_them() -> None:
    scanner = make_scanner([rf"app-{n}: connection refused by (.*)" for n in range(MAX_SHARED + 1)])
    assert {index for index, _ in scanner.scan(b"app-3: connection refused by x\n")} == {3}


def test_f43_a_pattern_that_explodes_costs_a_block_its_limit_a_few_times_only() -> None:
    scanner = PlainScanner(["never", NASTY], timeout_s=0.01)
    hits = scanner.scan(HOSTILE * 2000)  # 20 s, if each record were tried to its limit
    assert len([index for index, _ in hits if index == 1]) == 2000
    assert MAX_OVERRUNS < 100


def test_f43_a_muted_pattern_is_asked_no_more() -> None:
    scanner = HyperscanScanner(["x*", r"\p{Lu}"])
    scanner.mute([0])
    assert {index for index, _ in scanner.scan(b"A\n")} == {1}


def test_nothing_is_found_in_nothing() -> None:
    assert make_scanner(["a"]).scan(b"") == []
    assert make_scanner([]).scan(b"a\n") == []


@pytest.mark.slow
def test_one_scanner_serves_many_threads() -> None:
    scanner = make_scanner(["needle-[0-9]", r"\p{Lu}x"])
    block = (b"hay\n" * 500 + b"needle-7\n") * 20
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(scanner.scan, [block] * 64))
    assert all(len(answer) == 20 for answer in answers)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no scanner"):
        make_scanner(["a"], "turbo")


@pytest.mark.parametrize("kind", ["auto", "hyperscan", "plain"])
def test_a_pattern_that_does_not_compile_is_told(kind: str) -> None:
    with pytest.raises(regex.error):
        make_scanner(["(unclosed"], kind)
