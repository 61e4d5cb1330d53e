"""Which file is it? Rotated names, and the files that have to be read one after another to lose nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from logmedic.adapters.sources.opened import OpenFile, open_regular
from logmedic.core.position import HEAD_BYTES
from logmedic.model.record import Checkpoint

MAX_GENERATIONS = 64
"""How many rotated files of one log are looked into; the youngest."""

CLOCK_SLACK_S = 2.0
"""File times are cut to the kernel's tick, and clocks are set: so much earlier may a copy seem to be."""

COUNTS_UP_NS = 1_000_000_000
"""A late write to a renamed file makes it younger than it is, by less than this."""

_NUMBER = re.compile(r"\.(\d{1,4})$")
_DATE = re.compile(r"[.\-_](\d{4}-?\d{2}-?\d{2}[0-9T:._\-]*)$")
_OLD = re.compile(r"[.\-_](old|bak|prev)$", re.IGNORECASE)
COMPRESSED = (".gz", ".xz", ".zst", ".bz2")


def rotated_base(name: str) -> str:
    """What `name` was rotated from: app.log for app.log.1, app.log-20261124 and app-20261124.log; else empty."""
    for pattern in (_NUMBER, _DATE, _OLD):
        if found := pattern.search(name):
            return name[: found.start()]
    stem, extension = os.path.splitext(name)
    found = _DATE.search(stem)
    return stem[: found.start()] + extension if found and extension else ""


def _oldest_first(entries: Sequence[os.DirEntry[str]]) -> list[str]:
    """Numbered files by their number: logrotate's highest is the oldest; where the highest was clearly written last,
    its rotator counts up. Others by the time of their last write."""
    numbers = [(int(found[1]), entry) for entry in entries if (found := _NUMBER.search(entry.name))]
    if len(numbers) < len(entries) or not entries:
        return [entry.path for entry in sorted(entries, key=_age)]
    numbers.sort(key=lambda pair: pair[0])
    counts_up = _age(numbers[-1][1])[0] - _age(numbers[0][1])[0] > COUNTS_UP_NS
    return [entry.path for _, entry in (numbers if counts_up else reversed(numbers))]


def _age(entry: os.DirEntry[str]) -> tuple[int, str]:
    return entry.stat(follow_symlinks=False).st_mtime_ns, entry.name


@dataclass(frozen=True, slots=True)
class Siblings:
    """Rotated files beside a log, oldest first. `compressed`: how many could not be looked into."""

    paths: tuple[str, ...] = ()
    compressed: int = 0


def siblings_of(path: str, inode: int = 0) -> Siblings:
    """Files beside `path` (or beside what it links to) with a rotated name, or with that inode."""
    wanted: dict[str, os.DirEntry[str]] = {}
    compressed = 0
    for place in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        directory, base = os.path.split(place)
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name == base:
                        continue
                    stem, extension = os.path.splitext(entry.name)
                    if extension in COMPRESSED:
                        compressed += rotated_base(stem) == base
                    elif entry.is_file(follow_symlinks=False) and (
                        rotated_base(entry.name) == base or (inode and entry.inode() == inode)
                    ):
                        wanted[entry.path] = entry
        except OSError:  # the directory went or may not be listed: then there is nothing to be found in it
            continue
    return Siblings(tuple(_oldest_first(list(wanted.values()))[-MAX_GENERATIONS:]), compressed)


def open_all(paths: Iterable[str], but: Iterable[tuple[int, int]] = ()) -> list[OpenFile]:
    """Those that open, each inode once, without the identities in `but`."""
    seen = set(but)
    opened: list[OpenFile] = []
    for path in paths:
        try:
            file = open_regular(path)
        except OSError:  # rotated away between listing and opening, or not ours to read
            continue
        if file.key in seen:
            file.close()
        else:
            seen.add(file.key)
            opened.append(file)
    return opened


@dataclass(slots=True)
class Trail:
    """Files to read one after another, each placed. `found`: whether the file that the mark speaks of is the first."""

    files: list[OpenFile]
    found: bool
    compressed: int = 0


def follow_up(mark: Checkpoint, current: OpenFile | None, path: str) -> Trail:
    """Where reading goes on behind `mark`: the file of the mark at its offset, the generations after it, and
    `current` (what is at `path` now, or None). Owns what it opens until it returns."""
    if current is not None and _same_inode(current, mark) and current.holds(mark):
        current.place(mark.offset)
        return Trail([current], found=True)
    beside = siblings_of(path, mark.inode)
    others = open_all(beside.paths, but=[current.key] if current else [])
    at = _position_of(mark, current, others)
    if at is None and current is not None and _surely_same(current, mark):
        _close(others)
        current.place(mark.offset)
        return Trail([current], found=True)
    if at is None:
        _close(others)
        return Trail([current] if current else [], found=False, compressed=beside.compressed)
    _close(others[:at])
    others[at].place(mark.offset)
    return Trail(others[at:] + ([current] if current else []), found=True)


def generations_after(last: OpenFile, current: OpenFile, path: str) -> list[OpenFile]:
    """What was written after `last` (open, and not at `path` any more), oldest first; ends with `current`."""
    others = open_all(siblings_of(path, last.inode).paths, but=[current.key])
    keys = [other.key for other in others]
    at = keys.index(last.key) + 1 if last.key in keys else len(others)
    _close(others[:at])
    return [*others[at:], current]


def _same_inode(file: OpenFile, mark: Checkpoint) -> bool:
    return file.inode == mark.inode and file.device == mark.device


def _surely_same(file: OpenFile, mark: Checkpoint) -> bool:
    """The same content under another identity: device numbers change at boot, backups are restored. The inode may
    differ only when a whole head of content and a tail speak for it."""
    strong = mark.fingerprint_len >= HEAD_BYTES and bool(mark.tail_hash)
    return (strong or file.inode == mark.inode) and mark.fingerprint_len > 0 and file.holds(mark)


def _position_of(mark: Checkpoint, current: OpenFile | None, others: Sequence[OpenFile]) -> int | None:
    for index in reversed(range(len(others))):
        if _same_inode(others[index], mark) and others[index].holds(mark):
            return index
    if current is not None and current.device != mark.device and _surely_same(current, mark):
        return None
    for index in reversed(range(len(others))):
        if mark.fingerprint_len and _is_later_copy(others[index], mark) and others[index].holds(mark):
            return index
    return None


def _is_later_copy(file: OpenFile, mark: Checkpoint) -> bool:
    """A copy of what was read was made (or renamed) after it was read. Without this, a log of equal lines that was
    only emptied would be "found" in the copy of some earlier day."""
    return os.fstat(file.fd).st_ctime >= mark.at.timestamp() - CLOCK_SLACK_S


def _close(files: Iterable[OpenFile]) -> None:
    for file in files:
        file.close()
