"""Which file is it? And which files have to be read one after another to lose nothing."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from logmedic.adapters.sources.opened import OpenFile, open_regular
from logmedic.adapters.sources.packed import Unpacked, is_packed, unpack_all, unpack_first, written_since
from logmedic.adapters.sources.rotated import siblings_of
from logmedic.core.position import HEAD_BYTES
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.record import Checkpoint

MAX_ROOMS = 64
"""How many directories beside a log are looked into for rotated files that were put away (logrotate's olddir)."""

CLOCK_SLACK_S = 2.0
"""File times are cut to the kernel's tick, and clocks are set: so much earlier may a copy seem to be."""


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
    looked into. `generations`: all rotated files of each place, packed ones too, when that leaves a doubt."""

    files: list[OpenFile]
    found: bool
    generations: tuple[tuple[str, ...], ...] = ()


def follow_up(mark: Checkpoint, current: OpenFile | None, path: str) -> Trail:
    """Where reading goes on behind `mark`: the file of the mark at its offset, the generations after it, and
    `current` (what is at `path` now, or None). Owns what it opens until it returns."""
    if current is not None and _same_inode(current, mark) and current.holds(mark):
        current.place(mark.offset)
        return Trail([current], found=True)
    generations: list[tuple[str, ...]] = []
    for place in (path, *_put_away(path, mark)):
        beside = siblings_of(place, lambda entry: entry.inode() == mark.inode and _holds_mark(entry.path, mark))
        others = open_all(beside.paths, but=[current.key] if current else [])
        at = _position_of(mark, current, others)
        if at is not None:
            others[at].place(mark.offset)
            order = _from_there_on(mark, others[at].path, beside.generations)
            files = [file for index, file in enumerate(others) if index >= at or file.path in order]
            _close(file for file in others if file not in files)
            return Trail(files + ([current] if current else []), found=True, generations=(order,))
        _close(others)
        if current is not None and _surely_same(current, mark):
            current.place(mark.offset)
            return Trail([current], found=True)
        generations.append(beside.generations)
    return Trail([current] if current else [], found=False, generations=tuple(generations))


def _from_there_on(mark: Checkpoint, path: str, generations: Sequence[str]) -> tuple[str, ...]:
    """Of `generations`, that at `path`, which is the mark's, and those behind it. An empty file may be another by now
    with the same inode: then those too that were written to since."""
    behind = generations[generations.index(path) :] if path in generations else generations
    since = written_since(mark, generations) if not mark.offset else ()
    return tuple(behind if len(behind) > len(since) else since)


async def follow(mark: Checkpoint, current: OpenFile | None, path: str) -> tuple[Trail, tuple[Gap, ...]]:
    """As `follow_up`, also into files that are packed by now (F07); and what cannot be read any more. Unpacks in a
    thread; a cancel waits for it. Raises OSError when the files were rotated meanwhile: a name may have stood for
    another file than the one that was listed, which would be left out then. To be tried again, with a new `current`."""
    if current is not None and mark.offset and _same_inode(current, mark) and current.holds(mark):
        return follow_up(mark, current, path), ()
    before = _standing(path, mark)
    trail, gaps = await _follow(mark, current, path)
    if _standing(path, mark) == before and (current is None or (path, current.inode) in before):
        return trail, gaps
    _close(file for file in trail.files if file is not current)
    raise OSError(errno.EBUSY, "was rotated while it was looked for what is unread", path)


async def _follow(mark: Checkpoint, current: OpenFile | None, path: str) -> tuple[Trail, tuple[Gap, ...]]:
    trail = follow_up(mark, current, path)
    if trail.found and trail.generations:
        return await _with_packed_between(trail)
    if not mark.offset:
        trail = Trail(trail.files, trail.found, (siblings_of(path).generations,))  # an inode alone says too little
    gaps: tuple[Gap, ...] = ()
    if any(trail.generations):
        unpacked = await _unpack(mark, trail)
        trail = _with_unpacked(trail, unpacked)
        gaps = _told(unpacked)
    if not trail.found and not gaps and mark.inode:  # else the loss was told when there was no file to go on with
        told = f"the file that was read up to byte {mark.offset} is gone; what it had beyond is not known"
        gaps = (Gap(SourceEventKind.VANISHED, 0, told),)
    return trail, gaps


def _standing(path: str, mark: Checkpoint) -> set[tuple[str, int]]:
    """The log and its rotated files as they stand: name and inode."""
    rotated = [each for place in (path, *_put_away(path, mark)) for each in siblings_of(place).generations]
    return {(each, _inode_at(each)) for each in (path, *rotated)}


async def _unpack(mark: Checkpoint, trail: Trail) -> Unpacked:
    try:
        return await _in_a_thread(lambda: unpack_first(mark, trail.generations, open_regular))
    except asyncio.CancelledError:
        _close(trail.files)
        raise


async def _with_packed_between(trail: Trail) -> tuple[Trail, tuple[Gap, ...]]:
    """The trail with the packed ones of its generations, each in its place."""
    (order,) = trail.generations
    packed = [path for path in order if is_packed(path)]
    if not packed:
        return trail, ()
    try:
        unpacked = await _in_a_thread(lambda: unpack_all(packed))
    except asyncio.CancelledError:
        _close(trail.files)
        raise
    places = {path: place for place, path in enumerate(order)}
    files = sorted([*trail.files, *unpacked.files], key=lambda file: places.get(file.path, len(order)))
    return Trail(files, found=True), _told(unpacked)


def _told(unpacked: Unpacked) -> tuple[Gap, ...]:
    return tuple(Gap(SourceEventKind.VANISHED, 0, complaint) for complaint in unpacked.complaints)


async def _in_a_thread(unpack: Callable[[], Unpacked]) -> Unpacked:
    """A cancel waits for it, and closes what it opened."""
    unpacking = asyncio.ensure_future(asyncio.to_thread(unpack))
    try:
        return await asyncio.shield(unpacking)
    except asyncio.CancelledError:
        await asyncio.wait([unpacking])
        _close(unpacking.result().files)
        raise


def _with_unpacked(trail: Trail, unpacked: Unpacked) -> Trail:
    known = {file.key for file in trail.files}
    mine = [file for file in unpacked.files if file.key not in known]
    _close(file for file in unpacked.files if file not in mine)
    return Trail([*mine, *trail.files], found=trail.found or unpacked.found)


async def copies_before(
    mark: Checkpoint, queue: Sequence[OpenFile], path: str, passed: Iterable[Checkpoint]
) -> tuple[list[OpenFile], bool]:
    """What is to be read before the open file that `mark` speaks of, which was emptied (and may be renamed by now):
    its copies, oldest first, and whether one holds what was read of it. `queue`: the files that are open. `passed`:
    where others ended that were read."""
    trail, _ = await follow(mark, None, path)
    known = {file.key for file in queue}
    is_open = [each.key in known or any(_is_packed_from(file, each.path) for file in queue) for each in trail.files]
    if True not in is_open and queue[0].deleted():  # what was written after it is no copy of it
        is_open = [_last_write_ns(each) > _written_ns(queue[0]) for each in trail.files]
    until = is_open.index(True) if True in is_open else len(is_open)
    copies = [file for file in trail.files[:until] if trail.found or not _was_read(file, passed)]
    _close(file for file in trail.files if file not in copies)
    return copies, trail.found and (bool(copies) or not trail.files)  # nothing of a packed copy may be unread


def generations_after(
    queue: Sequence[OpenFile], current: OpenFile | None, path: str, passed: Iterable[Checkpoint]
) -> list[OpenFile]:
    """What was written after the last of `queue` (open, no more at `path`) and is not in it, oldest first; ends with
    `current`, where there is one. Plain files only: see `unseen_behind`. `passed`: where others ended that were
    read."""
    last, opened = queue[-1], {file.key for file in queue}
    end = [current] if current else []
    found: list[OpenFile] = []
    for place in _places_of(last, path):
        beside = siblings_of(place, lambda entry: entry.inode() == last.inode)  # which is open, so it is no other file
        begin = _place_of(last, beside.generations)
        others = open_all(beside.paths, but=[file.key for file in (*end, *found)])
        if begin is not None:
            behind = beside.generations[begin + 1 :]
            newer = [file for file in others if file.path in behind and file.key not in opened]
            _close(file for file in (*found, *others) if file not in newer)
            return [*newer, *end]
        found += others
    newer = [file for file in found if _is_newer(file, last) and not _was_read(file, passed) and file.key not in opened]
    _close(file for file in found if file not in newer)
    return [*newer, *end]


def _is_newer(file: OpenFile, last: OpenFile) -> bool:
    return _written_ns(file) > _written_ns(last) and not _is_copy(file, last)


def _was_read(file: OpenFile, passed: Iterable[Checkpoint]) -> bool:
    return any(mark.offset and _same_inode(file, mark) and file.holds(mark) for mark in passed)


async def unseen_behind(
    queue: Sequence[OpenFile], path: str, passed: Iterable[Checkpoint]
) -> tuple[list[OpenFile], tuple[Gap, ...]]:
    """What came and went before anybody looked: behind the first of `queue` (open files, oldest first), and before the
    second where there is one, oldest first; and what of it cannot be read."""
    if len(queue) > 1:
        return await _packed_between(queue, path, tuple(passed))
    return generations_after(queue, None, path, passed), ()


async def _packed_between(
    queue: Sequence[OpenFile], path: str, passed: Sequence[Checkpoint]
) -> tuple[list[OpenFile], tuple[Gap, ...]]:
    """Plain ones are in the queue already, but what was packed before the rotation was noticed is not (F07)."""
    orders = [siblings_of(place).generations for place in _places_of(queue[0], path)]
    packed = [each for order in orders for each in _between(queue[0], queue[1], order) if is_packed(each)]
    unseen = [each for each in packed if not any(_is_at(file, each) for file in queue)]
    if not unseen:
        return [], ()
    unpacked = await _in_a_thread(lambda: unpack_all(unseen, but=passed))
    return unpacked.files, _told(unpacked)


def _between(last: OpenFile, successor: OpenFile, order: Sequence[str]) -> Sequence[str]:
    """Of `order` (paths, oldest first) what is behind `last` and before `successor`. Where `last` is not there any
    more, the times of the last writes have to tell."""
    begin, end = _place_of(last, order), _place_of(successor, order)
    if begin is None:
        return [each for each in order[:end] if _is_newer_at(each, last)]
    return order[begin + 1 : end]


def _place_of(file: OpenFile, order: Sequence[str]) -> int | None:
    return next((index for index, each in enumerate(order) if _is_at(file, each)), None)


def _is_at(file: OpenFile, path: str) -> bool:
    return _inode_at(path) == file.inode or _is_packed_from(file, path)


def _is_packed_from(file: OpenFile, path: str) -> bool:
    """Packing keeps the time of the last write."""
    return is_packed(path) and _written_at_ns(path) == _written_ns(file)


def _is_newer_at(path: str, last: OpenFile) -> bool:
    return _written_at_ns(path) > _written_ns(last)


def _places_of(last: OpenFile, path: str) -> tuple[str, ...]:
    """`path`, and where it would be beside the open file that was moved away from it (logrotate's olddir)."""
    try:
        room = os.path.dirname(os.readlink(f"/proc/self/fd/{last.fd}"))
    except OSError:  # no /proc
        return (path,)
    known = {os.path.dirname(os.path.abspath(path)), os.path.dirname(os.path.realpath(path))}
    return (path,) if room in known else (path, os.path.join(room, os.path.basename(path)))


def _put_away(path: str, mark: Checkpoint) -> list[str]:
    """Where the log would be in each of the directories beside it. None are looked into for a file without content:
    logs of other services have the same name there, and only the content tells them from this one's."""
    directory, base = os.path.split(os.path.abspath(path))
    if not mark.offset:
        return []
    try:
        with os.scandir(directory) as entries:
            rooms = sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return []
    return [os.path.join(room, base) for room in rooms[:MAX_ROOMS]]


def _written_ns(file: OpenFile) -> int:
    return os.fstat(file.fd).st_mtime_ns


def _last_write_ns(file: OpenFile) -> int:
    """Also of an unpacked one, by what it was unpacked from."""
    return _written_at_ns(file.path) if is_packed(file.path) else _written_ns(file)


def _written_at_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:  # rotated away meanwhile
        return 0


def _inode_at(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:  # rotated away meanwhile
        return 0


def _is_copy(file: OpenFile, last: OpenFile) -> bool:
    """Somebody's copy of `last`, which is open and read itself."""
    mark = last.checkpoint(last.path, "", datetime.fromtimestamp(0, UTC))
    return bool(mark.offset) and file.holds(mark)


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
