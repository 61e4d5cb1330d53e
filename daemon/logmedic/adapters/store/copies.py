"""Copies of the store, made beside the writing: a second connection copies what was committed at one moment into a new
file, and commits go on meanwhile (measured: 80 ms is the longest wait of one while 590 MiB are copied in 10 s)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from logmedic.adapters.store import salvage
from logmedic.adapters.store.children import Children
from logmedic.adapters.store.connection import quoted, trouble
from logmedic.adapters.store.contents import Contents, contents_of, current, identifier
from logmedic.adapters.store.walog import wal_of
from logmedic.model.errors import StoreBusy

T = TypeVar("T")

COPIED = "copied"
"""The name of the new file inside SQL."""
ENDS_AGAIN_S = 0.1


async def beside(end: Callable[[], None], call: Callable[[], T]) -> T:
    """Run `call` in a thread of its own. A cancel waits until it has ended, which `end` makes it do soon: it is said
    again until then, for what is told between two questions does not hear it. Raises StoreBusy, StoreFull."""
    running = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        await asyncio.wait((running,))
    except asyncio.CancelledError:
        while not running.done():
            with suppress(duckdb.Error):  # it may have closed what would be interrupted
                end()
            with suppress(asyncio.CancelledError):
                await asyncio.wait((running,), timeout=ENDS_AGAIN_S)
        running.exception()  # nobody asks any more
        raise
    try:
        return running.result()
    except (duckdb.Error, OSError) as error:
        raise trouble(error) from None


def copy_into(connection: duckdb.DuckDBPyConnection, new: Path) -> Contents:
    """All that the open transaction of `connection` sees, into the file `new`, which is made; tables, keys and defaults
    as they are. The transaction is ended, the file let go. Answers what both have. Raises duckdb.Error, StoreBusy."""
    remove(new)
    new.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        connection.execute(f"ATTACH {quoted(new)} AS {COPIED}")
        new.chmod(0o600)
        contents = _copied(connection)
        connection.execute("COMMIT")
    finally:
        let_go(connection)
    return contents


def _copied(connection: duckdb.DuckDBPyConnection) -> Contents:
    name = current(connection)
    connection.execute(f"COPY FROM DATABASE {identifier(name)} TO {COPIED}")
    contents = contents_of(connection, name)
    if contents != contents_of(connection, COPIED):
        raise StoreBusy("the copy of the store does not have the same rows", "look at the disk, and try again")
    return contents


def let_go(connection: duckdb.DuckDBPyConnection) -> None:
    """End what is open on `connection`, and detach the new file, which is whole and durable then."""
    with suppress(duckdb.Error):
        connection.execute("ROLLBACK")
    with suppress(duckdb.Error):
        connection.execute(f"DETACH {COPIED}")


def verify(copy: Path, contents: Contents, children: Children) -> None:
    """Open `copy` in a child, read all of it, and compare. Raises StoreBusy, StoreFull, StoreTooNew."""
    if salvage.read_contents(copy, children) != contents:
        raise StoreBusy(f"the copy {copy.name} does not have the rows of the store", "look at the disk, and try again")


async def verify_beside(copy: Path, contents: Contents) -> None:
    """As `verify`, in a thread of its own. A cancel ends the child."""
    children = Children()
    await beside(children.end, lambda: verify(copy, contents, children))


def remove(copy: Path) -> None:
    """With what DuckDB made beside it."""
    for each in (copy, wal_of(copy)):
        each.unlink(missing_ok=True)


def make_durable(path: Path) -> None:
    """A file, or the names in a directory. Raises OSError. Never for a file that this process has open in DuckDB: its
    lock would be gone."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def held_here(path: Path) -> bool:
    """Whether this process has the file open."""
    wanted = path.stat()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found: Any = os.stat(each)
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False
