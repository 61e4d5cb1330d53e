"""Which lines continue a record is told by patterns that try no word from each of its letters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.core.records import may_continue, spans

EXCEPTION = re.compile(rb"(?m)(?:[A-Za-z_]\w*\.)*(?:[A-Z_]\w*[a-z]\w*|timeout|error)(?::[ \t]|:?\r?$)")
GO = re.compile(rb"(?m)[\w./*()\-]+\([^ \n]*(?:, [^ \n]+)*\)\r?$")
"""As one would write them, and far too slow for a long line."""
LINES = st.lists(
    st.sampled_from(
        [
            b"A",
            b"a",
            b"_",
            b"9",
            b".",
            b"(",
            b")",
            b",",
            b", ",
            b" ",
            b":",
            b": ",
            b"timeout",
            b"error",
            b"*",
            b"-",
            b"\r",
        ]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=500)
@given(LINES)
def test_what_a_plain_pattern_takes_may_continue_a_record(line: bytes) -> None:
    if EXCEPTION.match(line) or GO.match(line):
        assert may_continue(line + b"\n")


@settings(max_examples=500)
@given(LINES)
def test_and_nothing_else_does(line: bytes) -> None:
    others = re.compile(
        rb"[ \t]+[^ \t\r\n]|[ \t]*\r?$|[}\])]+[,;]?\r?$|[a-z][\w$]*(?:\.[\w$]+)*\.[\w$]*Error", re.MULTILINE
    )
    if not (EXCEPTION.match(line) or GO.match(line) or others.match(line)):
        assert not may_continue(line + b"\n")


@pytest.mark.parametrize("word", [b"Aa", b"(", b"a.A", b"A_", b"()", b"x(", b"(, a", b"$Aa", b"#1 a", b"at a("])
def test_a_long_line_is_one_record(word: bytes) -> None:
    line = word * (200_000 // len(word)) + b"!\n"
    assert list(spans(line)) == [(0, len(line))]
