"""How much room the store takes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from logmedic.adapters.store.archive import Archive
from logmedic.adapters.store.backups import BACKUP, SNAPSHOT, listed
from logmedic.adapters.store.contents import count, current, identifier, tables
from logmedic.adapters.store.walog import wal_of


@dataclass(frozen=True, slots=True)
class Room:
    """In bytes. `unused`: holes in the file, which new rows fill, and which a compaction gives back. `backups`: those
    that somebody asked for; they are not counted in `total`, which is what has a limit."""

    file: int
    unused: int
    log: int
    archive: int
    snapshots: int
    backups: int

    @property
    def total(self) -> int:
        return self.file + self.log + self.archive + self.snapshots


def measured(path: Path, archive: Archive, unused: int) -> Room:
    copies = listed(path)
    return Room(
        file=_size(path),
        unused=unused,
        log=_size(wal_of(path)),
        archive=sum(each.bytes for each in archive.days()),
        snapshots=sum(each.bytes for each in copies if each.kind == SNAPSHOT),
        backups=sum(each.bytes for each in copies if each.kind == BACKUP),
    )


def unused_bytes(connection: duckdb.DuckDBPyConnection) -> int:
    """Holes in the file. Raises duckdb.Error."""
    row = connection.execute(
        "SELECT free_blocks * block_size FROM pragma_database_size() WHERE database_name = ?", [current(connection)]
    ).fetchone()
    return int(row[0]) if row else 0


def row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """By table. Raises duckdb.Error."""
    return {name: count(connection, identifier(name)) for name in tables(connection, current(connection))}


def free_on_disk(path: Path) -> int:
    return shutil.disk_usage(path.parent).free


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
