"""The access list of a file (acl(5)): one group more may use it, whoever owns it."""

from __future__ import annotations

import os
import struct
from pathlib import Path

_NAME = "system.posix_acl_access"
_VERSION = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_OWNER, _OWNING_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x04, 0x08, 0x10, 0x20
"""Tags of entries, in the order that the kernel asks for (linux/posix_acl_xattr.h)."""
_NOBODY = 0xFFFFFFFF
_USE = 0o6


def let_in(path: Path, gid: int) -> bool:
    """The owner and the group `gid` may read and write, the file's own group and all others may not. To be followed by
    a chmod, whose bits for the group are the most that `gid` gets. False: the file system has no such lists, or the
    file is not ours."""
    entries = ((_OWNER, _USE), (_OWNING_GROUP, 0), (_GROUP, _USE), (_MASK, _USE), (_OTHER, 0))
    packed = (_ENTRY.pack(tag, may, gid if tag == _GROUP else _NOBODY) for tag, may in entries)
    try:
        os.setxattr(path, _NAME, _VERSION.pack(2) + b"".join(packed), follow_symlinks=False)
    except OSError:
        return False
    return True


def group_let_in(path: Path) -> int | None:
    """The group that `let_in` named. None: none."""
    try:
        listed = os.getxattr(path, _NAME, follow_symlinks=False)
    except OSError:
        return None
    found = (entry for entry in _ENTRY.iter_unpack(listed[_VERSION.size :]) if entry[0] == _GROUP and entry[1] == _USE)
    return next((gid for _, _, gid in found), None)
