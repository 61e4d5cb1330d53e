"""What was read of one origin since the start: the proof that nothing is missed (I5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from logmedic.core.eventtime import LOOK_CHARS, event_time
from logmedic.model.gap import SourceEventKind
from logmedic.model.record import Block


@dataclass(slots=True)
class Meter:
    """`lines`, `bytes_read`: so far. `gaps`: passed over, of which `truncations`; `skipped_bytes` in all of
    them. `last_line`: the beginning of the last one."""

    lines: int = 0
    bytes_read: int = 0
    gaps: int = 0
    truncations: int = 0
    skipped_bytes: int = 0
    last_line: bytes = b""
    last_line_at: datetime | None = None

    def take(self, block: Block, lines: int) -> None:
        """`lines`: how many are new in `block`."""
        self.lines += lines
        self.bytes_read += len(block.data) - block.told
        self.gaps += len(block.gaps)
        self.truncations += sum(gap.kind is SourceEventKind.TRUNCATED for gap in block.gaps)
        self.skipped_bytes += block.lost_bytes
        if block.data:
            end = len(block.data) - block.data.endswith(b"\n")
            start = block.data.rfind(b"\n", 0, end) + 1
            self.last_line = block.data[start : min(end, start + LOOK_CHARS)]
            self.last_line_at = block.read_at

    def row(self, lag_bytes: int, now: datetime, zone: tzinfo) -> dict[str, Any]:
        """JSON-ready. `lag_s`: how old the last line read is, by its own time, while more is waiting; else 0."""
        return {
            "lines": self.lines,
            "bytes": self.bytes_read,
            "gaps": self.gaps,
            "truncations": self.truncations,
            "skipped_bytes": self.skipped_bytes,
            "last_line_at": self.last_line_at.isoformat().replace("+00:00", "Z") if self.last_line_at else None,
            "lag_s": self.lag_s(lag_bytes, now, zone),
        }

    def lag_s(self, lag_bytes: int, now: datetime, zone: tzinfo) -> float | None:
        """None: nothing was read yet of what is there."""
        if not lag_bytes:
            return 0.0
        if self.last_line_at is None:
            return None
        at = event_time(self.last_line.decode("utf-8", "replace"), self.last_line_at, zone)
        return round(max(0.0, (now - at).total_seconds()), 3)


@dataclass(slots=True)
class Behind:
    """How far a source is behind, over all that it reads. `lag_s`: of the worst. `in_trouble`: what it read is not
    taken in."""

    in_trouble: bool = False
    origins: int = 0
    problems: int = 0
    lag_bytes: int = 0
    lag_s: float = 0.0

    def add(self, lag_bytes: int, lag_s: float | None, problem: bool) -> None:
        self.origins += 1
        self.problems += problem or self.in_trouble
        self.lag_bytes += lag_bytes
        self.lag_s = max(self.lag_s, lag_s or 0.0)
