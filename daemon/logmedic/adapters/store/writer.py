"""What the store's thread does: it opens the file, whatever happened to it, commits, and answers.

A changeset is committed as one row of the table `changes`; the entities' own tables follow (see `pending`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import structlog

from logmedic.adapters.store import pending, replacing, salvage, views
from logmedic.adapters.store.children import Children
from logmedic.adapters.store.connection import (
    Lock,
    before_compaction_of,
    compacted_of,
    connect,
    is_no_damage,
    trouble,
)
from logmedic.adapters.store.copies import held_here
from logmedic.adapters.store.loading import load_state
from logmedic.adapters.store.migrations import migrate
from logmedic.adapters.store.walog import wal_of
from logmedic.model.changeset import Changeset
from logmedic.model.errors import StoreBusy, StoreFull, TransientError
from logmedic.model.state import EngineState

log = structlog.get_logger("logmedic.store")

FOLLOW_BYTES = 64 * 1024 * 1024
"""What is remembered of the changes that come while a copy is made. Beyond it the copy is given up (I6)."""


class Followed:
    """The changes that were committed since a copy was begun, in order. `lost`: not all of them are here."""

    def __init__(self) -> None:
        self.changes: list[tuple[int, str]] = []
        self.lost = False
        self._bytes = 0

    def add(self, seq: int, body: str) -> None:
        self._bytes += len(body)
        self.lost = self.lost or self._bytes > FOLLOW_BYTES
        if self.lost:
            self.changes.clear()
        else:
            self.changes.append((seq, body))


_CUT_OFF = "a salvage or a restore that had been cut off was finished; what the store was before is kept beside it"


class Writer:
    """Owner of the connection and of the lock. All of it is called in one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[str] = []
        self._lock = Lock(path)
        self._children = Children()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._changes = 0
        self._pending = pending.Pending()
        self._followed: Followed | None = None
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._ending: list[duckdb.DuckDBPyConnection] = []

    def live(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreBusy("the store is not open")
        return self._connection

    def open(self) -> EngineState:
        self._make_directory()
        self._lock.take()
        try:
            if replacing.finish(self.path):
                self.notices.append(_CUT_OFF)
            if wal_of(self.path).exists() or not _looks_sound(self.path):
                self.notices += salvage.make_openable(self.path, self._children)
            return self._begun()
        except (duckdb.Error, OSError) as error:
            self.close()
            raise trouble(error) from None
        except BaseException:
            self.close()
            raise

    def hurry(self) -> None:
        """As ports.Store.hurry; from any thread."""
        self._children.end()

    def _begun(self) -> EngineState:
        state = self._opened()
        for each in (compacted_of(self.path), before_compaction_of(self.path)):  # of a compaction that was cut off
            for file in (each, wal_of(each)):
                file.unlink(missing_ok=True)
        return state

    def _opened(self) -> EngineState:
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
        self.reconnect()
        migrate(self.live())
        self.reload()
        try:
            self.fold()
            views.refresh(self.live())
        except duckdb.Error as error:
            if not is_no_damage(str(error)):
                raise
            self._undo(self.live())
            with pending.overlaid(self.live(), self._pending):  # on a full disk it starts all the same (F48)
                return load_state(self.live())
        return load_state(self.live())

    def _openable_again(self, _: duckdb.Error) -> None:
        self.close_connection()
        self.notices += salvage.make_openable(self.path, self._children)

    def _make_directory(self) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            hint = "name another storage.path, or correct the rights"
            raise StoreFull(f"cannot make {self.path.parent}: {error.strerror}", hint) from None

    def reconnect(self) -> None:
        """Raises duckdb.Error."""
        before = os.umask(0o077)
        try:
            self._connection = connect(self.path)
        finally:
            os.umask(before)

    def reload(self) -> None:
        """Take over what the file holds. Raises duckdb.Error; then what was known before is known."""
        changes, loaded = pending.changes_of(self.live()), pending.load(self.live())
        self._changes, self._pending = changes, loaded

    def commit(self, changeset: Changeset) -> None:
        try:
            change = pending.change_of(changeset)
        except ValueError as error:
            raise StoreBusy(f"the store cannot hold the change: {error}") from None
        self._end_readers()
        if self._connection is None and self._reopened():
            return
        if self._pending.is_large:
            self.guarded(self.fold)
        body, before = change.body, self._changes
        try:
            self.guarded(lambda: pending.append(self.live(), before + 1, body))
        except StoreBusy:
            if self._changes > before:  # it was durable when the damage showed, and was rescued with all the rest
                return
            raise
        self._changes += 1
        self._pending.add(change, len(body))
        if self._followed is not None:
            self._followed.add(self._changes, body)
        self._keep_private()

    def guarded(self, write: Callable[[], None]) -> None:
        """Raises StoreBusy, StoreFull; then nothing is written."""
        try:
            write()
        except duckdb.Error as error:
            self._undo(self.live())
            if salvage.is_damage(error):
                self._salvage(error)
            raise trouble(error) from None

    def _salvage(self, error: duckdb.Error) -> None:
        """Raises StoreBusy, StoreFull."""
        try:
            self._begin_anew(error)
        except (duckdb.Error, OSError) as failed:
            self.close_connection()
            raise trouble(failed) from None

    def fold(self) -> None:
        """Raises duckdb.Error."""
        if self._pending:
            pending.fold(self.live(), self._pending, self._changes)
            self._pending = pending.Pending()

    def _begin_anew(self, error: duckdb.Error) -> None:
        """Damage that no reading at the start had met (in an index) shows at a commit: what is committed is saved, the
        commit is tried again by its caller (F47). Raises duckdb.Error."""
        self.close_connection()
        if self.path.exists() and held_here(self.path):  # else changes would go into a file that has no name any more
            raise StoreBusy("the store is damaged inside, and being read yet", "it is tried again")
        told = salvage.begin_anew(self.path, " ".join(str(error).split())[:200])
        self.notices += told
        log.error("store_salvaged", notice="; ".join(told))
        self.reconnect()
        migrate(self.live())
        self.reload()

    def mend(self) -> None:
        """After an answer met damage: the file is read through in a child, and salvaged when it is damaged (F47).
        Nobody reads it meanwhile. Raises StoreBusy, StoreFull."""
        self.close_connection()
        if self.path.exists() and held_here(self.path):
            raise StoreBusy("the store is damaged inside, and being read yet", "it is tried again")
        try:
            told = salvage.make_openable(self.path, self._children)
            self.reconnect()
            migrate(self.live())
            self.reload()
        except duckdb.Error as error:
            self.close_connection()
            raise trouble(error) from None
        self.notices += told
        if told:
            log.error("store_salvaged", notice="; ".join(told))

    def pinned(self, *, follow: bool = False) -> tuple[duckdb.DuckDBPyConnection, Followed]:
        """A second connection, for another thread, that sees what is committed now for as long as its transaction
        lasts; the caller closes it. `follow`: what is committed from here on is in the answer's other half, until
        `unfollow`. Raises StoreBusy, StoreFull."""
        self.guarded(self.fold)
        cursor = self._cursor()
        followed = Followed()
        self._followed = followed if follow else self._followed
        return cursor, followed

    def glance(self) -> duckdb.DuckDBPyConnection:
        """As `pinned`; but on a full disk the past is seen all the same, without the last changes. Raises StoreBusy."""
        self._try_to_fold()
        try:
            return self._cursor()
        except duckdb.Error as error:
            raise StoreBusy(f"the store did not answer: {error}", "ask again") from None

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self.live().cursor()
        cursor.execute("BEGIN")
        cursor.execute("SELECT changes FROM progress").fetchone()  # a transaction begins with its first look
        self._cursors = [*filter(_is_open, self._cursors), cursor]
        return cursor

    def is_read(self) -> bool:
        """Whether one of the second connections is open: closing the first would end it in the midst of its work."""
        return any(map(_is_open, self._cursors))

    def unfollow(self) -> None:
        self._followed = None

    @property
    def changes(self) -> int:
        """How many changesets were committed."""
        return self._changes

    def _keep_private(self) -> None:
        """DuckDB makes its log anew after each checkpoint, with the rights that the umask of the moment leaves."""
        with suppress(OSError):
            wal = wal_of(self.path)
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
            self.close_connection()
        except duckdb.Error:
            self.close_connection()

    def _reopened(self) -> bool:
        """After a connection was given up. True when the changeset that failed then is in the store all the same: its
        commit had reached the disk before the error came."""
        before = self._changes
        try:
            self.reconnect()
            self.reload()
        except duckdb.Error as error:
            self.close_connection()  # what it holds is not known, and a commit would build on what was known before
            raise trouble(error) from None
        log.warning("store_reopened", changes=self._changes)
        return self._changes > before

    def _try_to_fold(self) -> None:
        if self._connection is not None:
            with suppress(TransientError):
                self.guarded(self.fold)

    def close(self) -> None:
        self._try_to_fold()
        self.close_connection()
        self._lock.release()

    def close_connection(self) -> None:
        """The second connections end with it, as soon as they can be interrupted. A change that failed with it may be
        in the file all the same, and is in nobody's list of what came since a copy was begun."""
        if self._followed is not None:
            self._followed.lost = True
        self._ending = self._cursors
        self._end_readers()
        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
            self._connection = None

    def _end_readers(self) -> None:
        """Again at every commit: an interrupt that comes between two statements is lost."""
        self._ending = [each for each in self._ending if _is_open(each)]
        for each in self._ending:
            each.interrupt()


def _is_open(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Also of one that is at work in another thread."""
    try:
        cursor.query_progress()
    except duckdb.ConnectionException:
        return False
    return True


def _looks_sound(path: Path) -> bool:
    """Whether a file that was closed well begins as DuckDB's do. No file is sound as well."""
    if not path.exists():
        return True
    with path.open("rb") as file:
        return file.read(12)[8:12] == b"DUCK"
