"""Bytes of logs, on their way from the source to the decision."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import PROJECT, by_name, words
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.adapters.sources.syslogformat import parse_syslog
from logmedic.core import records
from logmedic.core.assembler import Assembler
from logmedic.core.decide import decide
from logmedic.core.eventtime import event_time
from logmedic.core.evidence import clean
from logmedic.core.fields import fields_of, level_of
from logmedic.core.heads import head_of
from logmedic.core.matcher import Matcher
from logmedic.core.mining.masks import shape_of
from logmedic.core.secrets import masked
from logmedic.core.sieve import Sieve
from logmedic.model.changeset import Observed, Tick
from logmedic.model.policy import Policy
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule
from logmedic.model.state import EngineState

NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
PATIENT_S = 20.0
_LIVES = 300
"""So many inputs meet one state of the engine; then it begins anew, as memory is watched."""
_TOKENS = (*words("lines"), b"\n" * 300, b"a" * 9000, b" " * 5000, b"0" * 5000)


PACKS = ("nginx", "go", "cron")
"""Some: the plain scanner, which is the oracle, asks every pattern of every record."""


def shipped() -> tuple[Rule, ...]:
    paths = [PROJECT / "rules" / f"{name}.yaml" for name in PACKS]
    return RuleFileLoader(paths, owners=None, prove=lambda _: []).load(None).rules


@contextmanager
def _lines(room: Path) -> Iterator[Attempt]:
    rules = shipped()
    anywhere = frozenset({"app"})
    scanners = [
        Matcher(rules, zone=UTC, timeout_s=PATIENT_S, scanner=each, any_source=anywhere)
        for each in ("hyperscan", "plain")
    ]
    placing = Matcher(rules, zone=UTC, timeout_s=PATIENT_S, any_source=anywhere, placing=True)
    sieve = Sieve(placing)
    engines = _engines(rules)

    def attempt(given: bytes) -> None:
        engine = next(engines)
        for block in _assembled(given, framed=scanners[0]):
            found, plainly = (each.find(block) for each in scanners)
            claim(found == plainly, "the scanners differ")
            whole = replace(block, told=0, grows=None)
            claim(sieve.find(whole).unknown == placing.find(whole).unknown, "the sieve finds other errors")
            claim(all(block.start <= each.record.start for each in found.matches), "a record begins before its block")
            engine.take(Observed(block.source, block.origin, found, block.checkpoint, block.gaps))
        engine.take(Tick())

    yield attempt


class _Engine:
    def __init__(self, rules: Iterable[Rule]) -> None:
        self._state = EngineState()
        self._policy = Policy(rules={rule.id: rule for rule in rules})
        self._ids = count(1)
        self._now = NOW

    def take(self, given: Observed | Tick) -> None:
        self._now += timedelta(seconds=1)
        changeset = decide(self._state, self._policy, given, self._now, lambda: f"{next(self._ids):032d}")
        self._state.apply(changeset)
        self._state.forget_old(self._now)


def _engines(rules: Iterable[Rule]) -> Iterator[_Engine]:
    while True:
        engine = _Engine(rules)
        for _ in range(_LIVES):
            yield engine


def _assembled(given: bytes, framed: Matcher) -> Iterator[Block]:
    """In pieces that the input itself chooses: the same bytes always make the same blocks."""
    assembler, start, size = Assembler(), 0, 1 + zlib.crc32(given) % 4000
    while start < len(given):
        end = given.find(b"\n", min(len(given), start + size)) + 1 or len(given)
        mark = Checkpoint("app.log", "app", end, NOW)
        block = Block("app", "app.log", given[start:end], start, mark, NOW, complete=end == len(given))
        yield from assembler.push(block)
        start = end
    if (held := assembler.flush()) is not None:
        yield held


def samples() -> Iterable[bytes]:
    """Lines that the packs are tested with, and the corpora of the tests."""
    for name in PACKS:
        path = PROJECT / "rules" / f"{name}.yaml"
        yield b"\n".join(
            line.strip(b" -'") for line in path.read_bytes().splitlines() if b"lines:" in line or b"text:" in line
        )[:400]
    trace = b'ERROR Traceback (most recent call last):\n  File "a.py", line 1, in a\nValueError: x\n'
    yield (b"Nov 26 15:00:00 web1 app[12]: " + trace) * 3
    yield b'{"level":"error","ts":1764169200.1,"msg":"cannot reach 10.0.0.1:5432","err":{"code":111}}\n' * 4
    yield b'time=2026-11-26T15:00:00Z level=error msg="disk full" path=/var/lib/x free=0\n'


@contextmanager
def _fields(room: Path) -> Iterator[Attempt]:
    """What is read off one record."""

    def attempt(given: bytes) -> None:
        text = given.decode("utf-8", "replace")
        fields = fields_of(text)
        claim(all(isinstance(each, str) for pair in fields.items() for each in pair), "a field is no text")
        json.dumps(fields)
        level_of(fields, text)
        at = event_time(text, NOW, UTC)
        claim(at.tzinfo is not None, "a time without a zone")
        abs(at - NOW)
        hidden = masked(text)
        claim(masked(hidden) == hidden, "masking twice changes more")

    yield attempt


LONG = 60_000
"""Bytes of a record, nearly."""


@contextmanager
def _long(room: Path) -> Iterator[Attempt]:
    """A line as long as one may be, of a beginning, a piece again and again, and an end (NULs stand between them):
    whoever writes a log chooses what it is, and nobody waits for it."""
    matcher = Matcher(shipped(), zone=UTC, any_source=frozenset({"app"}))

    def attempt(given: bytes) -> None:
        head, _, rest = given.partition(b"\0")
        piece, _, end = rest.partition(b"\0")
        content = head + piece * ((LONG - len(head) - len(end)) // len(piece) if piece else 0) + end
        list(records.spans(content + b"\n"))
        records.open_tail(content + b"\n")
        mark = Checkpoint("app.log", "app", len(content) + 1, NOW)
        matcher.find(Block("app", "app.log", content + b"\n", 0, mark, NOW, complete=True))
        parse_syslog(content)
        text = content.decode("utf-8", "replace")
        fields = fields_of(text)
        level_of(fields, text)
        event_time(text, NOW, UTC)
        head_of(text)
        masked(text)
        shape_of(text)
        clean(text)

    yield attempt


def _pieces() -> Iterable[bytes]:
    pieces = (
        b"a",
        b"Aa",
        b"1.",
        b"a=",
        b"(",
        b"/x",
        b'\\"',
        b"-",
        b"a:",
        b"@a",
        b" ",
        b"\t",
        b"0x1",
        b"a b",
        b'[x y="z"]',
    )
    for line in (
        b"",
        b"ERROR ",
        b'{"level":"error","msg":"',
        b"Nov 26 15:00:00 web1 app[1]: error: ",
        b"<3>1 - - - - - [",
    ):
        yield from (line + b"\0" + piece + b"\0!" for piece in pieces)


TARGETS = by_name(
    Target("long", _long, _pieces, (*words("lines")[:40], b"\0"), most_bytes=600, cpu_s=2.0),
    Target("lines", _lines, samples, _TOKENS, most_bytes=1200, cpu_s=8.0),
    Target("fields", _fields, samples, _TOKENS, most_bytes=8192),
)
