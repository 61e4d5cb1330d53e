"""Reports in files, until the daemon is back: one file a process, a line each, in a directory that processes share.

A file belongs to who holds its lock; the kernel takes it from a process that ends, so that another one may send what it
left. A report that is sent twice has the same id, and the daemon takes it once."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from logmedic.client.sending.wire import ID, MAX_LINE

MAX_FILE = 10 * 1024 * 1024
MAX_ROOM = 5 * MAX_FILE
"""Bytes of all files."""
MAX_BATCH = 256 * 1024
"""Bytes, and one line more."""
SUFFIX = ".reports"
_OPEN = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class _File:
    path: str
    number: int
    size: int
    read: int = 0


class Spool:
    """`seed` makes this process's files its own. No method raises. `close` gives the locks back and keeps the files."""

    def __init__(self, room: Path, seed: str) -> None:
        self._room = room
        self._seed = seed
        self._made = 0
        self._own: _File | None = None
        self._claimed: _File | None = None
        self._allowed = 0
        self._stuck: set[str] = set()
        """Paths of files that could not be removed: they are not sent over and over."""

    def put(self, begun: bytes) -> bool:
        """`begun`: a line without its end. False: there is no room, or no right to write."""
        line = begun + b"}\n"
        try:
            own = self._own or self._new()
            if own.size + len(line) > self._allowed:
                return False
            return self._append(own, line)
        except OSError:
            return False

    def batch(self, lines: int) -> list[tuple[str, bytes]]:
        """At most so many more reports (id, line without its end) of a file that nobody holds; empty: there is none.
        They stay in the file until the next call, which means that all of them were taken."""
        try:
            while self._claimed is not None or self._claim():
                if found := self._read(lines):
                    return found
                self._let_go(unlink=True)
        except OSError:
            self._let_go()
        return []

    def close(self) -> None:
        self._let_go()
        own, self._own = self._own, None
        if own is not None:
            os.close(own.number)

    def _new(self) -> _File:
        self._room.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = sum(each.stat(follow_symlinks=False).st_size for each in self._files())
        self._allowed = min(MAX_FILE, MAX_ROOM - used)
        self._made += 1
        path = str(self._room / f"{self._seed}-{self._made}{SUFFIX}")
        number = os.open(path, _OPEN | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._own = _File(path, number, 0)
        return self._own

    @staticmethod
    def _append(own: _File, line: bytes) -> bool:
        """A line is there as a whole, or not at all."""
        if os.write(own.number, line) == len(line):
            own.size += len(line)
            return True
        os.ftruncate(own.number, own.size)
        return False

    def _files(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._room) as found:
                return sorted((each for each in found if each.name.endswith(SUFFIX)), key=lambda each: each.name)
        except FileNotFoundError:
            return []

    def _claim(self) -> bool:
        own, self._own = self._own, None
        if own is not None:  # from here on it is like all others
            os.close(own.number)
        for each in self._files():
            if each.path in self._stuck:
                continue
            try:
                number = os.open(each.path, _OPEN)
            except OSError:
                continue
            if self._is_ours(number, each.path):
                self._claimed = _File(each.path, number, os.fstat(number).st_size)
                return True
            os.close(number)
        return False

    @staticmethod
    def _is_ours(number: int, path: str) -> bool:
        """It is this user's (what others put there would be reported in this one's name), the lock is free, and it was
        not removed by who held it before."""
        try:
            found = os.fstat(number)
            if found.st_uid != os.geteuid():
                return False
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.stat(path, follow_symlinks=False))
        except OSError:
            return False

    def _read(self, lines: int) -> list[tuple[str, bytes]]:
        """Lines that are no reports are passed over."""
        claimed = self._claimed
        found: list[tuple[str, bytes]] = []
        held = 0
        while claimed is not None and claimed.read < claimed.size and len(found) < lines and held < MAX_BATCH:
            line = os.pread(claimed.number, MAX_LINE, claimed.read)
            end = line.find(b"\n")
            claimed.read += end + 1 if end >= 0 else max(len(line), 1)
            if end > 0 and (id := _id_of(line[:end])):
                found.append((id, line[: end - 1]))
                held += end
        return found

    def _let_go(self, *, unlink: bool = False) -> None:
        claimed, self._claimed = self._claimed, None
        if claimed is None:
            return
        try:
            if unlink:
                os.unlink(claimed.path)
        except OSError:  # another process sends it once more, and the daemon takes it once
            self._stuck.add(claimed.path)
        finally:
            os.close(claimed.number)


def _id_of(line: bytes) -> str:
    """Empty: this is no report."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict) or told.get("type") != "report" or not line.endswith(b"}"):
        return ""
    id = told.get("id")
    return id if isinstance(id, str) and ID.match(id) else ""
