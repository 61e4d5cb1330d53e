"""Getting a store to open again, whatever happened to it (I4).

The attempts run in a child, `python -m logmedic.adapters.store.salvage TASK PATH [NEW]`: a damaged file can abort the
process that opens it. TASK is one of `_TASKS`. Originals are kept beside; what was done is told. What is no damage (a
full disk, missing rights, a newer form, another process that has it open) is raised, and the files stay as they are.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from logmedic.adapters.store.connection import connect, is_no_damage, is_taken, quoted, trouble
from logmedic.adapters.store.migrations import migrate, refuse_newer
from logmedic.adapters.store.rows import TABLES
from logmedic.adapters.store.walog import find_gap, wal_of
from logmedic.model.errors import LogmedicError, StoreTooNew

TRIES = 5
OPEN_LIMIT_S = 120.0
"""For replaying a large log on a slow disk."""
TAKEN_WAIT_S = 5.0
"""How long a child waits for another process that has the file open: a killed daemon's child may outlive it."""
TAKEN_LOOK_S = 0.05
_PDEATHSIG = 1
_POSITION = re.compile(r"byte position (\d+)")


def make_openable(path: Path) -> list[str]:
    """Afterwards `path` opens, or is not there. Answers what people have to be told. Raises StoreTooNew, StoreFull and
    StoreBusy for what is no damage."""
    if not path.exists() and not wal_of(path).exists():
        return []
    gap = find_gap(wal_of(path))
    error: str | None
    if gap:  # opening it now would drop what lies behind the gap, and the log with it
        refuse_what_is_no_damage(path)
        error = str(gap)
    else:
        error = try_open(path)
    if error is None:
        return []
    kept = _keep_originals(path)
    notices = [f"the store did not open ({error}); its originals are kept as {kept.name}*"]
    for _ in range(TRIES):
        if not wal_of(path).exists():
            break
        notices.append(_shorten(wal_of(path), error))
        error = try_open(path)
        if error is None:
            return notices
    return [*notices, _begun_anew(path)]


def is_damage(error: Exception) -> bool:
    """Whether an error of DuckDB says that the file's content is damaged, and not only that something did not work."""
    words = str(error)
    return "Corrupt database file" in words or "checksum" in words


def begin_anew(path: Path, error: str) -> list[str]:
    """For a store that opens and cannot be written to. Nobody has it open. Answers what people have to be told."""
    kept = _keep_originals(path)
    return [f"the store was damaged inside ({error}); its originals are kept as {kept.name}*", _begun_anew(path)]


def _begun_anew(path: Path) -> str:
    """A new store with whatever can still be read of the old one."""
    new = path.with_name(f"{path.name}.rescued")
    new.unlink(missing_ok=True)
    report = _child("rescue", path, new)
    rescued = report.get("rescued", {})
    for each in (path, wal_of(path)):
        each.unlink(missing_ok=True)
    if rescued and new.exists():
        new.rename(path)
        lost = ", ".join(report["lost"]) or "nothing"
        return f"a new store was begun with {sum(rescued.values())} rows of the old one; not readable there: {lost}"
    new.unlink(missing_ok=True)
    return "it could not be salvaged: a new store was begun, and what was learned is in the kept files only"


def _keep_originals(path: Path) -> Path:
    kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    for original, copy in ((path, kept), (wal_of(path), kept.with_name(f"{kept.name}.wal"))):
        if original.exists():
            _copy(original, copy)
    return kept


def _copy(original: Path, copy: Path) -> None:
    """Raises StoreFull; half a copy does not stay, or each new start would leave one on the full disk."""
    try:
        copy.touch(0o600)
        shutil.copyfile(original, copy)
    except OSError as error:
        copy.unlink(missing_ok=True)
        raise trouble(error) from None


def _shorten(wal: Path, error: str) -> str:
    """Cut the write-ahead log where it is damaged; else set it aside."""
    gap, named = find_gap(wal), _POSITION.search(error)
    place = gap.at if gap else int(named[1]) if named else 0
    size = wal.stat().st_size
    if 0 < place < size:
        os.truncate(wal, place)
        return f"the last {size - place} bytes of its write-ahead log were damaged and are left out"
    wal.unlink()
    return f"its write-ahead log of {size} bytes was damaged as a whole and is left out"


def try_open(path: Path) -> str | None:
    """Open and read `path` in a child. None when that went well, else what is damaged."""
    return _damage(_child("read", path))


def refuse_what_is_no_damage(path: Path) -> None:
    """Raises StoreTooNew, StoreFull, StoreBusy; writes nothing."""
    _damage(_child("look", path))


def _damage(report: dict[str, Any]) -> str | None:
    if "newer" in report:
        raise StoreTooNew(*report["newer"])
    error = report.get("error")
    if error is not None and is_no_damage(error):
        raise trouble(error)
    return error


def _child(task: str, *paths: Path) -> dict[str, Any]:
    """What the child reports; `error` when it could not."""
    command = [sys.executable, "-I", "-m", "logmedic.adapters.store.salvage", task, *map(str, paths)]
    try:
        child = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=OPEN_LIMIT_S, check=False
        )
        report: dict[str, Any] = json.loads(child.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"not open within {OPEN_LIMIT_S:g} s"}
    except ValueError:
        return {"error": f"the process that opened it ended with status {child.returncode}"}
    return report


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
        for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            answer = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608  a count would read no values
            while answer.fetchmany(1000):
                pass
    return {}


def _rescue(path: Path, new: Path) -> dict[str, Any]:
    """Copy table by table. A table that cannot be read is left out."""
    rescued, lost = {}, []
    os.umask(0o077)
    with connect(new, reach=[path]) as connection:
        migrate(connection)
        connection.execute(f"ATTACH {quoted(path)} AS old (READ_ONLY)")
        for name in (*(table.name for table in TABLES), "changes"):
            try:
                copied = connection.execute(f"INSERT INTO {name} BY NAME FROM old.{name}")
                rescued[name] = int((copied.fetchone() or (0,))[0])
            except duckdb.Error:
                lost.append(name)
    return {"rescued": rescued, "lost": lost}


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {"look": _look, "read": _read_all, "rescue": _rescue}


def main() -> None:
    # Who is started after a kill of the daemon must not find the file held by what the killed one had asked for (F30).
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    task, *paths = sys.argv[1:]
    try:
        report = _TASKS[task](*map(Path, paths))
    except StoreTooNew as error:
        report = {"newer": [error.text, error.hint]}
    except (duckdb.Error, OSError, LogmedicError) as error:
        report = {"error": " ".join(str(error).split())[:500]}
    json.dump(report, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # a broken connection must not get another chance to write while it is torn down


if __name__ == "__main__":
    main()
