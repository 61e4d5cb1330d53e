"""Logs of the past, read from beginning to end: plain or packed, in blocks of whole records. Nothing is followed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from io import BufferedIOBase, FileIO

from logmedic.adapters.sources.cutting import Chunk, Cut, cut
from logmedic.adapters.sources.opened import UTF8_MARK, open_regular, refuse_utf16
from logmedic.adapters.sources.packed import DAMAGED, MAX_RATIO, is_packed, unpacking
from logmedic.core.assembler import Assembler
from logmedic.core.backtest import Log
from logmedic.core.eventtime import event_time
from logmedic.core.framing import Framing
from logmedic.core.records import MAX_RECORD_BYTES, decode
from logmedic.model.record import Block, Checkpoint

BLOCK_BYTES = 1024 * 1024
"""Also the longest line: of a longer one the beginning is searched, as the daemon does."""
TIMES_LOOKED_FOR = 20
"""In so many lines at the beginning of a log, and at its end."""
LOOKED_AT_BYTES = 64 * 1024
"""Which hold these lines."""
LAST_S = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""File systems keep times that no calendar has: anybody may `touch -d @99999999999999`."""
LED_IN_BYTES = 2 * MAX_RECORD_BYTES
"""So much before a part is read as well: by then records are cut as they are from the file's beginning."""


class PastLog:
    """The bytes [begin, end) of a file: the records that begin there. A part of a packed file there is not. `log` says
    what is known of it, but for its lines. Each block can be matched by itself: a record that lies across two reads is
    in one of them; the first and the last block hold more than the part. `moved` is told how many bytes of the file
    were read since the last time.

    The time of the file's last write counts as the time of reading: it tells the year of times that have none."""

    def __init__(
        self,
        path: str,
        source: str,
        *,
        framing: Framing,
        zone: tzinfo,
        begin: int = 0,
        end: int | None = None,
        moved: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.log = Log(path, source)
        self.begin = begin
        self.end = end
        self._framing = framing
        self._zone = zone
        self._moved = moved
        self._blocks = self._read()

    def part(self, begin: int, end: int | None, moved: Callable[[int], None]) -> PastLog:
        """Another one, of the same file."""
        path, source, framing, zone = self.log.path, self.log.source, self._framing, self._zone
        return PastLog(path, source, framing=framing, zone=zone, begin=begin, end=end, moved=moved)

    def next_block(self) -> Block | None:
        """None at the end. When that came early, the log's `problem` says why."""
        try:
            return next(self._blocks, None)
        except DAMAGED as error:
            self.log = replace(self.log, problem=words_of(error))
            return None

    def close(self) -> None:
        self._blocks.close()

    def within(self, start: int, end: int) -> tuple[int, int]:
        """What of these bytes belongs to the part; nothing when both are the same."""
        low = max(start, self.begin)
        return low, max(low, end if self.end is None else min(end, self.end))

    def _read(self) -> Generator[Block, None, None]:
        with ExitStack() as stack:
            file = open_regular(self.log.path)
            stack.callback(file.close)
            raw = stack.enter_context(FileIO(file.fd, closefd=False))
            content = stack.enter_context(unpacking(self.log.path, raw)) if is_packed(self.log.path) else raw
            start = max(0, self.begin - LED_IN_BYTES)
            raw.seek(start)
            pieces = self._followed(_pieces(content, self.log.path, start), raw, start)
            for block in self._assembled(pieces, os.fstat(file.fd)):
                if self.end is not None and block.start >= self.end:
                    break
                yield block

    def _followed(self, pieces: Iterable[_Piece], raw: FileIO, told: int) -> Iterator[_Piece]:
        """Tells how far reading came in the file itself."""
        for piece in pieces:
            at = raw.tell()
            self._moved(at - told)
            told = at
            yield piece
        self._moved(raw.tell() - told)

    def _assembled(self, pieces: Iterable[_Piece], status: os.stat_result) -> Iterator[Block]:
        source, path = self.log.source, self.log.path
        read_at = datetime.fromtimestamp(min(max(status.st_mtime, 0.0), LAST_S), UTC)
        assembler = Assembler(self._framing)
        for start, taken, complete in pieces:
            end = start + len(taken)
            if is_packed(path) and end > status.st_size * MAX_RATIO:
                raise OSError(f"unpacks to more than {MAX_RATIO} times its size; unpack it by hand if that is right")
            self._note(taken, start, read_at)
            mark = Checkpoint(path, source, end, read_at, status.st_dev, status.st_ino)
            yield from assembler.push(
                Block(source, path, taken, start, mark, read_at, live=False, complete=complete, followed=True)
            )
        if (held := assembler.flush()) is not None:
            yield held

    def _note(self, taken: bytes, start: int, read_at: datetime) -> None:
        log, (low, high) = self.log, self.within(start, start + len(taken))
        first = log.first or self._time_in(taken[:LOOKED_AT_BYTES].splitlines()[:TIMES_LOOKED_FOR], read_at)
        last = self._time_in(taken[-LOOKED_AT_BYTES:].splitlines()[: -TIMES_LOOKED_FOR - 1 : -1], read_at)
        self.log = replace(log, bytes=log.bytes + high - low, first=first, last=last or log.last)

    def _time_in(self, lines: Iterable[bytes], read_at: datetime) -> datetime | None:
        """The time of the first line that has one."""
        for line in lines:
            at = event_time(decode(line, 0, len(line)), read_at, self._zone)
            if at != read_at:
                return at
        return None


_Piece = tuple[int, bytes, bool]
"""Where in the content it begins, its bytes, and whether its last record ends with them."""


def _pieces(content: BufferedIOBase | FileIO, path: str, start: int) -> Iterator[_Piece]:
    """From `start`, where `content` is, else from the next line on. The rest of a line that is too long is passed over.
    What is whole before the place of a damage is given."""
    held, damage, skipping = b"", None, start > 0
    if not start:
        mark, damage = _filled(content, len(UTF8_MARK))
        refuse_utf16(mark, path)
        held = mark.removeprefix(UTF8_MARK)
        start = len(mark) - len(held)
    while True:
        if damage is None:
            more, damage = _filled(content, BLOCK_BYTES - len(held))
            held += more
        chunk = Chunk(held, BLOCK_BYTES, BLOCK_BYTES, ending=damage is None)
        if skipping:
            how, behind = Cut.HOLD, held.find(b"\n") + 1
            skipping = not behind
            behind = behind or len(held)
        else:
            how, taken = cut(chunk)
            behind = len(taken)
            if taken:
                yield start, taken, how in (Cut.REST, Cut.LONG)
            skipping = how is Cut.LONG
        held, start = held[behind:], start + behind
        if chunk.at_end and (not held or not behind):
            break
    if damage is not None:
        raise damage


def _filled(content: BufferedIOBase | FileIO, wanted: int) -> tuple[bytes, Exception | None]:
    """So many bytes, fewer at the end; or as many as there are before the damage, which is answered too."""
    read = content.read1 if isinstance(content, BufferedIOBase) else content.read
    parts: list[bytes] = []
    try:
        while wanted and (part := read(wanted)):
            parts.append(part)
            wanted -= len(part)
    except DAMAGED as error:
        return b"".join(parts), error
    return b"".join(parts), None


def words_of(error: Exception) -> str:
    """What is wrong with a file, said behind its name."""
    if isinstance(error, EOFError):
        return "is cut off: its end is missing"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    said = str(error)
    return said if said.startswith(("is ", "unpacks ")) else f"is damaged: {said[:200]}"
