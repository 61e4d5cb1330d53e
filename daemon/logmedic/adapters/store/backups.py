"""Copies of the store that stay: daily snapshots, and backups that somebody asked for; and the way back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import duckdb

from logmedic.adapters.store import copies, replacing, salvage
from logmedic.adapters.store.children import Children
from logmedic.adapters.store.connection import CONFIG, COPY_ENDING, Lock, backups_of, made_by_newer, quoted, trouble
from logmedic.adapters.store.contents import Contents
from logmedic.adapters.store.migrations import refuse_newer
from logmedic.adapters.store.walog import wal_of
from logmedic.model.errors import NotFound, PermanentError, StoreFull

SNAPSHOT, BACKUP = "snapshot", "backup"
_STAMP = "%Y%m%dT%H%M%SZ"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Copy:
    """`kind`: snapshot or backup."""

    path: Path
    kind: str
    made_at: datetime
    bytes: int


def new_copy(path: Path, kind: str, now: datetime) -> Path:
    """Where a copy of the store at `path` goes: named by the second, the next free one where it is taken."""
    while (found := backups_of(path) / f"{kind}-{now.astimezone(UTC):{_STAMP}}{COPY_ENDING}").exists():
        now += timedelta(seconds=1)
    return found


def listed(path: Path) -> list[Copy]:
    """Those beside the store at `path`, newest first; what is half made is not among them."""
    found = []
    for each in backups_of(path).glob(f"*{COPY_ENDING}"):
        kind, _, stamp = each.stem.partition("-")
        with suppress(ValueError, FileNotFoundError):
            made_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
            found.append(Copy(each, kind, made_at, each.stat().st_size))
    return sorted(found, key=lambda copy: copy.made_at, reverse=True)


def half_made(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}.new")


def put(new: Path, target: Path, *, force: bool = True) -> None:
    """Give `new`, which is whole, its name `target`, durably. Raises PermanentError when there is one and not `force`;
    OSError."""
    copies.make_durable(new)
    if force:
        new.replace(target)
    else:
        try:
            os.link(new, target)
        except FileExistsError:
            raise PermanentError(f"{target} is there already", "name another file, or add --force") from None
        new.unlink()
    copies.make_durable(target.parent)


def deliver(made: BinaryIO, target: Path, contents: Contents, *, force: bool) -> None:
    """Copy a backup to where somebody wants it, and read it there. Raises PermanentError, StoreFull, StoreBusy."""
    with _told(target):
        new = half_made(target)
        try:
            _copied(made, new)
            copies.verify(new, contents, Children())
            put(new, target, force=force)
        finally:
            new.unlink(missing_ok=True)


def back_up(path: Path, target: Path, *, force: bool) -> Contents:
    """Copy the store at `path`, which no daemon has, to `target`; it stays as it is, also what its log has not yet
    brought into the file. Raises StoreLocked, NotFound, PermanentError, StoreTooNew, StoreFull, StoreBusy."""
    if not path.exists():
        raise NotFound(f"there is no store at {path}", "start the daemon: logmedic run")
    lock = Lock(path)
    lock.take(shared=True)
    new = half_made(target)
    try:
        with _told(target):
            contents = _copied_by_sql(path, new)
            copies.verify(new, contents, Children())
            put(new, target, force=force)
    finally:
        lock.release()
        copies.remove(new)
    return contents


def _copied_by_sql(path: Path, new: Path) -> Contents:
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute(f"ATTACH {quoted(path)} AS store (READ_ONLY)")
        connection.execute("USE store")
        refuse_newer(connection)
        connection.execute("BEGIN")
        return copies.copy_into(connection, new)


def restore(path: Path, source: BinaryIO, now: datetime, *, log: BinaryIO | None = None) -> Path | None:
    """Put a copy of `source`, read from where it stands, in the place of the store at `path`, which no daemon has.
    `log`: its write-ahead log, where one lies beside it. What is made is the caller's, who has to be whom the daemon
    runs as. Answers where the present store is kept. Raises StoreLocked, StoreTooNew, StoreFull, StoreBusy; then it is
    as it was."""
    with _told(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(path)
    lock.take()
    new = path.with_name(f"{path.name}.restored")
    try:
        with _told(path):
            replacing.finish(path)
            _copied(source, new)
            if log is None:
                salvage.read_contents(new, Children())
            else:
                _copied(log, wal_of(new))
                salvage.settle(new)
            return _exchanged(path, new, now)
    finally:
        lock.release()
        copies.remove(new)


def _exchanged(path: Path, new: Path, now: datetime) -> Path | None:
    kept = path.with_name(f"{path.name}.before-restore-{now.astimezone(UTC):{_STAMP}}")
    there, ready = path.exists(), replacing.replacement_of(path)
    for each, aside in ((path, kept), (wal_of(path), wal_of(kept))):
        if each.exists():
            os.link(each, aside)
    try:
        replacing.replace(path, new)
    except OSError:
        if ready.exists():  # it has not got the name yet
            if wal_of(kept).exists() and not wal_of(path).exists():
                os.link(wal_of(kept), wal_of(path))
            ready.unlink()
        raise
    return kept if there else None


def _copied(original: BinaryIO, copy: Path) -> None:
    """Into a file that is new: what lies there, a link to somewhere else perhaps, is not written through."""
    copy.unlink(missing_ok=True)
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as new:
        shutil.copyfileobj(original, new, _PIECE)
    copies.make_durable(copy)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Errors of the disk say what cannot be written."""
    try:
        yield
    except duckdb.Error as error:
        raise made_by_newer(error) or trouble(error) from None
    except OSError as error:
        raise StoreFull(
            f"cannot write {target}: {error.strerror or error}", "name another file, or make room"
        ) from None
