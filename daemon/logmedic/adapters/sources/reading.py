"""One bounded read of one open file, and what of it may leave. Knows nothing of rotation."""

from __future__ import annotations

from dataclasses import dataclass

from logmedic.adapters.sources.cutting import Chunk, Cut, cut
from logmedic.adapters.sources.opened import UTF8_MARK, OpenFile, refuse_utf16
from logmedic.model.gap import Gap, SourceEventKind

LIVE_BYTES = 128 * 1024
BACKLOG_BYTES = 1024 * 1024
BACKLOG_FROM = 256 * 1024
"""More unread bytes than this are a backlog: read by larger blocks, in a thread, and not called live."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`taken`: what leaves, at the file's position (which is not moved yet). `unfinished`: length of the line without
    a newline behind it. `gap`: what was passed over; the position is behind it. `at_end`: nothing more to read now.
    `rewritten`: what is before the position is not what was read there; all else is unset."""

    taken: bytes = b""
    cut: Cut = Cut.HOLD
    live: bool = True
    unfinished: int = 0
    gap: Gap | None = None
    at_end: bool = False
    rewritten: bool = False

    @property
    def complete(self) -> bool:
        return self.cut in (Cut.REST, Cut.LONG)

    @property
    def followed(self) -> bool:
        return not self.at_end or self.unfinished > 0


@dataclass(frozen=True, slots=True)
class Asked:
    """`ending`: nothing will be added to the file. `overdue_s`: how long an unfinished line waits. `at`: loop time."""

    max_line: int
    overdue_s: float
    at: float
    ending: bool = False


async def read_piece(file: OpenFile, asked: Asked) -> Piece:
    """The next piece. Raises OSError."""
    limit, content = await _read(file, asked.max_line)
    if content is None:
        return Piece(rewritten=True)
    if len(content) > file.partial:  # an unfinished line is read again and again
        file.last_read = asked.at
    if file.skipping:
        return _skip(file, content)
    if not file.offset:
        limit, content = _behind_mark(file, content, limit)
    if content.startswith(b"\0") and file.behind_zeros:
        passed = _skip_hole(file, content, limit)
        if passed:
            return Piece(gap=Gap(SourceEventKind.HOLE, passed))
    return _cut(file, content, limit, asked)


async def _read(file: OpenFile, max_line: int) -> tuple[int, bytes | None]:
    """How many bytes were asked for, and what came. One direct read on a live file, a thread for a backlog."""
    widest = min(BACKLOG_BYTES, max_line)
    limit = max_line if file.wide else min(LIVE_BYTES, widest)
    file.wide = False
    content: bytes | None = None
    direct = limit <= LIVE_BYTES and not file.backlog
    if direct:
        content = file.read(limit)
        file.backlog = content is not None and len(content) == limit and file.size() - file.offset > BACKLOG_FROM
    if not direct or file.backlog:
        limit = max(limit, widest)
        content = await file.read_backlog(limit)
    if content is not None and file.stop_at is not None:
        content = content[: max(0, file.stop_at - file.offset)]
    return limit, content


def _behind_mark(file: OpenFile, content: bytes, limit: int) -> tuple[int, bytes]:
    """Without the mark that a text may begin with: it is no part of the first line. Raises OSError for the mark of
    UTF-16, in a file that was empty when it was opened (F20)."""
    refuse_utf16(content, file.path)
    if not content.startswith(UTF8_MARK):
        return limit, content
    file.advance(UTF8_MARK)
    return limit - len(UTF8_MARK), content[len(UTF8_MARK) :]


def _skip(file: OpenFile, content: bytes) -> Piece:
    newline = content.find(b"\n")
    passed = content if newline < 0 else content[: newline + 1]
    file.advance(passed)
    file.skipping = newline < 0
    gap = Gap(SourceEventKind.LONG_LINE, len(passed) - (newline >= 0)) if passed else None
    return Piece(gap=gap, at_end=not content)


def _skip_hole(file: OpenFile, content: bytes, limit: int) -> int:
    """Pass over the zeros that a writer leaves who goes on at its old position after a truncation (F17). Zeros that
    nothing follows stay: they may be space that is written later (F14)."""
    lines = content.lstrip(b"\0")
    if not lines and len(content) < limit:
        return 0
    jumped = 0 if lines else file.jump_hole()
    if not jumped:
        jumped = len(content) - len(lines)
        file.advance(content[:jumped])
    return jumped


def _cut(file: OpenFile, content: bytes, limit: int, asked: Asked) -> Piece:
    waited = asked.at - file.partial_since >= asked.overdue_s
    overdue = bool(file.partial) and len(content) == file.partial and waited
    chunk = Chunk(content, limit, asked.max_line, asked.ending, overdue)
    how, taken = cut(chunk)
    live = not file.backlog
    file.wide = how is Cut.WIDER
    file.backlog = file.backlog and not chunk.at_end
    return Piece(taken, how, live, len(content) - len(taken) if chunk.at_end else 0, at_end=chunk.at_end)
