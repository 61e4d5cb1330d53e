"""The store beside no daemon: whether it could be opened, and its questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store import pending
from logmedic.adapters.store.answers import answer_here
from logmedic.adapters.store.connection import Lock, connect, made_by_newer, trouble
from logmedic.adapters.store.migrations import NEWEST, migrate, refuse_newer
from logmedic.adapters.store.queries import DuckQueries
from logmedic.adapters.store.views import columns_of
from logmedic.model.errors import LogmedicError, NotFound, OrderRefused
from logmedic.model.query import Limits
from logmedic.ports import Queries


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
    """The questions, beside no daemon; as of `connected`. Raises StoreTooNew, and OrderRefused for an older form, which
    only a daemon brings up to date."""
    with connected(path) as connection:
        if refuse_newer(connection) < NEWEST:
            raise OrderRefused(
                f"the store at {path} has an older form, without what this question needs",
                "start the daemon: it brings it up to date",
            )
        yield DuckQueries(connection)


def query(path: Path, sql: str, limits: Limits) -> Any:
    """One SELECT, beside no daemon; as Store.query answers, parsed. Raises QueryRefused, and what `connected` does."""
    with connected(path) as connection:
        return answer_here(connection, sql, limits)


def documented() -> dict[str, dict[str, str]]:
    """The views of a new store: the types of their columns, by name, in order."""
    with duckdb.connect(config={"threads": 1}) as connection:
        migrate(connection)
        return columns_of(connection)


@contextmanager
def connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees all that is committed; the file stays as it is. Raises StoreLocked when a daemon has it,
    NotFound when there is none, StoreTooNew for a file of a newer DuckDB, StoreBusy when it does not open."""
    if not path.exists():
        raise NotFound(f"there is no store at {path}", "start the daemon: logmedic run")
    lock = Lock(path)
    lock.take(shared=True)
    try:
        try:
            connection = connect(path, read_only=True)
        except duckdb.Error as error:
            raise made_by_newer(error) or trouble(error) from None
        with connection, pending.overlaid(connection, _unfolded(connection)):
            yield connection
    finally:
        lock.release()


def _unfolded(connection: duckdb.DuckDBPyConnection) -> pending.Pending:
    try:
        return pending.load(connection)
    except duckdb.CatalogException:  # a store from before changes were kept apart
        return pending.Pending()
