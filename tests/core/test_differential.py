"""The block scanner finds what the plain one finds, whatever the rules and the bytes are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import regex
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from logmedic.core.matcher import Matcher
from logmedic.core.records import cut
from logmedic.core.scanner import HyperscanScanner, make_scanner
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.record import Block, Checkpoint, Findings
from logmedic.model.rule import Rule
from logmedic.model.when import Threshold, When

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PATIENT_S = 20.0
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

# -- patterns ----------------------------------------------------------------------------------------------------------

_CHARACTERS = st.sampled_from([*"abKs1_ =:", "é", "ſ", "\u212a", r"\n", r"\r", r"\.", "\\t", "\ufffd", r"\x00"])
_CLASSES = st.sampled_from(
    [".", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", "[ab]", "[^a]", "[^ab\\n]", "[a-k1]", r"[\w=]", r"[^\W\d]", "[é-ü]"]
)
_WORDS = st.sampled_from(["failed", "timed out", "connection", "upstream: ", "ERROR", "File", "Boom: "])
_ZERO_WIDTH = st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\Z", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)"])
_SINGLES = st.one_of(_CHARACTERS, _CLASSES)
_COUNTS = st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{2,}", "*+", "{0,40}"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    rows = st.lists(inner, min_size=1, max_size=4).map("".join)
    return st.one_of(
        rows,
        st.builds("(?:{}|{})".format, rows, rows),
        st.builds("({}){}".format, rows, st.sampled_from(["", "?", "{1,2}", "{2}"])),
        st.builds("(?>{})".format, rows),
        st.builds("(?i:{})".format, rows),
        st.builds("(?s:{})".format, rows),
        st.builds(r"(?P<g>{})={}(?P=g)".format, rows, rows),
        st.builds("(?={}){}".format, rows, rows),
    )


_ATOMS = st.one_of(_SINGLES, st.builds("{}{}".format, _SINGLES, _COUNTS), _WORDS, _ZERO_WIDTH)
_FLAGS = st.sampled_from(["", "", "", "(?i)", "(?m)", "(?a)", "(?s)", "(?ia)"])


def compiles(pattern: str) -> bool:
    try:
        regex.compile(pattern)
    except regex.error:
        return False
    return True


PATTERNS = st.builds("{}{}".format, _FLAGS, st.recursive(_ATOMS, _grown, max_leaves=8))
UNLESS = st.lists(PATTERNS, max_size=1)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    return [
        Rule(
            f"rule-{n}",
            "t",
            MatchSpec(
                tuple(draw(st.lists(PATTERNS, min_size=1, max_size=2))),
                tuple(draw(UNLESS)),
                {"g": draw(st.sampled_from([Capture(CaptureType.WORD), Capture(CaptureType.INT, maximum=11)]))},
            ),
            sources=draw(st.sampled_from([(), (), ("app",), ("other",)])),
            when=When(Threshold(by=("g",))),
        )
        for n in range(draw(st.integers(1, 3)))
    ]


# -- blocks ------------------------------------------------------------------------------------------------------------

_PIECES = st.one_of(
    st.sampled_from([*(bytes([each]) for each in b"abKks1_ =:.\t\r\x00\x1c\xff\xc3"), b"ab", b"aab", b"11", b"aa=a"]),
    st.sampled_from(["é".encode(), "ſ".encode(), "\u212a".encode(), "İ".encode(), b"\xe2\x84", b"\xed\xa0\x80"]),
    st.sampled_from(
        [b"failed", b"timed out", b"connection", b"upstream: ", b"ERROR ", b"File", b"Boom: ", b"\xc2\x85"]
    ),
)
_LINES = st.one_of(
    st.lists(_PIECES, max_size=8).map(b"".join),
    st.sampled_from(
        [
            b"Traceback (most recent call last):",
            b'  File "a.py", line 1, in a',
            b"\tat a.b.C(D.java:1)",
            b"ab.Boom: failed",
            b"ValueError: a1",
            b"Caused by: java.io.IOException: a",
            b"During handling of the above exception, another exception occurred:",
            b"",
            b"ERROR ab: Traceback (most recent call last):",
        ]
    ),
)
_ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n"])


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    whole = b"".join(line + end for line, end in draw(st.lists(st.tuples(_LINES, _ENDS), max_size=10)))
    return whole + draw(st.one_of(st.just(b""), _LINES, st.binary(max_size=12)))


def block_of(content: bytes) -> Block:
    return Block("app", "app.log", content, 7, Checkpoint("app.log", "app", 7 + len(content), NOW), NOW)


def findings(wanted: list[Rule], content: bytes, scanner: str) -> Findings:
    return Matcher(wanted, zone=UTC, scanner=scanner, timeout_s=PATIENT_S).find(block_of(content))


# -- the claims --------------------------------------------------------------------------------------------------------


@settings(CALM, max_examples=60)
@given(rules(), blocks())
def test_block_scanner_and_plain_matcher_find_the_same(wanted: list[Rule], content: bytes) -> None:
    assume(all(map(compiles, (each for rule in wanted for each in (*rule.match.patterns, *rule.match.unless)))))
    assert findings(wanted, content, "hyperscan") == findings(wanted, content, "plain")


@settings(CALM, max_examples=150)
@given(st.lists(PATTERNS, min_size=1, max_size=4), blocks())
@example(["(?i)k"], "\u212a\n".encode())
@example(["a$"], b"a\r\n")
@example(["a\\nb"], b"a\r\n b\n")
@example([r"\Ba"], b"ba\n")
@example(["."], b"\xff")
@example(["(^)", r"\b", "$"], b"\nab\n\n")
def test_no_record_that_matches_is_without_a_hit(patterns: list[str], content: bytes) -> None:
    assume(all(map(compiles, patterns)))
    scanned = set(_by_record(HyperscanScanner(patterns, PATIENT_S).scan, content))
    assert set(_by_record(make_scanner(patterns, "plain", PATIENT_S).scan, content)) <= scanned


@settings(CALM, max_examples=60)
@given(blocks(), st.binary(max_size=80))
def test_arbitrary_bytes_are_no_exception(content: bytes, noise: bytes) -> None:
    rule = Rule("any", "t", MatchSpec((r"\w+ed",)))
    seen = findings([rule], content + noise, "hyperscan")
    assert seen == findings([rule], content + noise, "plain")
    spans = [(match.record.start, match.record.end) for match in seen.matches]
    assert spans == sorted(spans)
    assert all(7 <= start < end <= 7 + len(content + noise) for start, end in spans)


def _by_record(scan: Callable[[bytes], list[tuple[int, int]]], content: bytes) -> list[tuple[int, int]]:
    """(start of the record, pattern) of each hit."""
    return [(start, index) for start, _, indices in cut(content, scan(content)) for index in indices]
