"""What is tried with a store in a child of its own: a damaged file can abort the process that opens it.

`python -m logmedic.adapters.store.trying TASK PATH...`: TASK is one of `_TASKS`; what came of it is a JSON object on
standard output.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store.connection import connect, is_no_damage, is_taken, made_by_newer, quoted
from logmedic.adapters.store.contents import contents_of
from logmedic.adapters.store.migrations import migrate, refuse_newer
from logmedic.adapters.store.rows import ATTEMPTS, BREAKERS, INCIDENTS, PAUSES, TABLES, TRUST
from logmedic.adapters.store.walog import wal_of
from logmedic.model.errors import LogmedicError, StoreTooNew
from logmedic.model.trust import Pause, PauseOrigin

TAKEN_WAIT_S = 5.0
"""How long it waits for another process that has the file open: a killed daemon's child may outlive it."""
TAKEN_LOOK_S = 0.05
_PDEATHSIG = 1


def _look(path: Path) -> dict[str, Any]:
    """Whether it is one of ours to write to: a log left behind is replayed in memory only."""
    if path.exists():
        with _opened(path, read_only=True) as connection:
            refuse_newer(connection)
    return {}


def _opened(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """As `connect`, once nobody else has it open."""
    ends = time.monotonic() + TAKEN_WAIT_S
    while True:
        try:
            return connect(path, read_only=read_only)
        except duckdb.Error as error:
            if not is_taken(str(error)) or time.monotonic() >= ends:
                raise
        time.sleep(TAKEN_LOOK_S)


def _read_all(path: Path) -> dict[str, Any]:
    """Every table: damage inside the file shows only then."""
    _look(path)
    with _opened(path) as connection:
        contents_of(connection)
    return {}


def _digest(path: Path) -> dict[str, Any]:
    with _opened(path, read_only=True) as connection:
        refuse_newer(connection)
        return {"contents": contents_of(connection)}


def _settle(path: Path) -> dict[str, Any]:
    """What its log has is brought into the file."""
    _read_all(path)
    with _opened(path) as connection:
        connection.execute("CHECKPOINT")
    return {}


def _rescue(path: Path, new: Path, *stand_ins: Path) -> dict[str, Any]:
    """Copy table by table. A table that cannot be read is taken from the first of `stand_ins` that has it, or left out;
    changes that were not in their tables yet are nobody else's."""
    os.umask(0o077)
    for left in (new, wal_of(new)):  # by one before this that was killed
        left.unlink(missing_ok=True)
    with connect(new, reach=[path, *stand_ins]) as connection:
        migrate(connection)
        names = [table.name for table in TABLES]
        rescued, lost = _taken_over(connection, path, [*names, "changes"])
        report: dict[str, Any] = {"rescued": rescued, "lost": lost, "filled": [], "copy": "", "held": False}
        if rescued and _BOUNDS.intersection(lost):
            _pause(connection)
            report["held"] = True
        for each in stand_ins if rescued else ():
            filled, _ = _taken_over(connection, each, [name for name in lost if name in names and name != PAUSES.name])
            if filled:
                report |= {"filled": list(filled), "copy": each.name}
                break
        connection.execute("CHECKPOINT")  # or, on a full disk, what it has would stay in its log when it is closed
    return report


_BOUNDS = frozenset({*(each.name for each in (PAUSES, TRUST, BREAKERS, ATTEMPTS, INCIDENTS)), "changes"})
"""What holds fixes back: without one of these, or as it was a day before, more could run than may (I8)."""


def _hold(path: Path) -> dict[str, Any]:
    """A store that knows of an earlier time, or of nothing: it is made when it is not there."""
    os.umask(0o077)
    if path.exists():
        _read_all(path)
    with _opened(path) as connection:
        migrate(connection)
        _pause(connection)
        connection.execute("CHECKPOINT")
    return {}


def _pause(connection: duckdb.DuckDBPyConnection) -> None:
    why = "the store was salvaged, and what held fixes back is not known any more"
    pause = Pause(PauseOrigin.OPERATOR, True, datetime.now(UTC), "logmedic", why)
    connection.execute(PAUSES.upsert, [json.dumps([PAUSES.encoded(pause)])])


def _taken_over(
    connection: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    """The number of rows by table, and the tables that cannot be read."""
    rescued, lost = {}, []
    try:
        connection.execute(f"ATTACH {quoted(path)} AS old (READ_ONLY)")
    except duckdb.Error as error:
        _refuse_the_hosts(error)
        return {}, list(names)
    for name in names:
        try:
            copied = connection.execute(f"INSERT INTO {name} BY NAME FROM old.{name}")
            rescued[name] = int((copied.fetchone() or (0,))[0])
        except duckdb.Error as error:
            _refuse_the_hosts(error)
            lost.append(name)
    connection.execute("DETACH old")
    return rescued, lost


def _refuse_the_hosts(error: duckdb.Error) -> None:
    """A disk without room says nothing about a table. Memory is another thing: DuckDB asks for as much as a damaged
    length says. Raises duckdb.Error."""
    if is_no_damage(str(error)) and not isinstance(error, duckdb.OutOfMemoryException):
        raise error


def _said(error: Exception) -> dict[str, Any]:
    return {"error": " ".join(str(error).split())[:500]}


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "look": _look,
    "read": _read_all,
    "digest": _digest,
    "rescue": _rescue,
    "hold": _hold,
    "settle": _settle,
}


def main() -> None:
    # Who is started after a kill of the daemon must not find the file held by what the killed one had asked for (F30).
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    task, *paths = sys.argv[1:]
    try:
        report = _TASKS[task](*map(Path, paths))
    except StoreTooNew as error:
        report = {"newer": [error.text, error.hint]}
    except duckdb.Error as error:
        newer = made_by_newer(error)
        report = {"newer": [newer.text, newer.hint]} if newer else _said(error)
    except (OSError, LogmedicError) as error:
        report = _said(error)
    json.dump(report, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # a broken connection must not get another chance to write while it is torn down


if __name__ == "__main__":
    main()
