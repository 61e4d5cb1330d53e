"""The store: its form, its size, the room that is left for it, and who holds it."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logmedic.cli.doctor.finding import Finding, unknown, warning, well, wrong
from logmedic.cli.doctor.host import Daemon

if TYPE_CHECKING:
    from logmedic.settings import Settings

MIB = 1 << 20
SCARCE_BYTES = 256 * MIB
SCARCE_INODES = 1000
NEARLY = 0.9
"""Of storage.max_size: the oldest days go before their time soon."""
_LOCK_LINE = re.compile(r"FLOCK +\S+ +(?:WRITE|READ) +(\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) ")
"""proc(5), /proc/locks: who has a lock on which inode of which device."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who has the lock: a process by its id (0: not seen from here), and the name of its program."""

    pid: int
    program: str = ""


def holder(lock: Path, proc: Path = Path("/proc")) -> Held | None:
    """None: nobody. Raises OSError when the file cannot be looked at; one that is not there was never held."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = _pid_of(os.fstat(descriptor).st_ino, proc)
        return Held(pid, _program(pid, proc))
    finally:
        os.close(descriptor)
    return None


def _pid_of(inode: int, proc: Path) -> int:
    try:
        lines = (proc / "locks").read_text().splitlines()
    except OSError:
        return 0
    found = (_LOCK_LINE.search(line) for line in lines)
    return next((int(each[1]) for each in found if each and int(each[4]) == inode and int(each[1]) > 0), 0)


def _program(pid: int, proc: Path) -> str:
    try:
        return (proc / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def of_holder(held: Held | None, daemon: Daemon | None) -> Finding:
    if held is None and (daemon is None or daemon.status is None):
        return well("store lock", "nobody holds it")
    if held is None:
        return warning("store lock", "a daemon answers, and nobody holds the store named here", "logmedic status")
    who = f"process {held.pid}" + (f" ({held.program})" if held.program else "") if held.pid else "some process"
    if daemon is not None and held.pid in (0, daemon.pid):
        return well("store lock", "the daemon holds it")
    if daemon is not None:
        return well("store lock", f"{who} holds it while the daemon {daemon.pid} runs")
    found = f"{who} holds it, and no daemon answers: none can start"
    return wrong("store lock", found, f"ps -fp {held.pid}; end it, or: systemctl stop logmedic" if held.pid else "lsof")


def of_room(path: Path, *, free: int, inodes: int | None) -> Finding:
    """`inodes`: None where the file system has no fixed number of them."""
    left = f"{free // MIB:,} MiB" + (f" and {inodes:,} inodes" if inodes is not None else "")
    if free < SCARCE_BYTES or (inodes is not None and inodes < SCARCE_INODES):
        return wrong("disk", f"only {left} are left for {path}", f"df -h {path}; df -i {path}; logmedic storage")
    return well("disk", f"{left} are left for {path}")


def of_size(total: int, limit: int) -> Finding:
    found = f"{total / MIB:,.1f} of {limit // MIB:,} MiB (storage.max_size)"
    if total > NEARLY * limit:
        return warning("store size", f"{found}: soon the oldest days go before their time", "raise storage.max_size")
    return well("store size", found)


def size_of(path: Path) -> int:
    """What counts against the limit. Raises OSError."""
    from logmedic.adapters.store.archive import Archive
    from logmedic.adapters.store.connection import archive_of
    from logmedic.adapters.store.room import measured

    return measured(path, Archive(archive_of(path)), 0).total


def of_status(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What the daemon that runs says of it."""
    store = status["store"]
    if store["problem"]:
        yield wrong("store", f"nothing can be stored: {store['problem']}", "logmedic storage; df -h")
    else:
        yield well("store", f"{store['path']}: the daemon writes to it")
    for notice in store["notices"][:3]:
        yield warning("store", notice, "logmedic storage")


def _of_opening(path: Path) -> Finding:
    from logmedic.adapters.store.reading import open_readonly
    from logmedic.model.errors import LogmedicError, OrderRefused

    try:
        with open_readonly(path) as store:
            counted = sum(store.counts().values())
    except OrderRefused as older:
        return warning("store", older.text, older.hint)
    except LogmedicError as error:
        return wrong("store", error.text, "logmedic run: it salvages what is damaged, and keeps the original")
    return well("store", f"{path}: it opens, {counted:,} events counted")


def mount_of(path: Path) -> Path:
    """The mount point that it is below."""
    return next(each for each in (path.resolve(), *path.resolve().parents) if os.path.ismount(each))


def look_as_the_daemon(path: Path, user: str) -> Iterator[Finding]:
    """Whether this process, which is `user` by now, could write what is there of the store at `path`."""
    name, room = "state directory", path.parent
    there = [room, *(each for each in (path, path.with_name(f"{path.name}.wal")) if os.path.exists(each))]
    shut = [each for each in there if not os.access(each, os.R_OK | os.W_OK, effective_ids=True)]
    if not os.path.exists(room):
        yield well(name, f"{room} is not there yet, or not for {user} to see")
    elif shut and os.statvfs(room).f_flag & os.ST_RDONLY:
        repair = f"dmesg | tail; mount -o remount,rw {mount_of(room)}"
        yield wrong(name, f"the file system of {room} is read-only", repair)
    elif shut:
        yield wrong(name, f"{user} cannot write to {shut[0]}", f"chown -R {user}: {room}; chmod 700 {room}")
    else:
        yield well(name, f"{user} can write to {room}")


def look(settings: Settings, daemon: Daemon | None, proc: Path = Path("/proc")) -> Iterator[Finding]:
    path = settings.storage.path
    room = next(each for each in path.parents if os.path.exists(each))
    status = os.statvfs(room)
    yield of_room(room, free=status.f_bavail * status.f_frsize, inodes=status.f_favail if status.f_files else None)
    try:
        held = holder(path.with_name(f"{path.name}.lock"), proc)
        there = path.exists()
        if there:
            yield of_size(size_of(path), settings.storage.max_size)
    except PermissionError:
        yield unknown("store", f"{path} is not ours to look at", "sudo logmedic doctor")
        return
    yield of_holder(held, daemon)
    if daemon is not None and daemon.status is not None:
        yield from of_status(daemon.status)
    elif held is not None:
        yield unknown("store", f"{path} is in use")
    elif there:
        yield _of_opening(path)
    else:
        yield well("store", f"{path} is not there yet: the daemon makes it")
