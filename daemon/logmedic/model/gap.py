"""What was not read, and why: every loss is told (I5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class SourceEventKind(StrEnum):
    """LONG_LINE: the rest of a line over the limit. HOLE: zeros that a writer left. TRUNCATED: the file was emptied or
    rewritten; what was unread is lost, save what a copy still held. VANISHED: the file that the position speaks of is
    gone. MISSED: the origin itself dropped or withheld entries. QUIET: silent for longer than its `quiet_after`.
    SPEAKING: not so any more."""

    LONG_LINE = "long_line"
    HOLE = "hole"
    TRUNCATED = "truncated"
    VANISHED = "vanished"
    MISSED = "missed"
    QUIET = "quiet"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class Gap:
    """`lost_bytes` is 0 when nothing was lost, or when nobody can tell how much: `detail` says which."""

    kind: SourceEventKind
    lost_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """A gap, or a change of a source's quiet, as it is stored. `origin` is empty for a source as a whole."""

    id: str
    at: datetime
    source: str
    origin: str
    kind: SourceEventKind
    lost_bytes: int = 0
    detail: str = ""


def with_gap(gaps: tuple[Gap, ...], gap: Gap) -> tuple[Gap, ...]:
    """`gaps` and one more; it is added to the last when that is of its kind and says the same."""
    if gaps and (gaps[-1].kind, gaps[-1].detail) == (gap.kind, gap.detail):
        return (*gaps[:-1], replace(gap, lost_bytes=gaps[-1].lost_bytes + gap.lost_bytes))
    return (*gaps, gap)
