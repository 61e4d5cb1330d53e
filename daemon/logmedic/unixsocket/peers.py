"""Who is at the other end of a Unix socket: the kernel's word."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

_CREDENTIALS = struct.Struct("iII")
"""`struct ucred`: ids of users and groups have all 32 bits."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel says it was when it connected. Processes of one user and group are
    equal."""

    uid: int
    gid: int
    pid: int = field(default=0, compare=False)


def peer_of(connection: Any) -> Peer:
    """`connection`: a connected Unix socket, or asyncio's view of it."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(int(uid), int(gid), int(pid))


def is_own(uid: int) -> bool:
    """Of root, or of the user that this process runs as."""
    return uid in (0, os.geteuid())


def number_of(uid: int) -> str:
    """What a user is called who has no name here."""
    return f"uid {uid}"


def name_of(uid: int) -> str:
    """Of the host's user database, which may block."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError, OverflowError):
        return number_of(uid)
