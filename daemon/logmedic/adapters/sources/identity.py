"""Which file is it? Rotated names, and the files that have to be read one after another to lose nothing."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from logmedic.adapters.sources.opened import OpenFile, open_regular
from logmedic.adapters.sources.packed import Unpacked, is_packed, unpack_from
from logmedic.core.position import HEAD_BYTES
from logmedic.model.gap import Gap, SourceEventKind
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
    numbers = [(int(found[1]), entry) for entry in entries if (found := _NUMBER.search(_unpacked_name(entry.name)))]
    if len(numbers) < len(entries) or not entries:
        return [entry.path for entry in sorted(entries, key=_age)]
    numbers.sort(key=lambda pair: pair[0])
    counts_up = _age(numbers[-1][1])[0] - _age(numbers[0][1])[0] > COUNTS_UP_NS
    return [entry.path for _, entry in (numbers if counts_up else reversed(numbers))]


def _age(entry: os.DirEntry[str]) -> tuple[int, str]:
    return entry.stat(follow_symlinks=False).st_mtime_ns, entry.name


@dataclass(frozen=True, slots=True)
class Siblings:
    """Rotated files beside a log, oldest first: `paths` those that are plain, `generations` with the packed ones."""

    paths: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()


def siblings_of(path: str, renamed: Callable[[os.DirEntry[str]], bool] = lambda _: False) -> Siblings:
    """Files beside `path` (or beside what it links to) with a rotated name, or those that are the log as `renamed`
    says, whatever they are called."""
    wanted: dict[str, os.DirEntry[str]] = {}
    for place in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        directory, base = os.path.split(place)
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name == base:
                        continue
                    rotated = rotated_base(_unpacked_name(entry.name)) == base
                    if entry.is_file(follow_symlinks=False) and (rotated or renamed(entry)):
                        wanted[entry.path] = entry
        except OSError:  # the directory went or may not be listed: then there is nothing to be found in it
            continue
    plain = [entry for path, entry in wanted.items() if not is_packed(path)]
    # A file that is being packed is there twice, and the plain one is whole.
    packed = [entry for path, entry in wanted.items() if is_packed(path) and _unpacked_name(path) not in wanted]
    return Siblings(
        tuple(_oldest_first(plain)[-MAX_GENERATIONS:]), tuple(_oldest_first([*plain, *packed])[-MAX_GENERATIONS:])
    )


def _unpacked_name(name: str) -> str:
    return os.path.splitext(name)[0] if is_packed(name) else name


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
    """Files to read one after another, each placed. `found`: whether the file that the mark speaks of is among what was
    looked into. `generations`: all rotated files, packed ones too, when that leaves a doubt."""

    files: list[OpenFile]
    found: bool
    generations: tuple[str, ...] = ()


def follow_up(mark: Checkpoint, current: OpenFile | None, path: str) -> Trail:
    """Where reading goes on behind `mark`: the file of the mark at its offset, the generations after it, and
    `current` (what is at `path` now, or None). Owns what it opens until it returns."""
    if current is not None and _same_inode(current, mark) and current.holds(mark):
        current.place(mark.offset)
        return Trail([current], found=True)
    beside = siblings_of(path, lambda entry: entry.inode() == mark.inode and _holds_mark(entry.path, mark))
    others = open_all(beside.paths, but=[current.key] if current else [])
    at = _position_of(mark, current, others)
    if at is None and current is not None and _surely_same(current, mark):
        _close(others)
        current.place(mark.offset)
        return Trail([current], found=True)
    if at is None:
        _close(others)
        return Trail([current] if current else [], found=False, generations=beside.generations)
    _close(others[:at])
    others[at].place(mark.offset)
    return Trail(others[at:] + ([current] if current else []), found=True)


async def follow(mark: Checkpoint, current: OpenFile | None, path: str) -> tuple[Trail, tuple[Gap, ...]]:
    """As `follow_up`, also into files that are packed by now (F07); and what cannot be read any more. Unpacks in a
    thread; a cancel waits for it."""
    trail = follow_up(mark, current, path)
    if not mark.offset:
        trail = Trail(trail.files, trail.found, siblings_of(path).generations)  # an inode alone says too little
    gaps: tuple[Gap, ...] = ()
    if any(map(is_packed, trail.generations)):
        unpacked = await _unpack(mark, trail)
        trail = _with_unpacked(trail, unpacked)
        gaps = tuple(Gap(SourceEventKind.VANISHED, 0, complaint) for complaint in unpacked.complaints)
    if not trail.found and not gaps:
        told = f"the file that was read up to byte {mark.offset} is gone; what it had beyond is not known"
        gaps = (Gap(SourceEventKind.VANISHED, 0, told),)
    return trail, gaps


async def _unpack(mark: Checkpoint, trail: Trail) -> Unpacked:
    unpacking = asyncio.ensure_future(asyncio.to_thread(unpack_from, mark, trail.generations, open_regular))
    try:
        return await asyncio.shield(unpacking)
    except asyncio.CancelledError:
        await asyncio.wait([unpacking])
        _close([*trail.files, *unpacking.result().files])
        raise


def _with_unpacked(trail: Trail, unpacked: Unpacked) -> Trail:
    known = {file.key for file in trail.files}
    mine = [file for file in unpacked.files if file.key not in known]
    _close(file for file in unpacked.files if file not in mine)
    return Trail([*mine, *trail.files], found=trail.found or unpacked.found)


def generations_after(last: OpenFile, current: OpenFile, path: str) -> list[OpenFile]:
    """What was written after `last` (open, and not at `path` any more), oldest first; ends with `current`."""
    beside = siblings_of(path, lambda entry: entry.inode() == last.inode)  # which is open, so it is no other file
    others = open_all(beside.paths, but=[current.key])
    keys = [other.key for other in others]
    at = keys.index(last.key) + 1 if last.key in keys else len(others)
    _close(others[:at])
    return [*others[at:], current]


def _holds_mark(path: str, mark: Checkpoint) -> bool:
    """An inode is used again at once, for any file (F05): only the content tells."""
    for file in open_all([path]):
        held = mark.offset > 0 and file.holds(mark)
        file.close()
        return held
    return False


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
