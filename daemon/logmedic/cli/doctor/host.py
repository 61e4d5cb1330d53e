"""Whose daemon it is: the one that answers, the user that it runs as."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logmedic.cli.doctor.finding import Person
from logmedic.cli.systemdunit import Unit

ASK_S = 5.0
_CREDENTIALS = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class Daemon:
    """One that answers. `status`: what it says of itself; None when it takes connections and no questions, and
    `refusal` says why."""

    pid: int
    uid: int
    status: Mapping[str, Any] | None
    refusal: str = ""


def daemon_at(path: Path, wait_s: float = ASK_S) -> Daemon | None:
    """The process behind the socket, as the kernel names it, and its own word. None: nobody answers there, or we may
    not ask."""
    from logmedic.cli.client import Client
    from logmedic.model.errors import LogmedicError

    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(wait_s)
        try:
            wire.connect(str(path))
        except OSError:
            return None
        pid, uid, _ = _CREDENTIALS.unpack(wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        return Daemon(pid, uid, Client(path, wait_s).get("status"))
    except LogmedicError as error:
        return Daemon(pid, uid, None, error.text)


def person_of(uid: int) -> Person:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Person(f"user id {uid}", uid, (uid,))
    others = [each for each in os.getgrouplist(entry.pw_name, entry.pw_gid) if each != entry.pw_gid]
    return Person(entry.pw_name, uid, (entry.pw_gid, *others))


def myself() -> Person:
    """With the groups of this process: who joined one has to sign in again before it counts."""
    own = person_of(os.geteuid())
    others = [each for each in os.getgroups() if each != os.getegid()]
    return Person(own.name, own.uid, (os.getegid(), *others))


def runs_as(unit: Unit, daemon: Daemon | None) -> Person | None:
    """The user of the daemon that answers, else of the unit, else we ourselves. None: the unit's user does not
    exist."""
    if daemon is not None:
        return myself() if daemon.uid == os.geteuid() else person_of(daemon.uid)
    if not unit.is_installed:
        return myself()
    try:
        return person_of(pwd.getpwnam(unit.user).pw_uid)
    except KeyError:
        return None


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
