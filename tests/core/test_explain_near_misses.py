"""How far a pattern gets: where it parts from the text, in its own words."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.nearmiss import near_miss

CASES = {
    "a word is another": (
        "connection refused by x",
        "a connection reset by x",
        "connection re",
        "fused by x",
        "set by x",
    ),
    "the text ends": ("disk is full", "disk is", "disk is", " full", ""),
    "what is greedy is wanted, not matched": ("foo .* bar", "foo x", "foo ", ".* bar", "x"),
    "a class": (r"port \d+ closed", "port x closed", "port ", r"\d+ closed", "x closed"),
    "inside of a named group": (r"job (?P<job>mail-\d+) died", "job mail-x died", "job mail-", r"\d+) died", "x died"),
    "inside of a plain group": ("(?:lost the) link", "lost a link", "lost ", "the) link", "a link"),
    "the nearer of two alternatives": (
        "cpu is hot|disk sda failed",
        "disk sdb failed",
        "disk sd",
        "a failed",
        "b failed",
    ),
    "a group of alternatives is one element": ("is (?:up|down) now", "is on now", "is ", "(?:up|down) now", "on now"),
    "flags count for every part": ("(?i)error: boom", "ERROR: bang", "ERROR: b", "oom", "ang"),
    "an escaped bracket is a character": (r"\[a\] x", "[a] y", "[a] ", "x", "y"),
    "a class that holds brackets": (r"[]x][^]]c", "]ad", "]a", "c", "d"),
    "an end that is not the end": ("full$", "full of it", "full", "$", " of it"),
    "a count is a part of its element": (r"a{2}b", "aac", "aa", "b", "c"),
}


@pytest.mark.parametrize(("pattern", "text", "matched", "wanted", "found"), CASES.values(), ids=CASES.keys())
def test_it_says_what_matched_what_was_wanted_and_what_stands_there(
    pattern: str, text: str, matched: str, wanted: str, found: str
) -> None:
    miss = near_miss(pattern, text)
    assert miss is not None
    assert (miss.matched, miss.wanted, miss.found, miss.from_end) == (matched, wanted, found, False)
    assert 0 < miss.share <= 1


def test_when_only_the_end_is_there_what_is_wanted_stands_before_it() -> None:
    miss = near_miss("^upstream timed out", "web: upstream timed out")
    assert miss is not None
    assert miss.from_end
    assert (miss.wanted, miss.matched, miss.found) == ("^", "upstream timed out", "web: ")


@pytest.mark.parametrize(
    ("pattern", "text"), [("boom", "boom"), ("x", "y"), ("a|", "z"), (r"(?x) a  b", "a"), ("a", "")]
)
def test_nothing_is_told_of_a_pattern_that_matches_or_of_which_nothing_is_there(pattern: str, text: str) -> None:
    assert near_miss(pattern, text) is None


def test_a_pattern_that_takes_for_ever_is_no_reason_to_wait() -> None:
    near_miss(r"(?:a+)+(?:a+)+$b", "a" * 60 + "c")


PATTERNS = st.lists(
    st.sampled_from(
        ["a", "b", ".", ".*", r"\d+", "[ab]", "(?:a|b)", "(?P<x>ab?)", "(a b)", "^", "$", " ", "|", r"\.", "b{1,2}?"]
    ),
    min_size=1,
    max_size=8,
    unique=True,
).map("".join)


@given(PATTERNS, st.text(alphabet="ab .1", max_size=12))
def test_what_is_told_is_in_the_pattern_and_in_the_text(pattern: str, text: str) -> None:
    miss = near_miss(pattern, text)
    if regex.search(pattern, text) is not None:
        assert miss is None
    elif miss is not None:
        place = text[: miss.at] if miss.from_end else text[miss.at :]
        assert miss.matched in text
        assert place.endswith(miss.found) if miss.from_end else place.startswith(miss.found)
        parts = miss.wanted + miss.got if miss.from_end else miss.got + miss.wanted
        assert parts in pattern
