"""One followed path: its open files, oldest first, and the position in them. Open, detect change, read, and wait are
functions of their own; nothing here waits."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from logmedic.adapters.sources.cutting import Cut
from logmedic.adapters.sources.identity import Trail, copies_before, follow, generations_after, open_all, unseen_behind
from logmedic.adapters.sources.opened import OpenFile, open_regular
from logmedic.adapters.sources.patience import DELETED_GRACE_S, PASSED, Limits, Start, grace_end, next_due
from logmedic.adapters.sources.progress import progress_in, row_of
from logmedic.adapters.sources.reading import Asked, Piece, read_piece
from logmedic.adapters.sources.trouble import Trouble, is_another, tried_of
from logmedic.model.gap import Gap, SourceEventKind, with_gap
from logmedic.model.record import Block, Checkpoint

GONE = "gone; waiting for it to return"

EPOCH = datetime.fromtimestamp(0, UTC)

log = structlog.get_logger("logmedic.sources")


class Follower:
    """The owner of one origin's offset. `at` is loop time everywhere, `now` the wall clock. `more`: call `step` again
    at once. `due_at`: call it then, or None. Closed by its source."""

    __slots__ = (
        "_ended_at",
        "_gaps",
        "_gone_since",
        "_limits",
        "_once",
        "_passed",
        "_placed_at",
        "_rotated_at",
        "_source",
        "_start",
        "announce",
        "due_at",
        "history",
        "last_read_at",
        "mark",
        "more",
        "origin",
        "queue",
        "retired",
        "seen",
        "trouble",
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
        self.retired: list[Checkpoint] = []
        self.more = True
        self.announce = mark is None and not once
        self.due_at: float | None = None
        self.trouble = Trouble(origin)
        self.last_read_at: datetime | None = None
        self.seen: tuple[int, int, int, int] | None = None
        self._source = source
        self._limits = limits
        self._start = start
        self._once = once
        self._gone_since: float | None = None
        self._rotated_at = 0.0
        self._placed_at: datetime | None = None
        self._gaps: tuple[Gap, ...] = ()
        self._ended_at = 0
        self._passed: deque[Checkpoint] = deque(maxlen=PASSED)

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
        return row_of(self.origin, self._progress(), self.last_read_at, self.trouble.problem)

    def lag_bytes(self) -> int:
        offset, size = self._progress()
        return max(0, size - offset)

    def _progress(self) -> tuple[int, int]:
        if self.drained:
            return self.queue[0].offset, max(self.queue[0].offset, self.queue[0].seen)
        if self.queue:
            return progress_in(self.queue)
        offset = self.mark.offset if self.mark else self._ended_at
        return offset, self.seen[2] if self.seen else offset

    # -- open ------------------------------------------------------------------------------------------------------

    async def open(self, at: float, now: datetime) -> bool:
        """Open what `mark` says is next, or the file at the path. False when there is nothing to read now."""
        current: OpenFile | None = None
        try:
            current = self._open_current()
            trail = await self._trail(current)
        except OSError as error:
            if current is not None:
                current.close()
            self.trouble.failed(error, at, self.origin)
            return False
        self._gone_since = (self._gone_since or at) if current is None else None
        if not trail.files:
            self.mark = None
            self._start = Start.BEGINNING
            self.trouble.wait(GONE)
            return False
        try:
            self._take(trail, current, at, now)
        except OSError as error:
            for file in trail.files:
                file.close()
            self.trouble.failed(error, at, self.origin)
            return False
        return True

    def _open_current(self) -> OpenFile | None:
        try:
            return open_regular(self.origin)
        except FileNotFoundError:
            return None

    async def _trail(self, current: OpenFile | None) -> Trail:
        if self.mark is not None:
            trail, gaps = await follow(self.mark, current, self.origin)
            self._pass_over(*gaps)
            return trail
        old = open_all(self.history, but=[current.key] if current else [])
        if not old and current is not None and self._start is Start.END:
            current.place(current.line_start(current.size(), self._limits.max_line))
        return Trail([*old, current] if current else old, found=True)

    def _take(self, trail: Trail, current: OpenFile | None, at: float, now: datetime) -> None:
        for file in trail.files:
            if current is not None and file is not current:  # without a successor it is the log still
                file.final = file.final or file.idle_s(now) > self._limits.rotate_grace_s
            if self._once:
                file.stop_at = file.size()
        first = trail.files[0]
        first.skipping = first.inside_cut_line(self._limits.max_line)
        self._note_seen(trail.files[-1])
        self.trouble.clear()
        self.queue.extend(trail.files)
        self.history = ()
        self._start = Start.BEGINNING
        self._placed_at = self.mark.at if self.mark else now
        self._rotated_at = at
        self.mark = None

    # -- detect change ---------------------------------------------------------------------------------------------

    def look(self, at: float) -> bool:
        """Compare the path with what is open. True when there may be something to read."""
        try:
            status = os.stat(self.origin)
        except FileNotFoundError:
            return self._vanished(at)
        except OSError as error:
            self.trouble.failed(error, at)
            return bool(self.queue)
        if self.trouble.waiting(at) and not self._try_other(status):
            return False
        seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        changed = seen != self.seen
        if not self.queue:
            self.seen = seen
            return changed or self.trouble.retry_at is not None
        if self.queue[-1].key != seen[:2]:
            return self._rotated(at)
        self._gone_since = None
        if self.trouble.problem:
            self.trouble.clear()
        self.seen = seen
        return changed or status.st_size != self.queue[-1].offset

    def _try_other(self, status: os.stat_result) -> bool:
        """Whether what is at the path changed in what may have been the trouble: then it is tried at once."""
        before, now = self.trouble.tried, tried_of(status)
        if before == now:
            return False
        if before and is_another(before, now):
            self._start = Start.BEGINNING
        self.trouble.tried = now
        self.trouble.retry_at = None
        return True

    def _vanished(self, at: float) -> bool:
        self.seen = None
        if self._gone_since is None:
            self._gone_since = at
            self.trouble.wait(GONE)
        return bool(self.queue) or self.mark is not None

    def _rotated(self, at: float) -> bool:
        """Another file is at the path: it waits in the queue until those before it are read."""
        try:
            current = open_regular(self.origin)
        except OSError as error:
            self.trouble.failed(error, at)
            return True
        if current.key in self.keys():  # it was renamed back meanwhile
            current.close()
            return True
        try:
            self._note_seen(current)
            newer = generations_after(self.queue, current, self.origin, self._passed)
        except OSError as error:
            current.close()
            self.trouble.failed(error, at)
            return True
        self.queue.extend(newer)
        self._rotated_at = self._gone_since or at if len(newer) == 1 else at  # one between has had no grace yet
        self._gone_since = None
        self.trouble.clear()
        return True

    async def _truncated(self, file: OpenFile) -> None:
        """What was read is not there any more (F03, F04): finish it from the copy, then read the file from 0."""
        copies, found = await copies_before(self._mark_of(file), self.queue, self.origin, self._passed)
        if not found:
            lost = max(0, file.seen - file.offset)
            self._pass_over(Gap(SourceEventKind.TRUNCATED, lost, f"at byte {file.offset} of {self.origin}"))
            log.warning("truncated", origin=self.origin, offset=file.offset, lost_bytes=lost)
        elif copies:
            copies[0].skipping = file.skipping
        file.place(0)
        file.seen = 0
        for copy in reversed(copies):
            copy.final = True
            self.queue.appendleft(copy)

    def _mark_of(self, file: OpenFile) -> Checkpoint:
        """`at` is when the position was taken: only a copy made after that can hold what follows it."""
        return file.checkpoint(self.origin, self._source, self._placed_at or EPOCH)

    # -- read ------------------------------------------------------------------------------------------------------

    async def step(self, at: float, now: datetime) -> Block | None:
        """One bounded read of the oldest file. Never raises for trouble with the file. Sets `more` and `due_at`."""
        self.more, self.due_at = False, None
        if not self.queue and (self.trouble.waiting(at) or not await self.open(at, now)):
            self.due_at = self.trouble.retry_at
            return self._tell_of_nothing(now) if self._gaps else None
        file = self.queue[0]
        try:
            return await self._step(file, at, now)
        except OSError as error:
            self._set_aside(error, at)
            return None

    async def _step(self, file: OpenFile, at: float, now: datetime) -> Block | None:
        ending = self._ending(file, at)
        asked = Asked(self._limits.max_line, self._limits.partial_timeout_s, at, ending)
        piece = await read_piece(file, asked)
        if piece.rewritten:
            await self._truncated(file)
            self.more = True
            return None
        if piece.gap is not None:
            self._pass_over(piece.gap)
        block = self._block(file, piece, now) if piece.taken else None
        file.skipping = piece.cut is Cut.LONG or file.skipping
        if not piece.at_end:
            self.more = True
            return block
        if piece.unfinished != file.partial:
            file.partial, file.partial_since = piece.unfinished, at
        if ending:
            await self._finish(file)
        else:
            self.due_at = self._next_due(file, at)
        if block is None and ((self._gaps and not file.skipping) or (self.announce and len(self.queue) == 1)):
            return self._block(file, Piece(cut=Cut.LINES, at_end=True), now)
        return block

    def _block(self, file: OpenFile, piece: Piece, now: datetime) -> Block:
        """A piece without lines makes the starting position durable: else what is written while the daemon is down
        would be passed over by "begin at the end"."""
        start, gaps = file.offset, self._gaps
        if piece.taken:
            file.advance(piece.taken)
            self.last_read_at = now
        self._gaps = ()
        self._placed_at = now
        self.announce = False
        return Block(
            source=self._source,
            origin=self.origin,
            data=piece.taken,
            start=start,
            checkpoint=self._mark_of(file),
            read_at=now,
            live=piece.live,
            complete=piece.complete,
            followed=piece.followed,
            gaps=gaps,
        )

    def _tell_of_nothing(self, now: datetime) -> Block:
        """There is no file to go on with: what is lost is told at once, for this follower may be dropped."""
        gaps, self._gaps = self._gaps, ()
        nowhere = Checkpoint(self.origin, self._source, 0, now)
        return Block(self._source, self.origin, b"", 0, nowhere, now, gaps=gaps)

    def _pass_over(self, *gaps: Gap) -> None:
        """To be told with the next block."""
        for gap in gaps:
            self._gaps = with_gap(self._gaps, gap)

    # -- when to look again ----------------------------------------------------------------------------------------

    def _ending(self, file: OpenFile, at: float) -> bool:
        """Whether what a read at `at` finds is the last of this file."""
        if self._once or file.final:
            return True
        if len(self.queue) > 1:
            return at >= self._grace_end(file)
        last_sign = max(file.last_read, self._gone_since or 0.0)
        return self._gone_since is not None and file.deleted() and at - last_sign >= DELETED_GRACE_S

    def _grace_end(self, file: OpenFile) -> float:
        return grace_end(self._limits, self._rotated_at, file.last_read)

    def _next_due(self, file: OpenFile, at: float) -> float | None:
        return next_due(
            self._limits,
            at,
            partial_since=file.partial_since if file.partial else None,
            successor_at=self._grace_end(file) if len(self.queue) > 1 else None,
            gone=self._gone_since is not None,
        )

    async def _finish(self, file: OpenFile) -> None:
        """Nothing follows in this file: on to the next, behind what came and went unseen."""
        between: list[OpenFile] = []
        if len(self.queue) > 1 or self._gone_since is not None:
            between, gaps = await unseen_behind(self.queue, self.origin, self._passed)
            self._pass_over(*gaps)
        self.queue.popleft()
        self.queue.extendleft(reversed(between))
        self._passed.append(self._mark_of(file))
        self.retired.append(self._passed[-1])
        file.close()
        self._ended_at = file.offset
        self.more = bool(self.queue)

    # -- trouble ---------------------------------------------------------------------------------------------------

    def park(self) -> None:
        """Close the descriptors and keep the position (F25)."""
        if self.queue:
            self.mark = self._mark_of(self.queue[0])
        self.close()

    def close(self) -> None:
        while self.queue:
            self.queue.pop().close()

    def _note_seen(self, file: OpenFile) -> None:
        status = os.fstat(file.fd)
        self.seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def _set_aside(self, error: OSError, at: float) -> None:
        """Reading failed (F22): close, and open again later at the same place."""
        self.park()
        self.trouble.failed(error, at)
        self.due_at = self.trouble.retry_at
