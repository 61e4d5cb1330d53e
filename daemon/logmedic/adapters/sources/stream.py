"""Bytes that come from somewhere without a position: cut into blocks of whole lines."""

from __future__ import annotations

from datetime import datetime

from logmedic.adapters.sources.cutting import Chunk, Cut, cut
from logmedic.adapters.sources.opened import NO_UTF16, UTF8_MARK, UTF16_MARKS
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.record import Block, Checkpoint

MAX_BYTES = 1024 * 1024
"""The largest block, and the longest line; the rest of a longer one is skipped and counted."""


class LineStream:
    """One stream's bytes so far. Offsets count from `offset` on; they mean nothing to a later run. Memory: one line."""

    def __init__(self, source: str, origin: str, *, max_line: int = MAX_BYTES) -> None:
        self.source = source
        self.origin = origin
        self.offset = 0
        self.last_read_at: datetime | None = None
        self._max_line = max_line
        self._held = b""
        self._lost = 0
        self._skipping = False
        self._problem = ""

    @property
    def room(self) -> int:
        """How many bytes may be given at once."""
        return self._max_line - len(self._held)

    @property
    def unfinished(self) -> bool:
        """A line without its newline waits."""
        return bool(self._held)

    def row(self, problem: str = "") -> dict[str, object]:
        """As ports.Source.health."""
        at = self.last_read_at.isoformat().replace("+00:00", "Z") if self.last_read_at else None
        place = {"origin": self.origin, "offset": self.offset, "size": self.offset, "lag_bytes": 0}
        return {**place, "last_read_at": at, "problem": problem or self._problem}

    def take(self, fresh: bytes, now: datetime, *, ended: bool = False) -> Block | None:
        """The block that can leave with `fresh` (at most `room` bytes), or None. `ended`: what is there now is all."""
        self._held = self._skip(self._behind_mark(self._held + fresh))
        asked = len(self._held) + 1 if ended else self._max_line
        how, taken = cut(Chunk(self._held, asked, self._max_line, ending=ended))
        self._held = self._held[len(taken) :]
        return self._block(taken, how, now) if taken else None

    def _behind_mark(self, held: bytes) -> bytes:
        """Without the mark that a text may begin with (F20)."""
        if self.offset:
            return held
        self._problem = NO_UTF16 if held.startswith(UTF16_MARKS) else ""
        if not held.startswith(UTF8_MARK):
            return held
        self.offset += len(UTF8_MARK)
        return held[len(UTF8_MARK) :]

    def _skip(self, held: bytes) -> bytes:
        """Without the rest of a line that was cut."""
        if not self._skipping:
            return held
        newline = held.find(b"\n")
        rest = held[newline + 1 :] if newline >= 0 else b""
        passed = len(held) - len(rest)
        self._skipping = newline < 0
        self._lost += passed - (newline >= 0)
        self.offset += passed
        return rest

    def _block(self, taken: bytes, how: Cut, now: datetime) -> Block:
        start, lost = self.offset, self._lost
        self.offset += len(taken)
        self._lost = 0
        self._skipping = how is Cut.LONG
        self.last_read_at = now
        return Block(
            source=self.source,
            origin=self.origin,
            data=taken,
            start=start,
            checkpoint=Checkpoint(origin=self.origin, source=self.source, offset=self.offset, at=now),
            read_at=now,
            complete=how in (Cut.REST, Cut.LONG),
            gaps=(Gap(SourceEventKind.LONG_LINE, lost),) if lost else (),
        )
