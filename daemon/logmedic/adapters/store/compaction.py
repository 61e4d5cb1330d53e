"""Compaction: DuckDB never gives room back, a copy has no holes. The copy takes the place of the file while the daemon
runs; at every moment one of the two has all that is committed, under the store's name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import structlog

from logmedic.adapters.store import copies
from logmedic.adapters.store.connection import before_compaction_of, compacted_of, quoted, trouble
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.walog import wal_of
from logmedic.adapters.store.writer import Followed, Writer
from logmedic.model.errors import StoreBusy

log = structlog.get_logger("logmedic.store")

Reached = Callable[[str], None]
"""Told what was reached: copied, verified, caught_up, closed, kept, swapped, opened, done."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """`held_s`: how long commits waited at most."""

    before_bytes: int
    after_bytes: int
    took_s: float
    held_s: float


async def compact(store: DuckStore, reached: Reached = lambda _: None) -> Compacted:
    """Raises StoreBusy, StoreFull; then the store is as it was."""
    new, begun, before = compacted_of(store.path), time.monotonic(), store.path.stat().st_size
    cursor, followed = await store.between_commits(lambda writer: writer.pinned(follow=True))
    try:
        contents = await copies.beside(cursor.interrupt, lambda: copies.copy_into(cursor, new))
        reached("copied")
        await copies.verify_beside(new, contents)
        reached("verified")
        cursor.close()
        async with store.unread():
            held_s = await store.between_commits(lambda writer: _swapped(writer, new, followed, reached))
    finally:
        cursor.close()
        await store.between_commits(Writer.unfollow)
        copies.remove(new)
    done = Compacted(before, store.path.stat().st_size, time.monotonic() - begun, held_s)
    log.info("store_compacted", before=done.before_bytes, after=done.after_bytes, held_s=round(held_s, 3))
    reached("done")
    return done


def _swapped(writer: Writer, new: Path, followed: Followed, reached: Reached) -> float:
    """Seconds that it took. In the store's thread: nothing is committed meanwhile."""
    begun = time.monotonic()
    before_compaction_of(writer.path).unlink(missing_ok=True)
    if followed.lost:
        raise StoreBusy("the store could not be compacted: too much was committed meanwhile", "it is tried again")
    if writer.is_read():
        raise _being_read()
    writer.guarded(lambda: _catch_up(writer.live(), new, followed))
    reached("caught_up")
    try:
        copies.make_durable(new)
        _close_for_good(writer, new)
        reached("closed")
        _put_in_place(writer, new, reached)
    except (duckdb.Error, OSError) as error:
        _back(writer)
        raise trouble(error) from None
    except StoreBusy:
        _back(writer)
        raise
    before_compaction_of(writer.path).unlink(missing_ok=True)
    return time.monotonic() - begun


def _catch_up(connection: duckdb.DuckDBPyConnection, new: Path, followed: Followed) -> None:
    """What was committed since goes into the copy's own `changes`, from where a start would read it as well."""
    connection.execute(f"ATTACH {quoted(new)} AS {copies.COPIED}")
    try:
        if followed.changes:
            numbers, bodies = zip(*followed.changes, strict=True)
            rows = f"INSERT INTO {copies.COPIED}.changes SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])"
            connection.execute(rows, [list(numbers), list(bodies)])
    finally:
        connection.execute(f"DETACH {copies.COPIED}")


def _close_for_good(writer: Writer, new: Path) -> None:
    """Both files are whole and nobody has them open. Raises StoreBusy."""
    writer.close_connection()
    if wal_of(writer.path).exists() or wal_of(new).exists():
        raise StoreBusy("the store could not be compacted: its log was not brought into the file", "it is tried again")
    if copies.held_here(writer.path):  # else changes would go into a file that has no name any more
        raise _being_read()


def _being_read() -> StoreBusy:
    return StoreBusy("the store could not be compacted: it is being read", "it is tried again")


def _put_in_place(writer: Writer, new: Path, reached: Reached) -> None:
    """The old file stays beside under another name until the new one is open. Raises OSError, duckdb.Error."""
    kept, changes = before_compaction_of(writer.path), writer.changes
    os.link(writer.path, kept)
    reached("kept")
    new.replace(writer.path)
    copies.make_durable(writer.path.parent)
    reached("swapped")
    writer.reconnect()
    writer.reload()
    if writer.changes != changes:
        raise StoreBusy(f"the compacted store has {writer.changes} changes instead of {changes}", "it is tried again")
    reached("opened")


def _back(writer: Writer) -> None:
    """To the old file. Raises StoreBusy, StoreFull; the next commit tries to open it again."""
    kept = before_compaction_of(writer.path)
    writer.close_connection()
    try:
        if kept.exists():
            kept.replace(writer.path)
            kept.unlink(missing_ok=True)  # two names of one file stay as they are
        writer.reconnect()
        writer.reload()
    except (duckdb.Error, OSError) as error:
        writer.close_connection()
        raise trouble(error) from None
