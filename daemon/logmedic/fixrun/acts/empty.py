"""`empty`: drops what is in a cache directory (model.step.DropCache)."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from logmedic.fixrun.acts.tree import Mount, mount_of, open_below, open_root
from logmedic.fixrun.acts.words import Listing, Unreached, joined

DEEPEST = 200
"""Directories in one another that are entered; each holds a descriptor."""


@dataclass
class Stayed:
    """How much, and why."""

    young: int = 0
    elsewhere: int = 0
    refused: int = 0

    def __bool__(self) -> bool:
        return bool(self.elsewhere or self.refused)

    def told(self) -> str:
        reasons = [
            f"{self.young} too young" if self.young else "",
            f"{self.elsewhere} on another file system, or too deep" if self.elsewhere else "",
            f"{self.refused} could not be deleted (permissions?)" if self.refused else "",
        ]
        return ", ".join(each for each in reasons if each)


@dataclass(frozen=True, slots=True)
class _Run:
    mount: Mount
    since: float
    now: float
    dry: bool
    listing: Listing
    stayed: Stayed


def empty(asked: Mapping[str, Any], *, dry: bool, now: float) -> None:
    """`asked`: the fields of DropCache. Raises Unreached, OSError."""
    root = open_root(asked["path"])
    try:
        listing, stayed = Listing("would delete" if dry else "deleted"), Stayed()
        run = _Run(mount_of(root), _since(asked["older_than"], now), now, dry, listing, stayed)
        _emptied(run, root, asked["path"], 1)
    finally:
        os.close(root)
    if listing.count:
        listing.end()
    elif not stayed.told():
        print(f"{asked['path']} is empty already")
    if stayed.told():
        print(f"left: {stayed.told()}")
    if stayed:
        raise Unreached(f"{asked['path']} is not empty: {stayed.told()}")


def _since(older_than_s: float, now: float) -> float:
    return now - older_than_s if older_than_s > 0 else inf


def _emptied(run: _Run, room: int, path: str, depth: int) -> bool:
    """Whether nothing is left in it."""
    everything = True
    for name in os.listdir(room):
        try:
            status = os.stat(name, dir_fd=room, follow_symlinks=False)
            gone = _gone(run, room, name, status, joined(path, name), depth)
        except FileNotFoundError:
            continue  # somebody else deleted it
        except OSError:
            run.stayed.refused += 1
            gone = False
        everything = gone and everything
    return everything


def _gone(run: _Run, room: int, name: str, status: os.stat_result, path: str, depth: int) -> bool:
    """Raises OSError."""
    if stat.S_ISDIR(status.st_mode):
        return _directory_gone(run, room, name, status, path, depth)
    if status.st_mtime > run.since:
        run.stayed.young += 1
        return False
    if not run.dry:
        os.unlink(name, dir_fd=room)
    run.listing.add(path, status.st_blocks * 512, run.now - status.st_mtime)
    return True


def _directory_gone(run: _Run, room: int, name: str, status: os.stat_result, path: str, depth: int) -> bool:
    """With `status` as it was before anything in it was deleted."""
    below = open_below(name, room, run.mount) if depth < DEEPEST else None
    if below is None:
        run.stayed.elsewhere += 1
        return False
    try:
        if not _emptied(run, below, path, depth + 1):
            return False
    finally:
        os.close(below)
    if status.st_mtime > run.since:
        run.stayed.young += 1
        return False
    if not run.dry:
        os.rmdir(name, dir_fd=room)
    return True
