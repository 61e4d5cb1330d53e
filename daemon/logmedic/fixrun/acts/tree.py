"""A directory tree, walked by descriptors: no link is followed, no other mount entered, and what was swapped meanwhile
is left alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from logmedic.fixrun.acts.words import Unreached, joined

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_ON_THE_WAY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""To go through a directory it need not be readable."""


@dataclass(frozen=True, slots=True)
class Mount:
    """`id` is the kernel's (0 where it does not tell): two places of one file system differ in it."""

    device: int
    id: int


def mount_of(descriptor: int) -> Mount:
    return Mount(os.fstat(descriptor).st_dev, _mount_id(descriptor))


def _mount_id(descriptor: int) -> int:
    with suppress(OSError), open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        for line in file:
            if line.startswith("mnt_id:"):
                return int(line.split()[1])
    return 0


def open_below(name: str, room: int, mount: Mount) -> int | None:
    """The directory `name` in `room`, on that mount. None: it is gone, a link by now, or another mount."""
    try:
        descriptor = os.open(name, _DIRECTORY, dir_fd=room)
    except OSError:
        return None
    if mount_of(descriptor) == mount:
        return descriptor
    os.close(descriptor)
    return None


def open_root(path: str) -> int:
    """No part of it may be a link: of a path that a log line names, somebody may have made that. Raises Unreached."""
    if not path.startswith("/") or set(path) <= {"/"} or ".." in path.split("/"):
        raise Unreached(f"{path!r} is no directory to delete in: an absolute path below / is wanted")
    *way, last = [part for part in path.split("/") if part not in ("", ".")]
    here = os.open("/", _ON_THE_WAY)
    try:
        for part in way:
            below = os.open(part, _ON_THE_WAY, dir_fd=here)
            os.close(here)
            here = below
        return os.open(last, _DIRECTORY, dir_fd=here)
    except OSError as error:
        raise Unreached(f"{path}: {error.strerror}{_linked(path)}") from None
    finally:
        os.close(here)


def _linked(path: str) -> str:
    return "" if os.path.realpath(path) == os.path.normpath(path) else "; a link leads there, and none is followed"


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file. `room`: the index of its directory in its Tree. `allocated`: bytes on the disk."""

    room: int
    name: str
    inode: int
    device: int
    mtime_ns: int
    allocated: int
    links: int


@dataclass(frozen=True, slots=True)
class _Room:
    parent: int
    name: str
    inode: int


class Tree:
    """Below `path`. Holds one descriptor; close it. Directories are opened again, part by part, when something in them
    is to go: what is a link or another directory by then is not entered."""

    def __init__(self, path: str) -> None:
        """Raises Unreached."""
        self.path = path
        self.root = open_root(path)
        self.mount = mount_of(self.root)
        self._rooms = [_Room(0, "", os.fstat(self.root).st_ino)]

    def close(self) -> None:
        os.close(self.root)

    @property
    def identity(self) -> tuple[int, int]:
        return self.mount.device, self._rooms[0].inode

    def files(self, others: Collection[tuple[int, int]] = ()) -> Iterator[Found]:
        """All regular files that can be seen, in no order. What cannot be read is passed over, and so are directories
        that are the roots of `others`, by their identity."""
        left = [0]
        while left:
            index = left.pop()
            with self.opened(index) as room:
                if room is not None:
                    yield from self._in(room, index, left, others)

    def _in(self, room: int, index: int, left: list[int], others: Collection[tuple[int, int]]) -> Iterator[Found]:
        with os.scandir(room) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # gone meanwhile
                if stat.S_ISDIR(status.st_mode):
                    if (status.st_dev, status.st_ino) in others:
                        continue
                    self._rooms.append(_Room(index, entry.name, status.st_ino))
                    left.append(len(self._rooms) - 1)
                elif stat.S_ISREG(status.st_mode):
                    yield _found(index, entry.name, status)

    @contextmanager
    def opened(self, index: int) -> Iterator[int | None]:
        """A descriptor of that directory, closed at the end. None: it is not there any more."""
        room = os.dup(self.root)
        try:
            for part in self._parts(index):
                below = open_below(part.name, room, self.mount)
                if below is None:
                    yield None
                    return
                os.close(room)
                room = below
                if os.fstat(room).st_ino != part.inode:
                    yield None
                    return
            yield room
        finally:
            os.close(room)

    def _parts(self, index: int) -> list[_Room]:
        parts = []
        while index:
            parts.append(self._rooms[index])
            index = self._rooms[index].parent
        return parts[::-1]

    def path_of(self, found: Found) -> str:
        return joined(self.path, *(part.name for part in self._parts(found.room)), found.name)

    def remove(self, found: Found) -> bool:
        """False: it is gone, or not the file any more that was found. Raises OSError."""
        with self.opened(found.room) as room:
            if room is None:
                return False
            try:
                status = os.stat(found.name, dir_fd=room, follow_symlinks=False)
            except FileNotFoundError:
                return False
            if not stat.S_ISREG(status.st_mode) or _found(found.room, found.name, status) != found:
                return False
            os.unlink(found.name, dir_fd=room)
            return True


def _found(room: int, name: str, status: os.stat_result) -> Found:
    return Found(room, name, status.st_ino, status.st_dev, status.st_mtime_ns, status.st_blocks * 512, status.st_nlink)
