"""The archive: what left the store, as Parquet files, one a table and day (UTC), which anything can read.

A file is written under another name, made durable, and renamed; only then are its rows deleted from the store. After a
kill in between the same rows are written again, and a row that is in the file already is not in it twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import structlog

from logmedic.adapters.store.connection import is_no_damage, quoted
from logmedic.adapters.store.contents import identifier
from logmedic.adapters.store.copies import make_durable

log = structlog.get_logger("logmedic.store")

ENDING = ".parquet"
DAMAGED = ".damaged-"
READING_MEMORY = "100MB"
"""For reading one file through, which keeps nothing: what needs more is a length that is wrong."""


@dataclass(frozen=True, slots=True)
class Day:
    """One file of the archive."""

    table: str
    day: date
    path: Path
    bytes: int


class Archive:
    """The directory is made when it is first written to (0700)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def file(self, table: str, day: date) -> Path:
        return self._directory / table / f"{day.isoformat()}{ENDING}"

    def days(self) -> Iterator[Day]:
        """In no order; also what was set aside as damaged. Files of other names are nobody's."""
        for path in self._directory.glob(f"*/*{ENDING}*"):
            name, _, ending = path.name.partition(ENDING)
            if ending and not ending.startswith(DAMAGED):
                continue
            try:
                yield Day(path.parent.name, date.fromisoformat(name), path, path.stat().st_size)
            except (ValueError, FileNotFoundError):
                continue

    def forget(self, before: date) -> list[Day]:
        """Delete the days before `before`. Answers what was deleted."""
        gone = [each for each in self.days() if each.day < before]
        for each in gone:
            each.path.unlink(missing_ok=True)
        return gone

    def write(
        self, connection: duckdb.DuckDBPyConnection, table: str, day: date, rows: str, key: Sequence[str], newest: str
    ) -> Path:
        """`rows`: a SELECT. Those that the day's file has already are in it once: of two with one `key`, the first by
        `newest` (columns, as of ORDER BY; `stored` is true for those of the store). Raises duckdb.Error, OSError; then
        the file is as it was."""
        file = self.file(table, day)
        for each in (self._directory, file.parent):
            each.mkdir(mode=0o700, exist_ok=True)
        new = file.with_name(f"{file.name}.new")
        new.unlink(missing_ok=True)
        source = _joined(rows, file, key, newest) if self._is_sound(connection, rows, file, key) else rows
        connection.execute(f"COPY ({source}) TO {quoted(new)} (FORMAT parquet, COMPRESSION zstd)")
        os.chmod(new, 0o600)
        make_durable(new)
        new.replace(file)
        make_durable(file.parent)
        return file

    def _is_sound(self, connection: duckdb.DuckDBPyConnection, rows: str, file: Path, key: Sequence[str]) -> bool:
        """Whether all of it can be read, beside `rows`. One that is damaged is set aside: or what is over could never
        leave its tables again. Raises duckdb.Error for what says nothing about the file."""
        if not file.exists():
            return False
        try:
            _read_through(file, key)
            with connection.cursor() as another:  # an error would end the transaction of this one
                another.execute(f"SELECT * FROM ({_joined(rows, file, key, ', '.join(map(identifier, key)))}) LIMIT 0")  # noqa: S608
        except duckdb.Error as error:
            words = " ".join(str(error).split())
            if is_no_damage(words) and not isinstance(error, duckdb.OutOfMemoryException):
                raise
            aside = file.with_name(f"{file.name}{DAMAGED}{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
            log.error("archive_damaged", file=str(file), error=words[:200])
            file.replace(aside)
            return False
        return True


def _read_through(file: Path, key: Sequence[str]) -> None:
    """Every value of it, in a database of its own: what others need of memory does not count. Raises duckdb.Error."""
    keys = ", ".join(map(identifier, key))
    with duckdb.connect(config={"threads": 1, "memory_limit": READING_MEMORY, "temp_directory": ""}) as apart:
        apart.execute(f"SELECT bit_xor(hash(each)), bit_xor(hash({keys})) FROM {reading(file)} AS each").fetchall()  # noqa: S608


def _joined(rows: str, file: Path, key: Sequence[str], newest: str) -> str:
    keys = ", ".join(map(identifier, key))
    both = f"SELECT *, true AS stored FROM ({rows}) UNION ALL BY NAME SELECT *, false AS stored FROM {reading(file)}"  # noqa: S608
    return f"SELECT * EXCLUDE (stored) FROM (SELECT DISTINCT ON ({keys}) * FROM ({both}) ORDER BY {keys}, {newest})"  # noqa: S608


def reading(file: Path) -> str:
    """As SQL reads it."""
    return f"read_parquet({quoted(file)})"
