"""One open log file and the position in it. Every read proves that the bytes before the position are still the same."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import FileIO

from aiofiles.threadpool import wrap

from logmedic.core.position import HEAD_BYTES, TAIL_BYTES, content_hash, same_content, tail_hash
from logmedic.model.record import Checkpoint

KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFSOCK: "a socket",
}
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
NO_UTF16 = "is UTF-16, which is not supported"


@dataclass(slots=True, eq=False)
class OpenFile:
    """`before`: the last bytes up to `offset`, at most TAIL_BYTES. `head`: the first bytes up to `offset`, at most
    HEAD_BYTES. `skipping`: the position is inside a line that was cut. `final`: nobody writes to it any more.
    `stop_at`: where reading ends, for a run that ends by itself. `partial`, `partial_since`: length and age (loop time)
    of the line that has no newline yet. `backlog`, `wide`: how the next read is made. `seen`: the largest size known.
    `last_read`: loop time when something new was there. Closed by its follower."""

    fd: int
    path: str
    device: int
    inode: int
    offset: int = 0
    before: bytes = b""
    head: bytes = b""
    skipping: bool = False
    final: bool = False
    stop_at: int | None = None
    partial: int = 0
    partial_since: float = 0.0
    backlog: bool = False
    wide: bool = False
    seen: int = 0
    last_read: float = 0.0

    @property
    def key(self) -> tuple[int, int]:
        return self.device, self.inode

    @property
    def behind_zeros(self) -> bool:
        """Nothing is before the position, or a hole that is longer than one read."""
        return not self.before.strip(b"\0")

    def place(self, offset: int) -> None:
        """Go to `offset`, which is not beyond the end."""
        self.offset = offset
        self.before = os.pread(self.fd, min(offset, TAIL_BYTES), max(0, offset - TAIL_BYTES))
        self.head = os.pread(self.fd, min(offset, HEAD_BYTES), 0)
        self.skipping = False
        self.partial = 0

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def read(self, limit: int) -> bytes | None:
        """Up to `limit` bytes after the position, at once. None: what is before the position is not what was read
        there, so the file was truncated or rewritten (F03, F04)."""
        kept = len(self.before)
        return self._unread(os.pread(self.fd, kept + limit, self.offset - kept))

    async def read_backlog(self, limit: int) -> bytes | None:
        """As `read`, in a thread. A cancel waits for the thread, which must not read a descriptor that is closed."""
        kept = len(self.before)
        raw = FileIO(self.fd, closefd=False)
        raw.seek(self.offset - kept)
        reading = asyncio.ensure_future(wrap(raw).read(kept + limit))
        try:
            chunk = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await asyncio.wait([reading])
            raise
        return self._unread(chunk)

    def _unread(self, chunk: bytes) -> bytes | None:
        kept = len(self.before)
        if chunk[:kept] != self.before or not self._begins_as_ever():
            return None
        self.seen = max(self.seen, self.offset + len(chunk) - kept)
        return chunk[kept:]

    def _begins_as_ever(self) -> bool:
        """Lines of one length that end alike put the same bytes before the same offset of another content."""
        return self.offset <= len(self.before) or os.pread(self.fd, len(self.head), 0) == self.head

    def advance(self, taken: bytes) -> None:
        self.offset += len(taken)
        self.before = (self.before + taken[-TAIL_BYTES:])[-TAIL_BYTES:]
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + taken[:HEAD_BYTES])[:HEAD_BYTES]
        self.partial = 0

    def jump_hole(self) -> int:
        """Go to the first written byte after the position; the number of bytes jumped (F17)."""
        try:
            there = os.lseek(self.fd, self.offset, os.SEEK_DATA)
        except OSError:  # no written byte follows, or the file system does not know
            return 0
        jumped = there - self.offset
        if jumped > 0:
            self.place(there)
        return max(0, jumped)

    def line_start(self, offset: int, reach: int) -> int:
        """Where the line that `offset` is in begins, looking back at most `reach` bytes; `offset` when not found."""
        back = min(offset, reach)
        behind = os.pread(self.fd, back, offset - back)
        newline = behind.rfind(b"\n")
        if newline >= 0:
            return offset - back + newline + 1
        return 0 if back == offset else offset

    def inside_cut_line(self, max_line: int) -> bool:
        """Whether the position is behind the beginning of a line that was cut at the limit, and not behind an
        unfinished line that was let go."""
        if self.behind_zeros or self.before.endswith(b"\n") or self.offset < max_line:
            return False
        return b"\n" not in os.pread(self.fd, max_line, self.offset - max_line)

    def deleted(self) -> bool:
        return os.fstat(self.fd).st_nlink == 0

    def idle_s(self, now: datetime) -> float:
        """How long ago it was written to or renamed."""
        status = os.fstat(self.fd)
        return now.timestamp() - max(status.st_mtime, status.st_ctime)

    def checkpoint(self, origin: str, source: str, at: datetime) -> Checkpoint:
        return Checkpoint(
            origin=origin,
            source=source,
            offset=self.offset,
            at=at,
            device=self.device,
            inode=self.inode,
            fingerprint=content_hash(self.head),
            fingerprint_len=len(self.head),
            tail_hash=tail_hash(self.before),
        )

    def holds(self, mark: Checkpoint) -> bool:
        """Whether the content up to the mark's offset is the one that was read."""
        if self.size() < mark.offset:
            return False
        start = max(0, mark.offset - TAIL_BYTES)
        before = os.pread(self.fd, mark.offset - start, start)
        return same_content(mark, os.pread(self.fd, mark.fingerprint_len, 0), before)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            with suppress(OSError):  # a server that went away is told by close, too (F22); the descriptor is free then
                os.close(fd)


def open_regular(path: str) -> OpenFile:
    """Open for reading without ever hanging. Raises OSError, also for what is not a regular file (F23) and for UTF-16
    (F20)."""
    _refuse_odd(os.stat(path), path)  # before open(): opening a FIFO or a tape is an effect of its own
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(fd)
        _refuse_odd(status, path)
        refuse_utf16(os.pread(fd, 2, 0), path)
    except OSError:
        os.close(fd)
        raise
    return OpenFile(fd=fd, path=path, device=status.st_dev, inode=status.st_ino, seen=status.st_size)


def refuse_utf16(beginning: bytes, path: str) -> None:
    """Raises OSError (F20)."""
    if beginning.startswith(UTF16_MARKS):
        raise OSError(errno.EILSEQ, NO_UTF16, path)


def _refuse_odd(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something odd")
        raise OSError(errno.EINVAL, f"is {kind}, not a regular file", path)
