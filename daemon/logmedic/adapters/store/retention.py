"""Retention: whole days leave the store, oldest first; into the archive, then out of the tables. What metrics need of
them stays as sums a day, in `tallies`, under kinds that begin with `past_`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from logmedic.adapters.store import copies
from logmedic.adapters.store.archive import Archive, reading
from logmedic.adapters.store.contents import identifier
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.rows import utc
from logmedic.adapters.store.writer import Writer
from logmedic.model.record import OVER
from logmedic.model.retention import Kind

Reached = Callable[[str], None]
"""Told what was reached: archived (a file has its name), deleted."""
DAY = timedelta(days=1)
PAST = "past_"
EVER = datetime(1900, 1, 1)  # noqa: DTZ001  as DuckDB keeps times


@dataclass(frozen=True, slots=True)
class Leaving:
    """Rows of `table` that may leave: those for which `over` holds, dated by `at`. `following`: tables whose rows have
    their `incident_id`, and go with them. `sums`: what stays of them: a kind, a number that is added up over a day, and
    the time that says which. All of them SQL."""

    kind: Kind
    table: str
    at: str
    over: str = "true"
    key: tuple[str, ...] = ("id",)
    following: tuple[str, ...] = ()
    sums: tuple[tuple[str, str, str], ...] = ()
    archived: bool = True

    @property
    def old(self) -> str:
        """Takes a time twice: from, and before."""
        return f"({self.over}) AND {self.at} >= ? AND {self.at} < ?"


_LAST_WORDS = "SELECT max(id) FROM source_events WHERE kind IN ('quiet', 'speaking') GROUP BY source"
_LAST_SAID = 'SELECT issue_id, max("at") FROM diagnoses GROUP BY ALL'
_RECOVERY = "CASE WHEN resolution = 'fixed' THEN epoch_ms(resolved_at) - epoch_ms(opened_at) ELSE 0 END"
LEAVING = (
    Leaving(
        Kind.INCIDENTS,
        "incidents",
        "resolved_at",
        "status = 'resolved'",
        following=("incident_events", "fix_attempts"),
        sums=(
            ("'fixed'", "CASE WHEN resolution = 'fixed' THEN 1 ELSE 0 END", "resolved_at"),
            ("'recovery_ms'", _RECOVERY, "resolved_at"),
        ),
    ),
    Leaving(Kind.ALERTS, "alerts", "created_at", "status IN ('sent', 'dead', 'folded')"),
    Leaving(Kind.ALERTS, "notices", '"at"', "done", key=("subject",), archived=False),
    Leaving(Kind.ALERTS, "alert_groups", "opened_at", "done", key=("key",), archived=False),
    Leaving(Kind.ALERTS, "silences", "until"),
    Leaving(
        Kind.LEARNINGS,
        "learning_patterns",
        "coalesce(updated_at, created_at)",
        sums=(("pattern_type", "1", "created_at"),),
    ),
    Leaving(Kind.LEARNINGS, "diagnoses", '"at"', f'(issue_id, "at") NOT IN ({_LAST_SAID})', key=("issue_id", "at")),
    Leaving(Kind.LEARNINGS, "trust_changes", '"at"'),
    Leaving(
        Kind.INCIDENTS,
        "breakers",
        "greatest(closed_at, failed_at)",
        "status = 'closed'",
        key=("rule_id", "fix", "target"),
        archived=False,
    ),
    Leaving(Kind.SOURCES, "source_events", '"at"', f"id NOT IN ({_LAST_WORDS})"),
    Leaving(Kind.SOURCES, "checkpoints", '"at"', f'"offset" = {OVER}', key=("source", "origin"), archived=False),
    Leaving(Kind.TEMPLATES, "templates", "last_seen", "issue_id = ''", key=("fingerprint",), archived=False),
    Leaving(Kind.ONSETS, "onsets", '"at"', key=("issue_id", "at")),
    Leaving(Kind.COUNTS, "tallies", "minute", "minute <> date_trunc('day', minute)", key=("minute", "kind")),
)
"""Known issues, their templates, the last diagnosis of each, releases, ordinary lines (which replace one another), how
far rules are trusted and what their steps earned, and what is open (breakers too) never leave."""


class Retirement:
    """Takes days out of `store`; into `archive`, or for good when that is None."""

    def __init__(self, store: DuckStore, archive: Archive | None, reached: Reached = lambda _: None) -> None:
        self._store = store
        self._archive = archive
        self._reached = reached

    async def retire(self, keep: Mapping[Kind, timedelta], now: datetime) -> int:
        """What is over and older than `keep`. Answers the number of rows. Raises StoreBusy, StoreFull; what was done
        until then is done."""
        gone = 0
        for each in LEAVING:
            for day in await self._store.between_commits(_asked(each, last_day(now, keep[each.kind]))):
                gone += await self.retire_day(each, day)
        return gone

    async def retire_day(self, leaving: Leaving, day: date) -> int:
        files: dict[str, Path] = {}
        if self._archive is not None and leaving.archived:
            files = await self._archive_day(self._archive, leaving, day)
            self._reached("archived")
        gone = await self._store.between_commits(lambda writer: _delete(writer, leaving, day, files))
        self._reached("deleted")
        return gone

    async def _archive_day(self, archive: Archive, leaving: Leaving, day: date) -> dict[str, Path]:
        """The files, by table."""
        cursor, _ = await self._store.between_commits(Writer.pinned)
        try:
            return await copies.beside(cursor.interrupt, lambda: _archived(cursor, archive, leaving, day))
        finally:
            cursor.close()


def last_day(now: datetime, keep: timedelta) -> datetime:
    """The midnight that what leaves lies before."""
    return utc(now - keep).replace(hour=0, minute=0, second=0, microsecond=0)


def _asked(leaving: Leaving, before: datetime) -> Callable[[Writer], list[date]]:
    """The days that leave, oldest first."""

    def days(writer: Writer) -> list[date]:
        found: list[date] = []

        def ask() -> None:
            writer.fold()
            found.extend(days_of(writer.live(), leaving, before))

        writer.guarded(ask)
        return found

    return days


def days_of(connection: duckdb.DuckDBPyConnection, leaving: Leaving, before: datetime) -> list[date]:
    """Those that have rows of it that are over, before the time `before`; oldest first. Raises duckdb.Error."""
    sql = f"SELECT DISTINCT ({leaving.at})::DATE FROM {leaving.table} WHERE {leaving.old} ORDER BY 1"  # noqa: S608
    return [day for (day,) in connection.execute(sql, [EVER, before]).fetchall()]


def _bounds(day: date) -> list[datetime]:
    begins = datetime(day.year, day.month, day.day)  # noqa: DTZ001  as DuckDB keeps times
    return [begins, begins + DAY]


def _archived(connection: duckdb.DuckDBPyConnection, archive: Archive, leaving: Leaving, day: date) -> dict[str, Path]:
    """Raises duckdb.Error, OSError."""
    begins, ends = (f"TIMESTAMP '{each}'" for each in _bounds(day))
    dated = f"{leaving.at} >= {begins} AND {leaving.at} < {ends}"
    newest = "stored DESC"
    rows = f"SELECT * FROM {leaving.table} WHERE ({leaving.over}) AND {dated}"  # noqa: S608
    if leaving.kind is Kind.COUNTS:
        rows, newest = _counts(archive.file(leaving.table, day).exists(), dated), "n DESC"
    files = {leaving.table: archive.write(connection, leaving.table, day, rows, leaving.key, newest)}
    for table in leaving.following:
        mine = f"SELECT * FROM {table} WHERE incident_id IN (SELECT id FROM ({rows}))"  # noqa: S608
        files[table] = archive.write(connection, table, day, mine, ("id",), newest)
    return files


def _counts(again: bool, dated: str) -> str:
    """The minute at midnight becomes the sum of its day, which is no count of a minute any more, so it is taken only
    once. Of two counts of one minute the larger is the whole one."""
    minutes = "minute <> date_trunc('day', minute)" if again else f"NOT starts_with(kind, '{PAST}')"
    return f"SELECT * FROM tallies WHERE {minutes} AND {dated}"  # noqa: S608


def _delete(writer: Writer, leaving: Leaving, day: date, files: Mapping[str, Path]) -> int:
    """In the store's thread, all or nothing. Only what `files` have is deleted of their tables."""
    gone = 0

    def write() -> None:
        nonlocal gone
        writer.fold()
        connection, bounds = writer.live(), _bounds(day)
        connection.execute("BEGIN")
        among = _among(leaving.key, None if leaving.kind is Kind.COUNTS else files.get(leaving.table))
        for sql in _sums(leaving, among):
            connection.execute(sql, bounds)
        of_it = f"incident_id IN (SELECT id FROM {leaving.table} WHERE {leaving.old})"  # noqa: S608
        for table in leaving.following:
            gone += _deleted(connection, table, of_it, bounds, _among(("id",), files.get(table)))
        gone += _deleted(connection, leaving.table, leaving.old, bounds, among)
        connection.execute("COMMIT")

    writer.guarded(write)
    return gone


def _among(key: Sequence[str], file: Path | None) -> str:
    if file is None:
        return ""
    keys = ", ".join(map(identifier, key))
    return f" AND ({keys}) IN (SELECT ({keys}) FROM {reading(file)})"  # noqa: S608


def _deleted(
    connection: duckdb.DuckDBPyConnection, table: str, where: str, bounds: Sequence[datetime], among: str
) -> int:
    row = connection.execute(f"DELETE FROM {table} WHERE {where}{among}", bounds).fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _sums(leaving: Leaving, among: str) -> list[str]:
    """Statements that take the bounds of a day; each adds to the rows of `tallies` that are dated at midnight."""
    sums = [(f"'{PAST}' || {kind}", number, at) for kind, number, at in leaving.sums]
    if leaving.kind is Kind.COUNTS:
        sums = [("kind", "n", "minute")]
    return [
        f"INSERT INTO tallies BY NAME SELECT date_trunc('day', {at}) AS minute, {kind} AS kind, "  # noqa: S608
        f"sum({number})::BIGINT AS n FROM {leaving.table} WHERE {leaving.old}{among} GROUP BY ALL HAVING n <> 0 "
        "ON CONFLICT (minute, kind) DO UPDATE SET n = tallies.n + excluded.n"
        for kind, number, at in sums
    ]
