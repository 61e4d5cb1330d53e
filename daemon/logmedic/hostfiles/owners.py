"""Root in directories of others. Whatever it does there by a path, their links may lead elsewhere: it acts as they."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from logmedic.model.errors import OrderRefused

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Owner:
    """`name`: of the account, or `user id 1234` without one. `groups`: all of its groups, `gid` among them."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def owner_of(path: Path) -> Owner | None:
    """Who but root could lead `path`, of which the end may be missing, elsewhere. None: nobody; or we are not root, and
    can do no more than they."""
    if os.geteuid() != 0:
        return None
    for way in (path.absolute(), Path(os.path.realpath(path))):
        above: os.stat_result | None = None
        for part in (*reversed(way.parents), way):
            try:
                status = os.lstat(part)
            except OSError:
                break
            leads = not stat.S_ISREG(status.st_mode) or (above is not None and _is_loose(above))
            if status.st_uid != 0 and leads:
                return _owner(status)
            above = status
    return None


def _is_loose(directory: os.stat_result) -> bool:
    """Whether others can replace what is not theirs in it."""
    return bool(directory.st_mode & _OTHERS_WRITE) and not directory.st_mode & stat.S_ISVTX


def _owner(status: os.stat_result) -> Owner:
    try:
        account = pwd.getpwuid(status.st_uid)
    except KeyError:
        return Owner(f"user id {status.st_uid}", status.st_uid, status.st_gid, (status.st_gid,))
    groups = os.getgrouplist(account.pw_name, account.pw_gid)
    return Owner(account.pw_name, account.pw_uid, account.pw_gid, tuple(groups))


def become(owner: Owner | None) -> None:
    """For the rest of this process. Raises OrderRefused."""
    if owner is None:
        return
    try:
        os.setgroups(owner.groups)
        os.setresgid(owner.gid, owner.gid, owner.gid)
        os.setresuid(owner.uid, owner.uid, owner.uid)
    except PermissionError:
        raise OrderRefused(f"this process may not become {owner.name}", f"type it as {owner.name}") from None
    if not os.access(sys.executable, os.X_OK):  # what is read is read by another process
        raise OrderRefused(
            f"{owner.name} cannot run {sys.executable}, and the store is theirs",
            "install logmedic where its service can run it: docs/install.md",
        )


@contextmanager
def acting_as(owner: Owner | None) -> Iterator[None]:
    """To open and to remove files: nothing is run meanwhile, since we are root underneath."""
    if owner is None:
        yield
        return
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups(owner.groups)
    os.setegid(owner.gid)
    os.seteuid(owner.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)
