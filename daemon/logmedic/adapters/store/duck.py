"""The store: one DuckDB file, one thread that touches it, one transaction a changeset.

A changeset is committed as one row of the table `changes`; the entities' own tables follow (see `pending`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import structlog

from logmedic.adapters.store import pending, rows, salvage
from logmedic.adapters.store.connection import Lock, connect, is_no_damage, trouble
from logmedic.adapters.store.migrations import migrate
from logmedic.adapters.store.queries import DuckQueries
from logmedic.adapters.store.rows import utc
from logmedic.adapters.store.walog import wal_of
from logmedic.model.alert import AlertStatus
from logmedic.model.changeset import Changeset
from logmedic.model.errors import LogmedicError, NotFound, StoreBusy, StoreFull, TransientError
from logmedic.model.fix import AttemptStatus
from logmedic.model.gap import SourceEventKind
from logmedic.model.issue import IncidentStatus
from logmedic.model.record import OVER
from logmedic.model.state import ATTEMPT_MEMORY, EngineState
from logmedic.ports import Queries

log = structlog.get_logger("logmedic.store")

MAX_TEMPLATES = 20_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  as DuckDB keeps times

T = TypeVar("T")


class DuckStore:
    """Implements ports.Store. The directory of `path` is made when it is missing (0700)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._changes = 0
        self._pending = pending.Pending()
        self._notices: list[str] = []

    @property
    def notices(self) -> Sequence[str]:
        return tuple(self._notices)

    async def open(self) -> EngineState:
        return await self._in_thread(self._open)

    async def commit(self, changeset: Changeset) -> None:
        await self._in_thread(lambda: self._commit(changeset))

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        return await self._in_thread(lambda: self._ask(question, arguments))

    async def prune(self, keep: timedelta, now: datetime) -> int:
        """Forget what is over and older than `keep`; the sums of the counts stay. Answers the number of rows."""
        return await self._in_thread(lambda: self._prune(utc(now - keep)))

    async def close(self) -> None:
        try:
            await self._in_thread(self._close)
        finally:
            self._thread.shutdown()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    # -- everything below runs in the store's thread -------------------------------------------------------------------

    def _live(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreBusy("the store is not open")
        return self._connection

    def _open(self) -> EngineState:
        self._make_directory()
        self._lock.take()
        try:
            if wal_of(self._path).exists() or not _looks_sound(self._path):
                self._notices += salvage.make_openable(self._path)
            return self._begun()
        except (duckdb.Error, OSError) as error:
            self._close()
            raise trouble(error) from None
        except BaseException:
            self._close()
            raise

    def _begun(self) -> EngineState:
        """A file that was closed well may be damaged inside all the same, so that it does not open, or opens and cannot
        be written to (F47)."""
        for salvaged in (self._openable_again, self._begin_anew):
            try:
                return self._begin()
            except duckdb.Error as error:
                if is_no_damage(str(error)):
                    raise
                salvaged(error)
        return self._begin()

    def _begin(self) -> EngineState:
        """Raises duckdb.Error, StoreTooNew."""
        self._reconnect()
        migrate(self._live())
        self._reload()
        try:
            self._fold()
        except duckdb.Error as error:
            if not is_no_damage(str(error)):
                raise
            self._undo(self._live())
            with pending.overlaid(self._live(), self._pending):  # on a full disk it starts all the same (F48)
                return _load(self._live())
        return _load(self._live())

    def _openable_again(self, _: duckdb.Error) -> None:
        self._close_connection()
        self._notices += salvage.make_openable(self._path)

    def _make_directory(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            hint = "name another storage.path, or correct the rights"
            raise StoreFull(f"cannot make {self._path.parent}: {error.strerror}", hint) from None

    def _reconnect(self) -> None:
        """Raises duckdb.Error."""
        before = os.umask(0o077)
        try:
            self._connection = connect(self._path)
        finally:
            os.umask(before)

    def _reload(self) -> None:
        """Take over what the file holds. Raises duckdb.Error."""
        self._changes = pending.changes_of(self._live())
        self._pending = pending.load(self._live())

    def _commit(self, changeset: Changeset) -> None:
        try:
            change = pending.change_of(changeset)
        except ValueError as error:
            raise StoreBusy(f"the store cannot hold the change: {error}") from None
        if self._connection is None and self._reopened():
            return
        if self._pending.is_large:
            self._guarded(self._fold)
        body, before = change.body, self._changes
        try:
            self._guarded(lambda: pending.append(self._live(), before + 1, body))
        except StoreBusy:
            if self._changes > before:  # it was durable when the damage showed, and was rescued with all the rest
                return
            raise
        self._changes += 1
        self._pending.add(change, len(body))
        self._keep_private()

    def _guarded(self, write: Callable[[], None]) -> None:
        """Raises StoreBusy, StoreFull; then nothing is written."""
        try:
            write()
        except duckdb.Error as error:
            self._undo(self._live())
            if salvage.is_damage(error):
                self._begin_anew(error)
            raise trouble(error) from None

    def _fold(self) -> None:
        """Raises duckdb.Error."""
        if self._pending:
            pending.fold(self._live(), self._pending, self._changes)
            self._pending = pending.Pending()

    def _begin_anew(self, error: duckdb.Error) -> None:
        """Damage that no reading at the start had met (in an index) shows at a commit: what is committed is saved, the
        commit is tried again by its caller (F47). Raises duckdb.Error."""
        self._close_connection()
        told = salvage.begin_anew(self._path, " ".join(str(error).split())[:200])
        self._notices += told
        log.error("store_salvaged", notice="; ".join(told))
        self._reconnect()
        migrate(self._live())
        self._reload()

    def _keep_private(self) -> None:
        """DuckDB makes its log anew after each checkpoint, with the rights that the umask of the moment leaves."""
        with suppress(OSError):
            wal = wal_of(self._path)
            if wal.stat().st_mode & 0o077:
                wal.chmod(0o600)

    def _undo(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Back to before. A connection that cannot even do that is given up, and made anew at the next commit (F49)."""
        try:
            connection.execute("ROLLBACK")
            connection.execute("SELECT 1").fetchone()
        except duckdb.TransactionException:  # the failed COMMIT ended the transaction already
            with suppress(duckdb.Error):
                connection.execute("SELECT 1").fetchone()
                return
            self._close_connection()
        except duckdb.Error:
            self._close_connection()

    def _reopened(self) -> bool:
        """After a connection was given up. True when the changeset that failed then is in the store all the same: its
        commit had reached the disk before the error came."""
        before = self._changes
        try:
            self._reconnect()
            self._reload()
        except duckdb.Error as error:
            raise trouble(error) from None
        log.warning("store_reopened", changes=self._changes)
        return self._changes > before

    def _ask(self, question: str, arguments: dict[str, Any]) -> Any:
        self._try_to_fold()
        try:
            return getattr(DuckQueries(self._live()), question)(**arguments)
        except duckdb.Error as error:
            raise StoreBusy(f"the store did not answer: {error}", "ask again") from None

    def _try_to_fold(self) -> None:
        """On a full disk the past is answered all the same, but for the last changes."""
        if self._connection is not None:
            with suppress(TransientError):
                self._guarded(self._fold)

    def _prune(self, before: datetime) -> int:
        self._guarded(self._fold)
        gone = 0

        def write() -> None:
            nonlocal gone
            connection = self._live()
            connection.execute("BEGIN")
            gone = sum(_deleted(connection, sql, before) for sql in _PRUNE)
            _fold_tallies(connection, before)
            connection.execute("COMMIT")

        self._guarded(write)
        return gone

    def _close(self) -> None:
        self._try_to_fold()
        self._close_connection()
        self._lock.release()

    def _close_connection(self) -> None:
        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
            self._connection = None


def _looks_sound(path: Path) -> bool:
    """Whether a file that was closed well begins as DuckDB's do. No file is sound as well."""
    if not path.exists():
        return True
    with path.open("rb") as file:
        return file.read(12)[8:12] == b"DUCK"


def _load(connection: duckdb.DuckDBPyConnection) -> EngineState:
    """What is unfinished, and what limits ask for."""

    def every(table: rows.Table[T], where: str = "", *given: Any, order: str = "", limit: int | None = None) -> list[T]:
        answer = connection.execute(table.select(where, order, limit), list(given))
        return [table.decoded(row) for row in answer.fetchall()]

    recent = utc(datetime.now(UTC) - ATTEMPT_MEMORY)
    unfinished = [AlertStatus.PENDING.value, AlertStatus.SENDING.value]
    state = EngineState()
    state.apply(
        Changeset(
            issues=tuple(every(rows.ISSUES)),
            incidents=tuple(every(rows.INCIDENTS, "status <> ?", IncidentStatus.RESOLVED.value, order="id")),
            windows=tuple(every(rows.WINDOWS)),
            breakers=tuple(every(rows.BREAKERS)),
            attempts=tuple(
                every(rows.ATTEMPTS, "status <> ? OR started_at >= ?", AttemptStatus.FINISHED.value, recent, order="id")
            ),
            templates=tuple(every(rows.TEMPLATES, order="last_seen")),
            alerts=tuple(every(rows.ALERTS, "status IN (?, ?)", *unfinished, order="id")),
            checkpoints=tuple(every(rows.CHECKPOINTS)),
            releases=tuple(every(rows.RELEASES)),
            ordinary=tuple(every(rows.ORDINARY)),
            source_events=tuple(every(rows.SOURCE_EVENTS, "kind IN (?, ?)", *_QUIETNESS, order="id")),
        )
    )
    return state


_QUIETNESS = (SourceEventKind.QUIET.value, SourceEventKind.SPEAKING.value)
_OLD_INCIDENTS = "SELECT id FROM incidents WHERE status = 'resolved' AND resolved_at < ?"
_PRUNE = (
    f"DELETE FROM incident_events WHERE incident_id IN ({_OLD_INCIDENTS})",  # noqa: S608
    f"DELETE FROM fix_attempts WHERE incident_id IN ({_OLD_INCIDENTS})",  # noqa: S608
    f"DELETE FROM incidents WHERE id IN ({_OLD_INCIDENTS})",  # noqa: S608
    "DELETE FROM alerts WHERE status IN ('sent', 'dead') AND created_at < ?",
    'DELETE FROM source_events WHERE "at" < ?',
    "DELETE FROM learning_patterns WHERE created_at < ?",
    f'DELETE FROM checkpoints WHERE "offset" = {OVER} AND "at" < ?',  # noqa: S608
    "DELETE FROM templates WHERE issue_id = '' AND last_seen < ?",
)


def _deleted(connection: duckdb.DuckDBPyConnection, sql: str, before: datetime) -> int:
    row = connection.execute(sql, [before]).fetchone()
    return int(row[0]) if row else 0


def _fold_tallies(connection: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Old minutes become one row a kind, dated at the epoch: sums over everything never shrink."""
    folded = connection.execute(
        "SELECT kind, sum(n)::BIGINT FROM tallies WHERE minute < ? GROUP BY kind", [before]
    ).fetchall()
    connection.execute("DELETE FROM tallies WHERE minute < ?", [before])
    for kind, total in folded:
        connection.execute("INSERT INTO tallies (minute, kind, n) VALUES (?, ?, ?)", [EPOCH, kind, total])


def problem_of(path: Path) -> str:
    """Why a store could not be opened at `path` now, or nothing. Leaves nothing behind but its directory."""
    lock = Lock(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.take()
    except LogmedicError as error:
        return error.text
    except OSError as error:
        return f"{path.parent}: {error.strerror}"
    lock.release()
    return ""


@contextmanager
def open_readonly(path: Path) -> Iterator[Queries]:
    """The questions, beside no daemon; the file stays as it is. Raises StoreLocked when a daemon has it, NotFound when
    there is none, StoreBusy when it does not open."""
    if not path.exists():
        raise NotFound(f"there is no store at {path}", "start the daemon: logmedic run")
    lock = Lock(path)
    lock.take(shared=True)
    try:
        try:
            connection = connect(path, read_only=True)
        except duckdb.Error as error:
            raise trouble(error) from None
        with connection, pending.overlaid(connection, _unfolded(connection)):
            yield DuckQueries(connection)
    finally:
        lock.release()


def _unfolded(connection: duckdb.DuckDBPyConnection) -> pending.Pending:
    try:
        return pending.load(connection)
    except duckdb.CatalogException:  # a store from before changes were kept apart
        return pending.Pending()
