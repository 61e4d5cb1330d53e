"""The socket that commands ask: there, with the right owner, group and mode, and answered."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logmedic.cli.doctor.finding import Finding, Person, unknown, warning, well, wrong
from logmedic.cli.doctor.host import Daemon, group_name
from logmedic.unixsocket.accesslist import group_let_in

MODE = 0o660
START = "systemctl start logmedic, or: logmedic run"


@dataclass(frozen=True, slots=True)
class Door:
    """What lies at the path. `gid`: whose members may use it, as its own group or by its access list."""

    path: Path
    is_socket: bool
    mode: int
    uid: int
    gid: int


def seen(path: Path) -> Door | None:
    """None: nothing is there. Raises OSError when it cannot be looked at."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    let_in = group_let_in(path)
    gid = status.st_gid if let_in is None else let_in
    return Door(path, stat.S_ISSOCK(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid, gid)


def of_door(door: Door, group: str) -> Iterator[Finding]:
    """`group`: who may read over it, as configured."""
    path, found = door.path, f"{door.path}: mode {door.mode:04o}, group {group_name(door.gid)}"
    if not door.is_socket:
        yield wrong("socket", f"{path} is no socket", f"rm {path}; systemctl restart logmedic")
        return
    if door.mode & 0o007:
        yield wrong("socket", f"{found}: everybody on this host can connect", f"chmod {MODE:o} {path}")
    elif door.mode != MODE:
        yield wrong("socket", f"{found}: its group, or its owner, cannot use it", f"chmod {MODE:o} {path}")
    elif group_name(door.gid) != group:
        repair = f"getent group {group} || groupadd --system {group}; systemctl restart logmedic"
        yield warning("socket", f"{found}, and not {group}: members of {group} cannot look", repair)
    else:
        yield well("socket", found)


def of_me(door: Door, me: Person, daemon: Daemon | None, group: str) -> Finding:
    if me.uid in (0, door.uid):
        return well("you", f"{me.name}: may look and act")
    if door.gid in me.groups and door.mode & 0o060 == 0o060:
        return well("you", f"{me.name}: may look, by the group {group_name(door.gid)}; to act, use sudo")
    if daemon is not None:
        return well("you", f"{me.name}: may look")
    return warning("you", f"{me.name}: may not connect to {door.path}", f"sudo usermod -aG {group} {me.name}")


def of_answer(door: Door | None, daemon: Daemon | None, *, may_connect: bool) -> Finding:
    if daemon is not None and daemon.status is not None:
        version = daemon.status.get("version", "?")
        return well("daemon", f"answers: version {version}, process {daemon.pid}")
    if daemon is not None:
        found = f"process {daemon.pid} takes connections and does not answer: {daemon.refusal}"
        return wrong("daemon", found, "journalctl -u logmedic -n 50; systemctl restart logmedic")
    if door is None:
        return warning("daemon", "none runs", START)
    if not may_connect:
        return unknown("daemon", f"not allowed to ask at {door.path}", "sudo logmedic doctor")
    return wrong("daemon", f"nobody answers at {door.path}: what made the socket is gone", START)


def look(path: Path, group: str, me: Person, daemon: Daemon | None) -> Iterator[Finding]:
    try:
        door = seen(path)
    except OSError as error:
        yield unknown("socket", f"{path} cannot be looked at: {error.strerror}", "sudo logmedic doctor")
        return
    if door is None:
        yield warning("socket", f"{path} is not there", START)
    else:
        yield from of_door(door, group)
        yield of_me(door, me, daemon, group)
    may_connect = door is None or me.uid in (0, door.uid) or (door.gid in me.groups and bool(door.mode & 0o020))
    yield of_answer(door, daemon, may_connect=may_connect)
