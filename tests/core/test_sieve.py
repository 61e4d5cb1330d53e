"""What the sieve finds is what the matcher finds, wherever the errors stand."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.framing import Framing
from logmedic.core.matcher import Matcher
from logmedic.core.sieve import Sieve
from logmedic.model.match import MatchSpec
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = [
    Rule("full", "", MatchSpec((r"disk \w+ is full",))),
    Rule("calm", "", MatchSpec(("served",))),
    Rule("elsewhere", "", MatchSpec(("ERROR",)), sources=("other",)),
    Rule("boom", "", MatchSpec(("ValueError: boom",), unless=("harmless",))),
]
PIECES = (
    "2026-11-23 03:00:01 INFO web: served 17",
    "2026-11-23 03:00:02 ERROR jobs: job 7 failed",
    "2026-11-23 04:10:02 ERROR jobs: job 81 failed",
    "2026-11-23 03:00:03 ERROR store: disk sda is full",
    "2026-11-23 03:00:04 CRITICAL store: no space",
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in f',
    "ValueError: boom",
    "ValueError: boom, harmless",
    "Caused by: java.io.IOException: error: broken pipe",
    "\tat org.example.Job.run(Job.java:7)",
    "panic: no more memory",
    "goroutine 1 [running]:",
    "",
    "level=",
    "error",
    "thread 'main' panicked at src/main.rs:4:5:",
    "error: nothing is left",
    "E1123 03:00:07.000000 1 server.go:12] lost",
)


def block_of(content: bytes, source: str = "app") -> Block:
    return Block(source, "app.log", content, 1000, Checkpoint("app.log", source, 1000 + len(content), NOW), NOW)


FRAMINGS = {"begun": Framing(start=r"^\d{4}-"), "joined": Framing(continues=r"^\s")}


@cache
def matcher(scanner: str) -> Matcher:
    return Matcher(RULES, zone=UTC, scanner=scanner, framings=FRAMINGS, placing=True)


@cache
def sieve(scanner: str) -> Sieve:
    return Sieve(Matcher(RULES, zone=UTC, scanner=scanner, framings=FRAMINGS, placing=True), FRAMINGS, scanner)


@pytest.mark.parametrize("scanner", ["auto", "plain"])
@pytest.mark.parametrize("source", ["app", "begun", "joined"])
@given(lines=st.lists(st.sampled_from(PIECES), max_size=40), ended=st.booleans())
def test_the_sieve_finds_what_the_matcher_finds(scanner: str, source: str, lines: list[str], ended: bool) -> None:
    content = "\n".join(lines).encode() + (b"\n" if ended and lines else b"")
    block = block_of(content, source)
    whole, sifted = matcher(scanner).find(block), sieve(scanner).find(block)
    assert sifted.unknown == whole.unknown
    assert sifted.lines == whole.lines
    assert sifted.matches == ()


def test_every_error_is_placed() -> None:
    content = b"".join(b"2026-11-23 03:00:02 ERROR jobs: job %d failed\nall is well\n" % n for n in range(5))
    (error,) = sieve("auto").find(block_of(content)).unknown
    assert [content[start:end].decode() for start, end in error.spans] == [
        f"2026-11-23 03:00:02 ERROR jobs: job {n} failed\n" for n in range(5)
    ]
    assert error.count == 5
