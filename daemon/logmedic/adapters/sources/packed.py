"""Rotated files that were compressed before they were read to their end (F07): unpacked beside, read like any other."""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase, BufferedReader
from typing import IO, Any

from logmedic.adapters.sources.opened import OpenFile
from logmedic.core.position import TAIL_BYTES, content_hash, same_content
from logmedic.model.record import Checkpoint

if sys.version_info >= (3, 14):
    from compression import zstd
    from compression._common._streams import DecompressReader  # what gzip, bz2 and lzma are made of there
else:
    from _compression import DecompressReader  # the same; private in both

    from backports import zstd

UNPACKING_BYTES = 128 * 1024 * 1024
"""What unpacking an .xz may take: twice what `xz -9` needs. A header of twelve bytes can ask for 4 GiB."""


class _Unxz(BufferedReader):
    """As lzma.LZMAFile, which gives its decoder no limit of memory."""

    def __init__(self, given: str | IO[bytes]) -> None:
        raw = open(given, "rb") if isinstance(given, str) else given  # noqa: SIM115  closed with this
        self._own = raw if isinstance(given, str) else None
        unpacked = DecompressReader(
            raw,
            lzma.LZMADecompressor,
            trailing_error=lzma.LZMAError,
            format=lzma.FORMAT_AUTO,
            memlimit=UNPACKING_BYTES,
        )
        super().__init__(unpacked)

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self._own is not None:
                self._own.close()


OPENERS: dict[str, Callable[[Any], BufferedIOBase]] = {
    ".gz": gzip.open,
    ".bz2": bz2.BZ2File,
    ".xz": _Unxz,
    ".zst": zstd.ZstdFile,
}
"""Each takes a path, or an open file of bytes, which it does not close."""

MAX_BYTES = 2 * 1024 * 1024 * 1024
MAX_RATIO = 1100
"""A bomb is not unpacked to the end. Deflate reaches 1032 : 1 with zeros, logs of one repeated line come near it."""
FREE_FLOOR = 64 * 1024 * 1024
"""The file system that unpacked bytes go to keeps so much free."""
LARGE_ROOM = "/var/tmp"  # noqa: S108 - see spacious
FILE_TICK_S = 0.01
"""File times are cut to the kernel's tick: so much earlier a write may seem to be."""
_CHUNK = 1024 * 1024
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)
"""What opening and reading a packed file raises."""


@dataclass(slots=True)
class Unpacked:
    """`files`: unpacked, or plain; oldest first. `found`: the mark's file is among what was looked into; it is the
    first of `files` unless nothing of it is unread. `complaints`: what could not be read, and why."""

    files: list[OpenFile] = field(default_factory=list)
    found: bool = False
    complaints: list[str] = field(default_factory=list)


def is_packed(path: str) -> bool:
    return os.path.splitext(path)[1] in OPENERS


def unpacking(path: str, raw: IO[bytes] | None = None) -> BufferedIOBase:
    """The content of a packed file; of `raw`, when it is open already. Raises what DAMAGED names, also when read."""
    return OPENERS[os.path.splitext(path)[1]](raw or path)


def unpack_first(mark: Checkpoint, places: Sequence[Sequence[str]], open_plain: Callable[[str], OpenFile]) -> Unpacked:
    """What follows `mark` in the first of `places` (paths of generations, oldest first, packed or plain) whose packed
    ones hold the mark's file; where none does, what the first was written to since. The first is the log's own: what
    is elsewhere says nothing of this log unless its content does. For a thread: it takes as long as unpacking takes.
    The caller owns the files. Never raises for what a file holds."""
    answers: list[Unpacked] = []
    for generations in places if mark.offset else ():
        answers.append(_unpack_from(mark, generations, open_plain))
        if answers[-1].found:
            return answers[-1]
    return _unpack_since(mark, places[0], open_plain, answers[0] if answers else Unpacked())


def _unpack_from(mark: Checkpoint, generations: Sequence[str], open_plain: Callable[[str], OpenFile]) -> Unpacked:
    answer = Unpacked()
    at = _position_of(mark, generations, answer)
    if at is None:
        return answer
    answer.found = True
    for path in generations[at:]:
        begun = mark if path == generations[at] else None
        _add(answer, path, functools.partial(_spool, mark=begun) if is_packed(path) else open_plain)
    return answer


def _unpack_since(
    mark: Checkpoint, generations: Sequence[str], open_plain: Callable[[str], OpenFile], answer: Unpacked
) -> Unpacked:
    """A file that was still empty has no content to be known by, and one that is gone leaves its successors. They were
    written after the mark was made, and packing keeps the time of the last write."""
    damaged = {complaint.partition(": ")[0] for complaint in answer.complaints}
    newer = written_since(mark, generations)
    for path in newer:
        if path not in damaged:
            _add(answer, path, _spool if is_packed(path) else open_plain)
    answer.found = bool(newer) and not mark.offset
    return answer


def written_since(mark: Checkpoint, generations: Sequence[str]) -> Sequence[str]:
    """The first of `generations` that was written to since the mark was made, and what follows it."""
    since = mark.at.timestamp() - FILE_TICK_S
    at = next((index for index, path in enumerate(generations) if _written_at(path) > since), len(generations))
    return generations[at:]


def unpack_all(paths: Sequence[str], but: Sequence[Checkpoint] = ()) -> Unpacked:
    """All of these packed files, save those that hold what was read up to one of the marks in `but`. For a thread, as
    `unpack_first`."""
    answer = Unpacked()
    for path in paths:
        if not any(mark.offset and _holds(path, mark, Unpacked()) for mark in but):
            _add(answer, path, _spool)
    return answer


def _position_of(mark: Checkpoint, generations: Sequence[str], answer: Unpacked) -> int | None:
    for index in reversed(range(len(generations))):
        if is_packed(generations[index]) and _holds(generations[index], mark, answer):
            return index
    return None


def _written_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:  # rotated away meanwhile
        return 0.0


def _add(answer: Unpacked, path: str, opened: Callable[[str], OpenFile | None]) -> None:
    try:
        file = opened(path)
    except DAMAGED as error:
        answer.complaints.append(f"{path}: {error}")
        return
    if file is not None:
        answer.files.append(file)


def _holds(path: str, mark: Checkpoint, answer: Unpacked) -> bool:
    """Whether the content up to the mark's offset is the one that was read."""
    if not is_packed(path) or not mark.fingerprint_len:
        return False
    try:
        with unpacking(path) as packed:
            head = packed.read(mark.fingerprint_len)
            if content_hash(head) != mark.fingerprint:
                return False
            before = _before(packed, mark, os.stat(path).st_size)
            return before is not None and same_content(mark, head, before)
    except DAMAGED as error:
        answer.complaints.append(f"{path}: {error}")
        return False


def _before(packed: BufferedIOBase, mark: Checkpoint, packed_size: int) -> bytes | None:
    """The bytes before the mark's offset; None when the file ends before it."""
    if mark.offset > min(MAX_BYTES, packed_size * MAX_RATIO):
        return None
    start = max(0, mark.offset - TAIL_BYTES)
    if packed.seek(start) != start:
        return None
    before = packed.read(mark.offset - start)
    return before if len(before) == mark.offset - start else None


def _spool(path: str, mark: Checkpoint | None = None) -> OpenFile | None:
    """All of it in a file without a name, at the mark's offset. None when nothing follows the mark. Raises OSError and
    what unpacking raises."""
    status = os.stat(path)
    limit = min(MAX_BYTES, status.st_size * MAX_RATIO)
    with unpacking(path) as packed, tempfile.TemporaryFile(dir=spacious()) as room:
        size = _copy(packed, room, limit)
        if mark is not None and size <= mark.offset:
            return None
        fd = os.dup(room.fileno())
    file = OpenFile(fd, path, status.st_dev, status.st_ino, seen=size, final=True)
    file.place(mark.offset if mark is not None else 0)
    return file


def _copy(packed: BufferedIOBase, room: IO[bytes], limit: int) -> int:
    size = 0
    while chunk := packed.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise OSError(f"unpacks to more than {limit} bytes, which is not done")
        if _free(room) < FREE_FLOOR:
            raise OSError("there is too little space to unpack it")
        room.write(chunk)
    room.flush()
    return size


def _free(room: IO[bytes]) -> int:
    status = os.fstatvfs(room.fileno())
    return status.f_bavail * status.f_frsize


def spacious() -> str:
    """The directory for large temporary files. Not /tmp first: that is memory on many hosts."""
    return LARGE_ROOM if os.access(LARGE_ROOM, os.W_OK) else tempfile.gettempdir()
