"""`free`: deletes the oldest files until there is room enough (model.step.FreeSpace)."""

from __future__ import annotations

import ctypes
import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import ceil
from typing import Any

from logmedic.fixrun.acts.tree import Found, Tree
from logmedic.fixrun.acts.words import Listing, Unreached, size

AT_ONCE = 50_000
"""Files that are remembered of one walk, the oldest; 15 MB. When they were not enough, it walks again."""
_REFUSALS = 1000
"""Files that could not be deleted, after which no more are tried."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Of each file system. `percent` of its room, `free_bytes`: what users may still take; 0: not asked for."""

    percent: float
    free_bytes: int

    def missing(self, status: os.statvfs_result) -> int:
        """Bytes to be freed."""
        wanted = max(self.percent / 100 * status.f_blocks * status.f_frsize, self.free_bytes)
        return max(0, ceil(wanted) - status.f_bavail * status.f_frsize)


class Disk:
    """One file system, through a descriptor of the caller's. With `dry` its room is reckoned."""

    def __init__(self, descriptor: int, path: str, goal: Goal, *, dry: bool) -> None:
        self._descriptor = descriptor
        self._dry = dry
        self._goal = goal
        self.path = path
        self.gone = 0
        self._first = self._missing()

    def _missing(self) -> int:
        return self._goal.missing(os.fstatvfs(self._descriptor))

    @property
    def missing(self) -> int:
        if self._dry:
            return max(0, self._first - self.gone)
        left = self._missing()
        if left and self.gone >= self._first:  # some file systems free with their next commit only
            ctypes.CDLL(None).syncfs(self._descriptor)
            left = self._missing()
        return left

    def told(self) -> str:
        status = os.fstatvfs(self._descriptor)
        free = status.f_bavail * status.f_frsize + (self.gone if self._dry else 0)
        share = 100 * free / (status.f_blocks * status.f_frsize or 1)
        return f"{self.path}: {share:.1f}% ({size(free)}) {'would be' if self._dry else 'is'} free"


@dataclass(frozen=True, slots=True)
class Floor:
    """What stays: all but names that match `pattern`, whatever is younger than `since_ns` (of the epoch), the newest
    `keep`, and everything once `at_most` bytes are gone."""

    pattern: str
    since_ns: int
    keep: int
    at_most: int


@dataclass
class Tally:
    """Of one walk, why files stayed."""

    matching: int = 0
    linked: int = 0
    young: int = 0
    kept: int = 0
    refused: int = 0
    over: int = 0


Candidate = tuple[Tree, Found]


def free(asked: Mapping[str, Any], *, dry: bool, now: float) -> None:
    """`asked`: the fields of FreeSpace. Raises Unreached, OSError."""
    goal = Goal(asked["percent"], asked["free_bytes"])
    if goal.percent <= 0 and goal.free_bytes <= 0:
        raise Unreached("nothing says how much has to be free: nothing is deleted")
    if not asked["paths"]:
        raise Unreached("no paths are named: nothing is deleted")
    floor = Floor(asked["pattern"], int((now - asked["older_than"]) * 1e9), asked["keep"], asked["at_most"])
    with ExitStack() as stack:
        trees = [stack.enter_context(closing(Tree(path))) for path in dict.fromkeys(asked["paths"])]
        disks: dict[int, Disk] = {}
        for tree in trees:
            disks.setdefault(tree.mount.device, Disk(tree.root, tree.path, goal, dry=dry))
        _judge(disks.values(), _freed(trees, disks, floor, dry=dry, now=now), floor)


def _freed(trees: Sequence[Tree], disks: Mapping[int, Disk], floor: Floor, *, dry: bool, now: float) -> Tally:
    listing = Listing("would delete" if dry else "deleted")
    tally = Tally()
    while any(disk.missing for disk in disks.values()):
        tally, before = Tally(), listing.count
        candidates, whole = oldest(trees, floor, tally)
        for tree, found in candidates:
            disk = disks[tree.mount.device]
            if not disk.missing:
                continue
            if listing.bytes + found.allocated > floor.at_most:
                tally.over += 1
                break
            if _goes(tree, found, tally, dry=dry):
                disk.gone += found.allocated
                listing.add(tree.path_of(found), found.allocated, now - found.mtime_ns / 1e9)
            elif tally.refused > _REFUSALS:
                break
        if whole or dry or tally.over or listing.count == before:
            break
    if listing.count:
        listing.end()
    for disk in disks.values():
        print(disk.told())
    return tally


def _goes(tree: Tree, found: Found, tally: Tally, *, dry: bool) -> bool:
    if dry:
        return True
    try:
        return tree.remove(found)
    except OSError:
        tally.refused += 1
        return False


def oldest(trees: Sequence[Tree], floor: Floor, tally: Tally) -> tuple[list[Candidate], bool]:
    """What may go, the oldest first, and whether that is all of it."""
    heap: list[tuple[int, int, Candidate]] = []
    for number, (tree, found) in enumerate(_matching(trees, floor, tally)):
        item = (-found.mtime_ns, number, (tree, found))
        if len(heap) < AT_ONCE:
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)
    whole = tally.matching <= len(heap)
    ordered = [candidate for _, _, candidate in sorted(heap, reverse=True)]
    allowed = ordered[: max(0, tally.matching - floor.keep)]
    tally.kept = len(ordered) - len(allowed) if whole else 0
    goes = [(tree, found) for tree, found in allowed if found.mtime_ns <= floor.since_ns]
    tally.young = len(allowed) - len(goes)
    return [each for each in goes if not _is_linked(each, tally)], whole


def _matching(trees: Sequence[Tree], floor: Floor, tally: Tally) -> Iterator[Candidate]:
    """Once, also when one path lies in another."""
    different = {tree.identity: tree for tree in trees}
    for tree in different.values():
        for found in tree.files(different.keys()):
            if fnmatchcase(found.name, floor.pattern):
                tally.matching += 1
                yield tree, found


def _is_linked(candidate: Candidate, tally: Tally) -> bool:
    """A file with another name somewhere frees nothing when one of them goes."""
    tally.linked += candidate[1].links > 1
    return candidate[1].links > 1


def _judge(disks: Iterable[Disk], tally: Tally, floor: Floor) -> None:
    """Raises Unreached, with what stood in the way."""
    short = [disk for disk in disks if disk.missing]
    if not short:
        return
    reasons = [
        f"nothing there matches {floor.pattern!r}" if not tally.matching else "",
        f"{tally.kept} are the newest, which are kept" if tally.kept else "",
        f"{tally.young} are too young" if tally.young else "",
        f"{tally.linked} have another name and would free nothing" if tally.linked else "",
        f"{tally.refused} could not be deleted (permissions?)" if tally.refused else "",
        f"more than {size(floor.at_most)} is never deleted" if tally.over else "",
    ]
    why = "; ".join(each for each in reasons if each) or "all that may go is gone; are files of it still open?"
    wanted = ", ".join(f"{size(disk.missing)} too little at {disk.path}" for disk in short)
    raise Unreached(f"{wanted}: {why}")
