"""One followed path: its open files, oldest first, and the position in them. Open, detect change, read, and wait are
functions of their own; nothing here waits."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import structlog

from logmedic.adapters.sources.cutting import Chunk, Cut, cut
from logmedic.adapters.sources.identity import Trail, follow_up, generations_after, open_all
from logmedic.adapters.sources.opened import OpenFile, open_regular
from logmedic.model.record import Block, Checkpoint

LIVE_BYTES = 128 * 1024
BACKLOG_BYTES = 1024 * 1024
BACKLOG_FROM = 256 * 1024
"""More unread bytes than this are a backlog: read by larger blocks, in a thread, and not called live."""

DELETED_GRACE_S = 60.0
"""How long a deleted file that nobody writes to is held open: its space is not free before."""

GRACE_LIMIT = 30
"""How many times the grace a rotated file that is still being written to may keep its successor waiting."""

RETRY_S, RETRY_MAX_S = 1.0, 30.0

log = structlog.get_logger("logmedic.sources")


class Start(Enum):
    """Where a file without a checkpoint begins."""

    BEGINNING = "beginning"
    END = "end"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds."""

    max_line: int
    rotate_grace_s: float
    partial_timeout_s: float


class Follower:
    """The owner of one origin's offset. `at` is loop time everywhere, `now` the wall clock. `more`: call `step` again
    at once. `due_at`: call it then, or None. Closed by its source."""

    __slots__ = (
        "_failures",
        "_gone_since",
        "_limits",
        "_lost",
        "_once",
        "_rotated_at",
        "_source",
        "_start",
        "_told",
        "_wide",
        "announce",
        "due_at",
        "history",
        "last_read_at",
        "mark",
        "more",
        "origin",
        "problem",
        "queue",
        "retired",
        "retry_at",
        "seen",
    )

    def __init__(
        self,
        origin: str,
        source: str,
        limits: Limits,
        *,
        mark: Checkpoint | None = None,
        start: Start = Start.BEGINNING,
        once: bool = False,
        history: Sequence[str] = (),
    ) -> None:
        """`history`: rotated files to read first when there is no mark, oldest first."""
        self.origin = origin
        self.mark = mark
        self.history = tuple(history)
        self.queue: deque[OpenFile] = deque()
        self.retired: list[tuple[OpenFile, Checkpoint]] = []
        self.more = True
        self.announce = mark is None and not once
        self.due_at: float | None = None
        self.retry_at: float | None = None
        self.problem = ""
        self.last_read_at: datetime | None = None
        self.seen: tuple[int, int, int, int] | None = None
        self._source = source
        self._limits = limits
        self._start = start
        self._once = once
        self._gone_since: float | None = None
        self._rotated_at: float | None = None
        self._lost = 0
        self._failures = 0
        self._wide = False
        self._told = ""

    # -- state, for the source -------------------------------------------------------------------------------------

    @property
    def drained(self) -> bool:
        """One file, read to its end: it could be closed, and opened again when it changes."""
        return len(self.queue) == 1 and not self.more and self.due_at is None and self._gone_since is None

    @property
    def abandoned(self) -> bool:
        """The path is gone, and everything that could still be read was read."""
        return self._gone_since is not None and not self.queue and self.mark is None

    def keys(self) -> list[tuple[int, int]]:
        if self.queue:
            return [file.key for file in self.queue]
        return [(self.mark.device, self.mark.inode)] if self.mark else []

    def row(self) -> dict[str, Any]:
        offset, size = self._progress()
        return {
            "origin": self.origin,
            "offset": offset,
            "size": size,
            "lag_bytes": max(0, size - offset),
            "last_read_at": self.last_read_at.isoformat().replace("+00:00", "Z") if self.last_read_at else None,
            "problem": self.problem,
        }

    def _progress(self) -> tuple[int, int]:
        if not self.queue:
            offset = self.mark.offset if self.mark else 0
            return offset, self.seen[2] if self.seen else offset
        try:
            return self.queue[0].offset, sum(file.size() for file in self.queue) - sum(
                file.offset for file in list(self.queue)[1:]
            )
        except OSError:
            return self.queue[0].offset, self.queue[0].offset

    # -- open ------------------------------------------------------------------------------------------------------

    def open(self, at: float, now: datetime) -> bool:
        """Open what `mark` says is next, or the file at the path. False when there is nothing to read now."""
        try:
            current = self._open_current()
            trail = self._trail(current)
        except OSError as error:
            self._trouble(error, at)
            return False
        self._gone_since = (self._gone_since or at) if current is None else None
        if not trail.files:
            self.mark = None
            self._missing()
            return False
        self._take(trail, current, now)
        return True

    def _open_current(self) -> OpenFile | None:
        try:
            return open_regular(self.origin)
        except FileNotFoundError:
            return None

    def _trail(self, current: OpenFile | None) -> Trail:
        if self.mark is not None:
            return follow_up(self.mark, current, self.origin)
        old = open_all(self.history, but=[current.key] if current else [])
        if not old and current is not None and self._start is Start.END:
            size = current.size()
            current.place(current.line_start(size, self._limits.max_line))
        return Trail([*old, current] if current else old, found=True)

    def _take(self, trail: Trail, current: OpenFile | None, now: datetime) -> None:
        for file in trail.files:
            if file is not current:
                file.final = self._once or _idle_s(file, now) > self._limits.rotate_grace_s
            if self._once:
                file.stop_at = file.size()
        first = trail.files[0]
        first.skipping = self._inside_cut_line(first)
        self._clear_trouble()
        if not trail.found and trail.compressed:
            self._tell(f"a position in a file that is compressed by now was lost ({trail.compressed} beside it)")
        self.queue.extend(trail.files)
        self.history = ()
        self._start = Start.BEGINNING
        self.mark = None
        self._note_seen(first)

    def _inside_cut_line(self, file: OpenFile) -> bool:
        """Whether the position is behind the beginning of a line that was cut at the limit, and not behind an
        unfinished line that was let go."""
        if not file.before or file.before.endswith(b"\n") or file.offset < self._limits.max_line:
            return False
        behind = os.pread(file.fd, self._limits.max_line, file.offset - self._limits.max_line)
        return b"\n" not in behind

    # -- detect change ---------------------------------------------------------------------------------------------

    def look(self, at: float) -> bool:
        """Compare the path with what is open. True when there may be something to read."""
        if self.retry_at is not None and at < self.retry_at:
            return False
        try:
            status = os.stat(self.origin)
        except FileNotFoundError:
            return self._vanished(at)
        except OSError as error:
            self._trouble(error, at)
            return bool(self.queue)
        seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        changed = seen != self.seen
        if not self.queue:
            self.seen = seen
            return changed or self.retry_at is not None
        if self.queue[-1].key != seen[:2]:
            return self._rotated(at)
        self._gone_since = None
        if self.problem:
            self._clear_trouble()
        self.seen = seen
        return changed or status.st_size != self.queue[-1].offset

    def _vanished(self, at: float) -> bool:
        self.seen = None
        if self._gone_since is None:
            self._gone_since = at
            self._missing()
        if not self.queue:
            return self.mark is not None
        self._rotated_at = self._rotated_at or at
        return True

    def _rotated(self, at: float) -> bool:
        """Another file is at the path: it waits in the queue until those before it are read."""
        try:
            current = open_regular(self.origin)
        except OSError as error:
            self._trouble(error, at)
            return True
        if current.key in self.keys():  # it was renamed back meanwhile
            current.close()
            return True
        newer = generations_after(self.queue[-1], current, self.origin)
        known = set(self.keys())
        for file in newer:
            if file.key in known:
                file.close()
            else:
                self.queue.append(file)
        self._rotated_at = self._gone_since or self._rotated_at or at
        self._gone_since = None
        self._note_seen(current)
        self._clear_trouble()
        return True

    def _truncated(self, file: OpenFile, now: datetime) -> None:
        """What was read is not there any more (F03, F04): finish it from the copy, then read the file from 0."""
        at_path = file is self.queue[-1]
        mark = file.checkpoint(self.origin, self._source, self._read_at(now))
        copies = follow_up(mark, None, self.origin) if at_path else Trail([], found=False)
        if copies.files and copies.files[0].key == file.key:  # the copy is the file itself, under its rotated name
            for each in copies.files:
                each.close()
            copies = Trail([], found=False)
        if not copies.found:
            self._lost += max(0, file.seen - file.offset)
            log.warning("truncated", origin=self.origin, offset=file.offset, lost_bytes=max(0, file.seen - file.offset))
        file.place(0)
        file.seen = 0
        for copy in reversed(copies.files):
            copy.final = True
            self.queue.appendleft(copy)

    def _read_at(self, now: datetime) -> datetime:
        return self.last_read_at or now

    # -- read ------------------------------------------------------------------------------------------------------

    async def step(self, at: float, now: datetime) -> Block | None:
        """One bounded read of the oldest file. Never raises for trouble with the file. Sets `more` and `due_at`."""
        self.more, self.due_at = False, None
        if self.retry_at is not None and at < self.retry_at:
            self.due_at = self.retry_at
        if not self.queue and (self.due_at is not None or not self.open(at, now)):
            return None
        file = self.queue[0]
        try:
            return await self._step(file, at, now)
        except OSError as error:
            self._set_aside(error, at, now)
            return None

    async def _step(self, file: OpenFile, at: float, now: datetime) -> Block | None:
        asked, content = await self._read(file)
        if content is None:
            self._truncated(file, now)
            self.more = True
            return None
        if content:
            file.last_read = at
        if file.skipping:
            return self._skip(file, content)
        if file.offset == 0 and content.startswith(b"\0") and self._skip_hole(file, content, asked):
            return None
        return self._cut(file, content, asked, at, now)

    async def _read(self, file: OpenFile) -> tuple[int, bytes | None]:
        """How many bytes were asked for, and what came."""
        widest = min(BACKLOG_BYTES, self._limits.max_line)
        asked = self._limits.max_line if self._wide else min(LIVE_BYTES, widest)
        self._wide = False
        content: bytes | None = None
        if not file.backlog and asked <= LIVE_BYTES:
            content = file.read(asked)
            file.backlog = content is not None and len(content) == asked and _unread(file) > BACKLOG_FROM
        if file.backlog or asked > LIVE_BYTES:
            asked = max(asked, widest)
            content = await file.read_backlog(asked)
        if content is not None and file.stop_at is not None:
            content = content[: max(0, file.stop_at - file.offset)]
        return asked, content

    def _skip(self, file: OpenFile, content: bytes) -> None:
        newline = content.find(b"\n")
        passed = content if newline < 0 else content[: newline + 1]
        file.advance(passed)
        file.skipping = newline < 0
        self._lost += len(passed) - (newline >= 0)
        self.more = bool(content)
        if not content:
            self._at_end(file)

    def _skip_hole(self, file: OpenFile, content: bytes, asked: int) -> bool:
        """Pass over the zeros that a writer leaves who goes on at its old position after a truncation. Zeros that
        nothing follows stay: they may be space that is written later (F14)."""
        lines = content.lstrip(b"\0")
        if not lines and len(content) < asked:
            return False
        jumped = 0 if lines else file.jump_hole()
        if not jumped:
            jumped = len(content) - len(lines)
            file.advance(content[:jumped])
        self._lost += jumped
        self.more = True
        return True

    def _cut(self, file: OpenFile, content: bytes, asked: int, at: float, now: datetime) -> Block | None:
        chunk = Chunk(content, asked, self._limits.max_line, self._ending(file, at), self._overdue(file, content, at))
        how, taken = cut(chunk)
        block = self._block(file, taken, how, now) if taken else None
        file.skipping = how is Cut.LONG
        self._wide = how is Cut.WIDER
        if not chunk.at_end:
            self.more = True
            return block
        file.backlog = False
        self._hold(file, len(content) - len(taken), at)
        if chunk.ending:
            self._finish(file, now)
        else:
            self._wait_for_more(file, at)
        if block is None and self.announce and len(self.queue) == 1:
            return self._announcement(file, now)
        return block

    def _block(self, file: OpenFile, taken: bytes, how: Cut, now: datetime) -> Block:
        start, live, lost = file.offset, not file.backlog, self._lost
        file.advance(taken)
        self._lost = 0
        self.announce = False
        self.last_read_at = now
        return Block(
            source=self._source,
            origin=self.origin,
            data=taken,
            start=start,
            checkpoint=file.checkpoint(self.origin, self._source, now),
            read_at=now,
            live=live,
            complete=how in (Cut.REST, Cut.LONG),
            lost_bytes=lost,
        )

    def _announcement(self, file: OpenFile, now: datetime) -> Block:
        """A block without lines: it makes the starting position durable, else what is written while the daemon is
        down would be passed over by "begin at the end"."""
        block = self._block(file, b"", Cut.LINES, now)
        self.last_read_at = None
        return block

    # -- wait ------------------------------------------------------------------------------------------------------

    def _hold(self, file: OpenFile, length: int, at: float) -> None:
        if length != file.partial:
            file.partial, file.partial_since = length, at

    def _overdue(self, file: OpenFile, content: bytes, at: float) -> bool:
        """Only an unfinished line that did not grow; one that did begins to wait anew."""
        waited = at - file.partial_since >= self._limits.partial_timeout_s
        return bool(file.partial) and len(content) == file.partial and waited

    def _ending(self, file: OpenFile, at: float) -> bool:
        if self._once or file.final:
            return True
        if len(self.queue) > 1:
            return at >= self._grace_end(file)
        return self._gone_since is not None and _deleted(file) and at - self._last_sign(file) >= DELETED_GRACE_S

    def _last_sign(self, file: OpenFile) -> float:
        return max(file.last_read, self._gone_since or 0.0)

    def _grace_end(self, file: OpenFile) -> float:
        grace = self._limits.rotate_grace_s
        rotated = self._rotated_at if self._rotated_at is not None else 0.0
        return min(max(rotated, file.last_read) + grace, rotated + grace * GRACE_LIMIT)

    def _wait_for_more(self, file: OpenFile, at: float) -> None:
        due: list[float] = []
        if file.partial:
            due.append(file.partial_since + self._limits.partial_timeout_s)
        if len(self.queue) > 1:
            due.append(min(self._grace_end(file), at + max(0.02, self._limits.rotate_grace_s / 8)))
        elif self._gone_since is not None:
            due.append(at + max(0.02, self._limits.rotate_grace_s / 2))
        self.due_at = min(due, default=None)

    def _at_end(self, file: OpenFile) -> None:
        """The end came inside a line that is skipped."""
        if self._once or file.final or len(self.queue) > 1:
            self._finish(file, None)

    def _finish(self, file: OpenFile, now: datetime | None) -> None:
        """Nothing follows in this file: on to the next."""
        self.queue.popleft()
        moment = now or self.last_read_at
        if moment is not None:
            self.retired.append((file, file.checkpoint(self.origin, self._source, moment)))
        file.close()
        if len(self.queue) < 2:
            self._rotated_at = None
        self.more = bool(self.queue)

    # -- trouble ---------------------------------------------------------------------------------------------------

    def park(self, now: datetime) -> None:
        """Close the descriptor and keep the identity (F25). Only when `drained`."""
        self._keep_mark(now)
        self._close_queue()

    def close(self) -> None:
        self._close_queue()

    def _keep_mark(self, now: datetime) -> None:
        if self.queue:
            self.mark = self.queue[0].checkpoint(self.origin, self._source, self._read_at(now))

    def _close_queue(self) -> None:
        while self.queue:
            self.queue.popleft().close()

    def _note_seen(self, file: OpenFile) -> None:
        status = os.fstat(file.fd)
        self.seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def _set_aside(self, error: OSError, at: float, now: datetime) -> None:
        """Reading failed (F22): close, and open again later at the same place."""
        self._keep_mark(now)
        self._close_queue()
        self._trouble(error, at)

    def _trouble(self, error: OSError, at: float) -> None:
        self._failures += 1
        self.retry_at = at + min(RETRY_MAX_S, RETRY_S * 2 ** min(self._failures - 1, 10))
        self.due_at = self.retry_at
        self._tell(f"{error.strerror or error}")

    def _missing(self) -> None:
        self.retry_at = None
        self._tell("gone; waiting for it to return")

    def _tell(self, problem: str) -> None:
        """Say it once, show it as long as it lasts."""
        self.problem = problem
        if problem != self._told:
            self._told = problem
            log.warning("file_trouble", origin=self.origin, problem=problem)

    def _clear_trouble(self) -> None:
        self._failures = 0
        self.retry_at = None
        self.problem = self._told = ""


def _unread(file: OpenFile) -> int:
    return file.size() - file.offset


def _deleted(file: OpenFile) -> bool:
    return os.fstat(file.fd).st_nlink == 0


def _idle_s(file: OpenFile, now: datetime) -> float:
    return now.timestamp() - os.fstat(file.fd).st_mtime
