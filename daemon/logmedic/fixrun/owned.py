"""Who could have written a file: every part of its path, links included, looked at through the descriptor that the next
part is opened from. Nothing is followed unseen (F60). Standard library only."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Collection

MOST_LINKS = 40
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
ROOT = frozenset({0})


def flaw(path: str, owners: Collection[int] = ROOT, *, program: bool = False, way: bool = False) -> str:
    """Why somebody other than `owners` could have changed the file or directory at `path` (absolute), or nothing.
    `program`: it has to be an executable file. `way`: what is in it may be anybody's, and only its place is asked
    about: why somebody else could have put something else there, a link to another directory."""
    if not path.startswith("/"):
        return f"{path} is no absolute path"
    try:
        return _walked(path, owners, program, way)
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror}"


def _walked(path: str, owners: Collection[int], program: bool, way: bool) -> str:
    """Raises OSError."""
    left = deque(path.split("/"))
    links = 0
    here, at = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), "/"
    try:
        wrong = _wrong(at, os.fstat(here), owners)
        while left and not wrong:
            part = left.popleft()
            if part in ("", "."):
                continue
            there = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            status = os.fstat(there)
            if stat.S_ISLNK(status.st_mode):
                if status.st_uid not in owners:  # its directory may be sticky
                    wrong = _wrong(os.path.join(at, part), status, owners)
                    os.close(there)
                    break
                links += 1
                target = os.readlink(part, dir_fd=here)
                os.close(there)
                if links > MOST_LINKS:
                    return f"{path} has too many links"
                left.extendleft(reversed(target.split("/")))
                if target.startswith("/"):
                    os.close(here)
                    here, at = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), "/"
                continue
            loose, above = _is_sticky(os.fstat(here), owners), here
            here, at = there, os.path.join(at, part)
            os.close(above)
            if way and not any(left):
                return "" if status.st_uid in owners or not loose else _wrong(at, status, owners)
            wrong = "" if any(left) and _is_sticky(status, owners) else _wrong(at, status, owners)
        return wrong or (_no_program(at, os.fstat(here)) if program else "")
    finally:
        os.close(here)


def _is_sticky(status: os.stat_result, owners: Collection[int]) -> bool:
    """Like /tmp: in it nobody can replace what is not his own."""
    return stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX) and status.st_uid in owners


def _wrong(path: str, status: os.stat_result, owners: Collection[int]) -> str:
    if status.st_uid not in owners:
        return f"{path} belongs to user id {status.st_uid}: chown root {path}"
    if status.st_mode & _OTHERS_WRITE:
        return f"others can write to {path}: chmod go-w {path}"
    return ""


def _no_program(path: str, status: os.stat_result) -> str:
    return "" if stat.S_ISREG(status.st_mode) and status.st_mode & 0o111 else f"{path} is no executable file"
