"""What is read and what is found in it: blocks, records, matches, unknown errors, and how far reading has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from logmedic.model.gap import Gap
from logmedic.model.learned import OrdinaryLine
from logmedic.model.report import Report

OVER = -1
EVERY_GROUP = "\x1e"
"""Of a match that has none of the captures which tell groups apart; no typed capture can hold it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a source has read one origin: every byte before `offset` has its effect in the store. `origin`: the
    path that the glob found, or a name like `stdin`; two sources may read the same. `fingerprint` is a hash of the
    file's first bytes, `fingerprint_len` of them, so that a reused inode is noticed; `tail_hash` is a hash of up to 64
    bytes before `offset`, so that a truncation that grew back is noticed (F04). `cursor`: the position in the words of
    the origin, where bytes do not tell it (the journal). An `offset` of OVER: the origin is gone and was read, its
    position is to be forgotten."""

    origin: str
    source: str
    offset: int
    at: datetime
    device: int = 0
    inode: int = 0
    fingerprint: str = ""
    fingerprint_len: int = 0
    tail_hash: str = ""
    cursor: str = ""

    @property
    def is_over(self) -> bool:
        return self.offset == OVER

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.origin


@dataclass(frozen=True, slots=True)
class Entry:
    """What the origin itself says of one of its entries (the journal, a syslog message): it begins at byte `start` of
    the block and is one record, whatever newlines it holds. `at`: its time, or None when it tells none. `fields`: by
    name. `unit`: the part of the source that it comes from; rules may listen to `SOURCE:UNIT`. `report`: what an
    application reported, where that is what it is."""

    start: int
    at: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, read at once. `data` ends with a newline, save for the last of an origin that ends without one or a
    line that was cut at its limit. `start` is the byte offset of `data[0]` in the origin. `checkpoint` is the position
    after the block. `live` is False for a backlog. `complete` is True when no more of this record can follow (end of a
    rotated file, end of standard input): nothing is held back. `followed` is True when the origin had more
    already: the last record may go on there, whatever it looks like. `gaps`: what was passed over before this block.
    `told`: bytes at the front that were handed on before, of the record that goes on here. `grows`: where the last
    record begins, when it looks whole and lines that are not there yet may still belong to it.
    `entries`, ascending by `start`, of origins that know their entries; the first begins at 0."""

    source: str
    origin: str
    data: bytes
    start: int
    checkpoint: Checkpoint
    read_at: datetime
    live: bool = True
    complete: bool = False
    followed: bool = False
    gaps: tuple[Gap, ...] = ()
    entries: tuple[Entry, ...] = ()
    told: int = 0
    grows: int | None = None

    @property
    def lost_bytes(self) -> int:
        return sum(gap.lost_bytes for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Record:
    """One logical entry: a line, or a stack trace with its lines. `text` has no trailing newline; invalid UTF-8 is
    replaced. `start`, `end`: byte span in the origin. `at`: the time written in it, else the time it was read.
    `fields`, `report`: what its entry said of it, empty for plain lines."""

    source: str
    origin: str
    text: str
    start: int
    end: int
    at: datetime
    fields: Mapping[str, str] = field(default_factory=dict)
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A record confirmed by a rule. `captures`: only those that the rule types. `group`: the values of `when.by`, or
    EVERY_GROUP. `part`: which part of the rule it is, as Rule.parts names them."""

    rule_id: str
    record: Record
    captures: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class UnknownError:
    """Error-looking records that no rule knows, of one block and one kind, and of one hour without a silence. `record`:
    the first of them; `count`: how many. Where there is more than one, `last_at` is the later time of the first and the
    last, and `last_text` is of the last. `shape` is what it says with its variable parts masked, and `template` the
    same as text; `fingerprint` identifies component and shape. `spans`: where in the block each of them stands, when
    the matcher was asked for that; then these are all of the block."""

    record: Record
    component: str
    template: str
    fingerprint: str
    trace: bool
    critical: bool
    count: int = 1
    last_at: datetime | None = None
    last_text: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    shape: tuple[str, ...] = ()

    @property
    def last_seen(self) -> datetime:
        return self.last_at or self.record.at


@dataclass(frozen=True, slots=True)
class Findings:
    """What the matcher found in one block: `matches` in the order of the records, `unknown` by fingerprint; and what
    it had to give up on (I5). `given_up`: records that no decision could be made of (F44). `waits`: the last record,
    which may still grow, is left out: what it means depends on the lines that it may get. `ordinary`: a line that is no
    error and that no rule knows, when one was asked for. `reports`: those of applications that tell of no error (a
    breaker that opened, a feature that is degraded), in their order; rules may have matched them too."""

    matches: tuple[Match, ...] = ()
    unknown: tuple[UnknownError, ...] = ()
    captures_refused: int = 0
    timeouts: Mapping[str, int] = field(default_factory=dict)
    lines: int = 0
    given_up: int = 0
    waits: bool = False
    ordinary: OrdinaryLine | None = None
    reports: tuple[Record, ...] = ()
